"""The short program of a traced function: equal to the function, and much shorter."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from liminal_jax.study.questions import load_study
from liminal_jax.sweeps.axis import Axis
from liminal_jax.sweeps.case import case_of, fingerprint
from liminal_jax.sweeps.outputs import OUTPUTS
from liminal_jax.sweeps.program import program_of

ALL = frozenset(range(20))


def worked(program, *columns):
    inputs = {number: jnp.asarray(it, float) for number, it in enumerate(columns)}
    return [np.asarray(it) for it in program.results(program.worked(inputs, ALL, {}))]


def test_like_terms_come_together_and_constants_fold():
    def plane(x, y):
        return (3.0 * x + x * 2.0) / y + x / y * 5.0 - 0.0 * y

    program = program_of(plane, [(1.0, 2.0), (1.0, 4.0)])
    # 10 x / y: one reciprocal, one product, one coefficient.
    assert sum(program.operations.values()) == 3
    (value,) = worked(program, 1.5, 4.0)
    assert value == 10 * 1.5 / 4


def test_ranges_decide_what_never_changes():
    def kinks(x, y):
        return jnp.maximum(x, y), jnp.where(x > 8.0, x, y), jnp.minimum(x, 3.0)

    program = program_of(kinks, [(1.0, 2.0), (4.0, 6.0)])
    assert sum(program.operations.values()) == 0
    assert [float(it) for it in worked(program, 1.5, 5.0)] == [5.0, 5.0, 1.5]
    wider = program_of(kinks, [(1.0, 9.0), (4.0, 6.0)])
    assert wider.operations["max"] == wider.operations["min"] == wider.operations["gt"] == 1
    assert [float(it) for it in worked(wider, 8.5, 5.0)] == [8.5, 8.5, 3.0]


def test_what_is_rounded_up_is_divided_once():
    chips = np.arange(1.0, 400.0)
    program = program_of(lambda x, y: jnp.ceil(x / y / 3.0), [(1.0, 1e4), (1.0, 400.0)])
    (value,) = worked(program, 12.0 * chips, chips)
    assert np.all(value == 4.0)


def test_differences_are_not_multiplied_out():
    """(x - 1) y of an x near 1 keeps its digits."""
    program = program_of(lambda x, y: (x - 1.0) * y / 7.0, [(1.0, 2.0), (1e10, 1e12)])
    near = 1.0 + 2.0**-40
    (value,) = worked(program, near, 3e11)
    assert float(value) == pytest.approx((near - 1.0) * 3e11 / 7.0, rel=1e-15)


def test_the_first_of_equal_largest_is_found():
    def which(x, y):
        return jnp.argmax(jnp.stack([x, y, 2.0 * y]))

    program = program_of(which, [(0.0, 9.0), (0.0, 9.0)])
    (value,) = worked(program, [1.0, 4.0, 9.0], [3.0, 2.0, 1.0])
    assert value.tolist() == [2.0, 0.0, 0.0]


AXES = (
    Axis("stacks", "", tuple(map(float, range(1, 17)))),
    Axis("dies", "", (1.0, 2.0, 4.0)),
    Axis("compute_area", "m2", (2e-4, 4e-4, 7e-4)),
    Axis("sram", "B", (0.0, 64e6, 256e6)),
    Axis("chips", "", (8.0, 64.0, 96.0, 144.0)),
    Axis("tp", "", (1.0, 2.0, 8.0, 32.0)),
    Axis("pp", "", (1.0, 2.0, 3.0, 8.0)),
    Axis("ep", "", (1.0, 3.0, 8.0, 32.0)),
    Axis("batch", "", (1.0, 17.0, 512.0)),
    Axis("context", "", (1000.0, 131072.0)),
    Axis("network.latency", "s", (1e-7, 3e-6)),
    Axis("facility.selling_multiple", "", (1.0, 6.3)),
    Axis("material.process.defect_density", "1/m2", (0.0, 1000.0)),
    Axis("model.layers.1.feedforward.top_k", "", (4.0, 8.0)),
)


@pytest.fixture(scope="module")
def case():
    return case_of(load_study("deepseek-v3-128k"), {"memory": "hbm4"}, AXES)


@pytest.mark.slow
def test_all_outputs_of_a_planned_chip_are_those_of_the_model(case):
    rng = np.random.default_rng(1)
    columns = [rng.choice(axis.values, 400) for axis in AXES]
    # The study says nothing of quality, and nothing of prompts and answers.
    unknown = {"quality_loss", "ttft", "e2e", "prefill_share"}
    outputs = tuple(name for name in OUTPUTS if name not in unknown)
    program = case.program(outputs, frozenset())
    found = worked(program, *columns)

    def at(point):
        values = {axis.path: it for axis, it in zip(AXES, point, strict=True)}
        return case.outputs_at(values, outputs)

    exact = [np.asarray(it) for it in jax.jit(jax.vmap(at))(np.stack(columns, axis=-1))]
    assert np.isfinite(exact).all()
    assert {0.0, 1.0} == set(exact[outputs.index("feasible")].tolist())
    for name, mine, its in zip(outputs, found, exact, strict=True):
        np.testing.assert_allclose(np.broadcast_to(mine, its.shape), its, 1e-12, err_msg=name)


@pytest.mark.slow
def test_the_program_is_a_fraction_of_what_was_traced(case):
    program = case.program(("stps", "utps", "feasible"), frozenset())
    paths = [axis.path for axis in AXES]
    traced = jax.make_jaxpr(
        lambda *it: case.outputs_at(dict(zip(paths, it, strict=True)), ("stps", "feasible"))
    )(*[1.0] * len(AXES))
    assert len(program.instructions) < len(traced.eqns) / 2


@pytest.mark.slow
def test_what_depends_on_inner_or_outer_axes_alone_is_apart(case):
    inner = frozenset({8, 9})
    program = case.program(("stps", "feasible"), inner)
    joint = [it for it in program.instructions if it.axes & inner and it.axes - inner]
    assert 0 < len(joint) < len(program.instructions) / 2


@pytest.mark.slow
def test_a_fingerprint_tells_computations_apart(case):
    one = fingerprint(case.program(("stps",), frozenset()))
    assert one == fingerprint(case.program(("stps",), frozenset()))
    other = case_of(load_study("deepseek-v3-128k"), {"memory": "hbm3e"}, AXES)
    assert one != fingerprint(other.program(("stps",), frozenset()))
