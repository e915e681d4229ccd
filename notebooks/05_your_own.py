# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
# ---

# %% [markdown]
# # Your own model and your own chip
#
# A model is a Hugging Face `config.json` or a model file; a chip is a TOML file in which every
# number has a unit and a source. Both are taken wherever a bundled name is, here and in every
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
# A mixture of experts that nobody has trained: 48 layers, a window of 4,096 tokens in three of four.
# The reader counts what the config says, layer by layer; a field that it does not know stops it.

# %%
config = {
    "model_type": "qwen3_moe",
    "hidden_size": 4096,
    "num_hidden_layers": 48,
    "num_attention_heads": 32,
    "num_key_value_heads": 4,
    "head_dim": 128,
    "num_experts": 128,
    "num_experts_per_tok": 4,
    "moe_intermediate_size": 1024,
    "intermediate_size": 8192,
    "decoder_sparse_step": 1,
    "mlp_only_layers": [],
    "vocab_size": 128000,
    "tie_word_embeddings": False,
}
(folder / "config.json").write_text(json.dumps(config))
mine = ll.load_model(str(folder / "config.json"))

try:
    (folder / "strange.json").write_text(json.dumps(config | {"model_type": "qwen9"}))
    ll.load_model(str(folder / "strange.json"))
except ll.InputError as error:
    print(str(error).replace(str(folder), "..."))

# %%
