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
# Weights dominate for one user, the KV cache for many users with long contexts. Models below 100
# billion parameters need less than claimed, in the talk's own table too.
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
# The ratio depends on the reference: the fastest design of a lattice serves few users, so any
# slower one looks good in comparison.

# %%
_, found = answered("responsiveness")
told(found)

# %% [markdown]
# ## 6. DRAM beats SRAM alone per watt and per dollar
#
# Each memory with its optimal chip, proven; and with every uncertain price at the end of its range
# that favours SRAM.

# %%
_, found = answered("dram_or_sram")
told(found)

# %% [markdown]
# ## 7. A plateau before 10,000 tokens/s

# %%
_, found = answered("plateau")
told(found)

# %% [markdown]
# ## 8. Compute is far from the limit
#
# Which of four limits binds, by the shares of the gradient, over users and context. At low batch
# the tensor units idle, except where attention over a long context is compute-bound.

# %%
for name in ("limits", "tensor_utilisation"):
    _, found = answered(name)
    told(found)

# %% [markdown]
# ## 9. Throughput over interactivity
#
# The curves of five systems, ideal and calibrated; the experiment `frontier` compares such curves
# with measured runs.

# %%
interactivity, found = answered("interactivity")
told(found)
interactivity.plot(found)
