"""How far a chip falls short of its peaks, as a study says it and as its design carries it."""

import dataclasses
import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.listed import in_numpy
from liminal_jax._files import InputError
from liminal_jax._smooth import Exact
from liminal_jax.optimization.search.best_design import find
from liminal_jax.optimization.search.solution import solution_of
from liminal_jax.optimization.sensitivity.overlap import (
    PESSIMISTIC,
    BestUnder,
    best_under_less,
    kink,
    pessimistic,
    with_overlap,
)
from liminal_jax.study.bundled import study_names
from liminal_jax.study.predicted import predicted
from liminal_jax.study.questions import load_question, load_space, load_study
from liminal_jax.study.read import problem_of
from liminal_jax.study.uncertain import uncertain_numbers
from liminal_jax.study.write import design_text
from tests.optimization.brute import study
from tests.study.cases import case_with, seen

SHARES = {"compute_share": 0.75, "bandwidth_share": 0.85}


def problem_with(folder, of="planned", **execution):
    return problem_of(load_study(str(study(folder, of, assumptions={"execution": execution}))))


def messages(folder, **execution):
    with pytest.raises(InputError) as caught:
        problem_with(folder, **execution)
    return {it.path: it.message for it in caught.value.problems}


@pytest.mark.slow
@pytest.mark.parametrize("base", ["planned", "finished"])
def test_a_study_sets_what_is_sustained(base, tmp_path):
    ideal, less = problem_with(tmp_path, base), problem_with(tmp_path, base, **SHARES)

    def instance(problem):
        return in_numpy(lambda: problem.first().fleet(Exact()).instance)()

    at_peak, sustained = instance(ideal), instance(less)
    assert float(sustained.compute_time) == pytest.approx(float(at_peak.compute_time) / 0.75)
    assert float(sustained.memory_time) == pytest.approx(float(at_peak.memory_time) / 0.85)
    assert float(sustained.memory_required) == float(at_peak.memory_required)


def test_what_is_wrong_is_said_with_its_path(tmp_path):
    assert messages(tmp_path, compute_share=0) == {
        "assumptions.execution.compute_share": "must be above zero, not 0"
    }
    assert messages(tmp_path, overlap_between_operators=1.5) == {
        "assumptions.execution.overlap_between_operators": "must lie between 0 and 1, not at 1.5"
    }
    (message,) = messages(tmp_path, bandwith_share=0.5).values()
    assert "did you mean 'bandwidth_share'" in message
    found = messages(tmp_path, base="idael")
    assert found["assumptions.execution.base"] == (
        "there is no way of using a chip called 'idael'; did you mean 'ideal'?"
    )


@pytest.mark.parametrize(
    ("base", "time"),
    [("near-ideal-gpu", 1.5e-6), ("near-ideal-sram", 0.06e-6), ("near-ideal-wafer", 1.725282e-6)],
)
def test_a_study_starts_from_what_the_best_software_leaves(base, time, tmp_path):
    problem, ideal = (problem_with(tmp_path, "finished", **it) for it in ({"base": base}, {}))
    execution = problem.region.case.system.execution
    waited = execution.operation_time + 2 * execution.mesh_side * execution.mesh_hop
    assert jnp.allclose(waited, time, rtol=1e-6)
    waits, none = (it.first().fleet(Exact()).instance.exposed_time for it in (problem, ideal))
    assert float(waits) > float(none)


@pytest.mark.slow
@pytest.mark.parametrize("base", ["planned", "finished"])
def test_all_four_are_uncertain_until_a_study_states_them(base, tmp_path):
    def drawn(problem):
        paths = {it.path for it in uncertain_numbers(problem)}
        return {it.partition(".")[2] for it in paths if it.startswith("execution.")}

    every = {
        "compute_share",
        "bandwidth_share",
        "overlap_between_operators",
        "overlap_within_operators",
    }
    assert drawn(problem_with(tmp_path, base)) == every
    assert drawn(problem_with(tmp_path, base, **SHARES)) == every - set(SHARES)


