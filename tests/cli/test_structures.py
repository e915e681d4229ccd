"""Studies that choose between systems of different structure, on the command line and in Python."""

import itertools
import json
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import liminal_jax as ll
from experiments.listed import in_numpy
from liminal_jax._smooth import Exact
from liminal_jax.optimization.robust.result import RobustOptimum
from liminal_jax.optimization.robust.search import robust_design
from liminal_jax.optimization.search.design_grid import design_grid_of
from liminal_jax.optimization.uncertainty.analysis import draws_of
from liminal_jax.study.questions import load_study
from liminal_jax.study.read import problem_of, problems_of
from liminal_jax.study.uncertain import sampled_parts
from tests.cli.terminal import exit_code
from tests.cli.test_predict import no_token
from tests.optimization.robust.test_search import SCHEDULE
from tests.optimization.test_optimum import answered

pytestmark = pytest.mark.slow

STUDY = """
name = "mixed"

[workload]
model = "llama-3-8b"
context = 8192

[objective]
minimise = "usd_per_million_tokens"

[[constraints]]
quantity = "utps"
at_least = 20

[design]
system = { choices = ["h200", "mi355x", "h100", "tpu-v5p"] }
tp = { choices = [1, 2, 4] }
batch = { choices = [1, 8, 32, 128] }
"""
LACKING = "tpu-v5p"
KNOWN = {"h200", "mi355x", "h100"}


