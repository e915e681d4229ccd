"""Numbers of a study by path: searched, written back, predicted again, and what is refused."""

import itertools
import json
import tomllib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tomli_w

import liminal_jax as ll
from experiments.listed import in_numpy
from liminal_jax._files import InputError
from liminal_jax._smooth import Exact
from liminal_jax.study.file import load_design
from liminal_jax.study.predicted import predicted, record_of
from liminal_jax.study.problem import FEASIBLE
from liminal_jax.study.questions import load_study
from liminal_jax.study.read import problem_of
from liminal_jax.study.write import design_text
from tests.cli.terminal import exit_code
from tests.cli.test_studies import PLAN, SYSTEMS

NUMBERS = """
[design.numbers]
"system.chip.memory.bandwidth" = ["3 TB/s", "4.8 TB/s", "6 TB/s"]
kv_bits = [4, 8]
"request.context" = { min = 4096, max = 12288, step = 4096 }
pue = 1.2
"""
LIMITS = '[[constraints]]\nquantity = "energy_per_token"\nat_most = "2 J"\n'


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


def study(tmp_path, text):
    path = tmp_path / "study.toml"
    path.write_text(text)
    return str(path)


@pytest.fixture
def found_by_path(tmp_path):
    return study(tmp_path, SYSTEMS.replace("[design]", LIMITS + "[design]") + NUMBERS)


def wrong(tmp_path, numbers, text=SYSTEMS):
    path = study(tmp_path, f"{text}\n[design.numbers]\n{numbers}")
    with pytest.raises(InputError) as caught:
        problem_of(load_study(path))
    return {it.path: it.message for it in caught.value.problems}


@pytest.mark.slow
def test_a_study_finds_the_best_of_all_values_of_its_numbers(found_by_path):
    space, objective, limits = ll.load_study(found_by_path)
    answer = ll.optimize(space, objective, limits=limits)
    problem = problem_of(load_study(found_by_path))
    assert {it.path for it in problem.variables} == {
        "system.chip.memory.bandwidth",
        "mapping.tp",
        "request.kv_bits",
        "request.context",
    }
    outcome = in_numpy(
        jax.vmap(lambda point, row: problem.outcome(point, row, Exact()), in_axes=(0, None))
    )
    points = jnp.asarray([*itertools.product(*(it.grid.values for it in problem.variables))])
    best = -np.inf
    for row in range(2):
        every = outcome(points, row)
        feasible = np.max(every.violation, axis=1) <= FEASIBLE
        best = max(best, np.max(every.score, where=feasible, initial=-np.inf))
    assert answer.feasible
    assert answer.certificate.lattice == 72
    assert answer.certificate.complete
    assert answer.objective == pytest.approx(problem.objective(best), rel=1e-12)


@pytest.mark.slow
def test_the_same_space_stated_in_python_has_the_same_best(found_by_path):
    space, objective, limits = ll.load_study(found_by_path)
    system = ll.load_system("h200")
    mine = ll.Space(
        ll.Design(system),
        {
            "tp": [1, 2],
            "system.chip.memory.bandwidth": ["3 TB/s", "4.8 TB/s", "6 TB/s"],
            "kv_bits": [4, 8],
            "request.context": [4096, 8192, 12288],
            "pue": 1.2,
        },
        model="llama-3-8b",
        request=ll.Request(context=8192, weight_bits=8, kv_bits=8),
    )
    ours = ll.optimize(space.only("h200"), objective, limits=limits)
    theirs = ll.optimize(mine, objective, limits=limits)
    assert ours.objective == pytest.approx(theirs.objective, rel=1e-12)
    assert ours.values == theirs.values


@pytest.mark.slow
def test_what_is_found_is_a_design_that_predicts_the_same(found_by_path, tmp_path):
    problem = problem_of(load_study(found_by_path))
    point = [it.grid.values[-1] for it in problem.variables]
    case = problem.region.at(point, jnp.asarray(1))
    names = [it.name for it in problem.variables]
    path = tmp_path / "design.toml"
    values = dict(zip(names, point, strict=True))
    path.write_text(design_text(problem.file, values, problem.categories[1]))
    written = tomllib.loads(path.read_text())["design"]["numbers"]
    assert written == {
        "system.chip.memory.bandwidth": 6e12,
        "kv_bits": 8.0,
        "request.context": 12288.0,
        "pue": 1.2,
    }
    again = predicted(load_design(str(path)))
    fleet = in_numpy(lambda it: it.fleet(Exact()))(case)
    assert float(again.prediction.step_time) == float(fleet.instance.step_time)
    record = record_of(again)
    assert record["workload"]["context"] == 12288
    assert any("system.chip.memory.bandwidth" in line for line in record["basis"])


