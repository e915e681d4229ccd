# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
# ---

# %% [markdown]
# # Your own model and your own chip
#
# A model is a Hugging Face `config.json` or a model file; a chip is a TOML file in which every
# number has a unit and a source. Both are accepted wherever a bundled name is, here and in every
# command.

# %%
import json
import tempfile
from pathlib import Path

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt

import liminal_jax as ll

folder = Path(tempfile.mkdtemp())

# %% [markdown]
# ## A model from its config
#
# A mixture of experts that nobody has trained: 48 layers, three of four with a window of 1,024
# tokens. The reader counts what the config says, layer by layer.

# %%
config = {
    "model_type": "gpt_oss",
    "hidden_size": 4096,
    "num_hidden_layers": 48,
    "layer_types": [*["sliding_attention"] * 3, "full_attention"] * 12,
    "sliding_window": 1024,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "num_local_experts": 128,
    "num_experts_per_tok": 4,
    "intermediate_size": 1536,
    "vocab_size": 128000,
    "tie_word_embeddings": False,
}
(folder / "config.json").write_text(json.dumps(config))
windowed = ll.load_model(str(folder / "config.json"))

# The same with the whole context in every layer.
(folder / "full.json").write_text(json.dumps(config | {"layer_types": ["full_attention"] * 48}))
full = ll.load_model(str(folder / "full.json"))

# %% [markdown]
# An unknown field is refused by name rather than guessed:

# %%
(folder / "strange.json").write_text(json.dumps(config | {"memory_layers": 12}))
try:
    ll.load_model(str(folder / "strange.json"))
except ll.InputError as error:
    print(error.problems[0].path, "-", error.problems[0].message)

# %% [markdown]
# `liminal models import config.json` shows which fields were read, defaulted and ignored, checks
# the count of parameters against one that you expect, and writes a model file to edit.
#
# ## A chip from a file
#
# Every number is a quantity with a unit, and may state its source and its range. This is a complete
# file: two large dies under 3D-stacked DRAM, eight chips on a fast switch.
# `liminal systems new mychip --like h200` writes one to start from.

# %%
CHIP = """
name = "mychip"
title = "My chip"
vendor = "nobody"
status = "hypothetical"
about = "Two dies under 3D-stacked DRAM."

[chip]
tensor_16bit = "1.5 PFLOP/s"
tensor_8bit = "3 PFLOP/s"
tensor_4bit = { unknown = "not decided" }
vector = "100 TFLOP/s"
dies = 2
die_area = "700 mm2"
process = "n4p"
tdp = "1200 W"
market_price = { unknown = "not for sale" }

[chip.cost]
value = 9000
unit = "USD"
source = "a guess"
kind = "assumed"
note = "as much silicon as B200, dearer memory"

[chip.memory]
technology = "3d-dram"
stacks = 4
capacity = "192 GB"
bandwidth = "24 TB/s"

[network]
topology = "switched"
domain = 8
bandwidth = "900 GB/s"
latency = "1 us"
"""
(folder / "mychip.toml").write_text(CHIP)
chip = ll.load_system(str(folder / "mychip.toml"))
cost = float(chip.chip.cost.total())
print(f"{float(chip.chip.memory.bandwidth) / 1e12:.0f} TB/s, {cost:,.0f} USD")

# %% [markdown]
# ## The two together
#
# The speed of one user over context, on eight of my chips and eight H200. A window saves not
# arithmetic but the KV cache that each token has to read.

# %%
contexts = jnp.geomspace(4096, 524288, 40)


@jax.jit
def speeds(system, model):
    """Tokens a second of one of 32 users, by context; NaN where they do not fit."""

    def at(context):
        design = ll.Design(system, ll.Mapping(tp=8), batch=32)
        found = ll.predict(design, model, ll.Request(context))
        return jnp.where(found.fits, found.utps, jnp.nan)

    return jax.vmap(at)(contexts)


figure, axes = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
h200 = ll.load_system("h200")
for title, system, color in (("my chip", chip, "#0072B2"), ("H200", h200, "#E69F00")):
    for words, model, line in (("windows", windowed, "-"), ("full attention", full, "--")):
        utps = speeds(system, model)
        axes.plot(contexts / 1024, utps, line, color=color)
        last = int(jnp.isfinite(utps).sum()) - 1
        axes.annotate(
            f"{title}, {words}",
            (contexts[last] / 1024, utps[last]),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=color,
        )
axes.set(
    xscale="log",
    yscale="log",
    xlim=(4, 3000),
    xticks=(4, 16, 64, 256),
    xticklabels=("4K", "16K", "64K", "256K"),
    xlabel="context of each of 32 users [tokens]",
    ylabel="tokens a second of one user, UTPS [1/s]",
    title="A model and a chip that do not exist; lines end where memory does",
)
axes.minorticks_off()
axes.grid(color="0.9")

# %% [markdown]
# ## An optimisation of your own
#
# A space combines them: the cheapest tokens at 100 tokens/s for every user, on either chip, any
# number of them, and any number of users. The objective may also be any function that JAX can
# trace: `lambda it: it.stps / it.capital`.

# %%
space = ll.Space(
    ll.Design(chip),
    {
        "system": ll.choice("h200", mine=chip),
        "tp": [1, 2, 4, 8],
        "pp": [1, 2, 4],
        "ep": [1, 2, 4, 8],
        "batch": ll.grid(1, 2048, 200, log=True),
    },
    model=windowed,
    request=ll.Request(context=131072),
)
found = ll.optimize(space, minimise="usd_per_million_tokens", limits=[ll.at_least("utps", 100)])
print(found)
print(found.reasons[0])

# %% [markdown]
# ## Requests of your own
#
# One context stands for no user. `ll.Requests.from_csv` takes a trace with the lengths of prompts
# and answers; here are conversations in Azure, in eight classes. Each class has a mapping and a
# batch of its own on one kind of chip at one clock, and 90 % of the requests must see 100 tokens/s.

# %%
requests = ll.Requests.shipped("azure-conversation", classes=8)
space = ll.Space(
    ll.Design(ll.load_system("h200")),
    {
        "system": ["h100", "h200"],
        "clock": [0.8, 1.0],
        "tp": [1, 2, 4, 8],
        "batch": ll.grid(1, 1024, 20, log=True),
    },
    model="llama-3-8b",
)
found = ll.optimize(
    requests.on(
        space,
        minimise="usd_per_million_tokens",
        limits=[ll.at_least("utps", 100, percentile=90), ll.at_most("ttft", 0.5)],
    )
)
print(found.report())
