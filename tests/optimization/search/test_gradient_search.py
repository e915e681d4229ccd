"""The starts: they repeat, stay in the box, keep names, and lead to the best design."""

import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import liminal_jax as ll
from liminal_jax.optimization.search import best_design
from liminal_jax.optimization.search.best_design import Method, find
from liminal_jax.optimization.search.certificate import bounded_problem_of, proven
from liminal_jax.optimization.search.gradient_search import (
    descended,
    gradient_search,
    snapped,
    starts_of,
)
from liminal_jax.optimization.search.termination import TOLERANCE, Termination
from liminal_jax.optimization.search.unit_hypercube import unit_hypercube_of
from tests.optimization.small import KEY, PLANNED, SCHEDULE, ended, small


@pytest.mark.slow
def test_a_seed_repeats_itself():
    problem, starts, ends = ended("planned")
    again = descended(problem, starts_of(problem, SCHEDULE, KEY), SCHEDULE)
    for one, other in zip(jax.tree.leaves(ends), jax.tree.leaves(again), strict=True):
        np.testing.assert_array_equal(one, other)
    other = starts_of(problem, SCHEDULE, KEY + 1)
    assert not np.array_equal(starts.unit, other.unit)
    assert starts_of(problem, SCHEDULE, -1).unit.shape == starts.unit.shape


def test_starts_stay_in_the_box_and_most_of_them_keep_the_limits():
    problem, _, ends = ended("planned")
    assert np.all((ends.unit >= 0) & (ends.unit <= 1))
    within = np.max(ends.violation, axis=1) <= TOLERANCE
    np.testing.assert_array_equal(ends.feasible, within)
    assert within.mean() > 0.5
    box = unit_hypercube_of(problem)
    for value in box.stretched(ends.unit[within])[0]:
        for at, variable in zip(value, problem.variables, strict=True):
            low, high = variable.grid.values[0], variable.grid.values[-1]
            assert low * (1 - 1e-12) <= at <= high * (1 + 1e-12)


def test_a_place_in_the_box_and_its_point_lead_to_each_other():
    problem, _, ends = ended("planned")
    box = unit_hypercube_of(problem)
    points, stretch = box.stretched(ends.unit)
    for unit, point, slope in zip(ends.unit, points, stretch, strict=True):
        np.testing.assert_allclose(box.unit(point), unit, atol=1e-12)
        np.testing.assert_allclose(box.values(jnp.asarray(unit)), point, rtol=1e-12)
        np.testing.assert_allclose(box.stretch(jnp.asarray(unit)), slope, rtol=1e-12)


def test_a_design_of_the_lattice_snaps_to_itself():
    problem, starts, ends = ended("planned")
    designs = snapped(problem, starts, ends)
    box = unit_hypercube_of(problem)
    points = [
        [it.grid.values[at] for it, at in zip(problem.variables, design[1:], strict=True)]
        for design in designs.T
    ]
    there = ends._replace(unit=box.unit(np.asarray(points)))
    np.testing.assert_array_equal(snapped(problem, starts, there), designs)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["planned", "finished"])
def test_gradients_lead_to_the_best_design(name):
    problem = small(name)
    bounded = bounded_problem_of(problem)
    found = gradient_search(problem, lambda: bounded, SCHEDULE, KEY, kicks=1)
    best = proven(bounded, []).scores
    for indices, score in found.known:
        assert score == pytest.approx(best[indices[0]], abs=1e-9)
    assert len(found.known) == len(best)
    assert found.polished is not None
    assert found.polished.objective == pytest.approx(problem.objective(float(best.max())))
    assert found.relaxed.feasible
    # What lies between the steps of the lattice is at least as good, but for rounding of the end.
    gain = found.relaxed.objective / found.polished.objective
    assert (gain if problem.maximises else 1 / gain) > 1 - 2e-3


@pytest.mark.slow
def test_a_name_is_kept_by_each_start():
    """Between two ways to share attention there is nothing."""
    design = {**PLANNED["design"], "attention": {"choices": ["split-sequence", "data-parallel"]}}
    problem = small("planned", design=design)
    starts = starts_of(problem, SCHEDULE, KEY)
    (axis,) = np.flatnonzero(~starts.free)
    assert problem.variables[axis].name == "attention"
    ends = descended(problem, starts, SCHEDULE)
    np.testing.assert_array_equal(ends.unit[:, axis], starts.unit[:, axis])
    shares = unit_hypercube_of(problem).stretched(ends.unit)[0][:, axis]
    assert set(shares) == set(problem.variables[axis].grid.values)


