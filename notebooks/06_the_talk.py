# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
# ---

# %% [markdown]
# # The talk in one page
#
# *Serving Intelligence: The Unseen Limits of LLM Inference* (Sankaralingam, IET REACH, November
# 2025) makes nine claims about what limits decode. Each has an experiment in `experiments`, which
# computes its verdict. This page runs them in the small settings that the tests use, with few
# models and coarse grids, so its verdicts are not those of the full setting, which
# `liminal experiments run NAME` gives.

# %%
# %matplotlib inline
import importlib
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt

from experiments.runner import STYLE, recorded

plt.style.use(STYLE)
folder = Path(tempfile.mkdtemp())


def answered(name):
    """An experiment and its results, in the small setting."""
    experiment = importlib.import_module(f"experiments.{name}").EXPERIMENT
    (folder / name).mkdir()
    return experiment, recorded(experiment, experiment.smoke, folder / name)


def told(results):
    """Its verdicts."""
    for it in results["verdicts"]:
        print(f"{it['verdict']:>22s}: {it['claim']}")


# %% [markdown]
# ## 1. Inference needs hundreds of gigabytes

# %%
memory, found = answered("memory_capacity")
told(found)
memory.plot(found)

# %% [markdown]
# Weights decide for one user, the cache for many with long contexts. Models below 100 billion
# parameters hold less than claimed, in the talk's own table too.
#
# ## 2. What 128 chips reach

# %%
scale, found = answered("system_scale")
told(found)
scale.plot(found)

# %% [markdown]
# ## 3. Bandwidth is king, until collectives rule

# %%
bandwidth, found = answered("bandwidth")
told(found)
bandwidth.plot(found)

# %% [markdown]
# ## 4. Collectives must take a microsecond at most

# %%
_, found = answered("synchronisation")
told(found)

# %% [markdown]
# ## 5. A little slower, much more efficient
#
# How much depends on where one starts: the fastest design of a lattice serves few users, so that
# anything slower looks good beside it.

# %%
_, found = answered("responsiveness")
told(found)

# %% [markdown]
# ## 6. DRAM beats SRAM alone for a watt and a dollar
#
# Each memory with the chip that suits it, proven; and with every uncertain price at the end of its
# range that favours SRAM.

# %%
_, found = answered("dram_or_sram")
told(found)

# %% [markdown]
# ## 7. A plateau before 10,000 tokens a second

# %%
_, found = answered("plateau")
told(found)

# %% [markdown]
# ## 8. Compute is far from the limit
#
# Four limits, and which of them binds: by the shares of the gradient, over users and context. At
# low batch the tensor units idle, except where a long context makes attention compute.

# %%
for name in ("limits", "tensor_utilisation"):
    _, found = answered(name)
    told(found)

# %% [markdown]
# ## 9. Throughput over interactivity
#
# The curves of five systems, ideal and calibrated; the experiment `frontier` holds such curves
# against measured runs.

# %%
interactivity, found = answered("interactivity")
told(found)
interactivity.plot(found)
