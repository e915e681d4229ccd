"""Exponentials of attention on a unit of their own: by hand, against kernels, and left out."""

import math

import equinox as eqx
import jax
import pytest

from liminal_jax._arrays import as_leaf
from liminal_jax._smooth import Exact, Soft
from liminal_jax.data.build import load_system
from liminal_jax.hardware.clock import clocked
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.placement import Placement
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.operators import Operator, layer_operators
from liminal_jax.performance.predictor import predict
from liminal_jax.performance.timing import operator_times
from liminal_jax.workload.model import model_of
from liminal_jax.workload.request import Request
from liminal_jax.workload.talk import talk_model
from tests.performance.toys import TWO_LAYERS, toy_system

MODEL = model_of(TWO_LAYERS)
REQUEST = Request(context=10)
SCORES = 1e12


def busy(system, operator, bits=16, relaxation=None):
    """Time of the arithmetic of an operator on one chip [s]."""
    design = Design(system=system, mapping=Mapping(), placement=Placement(), batch=1)
    request = Request(context=1, weight_bits=bits, kv_bits=bits, attention_bits=bits)
    assumptions = Assumptions(relaxation=Exact() if relaxation is None else relaxation)
    return operator_times(operator, design, request, assumptions).compute


def attention(head_dim, scores=SCORES):
    """Scores over heads of some width: two products, five vector operations, one exponential."""
    return Operator(core=4 * head_dim * scores, scalar=5 * scores, exponentials=scores)


def with_rate(system, rate):
    return eqx.tree_at(lambda it: it.chip.exponential, system, as_leaf(rate))


def test_a_b200_takes_an_exponential_in_222_fs():
    # 16 a clock on each of 148 multiprocessors at 1.9 GHz; the vector units alone 5 / 75 = 0.067.
    by_hand = 1 / (16 * 148 * 1.9e9)
    assert by_hand == pytest.approx(0.222e-12, rel=2e-3)
    b200 = load_system("b200")
    bare = Operator(scalar=5 * SCORES, exponentials=SCORES)
    assert float(busy(b200, bare)) / SCORES == pytest.approx(by_hand, rel=1e-3)
    left_out = busy(with_rate(b200, math.inf), bare)
    assert float(left_out) / SCORES == pytest.approx(5 / 75e12, rel=1e-6)


def test_blackwell_ultra_gains_what_was_measured():
    # NVIDIA (2026): attention in FP8 1.35 times faster on a GB300 than on Blackwell.
    blackwell, ultra = (busy(load_system(it), attention(128), 8) for it in ("b200", "gb300"))
    assert float(blackwell / ultra) == pytest.approx(1.35, abs=0.02)


@pytest.mark.parametrize(
    ("system", "measured"),
    # Best forward kernels with heads of 128 in BF16 [TFLOP/s]: FlashAttention-4, FlashAttention-3.
    [("b200", 1613e12), ("h100", 740e12)],
)
def test_no_kernel_beats_the_law(system, measured):
    operator = attention(128)
    reached = float(operator.core / busy(load_system(system), operator))
    assert measured < reached < 1.5 * measured


def test_the_slower_counts():
    # 1000 FLOP at 500 a second and 100 at 100: 3 s, beside 8 exponentials at 2 a second: 4 s.
    operator = Operator(core=1000, scalar=100, exponentials=8)
    for rate, wanted in ((2.0, 4.0), (4.0, 3.0), (math.inf, 3.0)):
        assert float(busy(with_rate(toy_system(), rate), operator)) == wanted


def test_scores_are_counted():
    # 4 heads: 10 tokens in one layer, a window of 4 in the other; for 2 users.
    operators = layer_operators(MODEL, REQUEST, 2, Exact())
    assert sum(float(it.exponentials) for it in operators) == 2 * 4 * (10 + 4)
    talk = layer_operators(talk_model(MODEL), REQUEST, 2, Exact())
    assert sum(float(it.exponentials) for it in talk) == 0


@pytest.mark.parametrize("relaxation", [Exact(), Soft(0.1)], ids=["exact", "soft"])
def test_a_unit_that_is_not_published_changes_nothing(relaxation):
    operator = Operator(core=1000, scalar=100, exponentials=8)
    system = with_rate(toy_system(), math.inf)
    assert float(busy(system, operator, relaxation=relaxation)) == 3.0


@pytest.mark.slow
def test_more_exponentials_a_second_never_hurt_and_slopes_are_right():
    def step(rate):
        design = Design(
            system=with_rate(toy_system(), rate),
            mapping=Mapping(),
            placement=Placement(),
            batch=2,
        )
        return predict(design, MODEL, REQUEST).compute_time

    times = [float(step(as_leaf(rate))) for rate in (1.0, 3.0, 10.0, 100.0, 1e9)]
    assert times == sorted(times, reverse=True)
    assert times[0] > times[-1]
    slope = float(jax.grad(step)(as_leaf(1.0)))
    assert slope == pytest.approx(
        (float(step(as_leaf(1.001))) - float(step(as_leaf(0.999)))) / 0.002, rel=1e-4
    )


def test_the_unit_follows_the_clock():
    half = clocked(with_rate(toy_system(), 8.0), as_leaf(0.5))
    assert float(half.chip.exponential) == 4.0
    assert math.isinf(float(clocked(toy_system(), as_leaf(0.5)).chip.exponential))
