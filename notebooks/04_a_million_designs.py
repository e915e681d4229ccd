# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
# ---

# %% [markdown]
# # A million designs
#
# A sweep shows the whole design space instead of the optimum alone. It evaluates every point of a
# grid over any numbers of hardware, workload and mapping, in blocks on all devices, and keeps
# either every point or reductions of them. `liminal sweep` does the same from a shell.

# %%
import dataclasses
import tempfile
import time
from pathlib import Path

import jax
import matplotlib.pyplot as plt
import numpy as np
import xarray
from matplotlib.colors import ListedColormap

import liminal_jax as ll

jax.config.update("jax_enable_x64", True)
runs = Path(tempfile.mkdtemp())

# %% [markdown]
# ## The specification
#
# A sweep starts from a design file; axes state the numbers that vary. Here: GPT-OSS-120B at 8K
# tokens on a chip like the GB200, over memory bandwidth, network latency, 1 to 32 chips, and 1 to
# 256 users.

# %%
(runs / "base.toml").write_text("""
name = "base"
[workload]
model = "gpt-oss-120b"
context = 8192
[design]
system = "gb200"
""")
spec = ll.SweepSpec(
    axes=(
        "system.chip.memory.bandwidth=2 TB/s:64 TB/s:88:log",
        "system.network.latency=100 ns:10 us:41:log",
        "tp=1,2,4,8,16,32",
        "batch=1:256:64:log",
    ),
    keep=("utps", "stps", "fits"),
)

# %% [markdown]
# ## Keep every point
#
# With `keep`, outputs of every point are written to the disk as they are computed, so a stopped run
# can continue. The time below is that of a small sweep: most of it is tracing and compiling.

# %%
base = ll.load_design(str(runs / "base.toml"))
start = time.perf_counter()
ll.run_sweep(base, spec, str(runs / "all"))
points = xarray.open_dataset(runs / "all" / "data.nc").load()
print(f"{points.utps.size:,} designs")
print(dict(points.sizes))
for name, values in points.data_vars.items():
    print(f"{name:6s} [{values.attrs.get('units', '')}] {values.attrs.get('long_name', '')}")
print(f"took less than half a minute: {time.perf_counter() - start < 30}")

# %% [markdown]
# ## Plot them
#
# All points that fit in memory, by speed per user and throughput per chip, and the Pareto front.
# Most designs are far from it, which is why optimisation pays. The stripes to the right are
# mappings with a few users, whose number is an integer.

# %%
held = (points.fits == 1).to_numpy().ravel()
one = points.utps.to_numpy().ravel()[held]
chip = (points.stps / points.tp).transpose(*points.utps.dims).to_numpy().ravel()[held]
order = np.argsort(-one)
front = order[chip[order] >= np.maximum.accumulate(chip[order])]

figure, axes = plt.subplots(figsize=(6, 3.6), layout="constrained")
density = axes.hexbin(
    one, chip, xscale="log", yscale="log", bins="log", gridsize=70, mincnt=1, cmap="Blues"
)
axes.plot(one[front], chip[front], color="#D55E00", linewidth=2)
axes.annotate(
    "front",
    (one[front[0]], chip[front[0]]),
    xytext=(-6, 10),
    textcoords="offset points",
    color="#D55E00",
    weight="bold",
)
figure.colorbar(density, label="designs in a cell")
_ = axes.set(
    xlabel="tokens a second of one user, UTPS [1/s]",
    ylabel="tokens a second of one chip [1/s]",
    title=f"{held.sum():,} designs for GPT-OSS-120B at 8K tokens",
)

# %% [markdown]
# ## A map of what is best
#
# For each pair of bandwidth and latency: the highest speed of one user, and the number of chips
# that reaches it. With slow collectives one chip is best, with fast ones all 32. Eight is a plateau
# between them: the model has eight KV heads, and more chips must also split the sequence, with two
# more collectives a layer. Two or four chips are never best.

# %%
alone = points.utps.where(points.fits == 1).isel(batch=0)
most, chips = (
    it.transpose("network.latency", "chip.memory.bandwidth")
    for it in (alone.max("tp"), alone.idxmax("tp"))
)
wide = most.coords["chip.memory.bandwidth"].to_numpy() / 1e12
late = most.coords["network.latency"].to_numpy() * 1e6

figure, axes = plt.subplots(figsize=(6, 3.8), layout="constrained")
colors = ListedColormap(["#FFFFFF", "#F0E442", "#F6D5A8", "#D9C7E8", "#BFE0F5", "#CDE8DC"])
axes.pcolormesh(wide, late, np.log2(chips), cmap=colors, vmin=-0.5, vmax=5.5)
for count in np.unique(chips):
    rows, columns = np.nonzero(chips.to_numpy() == count)
    place = np.exp(np.log(wide[columns]).mean()), np.exp(np.log(late[rows]).mean())
    words = "1 chip" if count == 1 else f"{count:.0f} chips"
    axes.text(*place, words, ha="center", va="center", weight="bold")
levels = [1000, 2000, 3000, 5000, 10000, 20000]
lines = axes.contour(wide, late, most, levels=levels, colors="#0072B2", linewidths=1)
axes.clabel(lines, fmt=lambda it: f"{it:,.0f} UTPS", fontsize=7)
axes.set(
    xscale="log",
    yscale="log",
    xticks=(2, 4, 8, 16, 32, 64),
    xticklabels=("2", "4", "8", "16", "32", "64"),
    yticks=(0.1, 0.3, 1, 3, 10),
    yticklabels=("0.1", "0.3", "1", "3", "10"),
    xlabel="memory bandwidth of a chip [TB/s]",
    ylabel="latency of a collective [us]",
    title="One user of GPT-OSS-120B at 8K tokens: the best number of chips",
)
axes.minorticks_off()

# %% [markdown]
# ## Or reduce them
#
# A billion points need not be stored. With goals instead of `keep`, blocks are reduced as they are
# computed: the best points, the Pareto front, the best for each value of an axis, a histogram of an
# output. The results are those of the points above.

# %%
goals = (ll.Goal("stps", maximise=True), ll.Goal("utps", maximise=True))
reduced = dataclasses.replace(spec, keep=(), goals=goals, by="tp", top=1)
found = ll.run_sweep(base, reduced, str(runs / "best"))
print(f"{found['points']:,} points, {len(found['front'])} on the front of STPS and UTPS")
print("chips  most tokens a second  with users")
for row in found["best_by"]["rows"]:
    print(f"{row['tp']:5.0f}  {row['outputs']['stps']:20,.0f}  {row['batch']:10.0f}")
