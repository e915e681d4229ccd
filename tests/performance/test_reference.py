"""The predictor against a second implementation, on every bundled model that it knows.

It knows grouped queries and latents; other mixers have hand counts of their own.
"""

import functools
import itertools

import pytest

from liminal_jax.data.build import load_system
from liminal_jax.data.models import load_model_spec, model_names
from liminal_jax.hardware.system import System
from liminal_jax.mapping.attention import CopiedHeads, DataParallel, SplitSequence
from liminal_jax.mapping.collectives import TalkCollectives
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.placement import Placement
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.predictor import predict
from liminal_jax.workload.counts import final_small_parameters, layer_small_parameters
from liminal_jax.workload.model import model_of
from liminal_jax.workload.request import Request
from liminal_jax.workload.spec import ModelSpec
from liminal_jax.workload.talk import talk_model
from tests.reference_numpy import (
    Answer,
    Machine,
    SwitchedLinks,
    Work,
    model_answer,
    talk_answer,
)

MACHINES = {
    "xpu-hbm3": Machine({8: 2.25e15}, float("inf"), 4 * 2.0**40, 96 * 2.0**30),
    "xpu-hbm4": Machine({8: 2.25e15}, float("inf"), 18 * 2.0**40, 192 * 2.0**30),
    "xpu-3d-dram": Machine({8: 2.25e15}, float("inf"), 30 * 2.0**40, 36 * 2.0**30),
    "h200": Machine({16: 989e12, 8: 1979e12, 4: 1979e12}, 66.9e12, 4.8e12, 141 * 2.0**30, 3.9e12),
    "b200": Machine({16: 2250e12, 8: 4500e12, 4: 9000e12}, 75e12, 7.67e12, 180 * 2.0**30, 4.5e12),
}
LINKS = {
    "h200": SwitchedLinks(8, 450e9, 0.65, 2.3e-6, 50e9, 16.8e-6),
    "b200": SwitchedLinks(8, 900e9, 0.65, 3e-6, 50e9, 16.8e-6),
}
TALK_WORKS = [
    Work(context=4096, batch=1, tp=8),
    Work(context=131072, batch=1, tp=128),
    Work(context=65536, batch=33, tp=16, pp=3),
    Work(context=8192, batch=5, tp=4, cp=4, weight_bits=4, kv_bits=4),
    Work(context=1024, batch=7, pp=2),
]
MODEL_WORKS = [
    Work(context=4096, batch=1),
    Work(context=131072, batch=3, tp=8),
    Work(context=1000, batch=64, tp=4, cp=2, ep=8, weight_bits=4, kv_bits=4),
    Work(context=20000, batch=17, tp=16, pp=5, ep=4, weight_bits=16, kv_bits=16),
    Work(context=300, batch=2, tp=2, cp=16, ep=32, activation_bits=8),
    Work(context=9000, batch=21, tp=8, ep=8, attention="copied-heads"),
    Work(context=9000, batch=21, tp=4, pp=2, attention="copied-heads", shared_expert_ranks=1),
    Work(context=500, batch=100, tp=32, ep=32, attention="data-parallel"),
    Work(context=500, batch=3, tp=8, ep=8, attention="data-parallel"),
    Work(context=7000, batch=50, tp=16, ep=16, attention="copied-heads", attention_ranks=4),
    Work(context=7000, batch=50, tp=16, ep=16, attention_ranks=4, shared_expert_ranks=1),
]


def _known(name: str) -> bool:
    mixers = [group.attention for group in load_model_spec(name).layers]
    return all(mixer is not None and mixer.kind in ("grouped-query", "latent") for mixer in mixers)


NAMES = [name for name in model_names() if _known(name)]


def test_every_model_of_plain_attention_is_compared():
    assert len(NAMES) >= 25


@functools.cache
def _system(name: str) -> System:
    return load_system(name)


def _talk(design: Design, model: object, request: Request) -> dict[str, object]:
    prediction = predict(
        design, talk_model(model), request, Assumptions(collectives=TalkCollectives())
    )
    return {name: getattr(prediction, name) for name in Answer.__dataclass_fields__}


def _full(design: Design, model: object, request: Request) -> dict[str, object]:
    prediction = predict(design, model, request)
    return {name: getattr(prediction, name) for name in Answer.__dataclass_fields__}


def _mapping(work: Work) -> Mapping:
    kinds = {"split-sequence": SplitSequence, "copied-heads": CopiedHeads}
    attention = (
        DataParallel()
        if work.attention == "data-parallel"
        else kinds[work.attention](work.attention_ranks)
    )
    return Mapping(
        tp=work.tp,
        cp=work.cp,
        pp=work.pp,
        ep=work.ep,
        attention=attention,
        shared_expert_ranks=work.shared_expert_ranks,
    )


def _design(system: str, work: Work) -> Design:
    return Design(
        system=_system(system),
        mapping=_mapping(work),
        placement=Placement(),
        batch=work.batch,
    )


def _request(work: Work, attention_bits: int = 16) -> Request:
    return Request(
        context=work.context,
        attention_bits=attention_bits,
        weight_bits=work.weight_bits,
        kv_bits=work.kv_bits,
        activation_bits=work.activation_bits,
    )


def _assert_equal(got: dict[str, object], want: Answer, where: str) -> None:
    for name in Answer.__dataclass_fields__:
        assert float(got[name]) == pytest.approx(getattr(want, name), rel=1e-12, abs=0), (
            f"{name} of {where}"
        )


def _small(spec: ModelSpec) -> dict[int, int]:
    layers = {index: layer_small_parameters(spec, it) for index, it in enumerate(spec.layers)}
    return {**layers, -1: final_small_parameters(spec)}


@pytest.mark.parametrize("name", NAMES)
def test_talk_accounting(name: str) -> None:
    spec = load_model_spec(name)
    model = model_of(spec)
    if name == "deepseek-v2-lite":  # queries straight from the hidden state
        with pytest.raises(ValueError, match="latents without a query rank"):
            talk_model(model)
        return
    for system, work in itertools.product(("xpu-hbm3", "xpu-hbm4", "xpu-3d-dram"), TALK_WORKS):
        got = _talk(_design(system, work), model, _request(work, attention_bits=8))
        _assert_equal(got, talk_answer(spec, MACHINES[system], work), f"{system}, {work}")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_model_accounting(name: str) -> None:
    spec = load_model_spec(name)
    model, small = model_of(spec), _small(spec)
    for system, work in itertools.product(("h200", "b200"), MODEL_WORKS):
        got = _full(_design(system, work), model, _request(work))
        want = model_answer(spec, MACHINES[system], LINKS[system], work, small)
        _assert_equal(got, want, f"{system}, {work}")


def test_talk_chips_run_models_without_the_scalar_term() -> None:
    spec = load_model_spec("llama-3-8b")
    machine = MACHINES["xpu-hbm3"]
    work = Work(context=4096, batch=2)
    got = _full(_design("xpu-hbm3", work), model_of(spec), _request(work))
    links = SwitchedLinks(8, 1.0, 1.0, 0.0, 1.0, 0.0)
    _assert_equal(got, model_answer(spec, machine, links, work, _small(spec)), "one xpu")
