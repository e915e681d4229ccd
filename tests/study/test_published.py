"""What a prediction says of the widths that a checkpoint is published in."""

import json

from liminal_jax import Request
from liminal_jax.data.models import load_model_spec, spec_to_toml
from liminal_jax.data.published_bits import model_and_bits
from liminal_jax.study.published import published_sentences
from tests.workload.configs import LLAMA_2_7B


def _config(tmp_path, quantised):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**LLAMA_2_7B, "quantization_config": quantised}))
    return str(path)


AWQ = {"quant_method": "awq", "bits": 4, "group_size": 128}


def test_other_widths_than_a_quantised_checkpoint_has_are_said(tmp_path):
    (said,) = published_sentences(
        model_and_bits(_config(tmp_path, AWQ))[1], Request(context=1, weight_bits=8)
    )
    assert said.startswith("The checkpoint is published in other widths: 4.156 bits, embedding")
    assert "8 bits are taken; weight bits `published`" in said


def test_its_own_widths_are_said_too(tmp_path):
    request = Request(context=1, weight_bits=4.15625, table_bits=16)
    (said,) = published_sentences(model_and_bits(_config(tmp_path, AWQ))[1], request)
    assert said == (
        "Weights have the widths that the checkpoint is published in: 4.156 bits, embedding and"
        " head 16 (quantization_config: awq)."
    )


def test_experts_count_by_themselves():
    (said,) = published_sentences(
        model_and_bits("gpt-oss-120b")[1], Request(context=1, weight_bits=16)
    )
    assert "16 bits, routed experts 4.254" in said
    assert "16 bits are taken" in said


def test_widths_that_are_not_known_are_said(tmp_path):
    (said,) = published_sentences(
        model_and_bits(_config(tmp_path, {"quant_method": "new"}))[1], Request(context=1)
    )
    assert said == (
        "The checkpoint is quantised (new): weights of linear layers have widths that are not"
        " known here."
    )


def test_nothing_is_said_of_a_checkpoint_that_is_not_quantised_or_not_known(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(spec_to_toml(load_model_spec("llama-3-8b")))
    for model in ("llama-3-8b", str(path)):
        found = model_and_bits(model)[1]
        assert published_sentences(found, Request(context=1, weight_bits=8)) == []
