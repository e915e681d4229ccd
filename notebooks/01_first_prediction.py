# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
# ---

# %% [markdown]
# # A first prediction
#
# Ten minutes with `liminal_jax`: predict the decode speed of a system, find the bottleneck of a
# step, find which part of the chip to improve, and draw the trade-off between speed per user and
# throughput.
#
# The model is ideal: peak rates, perfect division of the work, perfect overlap of arithmetic and
# memory. Its prediction is an upper bound; real engines stay below it.

# %%
import equinox as eqx
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt

import liminal_jax as ll

# %% [markdown]
# ## Predict
#
# A design is a system, a mapping of the model onto its chips, the contents of SRAM, and the users
# in a batch. `predict` is a pure function of a design, a model and a request. Everything is in SI
# units: bytes, seconds, watts; money is in USD.

# %%
model = ll.load_model("llama-3-70b")
system = ll.load_system("h200")
request = ll.Request(context=8192)

design = ll.Design(system, ll.Mapping(tp=8), batch=32)
prediction = ll.predict(design, model, request)

print(f"tokens a second of one user    {prediction.utps:8.0f}")
print(f"tokens a second of all users   {prediction.stps:8.0f}")
print(f"memory held                    {prediction.memory_required / 1e9:8.0f} GB")
print(f"memory there is                {prediction.memory_capacity / 1e9:8.0f} GB")
print(f"does it fit?                   {bool(prediction.fits)!s:>8}")

# %% [markdown]
# On the last line of a cell a design shows its numbers, its package to scale, and its system:

# %%
design

# %% [markdown]
# ## What is the bottleneck of a step?
#
# One step makes one token for every user. Arithmetic and memory traffic overlap, so the longer of
# the two counts; exposed communication between chips is added:
#
# $$T = \max(T_\mathrm{compute}, T_\mathrm{memory}) + T_\mathrm{exposed}$$

# %%
parts = {
    "memory": prediction.memory_time,
    "compute, hidden behind memory": prediction.compute_time,
    "collectives": prediction.exposed_time,
    "step": prediction.step_time,
}
for name, seconds in parts.items():
    print(f"{name:30s} {seconds * 1e3:6.2f} ms")
print("the step waits for", ll.BOTTLENECKS[int(prediction.bottleneck)])

# %% [markdown]
# ## What would more bandwidth buy?
#
# Every number of the design is differentiable. `eqx.tree_at` gives a copy of the system with one
# number changed, and `jax.grad` does the rest.


# %%
def utps_at(bandwidth):
    faster = eqx.tree_at(lambda it: it.system.chip.memory.bandwidth, design, bandwidth)
    return ll.predict(faster, model, request).utps


bandwidth = system.chip.memory.bandwidth
slope = jax.grad(utps_at)(bandwidth)
print(f"{slope * 1e12:.1f} tokens a second more for each TB/s more per chip")
print(f"1 % more bandwidth makes a token {slope * bandwidth / prediction.utps:.2f} % faster")

# %% [markdown]
# The second line is an elasticity. It is below one because the collectives do not get faster with
# memory bandwidth.
#
# ## Many designs at once
#
# `jax.vmap` turns the function of one batch into one of many, and evaluates them together.


# %%
def at_batch(batch):
    here = ll.Design(system, ll.Mapping(tp=8), batch=batch)
    return ll.predict(here, model, request)


batches = 2.0 ** jnp.arange(11)
curve = jax.jit(jax.vmap(at_batch))(batches)

print("users    UTPS     STPS   fits")
for users, utps, stps, fits in zip(batches, curve.utps, curve.stps, curve.fits, strict=True):
    print(f"{users:5.0f} {utps:7.1f} {stps:8.0f}   {'yes' if fits else 'no'}")

# %% [markdown]
# More users share each read of the weights, so throughput rises while each user gets slower. Memory
# capacity limits the batch: the KV caches of all users must fit together with the weights.

# %%
figure, axes = plt.subplots(figsize=(5.5, 3.4), layout="constrained")
axes.semilogy(curve.utps, curve.stps, color="0.75")
axes.semilogy(curve.utps[curve.fits], curve.stps[curve.fits], "o-", color="#0072B2")
for index in range(0, int(curve.fits.sum()), 2):
    axes.annotate(
        f"{batches[index]:.0f}",
        (curve.utps[index], curve.stps[index]),
        xytext=(-3, -12),
        textcoords="offset points",
        ha="right",
    )
axes.set(
    ylim=(200, 40e3),
    xlabel="tokens a second of one user, UTPS [1/s]",
    ylabel="tokens a second of all users, STPS [1/s]",
    title="Llama 3 70B on 8 H200, by users; grey does not fit",
)
axes.grid(color="0.9")
# %% [markdown]
# ## Exact and soft
#
# The gradient of a maximum jumps: while memory is the bottleneck, faster arithmetic has a gradient
# of exactly zero, which gives a gradient method no information. `Soft(temperature)` smooths every
# kink in the same equations, more widely at a higher temperature. Here is the step time as the
# tensor rate falls to a share of the H200's.

# %%
readings = {"exact": ll.Exact()} | {f"soft {t}": ll.Soft(t) for t in (0.01, 0.05, 0.2)}


def step_time(share, relaxation):
    tensor = jax.tree.map(lambda rate: share * rate, system.chip.tensor)
    slower = eqx.tree_at(lambda it: it.system.chip.tensor, design, tensor)
    assumptions = ll.Assumptions(relaxation=relaxation)
    return ll.predict(slower, model, request, assumptions).step_time


for name, relaxation in readings.items():
    slope = jax.grad(step_time)(jnp.asarray(0.2), relaxation)
    print(f"{name:9s}: slope of the step time at a share of 0.2 is {slope * 1e3:8.5f} ms")

# %%
shares = jnp.geomspace(0.02, 1.0, 200)
figure, axes = plt.subplots(figsize=(5.5, 3.4), layout="constrained")
colors = ("black", "#56B4E9", "#009E73", "#E69F00")
for (name, relaxation), color in zip(readings.items(), colors, strict=True):
    times = jax.vmap(step_time, in_axes=(0, None))(shares, relaxation)
    width = 4 if name == "exact" else 1.5
    axes.semilogx(shares, times * 1e3, color=color, linewidth=width, label=name)
axes.set(
    ylim=(0, None),
    xlabel="tensor rate, as a share of the H200's",
    ylabel="step time [ms]",
    title="One model, read exactly and softly",
)
axes.legend(frameon=False)
axes.grid(color="0.9")

# %% [markdown]
# The relaxation at a high temperature has a gradient where the exact model is flat, but it is off
# by half even far from the kink: it also smooths steps such as "more chips than the scale-up
# domain". Here 8 chips fill a domain of 8, and part of the slower communication of a ninth chip is
# charged. A search therefore starts at a high temperature, lowers it, and ends on the exact model.
