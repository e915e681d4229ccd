# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
# ---

# %% [markdown]
# # Design a chip under power and cost
#
# Chip, number of chips and parallelism are chosen together, under the limits of a data centre, with
# a proof that no design of the lattice is better. `liminal optimize` does this from a shell; here
# it is in Python.

# %%
import matplotlib.pyplot as plt

import liminal_jax as ll

# %% [markdown]
# ## The study is a file
#
# A study states a workload, an objective, limits, and the free variables. DeepSeek-V3 at 128K
# tokens of context, 50 tokens/s for every user, 1.4 kW per chip, 120 kW and 4 million USD:

# %%
space, objective, limits = ll.load_study("deepseek-v3-128k")
for limit in limits:
    side = "at least" if limit.at_least else "at most "
    print(f"{limit.name:18s} {side} {limit.bound:12,.0f} {limit.unit}")
print(space)

# %% [markdown]
# ## The optimum and its certificate
#
# The search bounds the exact model over boxes of designs, prunes every box that cannot hold a
# better one, and halves the rest. When no box is open, the best design known is proven. On the last
# line of a cell it shows itself in numbers and drawn to scale.

# %%
best = ll.optimize(space, objective, limits=limits)
print(best.reasons[0])
best

# %% [markdown]
# ## Which limits bind?
#
# A limit with slack costs nothing. A limit that binds is the one to negotiate about.

# %%
used = {
    it.name.replace("_", " "): (
        it.bound / best.totals[it.name] if it.at_least else best.totals[it.name] / it.bound
    )
    for it in limits
}
used["memory, fullest chip"] = float(best.prediction.memory_fill)
figure, axes = plt.subplots(figsize=(5.8, 2.3), layout="constrained")
bars = axes.barh(list(used), [100 * it for it in used.values()], color="#0072B2")
axes.bar_label(bars, fmt="%.0f", padding=-24, color="white")
axes.axvline(100, color="black", linewidth=1)
axes.set(xlim=(0, 110), xlabel="share of the limit that is used [%]", title="What binds")
axes.invert_yaxis()

# %% [markdown]
# ## And the other memories?
#
# The search also returns the best design of each, so the comparison is fair: each memory has the
# chip that suits it.

# %%
for other in best.alternatives:
    speed = "none meets the limits" if other.objective is None else f"{other.objective:9,.0f} STPS"
    print(f"{other.name:8s} {speed}")

# %% [markdown]
# ## Sensitivity analysis
#
# With the continuous variables relaxed around the proven design, elasticities follow from the
# optimality conditions: per cent of the objective per per cent of a number, with all sizes
# re-optimised. Many of the numbers at the top are prices and yields: the result depends on
# estimates, and the analysis shows on which.

# %%
heavy = best.sensitivities()[:12]
figure, axes = plt.subplots(figsize=(6.2, 3.4), layout="constrained")
colors = ["#0072B2" if it.elasticity > 0 else "#E69F00" for it in heavy]
bars = axes.barh(
    [it.label for it in heavy],
    [it.elasticity for it in heavy],
    color=colors,
)
axes.bar_label(bars, fmt="%+.2f", padding=3)
axes.axvline(0, color="black", linewidth=0.8)
axes.set(
    xlim=(-1.35, 1.35),
    xlabel="change of STPS for one per cent more [%]",
    title="What is worth arguing about",
)
axes.invert_yaxis()

# %% [markdown]
# ## Speed per user or throughput
#
# Speed per user and throughput are conflicting objectives. For both, the search returns the Pareto
# front, with proof, here up to 5 %: for any other design one of these is at least as good in both
# objectives up to that share. Once for the memory that wins, and once for the best that ships soon:

# %%
figure, axes = plt.subplots(figsize=(5.8, 3.4), layout="constrained")
looks = {"3d-dram": ("#0072B2", "o"), "hbm4": ("#E69F00", "^")}
for name, (color, marker) in looks.items():
    front = ll.pareto(
        space.only(name), maximise=["utps", "stps"], limits=limits, epsilon=0.05, seconds=120
    )
    print(f"{name}: {len(front.designs)} designs, proven: {front.complete}")
    speeds, throughputs = front.values.T
    axes.plot(speeds, throughputs, marker, color=color)
    axes.annotate(
        name,
        (speeds[-1], throughputs[-1]),
        xytext=(8, 2),
        textcoords="offset points",
        color=color,
        weight="bold",
    )
axes.set(
    xscale="log",
    xticks=(50, 100, 200, 500, 1000, 2000),
    xticklabels=("50", "100", "200", "500", "1,000", "2,000"),
    ylim=(0, None),
    xlabel="tokens a second of one user, UTPS [1/s]",
    ylabel="tokens a second of all users, STPS [1/s]",
    title="DeepSeek-V3 at 128K tokens for 120 kW and 4 million USD",
)
axes.yaxis.set_major_formatter("{x:,.0f}")
axes.minorticks_off()
axes.grid(color="0.9")

# %% [markdown]
# ## And if the numbers are wrong?
#
# Prices, energies and latencies have ranges. The robust design is the one whose throughput all but
# a tenth of the futures reach or better, while the limits hold in 95 % of them. It is found by
# gradients under all futures at once.

# %%
robust = ll.robust(space, objective, measure=ll.Quantile(0.1), limits=limits, samples=32)
for name, tried in (("nominal", robust.nominal), ("robust", robust.robust)):
    print(
        f"{name}: {tried.measure:,.0f} tokens/s in nine futures of ten,"
        f" {tried.thought:,.0f} with the nominal numbers; limits hold in {tried.meets:.0%} of them"
    )

# %% [markdown]
# `liminal optimize`, `liminal pareto` and `liminal sensitivity` print and draw the same from a
# shell, and `liminal uncertainty` repeats it with every uncertain number sampled from its range.
