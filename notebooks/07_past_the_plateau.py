# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
# ---

# %% [markdown]
# # Past the plateau
#
# The talk ends with two questions. What is the absolute ceiling of current and near-future hardware
# for one user? And what takes the next factor of ten? 50,000 and 100,000 tokens a second "need new
# algorithms and flexible hardware: caching, prefetch, synchronisation within and between chips".
# Here each of these is a number of the model, with a source, a gradient and an off state.

# %%
# %matplotlib inline
import equinox as eqx
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

import liminal_jax as ll
from experiments.runner import STYLE
from liminal_jax.data.levers import lever_ranges

plt.style.use(STYLE)
model, request = ll.load_model("deepseek-v3"), ll.Request(context=8192)

# %% [markdown]
# ## 1. Where one user's time goes
#
# Sixteen GB200, one user, nothing but the model's own step at the peaks of the data sheets. Two
# thirds of it are waiting for other chips.

# %%
rack = ll.Design(ll.load_system("gb200"), ll.Mapping(tp=16), batch=1)
plain = ll.predict(rack, model, request)
for name in ("memory_time", "compute_time", "exposed_time", "step_time"):
    print(f"{name:>13s} {float(getattr(plain, name)) * 1e3:7.3f} ms")
print(f"{float(plain.utps):.0f} tokens/s")

# %% [markdown]
# ## 2. One lever at a time
#
# Each lever from its off state to a published setting. Bandwidth is among them: eight times as much
# buys less than three drafts, which divide every wait, and less than links that are quicker.

# %%
chip = rack.system.chip
settings = {
    "nothing": (None, {}),
    "8 x bandwidth": (None, {"bandwidth": 8.0}),
    "drafts: 3": (ll.Algorithm(speculation=ll.Speculation(3, 0.93, 0.725)), {}),
    "prefetch: 64 MB": (ll.Algorithm(prefetch=ll.Prefetch(64e6)), {"sram": 64e6}),
    "fused messages": (ll.Algorithm(overlap=ll.Overlap(fused=0.96)), {}),
    "parallel blocks": (ll.Algorithm(reductions=ll.Reductions(parallel=1)), {}),
    "ladder": (ll.Algorithm(reductions=ll.Reductions(delay=0.5)), {}),
    "half the depth": (ll.Algorithm(shape=ll.ModelShape(depth=0.5)), {}),
    "links of 0.35 us": (None, {"latency": 0.35e-6}),
}


def with_changes(system, bandwidth=1.0, sram=0.0, latency=None):
    """A system with another memory, SRAM or latency of collectives."""
    wider = system.chip.memory.bandwidth * bandwidth
    system = eqx.tree_at(lambda it: it.chip.memory.bandwidth, system, wider)
    system = eqx.tree_at(lambda it: it.chip.sram.capacity, system, jnp.asarray(sram))
    if latency is None:
        return system
    return eqx.tree_at(lambda it: it.network.latency, system, jnp.asarray(latency))


speeds = {}
for name, (algorithm, changes) in settings.items():
    design = ll.Design(
        with_changes(rack.system, **changes), rack.mapping, ll.Placement(), 1, algorithm
    )
    speeds[name] = float(ll.predict(design, model, request).utps)

figure, axes = plt.subplots(figsize=(7, 3.4))
names = list(speeds)[::-1]
axes.barh(names, [speeds[it] for it in names], color="C0")
for place, name in enumerate(names):
    axes.text(speeds[name], place, f" {speeds[name]:,.0f}", va="center")
axes.set_xlabel("tokens a second of one user")
axes.margins(x=0.12)
plt.show()

# %% [markdown]
# ## 3. What takes the next factor of ten
#
# The question turned round: the least change, over the published ranges of all levers and within
# the power and capital of the built-in study, that reaches a speed. Ten thousand first.

# %%
ten = ll.reach(10_000, "deepseek-v3")
print(f"from {float(ten.before.utps):,.0f} to {float(ten.prediction.utps):,.0f} tokens/s")
for it in ten.moves:
    if it.moves:
        print(f"  {it.lever.label}: {it.lever.start:g} to {it.to:g}; {it.quality.split(':')[0]}")

# %% [markdown]
# Fifty thousand needs more of them at once, and some that change the model. What each adds is its
# Shapley value: the mean, over all orders in which levers can be moved, of what moving it adds to
# the logarithm of the speed.

