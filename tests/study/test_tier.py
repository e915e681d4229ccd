"""A capacity tier of a planned chip, as a study states it and as its design carries it."""

import jax
import pytest

from experiments.listed import in_numpy
from liminal_jax._files import InputError
from liminal_jax._smooth import Exact
from liminal_jax.study.predicted import predicted, record_of
from liminal_jax.study.questions import load_space, load_study
from liminal_jax.study.read import problem_of
from liminal_jax.study.uncertain import uncertain_numbers
from liminal_jax.study.write import design_text
from liminal_jax.sweeps.leaves import leaves_of
from tests.optimization.brute import study
from tests.study.cases import case_with, seen

SMALL = {
    "memory": "hbm4",
    "stacks": 2,
    "tier_units": {"choices": [2, 4]},
    "chips": 4,
    "tp": 4,
    "batch": 16,
}


def problem_with(folder, design=None, **tables):
    return problem_of(load_study(str(study(folder, "tiered", design=design or {}, **tables))))


def messages(folder, base="tiered", **tables):
    with pytest.raises(InputError) as caught:
        problem_of(load_study(str(study(folder, base, **tables))))
    return {it.path: it.message for it in caught.value.problems}


def at_first(problem):
    return in_numpy(lambda: seen(problem.first(), Exact()))()


@pytest.mark.slow
@pytest.mark.parametrize("holds", [None, ["experts"]])
def test_a_saved_design_carries_its_tier_and_predicts_the_same(holds, tmp_path):
    assumptions = {"tier": {"price": "3 USD/GB"}}
    design = {**SMALL, **({} if holds is None else {"tier_holds": holds})}
    problem = problem_with(tmp_path, design, assumptions=assumptions)
    chosen = {it.name: it.grid.values[0] for it in problem.variables}
    path = tmp_path / "design.toml"
    path.write_text(design_text(problem.file, chosen, "hbm4"))
    fleet, _ = at_first(problem)
    answer = predicted(load_space(str(path)))
    for one, other in zip(
        jax.tree.leaves(answer.prediction), jax.tree.leaves(fleet.instance), strict=True
    ):
        assert float(one) == pytest.approx(float(other), rel=1e-12)
    assert float(answer.prediction.capacity_tier_fill) > 0
    written = record_of(answer)["design"]
    assert (written["tier"], written["tier_units"]) == ("lpddr5x", 2)
    assert written.get("tier_holds") == holds
    (sentence,) = (it for it in answer.basis if "Capacity tier" in it)
    assert sentence.startswith("Capacity tier of lpddr5x of 384 GB a chip at 307.2 GB/s: holds")
    order = "experts first, then the cache" if holds != ["experts"] else "experts alone"
    assert order in sentence


@pytest.mark.slow
def test_a_tier_is_charged_in_time_power_and_money(tmp_path):
    with_tier = problem_with(tmp_path, SMALL)
    none = dict.fromkeys(("tier", "tier_units"))
    without = problem_with(tmp_path, {**SMALL, **none})
    (tiered, used), (bare, limits) = at_first(with_tier), at_first(without)
    assert float(limits["memory_capacity"]) > 1 > float(used["memory_capacity"])
    assert float(tiered.instance.step_time) > float(bare.instance.step_time)
    assert float(used["shoreline"]) > float(limits["shoreline"])
    # two modules of 192 GB a chip, on four chips, and what the larger dies cost
    modules = 4 * 2 * 192 * 5.83
    gained = float(tiered.instance.capital.chips - bare.instance.capital.chips)
    assert modules < gained < 1.5 * modules
    provisioned = tiered.instance.power_provisioned - bare.instance.power_provisioned
    assert float(provisioned) == pytest.approx(4 * (2 * 4 + 307.2e9 * 8 * 8.1e-12), rel=1e-6)


def test_more_units_than_the_edge_has_room_for_break_a_limit_by_name(tmp_path):
    problem = problem_with(tmp_path, SMALL)
    assert "shoreline" in [it.name for it in problem.limits]
    used = {}
    for units in (2.0, 8.0, 16.0):
        _, limits = seen(case_with(problem, tier_units=units), Exact())
        used[units] = float(limits["shoreline"])
    assert used[2.0] < 1 < used[8.0] < used[16.0]


@pytest.mark.slow
def test_its_numbers_are_uncertain_and_can_be_swept(tmp_path):
    problem = problem_with(tmp_path, SMALL, objective={"minimise": "usd_per_million_tokens"})
    paths = {it.path for it in uncertain_numbers(problem)}
    assert {f"tier.{it}" for it in ("price", "access_energy", "unit_bandwidth")} <= paths
    leaves = leaves_of(problem)
    assert "material.tier.technology.unit_bandwidth" in leaves
    assert leaves["tier_units"].stated.whole
    assert "tier_units" not in leaves_of(problem_of(load_study("tests/studies/planned.toml")))


@pytest.mark.parametrize(
    ("design", "path", "message"),
    [
        ({"tier": "lpddr5"}, "design.tier", "did you mean 'lpddr5x'?"),
        ({"tier": {"choices": ["hbf", "lpddr5x"]}}, "design.tier", "run a study for each of"),
        ({"tier_units": 0}, "design.tier_units", "must be at least 1, got 0"),
        ({"tier_units": None}, "design.tier_units", "is required with a tier"),
        ({"tier": None}, "design.tier_units", "says nothing without design.tier"),
        ({"tier_holds": []}, "design.tier_holds", "the tier holds nothing; name some of weights"),
        ({"tier_holds": "experts"}, "design.tier_holds", "must be a list of names"),
        ({"tier_holds": ["kv"]}, "design.tier_holds", "there are weights, cache, experts"),
    ],
)
def test_what_is_wrong_with_a_tier_is_said_with_its_path(design, path, message, tmp_path):
    assert message in messages(tmp_path, design=design)[path]


def test_a_tier_for_experts_that_a_model_lacks_holds_nothing(tmp_path):
    workload = {"model": "llama-3-70b"}
    found = messages(tmp_path, design={"tier_holds": ["experts"]}, workload=workload)
    assert found == {
        "design.tier_holds": "names experts alone and llama-3-70b has none, so that the tier holds"
        " nothing; name cache or weights too, or leave the tier out"
    }


def test_finished_hardware_has_the_tier_of_its_file(tmp_path):
    found = messages(tmp_path, "finished", design={"tier": "hbf", "tier_units": 1})
    assert found["design"] == "'system' names finished hardware; remove it or tier, tier_units"


def test_assumptions_of_a_tier(tmp_path):
    unknown = {"tier": {"price": {"unknown": "not for sale"}}}
    assert messages(tmp_path, assumptions=unknown) == {
        "assumptions.tier.price": "lpddr5x has none that is known (not for sale); state one"
    }
    wrong = messages(tmp_path, assumptions={"tier": {"prise": "3 USD/GB"}})
    assert "did you mean 'price'?" in wrong["assumptions.tier.prise"]
    idle = messages(tmp_path, "planned", assumptions={"tier": {"price": "3 USD/GB"}})
    assert idle["assumptions.tier"].startswith("says nothing without design.tier")
