"""The predictor under jit, vmap and float32, and how often it is traced."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.listed import in_numpy
from liminal_jax._smooth import AbstractRelaxation, Exact, Soft
from liminal_jax.data.build import load_model, load_system
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.placement import Placement
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.prediction import Prediction
from liminal_jax.performance.predictor import predict
from liminal_jax.workload.request import Request

B200 = load_system("b200")
MODEL = load_model("gpt-oss-20b")
DESIGNS = 300


def _design(bandwidth: object, tp: object, pp: object, ep: object, batch: object) -> Design:
    system = eqx.tree_at(lambda it: it.chip.memory.bandwidth, B200, jnp.asarray(bandwidth))
    return Design(
        system=system, mapping=Mapping(tp=tp, pp=pp, ep=ep), placement=Placement(), batch=batch
    )


def _assert_same(got: Prediction, wanted: Prediction, tolerance: float) -> None:
    pairs = zip(jax.tree_util.tree_leaves_with_path(got), jax.tree.leaves(wanted), strict=True)
    for (path, mine), its in pairs:
        name = jax.tree_util.keystr(path)
        np.testing.assert_allclose(mine, its, rtol=tolerance, atol=0, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("relaxation", [Exact(), Soft(0.1)])
def test_compiled_and_eager_agree(relaxation: AbstractRelaxation) -> None:
    inputs = (
        _design(8e12, 16, 5, 4, 30),
        MODEL,
        Request(context=3000),
        Assumptions(relaxation=relaxation),
    )
    _assert_same(eqx.filter_jit(predict)(*inputs), predict(*inputs), 1e-12)


@pytest.mark.slow
def test_a_batch_of_designs_is_a_loop_over_them_and_is_traced_once() -> None:
    traces = []

    @jax.jit
    def one(values: jax.Array) -> Prediction:
        traces.append(values.shape)
        return predict(_design(*values[:5]), MODEL, Request(context=values[5]))

    grid = np.array(
        [
            (bandwidth, tp, pp, ep, batch, context)
            for bandwidth in (4e12, 8e12)
            for tp, pp, ep in ((1, 1, 1), (8, 1, 8), (16, 5, 4), (72, 24, 32))
            for batch, context in ((1, 128), (1, 100_000), (512, 4096))
        ]
    )
    loop = [one(jnp.asarray(row)) for row in grid]
    assert len(traces) == 1
    together = jax.jit(jax.vmap(one))(jnp.asarray(grid))
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *loop)
    _assert_same(together, stacked, 1e-12)
    assert len(set(np.asarray(together.utps).tolist())) > 20


@pytest.mark.slow
def test_another_chip_of_the_same_kind_is_not_traced_again() -> None:
    @eqx.filter_jit
    @eqx.debug.assert_max_traces(max_traces=1)
    def step_time(design: Design, request: Request) -> jax.Array:
        return predict(design, MODEL, request).step_time

    times = set()
    for name in ("b200", "h200", "h100"):
        for tp, batch in ((8, 1), (16.0, 64), (jnp.asarray(4), 3.5)):
            design = Design(
                system=load_system(name), mapping=Mapping(tp=tp), placement=Placement(), batch=batch
            )
            times.add(float(step_time(design, Request(context=batch))))
    assert len(times) == 9


@pytest.mark.slow
@pytest.mark.parametrize("reading", ["exact", "soft"])
@pytest.mark.parametrize("name", ["gpt-oss-20b", "deepseek-v3"])
def test_single_precision_agrees_with_double(name: str, reading: str) -> None:
    draw = np.random.default_rng(7)
    whole = {
        "tp": draw.choice([1, 2, 4, 8, 16, 64], DESIGNS),
        "pp": draw.integers(1, 9, DESIGNS),
        "ep": draw.choice([1, 2, 4, 8], DESIGNS),
        "batch": draw.integers(1, 2000, DESIGNS),
        "context": draw.integers(1, 300_000, DESIGNS),
    }
    rows = np.stack(
        [np.exp(draw.uniform(np.log(5e11), np.log(5e13), DESIGNS)), *whole.values()], axis=1
    )
    # Round the inputs first: what is compared is the arithmetic.
    rows = rows.astype(np.float32).astype(np.float64)

    def predictions(values: np.ndarray, as_run: Callable[..., Any]) -> Prediction:
        model = jax.tree.map(jnp.asarray, load_model(name))
        system = load_system("b200")
        relaxation = Exact() if reading == "exact" else Soft(0.1)

        def one(row: jax.Array) -> Prediction:
            chip = eqx.tree_at(lambda it: it.chip.memory.bandwidth, system, row[0])
            design = Design(
                system=chip,
                mapping=Mapping(tp=row[1], pp=row[2], ep=row[3]),
                placement=Placement(),
                batch=row[4],
            )
            request = Request(context=row[5])
            return predict(design, model, request, Assumptions(relaxation=relaxation))

        return as_run(jax.vmap(one))(jnp.asarray(values, jnp.result_type(float)))

    double = predictions(rows, in_numpy)
    with jax.enable_x64(False):
        single = predictions(rows, jax.jit)
    assert (double.utps.dtype, single.utps.dtype) == (jnp.float64, jnp.float32)
    near = np.abs(np.asarray(double.memory_fill) - 1) < 1e-4
    times = np.stack([double.compute_time, double.memory_time, double.exposed_time])
    ordered = np.sort(times, axis=0)
    tied = (ordered[-1] - ordered[-2]) / ordered[-1] < 1e-4
    assert float(np.mean(near | tied)) < 0.02
    kept = jax.tree.map(lambda leaf: np.asarray(leaf)[~(near | tied)], (single, double))
    _assert_same(*kept, 1e-5)
