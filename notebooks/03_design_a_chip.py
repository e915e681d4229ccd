# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
# ---

# %% [markdown]
# # Design a chip under power and cost
#
# Which chip, how many of them, and how the model lies on them: chosen together, under the limits
# that hold in a data centre, with a proof that nothing on the lattice is better. This is what
# `liminal optimize` does; here it is in Python.

# %%

import matplotlib.pyplot as plt

import liminal_jax as ll

# %% [markdown]
# ## The question is a file
#
# A study names a workload, what is best, limits, and which numbers are free. DeepSeek-V3 at 128K
# tokens of context, 50 tokens a second for every user, 1.4 kW a chip, 120 kW and 4 million USD:

# %%
space, objective, limits = ll.load_study("deepseek-v3-128k")
for limit in limits:
    side = "at least" if limit.at_least else "at most "
    print(f"{limit.name:18s} {side} {limit.bound:12,.0f} {limit.unit}")
print(space)

# %% [markdown]
# ## The answer, and how good it is
#
# The search bounds the exact model over boxes of designs, drops every box that cannot hold a
# better one, and halves the rest. When nothing is left, the best one known is proven.

# %%
best = ll.optimize(space, objective, limits=limits)
print(best)
print(best.reasons[0])

# %% [markdown]
# ## What stops it from being better?
#
# A limit with room to spare costs nothing. The one that is used up is the one to negotiate about.

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
axes.invert_yaxis()
axes.set(xlim=(0, 110), xlabel="share of the limit that is used [%]", title="What binds")

# %% [markdown]
# ## And the other memories?
#
# The best design of each was found on the way, so the difference is fair: each has the chip that
# suits it.

# %%
for other in best.alternatives:
    speed = "none meets the limits" if other.objective is None else f"{other.objective:9,.0f} STPS"
    print(f"{other.name:8s} {speed}")

# %% [markdown]
# ## What are its numbers worth?
#
# With sizes set free around the proven design, prices follow from the optimum's own conditions: one
# per cent more of a number gives so many per cent of the objective, all sizes having followed. Many
# of the numbers at the top are prices and yields: the answer rests on estimates, and says on which.

# %%
heavy = best.sensitivities()[:12]
figure, axes = plt.subplots(figsize=(6.2, 3.4), layout="constrained")
colors = ["#0072B2" if it.elasticity > 0 else "#E69F00" for it in heavy]
bars = axes.barh(
    [it.parameter.removeprefix("material.").replace("_", " ") for it in heavy],
    [it.elasticity for it in heavy],
    color=colors,
)
axes.bar_label(bars, fmt="%+.2f", padding=3)
axes.axvline(0, color="black", linewidth=0.8)
axes.invert_yaxis()
axes.set(
    xlim=(-1.35, 1.35),
    xlabel="change of STPS for one per cent more [%]",
    title="What is worth arguing about",
)

# %% [markdown]
# ## One user or all of them
#
# Speed for each user and tokens for all pull apart. Asked for both, the search returns the designs
# between which only a preference can choose, and proves that list too, here up to 5 %: whatever
# else one builds, one of these is at least as good in both up to that share. Once for the memory
# that wins, and once for the best that ships soon:

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
# `liminal optimize`, `liminal pareto` and `liminal sensitivity` print and draw the same from a
# shell, and `liminal uncertainty` repeats it with every doubtful number drawn from its range.
