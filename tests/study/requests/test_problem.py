"""A trace as a problem: one class is the ordinary model, totals are means, percentiles by hand."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.listed import in_numpy
from liminal_jax._smooth import AbstractRelaxation, Exact, Soft
from liminal_jax.performance.request_cost import RequestCost, request_cost
from liminal_jax.study.coupled import Point, Terms
from liminal_jax.study.problem import Outcome
from liminal_jax.study.requests.problem import RequestsGroup, RequestsProblem
from liminal_jax.workload.lengths import Lengths
from tests.study.requests.cases import TABLES, problem

HERE = Point(jnp.asarray(1), jnp.zeros(0))


def chosen(*rows: tuple[float, float]) -> Point:
    """TP and batch of each class."""
    return Point(jnp.zeros(len(rows), int), jnp.asarray(rows, float))


def evaluator(
    found: RequestsProblem, relaxation: AbstractRelaxation | None = None
) -> Callable[[Point, Point], Terms]:
    """The terms of all members, traced once."""
    group, kinks = found.groups[0], Exact() if relaxation is None else relaxation

    @in_numpy
    def evaluated(shared: Point, own: Point) -> Terms:
        def one(member: jax.Array, own: Point) -> Terms:
            return group.terms(shared, member, own, kinks)

        return jax.vmap(one)(jnp.arange(len(group.members)), own)

    return evaluated


def outcome(found: RequestsProblem, terms: Terms) -> Outcome:
    return found.judged(HERE, jnp.sum(terms.totals, axis=0), Exact())


LIMITS = [
    {"quantity": "utps", "percentile": 70, "at_least": 600},
    {"quantity": "ttft", "percentile": 40, "at_most": 0.01},
    {"quantity": "e2e", "at_most": 0.25},
    {"quantity": "mean_e2e", "at_most": 0.2},
    {"quantity": "stps_per_chip", "at_least": 500},
    {"quantity": "chip_power", "at_most": 800},
]

FOUR = chosen((1, 4), (2, 16), (1, 64), (4, 16))


@pytest.fixture(scope="module")
def limited(tmp_path_factory: Any) -> RequestsProblem:
    return problem(tmp_path_factory.mktemp("limited"), {"constraints": LIMITS})


@pytest.fixture(scope="module")
def terms(limited: RequestsProblem) -> Terms:
    return evaluator(limited)(HERE, FOUR)


@pytest.fixture(scope="module")
def costs(limited: RequestsProblem) -> list[RequestCost]:
    """What a request of each class costs, from its design and its lengths."""
    group, classes = limited.group, limited.classes

    @in_numpy
    def cost(member: jax.Array, own: Point, isl: jax.Array, osl: jax.Array) -> RequestCost:
        case = group.case(HERE, member, own)
        given = (case.model, case.request, Lengths(isl, osl), case.laws(Exact()))
        return request_cost(case.design(Exact()), *given)

    every = [jax.tree.map(lambda it, row=row: it[row], FOUR) for row in range(4)]
    lengths = zip(classes.prompts, classes.answers, strict=True)
    return [
        cost(jnp.asarray(row), own, *it)
        for row, (own, it) in enumerate(zip(every, lengths, strict=True))
    ]


def test_totals_are_means_over_requests(
    limited: RequestsProblem, terms: Terms, costs: list[RequestCost]
) -> None:
    assert limited.totals[:3] == ("price", "e2e", "chip_time")
    for place, name in enumerate(limited.totals[:3]):
        mean = sum(0.25 * float(getattr(it, name)) for it in costs)
        assert float(terms.totals[:, place].sum()) == pytest.approx(mean, rel=1e-12)


def test_objective_and_limits_follow_from_the_means(
    limited: RequestsProblem, terms: Terms, costs: list[RequestCost]
) -> None:
    found, answer = outcome(limited, terms), limited.classes.mean_answer()
    assert answer == (4 * 100 + 3 * 150 + 2 * 60 + 400) / 10
    price = float(np.mean([float(it.price) for it in costs]))
    assert np.exp(-float(found.score)) == pytest.approx(price / answer * 1e6, rel=1e-12)
    values = {
        limit.name: limit.value(float(it))
        for limit, it in zip(limited.limits, found.violation, strict=True)
    }
    chips = float(np.mean([float(it.chip_time) for it in costs]))
    e2e = float(np.mean([float(it.e2e) for it in costs]))
    assert values["stps_per_chip"] == pytest.approx(answer / chips, rel=1e-12)
    assert values["mean_e2e"] == pytest.approx(e2e, rel=1e-12)


def test_percentiles_count_the_requests_that_break_a_limit(
    limited: RequestsProblem, terms: Terms, costs: list[RequestCost]
) -> None:
    slow = [float(it.tpot) > 1 / 600 for it in costs]
    late = [float(it.ttft) > 0.01 for it in costs]
    assert 0 < sum(slow) < 4
    assert 0 < sum(late) < 4
    shares = terms.totals[:, 3:].sum(axis=0)
    assert shares.tolist() == [sum(slow) / 4, sum(late) / 4]
    found = outcome(limited, terms)
    slow_limit, late_limit = found.violation[0], found.violation[1]
    assert float(slow_limit) == pytest.approx(np.log(sum(slow) / 4 / 0.3))
    assert float(late_limit) == pytest.approx(np.log(sum(late) / 4 / 0.6))


def test_limits_for_everyone_hold_for_each_class(
    limited: RequestsProblem, terms: Terms, costs: list[RequestCost]
) -> None:
    assert [it.name for it in limited.group.everyone] == ["e2e", "chip_power"]
    for row, it in enumerate(costs):
        power = max(float(it.prompt_chip_power), float(it.decoding.chip_power))
        wanted = [np.log(float(it.e2e) / 0.25), np.log(power / 800)]
        np.testing.assert_allclose(terms.violation[row, -2:], wanted, rtol=1e-9)
        fill = np.log(float(it.decoding.memory_fill))
        assert float(terms.violation[row, 0]) == pytest.approx(fill, rel=1e-9)


def test_costs_are_convex_in_the_totals_and_never_fall(limited: RequestsProblem) -> None:
    random = np.random.default_rng(0)

    @in_numpy
    def cost(totals: jax.Array) -> jax.Array:
        found = limited.judged(HERE, totals, Exact())
        return jnp.concatenate([jnp.exp(-found.score)[None], jnp.exp(found.violation)])

    for _ in range(100):
        one, other = (random.uniform(size=(2, len(limited.totals)))).tolist()
        one, other = jnp.asarray(one), jnp.asarray(other)
        ends, middle = (cost(one) + cost(other)) / 2, cost((one + other) / 2)
        assert np.all(middle <= ends * (1 + 1e-12))
        assert np.all(cost(jnp.maximum(one, other)) >= cost(one) * (1 - 1e-12))


def test_the_order_of_requests_does_not_matter(tmp_path: Path, limited: RequestsProblem) -> None:
    lines = "isl,osl,count\n6000,400,1\n900,150,1\n200,100,4\n2000,60,2\n900,150,2\n"
    again = problem(tmp_path, {"constraints": LIMITS}, lines)
    for name in ("weights", "prompts", "answers", "contexts"):
        one, other = (getattr(it.groups[0], name) for it in (limited, again))
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_gradients_are_those_of_differences(limited: RequestsProblem) -> None:
    group, kinks = limited.groups[0], Soft(0.1, 1e8)

    def score(values: jax.Array) -> jax.Array:
        def one(member: jax.Array, own: jax.Array) -> Terms:
            point = Point(jnp.asarray(0), jnp.exp(own))
            return group.terms(HERE, member, point, kinks)

        each = jax.vmap(one)(jnp.arange(4), values)
        found = limited.judged(HERE, jnp.sum(each.totals, axis=0), kinks)
        return found.score - jnp.sum(found.violation) + jnp.sum(each.violation[:, 0])

    here, step, value = jnp.log(FOUR.values * 1.13), 1e-6, in_numpy(score)
    found = in_numpy(jax.grad(score))(here)
    assert np.all(np.abs(found) > 0)
    for place in np.ndindex(here.shape):
        moved = step * jnp.zeros(here.shape).at[place].set(1.0)
        wanted = (value(here + moved) - value(here - moved)) / (2 * step)
        assert float(found[place]) == pytest.approx(float(wanted), rel=1e-4, abs=1e-8)


@pytest.mark.slow
def test_stated_requests_a_second_have_whole_instances(tmp_path: Path) -> None:
    changes = {
        "trace": {"file": "trace.csv", "classes": 4, "rate": 10.0},
        "objective": {"minimise": "chips"},
        "constraints": [{"quantity": "power", "at_most": "10 MW"}],
    }
    found = problem(tmp_path, changes)
    terms = evaluator(found)(HERE, FOUR)
    chips = 10 * np.asarray(terms.totals[:, 0])
    tp = np.asarray(FOUR.values[:, 0])
    np.testing.assert_allclose(chips / tp, np.round(chips / tp), rtol=1e-9)
    free = dataclasses.replace(found.group, rate=None)
    alone = evaluator(dataclasses.replace(found, groups=(free,)))(HERE, FOUR)
    parts = 10 * np.asarray(alone.totals[:, 0]) / tp
    np.testing.assert_allclose(chips / tp, np.ceil(parts), rtol=1e-9)
    # Instances that are not busy all the time draw power all the same.
    np.testing.assert_allclose(
        terms.totals[:, 1] / alone.totals[:, 1], np.ceil(parts) / parts, rtol=1e-9
    )


@pytest.mark.slow
def test_free_rates_are_those_at_which_a_limit_is_used_up(tmp_path: Path) -> None:
    changes = {
        "objective": {"maximise": "stps"},
        "constraints": [
            {"quantity": "power", "at_most": "100 kW"},
            {"quantity": "chips", "at_most": 64},
        ],
    }
    found = problem(tmp_path, changes)
    assert not found.limits
    assert [(it.name, it.bound) for it in found.stated] == [("power", 100e3), ("chips", 64.0)]
    terms = evaluator(found)(HERE, FOUR)
    energy, chips = np.asarray(terms.totals.sum(axis=0))
    assert found.totals == ("energy", "chip_time")
    rate = min(100e3 / energy, 64 / chips)
    score = float(outcome(found, terms).score)
    assert np.exp(score) == pytest.approx(rate * found.classes.mean_answer(), rel=1e-12)


@pytest.mark.slow
def test_single_requests_share_the_steps_of_their_class(limited: RequestsProblem) -> None:
    each = limited.each_request()
    rows = limited.classes.rows
    assert isinstance(each.groups[0], RequestsGroup)
    own = jax.tree.map(lambda it: it[rows], FOUR)
    totals = evaluator(each)(HERE, own).totals.sum(axis=0)
    classes = evaluator(limited)(HERE, FOUR).totals.sum(axis=0)
    # Attention of prompts grows with their square, all else in proportion.
    np.testing.assert_allclose(totals[:3], classes[:3], rtol=2e-2)
    assert totals[3] == classes[3]


@pytest.mark.slow
def test_samples_are_right_on_average(limited: RequestsProblem) -> None:
    each = limited.each_request()
    whole = evaluator(each)(HERE, jax.tree.map(lambda it: it[limited.classes.rows], FOUR))
    mean = np.asarray(whole.totals.sum(axis=0))
    group = limited.groups[0]

    @jax.jit
    def totals(key: jax.Array) -> jax.Array:
        drawn, (members,) = limited.sampled(key, 8)
        own = jax.tree.map(lambda it: it[members], FOUR)

        def one(member: jax.Array, own: Point) -> Terms:
            return drawn.groups[0].terms(HERE, member, own, Exact())

        return jnp.sum(jax.vmap(one)(jnp.arange(8), own).totals, axis=0)

    assert len(limited.sampled(jax.random.key(0), 8)[0].members) == 8
    assert len(group.members) == 4
    draws = np.asarray(jax.lax.map(totals, jax.random.split(jax.random.key(1), 2000)))
    error = draws.std(axis=0) / np.sqrt(len(draws))
    assert np.all(np.abs(draws.mean(axis=0) - mean) < 4 * error)
    assert np.all(error > 0)


def test_planned_chips_have_their_own_limits(tmp_path: Path) -> None:
    design: dict[str, Any] = {
        "memory": {"choices": ["hbm3e", "hbm4"]},
        "process": "n4p",
        "stacks": {"choices": [4, 16]},
        "dies": 2,
        "compute_area": "600 mm2",
        "sram": "0 MB",
        "link_bandwidth": "900 GB/s",
        "domain": 8,
        **{name: TABLES["design"][name] for name in ("tp", "batch")},
    }
    found = problem(tmp_path, {"design": design})
    assert [it.name for it in found.variables] == ["stacks"]
    names = [it.name for it in found.limits]
    assert names[:2] == ["reticle", "shoreline"]
    few, many = (
        found.judged(Point(jnp.asarray(0), jnp.asarray([it])), jnp.ones(1), Exact())
        for it in (4.0, 16.0)
    )
    place = names.index("shoreline")
    assert float(few.violation[place]) < float(many.violation[place])


def test_the_basis_says_how_many_classes_there_are(
    limited: RequestsProblem, tmp_path: Path
) -> None:
    classes, squares, serving = limited.basis()
    assert classes.startswith("10 requests in 4 classes; a class counts as its mean prompt")
    assert "25.0%" in classes
    assert f"keep {limited.classes.squares():.1%} of the mean square" in squares
    assert "so large that parts of them do not show" in serving
    many = problem(tmp_path, {"trace": {"file": "trace.csv", "classes": 99}})
    assert "4 classes, fewer than 99: no more lengths differ" in many.basis()[0]
