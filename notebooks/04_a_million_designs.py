# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
# ---

# %% [markdown]
# # A million designs
#
# Sometimes one wants not the best design but the whole landscape. A sweep evaluates every point of
# a grid over any numbers of hardware, workload and mapping, in blocks on all devices, and either
# keeps every point or only what was asked for. `liminal sweep` does the same from a shell.

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
# ## What is asked
#
# A design in a file is where a sweep starts; axes say what varies. Here: GPT-OSS-120B at 8K tokens
# on a chip like the GB200, but with any bandwidth, any latency of its network, 1 to 32 chips, and
# 1 to 256 users.

# %%
(runs / "base.toml").write_text("""
name = "base"
[workload]
model = "gpt-oss-120b"
context = 8192
[design]
system = "gb200"
""")
question = ll.Question(
    axes=(
        "system.chip.memory.bandwidth=2 TB/s:64 TB/s:88:log",
        "system.network.latency=100 ns:10 us:41:log",
        "tp=1,2,4,8,16,32",
        "batch=1:256:64:log",
    ),
    keep=("utps", "stps", "fits"),
)

# %% [markdown]
# ## Keep everything
#
# With `keep`, outputs of every point go to the disk as they are made, so that a run that is stopped
# goes on where it was. The time below is of a small sweep: most of it is tracing and compiling.

# %%
base = ll.load_design(str(runs / "base.toml"))
start = time.perf_counter()
ll.run_sweep(base, question, str(runs / "all"))
points = xarray.open_dataset(runs / "all" / "data.nc").load()
print(f"{points.utps.size:,} designs")
print(dict(points.sizes))
for name, values in points.data_vars.items():
    print(f"{name:6s} [{values.attrs.get('units', '')}] {values.attrs.get('long_name', '')}")
print(f"took less than half a minute: {time.perf_counter() - start < 30}")

# %% [markdown]
# ## Look at them
#
# All points that fit, by what one user and one chip get, and the front: the designs that no other
# betters in both. Most designs are far from it, which is why searching pays. The stripes to the
# right are mappings with a few users, whose number is whole.

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
axes.set(
    xlabel="tokens a second of one user, UTPS [1/s]",
    ylabel="tokens a second of one chip [1/s]",
    title=f"{held.sum():,} designs for GPT-OSS-120B at 8K tokens",
)

# %% [markdown]
# ## A map of what is best
#
# For each pair of bandwidth and latency: the most that one user can get, and with how many chips
# that is. Slow collectives make one chip best, fast ones let a user have all 32. Eight is a plateau
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
# ## Or keep only what matters
#
# A billion points need not lie on a disk. With goals instead of `keep`, blocks are reduced as they
# are computed: the best few, the front, the best for each value of an axis, the spread of an
# output. The numbers are those of the points above.

# %%
goals = (ll.Goal("stps", maximise=True), ll.Goal("utps", maximise=True))
reduced = dataclasses.replace(question, keep=(), goals=goals, by="tp", top=1)
found = ll.run_sweep(base, reduced, str(runs / "best"))
print(f"{found['points']:,} points, {len(found['front'])} on the front of STPS and UTPS")
print("chips  most tokens a second  with users")
for row in found["best_by"]["rows"]:
    print(f"{row['tp']:5.0f}  {row['outputs']['stps']:20,.0f}  {row['batch']:10.0f}")
