"""What a study sees of a point, against the same by hand from the public parts."""

import math

import jax.numpy as jnp
import numpy as np
import pytest

from liminal_jax._files import InputError
from liminal_jax._smooth import Exact
from liminal_jax.hardware.plan import ChipPlan, buildability, planned_chip, planned_die_area
from liminal_jax.hardware.system import System
from liminal_jax.mapping.collectives import LayerCollectives
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.performance.design import Assumptions
from liminal_jax.performance.filled import filled_design
from liminal_jax.performance.predictor import predict
from liminal_jax.study.degrees import degree_contradictions
from liminal_jax.study.file import DesignFile
from liminal_jax.study.problem import FEASIBLE, Outcome
from liminal_jax.study.quantities import QUANTITIES
from liminal_jax.study.questions import load_study
from liminal_jax.study.read import problem_of
from liminal_jax.study.variables import PATHS
from tests.optimization.brute import study
from tests.study.cases import case_with, seen

PLAN = {
    "stacks": 4.0,
    "dies": 2.0,
    "compute_area": 4e-4,
    "sram": 128e6,
    "link_bandwidth": 9e11,
    "domain": 72.0,
    "chips": 10.0,
    "clock": 1.0,
    "tp": 4.0,
    "cp": 1.0,
    "pp": 1.0,
    "ep": 2.0,
    "attention": 0.0,
    "batch": 32.0,
}
NOT_FREE = ("tier_units", "domain", "clock", "attention", "attention_ranks", "shared_expert_ranks")
LIMITS = [
    {"quantity": "utps", "at_least": 50},
    {"quantity": "capital_cost", "at_most": "1 MUSD"},
    {"quantity": "tpot", "at_most": "20 ms"},
]


@pytest.fixture(scope="module")
def problem(tmp_path_factory):
    path = study(tmp_path_factory.mktemp("problem"), "planned", constraints=LIMITS)
    return problem_of(load_study(str(path)))


def planned(problem, row=0, **changes):
    return case_with(problem, row, **{**PLAN, **changes})


def outcome(problem, row=0, **changes):
    return problem.outcome_of(planned(problem, row, **changes), Exact())


def by_hand(problem, row):
    """One instance of the plan, put together from parts."""
    whole = problem.region.case
    stated = whole.system.chip.material
    memory = {name: leaf[row] for name, leaf in vars(stated.memory).items()}
    material = type(stated)(
        memory=type(stated.memory)(**memory), process=stated.process, packaging=stated.packaging
    )
    names = [name for name in ChipPlan.__dataclass_fields__ if name in PLAN]
    plan = ChipPlan(**{name: PLAN[name] for name in names})
    network = whole.system.network
    fields = {**vars(network), "bandwidth": PLAN["link_bandwidth"], "domain": 72.0}
    system = System(
        chip=planned_chip(plan, material, Exact()),
        network=type(network)(**fields),
        facility=whole.system.facility,
    )
    model, request = whole.model, whole.request
    mapping = Mapping(tp=4, cp=1, pp=1, ep=2)
    design = filled_design(system, mapping, jnp.asarray(32.0), model, request)
    assumptions = Assumptions(collectives=LayerCollectives())
    return plan, material, predict(design, model, request, assumptions)


@pytest.mark.parametrize("row", [0, 2])
def test_an_outcome_is_what_the_parts_give_by_hand(problem, row):
    plan, material, one = by_hand(problem, row)
    got = outcome(problem, row)
    # Of ten chips, four each make two instances; two are left over and paid for.
    assert float(got.score) == pytest.approx(math.log(2 * float(one.stps)), rel=1e-12)
    built = buildability(plan, material, Exact())
    capital = 10 / 4 * float(one.capital.total())
    expected = {
        "memory_capacity": float(one.memory_fill),
        "whole_instance": 4 / 10,
        "expert_ranks": 2 / 4,
        "expert_groups": 1.0,
        "experts": 2 / 128,
        "stages": 1 / 48,
        "heads": 1.0,
        "kv_heads": 1.0,
        "attention_groups": 1.0,
        "attention_experts": 1.0,
        "shared_experts": 1.0,
        **{name: float(it) for name, it in vars(built).items()},
        "thermal": float(one.power_density) / float(material.memory.power_density_limit),
        "utps": 50 / float(one.utps),
        "capital_cost": capital / 1e6,
        "tpot": float(one.step_time) / 0.02,
    }
    assert [limit.name for limit in problem.limits] == list(expected)
    for limit, violation in zip(problem.limits, got.violation, strict=True):
        wanted = math.log(max(expected[limit.name], 1e-6))
        assert float(violation) == pytest.approx(wanted, rel=1e-9, abs=1e-12), limit.name


