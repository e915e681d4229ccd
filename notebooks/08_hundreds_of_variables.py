# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
# ---

# %% [markdown]
# # Hundreds of variables
#
# A grid of a dozen variables can be proven box by box. Real co-design has hundreds: a precision for
# each layer, pools of different chips, a batch for each class of requests. No list holds all these
# designs. The model is differentiable in all variables at once, and given prices of what members
# compete for, each chooses by itself; that also bounds what the best design can be.

# %%
# %matplotlib inline
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt

import liminal_jax as ll
from experiments.runner import STYLE

jax.config.update("jax_enable_x64", True)
plt.style.use(STYLE)

# %% [markdown]
# ## 1. Which layers can have fewer bits?
#
# Llama-3-70B on eight H200: each of its 80 layers chooses the bits of its weights and of its cache.
# What that loses of the model's quality nobody but you knows. Here it is a function that you write:
# a layer loses more near both ends of the model, and four times as much for every two bits less.

# %%
LAYERS = 80


def loss(bits, kv_bits, window):
    del window
    place = jnp.arange(LAYERS) / (LAYERS - 1)
    ends = 1 + 6 * jnp.exp(-20 * place) + 3 * jnp.exp(-20 * (1 - place))
    return ends * (0.5 * 4 ** -(bits / 2) + 0.1 * 4 ** -(kv_bits / 2))


rack = ll.Design(ll.load_system("h200"), ll.Mapping(tp=8), batch=16)
space = ll.Space(rack, model="llama-3-70b", request=ll.Request(context=32768))
layers = ll.PerLayer(space, {"weight_bits": [4, 8, 16], "kv_bits": [4, 8, 16]}, loss=loss, unit="%")
limits = [ll.at_most("quality_loss", 2.5)]
best = ll.optimize(layers, maximise="utps", limits=limits, seconds=120.0)
print(best.report())

# %% [markdown]
# The first and the last layers keep their bits. The gap says how far any choice of all layers could
# be better.

# %%
chosen = list(best.members.values())
figure, axes = plt.subplots(figsize=(7, 2.6))
for name, label in (("weight_bits", "weights"), ("kv_bits", "cache")):
    axes.step(range(LAYERS), [it[name] for it in chosen], where="mid", label=label)
axes.set(xlabel="layer", ylabel="bits", yticks=[4, 8, 16])
axes.legend()
print(f"{best.objective:.1f} tokens/s, at most {best.certificate.bound:.1f}")

# %% [markdown]
# What is another point of quality worth? The multiplier of the limit says it without a search.

# %%
worth = best.multipliers["quality_loss"]
print(f"1 % more loss of quality: {worth:.3f} % more tokens a second")

# %% [markdown]
# ## 2. Which chips for prompts, and which for answers?
#
# Prompts need arithmetic, answers need bandwidth. Two pools of different chips serve the same
# requests; the cache of each prompt crosses between them, over the slower of their networks.

# %%
model, request = "gpt-oss-120b", ll.Request(context=8192)


def pool(system, free):
    design = ll.Design(ll.load_system(system), ll.Mapping(tp=1), batch=1)
    return ll.Space(design, free, model=model, request=request, replicas=1)


pools = ll.Pools(
    {
        "prefill": pool("h200", {"tp": [1, 2, 4], "batch": [1, 2, 4], "replicas": [1, 2, 3, 4]}),
        "decode": pool("h200", {"tp": [1, 2, 4, 8], "batch": [16, 64, 128], "replicas": [1, 2, 4]}),
    },
    isl=8192,
    osl=1024,
    rate=[1.0, 2.0, 4.0, 8.0],
)
limits = [
    ll.at_most("ttft", "1 s"),
    ll.at_most("tpot", "20 ms"),
    ll.at_most("capital_cost", "2 MUSD"),
]
served = ll.optimize(pools, maximise="stps_per_usd", limits=limits, seconds=120.0)
print(served.report())

# %% [markdown]
# ## 3. The same from the command line
#
# ```sh
# liminal optimize which-layers-at-four-bits        # 506 variables: 126 layers of Llama-3-405B
# liminal optimize three-pools-for-long-prompts     # prompts, attention and experts on chips apart
# liminal optimize conversations-of-all-lengths     # a trace in 32 classes
# liminal optimize thirty-models-one-chip           # one chip for thirty models, proven
# ```
#
# `liminal report` makes a page of each run.
