"""What is drawn, as one function of the numbers that are dragged."""

from abc import abstractmethod
from collections.abc import Mapping as Mapped
from dataclasses import replace
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar
from liminal_jax._smooth import Exact
from liminal_jax._traced import listed
from liminal_jax.hardware.planned import PlannedSystem
from liminal_jax.hardware.system import System
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.performance.pictured import pictures_of
from liminal_jax.performance.prediction import Prediction
from liminal_jax.performance.predictor import predict
from liminal_jax.study.anatomy import chip_package
from liminal_jax.study.case import Case
from liminal_jax.study.region import Region
from liminal_jax.view.app.base import AbstractBase, Numbers

BATCHES = tuple(sorted({float(round(2 ** (step / 3))) for step in range(37)}))
"""Users in a micro-batch along the front: 1 to 4096."""

CATEGORY = "category"
"""Name of the alternative among what is dragged: its row."""

EXPERT_RANKS = "ep"
"""Name of the expert parallelism of a design among what is dragged."""


class AbstractScene(eqx.Module):
    """All that stays while numbers are dragged.

    What is dragged goes by name: numbers of the case by their path, others as each scene says.

    Attributes:
        start: The design that it begins from, or the case of the study: numbers in which
            alternatives differ have a row for each.
    """

    start: eqx.AbstractVar[Case]

    @abstractmethod
    def begun(self, numbers: Mapped[str, Scalar]) -> Case:
        """The case before numbers are set by their paths."""

    def case(self, numbers: Mapped[str, Scalar]) -> Case:
        """The design with all that goes with it, at some numbers."""
        begun = self.begun(numbers)
        region = Region(begun, ("",), (), "")
        paths = set(region.paths)
        return region.with_numbers({it: at for it, at in numbers.items() if it in paths}).case


class DesignScene(AbstractScene):
    """One instance of a design, whose hardware changes by what people say of it.

    Beside paths the fields of `Numbers` are dragged, and the ranks that share experts.

    Attributes:
        base: The hardware to start from.
        start: The design; more chips than it has are more tensor parallelism.
    """

    base: AbstractBase
    start: Case

    @override
    def begun(self, numbers: Mapped[str, Scalar]) -> Case:
        dragged = Numbers(**{name: numbers[name] for name in Numbers.__dataclass_fields__})
        mapping = dragged_mapping(self.start.mapping, dragged.chips, numbers[EXPERT_RANKS])
        return replace(
            self.start,
            system=self.base.system(dragged),
            mapping=mapping,
            batch=dragged.batch,
            request=replace(self.start.request, context=dragged.context),
        )


class StudyScene(AbstractScene):
    """The designs of a study, each variable by its path, the alternative by its row.

    Attributes:
        start: The case of the study.
    """

    start: Case

    @override
    def begun(self, numbers: Mapped[str, Scalar]) -> Case:
        row = jnp.asarray(numbers[CATEGORY], int)
        return jax.tree.map(lambda it: it[row] if jnp.ndim(it) else it, self.start)


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
        mapping: Degrees of parallelism at the numbers that are dragged.
        context: Tokens of a user's context there.
        now: The prediction there.
        batches: Users in a micro-batch along the front.
        front: Predictions there, everything else as it is.
        roofline: The roof, and one point on it for `now` and then for each batch.
    """

    mapping: Mapping
    context: Leaf
    now: Prediction
    batches: Float[np.ndarray, " batches"]
    front: Prediction
    roofline: Roofline


def dragged_mapping(start: Mapping, chips: Scalar, expert_ranks: Scalar) -> Mapping:
    """The degrees of an instance of some chips: as many tensor-parallel ranks as there is room for.

    Experts are spread over as many ranks as asked for, or the most that divide both.

    Examples:
        >>> moved = dragged_mapping(Mapping(tp=4, cp=1, pp=2, ep=4), 12.0, 4.0)
        >>> float(moved.tp), float(moved.ep)
        (6.0, 2.0)
    """
    tp = chips / (start.cp * start.pp)
    ranks = jnp.round(tp * start.cp).astype(int)
    ep = jnp.gcd(jnp.round(expert_ranks).astype(int), ranks)
    return replace(start, tp=tp, ep=ep)


@listed
def _pictured(
    scene: AbstractScene, numbers: dict[str, Array], batches: Float[Array, " batches"]
) -> tuple[Mapping, Leaf, Prediction, Roofline]:
    """Traced once for each structure of hardware and model, whatever their numbers."""
    case = scene.case(numbers)
    system = case.built(Exact())

    def at(batch: Scalar) -> Prediction:
        own = replace(case, batch=batch)
        return predict(own.design(Exact()), own.model, own.request, own.laws(Exact()))

    found = jax.vmap(at)(jnp.concatenate([jnp.asarray(case.batch)[None], batches]))
    peak, bandwidth = system.chip.tensor.at(case.request.weight_bits), system.chip.memory.bandwidth
    roofline = Roofline(
        peak=jnp.asarray(peak),
        bandwidth=bandwidth,
        intensity=peak
        * (found.tensor_utilisation * found.step_time)
        / (bandwidth * found.memory_time),
        rate=peak * found.tensor_utilisation,
    )
    return case.mapping, case.request.context, found, roofline


@listed
def _hardware(
    scene: AbstractScene, numbers: dict[str, Array]
) -> tuple[System | PlannedSystem, System, Mapping]:
    """What is built at some numbers: as it is planned, as it follows, and how it is used."""
    case = scene.case(numbers)
    return case.system, case.built(Exact()), case.mapped()


def drawn(scene: AbstractScene, numbers: Mapped[str, float], category: str) -> str:
    """Package and instance to scale, as HTML.

    Args:
        scene: What stays.
        numbers: What is dragged, by name, in SI.
        category: Memory technology of the chips, or the name of the system.
    """
    hardware, built, mapping = _hardware(scene, as_arrays(numbers))
    return pictures_of(chip_package(hardware, category), built, mapping)


def as_arrays(numbers: Mapped[str, float]) -> dict[str, Array]:
    """Numbers as a program takes them, so that a new value compiles nothing."""
    return {name: jnp.asarray(value, float) for name, value in numbers.items()}


def pictured(scene: AbstractScene, numbers: Mapped[str, float]) -> Picture:
    """What is drawn at some numbers.

    Args:
        scene: What stays.
        numbers: What is dragged, by name, in SI.
    """
    drawn = _pictured(scene, as_arrays(numbers), jnp.asarray(BATCHES))
    mapping, context, found, roofline = jax.device_get(drawn)
    return Picture(
        mapping=mapping,
        context=context,
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