# %%
fifty = ll.reach(50_000, "deepseek-v3")
moved = sorted((it for it in fifty.moves if it.moves), key=lambda it: -it.contribution)
edges = np.cumsum([np.log(float(fifty.before.utps)), *(it.contribution for it in moved)])

figure, axes = plt.subplots(figsize=(7, 3.8))
for place, it in enumerate(moved):
    low, high = np.exp(edges[place : place + 2])
    lossless = it.quality == "lossless"
    axes.barh(place, high - low, left=low, color="C0" if lossless else "C3")
    axes.text(max(low, high), place, f"  x {high / low:.2f}", va="center")
axes.set_yticks(range(len(moved)), [it.lever.label for it in moved])
axes.invert_yaxis()
axes.set_xscale("log")
axes.set_xlim(right=2.2 * np.exp(edges[-1]))
axes.set_xlabel("tokens a second of one user (red: quality is not known to stay)")
plt.show()
print("\n".join(fifty.proofs))

# %% [markdown]
# No lever reaches it alone; for each there is a proof with numbers. The shortest one: whatever the
# memory, a step waits for collectives and for operations before it.

# %%
for it in fifty.moves[:4]:
    print(f"{it.lever.label}: {it.alone.utps:,.0f} tokens/s at best; {it.alone.proof}")

# %% [markdown]
# ## 4. What decides, and how sure it is
#
# Elasticities of the speed at sixteen GB200 with three drafts, and what the published ranges of the
# drafter and of links make of it: 4,096 samples at once.

# %%
levers = ll.Algorithm(speculation=ll.Speculation(3, 0.93, 0.725))


@jax.jit
def speed(numbers):
    """Logarithm of the speed over acceptance, decay, latency of a collective, and bandwidth."""
    acceptance, decay, latency, bandwidth = jnp.exp(numbers)
    algorithm = eqx.tree_at(
        lambda it: (it.speculation.acceptance, it.speculation.decay), levers, (acceptance, decay)
    )
    system = eqx.tree_at(
        lambda it: (it.network.latency, it.chip.memory.bandwidth),
        rack.system,
        (latency, bandwidth),
    )
    design = ll.Design(system, rack.mapping, ll.Placement(), 1, algorithm)
    return jnp.log(ll.predict(design, model, request).utps)


here = jnp.log(
    jnp.stack(
        [
            levers.speculation.acceptance,
            levers.speculation.decay,
            rack.system.network.latency,
            chip.memory.bandwidth,
        ]
    )
)
for name, slope in zip(
    ("acceptance", "decay", "latency", "bandwidth"), jax.grad(speed)(here), strict=True
):
    print(f"{name:>10s} {float(slope):+.2f} % for one per cent more")

rows = {it.path: it for it in lever_ranges()}
drawn = np.random.default_rng(0)


def samples(path):
    """Draws of a lever, evenly over the logarithm of its published range."""
    low, _, high = rows[path].si
    return drawn.uniform(np.log(low), np.log(high), 4096)


columns = [
    samples("algorithm.speculation.acceptance"),
    samples("algorithm.speculation.decay"),
    samples("system.network.latency"),
    np.full(4096, float(here[3])),
]
rates = np.exp(np.asarray(jax.vmap(speed)(jnp.asarray(np.stack(columns, axis=1), here.dtype))))
print("5, 50 and 95 of a hundred:", np.round(np.quantile(rates, [0.05, 0.5, 0.95])))

figure, axes = plt.subplots(figsize=(7, 2.8))
axes.hist(rates, bins=60, color="C0")
axes.axvline(float(np.exp(speed(here))), color="C3")
axes.set_xlabel("tokens a second of one user (red: as published)")
axes.set_ylabel("samples")
plt.show()

# %% [markdown]
# ## 5. What would falsify this
#
# * A machine with collectives of a microsecond that serves one user of this model, without drafts
#   and with sums that are waited for, at more than 8,200 tokens a second: two sums in each of 61
#   layers alone take 0.12 ms of a step.
# * A drafter that keeps more than seven tokens of a step in general text: 6.3 is the most that
#   anyone has published, and the speeds above scale with it.
# * A ladder or a depth of one half without loss at 600 billion parameters: then the red bars turn
#   blue. Nothing is published above 8 billion for the one, above 7 for the other.
# * Measured rates above the bound of the machine that they ran on: `python -m experiments.records`
#   holds every published one against it, and finds none.
