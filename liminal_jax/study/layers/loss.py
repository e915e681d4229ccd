"""What layers lose of a model's quality, as the user says: by a table, or by a function."""

import dataclasses
from abc import abstractmethod
from collections.abc import Callable
from typing import Self, TypeAlias

import equinox as eqx
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

    @abstractmethod
    def of_layers(self, first: int, count: int) -> Self:
        """What some layers lose, numbered from the first of them on.

        Args:
            first: Number of the first.
            count: How many.
        """

    @abstractmethod
    def rows(self) -> tuple[Array, ...]:
        """The arrays with a number for each layer, in which alone layers differ.

        Raises:
            NotImplementedError: they may differ in anything.
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
            here, scale = jnp.log(choice[name]), jnp.log(knots)
            passed = jnp.clip((here - scale[:-1]) / jnp.diff(scale), 0.0, 1.0)
            shares = jnp.append(1.0, passed) - jnp.append(passed, 0.0)
            found = jnp.sum(shares[:, *(None,) * (found.ndim - 1)] * found, axis=0)
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

    @override
    def of_layers(self, first: int, count: int) -> Self:
        losses = tuple(it[first : first + count] for it in self.rows())
        return eqx.tree_at(lambda it: it.rows(), self, losses)

    @override
    def rows(self) -> tuple[Array, ...]:
        return tuple(it.losses for it in self.parts)


class FunctionLoss(AbstractLoss):
    """Losses by a function of the numbers of all layers, of which each loss has those of its own.

    Attributes:
        function: The function.
        layers: How many there are.
        first: Which of them is layer 0 here.

    Examples:
        >>> loss = FunctionLoss(lambda bits, kv, window: 1 / bits, layers=3)
        >>> float(loss.of(jnp.array(2), 4.0, 8.0, 1024.0))
        0.25
    """

    function: LossFunction = eqx.field(static=True)
    layers: int = eqx.field(static=True)
    first: int = eqx.field(static=True, default=0)

    @override
    def of(
        self, layer: Int[Array, ""], weight_bits: Scalar, kv_bits: Scalar, window: Scalar
    ) -> Scalar:
        # A loss has the numbers of its own layer alone, so that the others may be anything.
        given = (jnp.broadcast_to(it, self.layers) for it in (weight_bits, kv_bits, window))
        return self.function(*given)[self.first + layer]

    @override
    def of_layers(self, first: int, count: int) -> Self:
        del count
        return dataclasses.replace(self, first=first)

    @override
    def rows(self) -> tuple[Array, ...]:
        raise NotImplementedError("a loss that is any function of a layer's number")