@pytest.fixture(autouse=True)
def study(tmp_path, monkeypatch, tmp_path_factory):
    """The study, read in Python, beside its file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    Path("mixed.toml").write_text(STUDY)
    found = ll.load_study("mixed.toml")
    assert [set(it.categories) for it in found.space.regions] == [
        {"h200", "h100"},
        {"mi355x"},
        {LACKING},
    ]
    return found


def printed(capsys, command, *options):
    """What the command prints as JSON about the study."""
    assert exit_code([command, "mixed.toml", "-o", "run", *options, "--json"]) == 0
    return answered(json.loads(capsys.readouterr().out, parse_constant=no_token))


def fast(it):
    """The limit of the study."""
    return 20 - it.utps


def every_design(space, outputs, limits):
    """Outputs of all designs that meet the limits, an array for each alternative, and its name."""
    with jax.enable_x64(True):
        swept = ll.sweep(space, [*outputs, *limits])
    values, names = [], []
    for region, found, built in zip(swept.regions, swept.values, swept.feasible, strict=True):
        holds = built & np.all(found[..., len(outputs) :] <= 0, axis=-1)
        holds &= ~np.isnan(found).any(axis=-1)
        values += [it[met][:, : len(outputs)] for it, met in zip(found, holds, strict=True)]
        names += region.categories
    return values, names


def test_a_front_is_that_of_python_and_of_all_designs(study, capsys):
    asked = ("--maximise", "utps", "--minimise", "usd_per_million_tokens")
    record = printed(capsys, "pareto", *asked)
    objectives = {"maximise": ["utps"], "minimise": ["usd_per_million_tokens"]}
    front = ll.pareto(study.space, **objectives, limits=study.limits)
    assert answered(front.to_dict()) == record
    assert {*record["kinds"]} == KNOWN
    assert any(f"{LACKING} cannot be evaluated" in it for it in record["reasons"])
    assert record["certificate"]["complete"]
    assert record["certificate"]["lattice"] == study.space.size

    values, _ = every_design(study.space, ["utps", "usd_per_million_tokens"], [fast])
    gains = np.concatenate(values) * [1, -1]
    best = [it for it in gains if not np.any(np.all(gains >= it, 1) & np.any(gains > it, 1))]
    rows = [tuple(it["objectives"].values()) for it in record["points"]]
    expected = np.unique(np.round(best, 9), axis=0) * [1, -1]
    np.testing.assert_allclose(rows, expected, rtol=1e-8)

    assert len({it["design"]["system"] for it in record["points"]}) > 1
    for it in record["points"]:
        assert exit_code(["predict", "-c", f"run/{it['file']}", "--json"]) == 0
        prediction = json.loads(capsys.readouterr().out)
        assert prediction["utps"] == pytest.approx(it["objectives"]["utps"], rel=1e-9)
    assert Path("run/figures/front.png").exists()


def test_sensitivities_are_those_of_python_within_the_structure_of_the_best(study, capsys):
    record = printed(capsys, "sensitivity", "--top", "99")
    best = ll.optimize(study.space, study.objective, limits=study.limits)
    assert answered(ll.sensitivity(best).to_dict()) == record
    assert record["best"]["design"]["system"] == best.name
    (own,) = (it.categories for it in study.space.regions if best.name in it.categories)
    assert record["reasons"][0].startswith(f"{best.name} has the best design of h200, ")
    assert record["reasons"][0].endswith(f"that of {', '.join(own)}")
    assert any(f"{LACKING} cannot be evaluated" in it for it in record["reasons"])
    assert record["best"]["certificate"]["lattice"] == study.space.size

    alone = ll.sensitivity(
        ll.optimize(study.space.only(*own), study.objective, limits=study.limits)
    ).to_dict()
    for name in ("elasticities", "shadow_prices", "tornado", "moves", "relaxed"):
        assert record[name] == answered(alone[name])
    assert record["elasticities"]
    assert Path("run/figures/tornado.png").exists()


def test_a_study_that_no_structure_can_meet_has_the_reasons_of_each(capsys):
    hard = STUDY.replace("at_least = 20", "at_least = 1e9")
    Path("mixed.toml").write_text(hard)
    assert exit_code(["sensitivity", "mixed.toml", "-o", "run", "--json"]) == 1
    record = json.loads(capsys.readouterr().out, parse_constant=no_token)
    assert record["feasible"] is False
    for names in ("h200, h100", "mi355x"):
        assert any(it.startswith(f"{names}: ") for it in record["reasons"])


SAMPLES = 8


def each_draw(problem, draws):
    """Every design of a structure: indices, cost in each draw, and whether it is feasible there.

    One draw after the other, and nothing is searched.
    """
    grid, costs, met = design_grid_of(problem), [], []
    rows = jnp.asarray(list(itertools.product(*map(range, grid.shape))))
    parts = sampled_parts(problem, draws)

    @in_numpy
    def outcomes(part):
        changed = part.of(problem)
        return jax.vmap(lambda row: changed.outcome(*grid.at(row), Exact()))(rows)

    for draw in range(len(draws)):
        outcome = outcomes(jax.tree.map(lambda leaf, at=draw: leaf[at], parts))
        held = np.all(np.asarray(outcome.violation) <= 1e-9, axis=1)
        met.append(held & np.isfinite(outcome.score))
        costs.append(np.exp(-np.asarray(outcome.score)))
    return np.asarray(rows), np.stack(costs, axis=1), np.stack(met, axis=1)


@pytest.fixture
def contest():
    """The study with a limit that draws decide on; draws, and each design in them.

    By design its cost in each draw, and whether it is feasible.
    """
    text = STUDY.replace("at_least = 20", "at_least = 1000").replace("mi355x", "mi325x")
    Path("mixed.toml").write_text(text)
    problems = problems_of(load_study("mixed.toml"))
    draws, _ = draws_of(problems, SAMPLES, seed=3)
    every = {}
    for problem in problems:
        for place, cost, met in zip(*each_draw(problem, draws), strict=True):
            free = zip(problem.variables, place[1:].tolist(), strict=True)
            values = [it.grid.values[at] for it, at in free]
            every[(problem.categories[place[0]], *values)] = cost, met
    return ll.load_study("mixed.toml"), draws, every


def test_each_draw_is_won_by_the_best_of_all_structures(contest, capsys):
    study, draws, every = contest
    few = ("--samples", str(SAMPLES), "--seed", "3", "--reliability", "0.5")
    record = printed(capsys, "uncertainty", *few)
    again = ll.uncertainty(
        study.space, study.objective, study.limits, samples=SAMPLES, seed=3, reliability=0.5
    )
    assert answered(again.to_dict()) == record
    assert [it["path"] for it in record["numbers"]] == [it.path for it in draws.numbers]
    np.testing.assert_array_equal(again.draws.values, draws.values)
    # Both of structures of their own, and the same for all of them.
    paths = {it.path for it in draws.numbers}
    assert {"system.h200.chip.cost", "facility.electricity_price"} <= paths
    assert any(it.startswith("system.mi325x.") for it in paths)

    names = [it["category"] for it in record["categories"]]
    assert names == [name for it in study.space.regions for name in it.categories]
    feasible = {it: np.where(met, cost, np.inf) for it, (cost, met) in every.items()}
    table = np.stack(
        [np.min([cost for it, cost in feasible.items() if it[0] == name], axis=0) for name in names]
    )
    best, winners = table.min(axis=0), table.argmin(axis=0)
    assert set(winners.tolist()) == {0, 1, 2}
    np.testing.assert_allclose(again.objectives, best, rtol=1e-8)
    assert again.winners.tolist() == winners.tolist()
    for row, it in enumerate(record["categories"]):
        assert it["wins"] == np.mean(winners == row)
        assert it["feasible"] == np.mean(np.isfinite(table[row]))
    assert record["categories"][names.index(LACKING)]["feasible"] == 0
    assert record["certificate"]["proven"] == SAMPLES
    assert record["certificate"]["lattice"] == study.space.size == len(every)

    def loss(design):
        cost = feasible[(design.category, *design.values.values())]
        return np.where(np.isfinite(cost), cost / best - 1, np.nan)

    for design in (again.nominal, again.robust, again.cautious):
        np.testing.assert_allclose(design.losses, loss(design), rtol=0, atol=1e-8)
    regrets = np.stack([cost / best - 1 for cost in feasible.values()])
    met = np.isfinite(regrets)
    reliable = met.mean(axis=1) >= 0.5
    means = [row[ok].mean() for row, ok in zip(regrets[reliable], met[reliable], strict=True)]
    assert again.robust.regret.mean == pytest.approx(min(means), abs=1e-8)
    for name in ("nominal", "robust", "cautious"):
        assert exit_code(["predict", "-c", f"run/designs/{name}.toml"]) == 0


def test_the_robust_design_is_the_best_of_each_structure(contest, capsys, monkeypatch):
    study, draws, every = contest
    for place in ("liminal_jax.cli.robust", "liminal_jax.optimization.analyses"):
        monkeypatch.setattr(f"{place}.robust_design", partial(robust_design, schedule=SCHEDULE))
    options = ("--robust", "mean", "--samples", str(SAMPLES), "--reliability", "0.5", "--seed", "3")
    record = printed(capsys, "optimize", *options)
    asked = {"measure": ll.Mean(), "samples": SAMPLES, "reliability": 0.5, "seed": 3}
    again = ll.robust(study.space, study.objective, limits=study.limits, **asked)
    assert answered(again.to_dict()) == record
    np.testing.assert_array_equal(again.draws.values, draws.values)

    means = {it: np.mean(cost) for it, (cost, met) in every.items() if np.mean(met) >= 0.5}
    robust = again.robust
    place = (robust.category, *robust.values.values())
    assert robust.measure == pytest.approx(means[place], rel=1e-9)
    assert robust.measure == pytest.approx(min(means.values()), rel=1e-9)

    best = ll.optimize(study.space, study.objective, limits=study.limits)
    assert (again.nominal.category, again.nominal.values) == (best.name, best.values)
    proof = record["certificate"]["nominal"]
    assert proof["bound"] == pytest.approx(best.certificate.bound, rel=1e-9)
    assert (proof["complete"], proof["lattice"]) == (True, study.space.size)
    for name in ("robust", "nominal"):
        assert exit_code(["predict", "-c", f"run/designs/{name}.toml"]) == 0


def test_reliability_decides_between_structures_before_the_measure():
    def answer(meets, excess, measure):
        tried = SimpleNamespace(meets=meets, excess=excess, measure=measure)
        return RobustOptimum.order.fget(
            SimpleNamespace(robust=tried, reliability=0.75, problem=SimpleNamespace(maximises=True))
        )

    assert answer(0.75, 9.0, 2.0) < answer(1.0, 0.0, 1.0) < answer(0.5, 0.1, 9.0)
    assert answer(0.5, 0.1, 9.0) < answer(0.5, 0.2, 99.0) < answer(0.25, 0.0, 99.0)


def test_a_space_written_in_python_draws_from_the_files_that_it_names():
    design = ll.Design(ll.load_system("h200"), ll.Mapping(tp=2))
    free = {"system": ["h200", "mi355x"], "tp": [2, 4], "batch": [1, 8, 32]}
    space = ll.Space(design, free, model="llama-3-8b")
    assert len(space.regions) == 2
    asked = {"minimise": "usd_per_million_tokens", "samples": SAMPLES, "seed": 1}
    found = ll.uncertainty(space, limits=[ll.at_least("utps", 20)], **asked)
    text = STUDY.replace(', "h100", "tpu-v5p"', "").replace("[1, 2, 4]", "[2, 4]")
    Path("mixed.toml").write_text(text.replace("[1, 8, 32, 128]", "[1, 8, 32]"))
    read, objective, limits = ll.load_study("mixed.toml")
    wanted = ll.uncertainty(read, objective, limits, samples=SAMPLES, seed=1)
    assert {it.path for it in found.draws.numbers} == {it.path for it in wanted.draws.numbers}
    np.testing.assert_allclose(found.draws.values, wanted.draws.values, rtol=1e-12)
    np.testing.assert_allclose(found.objectives, wanted.objectives, rtol=1e-9)
    assert found.winners.tolist() == wanted.winners.tolist()
    for one, other in ((found.nominal, wanted.nominal), (found.robust, wanted.robust)):
        assert (one.category, one.values) == (other.category, other.values)
    record = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert record["nominal"]["design"] == {"system": found.nominal.category, **found.nominal.values}
    assert "who wins" in found.report()


def test_what_compares_no_structures_names_a_study_for_each():
    with pytest.raises(ll.InputError, match="different kinds, which only 'liminal optimize'") as it:
        problem_of(load_study("mixed.toml"))
    assert "run a study for each of: h200, h100 | mi355x | tpu-v5p" in str(it.value)
