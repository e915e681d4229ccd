"""How engines share attention, where a design does not say, in time and in memory."""

import json

import pytest

from liminal_jax._files import InputError
from liminal_jax.cli.main import main
from liminal_jax.data.calibrations import load_calibration
from liminal_jax.mapping.attention import attention_name
from liminal_jax.results.calibrated import reached
from liminal_jax.study.basis import basis
from liminal_jax.study.calibrated import calibrated_step, engine_of, measured_engine
from liminal_jax.study.engine_attention import engine_attention, fullest_chip
from liminal_jax.study.file import design_of
from liminal_jax.study.problem import exact_system
from liminal_jax.study.read import problem_of

LONG = {"model": "deepseek-v3", "context": 131072.0, "kv_bits": 16.0}
HBM = 141 * 2**30


def design(workload, **table):
    return design_of({"workload": workload, "design": {"system": "h200", **table}}, "here")


def shared(file, engine=None):
    calibration = load_calibration("measured")
    return engine_attention(file, calibration, engine_of(engine, calibration))


@pytest.mark.slow
def test_latents_that_every_rank_copies_do_not_fit(capsys):
    asked = ["predict", "-m", "deepseek-v3", "--system", "h200", "--tp", "8", "--kv-bits", "16"]
    asked += ["--context", "131072", "--batch-size", "8", "--calibration", "vllm", "--json"]
    assert main(asked) == 0
    record = json.loads(capsys.readouterr().out)
    cache = 8 * 131072 * 576 * 61 * 2
    assert record["memory_footprint"]["cache"] == pytest.approx(8 * cache)
    assert record["fits"] is False
    assert record["memory_fill"] == pytest.approx(record["memory_required"] / 8 / HBM)
    assert record["memory_fill"] == pytest.approx(1.046, abs=1e-3)
    assert record["calibrated"]["engine"] == "vLLM"
    assert record["calibrated"]["attention"] == record["design"]["attention"] == "copied-heads"
    first, second = record["basis"][:2]
    assert "vLLM shares it: copied-heads, which fills 104.6%" in first
    assert "does not fit" in first
    assert "--attention split-sequence asks for it, which fills 62.0%" in second


def test_what_is_stated_is_kept_and_said():
    file = design(LONG, tp=8, batch=8, attention="split-sequence")
    found = shared(file, "vLLM")
    assert found.file is file
    (sentence,) = found.sentences
    assert sentence.startswith("Attention is shared as stated: split-sequence, which fills 62.0%")
    assert "copied-heads fills 104.6%" in sentence


@pytest.mark.slow
def test_users_of_their_own_where_experts_are_spread_and_copies_do_not_fit():
    found = shared(design(LONG, tp=8, ep=8, batch=8))
    assert attention_name(found.file.design.attention.value) == "data-parallel"
    assert "with copied-heads the fullest chip is 104.6% full" in found.sentences[0]
    # One user too few for the ranks: they share heads, as they must.
    fewer = shared(design(LONG, tp=8, ep=8, batch=7))
    assert attention_name(fewer.file.design.attention.value) == "copied-heads"


def test_heads_beyond_the_kv_heads_are_copied():
    # 8 KV heads on 16 ranks: 32 users, 131,072 tokens, 80 layers of 2 x 8 x 128 bytes.
    file = design({"model": "llama-3-70b", "context": 131072.0}, tp=16, batch=32)
    found = shared(file).file
    each = 32 * 131072 * 80 * 2 * 8 * 128 / 16
    more = (fullest_chip(found) - fullest_chip(file)) * HBM
    assert more > each  # The cache of a chip doubles; projections of keys and values do, too.
    assert more == pytest.approx(each, rel=0.01)


def test_one_rank_and_the_talk_share_nothing():
    assert shared(design({"model": "llama-3-8b", "context": 8192.0})).sentences == []
    talk = {"model": "llama-3-70b", "context": 8192.0, "accounting": "talk"}
    found = shared(design(talk, tp=8))
    assert attention_name(found.file.design.attention.value) == "split-sequence"
    assert found.sentences == ["The talk's accounting divides attention ideally."]


def test_an_engine_stands_for_the_calibration_that_measured_it():
    assert measured_engine("sglang") == "SGLang"
    assert measured_engine("measured") is None


def test_older_releases_are_slower_and_the_newest_is_what_is_meant():
    calibration = load_calibration("measured")
    file = design({"model": "llama-3-8b", "context": 1024.0}, batch=8)

    def step(asked):
        return calibrated_step(file, calibration, engine_of(asked, calibration))

    old, new = step("vllm:0.7.3"), step("VLLM")
    assert old.record()["release"] == step("vllm:2025-02").release == pytest.approx(2025.123)
    assert old.step_time > new.step_time
    assert step("vllm:2030-01").step_time == new.step_time
    assert "release" not in new.record()
    (told, _) = reached({"calibrated": old.record()}, 1.0).parts
    assert told.lines[1][0].startswith("measured: vLLM of February 2025 on chips")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("vllm:0.0.1", "when vLLM 0.0.1 was out is not known; give its month, as vLLM:2025-02"),
        ("vllm:2025-13", "when vLLM 2025-13 was out is not known"),
        ("vlm:0.7.3", "no engine 'vlm' there"),
    ],
)
def test_a_release_that_nobody_dates_is_refused(asked, message):
    with pytest.raises(InputError, match=message):
        engine_of(asked, load_calibration("measured"))


def test_stages_whose_layers_differ_are_said():
    def told(model, **degrees):
        file = design({"model": model, "context": 8192.0}, **degrees)
        case = problem_of(file).first()
        return [it for it in basis(file, "h200", case, exact_system(case), 0.0) if "Stages" in it]

    (sentence,) = told("deepseek-v3", tp=8, pp=4)
    assert sentence.startswith("Stages: the fullest of 4 holds 16 of 61 layers")
    assert told("deepseek-v3", tp=8) == told("llama-3-8b", tp=4, pp=4) == []


def test_a_context_beyond_what_was_learned_is_said():
    def told(**workload):
        file = design({"model": "opt-6.7b", **workload})
        case = problem_of(file).first()
        return [it for it in basis(file, "h200", case, exact_system(case), 0.0) if "learned" in it]

    assert told(context=2048.0) == []
    (sentence,) = told(context=2100.0)
    assert sentence.startswith("The model has learned 2,050 positions, fewer than the 2,100")
    # The mean context of these requests is 2,000, and their last tokens are beyond.
    assert len(told(isl=1900.0, osl=200.0)) == 1


def test_a_context_beyond_what_a_config_states_is_said():
    def told(context):
        file = design({"model": "llama-3-70b", "context": context})
        case = problem_of(file).first()
        return [it for it in basis(file, "h200", case, exact_system(case), 0.0) if "states" in it]

    assert told(8192.0) == []
    (sentence,) = told(131072.0)
    assert "states a context of 8,192 tokens, fewer than the 131,072 asked for" in sentence
