"""Fronts against whole lattices: the exact ones, the thinner ones, and those cut short."""

import itertools
import math

import numpy as np
import pytest

from liminal_jax.optimization.pareto.archive import ParetoArchive
from liminal_jax.optimization.pareto.knees import knees
from liminal_jax.optimization.pareto.pareto_search import (
    bounded_problem_for,
    pareto,
    prove_front,
    warm_started_archive,
)
from liminal_jax.optimization.search.branch_and_bound import MARGIN
from liminal_jax.study.file import ObjectiveTable
from liminal_jax.study.quantities import QUANTITIES
from liminal_jax.study.questions import load_study
from liminal_jax.study.read import criterion_of, problem_of
from tests.optimization import brute
from tests.optimization.brute import ASKED, every_outcome, study
from tests.optimization.search.test_certificate import random_constraints, random_design
from tests.optimization.test_answer import MINIMISED

pytestmark = pytest.mark.slow

STUDIES = 24
LARGEST = 100_000
PARTS = 2
CLOSE = 10 * MARGIN


def side(name):
    return "minimise" if name in MINIMISED else "maximise"


class Case:
    """A random study, and every design of it as rows: gains, and whether it meets the limits."""

    def __init__(self, seed, folder):
        rng = np.random.default_rng(seed)
        base = ("planned", "finished")[seed % 2]
        design = random_design(rng, base, LARGEST)
        names = [it for it in ASKED if base == "planned" or it != "die_area"]
        chosen = rng.choice(names, 2 + seed // 2 % 2, replace=False).tolist()
        asked = {side(chosen[0]): chosen[0]}
        path = study(folder, base, design=design, objective=asked)
        quantities, used, categories = every_outcome(base, load_study(str(path)))
        # Some have no limits, which would leave short fronts only.
        constraints = random_constraints(rng, quantities) if seed % 4 else []
        path = study(folder, base, design=design, objective=asked, constraints=constraints)
        file = load_study(str(path))
        self.problem = problem_of(file)
        self.objectives = [best(side(name), name) for name in chosen]
        self.feasible = brute.swept(file, (quantities, used, categories)).feasible
        columns = [list(QUANTITIES).index(name) for name in chosen]
        signs = [-1.0 if name in MINIMISED else 1.0 for name in chosen]
        self.scores = np.log(quantities[:, columns]) * signs
        self.bounded = bounded_problem_for(self.problem, self.objectives)
        self.shape = [int(tree.lengths[0]) for tree in self.bounded.bounds.trees]

    def swept(self, epsilon, **how):
        """What branch and bound finds by itself."""
        front = ParetoArchive(len(self.objectives), len(self.shape), math.log1p(epsilon))
        return front, prove_front(self.bounded, front, 300.0, **how)

    def rows(self, front):
        """The rows of the designs of a front."""
        return np.ravel_multi_index(tuple(front.indices), self.shape)


def nondominated(scores):
    """Rows that no other one dominates, one of those that are the same up to rounding."""
    kept = np.empty((0, scores.shape[1]))
    for row in scores[np.argsort(-scores.sum(axis=1), kind="stable")]:
        if not np.any(np.all(kept >= row - MARGIN, axis=1)):
            kept = np.vstack([kept, row])
    return kept


def farthest(some, others):
    """How far the row is that lies farthest from all of the others."""
    return max(np.min(np.max(np.abs(others - row), axis=1)) for row in some)


def betters(scores, points):
    """By how much each row betters the point that comes nearest to it, in some objective."""
    return np.min(np.max(scores[:, None] - points[None], axis=2), axis=1)


@pytest.fixture(scope="module", params=range(PARTS))
def cases(request, tmp_path_factory):
    seeds = range(request.param, STUDIES, PARTS)
    return [Case(seed, tmp_path_factory.mktemp("case")) for seed in seeds]


def test_a_front_is_that_of_the_whole_lattice(cases):
    lengths = []
    for case in cases:
        front, statistics = case.swept(0.0)
        exact = nondominated(case.scores[case.feasible])
        lengths.append(len(exact))
        assert statistics.complete
        assert statistics.designs == case.problem.lattice == len(case.scores)
        assert len(exact) == front.scores.shape[1]
        if len(exact):
            assert farthest(exact, front.scores.T) <= CLOSE
            assert farthest(front.scores.T, exact) <= CLOSE
            assert case.feasible[case.rows(front)].all()
            np.testing.assert_allclose(case.scores[case.rows(front)], front.scores.T, atol=MARGIN)
    assert min(lengths) == 0
    assert max(lengths) > 20


def test_a_front_of_one_category_holds_no_other(cases):
    several = 0
    for case in cases:
        every = np.unravel_index(np.arange(len(case.scores)), case.shape)[0]
        several += len(np.unique(every)) > 1
        for number, category in enumerate(case.bounded.start.first[0]):
            start = case.bounded.start.some(np.asarray([number]))
            bounded = case.bounded._replace(start=start)
            front = warm_started_archive(bounded, len(case.objectives), 0.0)
            statistics = prove_front(bounded, front, 300.0)
            exact = nondominated(case.scores[case.feasible & (every == category)])
            assert statistics.complete
            assert len(exact) == front.scores.shape[1]
            assert set(front.indices[0]) <= {category}
            if len(exact):
                assert farthest(exact, front.scores.T) <= CLOSE
    assert several > 0


def test_a_scout_finds_designs_that_meet_the_limits(cases):
    found = 0
    for case in cases:
        front = warm_started_archive(case.bounded, len(case.objectives), 0.0)
        found += front.scores.shape[1] > 0
        assert case.feasible[case.rows(front)].all()
        np.testing.assert_allclose(case.scores[case.rows(front)], front.scores.T, atol=MARGIN)
    assert found > len(cases) / 3


@pytest.mark.parametrize("epsilon", [0.001, 0.01, 0.1])
def test_a_thinner_front_keeps_its_word(cases, epsilon):
    for case in cases:
        front, statistics = case.swept(epsilon)
        assert statistics.complete
        points, feasible = front.scores.T, case.scores[case.feasible]
        assert case.feasible[case.rows(front)].all()
        assert (len(points) == 0) == (len(feasible) == 0)
        if len(points):
            assert betters(feasible, points).max() <= math.log1p(epsilon) + CLOSE
            np.testing.assert_allclose(points.max(axis=0), feasible.max(axis=0), atol=CLOSE)
        for point in points:
            above = feasible[np.all(feasible >= point - MARGIN / 10, axis=1)]
            assert np.max(above - point) <= CLOSE


def test_a_front_that_is_cut_short_says_how_far_it_has_come(cases):
    margins = []
    for case in cases:
        ticks, notes = itertools.count(), []
        front, statistics = case.swept(
            0.0,
            clock=lambda ticks=ticks: 25.0 * next(ticks),
            on_progress=lambda *what, notes=notes: notes.append(what),
        )
        assert all(done.boxes > 0 for done, _ in notes)
        assert notes[-1:] in ([], [(statistics, front.scores.shape[1])])
        points, feasible = front.scores.T, case.scores[case.feasible]
        assert case.feasible[case.rows(front)].all()
        if len(points):
            margins.append(betters(feasible, points).max())
            assert margins[-1] <= max(statistics.open_margin, 0.0) + CLOSE
    assert max(margins) > 0.01


@pytest.fixture
def trade(tmp_path):
    """A study of finished systems, small enough to see through."""
    path = study(tmp_path, "finished", constraints=[{"quantity": "utps", "at_least": 20}])
    return problem_of(load_study(str(path)))


def best(side, name):
    return criterion_of(ObjectiveTable(**{side: name}))


BOTH = [best("maximise", "stps"), best("maximise", "utps")]


def test_points_run_from_the_worst_to_the_best_in_the_first_objective(trade):
    answer = pareto(trade, BOTH)
    stps, utps = zip(*(it.objectives for it in answer.points), strict=True)
    assert list(stps) == sorted(stps)
    assert list(utps) == sorted(utps, reverse=True)
    assert min(utps) >= 20
    for point in answer.points:
        assert point.objectives == (point.totals["stps"], point.totals["utps"])
    assert answer.certificate.complete
    assert answer.certificate.largest_margin == 0
    assert answer.certificate.covered == trade.lattice
    assert answer.reasons[0].startswith(f"the {len(stps)} points are the whole Pareto front")


def test_a_front_says_what_it_has_not_proven(trade):
    ticks = itertools.count()
    answer = pareto(trade, BOTH, clock=lambda: 100.0 * next(ticks))
    assert not answer.certificate.complete
    assert answer.certificate.covered < trade.lattice
    assert answer.reasons[0].startswith("the proof stopped early")


def test_what_cannot_be_judged_is_no_point(tmp_path):
    path = study(tmp_path, "finished")
    objectives = [best("minimise", "die_area"), best("maximise", "utps")]
    answer = pareto(problem_of(load_study(str(path))), objectives)
    assert not answer.feasible
    assert all("cannot be evaluated" in it for it in answer.reasons)


def test_one_of_two_designs_that_are_the_same_is_kept():
    from liminal_jax.bounds.boxes import Boxes, halves

    tree = halves(4)
    designs = Boxes(np.asarray([[tree.single(it) for it in range(4)]], np.int32), (tree,))
    scores = np.asarray([[1.0, 1.0, 2.0, 1.5], [2.0, 2.0, 1.0, 0.9]])
    front = ParetoArchive(2, 1, 0.0)
    front.update(designs, scores)
    assert front.scores.tolist() == [[1.0, 2.0], [2.0, 1.0]]
    assert front.indices[0, 1] == 2


def test_a_straight_front_has_no_knee():
    line = np.linspace(0.0, 3.0, 20)
    assert knees(np.stack([line, 5.0 - line])) == []


def test_knees_do_not_hang_on_units():
    turn = np.linspace(0.0, np.pi / 2, 21)
    arc = np.stack([np.sin(turn), np.cos(turn)])
    assert 10 in knees(arc)
    assert knees(arc * [[7.0], [0.1]] + [[3.0], [-50.0]]) == knees(arc)


def test_a_knee_of_three_objectives_bulges_most():
    corners = np.eye(3)
    scores = np.concatenate([corners, [[0.6], [0.6], [0.6]], [[0.9], [0.2], [0.1]]], axis=1)
    assert knees(scores) == [3]
