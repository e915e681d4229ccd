"""Derivatives of every continuous output with respect to every number that goes in.

They are compared with central differences, as elasticities (per cent of the output for a per cent
of the input), at a design away from kinks: degrees and precisions are real numbers between those
at which a ceiling, a step or the choice of a rate would turn.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from experiments.listed import in_numpy
from liminal_jax._smooth import AbstractRelaxation, Exact, Soft
from liminal_jax.data.build import load_model, load_system
from liminal_jax.hardware.execution import Execution
from liminal_jax.hardware.network import (
    AbstractNetwork,
    FittedLatency,
    FullMesh,
    ScaleOut,
    Switched,
    Torus,
)
from liminal_jax.hardware.power import AbstractPower, ProvisionedPower
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.placement import Placement
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.prediction import Prediction
from liminal_jax.performance.predictor import predict
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request

STEP = 1e-5
B200 = load_system("b200")
SCALE_OUT = ScaleOut(bandwidth=50e9, latency=16e-6)
ROWS = {"bandwidth": 9e11, "efficiency": 0.65, "latency": 3e-6, "scale_out": SCALE_OUT}
NETWORKS: dict[str, AbstractNetwork] = {
    "switched": Switched(domain=13, **ROWS),
    "mesh": FullMesh(domain=13, **ROWS),
    "torus": Torus(domain=300, dimensions=2.5, **ROWS),
    "talk": FittedLatency(latency_at_8=0.44e-6, latency_at_128=1e-6, floor=0.16e-6),
}
POWERS: dict[str, AbstractPower] = {
    "activity": B200.chip.power,
    "provisioned": ProvisionedPower(800),
}
READINGS: dict[str, AbstractRelaxation] = {"exact": Exact(), "soft": Soft(0.2)}
# Every network, model, power and reading meets every other but for a network and a model or two.
CASES = [
    ("llama-3-8b", "talk", "activity", "exact"),
    ("llama-3-8b", "switched", "provisioned", "soft"),
    ("deepseek-v3", "switched", "activity", "exact"),
    ("deepseek-v3", "torus", "activity", "soft"),
    ("deepseek-v3", "mesh", "provisioned", "exact"),
    ("gpt-oss-20b", "mesh", "activity", "soft"),
    ("gpt-oss-20b", "torus", "provisioned", "exact"),
    ("gpt-oss-20b", "talk", "provisioned", "soft"),
]


def _nonzero(tree: Model) -> Model:
    """Counts that are zero are kinks of their own: a model either has the part or has not."""
    return jax.tree.map(lambda leaf: jnp.where(leaf == 0, 3.0, leaf), tree)


def _design(network: str, power: str) -> Design:
    system = eqx.tree_at(
        lambda it: (it.network, it.chip.power), B200, (NETWORKS[network], POWERS[power])
    )
    system = eqx.tree_at(
        lambda it: (it.chip.sram.capacity, it.chip.sram.bandwidth, it.chip.sram.energy),
        system,
        (jnp.asarray(2e8), jnp.asarray(2e13), jnp.asarray(1e-11)),
    )
    execution = Execution(
        compute_share=0.7,
        bandwidth_share=0.8,
        overlap_between_operators=0.6,
        overlap_within_operators=0.45,
    )
    return Design(
        system=eqx.tree_at(lambda it: it.execution, system, execution),
        mapping=Mapping(tp=8.6, cp=2.3, pp=3.1, ep=4.3),
        placement=Placement(weights=0.15, cache=0.25, experts=0.1),
        batch=20.7,
    )


def _continuous(prediction: Prediction) -> jax.Array:
    """All outputs but the verdict and the index of the bottleneck."""
    kept = eqx.tree_at(lambda it: (it.fits, it.bottleneck), prediction, (None, None))
    return ravel_pytree(kept)[0]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "network", "power", "reading"), CASES)
def test_gradients_are_those_of_central_differences(
    name: str, network: str, power: str, reading: str
) -> None:
    request = Request(context=5000, weight_bits=7.3, kv_bits=8.9, activation_bits=15.5)
    point, rebuild = ravel_pytree((_design(network, power), _nonzero(load_model(name)), request))
    assumptions = Assumptions(relaxation=READINGS[reading])

    def outputs(logarithms: jax.Array) -> jax.Array:
        return _continuous(predict(*rebuild(jnp.exp(logarithms)), assumptions))

    @in_numpy
    def along(start: jax.Array, direction: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jax.jvp(outputs, (start,), (direction,))

    at = jnp.log(point)
    value = np.abs(along(at, at)[0])
    # Where a machine charges nothing, as for the talk's network, an output and its slope are 0.
    scale = np.where(value == 0, 1.0, value)
    slopes = []
    for direction in np.eye(len(point)):
        slope = np.asarray(along(at, direction)[1]) / scale
        up, down = (along(at + side * STEP * direction, direction)[0] for side in (1, -1))
        difference = np.asarray(up - down) / (2 * STEP) / scale
        np.testing.assert_allclose(slope, difference, rtol=1e-5, atol=1e-8)
        slopes.append(slope)
    assert np.all(np.isfinite(slopes))
    # Each number matters to some output, but for what this model or machine does not use.
    assert np.sum(np.all(np.asarray(slopes) == 0, axis=1)) < len(point) / 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("system", "reading"), [("b200", "exact"), ("mi300x", "soft"), ("tpu-v4", "soft")]
)
def test_reverse_gradients_of_a_listed_system_reach_every_leaf(system: str, reading: str) -> None:
    # At whole degrees, at ties and with empty SRAM, where a kink could turn a slope into NaN.
    design = Design(
        system=load_system(system),
        mapping=Mapping(tp=8, pp=4, ep=8),
        placement=Placement(),
        batch=8,
    )

    def step(inputs: tuple[Design, Model, Request]) -> jax.Array:
        got = predict(*inputs, Assumptions(relaxation=READINGS[reading]))
        return got.step_time + got.memory_fill + got.chip_power

    inputs = (design, load_model("gpt-oss-20b"), Request(context=4096))
    gradients = in_numpy(jax.grad(step))(inputs)
    leaves = jax.tree.leaves(inputs)
    found = jax.tree.leaves(gradients)
    assert len(found) == len(leaves)
    assert all(bool(jnp.isfinite(gradient)) for gradient in found)


@pytest.mark.slow
def test_unpublished_numbers_stay_where_they_matter() -> None:
    # The talk's chip has no 16-bit rate, price or access energy (NaN) and no vector rate
    # (infinite); none of these may spoil the derivatives of the step.
    design = Design(
        system=load_system("xpu-hbm3"), mapping=Mapping(tp=8), placement=Placement(), batch=8
    )
    inputs = (design, load_model("llama-3-8b"), Request(context=4096))

    def step(inputs: tuple[Design, Model, Request]) -> jax.Array:
        return predict(*inputs).step_time

    value, gradients = in_numpy(jax.value_and_grad(step))(inputs)
    assert bool(jnp.isfinite(value))
    spoilt = [
        jax.tree_util.keystr(path)
        for path, gradient in jax.tree_util.tree_leaves_with_path(gradients)
        if not bool(jnp.isfinite(gradient))
    ]
    assert spoilt == []
    assert bool(jnp.isnan(design.system.chip.tensor.bits_16))
