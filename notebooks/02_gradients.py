# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
# ---

# %% [markdown]
# # Gradients for architects
#
# A gradient of a performance model answers the question that starts most design meetings: *if I
# may improve one thing, which?* Here every number of a design is differentiable at once, so the
# answer is one call, and it is exact: automatic differentiation, not finite differences.

# %%
import equinox as eqx
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt

import liminal_jax as ll

model = ll.load_model("llama-3-70b")
system = ll.load_system("h200")
request = ll.Request(context=8192)
design = ll.Design(system, ll.Mapping(tp=8), batch=32)

# %% [markdown]
# ## One call, every derivative
#
# `jax.grad` of a function of the design gives a design that holds the derivative with respect to
# each number in its place. Its unit is the result's over the number's, which makes derivatives hard
# to compare.

# %%
slope = jax.jit(jax.grad(lambda it: ll.predict(it, model, request).utps))(design)

print("one user's tokens a second, for each")
print(f"  TB/s more of memory bandwidth  {slope.system.chip.memory.bandwidth * 1e12:8.2f}")
print(f"  us more of latency             {slope.system.network.latency * 1e-6:8.2f}")
print(f"  user more in the batch         {slope.batch:8.2f}")
print(f"  PFLOP/s more at 8 bits         {abs(slope.system.chip.tensor.bits_8) * 1e15:8.2f}")

# %% [markdown]
# The last line is the roofline: while memory is the bottleneck, faster arithmetic has no effect.
#
# ## Elasticities: one scale for everything
#
# A derivative times its number over the result has no unit: *per cent of the result per per cent of
# the number*. It is the derivative in logarithms. The elasticities of the resources that a step
# depends on add up to one, so they are also the shares of the step. `liminal predict` prints the
# effect of 10 % more.


# %%
def log_utps(change, batch):
    """Logarithm of UTPS with each resource better by a logarithm."""
    better = jnp.exp(change)
    chip = eqx.tree_at(
        lambda it: (it.memory.bandwidth, it.tensor, it.vector),
        system.chip,
        (
            system.chip.memory.bandwidth * better[0],
            jax.tree.map(lambda rate: rate * better[1], system.chip.tensor),
            system.chip.vector * better[1],
        ),
    )
    network = eqx.tree_at(
        lambda it: (it.bandwidth, it.latency),
        system.network,
        (system.network.bandwidth * better[2], system.network.latency / better[3]),
    )
    it = ll.System(chip=chip, network=network, facility=system.facility)
    found = ll.predict(ll.Design(it, ll.Mapping(tp=8), batch=batch), model, request)
    return jnp.log(found.utps)


names = ("memory bandwidth", "arithmetic", "link bandwidth", "latency of collectives")
shares = jax.jit(jax.grad(log_utps))
for name, share in zip(names, shares(jnp.zeros(4), 32.0), strict=True):
    print(f"1 % better {name:24s} {share:5.2f} % more tokens a second")

# %% [markdown]
# How far is a tangent valid? The curve over bandwidth flattens, since the other parts of the step
# remain: the tangent is right near the design and too optimistic far from it. Twice the bandwidth
# is not twice the speed.

# %%
logarithm, here = jax.jit(log_utps), jnp.zeros(4)
for factor in (1.01, 1.1, 1.5, 2.0):
    change = here.at[0].set(jnp.log(factor))
    exact = jnp.exp(logarithm(change, 32.0) - logarithm(here, 32.0))
    tangent = factor ** shares(here, 32.0)[0]
    print(f"bandwidth x {factor:4.2f}: speed x {exact:5.3f}, by its elasticity {tangent:5.3f}")

# %% [markdown]
# ## The bottleneck changes with the load
#
# The gradient at many batches is one more `vmap`. Messages grow with the batch, so links matter
# more; at 8 users the library changes from a one-shot to a two-shot all-reduce, which sends less
# and starts twice. Where memory is full, capacity limits the batch, which no derivative shows.

# %%
batches = jnp.geomspace(1, 1000, 90)
by_batch = jax.jit(jax.vmap(jax.grad(log_utps), in_axes=(None, 0)))(jnp.zeros(4), batches)


def at_batch(batch):
    return ll.predict(ll.Design(system, ll.Mapping(tp=8), batch=batch), model, request)


most = float(batches[jax.jit(jax.vmap(at_batch))(batches).fits].max())

figure, axes = plt.subplots(figsize=(5.8, 3.4), layout="constrained")
colors = ("#0072B2", "#000000", "#E69F00", "#56B4E9")
axes.stackplot(batches, 100 * by_batch.T, colors=colors)
axes.axvspan(most, 1000, color="white", alpha=0.6)
axes.set(
    xscale="log",
    xlim=(1, 1000),
    ylim=(0, 100),
    xlabel="users in the batch",
    ylabel="share of the step, by gradient [%]",
    title="What a step of Llama 3 70B at 8K tokens on 8 H200 waits for",
)
axes.text(2, 35, "memory bandwidth", color="white")
axes.text(2, 91, "latency of collectives")
axes.text(55, 76, "link bandwidth")
_ = axes.text(most * 1.06, 30, "does not fit", rotation=90, va="center")

# %% [markdown]
# ## Benefit per cost
#
# A resource should be improved if its benefit exceeds its cost. Both are gradients. Here the cost
# of bandwidth is power: the same traffic takes the same energy in less time, so the chip draws more
# power. One more watt, spent on bandwidth, gives this many tokens/s:


# %%
def speed_and_power(bandwidth):
    faster = eqx.tree_at(lambda it: it.system.chip.memory.bandwidth, design, bandwidth)
    found = ll.predict(faster, model, request)
    return jnp.stack([found.stps, found.power.total()])


now, slopes = jax.jit(lambda it: jax.jvp(speed_and_power, (it,), (jnp.ones(()),)))(
    system.chip.memory.bandwidth
)
tokens, watts = slopes
print(f"on average  {now[0] / now[1]:.2f} tokens for a joule")
print(f"at the edge {tokens / watts:.2f} tokens for a joule more")

# %% [markdown]
# The marginal value is above the average: idle power, hosts and network are already paid for. Such
# quotients, solved for all sizes of a chip and all limits at once, are the shadow prices that
# `liminal sensitivity` prints; the next notebook uses them.
#
# ## How slow may a collective be?
#
# A gradient also finds roots. How long may a collective take until it is half of the step? Newton's
# method needs a derivative in each iteration, which `jax.grad` gives.


# %%
def excess(log_latency):
    network = eqx.tree_at(lambda it: it.latency, system.network, jnp.exp(log_latency))
    slower = eqx.tree_at(lambda it: it.system.network, design, network)
    found = ll.predict(slower, model, request)
    return jnp.log(found.exposed_time / (0.5 * found.step_time))


@jax.jit
def newton(guess):
    value, slope = jax.value_and_grad(excess)(guess)
    return guess - value / slope


guess = jnp.log(system.network.latency)
for _ in range(6):
    guess = newton(guess)
print(
    f"now {system.network.latency * 1e6:.1f} us; half of the step at {jnp.exp(guess) * 1e6:.1f} us"
)

# %% [markdown]
# `python -m experiments.synchronisation` does this for eight models and five memories, and
# `python -m experiments.limits` draws the map of shares over batch, context and memory.
