"""Families as they are published: one or more configs each, shapes only, with their counts.

`families.json` holds them, from the `config.json` of each model's page. Where `by` is
`transformers`, the total was derived a second time with the modelling code of transformers 5.24 on
a meta device, and correction biases, which are buffers there, were added; else it is the number of
elements that the checkpoint is published with, or the sum of its tensors, for which transformers
has no code (or, for LongCat-Flash, code with matrices for experts that have none). `active` and
`growing` keep what was read when the total was found right.
"""

import json
import logging
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liminal_jax.workload.counts import counts
from liminal_jax.workload.huggingface import read_config
from tests.workload.configs import written
from tests.workload.fuzz import assert_read_or_refused

FAMILIES: dict[str, Any] = json.loads((Path(__file__).parent / "families.json").read_text())
DERIVED = [name for name, row in FAMILIES.items() if row["by"] == "transformers"]
TOYS = [row["config"] for row in FAMILIES.values()]
BESIDE = ("vision", "visual", "multi_modal", "audio")


@pytest.mark.parametrize("name", FAMILIES)
def test_a_published_config_is_counted_exactly(tmp_path, name):
    row = FAMILIES[name]
    spec, _ = read_config(written(tmp_path, row["config"]))
    tally = counts(spec)
    assert tally.total == row["total"]
    assert tally.active == row["active"]
    assert tally.kv_elements_per_token_growing == row["growing"]


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_spoilt_config_is_read_or_refused(data):
    extra = ["layer_types", "sliding_window", "attention_bias", "num_key_value_heads", "head_dim"]
    assert_read_or_refused(data, TOYS, extra, "attn_config", "ffn_config")


@pytest.mark.parametrize("name", DERIVED)
def test_the_modelling_code_of_transformers_counts_the_same(name):
    torch = pytest.importorskip("torch", reason="the extra `derive` is not installed")
    transformers = pytest.importorskip("transformers", reason="the extra `derive` is not there")
    logging.disable(logging.WARNING)
    config = dict(FAMILIES[name]["config"])
    kind = transformers.CONFIG_MAPPING[config.pop("model_type")]
    with warnings.catch_warnings(), torch.device("meta"):
        warnings.simplefilter("ignore")
        whole = kind.from_dict(config)
        try:
            model = transformers.AutoModelForCausalLM.from_config(whole.get_text_config())
        except ValueError:
            model = transformers.AutoModelForImageTextToText.from_config(whole)
    text = (it for path, it in model.named_parameters() if not any(b in path for b in BESIDE))
    buffers = (it for path, it in model.named_buffers() if path.endswith("bias"))
    assert sum(it.numel() for it in (*text, *buffers)) == FAMILIES[name]["total"]
