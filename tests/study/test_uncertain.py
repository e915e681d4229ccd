"""Which numbers of a study are drawn, and what hardware follows from a draw."""

import jax
import numpy as np
import pytest

import liminal_jax as ll
from liminal_jax.data.facility_defaults import FACILITY_DEFAULTS
from liminal_jax.data.ranges import with_values
from liminal_jax.optimization.optimum import problems_of
from liminal_jax.study.domain import Numbers
from liminal_jax.study.questions import load_study
from liminal_jax.study.read import problem_of
from liminal_jax.study.uncertain import (
    drawn,
    hardware_of_draws,
    rows_of,
    sampled_parts,
    uncertain_numbers,
)
from tests.optimization.brute import study

NETWORK_DEFAULTS = {
    default: field for (table, field), default in FACILITY_DEFAULTS.items() if table == "network"
}


def stated(paths_and_values):
    """Assumptions that state numbers by path."""
    tables = {}
    for path, value in paths_and_values.items():
        *names, field = path.split(".")
        if names == ["facility"] and field in NETWORK_DEFAULTS:
            names, field = ["network"], NETWORK_DEFAULTS[field]
        table = tables
        for name in names:
            table = table.setdefault(name, {})
        table[field] = value
    return tables


def problem_with(folder, base="planned", **changes):
    return problem_of(load_study(str(study(folder, base, **changes))))


def paths(problem):
    return {it.path for it in uncertain_numbers(problem)}


@pytest.mark.slow
def test_only_numbers_that_the_answer_depends_on_are_drawn(tmp_path):
    speed = paths(problem_with(tmp_path, objective={"maximise": "utps"}))
    assert {"memory.hbm4.bandwidth_per_area", "process.compute_density", "network.latency"} <= speed
    assert not {it for it in speed if "price" in it}
    costly = [{"quantity": "capital_cost", "at_most": "9 MUSD"}]
    cost = paths(problem_with(tmp_path, objective={"maximise": "utps"}, constraints=costly))
    assert {
        "memory.hbm4.silicon_price",
        "process.wafer_price",
        "facility.host_price",
    } <= cost - speed
    # A design states its own bandwidth.
    assert "network.bandwidth" not in cost
    assert "facility.electricity_price" not in cost
    tokens = {"minimise": "usd_per_million_tokens"}
    assert "facility.electricity_price" in paths(problem_with(tmp_path, objective=tokens))


@pytest.mark.slow
def test_a_study_leaves_a_number_out_by_stating_it(tmp_path):
    every = uncertain_numbers(problem_with(tmp_path))
    known = stated({it.path: it.value for it in every})
    assert not paths(problem_with(tmp_path, assumptions=known))
    del known["memory"]["hbm4"]["bandwidth_per_area"]
    assert paths(problem_with(tmp_path, assumptions=known)) == {"memory.hbm4.bandwidth_per_area"}


@pytest.mark.slow
def test_a_study_gives_a_range_by_a_row(tmp_path):
    row = {"value": 5e8, "low": 4e8, "high": 6e8, "source": "me", "kind": "paper"}
    before = problem_with(tmp_path)
    assumptions = {"memory": {"hbm4": {"controller_transistors": row}}}
    after = problem_with(tmp_path, assumptions=assumptions)
    assert paths(after) == paths(before)
    (filed,), (number,) = (
        [it for it in uncertain_numbers(problem) if "hbm4.controller" in it.path]
        for problem in (before, after)
    )
    assert (number.low, number.value, number.high) == (4e8, 5e8, 6e8)
    assert filed.low < 4e8
    assert filed.high > 6e8


@pytest.mark.slow
def test_finished_systems_have_ranges_of_their_own_and_share_others(tmp_path):
    tokens = {"minimise": "usd_per_million_tokens"}
    problem = problem_with(tmp_path, "finished", objective=tokens)
    found = {it.path: it for it in uncertain_numbers(problem)}
    own = {"system.h100.network.latency", "system.b200.chip.cost"}
    assert own | {"facility.rack_price", "memory.hbm3e.access_energy"} <= set(found)
    draws = drawn([found["facility.network_efficiency"]], 4, np.random.default_rng(0))
    efficiency = np.asarray(hardware_of_draws(problem, draws).network.efficiency)
    assert efficiency.shape == (4, 3)
    np.testing.assert_array_equal(efficiency, np.repeat(draws.values, 3, axis=1))


