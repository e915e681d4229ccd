"""Widths as checkpoints publish them, in the forms in use."""

import pytest

from liminal_jax._files import InputError
from liminal_jax.workload.huggingface import read_config
from liminal_jax.workload.reading.quantization import contradictions, published_widths
from tests.workload.configs import LLAMA_2_7B, written

FP4 = {"num_bits": 4, "type": "float", "group_size": 16}
INT4 = {"num_bits": 4, "type": "int", "group_size": 32}


@pytest.mark.parametrize(
    ("stated", "weights", "cache"),
    [
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, (8.0,), None),
        ({"quant_method": "mxfp4"}, (4.25,), None),
        ({"quant_method": "gptq", "bits": 4, "group_size": 128}, (4.15625,), None),
        ({"quant_method": "awq", "bits": 4, "group_size": 64}, (4.3125,), None),
        ({"quant_method": "gptq", "bits": 8, "group_size": -1}, (8.0,), None),
        (
            {
                "quant_method": "modelopt",
                "quant_algo": "NVFP4",
                "config_groups": {"group_0": {"weights": FP4}},
                "kv_cache_scheme": {"num_bits": 8, "type": "float"},
            },
            (4.5,),
            8.0,
        ),
        (
            {
                "quant_method": "compressed-tensors",
                "format": "pack-quantized",
                "config_groups": {"group_0": {"weights": INT4}},
            },
            (4.5,),
            None,
        ),
        (
            {
                "quant_method": "compressed-tensors",
                "format": "mxfp4-pack-quantized",
                "config_groups": {"group_0": {"weights": INT4}},
            },
            (4.25,),
            None,
        ),
        (
            {
                "quant_algo": "MIXED_PRECISION",
                "quantized_layers": {"a": {"quant_algo": "NVFP4"}, "b": {"quant_algo": "FP8"}},
                "kv_cache_quant_algo": "FP8",
            },
            (4.5, 8.0),
            8.0,
        ),
        (
            {
                "quant_method": "fp8",
                "quant_algo": "MIXED_PRECISION",
                "config_groups": {"group_0": {"weights": FP4}},
            },
            (4.5, 8.0),
            None,
        ),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, (4.5,), None),
        (
            {
                "quant_method": "bitsandbytes",
                "_load_in_4bit": True,
                "bnb_4bit_use_double_quant": True,
            },
            (4 + 8 / 64 + 32 / 64 / 256,),
            None,
        ),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, (8.0,), None),
        ({"quant_method": "bitsandbytes"}, (), None),
        ({"quant_method": "fbgemm_fp8", "activation_scale_ub": 1200.0}, (8.0,), None),
        (
            {
                "quant_method": "quark",
                "global_quant_config": {
                    "weight": {"dtype": "fp4", "group_size": 32, "scale_format": "e8m0"}
                },
                "kv_cache_quant_config": {"*k_proj": {"output_tensors": {"dtype": "fp8_e4m3"}}},
            },
            (4.25,),
            8.0,
        ),
        (
            {
                "quant_method": "quark",
                "global_quant_config": {"weight": {"dtype": "fp8_e4m3", "group_size": None}},
                "layer_quant_config": {"*experts*": {"weight": {"dtype": "int4"}}},
            },
            (4.0, 8.0),
            None,
        ),
        (
            {
                "quant_method": "hqq",
                "quant_config": {"weight_quant_params": {"nbits": 4, "group_size": 64}},
            },
            (4.5,),
            None,
        ),
        (
            {
                "quant_method": "torchao",
                "quant_type": {
                    "default": {"_type": "Int4WeightOnlyConfig", "_data": {"group_size": 64}}
                },
            },
            (4.5,),
            None,
        ),
        (
            {
                "quant_method": "torchao",
                "quant_type": {"default": {"_type": "Float8DynamicActivationFloat8WeightConfig"}},
            },
            (8.0,),
            None,
        ),
        ({"quant_method": "torchao", "quant_type": "int8_weight_only"}, (8.0,), None),
        ({"quant_method": "exl2", "bits": 4.65, "head_bits": 6}, (4.65,), None),
        ({"quant_method": "quanto", "weights": "int2"}, (2.0,), None),
        (
            {
                "quant_method": "aqlm",
                "num_codebooks": 1,
                "nbits_per_codebook": 16,
                "in_group_size": 8,
            },
            (2.0,),
            None,
        ),
        (
            {"quantization": {"quant_algo": "NVFP4", "kv_cache_quant_algo": "FP8"}},
            (4.5,),
            8.0,
        ),
        ({"quant_method": "gptq", "bits": "4", "group_size": 128}, (4.15625,), None),
        ({"quant_method": "something"}, (), None),
        ({"config_groups": "...cut...", "quant_algo": "MIXED_PRECISION"}, (), None),
        ({"quant_method": "awq", "bits": "four", "group_size": True}, (), None),
    ],
)
def test_widths_of_weights_and_cache(stated, weights, cache):
    for config in (
        {"quantization_config": stated},
        {"text_config": {"quantization_config": stated}},
    ):
        found = published_widths(config)
        assert found is not None
        assert found.weights == weights
        assert found.cache == cache


