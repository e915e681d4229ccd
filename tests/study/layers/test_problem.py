"""The problem of layers: the same numbers as `predict`, true slopes, and sums that bound."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import liminal_jax as ll
import liminal_jax.study.layers.problem as of_layers
from experiments.listed import in_numpy
from liminal_jax._smooth import Exact, Soft
from liminal_jax.algorithm.algorithm import Algorithm
from liminal_jax.algorithm.attention import ReducedAttention
from liminal_jax.mapping.placement import Placement
from liminal_jax.performance.host import ConstantHost
from tests.study.layers.cases import own, problem, shared, space


def totals_of(asked, common, choices, relaxation):
    total = jnp.zeros(len(asked.totals))
    for group, points in zip(asked.groups, choices, strict=True):
        each = jax.vmap(
            lambda member, point, group=group: group.terms(common, member, point, relaxation)
        )(jnp.arange(len(group.members)), points)
        total = total + each.totals.sum(axis=0)
    return total


def count(asked):
    return sum(len(it.members) for it in asked.groups)


def random_rows(asked, seed):
    random = np.random.default_rng(seed)
    variables = asked.groups[0].variables
    ends = np.asarray([(it.grid.values[0], it.grid.values[-1]) for it in variables])
    rows = random.uniform(size=(count(asked), len(variables)))
    return ends[:, 0] + (ends[:, 1] - ends[:, 0]) * rows


@pytest.mark.slow
@pytest.mark.parametrize("model", ["llama-3-8b", "deepseek-v2-lite"])
def test_layers_that_choose_alike_are_the_design_that_predict_sees(model):
    asked = problem(space(model, "b200"))
    rows = np.tile([4.25, 8.0, 4096.0, 0.5], (count(asked), 1))
    common = shared(asked, batch=16)
    fleet = in_numpy(
        lambda: asked.fleet(common, totals_of(asked, common, own(asked, rows), Exact()), Exact())
    )()
    window = Algorithm(attention=ReducedAttention(windowed=1, window=4096))
    placed = Placement(weights=0.5)
    design = ll.Design(ll.load_system("b200"), ll.Mapping(tp=2), placed, 16, window)
    request = ll.Request(32768, weight_bits=4.25, kv_bits=8, table_bits=8)
    laws = ll.Assumptions(host=ConstantHost())
    expected = in_numpy(lambda: ll.predict(design, ll.load_model(model), request, laws))()
    pairs = zip(*map(jax.tree_util.tree_leaves_with_path, (fleet.instance, expected)), strict=True)
    for (path, found), (_, wanted) in pairs:
        where = jax.tree_util.keystr(path)
        np.testing.assert_allclose(found, wanted, rtol=1e-12, err_msg=where)


@pytest.mark.slow
def test_bits_that_layers_do_not_choose_are_those_of_the_request():
    asked = problem(free={"window": [4096, "full"]}, loss=None)
    rows = np.full((count(asked), 1), 32768.0)
    common = shared(asked, batch=4)
    found = in_numpy(
        lambda: asked.fleet(common, totals_of(asked, common, own(asked, rows), Exact()), Exact())
    )()
    design = ll.Design(ll.load_system("b200"), ll.Mapping(tp=2), Placement(), 4)
    expected = ll.predict(design, ll.load_model("llama-3-8b"), ll.Request(32768))
    assert float(found.utps) == pytest.approx(float(expected.utps), rel=1e-12)


@pytest.mark.slow
def test_losses_add_up_over_layers():
    asked = problem(asked=[ll.at_most("quality_loss", 1.0)])
    rows = random_rows(asked, 0)
    common = shared(asked)
    totals = totals_of(asked, common, own(asked, rows), Exact())
    bits, kv_bits, window, _ = rows.T
    expected = np.sum(2.0**-bits + 0.5 * 2.0**-kv_bits + 0.01 * (32768 / window - 1))
    assert float(totals[-1]) == pytest.approx(expected, rel=1e-12)
    judged = asked.judged(common, totals, Exact())
    assert float(judged.violation[-1]) == pytest.approx(math.log(expected), rel=1e-9)


def test_losses_may_combine_in_another_way():
    asked = problem(asked=[ll.at_most("quality_loss", 1.0)], over_layers=jnp.max)
    rows = random_rows(asked, 1)
    common = shared(asked)
    totals = totals_of(asked, common, own(asked, rows), Exact())
    bits, kv_bits, window, _ = rows.T
    expected = np.max(2.0**-bits + 0.5 * 2.0**-kv_bits + 0.01 * (32768 / window - 1))
    assert float(asked.fleet(common, totals, Exact()).quality_loss) == pytest.approx(expected)


@pytest.mark.slow
def test_slopes_are_those_of_finite_differences():
    asked = problem(asked=[ll.at_most("quality_loss", 1.0)])
    soft, rows = Soft(0.1), jnp.asarray(random_rows(asked, 2))

    @in_numpy
    def value(batch, rows):
        common = shared(asked)._replace(values=batch)
        totals = totals_of(asked, common, own(asked, rows), soft)
        outcome = asked.judged(common, totals, soft)
        return outcome.score - 0.1 * jnp.sum(outcome.violation)

    batch = jnp.asarray([3.0])
    slope, slopes = in_numpy(jax.grad(value, argnums=(0, 1)))(batch, rows)
    step = 1e-5
    found = (value(batch + step, rows) - value(batch - step, rows)) / (2 * step)
    assert float(slope[0]) == pytest.approx(float(found), rel=1e-5)
    for layer, axis in [(0, 0), (9, 1), (17, 2), (31, 3)]:
        far = step * float(rows[layer, axis])
        up, down = (value(batch, rows.at[layer, axis].add(it)) for it in (far, -far))
        assert float(slopes[layer, axis]) == pytest.approx(float(up - down) / (2 * far), rel=1e-4)


GOALS = [
    {"maximise": "utps"},
    {"maximise": "stps"},
    {"maximise": "stps_per_watt"},
    {"maximise": "stps_per_usd"},
    {"minimise": "tpot"},
    {"minimise": "energy_per_token"},
    {"minimise": "usd_per_million_tokens"},
]


@pytest.mark.slow
@pytest.mark.parametrize("goal", GOALS, ids=lambda it: "-".join(*it.items()))
def test_cost_and_limits_are_convex_in_the_totals_and_never_fall(goal):
    system = ll.load_system("b200")
    facility = dataclasses.replace(
        system.facility, host_price=1e4, building_cost=jnp.asarray(12.0), host_power=400.0
    )
    execution = dataclasses.replace(system.execution, overlap_between_operators=0.5)
    system = dataclasses.replace(system, facility=facility, execution=execution)
    design = ll.Design(system, ll.Mapping(tp=2), batch=4)
    designs = ll.Space(design, {"batch": [1, 4]}, model="llama-3-8b", request=ll.Request(32768.0))
    limited = [
        ll.at_most("quality_loss", 1.0),
        ll.at_least("utps", 10),
        ll.at_most("energy_per_token", 1.0),
        ll.at_most("memory_fill", 0.5),
    ]
    asked = problem(designs, asked=limited, **goal)
    common = shared(asked)

    @in_numpy
    @jax.vmap
    def costs(totals):
        outcome = asked.judged(common, totals, Exact())
        return jnp.exp(jnp.concatenate([-outcome.score[None], outcome.violation]))

    around = [
        totals_of(asked, common, own(asked, random_rows(asked, seed)), Exact()) for seed in (3, 4)
    ]
    random = np.random.default_rng(5)
    scale = np.asarray(around[0])
    left, right = (scale * 10 ** random.uniform(-1, 1, size=(200, len(scale))) for _ in range(2))
    low, high, middle = costs(left), costs(right), costs((left + right) / 2)
    assert np.all(np.asarray(middle) <= np.asarray((low + high) / 2) * (1 + 1e-12))
    assert np.all(costs(np.maximum(left, right)) >= np.maximum(low, high) * (1 - 1e-12))


@pytest.mark.slow
def test_layers_of_a_kind_are_traced_once_however_many_there_are(monkeypatch):
    traced = []
    law = of_layers.layer_load
    monkeypatch.setattr(of_layers, "layer_load", lambda *it: traced.append(1) or law(*it))
    kinds = {}
    for model in ("llama-3-8b", "llama-3-405b", "deepseek-v3"):
        asked = problem(space(model))
        rows = np.tile([8.0, 8.0, 4096.0, 0.0], (count(asked), 1))
        traced.clear()
        jax.jit(
            lambda asked=asked, rows=rows: totals_of(
                asked, shared(asked), own(asked, rows), Exact()
            )
        ).trace()
        kinds[model] = (count(asked), len(traced))
    assert kinds == {"llama-3-8b": (32, 1), "llama-3-405b": (126, 1), "deepseek-v3": (61, 2)}