@pytest.mark.slow
def test_a_saved_design_carries_them_and_says_so(tmp_path):
    shares = {**SHARES, "overlap_between_operators": 0.5}
    file = load_study(str(study(tmp_path, "planned", assumptions={"execution": shares})))
    chosen = {it.name: it.grid.values[0] for it in problem_of(file).variables}
    path = tmp_path / "design.toml"
    path.write_text(design_text(file, chosen, "hbm4"))
    answer = predicted(load_space(str(path)))
    text = (
        "Sustained are 75% of the peak rates of arithmetic and 85% of the bandwidth of memory;"
        " arithmetic and memory overlap by 50% over the whole step, by 100% within operators."
    )
    assert answer.basis[0].endswith(text)
    problem = problem_of(file)
    fleet = case_with(problem, 1).fleet(Exact())
    assert float(answer.prediction.step_time) == pytest.approx(float(fleet.instance.step_time))


SMALL = {
    "stacks": 4,
    "dies": 2,
    "sram": "0 MB",
    "link_bandwidth": "900 GB/s",
    "cp": 1,
    "pp": 1,
    "ep": 1,
    "chips": 16,
    "compute_area": {"choices": ["200 mm2", "600 mm2"]},
    "tp": {"choices": [4, 8]},
}


@pytest.mark.slow
def test_the_answer_under_less_overlap_is_the_best_of_all_designs_then(tmp_path):
    file = load_study(str(study(tmp_path, "planned", design=SMALL)))
    problem = problem_of(file)
    finding = find(problem)
    answers = pessimistic(problem, finding.solution, best_under_less(problem))
    under = {it.overlap: it for it in answers}
    assert list(under) == [it.name for it in PESSIMISTIC]
    assert finding.objective > under["within operators"].objective > under["none"].objective
    for overlap in PESSIMISTIC:
        execution = {
            "overlap_between_operators": overlap.between,
            "overlap_within_operators": overlap.within,
        }
        stated = {"execution": execution}
        other = find(
            problem_of(
                load_study(str(study(tmp_path, "planned", design=SMALL, assumptions=stated)))
            )
        )
        it = under[overlap.name]
        assert it.complete
        assert it.objective == pytest.approx(other.objective, rel=1e-12)
        assert it.solution == other.solution
        assert it.of_design <= it.objective * (1 + 1e-12)
        assert it.exceeded == ()


@pytest.mark.slow
def test_a_design_between_the_steps_stands_where_no_step_is_better(tmp_path):
    problem = problem_of(load_study(str(study(tmp_path, "planned", design=SMALL))))
    found = find(problem).solution
    area = [it.name for it in problem.variables].index("compute_area")
    point = list(found.point)
    point[area] *= 0.999
    between = solution_of(problem, np.asarray(point), found.row)
    nothing = [BestUnder(it, None, -math.inf, complete=True) for it in PESSIMISTIC]
    of_between, of_step = (pessimistic(problem, it, nothing) for it in (between, found))
    for it, step in zip(of_between, of_step, strict=True):
        assert (it.solution, it.objective, it.exceeded) == (between, it.of_design, ())
        assert it.of_design == pytest.approx(step.of_design, rel=0.01)
        assert it.of_design != step.of_design


@pytest.mark.slow
def test_an_answer_without_overlap_has_no_worse_one(tmp_path):
    problem = with_overlap(problem_with(tmp_path), PESSIMISTIC[-1])
    assert best_under_less(problem) == []


@pytest.mark.slow
def test_a_kink_is_named_where_both_times_are_equal(tmp_path):
    file = load_study(str(study(tmp_path, "planned", design=SMALL)))
    instance = find(problem_of(file)).fleet.instance

    def at(compute, memory):
        return kink(
            dataclasses.replace(
                instance, compute_time=jnp.asarray(compute), memory_time=jnp.asarray(memory)
            )
        )

    assert at(0.0140, 0.0137) == (
        "the optimum sits on the kink: arithmetic is busy for 14 ms of a step and memory for"
        " 13.7 ms, so that the answer rests on their overlap"
    )
    assert at(0.014, 0.013) is None
    assert at(float("nan"), 0.013) is None