@pytest.mark.slow
def test_memory_never_takes_more_of_a_chips_power_than_its_design_power_leaves(tmp_path):
    problem = problem_with(tmp_path, "finished", objective={"minimise": "chip_power"})
    (energy,) = (it for it in uncertain_numbers(problem) if it.path == "memory.hbm3e.access_energy")
    draws = drawn([energy], 64, np.random.default_rng(0))
    chip = hardware_of_draws(problem, draws).chip
    reading = np.asarray(chip.memory.energy * chip.memory.bandwidth)[:, 2]
    assert np.all(reading <= 880 * (1 + 1e-12))
    assert np.any(reading < 880)
    assert np.any(reading > 880 * (1 - 1e-12))
    assert np.all(np.asarray(chip.power.flop_energy)[:, 2] > 0)


@pytest.mark.slow
def test_the_energy_of_arithmetic_is_drawn(tmp_path):
    planned = problem_with(tmp_path, objective={"minimise": "chip_power"})
    assert {"process.energy_per_flop", "facility.product_traffic"} <= paths(planned)
    finished = problem_with(tmp_path, "finished", objective={"minimise": "chip_power"})
    assert "facility.product_traffic" in paths(finished)


@pytest.mark.slow
@pytest.mark.parametrize("base", ["planned", "finished"])
def test_draws_fill_the_ranges_and_the_hardware_follows(base, tmp_path):
    problem = problem_with(tmp_path, base, objective={"minimise": "usd_per_million_tokens"})
    numbers = uncertain_numbers(problem)
    draws = drawn(numbers, 8, np.random.default_rng(1))
    assert len(draws) == 8
    for number, column in zip(numbers, draws.values.T, strict=True):
        # Each eighth of the distribution has one draw of eight: so Sobol's sequence is made.
        eighths = number.quantile(np.arange(9) / 8)
        assert np.histogram(column, eighths)[0].tolist() == [1] * 8
    hardware = hardware_of_draws(problem, draws)
    for one, many in zip(
        jax.tree.leaves(problem.region.case.system), jax.tree.leaves(hardware), strict=True
    ):
        assert many.shape == (8, *one.shape)
    again = drawn(numbers, 8, np.random.default_rng(1))
    np.testing.assert_array_equal(draws.values, again.values)
    other = drawn(numbers, 8, np.random.default_rng(2))
    assert not np.array_equal(draws.values, other.values)


@pytest.mark.slow
def test_a_draw_is_the_study_that_states_its_numbers(tmp_path):
    problem = problem_with(tmp_path, objective={"minimise": "usd_per_million_tokens"})
    numbers = uncertain_numbers(problem)
    draws = drawn(numbers, 4, np.random.default_rng(0))
    hardware = hardware_of_draws(problem, draws)
    for row, values in enumerate(draws.values.tolist()):
        known = stated({it.path: value for it, value in zip(numbers, values, strict=True)})
        alone = problem_with(
            tmp_path, objective={"minimise": "usd_per_million_tokens"}, assumptions=known
        )
        for one, many in zip(
            jax.tree.leaves(alone.region.case.system), jax.tree.leaves(hardware), strict=True
        ):
            np.testing.assert_allclose(one, many[row], rtol=1e-15)


@pytest.mark.parametrize("base", ["planned", "finished"])
def test_all_draws_at_once_are_those_one_by_one(base, tmp_path):
    problem = problem_with(tmp_path, base, objective={"minimise": "usd_per_million_tokens"})
    draws = drawn(uncertain_numbers(problem), 4, np.random.default_rng(0))
    rows = rows_of(problem)
    files, paths_drawn = rows.files(problem.categories), [it.path for it in draws.numbers]
    parts = [
        rows.hardware(
            with_values(files, dict(zip(paths_drawn, values, strict=True))), problem.categories
        )
        for values in draws.values.tolist()
    ]
    hardware = hardware_of_draws(problem, draws)
    for together, *alone in zip(*map(jax.tree.leaves, (hardware, *parts)), strict=True):
        np.testing.assert_array_equal(together, np.stack(alone))


