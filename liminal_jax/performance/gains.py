"""Elasticity of tokens a second to each resource, from the gradient."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PyTree

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._show import Shown
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.inputs import with_defaults
from liminal_jax.performance.prediction import Prediction
from liminal_jax.performance.predictor import predict
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request


class Gains(Shown):
    """Per cent of tokens a second for one per cent more of each resource.

    The users stay the same, so these hold for tokens a second of one user and of the instance, but
    for `batch`.

    Attributes:
        memory_bandwidth: Of main memory.
        sram_bandwidth: Of software-managed SRAM.
        capacity_tier_bandwidth: Of the capacity tier; 0 without one.
        tensor_rate: At every precision.
        vector_rate: Of the vector units, and of the unit of exponentials.
        network: Everything about collectives quicker: the share of the step they are exposed.
        tensor_parallelism: More chips on each stage.
        batch: Users in a micro-batch: the gain of all users together.
        context: The tokens attended to.
    """

    memory_bandwidth: Leaf = eqx.field(converter=as_leaf)
    sram_bandwidth: Leaf = eqx.field(converter=as_leaf)
    capacity_tier_bandwidth: Leaf = eqx.field(converter=as_leaf)
    tensor_rate: Leaf = eqx.field(converter=as_leaf)
    vector_rate: Leaf = eqx.field(converter=as_leaf)
    network: Leaf = eqx.field(converter=as_leaf)
    tensor_parallelism: Leaf = eqx.field(converter=as_leaf)
    batch: Leaf = eqx.field(converter=as_leaf)
    context: Leaf = eqx.field(converter=as_leaf)


def _along(numbers: PyTree, slopes: PyTree) -> Scalar:
    """Derivative along a common growth of all leaves; infinite leaves stay as they are."""
    return sum(
        jnp.sum(jnp.where(jnp.isfinite(number), number, 0.0) * slope)
        for number, slope in zip(jax.tree.leaves(numbers), jax.tree.leaves(slopes), strict=True)
    )


def predicted_with_gains(
    design: Design, model: Model, request: Request, assumptions: Assumptions | None = None
) -> tuple[Prediction, Gains]:
    """A prediction, and the elasticities of tokens a second there.

    At a kink, where two times are equal, the gradient of the maximum is shared between them. What
    lies in which memory stays, also where the placement is left out.
    """
    design, assumptions = with_defaults(design, model, request, assumptions)

    def speed(design: Design, request: Request) -> tuple[Scalar, Prediction]:
        prediction = predict(design, model, request, assumptions)
        return jnp.log(prediction.utps), prediction

    (slopes, by_request), prediction = jax.grad(speed, argnums=(0, 1), has_aux=True)(
        design, request
    )
    chip, slope = design.system.chip, slopes.system.chip
    far, far_slope = chip.capacity_tier, slope.capacity_tier
    return prediction, Gains(
        memory_bandwidth=chip.memory.bandwidth * slope.memory.bandwidth,
        sram_bandwidth=chip.sram.bandwidth * slope.sram.bandwidth,
        capacity_tier_bandwidth=0.0 if far is None else far.bandwidth * far_slope.bandwidth,
        tensor_rate=_along(chip.tensor, slope.tensor),
        vector_rate=_along((chip.vector, chip.exponential), (slope.vector, slope.exponential)),
        network=prediction.exposed_time / prediction.step_time,
        tensor_parallelism=design.mapping.tp * slopes.mapping.tp,
        batch=1 + design.batch * slopes.batch,
        context=request.context * by_request.context,
    )
