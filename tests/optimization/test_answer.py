"""The answer of a search against every design of its lattice, judged one by one."""

import math

import numpy as np
import pytest

from liminal_jax.optimization.search.annealing import Schedule
from liminal_jax.optimization.search.best_design import Method, find
from liminal_jax.optimization.search.branch_and_bound import Budget
from liminal_jax.results.words import constraint_word
from liminal_jax.study.questions import load_study
from liminal_jax.study.read import problem_of
from tests.optimization.brute import binding, every_design, shortfalls, study

MINIMISED = {
    "tpot",
    "chips",
    "chip_power",
    "chip_tdp",
    "power",
    "power_provisioned",
    "capital_cost",
    "die_area",
    "power_density",
    "energy_per_token",
    "usd_per_million_tokens",
}
FLOORS = ("utps", "stps", "users")
CEILINGS = ("capital_cost", "power", "tpot", "chips", "usd_per_million_tokens", "energy_per_token")
FIXED = {
    "stacks": 2,
    "dies": 2,
    "compute_area": "500 mm2",
    "sram": "0 MB",
    "link_bandwidth": "900 GB/s",
    "chips": 32,
    "tp": 4,
    "cp": 1,
    "pp": 1,
    "ep": 1,
    "batch": 16,
}


def random_design(rng, base, free):
    """A design table of a base with some variables left free."""
    names = ["tp", "cp", "pp", "ep", "batch", "chips"]
    if base == "planned":
        names += ["stacks", "dies", "compute_area", "sram", "link_bandwidth"]
    kept = set(rng.choice(names, size=free, replace=False))
    design = {name: FIXED[name] for name in names if name not in kept}
    field = "memory" if base == "planned" else "system"
    known = ["hbm3e", "hbm4", "3d-dram"] if base == "planned" else ["h100", "h200", "b200"]
    members = rng.choice(known, size=rng.integers(1, 4), replace=False)
    return {**design, field: {"choices": [str(it) for it in members]}}


def random_limits(rng, rows, count, reach):
    """Limits at random ranks of what the designs reach; `reach` > 1 goes beyond all of them."""
    limits = []
    for name in rng.choice(FLOORS + CEILINGS, size=count, replace=False):
        reached = sorted(row.quantities[name] for row in rows)
        value = reached[int(rng.uniform(0.2, 0.8) * (len(reached) - 1))]
        if name in FLOORS:
            limits.append({"quantity": str(name), "at_least": value})
        else:
            limits.append({"quantity": str(name), "at_most": value})
    if reach > 1:
        limits = [it for it in limits if it["quantity"] != "utps"]
        best = max(row.quantities["utps"] for row in rows)
        limits.append({"quantity": "utps", "at_least": best * reach})
    return limits


CASES = [
    # base, objective, free variables, limits, how far beyond reach
    ("planned", "stps", 5, 2, 1.0),
    ("planned", "utps", 3, 1, 1.0),
    ("planned", "tpot", 4, 2, 1.0),
    ("planned", "capital_cost", 4, 3, 1.0),
    ("planned", "die_area", 2, 1, 1.0),
    ("planned", "power_density", 3, 2, 1.0),
    ("planned", "energy_per_token", 5, 1, 1.2),
    ("planned", "usd_per_million_tokens", 4, 0, 1.0),
    ("planned", "stps_per_usd", 1, 1, 1.0),
    ("finished", "stps_per_watt", 5, 2, 1.0),
    ("finished", "users", 4, 2, 1.0),
    ("finished", "chips", 3, 1, 1.0),
    ("finished", "chip_power", 2, 1, 1.0),
    ("finished", "power", 4, 1, 1.0),
    ("finished", "stps", 5, 2, 1.5),
    ("finished", "stps", 4, 3, 1.0),
]