@pytest.mark.slow
def test_levers_that_the_study_leaves_to_the_package_are_drawn():
    file = load_study("drafts-for-cheapest-tokens")
    problem = problem_of(file)
    levers = [it for it in uncertain_numbers(problem) if it.path.startswith("algorithm.")]
    found = {it.path.rpartition(".")[2]: it for it in levers}
    assert set(found) == {"acceptance", "decay", "fresh"}
    assert (found["acceptance"].low, found["acceptance"].high) == (0.64, 0.93)
    draws = drawn(levers, 4, np.random.default_rng(0))
    parts = sampled_parts(problem, draws)
    drawn_acceptance = draws.values[:, [it.path for it in levers].index(found["acceptance"].path)]
    np.testing.assert_allclose(parts.algorithm.speculation.acceptance, drawn_acceptance)
    first = jax.tree.map(lambda it: it[0], parts).of(problem)
    assert float(first.region.case.algorithm.speculation.acceptance) == drawn_acceptance[0]
    assert first.lattice == problem.lattice


@pytest.mark.slow
def test_levers_that_a_study_states_are_known():
    file = load_study("drafts-for-cheapest-tokens")
    levers = Numbers({**file.algorithm.stated, "acceptance": 0.8})
    problem = problem_of(file.model_copy(update={"algorithm": levers}))
    paths = {it.path for it in uncertain_numbers(problem)}
    assert "algorithm.speculation.acceptance" not in paths
    assert "algorithm.speculation.decay" in paths


def drawn_in_python(system, free):
    """Paths of the numbers that are drawn of a space written in Python, of one structure."""
    design = ll.Design(system, ll.Mapping(tp=2))
    space = ll.Space(design, free, model="llama-3-8b")
    (problem,), _ = problems_of(space, [("usd_per_million_tokens", False)], ())
    return {it.path for it in uncertain_numbers(problem)}


@pytest.mark.slow
def test_a_space_written_in_python_draws_what_it_takes_by_name():
    own = ll.load_system("h100")
    every = drawn_in_python(own, {"system": ["h200"]})
    assert {"system.h200.chip.cost", "memory.hbm3e.access_energy", "facility.pue"} <= every
    stated = {"system": ["h200"], "system.facility.energy_price": 2e-8}
    assert every - drawn_in_python(own, stated) == {"facility.electricity_price"}
    beside = drawn_in_python(own, {"system": ll.choice(named="h200", mine=own)})
    assert not any(it.startswith("system.h100") for it in beside)
    assert "system.h200.chip.cost" in beside
    assert not drawn_in_python(own, {"batch": [1, 8]})


@pytest.mark.slow
def test_a_plan_written_in_python_draws_its_memory_and_process():
    plan = {"stacks": 8, "dies": 2, "compute_area": "400 mm2", "sram": "64 MB", "domain": 72}
    system = ll.planned_system(memory="hbm4", process="n3p", link_bandwidth="900 GB/s", **plan)
    memory = drawn_in_python(system, {"memory": ["hbm4", "3d-dram"]})
    assert {it.split(".")[1] for it in memory} == {"hbm4", "3d-dram"}
    process = drawn_in_python(system, {"process": ["n3p"]})
    assert "process.n3p.wafer_price" in process
    assert not memory & process


def test_planned_chips_are_built_for_all_samples_as_for_one_after_the_other(tmp_path):
    problem = problem_with(tmp_path)
    numbers = uncertain_numbers(problem)
    draws = drawn(numbers, 4, np.random.default_rng(0))
    rows, names = rows_of(problem), problem.categories
    files, paths = rows.files(names), [it.path for it in numbers]
    stacked = hardware_of_draws(problem, draws)
    for sample, values in enumerate(draws.values.tolist()):
        one = rows.hardware(with_values(files, dict(zip(paths, values, strict=True))), names)
        mine = jax.tree.map(lambda leaf, at=sample: leaf[at], stacked)
        assert jax.tree.structure(mine) == jax.tree.structure(one)
        for left, right in zip(jax.tree.leaves(mine), jax.tree.leaves(one), strict=True):
            np.testing.assert_array_equal(left, right)
