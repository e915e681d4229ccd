"""Branch and bound over shared hardware against every piece of it, without a chip to begin with."""

import itertools
import math

import jax
import numpy as np
import pytest

from liminal_jax.bounds.boxes import Boxes
from liminal_jax.optimization.portfolio.shared_branch_and_bound import (
    BestChip,
    Chip,
    SharedProblem,
    shared_branch_and_bound,
)
from liminal_jax.optimization.portfolio.warm_start import improve, sampled
from liminal_jax.optimization.search.branch_and_bound import UNKNOWN, Budget
from liminal_jax.optimization.search.certificate import bounded_problem_of
from liminal_jax.study.portfolio import portfolio_of
from liminal_jax.study.questions import load_study
from tests.optimization.brute import every_outcome, study
from tests.optimization.portfolio.test_portfolio_search import WORKLOADS, Every, portfolio_file
from tests.optimization.search.test_certificate import random_constraints

pytestmark = pytest.mark.slow

HARDWARE = {
    "memory": {"choices": ["hbm3e", "hbm4", "3d-dram"]},
    "stacks": {"choices": [1, 2, 3, 4, 6, 8, 10, 12]},
    "dies": {"choices": [1, 2, 4]},
    "compute_area": {"min": "100 mm2", "max": "600 mm2", "step": "50 mm2"},
    "sram": {"choices": ["0 MB", "64 MB", "256 MB"]},
    "link_bandwidth": {"choices": ["300 GB/s", "900 GB/s"]},
    "chips": {"choices": [2, 4, 8, 16]},
}
MAPPINGS = [
    {"tp": {"choices": [1, 2, 4]}, "batch": {"choices": [1, 8, 32, 128]}},
    {"tp": 2, "pp": {"choices": [1, 2, 4]}, "batch": {"choices": [4, 64, 256]}},
    {"tp": 4, "ep": {"choices": [1, 2, 4]}, "batch": {"choices": [2, 16, 64, 512]}},
]
FIXED = {"cp": 1, "pp": 1, "ep": 1, "tp": 1}
OBJECTIVES = [{"maximise": "stps_per_usd"}, {"minimise": "energy_per_token"}, {"maximise": "stps"}]


class Case:
    """A portfolio of thousands of pieces of hardware, where it is searched, and all of it."""

    def __init__(self, seed, folder):
        rng = np.random.default_rng(seed)
        design = {**FIXED, **HARDWARE, **MAPPINGS[seed]}
        path = study(folder, "planned", design=design, objective=OBJECTIVES[seed])
        file = load_study(str(path))
        outcomes, members = [], []
        for workload in WORKLOADS[: 3 if seed == 1 else 2]:
            alone = portfolio_of(portfolio_file(file, [workload])).members[0].problem.file
            outcomes.append(every_outcome("planned", alone))
            limits = random_constraints(rng, outcomes[-1][0])[:1]
            weight = float(rng.uniform(0.2, 3))
            members.append({**workload, "weight": weight, "constraints": limits})
        self.portfolio = portfolio_of(portfolio_file(file, members))
        self.every = Every(self.portfolio, outcomes)
        self.bounded = SharedProblem(
            members=tuple(bounded_problem_of(it.problem) for it in self.portfolio.members),
            weights=np.asarray([it.weight for it in self.portfolio.members]),
            shared=1 + len(self.portfolio.hardware),
        )
        lengths = [len(it.grid.values) for it in self.portfolio.hardware]
        self.shape = (len(self.portfolio.categories), *lengths)
        self.together = self.every.together.reshape(self.shape)


@pytest.fixture(scope="module", params=range(len(MAPPINGS)))
def case(request, tmp_path_factory):
    jax.config.update("jax_disable_most_optimizations", True)
    found = Case(request.param, tmp_path_factory.mktemp("shared"))
    jax.config.update("jax_disable_most_optimizations", False)
    return found


