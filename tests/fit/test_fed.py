"""Users that decode where chips of their own pass prompts."""

from dataclasses import replace

import jax
import pytest

from liminal_jax.calibration.fitted import Fitted
from liminal_jax.data.calibrations import load_priors
from liminal_jax.fit.fed import REACHED, fed
from liminal_jax.fit.formats.row import Row
from liminal_jax.fit.rows import case_of
from liminal_jax.performance.step_terms import step_terms

NOTE = (
    "num_gpus = decode GPUs only (1 decode workers x 8 GPUs, plus {} prefill GPUs); concurrency is"
)
ROW = Row(
    line=2, model="Llama-3.1-8B", weight_bits=8.0, gpu="H100", num_gpus=8.0, tp=8.0,
    batch_or_concurrency=512.0, isl=8192.0, osl=1024.0, engine="SGLang", source_id="bench",
    metric="tpot_ms", value=10.0, note=NOTE.format(1) + " system-wide incl. requests queued",
)  # fmt: skip


def case(**changes):
    with jax.enable_x64(True):
        return fed(case_of(replace(ROW, **changes)))


@pytest.mark.slow
def test_as_many_answers_end_as_prompts_pass():
    found = case()
    assert 1 < found.batch < 512
    assert float(found.design.batch) == found.batch
    assert found.remarks[-1] == f"of 512 users {found.batch:.0f} decode, as 1 chips pass prompts"
    losses = Fitted(**{term: prior.typical for term, prior in load_priors().items()})
    with jax.enable_x64(True):
        step = float(losses.time(step_terms(found.design, found.model, found.request)))
    # Products of 8e9 weights for 8192 tokens, two operations each, at the 1.979e15 FLOP/s of the
    # chip; attention adds a sixth.
    passed = REACHED * 1.979e15 / (2 * 8e9 * 8192)
    ended = found.batch / (1024 * step)
    assert 0.7 * passed < ended < passed


def test_a_measured_time_does_not_decide_how_many_users_decode():
    assert case(value=100.0).batch == case().batch
    assert case(value=100.0).tpot == pytest.approx(0.1)


@pytest.mark.parametrize(
    "change",
    [
        {"note": NOTE.format(64) + " system-wide incl. requests queued"},
        {"note": NOTE.format(1)},
        {"note": "concurrency is incl. requests queued"},
        {"batch_or_concurrency": 2.0},
    ],
)
def test_others_are_left_as_they_are(change):
    with jax.enable_x64(True):
        plain = case_of(replace(ROW, **change))
    assert case(**change).batch == plain.batch


def test_a_rate_of_all_users_is_that_of_those_that_decode():
    rate = {"metric": "output_tps_total", "value": 8000.0}
    assert case(**rate).tpot == pytest.approx(case().batch / 8000)