def test_quantities_of_all_instances_by_hand(problem):
    plan, material, one = by_hand(problem, 0)
    fleet, _ = seen(planned(problem), Exact())
    assert (float(fleet.replicas), float(fleet.chips)) == (2, 10)
    power, capital = (10 / 4 * float(it.total()) for it in (one.power, one.capital))
    spare = 10 / 8
    expected = {
        "utps": float(one.utps),
        "stps": 2 * float(one.stps),
        "tpot": 1 / float(one.utps),
        "users": 2 * 32,
        "chips": 10,
        "chip_power": float(one.chip_power),
        "chip_tdp": float(one.chip_tdp),
        "power": power,
        "power_provisioned": 10 / 4 * float(one.power_provisioned),
        "capital_cost": capital,
        "die_area": float(planned_die_area(plan, material)),
        "power_density": float(one.power_density),
        "energy_per_token": spare * float(one.energy_per_token),
        "usd_per_million_tokens": spare * float(one.usd_per_million_tokens),
        "stps_per_watt": 2 * float(one.stps) / power,
        "stps_per_usd": 2 * float(one.stps) / capital,
        "stps_per_chip": 2 * float(one.stps) / 10,
    }
    # The study says nothing of quality, and nothing of prompts and answers.
    unknown = {"quality_loss", "ttft", "e2e", "prefill_share"}
    assert set(QUANTITIES) - set(expected) == unknown
    assert all(np.isnan(float(QUANTITIES[name].of(fleet))) for name in unknown)
    for name, value in expected.items():
        assert float(QUANTITIES[name].of(fleet)) == pytest.approx(value, rel=1e-9), name


@pytest.mark.parametrize(
    ("chips", "replicas", "bought"), [(4, 1, 4), (7, 1, 7), (8, 2, 8), (11, 2, 11), (3, 1, 4)]
)
def test_instances_are_whole_and_spare_chips_are_bought(problem, chips, replicas, bought):
    fleet, used = seen(planned(problem, chips=chips), Exact())
    assert (float(fleet.replicas), float(fleet.chips)) == (replicas, bought)
    assert float(used["whole_instance"]) == pytest.approx(4 / chips)
    assert (float(used["whole_instance"]) > 1) == (chips < 4)


def test_without_a_number_of_chips_one_instance_is_bought(tmp_path):
    file = load_study(str(study(tmp_path, "finished", design={"chips": None})))
    fleet, used = seen(case_with(problem_of(file), tp=4, ep=2, pp=2), Exact())
    assert (float(fleet.replicas), float(fleet.chips)) == (1, 8)
    assert float(used["whole_instance"]) == 1


@pytest.mark.parametrize(("tp", "ep", "whole"), [(8, 4, True), (6, 4, False), (4, 8, False)])
def test_experts_need_whole_groups_of_ranks(problem, tp, ep, whole):
    _, used = seen(planned(problem, tp=tp, ep=ep, chips=32), Exact())
    assert (float(used["expert_groups"]) <= 1) is whole
    assert float(used["expert_ranks"]) == pytest.approx(ep / tp)


def test_more_of_a_quantity_eases_a_floor_and_presses_on_a_ceiling(problem):
    names = [limit.name for limit in problem.limits]
    less, more = (outcome(problem, chips=chips, batch=batch) for chips, batch in ((8, 64), (32, 1)))
    utps, capital, tpot = (names.index(it) for it in ("utps", "capital_cost", "tpot"))
    assert more.violation[utps] < less.violation[utps]
    assert more.violation[tpot] < less.violation[tpot]
    assert more.violation[capital] > less.violation[capital]


def test_less_is_more_where_it_is_asked_for(tmp_path, problem):
    path = study(tmp_path, "planned", objective={"minimise": "stps"})
    other, most = outcome(problem_of(load_study(str(path)))), outcome(problem)
    assert float(other.score) == pytest.approx(-float(most.score))


def test_a_limit_may_be_exceeded_by_rounding_only():
    for violation, holds in ((0.0, True), (FEASIBLE / 2, True), (2 * FEASIBLE, False)):
        found = Outcome(score=jnp.zeros(()), violation=jnp.asarray([-1.0, violation]))
        assert bool(found.feasible()) is holds
    unknown = Outcome(score=jnp.zeros(()), violation=jnp.asarray([jnp.nan]))
    assert not bool(unknown.feasible())


def test_the_lattice_is_the_product_of_the_grids(problem):
    lengths = [len(it.grid.values) for it in problem.variables]
    assert [it.name for it in problem.variables] == [it for it in PATHS if it not in NOT_FREE]
    assert problem.lattice == 3 * math.prod(lengths)
    # memory, stacks, dies, area, sram, links, chips, tp, cp, pp, ep, batch
    assert problem.lattice == 3 * 4 * 2 * 5 * 2 * 2 * 4 * 4 * 2 * 3 * 4 * 10