@pytest.mark.slow
def test_a_number_of_a_plan_that_is_fixed_holds_in_every_draw(tmp_path):
    from liminal_jax.study.uncertain import drawn, hardware_of_draws, uncertain_numbers

    fixed = '[design.numbers]\n"material.memory.layers" = 20\nenergy_price = "0.2 USD/kWh"\n'
    path = study(tmp_path, PLAN + fixed)
    problem = problem_of(load_study(path))
    assert float(problem.region.numbers["system.chip.material.memory.layers"]) == 20
    paths = {it.path for it in uncertain_numbers(problem)}
    assert "facility.energy_price" not in paths
    draws = drawn(uncertain_numbers(problem), 4, np.random.default_rng(0))
    layers = hardware_of_draws(problem, draws).chip.material.memory.layers
    assert np.asarray(layers).ravel().tolist() == [20.0] * np.size(layers)


@pytest.mark.parametrize(
    ("numbers", "path", "message"),
    [
        ("bandwith = 3e12", "bandwith", "did you mean"),
        ("tp = [1, 2]", "tp", "has a field of its own: write tp in [design]"),
        ("kv_bits = [0, 8]", "kv_bits", "must be greater than 0, got 0"),
        ("kv_bits = []", "kv_bits", "at least 1"),
        ('"memory.bandwidth" = "3 GB"', "memory.bandwidth", "got '3 GB'"),
        ("context = { min = 9, max = 8, step = 1 }", "context", "exchange them"),
        ("context = true", "context", "must be a value"),
    ],
)
def test_numbers_that_make_no_sense(tmp_path, numbers, path, message):
    assert message in wrong(tmp_path, numbers)[f"design.numbers.{path}"]


def test_all_mistakes_in_numbers_are_told_at_once(tmp_path):
    found = wrong(tmp_path, 'kv_bits = 8\n"request.kv_bits" = 4\nbandwith = 1\ncontext = -1')
    assert set(found) == {
        "design.numbers.request.kv_bits",
        "design.numbers.bandwith",
        "design.numbers.context",
    }
    assert "is 'kv_bits' again; state it once" in found["design.numbers.request.kv_bits"]


def test_a_path_that_leads_nowhere_gets_the_nearest_five(tmp_path):
    message = wrong(tmp_path, '"chip.memory.bandwith" = 1')["design.numbers.chip.memory.bandwith"]
    near = message.split("did you mean ")[1].rstrip("?").split(", ")
    assert "system.chip.memory.bandwidth" in near
    assert len(near) <= 5


def test_what_a_plan_gives_is_not_stated_twice(tmp_path):
    message = wrong(tmp_path, '"network.bandwidth" = 1e12', PLAN)
    assert "write link_bandwidth" in message["design.numbers.network.bandwidth"]


def test_free_numbers_make_no_design(tmp_path):
    tables = tomllib.loads(SYSTEMS)
    del tables["objective"]
    tables["design"] = {"system": "h200", "numbers": {"kv_bits": [4, 8]}}
    with pytest.raises(InputError, match=r"design\.numbers: must be one value here"):
        load_design(study(tmp_path, tomli_w.dumps(tables)))


@pytest.mark.slow
def test_what_optimize_finds_is_predicted_the_same(found_by_path, tmp_path, capsys):
    folder = tmp_path / "optimize"
    assert not exit_code(["optimize", found_by_path, "-o", str(folder), "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert not exit_code(["predict", "-c", str(folder / "design.toml"), "--json"])
    again = json.loads(capsys.readouterr().out)
    for name in ("utps", "stps", "energy_per_token", "memory_required"):
        assert again[name] == answer["prediction"][name]


@pytest.mark.parametrize("name", ["pareto", "sensitivity"])
@pytest.mark.slow
def test_other_commands_search_numbers_by_path(found_by_path, tmp_path, capsys, name):
    assert not exit_code([name, found_by_path, "-o", str(tmp_path / name), "--json"])
    assert "kv_bits" in capsys.readouterr().out
