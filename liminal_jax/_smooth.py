r"""Two readings of every kink: exact, and softened so that gradients see past it.

Each choice in the laws (the larger of two times, whole layers, "more ranks than heads") asks a
relaxation. `Exact()` answers with the true maximum, ceiling or step; `Soft(temperature)` with a
smooth stand-in that is scale-free, monotone, and tends to the exact answer as the temperature
goes to zero:

    max     m  <= soft <= n^temperature m       for n numbers with maximum m
    min     n^-temperature m <= soft <= m
    ceil    x  <= soft <= ceil(x), equal at whole numbers; off by at most exp(-f/rounding),
            f the fractional part; close to x itself where the rounding is large. Its slope jumps
            at whole numbers, where the gradient is that of the next step up
    floor   floor(x) <= soft <= x, likewise
    above   off by at most min(v/t, t/v)^(1/temperature)
"""

from abc import abstractmethod

import equinox as eqx
import jax
import jax.numpy as jnp

from liminal_jax._arrays import Leaf, Scalar, as_leaf


class AbstractRelaxation(eqx.Module):
    """How kinks are read."""

    @abstractmethod
    def maximum(self, *values: Scalar) -> Scalar:
        """The largest of some numbers, one of which at least is not negative."""

    @abstractmethod
    def ceil(self, value: Scalar) -> Scalar:
        """The least whole number that is not below a value."""

    @abstractmethod
    def above(self, value: Scalar, threshold: Scalar) -> Scalar:
        """1 where a positive value exceeds a positive threshold, else 0."""

    @abstractmethod
    def minimum(self, left: Scalar, right: Scalar) -> Scalar:
        """The smaller of two non-negative numbers."""

    @abstractmethod
    def floor(self, value: Scalar) -> Scalar:
        """The largest whole number that is not above a value."""


class Exact(AbstractRelaxation):
    """The model as it is.

    Examples:
        >>> float(Exact().maximum(1.0, 3.0))
        3.0
    """

    def maximum(self, *values: Scalar) -> Scalar:
        """See `AbstractRelaxation`."""
        return jnp.max(jnp.stack([jnp.asarray(value, float) for value in values]))

    def minimum(self, left: Scalar, right: Scalar) -> Scalar:
        """See `AbstractRelaxation`."""
        return jnp.minimum(left, right)

    def ceil(self, value: Scalar) -> Scalar:
        """See `AbstractRelaxation`."""
        return jnp.ceil(value)

    def floor(self, value: Scalar) -> Scalar:
        """See `AbstractRelaxation`."""
        return jnp.floor(value)

    def above(self, value: Scalar, threshold: Scalar) -> Scalar:
        """See `AbstractRelaxation`."""
        return jnp.where(jnp.asarray(value > threshold), 1.0, 0.0)


class Soft(AbstractRelaxation):
    r"""The model with its kinks rounded, by a p-norm with p = 1/temperature.

        max(x) ~ (sum_i x_i^p)^(1/p)

    Attributes:
        temperature: Blur of a kink, above 0; 0.1 blurs it over some ten per cent.
        rounding: Temperature of ceilings and floors, if another: a large one leaves numbers that
            should be whole free to be real.

    Examples:
        >>> soft = Soft(0.5)
        >>> round(float(soft.maximum(3.0, 4.0)), 6)
        5.0
    """

    temperature: Leaf
    rounding: Leaf

    def __init__(self, temperature: Scalar, rounding: Scalar | None = None):
        self.temperature = as_leaf(temperature)
        self.rounding = as_leaf(temperature if rounding is None else rounding)

    def maximum(self, *values: Scalar) -> Scalar:
        """See `AbstractRelaxation`."""
        stacked = jnp.stack([jnp.maximum(jnp.asarray(value, float), 0.0) for value in values])
        # The p-norm does not change when its scale is taken out, so the scale may be a constant.
        top = jax.lax.stop_gradient(jnp.max(stacked))
        shares = jnp.where(top > 0, stacked / jnp.where(top > 0, top, 1.0), 1.0)
        return top * jnp.sum(shares ** (1 / self.temperature)) ** self.temperature

    def minimum(self, left: Scalar, right: Scalar) -> Scalar:
        """Their product over the softened larger one."""
        largest = self.maximum(left, right)
        return left * (right / jnp.where(largest > 0, largest, 1.0))

    def ceil(self, value: Scalar) -> Scalar:
        """See `AbstractRelaxation`."""
        whole = jnp.floor(value)
        rise = jnp.expm1(-(value - whole) / self.rounding) / jnp.expm1(-1 / self.rounding)
        return whole + rise

    def floor(self, value: Scalar) -> Scalar:
        """See `AbstractRelaxation`."""
        return -self.ceil(-value)

    def above(self, value: Scalar, threshold: Scalar) -> Scalar:
        """See `AbstractRelaxation`."""
        return jax.nn.sigmoid((jnp.log(value) - jnp.log(threshold)) / self.temperature)


class SoftSizes(AbstractRelaxation):
    """The model with its kinks rounded where degrees of parallelism are held at whole numbers.

    What is rounded up hangs on the degrees and stays as it is; what is rounded down counts
    instances, of which there may be a part.

    Attributes:
        kinks: How the kinks are rounded.

    Examples:
        >>> reading = SoftSizes(0.5)
        >>> float(reading.ceil(2.5)), float(reading.floor(2.5))
        (3.0, 2.5)
    """

    kinks: Soft

    def __init__(self, temperature: Scalar):
        self.kinks = Soft(temperature)

    def maximum(self, *values: Scalar) -> Scalar:
        """See `AbstractRelaxation`."""
        return self.kinks.maximum(*values)

    def minimum(self, left: Scalar, right: Scalar) -> Scalar:
        """See `AbstractRelaxation`."""
        return self.kinks.minimum(left, right)

    def ceil(self, value: Scalar) -> Scalar:
        """See `AbstractRelaxation`."""
        return jnp.ceil(value)

    def floor(self, value: Scalar) -> Scalar:
        """See `AbstractRelaxation`."""
        return jnp.asarray(value, float)

    def above(self, value: Scalar, threshold: Scalar) -> Scalar:
        """See `AbstractRelaxation`."""
        return self.kinks.above(value, threshold)


def between(whole: Scalar) -> Scalar:
    """Where a step "more than `whole`" of whole numbers stands among the real ones.

    Halfway, in logarithms, to the next whole number, so that both readings agree on integers.

    Examples:
        >>> round(float(between(1.0)), 3)
        1.414
    """
    return jnp.sqrt(whole * (whole + 1.0))