def same(value, expected):
    return math.isclose(value, expected, rel_tol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(("base", "objective", "free", "limits", "reach"), CASES)
def test_the_answer_is_that_of_plain_loops(base, objective, free, limits, reach, tmp_path):
    rng = np.random.default_rng(CASES.index((base, objective, free, limits, reach)))
    asked = {"minimise" if objective in MINIMISED else "maximise": objective}
    design = random_design(rng, base, free)
    path = study(tmp_path, base, design=design, objective=asked)
    unlimited = every_design(base, load_study(str(path)))
    constraints = random_limits(rng, unlimited, limits, reach)
    path = study(tmp_path, base, design=design, objective=asked, constraints=constraints)
    file = load_study(str(path))
    rows = every_design(base, file)
    assert len(rows) < 20_000
    answer = find(problem_of(file))

    assert_certified(answer, len(rows))
    feasible = [row for row in rows if row.feasible]
    assert answer.feasible == bool(feasible)
    if feasible:
        assert_best(answer, rows, max(feasible, key=lambda row: row.score))
    else:
        assert_least_wrong(answer, rows)


def assert_certified(answer, lattice):
    it = answer.certificate
    assert (it.method, it.lattice, it.complete) == ("bound", lattice, True)
    assert answer.problem.lattice == lattice
    if answer.feasible:
        # Of two designs that are equal but for rounding either may bound the other.
        assert it.bound == pytest.approx(answer.objective, rel=1e-12)
        assert it.relative_gap == pytest.approx(0.0, abs=1e-12)
    else:
        assert (it.bound, it.relative_gap) == (None, None)


def at_answer(answer, rows):
    (row,) = [
        row
        for row in rows
        if row.category == answer.solution.category and row.values == answer.solution.values
    ]
    return row


def assert_best(answer, rows, best):
    """The same objective; the same design, or one that ties with it; and why not a better one."""
    here = at_answer(answer, rows)
    name = answer.problem.file.objective.quantity
    assert here.feasible
    assert same(answer.objective, best.quantities[name])
    assert same(answer.objective, here.quantities[name])
    assert {it.constraint for it in answer.binding} == binding(rows, here)
    for it in answer.binding:
        assert it.slack >= -1e-9 * it.limit
        if it.constraint in here.quantities:
            assert same(it.value, here.quantities[it.constraint])
    for number, category in enumerate(answer.problem.categories):
        merits = [row.score for row in rows if row.category == category and row.feasible]
        assert (answer.proof.infeasibility(number) is None) == bool(merits)
        if merits:
            assert math.isclose(answer.proof.scores[number], max(merits), abs_tol=1e-9)


def assert_least_wrong(answer, rows):
    """The least total violation; the reasons tell each limit that alone would have to give."""
    here = at_answer(answer, rows)
    assert math.isclose(
        here.total_violation, min(row.total_violation for row in rows), abs_tol=1e-9
    )
    exceeded = {name for name, it in here.violation.items() if it > 1e-9}
    assert {it.constraint for it in answer.binding} == exceeded
    assert all(it.slack < 0 for it in answer.binding)
    bounds = {it.name: it for it in answer.problem.limits}
    least = shortfalls(rows)
    notes = [sentence for sentence in answer.reasons if "cannot be met" in sentence]
    assert len(notes) == len(least)
    for sentence, (name, violation) in zip(
        notes, sorted(least.items(), key=lambda item: item[1]), strict=True
    ):
        limit = bounds[name]
        value = limit.bound * math.exp(-violation if limit.at_least else violation)
        side = "at least" if limit.at_least else "at most"
        assert sentence.startswith(f"{constraint_word(name)} {side} {limit.bound:.4g}")
        assert f"{value:.4g} is the best ({abs(value / limit.bound - 1):.1%} off)" in sentence
    if not least:
        assert "several must give" in answer.reasons[1]


def searched(path):
    return find(problem_of(load_study(str(path))))


@pytest.mark.slow
def test_a_proof_that_is_stopped_says_how_far_it_came(tmp_path):
    design = {
        **FIXED,
        "tp": {"min": 1, "max": 40, "step": 1},
        "batch": {"min": 1, "max": 40, "step": 1},
        "chips": {"min": 1, "max": 40, "step": 1},
    }
    limits = [{"quantity": "utps", "at_least": 300}, {"quantity": "power", "at_most": "20 kW"}]
    path = study(tmp_path, "finished", design=only_finished(design), constraints=limits)
    problem = problem_of(load_study(str(path)))
    whole = find(problem)
    assert_certified(whole, 64_000 * 3)
    answer = find(problem, Schedule(starts=2), budget=Budget(seconds=1e-9), method=Method.AUTO)
    it = answer.certificate
    assert not it.complete
    assert answer.feasible
    assert "stopped early" in answer.reasons[0]
    assert len(answer.gradients.starts.category) == 6
    assert it.bound is None or it.bound >= whole.objective * (1 - 1e-9)


def only_finished(design):
    planned = ("stacks", "dies", "compute_area", "sram", "link_bandwidth")
    return {name: value for name, value in design.items() if name not in planned}


@pytest.mark.slow
def test_a_study_without_a_choice(tmp_path):
    path = study(tmp_path, "finished", design={**only_finished(FIXED), "system": "h200"})
    answer = searched(path)
    assert answer.feasible
    assert (answer.solution.category, answer.solution.values) == ("h200", {})
    assert answer.binding == []
    assert_certified(answer, 1)


@pytest.mark.slow
def test_a_single_feasible_design_is_found(tmp_path):
    design = {
        **only_finished(FIXED),
        "tp": {"choices": [1, 2, 4, 8]},
        "batch": {"choices": [1, 2, 4]},
    }
    base = study(tmp_path, "finished", design=design)
    rows = every_design("finished", load_study(str(base)))
    fastest = max(row.quantities["utps"] for row in rows)
    limits = [{"quantity": "utps", "at_least": fastest}]
    path = study(tmp_path, "finished", design=design, constraints=limits)
    feasible = [row for row in every_design("finished", load_study(str(path))) if row.feasible]
    assert len(feasible) == 1
    answer = searched(path)
    assert answer.feasible
    assert answer.solution.values == feasible[0].values
    assert same(answer.objective, feasible[0].quantities["stps"])


@pytest.mark.slow
def test_a_constant_objective(tmp_path):
    design = {**only_finished(FIXED), "system": "h100", "batch": {"choices": [1, 2, 4]}}
    answer = searched(study(tmp_path, "finished", design=design, objective={"minimise": "chips"}))
    assert answer.feasible
    assert answer.objective == pytest.approx(32, rel=1e-12)
    assert answer.binding == []
    assert answer.reasons[1:] == ["chips is the same for every design of the lattice"]


@pytest.mark.slow
def test_unknown_numbers_are_told_and_never_judged(tmp_path):
    design = {**only_finished(FIXED), "chips": 4, "system": {"choices": ["groq-lp30"]}}
    limits = [{"quantity": "power", "at_most": "1 MW"}]
    path = study(tmp_path, "finished", design=design, constraints=limits)
    answer = searched(path)
    assert not answer.feasible
    assert "power of groq-lp30 cannot be evaluated" in answer.reasons[0]
    path = study(tmp_path, "finished", design=design, objective={"minimise": "capital_cost"})
    answer = searched(path)
    assert not answer.feasible
    assert "capital cost of groq-lp30 cannot be evaluated" in answer.reasons[0]
