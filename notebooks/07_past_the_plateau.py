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
# Sixteen GB200, one user, nothing but the model's own step at the peaks of the data sheets. Three
# quarters of it are waiting for other chips.

# %%
rack = ll.Design(ll.load_system("gb200"), ll.Mapping(tp=16), batch=1)
plain = ll.predict(rack, model, request)
for name in ("memory_time", "compute_time", "exposed_time", "step_time"):
    print(f"{name:>13s} {float(getattr(plain, name)) * 1e3:7.3f} ms")
print(f"{float(plain.utps):.0f} tokens/s")

# %% [markdown]
# ## 2. One lever at a time
#
# Each lever from its off state to the best published setting, and what it costs in quality as far as
# anyone knows. Bandwidth is among them: eight times as much buys less than three drafts.

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

print(speeds)
