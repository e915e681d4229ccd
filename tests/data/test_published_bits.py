"""Widths of weights as checkpoints are published."""

import json

import pytest

from liminal_jax import Design, Request, load_model, load_system, predict
from liminal_jax._files import InputError
from liminal_jax.data.models import model_names
from liminal_jax.data.published_bits import _rows, published_bits
from liminal_jax.study.file import design_of
from liminal_jax.study.read import problem_of
from tests.workload.configs import LLAMA_2_7B


def test_every_row_is_of_a_bundled_model():
    assert set(_rows()) <= set(model_names())


@pytest.mark.parametrize(
    ("stated", "bits"),
    [
        (None, (16, 16, 16)),
        ({"quant_method": "awq", "bits": 4, "group_size": 128}, (4.15625, 4.15625, 16)),
        ({"bits": 4, "group_size": 64}, (4.5, 4.5, 4.5)),  # MLX quantises tables too
        (
            {"quant_method": "mxfp4", "modules_to_not_convert": ["model.layers.*.self_attn"]},
            (16, 4.25, 16),
        ),
    ],
)
def test_a_config_says_how_its_checkpoint_is_published(tmp_path, stated, bits):
    config = {**LLAMA_2_7B, **({} if stated is None else {"quantization_config": stated})}
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    found = published_bits(str(path))
    assert (found.weight_bits, found.expert_bits, found.table_bits) == bits


def test_what_a_config_leaves_open_is_asked_for(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**LLAMA_2_7B, "quantization_config": {"quant_method": "new"}}))
    tables = {
        "workload": {"model": str(path), "context": 1024, "weight_bits": "published"},
        "design": {"system": "h100"},
    }
    with pytest.raises(InputError, match=r"workload\.weight_bits.*not known here; state bits"):
        design_of(tables, "design.toml")


def test_a_design_takes_the_widths_of_its_checkpoint():
    tables = {
        "workload": {"model": "gpt-oss-120b", "context": 1024, "weight_bits": "published"},
        "design": {"system": "h100"},
    }
    request = problem_of(design_of(tables, "design.toml")).region.case.request
    assert float(request.weight_bits) == float(request.table_bits) == 16
    weights, biases = 3 * 2880 * 2880, 3 * 2880
    mean = (4.25 * weights + 16 * biases) / (weights + biases)
    assert float(request.expert_bits) == pytest.approx(mean, rel=1e-6)


def test_biases_of_experts_have_the_width_that_they_are_published_in():
    """gpt-oss-120b as its page has it, 60.77 GiB; biases at the width of experts are 0.06 less."""
    bits = published_bits("gpt-oss-120b")
    request = Request(
        context=1,
        weight_bits=bits.weight_bits,
        expert_bits=bits.expert_bits,
        table_bits=bits.table_bits,
    )
    held = predict(Design(load_system("h100"), batch=1), load_model("gpt-oss-120b"), request)
    assert float(held.memory_required) / 2**30 == pytest.approx(60.77, abs=0.005)
    assert published_bits("kimi-k2-thinking").expert_bits == 4.5


def test_a_number_format_stands_for_its_bits():
    tables = {
        "workload": {"model": "gpt-oss-120b", "context": 1024},
        "design": {"system": "h100", "numbers": {"expert_bits": "mxfp4", "kv_bits": "FP8"}},
    }
    request = problem_of(design_of(tables, "design.toml")).region.case.request
    assert float(request.expert_bits) == 4.25
    assert float(request.kv_bits) == 8