def test_the_best_chip_is_found_from_nothing(case):
    best, notes = BestChip(), []
    statistics = shared_branch_and_bound(case.bounded, best, on_progress=notes.append)
    assert statistics.complete
    assert statistics.designs == case.together.size > 5000
    assert best.score == pytest.approx(case.together.max(), abs=2e-9)
    hardware = case.bounded.shared
    assert (best.chip.designs[:, :hardware] == best.chip.designs[0, :hardware]).all()
    solution = tuple(best.chip.designs[0, :hardware])
    assert case.together[solution] == pytest.approx(best.score, abs=2e-9)
    scores = case.every.scores.reshape(-1, *case.shape)[(slice(None), *solution)]
    assert best.chip.scores == pytest.approx(scores, abs=2e-9)
    for earlier, later in itertools.pairwise(notes):
        assert earlier.designs <= later.designs
        assert earlier.boxes <= later.boxes
        assert earlier.open_score >= later.open_score - 1e-12


def test_the_best_of_any_box_of_hardware(case):
    """Whatever box the search begins with, what it finds there is the best there is."""
    rng = np.random.default_rng(0)
    trees = case.bounded.trees[: case.bounded.shared]
    none = 0
    for _ in range(60):
        node = np.asarray([rng.integers(len(tree.first)) for tree in trees], np.int32)
        best = BestChip()
        start = Boxes(node[:, None], trees)
        statistics = shared_branch_and_bound(case.bounded, best, start=start)
        inside = tuple(
            slice(int(tree.first[it]), int(tree.last[it]) + 1)
            for tree, it in zip(trees, node, strict=True)
        )
        expected = case.together[inside].max()
        assert statistics.complete
        none += expected == -np.inf
        if expected == -np.inf:
            assert best.score == UNKNOWN
        else:
            assert best.score == pytest.approx(expected, abs=2e-9)
    assert none < 60


@pytest.mark.parametrize("short", [1e-3, 1e-2, 0.03, 0.1, 0.3, 1.0])
def test_a_poor_chip_to_begin_with_hides_no_better_one(case, short):
    """What cannot beat a chip known is dropped at once, and nothing else."""
    most = case.together.max()
    scores = np.full(len(case.bounded.members), most - short)
    poor = Chip(most - short, scores, np.zeros((len(scores), len(case.bounded.trees)), int))
    best = BestChip(poor)
    assert shared_branch_and_bound(case.bounded, best).complete
    assert best.score == pytest.approx(most, abs=2e-9)


def test_what_is_left_bounds_what_is_not_found(case):
    """A proof that is cut off after any round has not lost the best chip."""
    rounds = []

    def cut(statistics):
        rounds.append(statistics)
        if len(rounds) == cut.after:
            raise TimeoutError

    most = case.together.max()
    cut.after = 1
    while True:
        best = BestChip()
        rounds.clear()
        try:
            shared_branch_and_bound(case.bounded, best, on_progress=cut)
        except TimeoutError:
            assert max(rounds[-1].open_score, best.score) >= most - 2e-9
            cut.after *= 2
            continue
        break
    assert cut.after > 4


def test_a_gap_that_will_do(case):
    gap = math.log1p(0.1)
    exact, rough = BestChip(), BestChip()
    exactly = shared_branch_and_bound(case.bounded, exact)
    roughly = shared_branch_and_bound(case.bounded, rough, Budget(gap=gap))
    assert roughly.complete
    assert roughly.boxes <= exactly.boxes
    assert exact.score - gap <= rough.score <= exact.score


def test_a_good_chip_to_begin_with(case):
    for seed in range(20):  # some samples lie too far from any chip that can be built
        best, hardware = BestChip(), sampled(case.bounded, seed=seed)
        improve(case.bounded, best, hardware, seconds=60.0)
        if best.chip is not None:
            break
    drawn = case.together[tuple(hardware)].max()
    assert drawn <= best.score + 2e-9
    assert best.score <= case.together.max() + 2e-9
    solution = tuple(best.chip.designs[0, : case.bounded.shared])
    neighbourhood = tuple(slice(max(it - 1, 0), it + 2) for it in solution)
    for axis in range(1, len(solution)):
        line = [it if number != axis else neighbourhood[axis] for number, it in enumerate(solution)]
        assert case.together[tuple(line)].max() <= best.score + 2e-9