def test_what_a_chip_cannot_keep_free_or_leave_half_said(tmp_path):
    for reserve, said in (
        (1.2, "between 0 and 1"),
        (1.0, "lie below 1"),
        (-0.1, "between 0 and 1"),
    ):
        (message,) = messages(tmp_path, memory_reserve=reserve).items()
        assert message[0] == "assumptions.execution.memory_reserve"
        assert said in message[1]
        assert f"not at {reserve:g}" in message[1]
    (message,) = messages(tmp_path, die_link_bandwidth="2 TB/s").items()
    assert message == (
        "assumptions.execution",
        "links between dies need die_link_latency, die_link_energy, die_link_area,"
        " die_link_shoreline too",
    )
    assert messages(tmp_path, operation_time="-1 us") == {
        "assumptions.execution.operation_time": "must not be below zero, not -1 us"
    }


PLANNED = {"base": "planned-chip"}


@pytest.mark.slow
def test_links_between_dies_take_area_and_edge_of_planned_dies(tmp_path):
    ideal, linked = problem_with(tmp_path), problem_with(tmp_path, **PLANNED)

    def hardware(problem, dies):
        return seen(case_with(problem, 1, dies=dies), Exact())

    links = linked.region.case.system.chip.material.die_links
    process = linked.region.case.system.chip.material.process
    for dies, joins in ((1.0, 0.0), (2.0, 1.0), (4.0, 1.0)):
        (bare, _), (fleet, _) = hardware(ideal, dies), hardware(linked, dies)
        more = joins * 2.5e12 * float(links.area) / (1 - float(process.overhead_fraction))
        assert float(fleet.die_area - bare.die_area) == pytest.approx(more, rel=1e-6, abs=1e-15)
    # 2.5 TB/s take 3.8 mm; a die that must give them more than its free edges cannot be built
    wide = problem_with(tmp_path, **PLANNED, die_link_bandwidth="100 TB/s")
    assert float(hardware(linked, 2.0)[1]["shoreline"]) < 1
    assert float(hardware(wide, 2.0)[1]["shoreline"]) > 1


@pytest.mark.slow
def test_the_best_of_a_study_with_everything_on_is_proven_and_its_file_predicts_the_same(tmp_path):
    design = {**SMALL, "dies": {"choices": [1, 2, 4]}, "batch": {"choices": [1, 8, 64]}}
    path = study(tmp_path, "planned", design=design, assumptions={"execution": PLANNED})
    file = load_study(str(path))
    problem = problem_of(file)
    judge = in_numpy(
        jax.vmap(lambda point, row: problem.outcome(point, row, Exact()), in_axes=(0, None))
    )
    points = list(itertools.product(*(it.grid.values for it in problem.variables)))
    best = -math.inf
    for row in range(len(problem.categories)):
        outcome = judge(jnp.asarray(points), jnp.asarray(row))
        feasible = jnp.all(outcome.violation <= 1e-9, axis=1)
        best = max(best, float(jnp.max(jnp.where(feasible, outcome.score, -jnp.inf))))
    finding = find(problem)
    assert finding.certificate.complete
    assert finding.certificate.relative_gap == 0
    assert finding.objective == pytest.approx(math.exp(best), rel=1e-9)
    saved = tmp_path / "design.toml"
    saved.write_text(design_text(file, finding.solution.values, finding.solution.category))
    again = predicted(load_space(str(saved)))
    for one, other in zip(
        jax.tree.leaves(again.prediction), jax.tree.leaves(finding.fleet.instance), strict=True
    ):
        assert float(one) == pytest.approx(float(other), rel=1e-9)
    text = " ".join(again.basis)
    assert "Operators that depend on each other start 1 us one after the other" in text
    assert "10% of main memory is kept free" in text


DESIGNS = [it for it in study_names() if hasattr(load_question(it), "design")]


@pytest.mark.parametrize("name", DESIGNS)
def test_studies_of_planned_chips_charge_what_happens_inside_them(name):
    file = load_question(name)
    planned = file.design.system is None
    assert file.assumptions.execution == (PLANNED if planned else {})
