"""Pools: counts by hand, limits that hold for any machine, and what bad input gets."""

import dataclasses
import tomllib
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tomli_w

import liminal_jax as ll
from experiments.listed import in_numpy
from liminal_jax._files import InputError
from liminal_jax._smooth import Exact, Soft
from liminal_jax.performance.crossing import cache_sent, tokens_sent
from liminal_jax.performance.design import Assumptions
from liminal_jax.performance.memory_footprint import memory_footprint, parameters_total
from liminal_jax.performance.operators import layer_operators
from liminal_jax.performance.predictor import predict, predict_prompts
from liminal_jax.performance.serving import prefill, serve
from liminal_jax.study.anatomy import chip_package
from liminal_jax.study.coupled import Point
from liminal_jax.study.pools.problem import PoolsProblem
from liminal_jax.study.questions import BUILDERS, load_question
from liminal_jax.workload.lengths import Lengths
from liminal_jax.workload.parts import attention_part, experts_part, joints
from tests.cli.terminal import exit_code

DEEPSEEK = ll.load_model("deepseek-v3")
ISL, OSL = 8192, 1024
SMALL: dict[str, Any] = {
    "name": "small",
    "workload": {"model": "gpt-oss-120b"},
    "requests": {"isl": ISL, "osl": OSL, "rate": 4.0},
    "objective": {"maximise": "stps_per_usd"},
    "pools": {
        "prefill": {"system": "h200", "tp": 2, "ep": 2, "batch": 1},
        "decode": {"system": "h200", "tp": 4, "ep": 4, "batch": 64},
    },
}
APART: dict[str, Any] = {
    **SMALL,
    "requests": {"isl": ISL, "osl": OSL, "rate": 4.0, "tpot": "20 ms", "micro_batches": 2},
    "pools": {
        "prefill": SMALL["pools"]["prefill"],
        "attention": {"system": "h200", "tp": 1, "batch": 64},
        "experts": {"system": "h200", "tp": 4, "ep": 4, "batch": 256},
    },
}


@pytest.fixture(autouse=True)
def _precise():
    with jax.enable_x64(True):
        yield


