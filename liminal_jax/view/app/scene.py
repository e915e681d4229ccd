"""What is drawn, as one function of the numbers that are dragged."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from liminal_jax._arrays import Leaf, Scalar
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.prediction import Prediction
from liminal_jax.performance.predictor import predict
from liminal_jax.view.app.base import AbstractBase, Numbers
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request

BATCHES = tuple(sorted({float(round(2 ** (step / 3))) for step in range(37)}))
"""Users in a micro-batch along the front: 1 to 4096."""


class Scene(eqx.Module):
    """All that stays while numbers are dragged.

    Attributes:
        base: The hardware to start from.
        mapping: Its degrees of parallelism; more chips are more tensor parallelism.
        model: What is computed.
        request: At which precision.
        assumptions: Which laws are used.
    """

    base: AbstractBase
    mapping: Mapping
    model: Model
    request: Request
    assumptions: Assumptions


class Roofline(NamedTuple):
    """Where one chip stands under its roof.

    Attributes:
        peak: Rate of its matrix units at the precision of the weights [FLOP/s].
        bandwidth: Of its main memory [B/s].
        intensity: Operations for each byte that the memory could move while it is busy [FLOP/B].
        rate: Operations a second, over the whole step [FLOP/s].
    """

    peak: Leaf
    bandwidth: Leaf
    intensity: Leaf
    rate: Leaf


class Picture(NamedTuple):
    """What is drawn, of one instance.

    Attributes:
        now: The prediction at the numbers that are dragged.
        batches: Users in a micro-batch along the front.
        front: Predictions there, everything else as it is.
        roofline: The roof, and one point on it for `now` and then for each batch.
    """

    now: Prediction
    batches: Float[np.ndarray, " batches"]
    front: Prediction
    roofline: Roofline


def dragged_mapping(start: Mapping, chips: Scalar) -> Mapping:
    """The degrees of an instance of some chips: as many tensor-parallel ranks as there is room for.

    Experts are spread over as many ranks as before, or the most that divide both.

    Examples:
        >>> moved = dragged_mapping(Mapping(tp=4, cp=1, pp=2, ep=4), 12.0)
        >>> float(moved.tp), float(moved.ep)
        (6.0, 2.0)
    """
    tp = chips / (start.cp * start.pp)
    ranks = jnp.round(tp * start.cp).astype(int)
    ep = jnp.gcd(jnp.round(start.ep).astype(int), ranks)
    return Mapping(tp=tp, cp=start.cp, pp=start.pp, ep=ep)


@eqx.filter_jit
def _pictured(
    scene: Scene, numbers: Numbers, batches: Float[Array, " batches"]
) -> tuple[Prediction, Roofline]:
    """Compiled once for each structure of hardware and model, whatever their numbers."""
    system = scene.base.system(numbers)
    mapping = dragged_mapping(scene.mapping, numbers.chips)
    request = eqx.tree_at(lambda it: it.context, scene.request, numbers.context)

    def at(batch: Scalar) -> Prediction:
        given = (scene.model, request, scene.assumptions)
        return predict(Design(system, mapping, batch=batch), *given)

    found = jax.vmap(at)(batches)
    peak, bandwidth = system.chip.tensor.at(request.weight_bits), system.chip.memory.bandwidth
    return found, Roofline(
        peak=jnp.asarray(peak),
        bandwidth=bandwidth,
        intensity=peak
        * (found.tensor_utilisation * found.step_time)
        / (bandwidth * found.memory_time),
        rate=peak * found.tensor_utilisation,
    )


def pictured(scene: Scene, numbers: Numbers) -> Picture:
    """What is drawn at some numbers."""
    batches = jnp.concatenate([numbers.batch[None], jnp.asarray(BATCHES)])
    found, roofline = jax.device_get(_pictured(scene, numbers, batches))
    return Picture(
        now=jax.tree.map(lambda leaf: leaf[0], found),
        batches=np.asarray(BATCHES),
        front=jax.tree.map(lambda leaf: leaf[1:], found),
        roofline=roofline,
    )


def best_of(
    across: Float[np.ndarray, " points"],
    up: Float[np.ndarray, " points"],
    fits: Bool[np.ndarray, " points"],
) -> Bool[np.ndarray, " points"]:
    """Which points are a front: those that fit, and to which no other is better in both.

    Examples:
        >>> import numpy as np
        >>> best_of(np.array([3., 2., 1.]), np.array([1., 3., 2.]), np.array([True, True, True]))
        array([ True,  True, False])
    """
    usable = fits & np.isfinite(across) & np.isfinite(up)
    beaten = (
        (across[None] >= across[:, None])
        & (up[None] >= up[:, None])
        & ((across[None] > across[:, None]) | (up[None] > up[:, None]))
        & usable[None]
    )
    return usable & ~beaten.any(axis=1)