def test_what_is_not_known_is_said():
    layers = {"a": {"quant_algo": "NVFP4"}, "b": {"quant_algo": "NF3"}}
    found = published_widths({"quantization_config": {"quantized_layers": layers}})
    assert found is not None
    assert found.weights == (4.5,)
    assert "4.5 bits, others are not known here; layers differ" in found.sentence()
    unknown = published_widths({"quantization_config": {"quant_method": "x"}})
    assert unknown is not None
    assert unknown.sentence() == (
        "quantised (x): weights of linear layers have widths that are not known here"
    )


def test_experts_may_have_a_format_of_their_own():
    fp8 = {"quant_method": "fp8"}
    found = published_widths({"quantization_config": fp8, "expert_dtype": "fp4"})
    assert found is not None
    assert found.weights == (4.25, 8.0)


def test_mlx_has_a_scale_and_an_offset_of_16_bits():
    found = published_widths({"quantization": {"bits": 4, "group_size": 64}})
    assert found is not None
    assert found.weights == (4.5,)


@pytest.mark.parametrize(
    ("config", "path"),
    [
        (
            {"quantization_config": {"quant_method": "awq", "bits": 4, "quant_algo": "FP8"}},
            "quantization_config.bits",
        ),
        ({"quantization_config": {"quant_method": "fp8", "bits": 4}}, "quantization_config.bits"),
        (
            {"quantization_config": {"quant_method": "fp8"}, "quantization": {"bits": 4}},
            "quantization",
        ),
        (
            {
                "quantization_config": {"quant_method": "fp8"},
                "text_config": {"quantization_config": {"quant_method": "mxfp4"}},
            },
            "text_config.quantization_config",
        ),
        ({"quantization_config": "fp8"}, "quantization_config"),
    ],
)
def test_what_cannot_be_true_together_is_refused(tmp_path, config, path):
    assert list(contradictions(config)) == [path]
    if "text_config" not in config:
        with pytest.raises(InputError, match=rf"{path}: (says|must be an object)"):
            read_config(written(tmp_path, {**LLAMA_2_7B, **config}))


def test_layers_may_differ_without_a_contradiction():
    mixed = {"bits": 4, "group_size": 64, "lm_head": {"bits": 8, "group_size": 64}}
    usual = {"bits": 4, "group_size": 64}
    assert contradictions({"quantization": mixed, "quantization_config": usual}) == {}
    algorithms = {"quant_method": "fp8", "quant_algo": "MIXED_PRECISION", "bits": 4}
    assert contradictions({"quantization_config": algorithms}) == {}


def test_a_file_without_quantisation_says_nothing():
    assert published_widths({"quantization_config": None}) is None
    assert published_widths({}) is None


def test_an_import_says_what_a_prediction_takes(tmp_path):
    config = {**LLAMA_2_7B, "quantization_config": {"quant_method": "mxfp4"}}
    assert read_config(written(tmp_path, config))[1].widths == (
        "quantised (mxfp4): weights of linear layers have 4.25 bits;"
        " predict takes --weight-bits 4.25"
    )
    mixed = {"quantized_layers": {"a": {"quant_algo": "NVFP4"}, "b": {"quant_algo": "FP8"}}}
    config = {**LLAMA_2_7B, "quantization_config": {"quant_algo": "MIXED_PRECISION", **mixed}}
    assert "4.5 and 8 bits; layers differ" in read_config(written(tmp_path, config))[1].widths
    assert read_config(written(tmp_path, LLAMA_2_7B))[1].widths == ""
