"""What layers lose of a model's quality, as the user says: by a table, or by a function."""

from abc import abstractmethod
from collections.abc import Callable
from typing import TypeAlias

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int
from typing_extensions import override

from liminal_jax._arrays import Scalar

Losses: TypeAlias = Float[Array, " layers"]

LossFunction: TypeAlias = Callable[[Losses, Losses, Losses], Losses]
"""Losses of all layers, of their weight bits, bits of the cache, and windows; differentiable."""

Combination: TypeAlias = Callable[[Losses], Scalar]
"""Loss of a model, of the losses of its layers: convex, and never falling with any."""


class AbstractLoss(eqx.Module):
    """What a choice costs one layer."""

    @abstractmethod
    def of(
        self, layer: Int[Array, ""], weight_bits: Scalar, kv_bits: Scalar, window: Scalar
    ) -> Scalar:
        """The loss of one layer; traceable by JAX.

        Args:
            layer: Its number.
            weight_bits: Bits of its weights.
            kv_bits: Bits of its cache.
            window: Tokens that it sees; those of the context where it sees all.
        """


class LossGrid(eqx.Module):
    """A part of the loss, at the values of some of the numbers of a layer.

    Attributes:
        axes: Names of the numbers, of `weight_bits`, `kv_bits` and `window`.
        knots: Values of each, ascending.
        losses: The loss of each layer at each combination of them.
    """

    axes: tuple[str, ...] = eqx.field(static=True)
    knots: tuple[Float[Array, " values"], ...]
    losses: Float[Array, "layers ..."]

    def at(self, layer: Int[Array, ""], choice: dict[str, Scalar]) -> Scalar:
        """The loss of a layer: between values on lines over their logarithms, beyond them level."""
        found = self.losses[layer]
        for name, knots in zip(self.axes, self.knots, strict=True):
            rows = jnp.eye(len(knots))
            here, scale = jnp.log(choice[name]), jnp.log(knots)
            shares = jax.vmap(lambda row, at=here, scale=scale: jnp.interp(at, scale, row))(rows)
            found = jnp.tensordot(shares, found, axes=1)
        return found


class TableLoss(AbstractLoss):
    """Losses that a table states.

    Attributes:
        parts: Its parts, which add up.

    Examples:
        >>> knots = (jnp.array([4.0, 8.0]),)
        >>> part = LossGrid(("weight_bits",), knots, jnp.array([[3.0, 1.0], [2.0, 0.5]]))
        >>> float(TableLoss((part,)).of(jnp.array(1), 4.0, 8.0, 1024.0))
        2.0
    """

    parts: tuple[LossGrid, ...]

    @override
    def of(
        self, layer: Int[Array, ""], weight_bits: Scalar, kv_bits: Scalar, window: Scalar
    ) -> Scalar:
        choice = {"weight_bits": weight_bits, "kv_bits": kv_bits, "window": window}
        found = [it.at(layer, choice) for it in self.parts]
        return sum(found[1:], start=found[0])


class FunctionLoss(AbstractLoss):
    """Losses by a function of the numbers of all layers, of which each loss has those of its own.

    Attributes:
        function: The function.
        layers: How many there are.

    Examples:
        >>> loss = FunctionLoss(lambda bits, kv, window: 1 / bits, layers=3)
        >>> float(loss.of(jnp.array(2), 4.0, 8.0, 1024.0))
        0.25
    """

    function: LossFunction = eqx.field(static=True)
    layers: int = eqx.field(static=True)

    @override
    def of(
        self, layer: Int[Array, ""], weight_bits: Scalar, kv_bits: Scalar, window: Scalar
    ) -> Scalar:
        # A loss has the numbers of its own layer alone, so that the others may be anything.
        given = (jnp.broadcast_to(it, self.layers) for it in (weight_bits, kv_bits, window))
        return self.function(*given)[layer]