def changed(tables: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Tables with some of them changed; None removes one of them, or a field."""
    found = {**tables}
    for name, change in changes.items():
        if isinstance(change, dict):
            merged = {**tables.get(name, {}), **change}
            found[name] = {key: it for key, it in merged.items() if it is not None}
        else:
            found[name] = change
    return {name: it for name, it in found.items() if it is not None}


def pools_at(tables: dict[str, Any], folder: Path) -> PoolsProblem:
    path = folder / "pools.toml"
    path.write_text(tomli_w.dumps(tables))
    file = load_question(str(path))
    problem = BUILDERS[type(file)](file)
    assert isinstance(problem, PoolsProblem)
    return problem


def only(problem: PoolsProblem, shared: list[float] | None = None) -> tuple[Point, list[Point]]:
    """The first choice of everything."""

    def first(it: Any) -> Point:
        return Point(jnp.asarray(0), jnp.asarray([v.grid.values[0] for v in it.variables], float))

    values = first(problem) if shared is None else Point(jnp.asarray(0), jnp.asarray(shared))
    return values, [first(it) for it in problem.pools]


def known(problem: PoolsProblem, relaxation: Any = None) -> dict[str, float]:
    """Every quantity of the first choice of everything, and the totals."""
    relaxation = Exact() if relaxation is None else relaxation
    shared, own = only(problem)

    @in_numpy
    def all_totals() -> Any:
        each = [
            group.terms(shared, jnp.asarray(0), it, relaxation).totals
            for group, it in zip(problem.pools, own, strict=True)
        ]
        return sum(each[1:], start=each[0])

    totals = all_totals()
    named = dict(zip(problem.totals, totals, strict=True))
    found = {**named, **problem.quantities(shared, totals, relaxation)}
    return {name: float(it) for name, it in found.items()}


def use(problem: PoolsProblem, pool: int) -> dict[str, float]:
    """How far each own limit of a pool is used."""
    shared, own = only(problem)
    group = problem.pools[pool]
    terms = in_numpy(lambda: group.terms(shared, jnp.asarray(0), own[pool], Exact()))()
    return dict(zip(group.limits, np.exp(terms.violation).tolist(), strict=True))


def test_two_parts_hold_and_do_what_the_whole_does():
    parts, request = (attention_part(DEEPSEEK), experts_part(DEEPSEEK)), ll.Request(context=9000)
    assert sum(map(float, map(parameters_total, parts))) == float(parameters_total(DEEPSEEK))
    whole, *halves = [
        jax.tree.map(lambda *it: float(sum(it)), *layer_operators(m, request, 32.0, Exact()))
        for m in (DEEPSEEK, *parts)
    ]
    for field in dataclasses.fields(whole):
        both = sum(getattr(it, field.name) for it in halves)
        assert both == pytest.approx(getattr(whole, field.name), rel=1e-12)
    assert float(joints(DEEPSEEK)) == 61
    held = [
        float(memory_footprint(m, request, ll.Mapping(), 32.0, Assumptions()).total())
        for m in (DEEPSEEK, *parts)
    ]
    assert held[0] == pytest.approx(held[1] + held[2], rel=1e-12)


def test_the_cache_of_a_prompt_is_576_bytes_a_token_and_layer():
    request = ll.Request(context=ISL)
    one = cache_sent(DEEPSEEK, request, ll.Mapping(), 1.0, Assumptions())
    assert float(one) == 61 * 576 * ISL
    apart = ll.Mapping(tp=8, ep=8, attention=ll.DataParallel())
    eight = cache_sent(DEEPSEEK, request, apart, 8.0, Assumptions())
    assert float(eight) == 61 * 576 * ISL  # one user lies on each of eight chips
    staged = ll.Mapping(pp=2)
    two = cache_sent(DEEPSEEK, request, staged, 1.0, Assumptions())
    assert float(two) == 31 * 576 * ISL  # of 61 layers the larger stage has 31


def test_a_token_crosses_with_two_bytes_an_element_shared_by_the_ranks():
    request = ll.Request(context=ISL)
    sent = tokens_sent(DEEPSEEK, request, ll.Mapping(tp=4), 128.0, Assumptions())
    assert float(sent) == 128 * 7168 * 2 / 4


@pytest.mark.slow
def test_whole_prompts_take_as_long_as_in_serving():
    system = ll.load_system("h200")
    design = ll.Design(system, ll.Mapping(tp=8, ep=8, pp=2), batch=3)
    found = predict_prompts(design, DEEPSEEK, ll.Request(context=1), float(ISL))
    wanted = prefill(design, DEEPSEEK, ll.Request(context=ISL), Lengths(ISL, 1))
    assert float(found.step_time) == pytest.approx(float(wanted.time), rel=1e-12)
    assert float(found.stps) == pytest.approx(2 * 3 * ISL / float(wanted.time), rel=1e-12)
    held = memory_footprint(DEEPSEEK, ll.Request(context=ISL), design.mapping, 3.0, Assumptions())
    assert float(found.memory_required) == float(held.total())


@pytest.mark.slow
def test_one_pool_with_the_whole_model_is_a_prediction(tmp_path):
    tables = changed(SMALL, pools={"prefill": None})
    tables["pools"]["decode"] = {**tables["pools"]["decode"], "chips": 8}
    found = known(pools_at(tables, tmp_path))
    design = ll.Design(ll.load_system("h200"), ll.Mapping(tp=4, ep=4), batch=64)
    model = ll.load_model("gpt-oss-120b")
    wanted = predict(design, model, ll.Request(context=ISL + OSL / 2))
    assert found["tpot"] == pytest.approx(float(wanted.step_time), rel=1e-12)
    assert found["chips"] == 8
    for name, of in {
        "capital_cost": wanted.capital.total(),
        "power": wanted.power.total(),
        "power_provisioned": wanted.power_provisioned,
    }.items():
        assert found[name] == pytest.approx(2 * float(of), rel=1e-12)
    spent = 2 * float(wanted.usd_per_million_tokens * wanted.stps) / 1e6
    assert found["spending"] == pytest.approx(spent, rel=1e-12)


def _far(system: Any) -> ll.ScaleOut:
    """The network that joins pools."""
    return system.network.scale_out


def _without_cost(problem: PoolsProblem) -> PoolsProblem:
    """Pools between which caches and tokens cross in no time."""

    def quick(group: Any) -> Any:
        far = group.case.system.network.scale_out
        free = dataclasses.replace(far, bandwidth=far.bandwidth * 1e30, latency=far.latency * 0)
        return eqx.tree_at(lambda it: it.case.system.network.scale_out, group, free)

    return dataclasses.replace(problem, groups=tuple(map(quick, problem.pools)))


@pytest.mark.slow
def test_pools_of_equal_chips_are_the_disaggregated_way_of_serving(tmp_path):
    pool = {"system": "h200", "tp": 4, "ep": 4, "pp": 2}
    tables = changed(SMALL, requests={"rate": 1e6})
    tables["pools"] = {"prefill": {**pool, "batch": 1}, "decode": {**pool, "batch": 64}}
    found = known(pools_at(tables, tmp_path))
    design = ll.Design(ll.load_system("h200"), ll.Mapping(tp=4, ep=4, pp=2), batch=64)
    lengths, model = Lengths(ISL, OSL), ll.load_model("gpt-oss-120b")
    wanted = serve(design, model, ll.Request(context=ISL + OSL / 2), lengths).disaggregated
    assert found["ttft"] == pytest.approx(float(wanted.ttft), rel=1e-12)
    assert found["tpot"] == pytest.approx(float(wanted.tpot), rel=1e-12)
    assert found["e2e"] == pytest.approx(float(wanted.e2e), rel=1e-12)
    # Of a million requests a second whole instances are as good as parts of them.
    each = found["stps"] / found["chips"]
    assert each == pytest.approx(float(wanted.tokens_per_second_per_chip), rel=1e-4)


@pytest.mark.slow
def test_the_slower_side_of_the_network_delays_the_first_token(tmp_path):
    problem = pools_at(SMALL, tmp_path)
    found, free = known(problem), known(_without_cost(problem))
    far = _far(ll.load_system("h200"))
    model = ll.load_model("gpt-oss-120b")
    request = ll.Request(context=ISL)
    sides = [
        float(far.latency)
        + float(cache_sent(model, request, ll.Mapping(tp=n, ep=n), 1.0, Assumptions()))
        / float(far.bandwidth)
        for n in (2, 4)
    ]
    assert [found["cache_out_time"], found["cache_in_time"]] == pytest.approx(sides, rel=1e-12)
    assert found["ttft"] == pytest.approx(free["ttft"] + max(sides), rel=1e-12)
    assert free["cache_out_time"] < 1e-20


@pytest.mark.slow
def test_attention_and_experts_wait_for_each_other(tmp_path):
    problem = pools_at(APART, tmp_path)
    found = known(problem)
    shared, own = only(problem)
    pools = zip(problem.pools, own, strict=True)
    each = [it.terms(shared, jnp.asarray(0), at, Exact()).totals for it, at in pools]
    totals = sum(each[1:], start=each[0])
    outcome = problem.judged(shared, totals, Exact())
    crossing = max(found["tokens_out_time"], found["tokens_in_time"])
    one = found["attention_time"] + found["experts_time"] + crossing
    assert float(jnp.exp(outcome.violation[-1])) == pytest.approx(one / 0.02, rel=1e-9)
    assert use(problem, 1)["pace"] == pytest.approx(2 * found["attention_time"] / 0.02, rel=1e-9)
    assert use(problem, 2)["pace"] == pytest.approx(2 * found["experts_time"] / 0.02, rel=1e-9)
    # Two micro-batches cross in each direction.
    each_way = found["tokens_out_time"] / 2
    assert use(problem, 1)["token_network"] == pytest.approx(2 * each_way / 0.02, rel=1e-9)
    # 4 requests a second of 1,023 later tokens, each in 20 ms: 81.84 users, 128 on one instance.
    assert use(problem, 1)["requests"] == pytest.approx(4 * 1023 * 0.02 / 128, rel=1e-9)
    assert found["utps"] == pytest.approx(50)


@pytest.mark.slow
def test_pools_hold_the_users_of_all_micro_batches(tmp_path):
    two, four = (
        use(pools_at(changed(APART, requests={"micro_batches": n}), tmp_path), 1)["memory_capacity"]
        for n in (2, 4)
    )
    one = use(pools_at(changed(APART, requests={"micro_batches": 1}), tmp_path), 1)
    assert four - two == pytest.approx(2 * (two - one["memory_capacity"]), rel=1e-9)
    assert two > one["memory_capacity"]


@pytest.mark.slow
def test_pools_buy_the_network_that_joins_them(tmp_path):
    planned = {
        "memory": "hbm4",
        "process": "n4p",
        "stacks": 8,
        "dies": 2,
        "compute_area": "400 mm2",
        "sram": "0 MB",
        "link_bandwidth": "900 GB/s",
        "domain": 72,
        "tp": 2,
        "ep": 2,
        "batch": 16,
    }
    pools = {"prefill": {**planned, "batch": 1}, "decode": planned}
    joined = pools_at(changed(SMALL, pools=None) | {"pools": pools}, tmp_path)
    alone = pools_at(changed(SMALL, pools=None) | {"pools": {"decode": planned}}, tmp_path)
    decode, shared = joined.pools[1], only(joined)
    chips, capital = (
        float(decode.terms(shared[0], jnp.asarray(0), shared[1][1], Exact()).totals[it])
        for it in (0, 1)
    )
    by_itself = known(alone)
    facility, far = decode.case.system.facility, _far(decode.case.system)
    each = facility.scale_out_price + facility.building_cost * facility.scale_out_power
    wanted = by_itself["capital_cost"] / by_itself["chips"] + float(each * far.bandwidth)
    assert capital / chips == pytest.approx(wanted, rel=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("tables", [SMALL, APART], ids=["whole", "apart"])
def test_gradients_of_terms_are_those_of_differences(tables, tmp_path):
    free: dict[str, Any] = {"rate": {"min": 1, "max": 16, "step": 1}}
    if "tpot" in tables["requests"]:
        free["tpot"] = {"min": "10 ms", "max": "30 ms", "step": "1 ms"}
    tables = changed(tables, requests=free)
    pools = {
        name: {**it, "clock": {"min": 0.6, "max": 1, "step": 0.1}, "chips": 16}
        for name, it in tables["pools"].items()
    }
    for it in pools.values():
        it["batch"] = {"min": 1, "max": 512, "step": 1}
    problem = pools_at(tables | {"pools": pools}, tmp_path)
    soft = Soft(0.1)
    shared = [5.0, 0.02][: len(problem.variables)]
    for group in problem.pools:
        own = jnp.asarray([{"clock": 0.85, "batch": 33.3}[it.name] for it in group.variables])

        def joined(values, group=group):
            split = len(shared)
            terms = group.terms(
                Point(jnp.asarray(0), values[:split]),
                jnp.asarray(0),
                Point(jnp.asarray(0), values[split:]),
                soft,
            )
            positive = jnp.maximum(terms.totals, 1e-12)
            return jnp.concatenate([jnp.log(positive), terms.violation])

        here = jnp.concatenate([jnp.asarray(shared), own])
        slopes = in_numpy(jax.jacfwd(joined))(here)
        value = in_numpy(joined)
        for axis in range(len(here)):
            step = 1e-5 * float(here[axis])
            ahead, behind = (value(here.at[axis].add(sign * step)) for sign in (1, -1))
            differences = (ahead - behind) / (2 * step)
            scale = 1 / float(here[axis])
            np.testing.assert_allclose(slopes[:, axis], differences, rtol=1e-4, atol=1e-6 * scale)


BAD = {
    "a pool of no kind": (
        changed(SMALL, pools={"decoder": SMALL["pools"]["decode"]}),
        "pools: there is no kind of pool 'decoder'; did you mean 'decode'?",
    ),
    "two that decode": (
        changed(APART, pools={"decode": SMALL["pools"]["decode"]}),
        "pools: 'decode' and 'attention' and 'experts' both decode",
    ),
    "half a decoder": (
        changed(APART, pools={"experts": None}),
        "pools: 'attention' has a part of the model: give 'experts' too",
    ),
    "nothing decodes": (changed(SMALL, pools={"decode": None}), "pools: no pool decodes"),
    "no prompt": (changed(SMALL, requests={"isl": 0}), "requests.isl: "),
    "no answer": (changed(SMALL, requests={"osl": 0}), "requests.osl: "),
    "no rate": (changed(SMALL, requests={"rate": 0}), "requests.rate: must be greater than 0"),
    "no pace": (changed(APART, requests={"tpot": None}), "requests.tpot is required"),
    "a pace of nothing": (
        changed(SMALL, requests={"tpot": "1 ms"}),
        "requests.tpot is the time of a token where attention and experts are apart",
    ),
    "turns of nothing": (
        changed(SMALL, requests={"micro_batches": 2}),
        "requests.micro_batches take turns where attention and experts are apart",
    ),
    "a context": (
        changed(SMALL, workload={"context": 8192}),
        "workload: context follows from requests.isl and requests.osl",
    ),
    "an unknown quantity": (
        changed(SMALL, constraints=[{"quantity": "die_area", "at_most": 1}]),
        "constraints.0.quantity: there is no quantity 'die_area'; there are rate",
    ),
    "the wrong side": (
        changed(SMALL, constraints=[{"quantity": "chips", "at_least": 8}]),
        "constraints.0: chips is better where it is less: state at_most",
    ),
    "the wrong end": (
        changed(SMALL, objective={"maximise": None, "minimise": "rate"}),
        "objective: rate is better where it is more: state maximise",
    ),
    "no first token": (
        changed(
            SMALL,
            pools={"prefill": None},
            constraints=[{"quantity": "ttft", "at_most": "1 s"}],
        ),
        "constraints.0: ttft is known where a pool passes prompts: give [pools.prefill] too",
    ),
    "no network": (
        changed(SMALL, pools={"decode": {"system": "xpu-hbm3", "tp": 8, "batch": 8}}),
        "pools.decode.system: xpu-hbm3 has no scale-out network with a known bandwidth",
    ),
    "no such system": (
        changed(SMALL, pools={"decode": {"system": "h2000"}}),
        "pools.decode.system: there is no system 'h2000'; did you mean 'h200'?",
    ),
    "stages of a part": (
        changed(APART, pools={"experts": {**APART["pools"]["experts"], "pp": 2}}),
        "pools.experts.pp: a pool of experts has no pp",
    ),
    "experts of attention": (
        changed(APART, pools={"attention": {**APART["pools"]["attention"], "ep": 2}}),
        "pools.attention.ep: a pool of attention has no ep",
    ),
    "an unknown field": (
        changed(SMALL, pools={"decode": {"system": "h200", "tpp": 2}}),
        "pools.decode.tpp: unknown field",
    ),
    "numbers of the workload": (
        changed(
            SMALL,
            pools={"decode": {"system": "h200", "numbers": {"request.kv_bits": 4}}},
        ),
        "pools.decode.numbers.request.kv_bits: all pools share the workload",
    ),
}


@pytest.mark.parametrize("bad", list(BAD))
def test_bad_input_gets_a_sentence_with_its_path(bad, tmp_path):
    tables, wanted = BAD[bad]
    with pytest.raises(InputError) as error:
        pools_at(tables, tmp_path)
    assert wanted in "\n".join(error.value.lines())


def test_mistakes_of_all_pools_are_told_at_once(tmp_path):
    tables = changed(
        SMALL, pools={"prefill": {"system": "h20"}, "decode": {"system": "h200", "tp": 0}}
    )
    with pytest.raises(InputError) as error:
        pools_at(tables, tmp_path)
    paths = {it.path for it in error.value.problems}
    assert {"pools.prefill.system", "pools.decode.tp"} <= paths


def test_the_shipped_study_has_thirty_variables():
    file = load_question("three-pools-for-long-prompts")
    problem = BUILDERS[type(file)](file)
    assert problem.count == 30
    assert problem.size > 1e24


def test_each_pool_has_a_chip_to_draw():
    file = load_question("three-pools-for-long-prompts")
    problem = BUILDERS[type(file)](file)
    assert isinstance(problem, PoolsProblem)
    shared, firsts = only(problem)
    own = tuple(Point(it.category[None], it.values[None]) for it in firsts)
    chips = problem.chips(shared, own)
    assert [it.name for it in chips] == ["prefill", "attention", "experts"]
    for chip, pool in zip(chips, problem.pools, strict=True):
        package = chip_package(chip.system, chip.category)
        assert package["names"]["memory"] == pool.categories[0]
        stacks = next(it for it in pool.variables if it.name == "stacks")
        assert package["memory"]["stacks"] == stacks.grid.values[0]


def test_a_mistake_on_the_command_line_exits_with_2_and_its_path(tmp_path, capsys):
    path = tmp_path / "pools.toml"
    path.write_text(tomli_w.dumps(BAD["no network"][0]))
    assert exit_code(["optimize", str(path)]) == 2
    assert f"{path}: pools.decode.system: xpu-hbm3 has no scale-out" in capsys.readouterr().err


def _spaces() -> dict[str, ll.Space]:
    """The pools of the small study in Python."""
    system, request = ll.load_system("h200"), ll.Request(context=1)
    designs = {
        "prefill": ll.Design(system, ll.Mapping(tp=2, ep=2), batch=1),
        "decode": ll.Design(system, ll.Mapping(tp=4, ep=4), batch=64),
    }
    return {
        name: ll.Space(it, {}, model="gpt-oss-120b", request=request)
        for name, it in designs.items()
    }


@pytest.mark.slow
def test_pools_in_python_are_those_of_a_file(tmp_path):
    pools = ll.Pools(_spaces(), isl=ISL, osl=OSL, rate=4.0)
    problem = pools.problem(maximise="stps_per_usd", limits=[ll.at_most("ttft", "2 s")])
    assert [it.name for it in problem.limits] == ["ttft"]
    wanted, found = known(pools_at(SMALL, tmp_path)), known(problem)
    for name in ("ttft", "tpot", "chips", "power", "cache_in_time"):
        assert found[name] == pytest.approx(wanted[name], rel=1e-6), name


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"isl": 0}, "Pools: isl: must be at least 1"),
        ({"rate": 0}, "Pools: rate: must be greater than 0"),
        ({"pools": {"decoder": None}}, "Pools: pools: there is no kind of pool 'decoder'"),
    ],
)
def test_bad_pools_in_python_get_a_sentence(changes, message):
    given: dict[str, Any] = {"isl": ISL, "osl": OSL, "rate": 4.0, **changes}
    pools = given.pop("pools", None)
    spaces = _spaces() if pools is None else {"decoder": _spaces()["decode"]}
    with pytest.raises(InputError) as error:
        ll.Pools(spaces, **given)
    assert message in "\n".join(error.value.lines())


def test_limits_in_python_are_those_of_pools():
    pools = ll.Pools(_spaces(), isl=ISL, osl=OSL, rate=4.0)
    with pytest.raises(InputError, match="pools have no quantity 'die_area'"):
        pools.problem(maximise="stps", limits=[ll.at_most("die_area", 1)])
    with pytest.raises(InputError, match="chips is better where it is less"):
        pools.problem(maximise="chips")


def test_widths_as_published_are_those_of_a_study(tmp_path):
    tables = changed(SMALL, workload={"weight_bits": "published"})
    problem = pools_at(tables, tmp_path)
    request = problem.pools[0].case.request
    assert request.expert_bits is not None
    matrices, biases = 3 * 2880 * 2880, 3 * 2880
    bits = (4.25 * matrices + 16 * biases) / (matrices + biases)
    assert float(request.expert_bits) == pytest.approx(bits)


def test_a_file_beside_a_system_of_its_own(tmp_path):
    folder = Path(ll.__file__).parent / "data" / "systems"
    text = (folder / "h200.toml").read_text()
    (tmp_path / "mine.toml").write_text(text)
    tables = changed(SMALL, pools={"decode": {"system": "mine.toml", "tp": 4, "ep": 4}})
    problem = pools_at(tables, tmp_path)
    assert tomllib.loads(text)["chip"]
    assert problem.pools[1].categories[0].endswith("mine.toml")
