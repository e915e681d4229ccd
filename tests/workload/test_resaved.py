"""Configs as newer releases of transformers write them again: other fields, the same model.

Whole configs with the defaults of every class of transformers 5.24 were counted against its
modelling code on a meta device; these are the forms in which fields were replaced.
"""

import pytest

from liminal_jax.workload.huggingface import read_config
from tests.workload.configs import mistakes, written
from tests.workload.mixer.test_compressed import DEEPSEEK_V4
from tests.workload.mixer.test_kimi_delta import KIMI_LINEAR
from tests.workload.mixer.test_sparse_latent import DEEPSEEK_V32, GLM_DSA
from tests.workload.test_families import FAMILIES

GEMMA_4 = FAMILIES["gemma-4-26B-A4B-it"]["config"]["text_config"]
FULL = [f"{layer:02d}" for layer in range(30) if (layer + 1) % 6 == 0]
SPARSE = ["dense", *["sparse"] * 5]
HEAVY, OWN = "heavily_compressed_attention", "compressed_sparse_attention"

FORMS = {
    "deepseek_v32": (
        DEEPSEEK_V32,
        ("moe_layer_freq",),
        {"layer_types": ["indexed_attention"] * 6, "mlp_layer_types": SPARSE, "mlp_bias": False},
    ),
    "glm_moe_dsa": (GLM_DSA, (), {"layer_types": ["indexed_attention"] * 6}),
    "deepseek_v4": (
        DEEPSEEK_V4,
        ("compress_ratios", "num_hash_layers"),
        {
            "layer_types": [HEAVY, "sliding_attention", OWN, HEAVY],
            "mlp_layer_types": ["hash_moe", "moe", "moe", "moe"],
            "compress_rates": {OWN: 4, HEAVY: 128},
        },
    ),
    "kimi_linear": (
        KIMI_LINEAR,
        ("linear_attn_config", "first_k_dense_replace", "moe_layer_freq"),
        {
            "layer_types": [*["linear_attention"] * 3, "full_attention"],
            "mlp_layer_types": SPARSE[:4],
            "linear_num_heads": 4,
            "linear_head_dim": 16,
            "linear_conv_kernel_dim": 4,
        },
    ),
    "gemma4_text": (
        GEMMA_4,
        ("global_head_dim", "num_global_key_value_heads"),
        {"per_layer_config": {it: {"head_dim": 512, "num_key_value_heads": 2} for it in FULL}},
    ),
}


def _again(name):
    first, dropped, instead = FORMS[name]
    return first, {key: it for key, it in first.items() if key not in dropped} | instead


@pytest.mark.parametrize("name", FORMS)
def test_a_config_written_again_is_the_same_model(tmp_path, name):
    first, again = _again(name)
    old, _ = read_config(written(tmp_path, first))
    new, report = read_config(written(tmp_path, again))
    assert new == old
    assert set(again) <= {row.field for row in report.rows}


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("deepseek_v4", {"layer_types": None}, "compress_ratios: is required, or layer_types"),
        ("deepseek_v4", {"compress_rates": {OWN: 8}}, "compress_rates: "),
        ("kimi_linear", {"layer_types": None}, "layer_types: is required"),
        (
            "gemma4_text",
            {"per_layer_config": {FULL[0]: {"head_dim": 512}}},
            "per_layer_config: only heads that all full layers have are modelled",
        ),
        ("gemma4_text", {"per_layer_config": {it: {"depth": 2} for it in FULL}}, "only heads"),
    ],
)
def test_what_is_not_modelled_of_it_is_refused(tmp_path, name, change, message):
    assert message in mistakes(tmp_path, {**_again(name)[1], **change})