def test_starts_that_want_more_users_than_a_range_has_end_held_by_it():
    few = {"min": 1, "max": 64, "num": 13, "scale": "log"}
    problem = small("planned", design={**PLANNED["design"], "batch": few})
    ends = descended(problem, starts_of(problem, SCHEDULE, KEY), SCHEDULE)
    assert ends.count(Termination.AT_BOUNDS) > len(ends.unit) / 2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["planned", "finished"])
def test_every_method_finds_as_good_a_design_and_says_what_it_knows(name):
    problem = small(name)
    by = {method: find(problem, SCHEDULE, method=method) for method in Method}
    proven_, alone = by[Method.BOUND], by[Method.GRADIENTS]
    for it in by.values():
        assert it.objective == pytest.approx(proven_.objective, rel=1e-9)
    assert proven_.gradients is None
    assert proven_.certificate.complete
    assert by[Method.AUTO].certificate.complete
    assert by[Method.AUTO].gradients is not None
    assert alone.certificate.method == "none"
    assert alone.certificate.bound is None
    assert not alone.certificate.complete
    assert alone.reasons == [
        "gradients alone: nothing is proven of designs that they did not come to"
    ]
    closing = by[Method.AUTO].closing
    assert closing.bound[-1] == pytest.approx(proven_.objective)
    assert closing.incumbent[-1] == pytest.approx(proven_.objective)
    assert closing.seconds == sorted(closing.seconds)


@pytest.mark.slow
@pytest.mark.parametrize("joined", [0, 3])
def test_the_answer_is_the_same_whichever_is_faster(monkeypatch, joined):
    problem = small("planned")
    monkeypatch.setattr(best_design, "JOINED", joined)
    found = find(problem, SCHEDULE, method=Method.AUTO)
    monkeypatch.setattr(best_design, "gradient_search", _late(gradient_search))
    late = find(problem, SCHEDULE, method=Method.AUTO)
    np.testing.assert_array_equal(late.proof.indices, found.proof.indices)
    assert late.proof.statistics == found.proof.statistics
    assert late.gradients.known[0][1] == found.gradients.known[0][1]
    alone = find(problem, SCHEDULE, method=Method.BOUND)
    assert found.proof.statistics.boxes < alone.proof.statistics.boxes


def _late(search):
    def after_a_while(*arguments):
        time.sleep(1.0)
        return search(*arguments)

    return after_a_while


@pytest.mark.slow
def test_where_no_design_meets_the_limits_gradients_name_the_nearest():
    limits = [{"quantity": "utps", "at_least": 1e6}]
    found = find(small("planned", constraints=limits), SCHEDULE, method=Method.GRADIENTS)
    assert not found.feasible
    assert found.gradients.polished is None
    assert not found.gradients.relaxed.feasible
    assert "the nearest has UTPS" in found.reasons[0]


def test_a_method_that_there_is_not_is_named():
    space = ll.Space(ll.Design(ll.load_system("h200"), ll.Mapping(tp=8)), {}, model="llama-3-8b")
    with pytest.raises(ll.InputError, match="no method 'gradient'; did you mean 'gradients'"):
        ll.optimize(space, maximise="stps", method="gradient")


@pytest.mark.slow
def test_a_limit_of_ones_own_that_lists_do_not_know_is_compiled():
    design = ll.Design(ll.load_system("h200"), ll.Mapping(tp=8))
    space = ll.Space(design, {"batch": [1.0, 8.0, 64.0]}, model="llama-3-8b")

    def own(fleet):
        return jnp.abs(fleet.utps - 30.0) - 1e9

    found = ll.optimize(space, maximise="stps", limits=[own], method="auto")
    assert found.values == {"batch": 64.0}
    assert found.gradients.polished.objective == pytest.approx(found.objective)
    assert "of 32 starts converged, relaxed" in dict(found.rows())["gradients"]
    assert found.to_dict()["gradients"]["starts"] == 32
    alone = ll.optimize(space, maximise="stps", method="bound")
    assert alone.gradients is None
    assert "gradients" not in dict(alone.rows())