def test_a_design_has_no_objective(problem):
    file = DesignFile(workload=problem.file.workload, design=problem.file.design)
    with pytest.raises(TypeError, match="no objective"):
        outcome(problem_of(file))


@pytest.mark.parametrize(
    ("change", "messages"),
    [
        ({}, []),
        ({"ep": 3}, ["design.ep: must divide tp x cp = 4, got 3"]),
        ({"ep": 4, "tp": 2}, ["design.ep: must divide tp x cp = 2, got 4"]),
        ({"pp": 49}, ["design.pp: must be at most 48, the layers of the model, got 49"]),
        ({"chips": 3}, ["design.chips: must be at least tp x cp x pp = 4, got 3"]),
        (
            {"cp": 64, "ep": 256, "chips": 256},
            ["design.ep: must be at most 128, the experts of the model, got 256"],
        ),
        (
            {"tp": 24, "ep": 1},
            [
                "design.tp: must divide the heads of every attention of the model, got 24;"
                " attention = 'padded-heads' computes heads that are not there",
            ],
        ),
        ({"tp": 24, "ep": 1, "attention": "padded-heads"}, []),
        ({"tp": 4, "ep": 4, "attention": "data-parallel"}, []),
        (
            {"attention": "data-parallel"},
            [
                "design.ep: must be tp x cp = 4 where groups of ranks attend to users of their own,"
                " got 2",
            ],
        ),
        (
            {"tp": 8, "ep": 8, "attention": "copied-heads", "attention_ranks": 16},
            [
                "design.attention_ranks: must divide tp x cp = 8, and be 1 for data-parallel"
                " attention, got 16",
            ],
        ),
        (
            {"attention": "copied-heads", "shared_expert_ranks": 3},
            [
                "design.shared_expert_ranks: must divide the 4 ranks that share a user's attention,"
                " got 3",
            ],
        ),
    ],
)
def test_degrees_that_cannot_be(tmp_path, change, messages):
    degrees = {"system": "h100", "tp": 4, "cp": 1, "pp": 1, "ep": 2, "batch": 1, "chips": None}
    path = study(tmp_path, "finished", design={**degrees, **change})
    found = degree_contradictions(problem_of(load_study(str(path))))
    assert [f"{it.path}: {it.message}" for it in found] == messages


def test_a_dense_model_refuses_data_parallel_attention_by_name(tmp_path):
    design = {"system": "h100", "tp": 4, "ep": 1, "attention": "data-parallel", "chips": None}
    workload = {"model": "llama-3-8b", "context": 8192}
    path = study(tmp_path, "finished", design=design, workload=workload)
    (found,) = degree_contradictions(problem_of(load_study(str(path))))
    assert found.path == "design.attention"
    assert found.message == (
        "data-parallel with groups of 1 of 4 ranks spreads routed experts, and llama-3-8b has none;"
        " take split-sequence or copied-heads"
    )


def test_the_clock_of_a_plan_is_a_variable_like_others(tmp_path):
    choices = {"choices": [0.5, 1.0]}
    file = load_study(str(study(tmp_path, "planned", design={"clock": choices})))
    found = problem_of(file)
    assert "clock" in [it.name for it in found.variables]
    slow, fast = (planned(found, clock=it).fleet(Exact()) for it in (0.5, 1.0))
    ratio = float(slow.instance.compute_time / fast.instance.compute_time)
    assert ratio == pytest.approx(2)
    assert float(slow.instance.memory_time) <= float(fast.instance.memory_time) * 2
    assert float(slow.instance.chip_tdp) < float(fast.instance.chip_tdp)
    assert float(slow.capital) == float(fast.capital)


def test_a_clock_outside_the_range_of_voltages_is_refused(tmp_path):
    with pytest.raises(InputError) as caught:
        load_study(str(study(tmp_path, "planned", design={"clock": 1.2})))
    (problem,) = caught.value.problems
    assert problem.path == "design.clock"
    assert problem.message == (
        "must be 0.35 to 1.1 of the nominal clock, which takes 0.65 to 1.09 of the nominal"
        " voltage, got 1.2"
    )


def test_the_thermal_design_power_of_a_plan_is_that_of_the_heavier_load(problem):
    plan, material, one = by_hand(problem, 0)
    process, packaging, memory = material.process, material.packaging, material.memory
    reading = plan.stacks * memory.stack_bandwidth() * memory.access_energy
    rate = plan.dies * plan.compute_area * process.compute_density * process.rate_8bit
    products = process.energy_per_flop * rate + packaging.product_traffic * reading
    kept = plan.dies * plan.sram * process.sram_bandwidth_per_capacity * process.sram_energy
    heavier = max(float(products), float(reading + kept))
    expected = heavier / (1 - float(packaging.idle_fraction))
    assert float(one.chip_tdp) == pytest.approx(expected, rel=1e-12)
