"""The stage that follows gradients: it repeats, its prices are true, and polishing only betters."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from liminal_jax.design.box import box_of
from liminal_jax.design.explain import sensitivities
from liminal_jax.design.lattice import lattice_of
from liminal_jax.design.polish import polished, snapped
from liminal_jax.design.relaxed import Schedule, best_relaxed, relaxed_points
from liminal_jax.study.file import load_study
from liminal_jax.study.problem import problem_of
from tests.design.brute import study

SCHEDULE = Schedule(starts=6, rounds=12, steps=40)
KEY = 7
CAPITAL, UTPS = 0.3e6, 100.0
MOVED = 1.2


def limits(capital, utps):
    return [
        {"quantity": "capital_cost", "at_most": capital},
        {"quantity": "utps", "at_least": utps},
    ]


def ended(folder, capital, utps):
    """A study of batch and area under a ceiling and a floor, and where its starts ended."""
    design = {
        "memory": "hbm4",
        "stacks": {"choices": [1, 2, 4, 8]},
        "dies": 2,
        "compute_area": {"min": "100 mm2", "max": "600 mm2", "step": "50 mm2"},
        "sram": "0 MB",
        "link_bandwidth": "900 GB/s",
        "chips": 8,
        "tp": 8,
        "cp": 1,
        "pp": 1,
        "ep": 1,
        "batch": {"min": 1, "max": 4096, "num": 25, "scale": "log"},
    }
    path = study(
        folder,
        "planned",
        workload={"model": "llama-3-8b"},
        design=design,
        constraints=limits(capital, utps),
    )
    problem = problem_of(load_study(str(path)))
    box = box_of(problem)
    return problem, box, relaxed_points(problem, box, SCHEDULE, jax.random.key(KEY))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return ended(tmp_path_factory.mktemp("base"), CAPITAL, UTPS)


@pytest.fixture(scope="module")
def told(base):
    problem, box, points = base
    return prices(problem, box, best_relaxed(points)[0])


def prices(problem, box, best):
    return {
        it.parameter: it.elasticity
        for it in sensitivities(problem, box, best, SCHEDULE.cold, least=0.0)
    }


@pytest.mark.parametrize("limit", ["capital_cost", "utps"])
def test_a_price_is_what_another_search_gains_when_the_limit_moves(base, told, tmp_path, limit):
    """The mean of both ends' prices, to 10 % and 0.03, as the searches end near their optima."""
    moved = (CAPITAL, UTPS * MOVED) if limit == "utps" else (CAPITAL * MOVED, UTPS)
    *there, others = ended(tmp_path, *moved)
    (here, feasible), (other, also) = best_relaxed(base[2]), best_relaxed(others)
    assert feasible
    assert also
    gained = float(other.score - here.score) / math.log(MOVED)
    name = f"limit.{limit}"
    ends = [told[name], prices(*there, other)[name]]
    assert all((it < 0) if limit == "utps" else (it > 0) for it in ends)
    assert np.mean(ends) == pytest.approx(gained, rel=0.1, abs=0.03)


def test_the_prices_of_numbers_are_those_of_the_limits_they_enter(told):
    """Capital is sold at a multiple, so the multiple is worth at most what capital is."""
    assert -told["limit.capital_cost"] < told["facility.selling_multiple"] < 0
    assert told["context"] < 0
    listed = [abs(it) for it in told.values()]
    assert listed == sorted(listed, reverse=True)


def test_a_seed_repeats_itself(base):
    problem, box, points = base
    again = relaxed_points(problem, box, SCHEDULE, jax.random.key(KEY))
    for one, other in zip(jax.tree.leaves(points), jax.tree.leaves(again), strict=True):
        np.testing.assert_array_equal(one, other)


def test_polishing_never_worsens_a_start(base):
    problem, box, points = base
    lattice = lattice_of(problem)
    starts = snapped(problem, box, lattice, points)
    ends = polished(problem, lattice, starts)
    assert bool(jnp.all(ends.merit >= starts.merit))
    again = polished(problem, lattice, ends)
    np.testing.assert_array_equal(again.indices, ends.indices)
    assert bool(jnp.any(ends.merit > starts.merit))


def test_starts_stay_in_the_box_and_the_best_one_keeps_the_limits(base):
    problem, box, points = base
    assert bool(jnp.all((points.unit >= 0) & (points.unit <= 1)))
    best, feasible = best_relaxed(points)
    assert feasible
    assert float(jnp.max(best.excess)) <= 1e-3
    at = np.asarray(box.at(best.unit))
    for variable in problem.variables:
        low, high = variable.grid.values[0], variable.grid.values[-1]
        assert low * (1 - 1e-12) <= at[variable.position] <= high * (1 + 1e-12)
