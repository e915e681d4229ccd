"""Proofs by bounds against whole lattices: a hundred random studies, and every point of a box."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.listed import in_numpy
from liminal_jax._smooth import Exact
from liminal_jax.bounds.boxes import Boxes
from liminal_jax.mapping.attention import ATTENTION_MAPPINGS
from liminal_jax.optimization.search import branch_and_bound
from liminal_jax.optimization.search.branch_and_bound import MARGIN, UNKNOWN, Budget
from liminal_jax.optimization.search.certificate import bounded_problem_of, bounds_of, proven
from liminal_jax.optimization.search.design_grid import design_grid_of
from liminal_jax.study.quantities import QUANTITIES
from liminal_jax.study.questions import load_study
from liminal_jax.study.read import problem_of
from tests.optimization.brute import ASKED, every_outcome, study, swept
from tests.optimization.test_answer import FIXED, MINIMISED

LARGEST = 1_000_000
STUDIES = 100
TIERED_STUDIES, TIERED_LARGEST = 4, 20_000
GRIDS = {
    "stacks": lambda rng: choices(rng, [1, 2, 3, 4, 6, 8, 12, 16]),
    "dies": lambda rng: choices(rng, [1, 2, 3, 4]),
    "compute_area": lambda rng: spaced(rng, 100, 700, "mm2"),
    "sram": lambda rng: spaced(rng, 0, 512, "MB"),
    "link_bandwidth": lambda rng: spaced(rng, 50, 1800, "GB/s"),
    "tier_units": lambda rng: choices(rng, [1, 2, 3, 4, 8]),
    "domain": lambda rng: choices(rng, [1, 4, 8, 16, 72]),
    "chips": lambda rng: choices(rng, [1, 2, 4, 7, 8, 10, 16, 32, 40, 64]),
    "clock": lambda rng: choices(rng, [0.35, 0.6, 0.8, 1.0, 1.1]),
    "tp": lambda rng: choices(rng, [1, 2, 3, 4, 8, 16, 32]),
    "cp": lambda rng: choices(rng, [1, 2, 4, 6]),
    "pp": lambda rng: choices(rng, [1, 2, 3, 4, 5, 8]),
    "ep": lambda rng: choices(rng, [1, 2, 4, 8, 16]),
    "attention": lambda rng: choices(rng, list(ATTENTION_MAPPINGS)),
    "batch": lambda rng: {
        "min": 1,
        "max": int(rng.integers(2, 600)),
        "num": int(rng.integers(2, 30)),
        "scale": "log",
    },
}
BEYOND = (0.9, 1.0, 1.0, 1.0, 1.1)
PLAN = ("stacks", "dies", "compute_area", "sram", "link_bandwidth", "domain")
TIER = ("tier_units",)
FINISHED = "finished"
TIERED = "tiered"


def choices(rng, values):
    return {"choices": sorted(rng.choice(values, rng.integers(2, len(values)), False).tolist())}


def spaced(rng, low, high, unit):
    ends = np.sort(rng.uniform(low, high, 2))
    return {"min": f"{ends[0]} {unit}", "max": f"{ends[1]} {unit}", "num": int(rng.integers(2, 8))}


def size(design):
    lengths = [
        len(it["choices"]) if "choices" in it else it["num"]
        for it in design.values()
        if isinstance(it, dict)
    ]
    return math.prod(lengths)


def random_design(rng, base, largest=LARGEST):
    """A design table with three to nine free variables, of at most so many designs."""
    left_out = {FINISHED: (*PLAN, *TIER), TIERED: ()}.get(base, TIER)
    names = [name for name in GRIDS if name not in left_out]
    field = "system" if base == FINISHED else "memory"
    known = ["h100", "h200", "b200"] if base == FINISHED else ["hbm3e", "hbm4", "3d-dram"]
    members = rng.choice(known, size=rng.integers(1, 4), replace=False)
    fixed = {name: value for name, value in FIXED.items() if name in names}
    free = rng.choice(names, min(len(names), rng.integers(3, 10)), replace=False)
    design = {**fixed, field: {"choices": [str(it) for it in members]}}
    for name in free:
        grown = {**design, name: GRIDS[name](rng)}
        design = grown if size(grown) <= largest else design
    return design


def random_constraints(rng, quantities):
    """Up to four limits at random ranks of what the designs reach, some beyond all of them."""
    constraints = []
    for name in rng.choice(list(ASKED), rng.integers(0, 5), replace=False):
        column = quantities[:, list(QUANTITIES).index(name)]
        column = column[np.isfinite(column)]
        if len(column) == 0:
            continue
        value = float(
            np.quantile(column, rng.uniform(0, 1)) * rng.choice([1.0, 1.0, 1.0, 0.9, 1.1])
        )
        constraints.append({"quantity": str(name), str(rng.choice(["at_least", "at_most"])): value})
    return constraints


def random_study(seed, folder, base, largest=LARGEST, **fixed):
    """A study with limits, and the outcomes of all its designs."""
    rng = np.random.default_rng(seed)
    design = {**random_design(rng, base, largest), **fixed}
    names = [it for it in ASKED if base != FINISHED or it != "die_area"]
    objective = names[seed % len(names)]
    asked = {"minimise" if objective in MINIMISED else "maximise": objective}
    outcomes = every_outcome(
        base, load_study(str(study(folder, base, design=design, objective=asked)))
    )
    constraints = random_constraints(rng, outcomes[0])
    path = study(folder, base, design=design, objective=asked, constraints=constraints)
    return load_study(str(path)), outcomes


SMALL = 500
"""Entries of a table, so that most results of a small study are steps."""


def proofs(problem):
    """As they are, and with small tables: with the bounds of all boxes, and with narrower ones."""
    for largest, sharpened_after in ((None, math.inf), (SMALL, math.inf), (SMALL, -1)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(branch_and_bound, "SHARPENED_AFTER", sharpened_after)
            yield proven(bounded_problem_of(problem, largest=largest), [])


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_a_proof_equals_the_whole_lattice(part, tmp_path):
    """The best of each category, or that there is none, for all objectives and limits."""
    infeasible, boxes = 0, []
    for seed in range(part, STUDIES, 4):
        file, outcomes = random_study(seed, tmp_path, ("planned", FINISHED)[seed % 2])
        problem = problem_of(file)
        every = swept(file, outcomes)
        assert problem.lattice == len(every.scores) <= LARGEST
        for proof in proofs(problem):
            assert proof.statistics.complete
            assert proof.statistics.designs == problem.lattice, seed
            boxes.append(proof.statistics.boxes)
            for category in range(len(problem.categories)):
                best = every.best(category)
                if best is None:
                    infeasible += 1
                    assert proof.scores[category] == UNKNOWN, seed
                else:
                    assert proof.scores[category] == pytest.approx(best, abs=2 * MARGIN), seed
    assert infeasible > 0
    assert boxes[2::3] != boxes[1::3]


@pytest.mark.slow
@pytest.mark.parametrize("holds", [None, ["experts"], ["cache"]])
def test_a_proof_over_a_capacity_tier_equals_the_whole_lattice(holds, tmp_path):
    """Main memory is too small for most designs, so that experts or cache overflow."""
    fixed, found = {} if holds is None else {"tier_holds": holds}, 0
    for seed in range(TIERED_STUDIES):
        file, outcomes = random_study(seed, tmp_path, TIERED, TIERED_LARGEST, **fixed)
        every = swept(file, outcomes)
        for proof in proofs(problem_of(file)):
            assert proof.statistics.complete
            for category, score in enumerate(proof.scores):
                best = every.best(category)
                wanted = UNKNOWN if best is None else pytest.approx(best, abs=2 * MARGIN)
                assert score == wanted, seed
                found += best is not None
    assert found > 1


@pytest.fixture(scope="module", params=["planned", "finished", "tiered", "deepseek-v3-128k"])
def bounded(request):
    name = request.param
    file = load_study(name if name.startswith("deepseek") else f"tests/studies/{name}.toml")
    problem = problem_of(file)
    lattice = design_grid_of(problem)

    @in_numpy
    def exact(indices):
        outcomes = jax.vmap(lambda row: problem.outcome(*lattice.at(row), Exact()))(indices)
        return jnp.concatenate([outcomes.score[:, None], outcomes.violation], axis=1)

    return bounds_of(problem), exact


POINTS = 64


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_no_point_of_a_box_lies_beyond_its_bounds(bounded, data):
    bounds, exact = bounded
    nodes = [data.draw(st.integers(0, len(tree.first) - 1)) for tree in bounds.trees]
    box = Boxes(np.asarray(nodes, np.int32)[:, None], bounds.trees)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    first, lengths = box.first[:, 0], box.lengths[:, 0]
    inside = first + rng.integers(0, lengths, (POINTS, len(lengths)))
    results = np.asarray(exact(jnp.asarray(inside)))
    assert np.isfinite(results).all()
    for it in (bounds, bounds.sharpened()):
        low, high = it.over(box)
        assert (results >= low.T - MARGIN / 10).all()
        assert (results <= high.T + MARGIN / 10).all()


@pytest.mark.slow
def test_a_box_of_one_design_is_that_design(bounded):
    bounds, exact = bounded
    rng = np.random.default_rng(0)
    shape = [int(tree.lengths[0]) for tree in bounds.trees]
    indices = rng.integers(0, shape, (POINTS, len(shape)))
    nodes = [
        [tree.single(int(at)) for at in column]
        for tree, column in zip(bounds.trees, indices.T, strict=True)
    ]
    wanted = np.asarray(exact(jnp.asarray(indices)))
    for it in (bounds, bounds.sharpened()):
        low, high = it.over(Boxes(np.asarray(nodes, np.int32), bounds.trees))
        np.testing.assert_allclose(low, high, rtol=0, atol=1e-13)
        np.testing.assert_allclose(wanted, low.T, rtol=0, atol=1e-11)


@pytest.mark.slow
def test_a_gap_that_will_do_ends_the_proof_sooner():
    bounded = bounded_problem_of(problem_of(load_study("tests/studies/planned.toml")))
    first = proven(bounded, [])
    known = list(zip(first.indices, first.scores.tolist(), strict=True))
    exactly = proven(bounded, known)
    roughly = proven(bounded, known, Budget(gap=math.log1p(0.05)))
    assert exactly.scores.tolist() == first.scores.tolist()
    assert exactly.statistics.boxes < first.statistics.boxes
    assert roughly.statistics.complete
    assert roughly.statistics.boxes < exactly.statistics.boxes
    assert np.all(roughly.scores <= exactly.scores + MARGIN)
    assert np.all(exactly.scores <= roughly.scores + math.log1p(0.05))
    assert roughly.slack == math.log1p(0.05)


def test_designs_that_no_choice_is_left_for_are_counted_once(tmp_path):
    path = study(tmp_path, "planned", design=FIXED)
    problem = problem_of(load_study(str(path)))
    proof = proven(bounded_problem_of(problem), [])
    assert problem.lattice == len(problem.categories) == 3
    assert (proof.statistics.designs, proof.statistics.evaluated, proof.statistics.boxes) == (
        3,
        3,
        3,
    )
    assert proof.statistics.complete


@pytest.mark.slow
def test_a_proof_that_ran_out_of_time_claims_nothing_of_the_rest():
    bounded = bounded_problem_of(problem_of(load_study("deepseek-v3-128k")))
    proof = proven(bounded, [], Budget(seconds=1e-9))
    assert not proof.statistics.complete
    assert [proof.infeasibility(it) for it in range(3)] == ["no design found in time"] * 3
