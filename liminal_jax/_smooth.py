r"""Two relaxations of every non-smooth function: the exact one, and a smooth one for gradients.

Each choice in the laws (the larger of two times, whole layers, "more ranks than heads") asks a
relaxation. `Exact()` answers with the true maximum, ceiling or step; `Soft(temperature)` with a
smooth stand-in that is monotone and tends to the exact answer as the temperature t goes to zero.
Magnitudes (times, bytes) are blurred in proportion to themselves, counts (chips, heads, stages) by
less than the distance of neighbouring whole numbers, so that soft and exact model agree on whole
designs however far apart the two sides of a step are:

    maximum   m <= soft <= n^t m            for n numbers with maximum m
    minimum   2^-t m <= soft <= m           for two numbers with minimum m
    share     (1 - t/4) m <= soft <= m      for m = min(x, 1); equal where |x - 1| >= t
    fewest    m - t/4 <= soft <= m          for m = min(n, whole), both 1 at least; never below 1;
              equal where |n - whole| >= t, so on all whole numbers but at a tie
    exceeds   equal on all whole numbers, at every temperature; between a whole number and the
              next it rises from 0 to 1, the more steeply the lower the temperature
    ceil      x <= soft <= ceil(x), equal on whole numbers; off by at most exp(-f/rounding), f the
              fractional part; close to x itself where the rounding is large. Its slope jumps at
              whole numbers, where the gradient is that of the next step up
    floor     floor(x) <= soft <= x, equal on whole numbers; off by exp(-(1 - f)/rounding) at most

Temperatures above 1 count as 1 in `share` and `fewest`.
"""

import math
from abc import abstractmethod
from functools import reduce

import equinox as eqx
import jax
import jax.numpy as jnp
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._kinks import kink


class AbstractRelaxation(eqx.Module):
    """How kinks are read."""

    @abstractmethod
    def maximum(self, *values: Scalar) -> Scalar:
        """The largest of some numbers, one of which at least is not negative."""

    @abstractmethod
    def ceil(self, value: Scalar) -> Scalar:
        """The least whole number that is not below a value."""

    @abstractmethod
    def largest_part(self, mean: Scalar) -> Scalar:
        """The largest part of a count that is shared evenly, from the mean part: rounded up."""

    @abstractmethod
    def exceeds(self, count: Scalar, whole: Scalar) -> Scalar:
        """1 where a count is larger than another, else 0; both are positive.

        Of real numbers the step stands halfway, in logarithms, to the next whole number.
        """

    @abstractmethod
    def minimum(self, left: Scalar, right: Scalar) -> Scalar:
        """The smaller of two non-negative numbers."""

    @abstractmethod
    def fewest(self, count: Scalar, whole: Scalar) -> Scalar:
        """The smaller of two counts, each 1 at least."""

    @abstractmethod
    def share(self, ratio: Scalar) -> Scalar:
        """A ratio that is not negative, at most 1: the share of a demand that a supply meets."""

    @abstractmethod
    def floor(self, value: Scalar) -> Scalar:
        """The largest whole number that is not above a value."""


class Exact(AbstractRelaxation):
    """The model as it is.

    Examples:
        >>> float(Exact().maximum(1.0, 3.0))
        3.0
    """

    @override
    def maximum(self, *values: Scalar) -> Scalar:
        return reduce(jnp.maximum, (jnp.asarray(value, float) for value in values))

    @override
    def minimum(self, left: Scalar, right: Scalar) -> Scalar:
        return jnp.minimum(left, right)

    @override
    def ceil(self, value: Scalar) -> Scalar:
        return jnp.ceil(value)

    @override
    def largest_part(self, mean: Scalar) -> Scalar:
        return jnp.ceil(mean)

    @override
    def floor(self, value: Scalar) -> Scalar:
        return jnp.floor(value)

    @override
    def exceeds(self, count: Scalar, whole: Scalar) -> Scalar:
        return jnp.where(jnp.asarray(count > _halfway(whole)), 1.0, 0.0)

    @override
    def fewest(self, count: Scalar, whole: Scalar) -> Scalar:
        return jnp.minimum(count, whole)

    @override
    def share(self, ratio: Scalar) -> Scalar:
        return jnp.minimum(ratio, 1.0)


def _softer_minimum(left: Scalar, right: Scalar, largest: Scalar) -> Scalar:
    """The product of two numbers over the softened larger one."""
    # Below this its square, by which the derivative divides, is 0.
    least = jnp.finfo(jnp.result_type(largest)).tiny ** 0.5
    return left * (right / jnp.where(largest > least, largest, 1.0))


class Soft(AbstractRelaxation):
    r"""The model with its kinks rounded.

    Magnitudes by a p-norm with p = 1/t; counts and shares by a parabola across the corner, of
    half-width h; steps by a sigmoid that reaches 0 and 1 at the two whole numbers around it:

        max(x)      ~ (sum_i x_i^p)^(1/p)
        min(x, y)   ~ min(x, y) - (h - |x - y|)^2 / 4h      for |x - y| < h, else exact
        n > whole   ~ sigmoid(z / (t (1/4 - z^2)))

    with z the distance from the middle between the whole numbers, in logarithms and in parts of
    their distance.

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

    @override
    def maximum(self, *values: Scalar) -> Scalar:
        stacked = jnp.stack([jnp.maximum(jnp.asarray(value, float), 0.0) for value in values])
        # The p-norm does not change when its scale is taken out, so the scale may be a constant.
        top = jax.lax.stop_gradient(jnp.max(stacked))
        shares = jnp.where(top > 0, stacked / jnp.where(top > 0, top, 1.0), 1.0)
        return top * jnp.sum(shares ** (1 / self.temperature)) ** self.temperature

    def minimum(self, left: Scalar, right: Scalar) -> Scalar:
        """Their product over the softened larger one."""
        return _softer_minimum(left, right, self.maximum(left, right))

    @override
    def ceil(self, value: Scalar) -> Scalar:
        whole = jnp.floor(value)
        rise = jnp.expm1(-(value - whole) / self.rounding) / jnp.expm1(-1 / self.rounding)
        return whole + rise

    @override
    def largest_part(self, mean: Scalar) -> Scalar:
        return self.ceil(mean)

    @override
    def floor(self, value: Scalar) -> Scalar:
        return -self.ceil(-value)

    @override
    def exceeds(self, count: Scalar, whole: Scalar) -> Scalar:
        apart = jnp.log1p(1 / jnp.asarray(whole, float))
        # At whole numbers z is 1/2 but for rounding, and the sigmoid has long reached its end.
        z = (jnp.log(count) - jnp.log(_halfway(whole))) / apart
        between = jnp.abs(z) < 0.5
        inside = jnp.where(between, z, 0.0)
        rise = jax.nn.sigmoid(inside / (self.temperature * (0.5**2 - inside**2)))
        return jnp.where(between, rise, jnp.where(z > 0, 1.0, 0.0))

    def fewest(self, count: Scalar, whole: Scalar) -> Scalar:
        """Blurred by less than one of them, and by none where one of them is 1."""
        others = jnp.maximum(jnp.asarray(whole, float) - 1, 0.0)
        return self._rounded_minimum(count, whole, others / (1 + others))

    @override
    def share(self, ratio: Scalar) -> Scalar:
        return self._rounded_minimum(ratio, 1.0, 1.0)

    def _rounded_minimum(self, left: Scalar, right: Scalar, scale: Scalar) -> Scalar:
        """Blurred over the temperature times a scale."""
        half = jnp.minimum(self.temperature, 1.0) * scale
        rounded = jnp.abs(left - right) < half
        # Outside the corner its parabola is not asked, and must not spoil a gradient either.
        width = jnp.where(rounded, half, 1.0)
        missing = jnp.where(rounded, right - left, 0.0)
        corner = right - (missing + width) ** 2 / (2 * 2 * width)
        return jnp.where(rounded, corner, jnp.minimum(left, right))


class SoftSizes(AbstractRelaxation):
    """The model with its kinks rounded where degrees of parallelism are held at whole numbers.

    `ceil` is of quotients of degrees, which are fixed, and stays exact. Sizes are free: what is
    rounded down counts instances, of which there may be a part, and what is shared, such as users,
    is shared evenly. A step at each whole number of users would leave no gradient to descend.

    Attributes:
        kinks: How the kinks are rounded.

    Examples:
        >>> reading = SoftSizes(0.5)
        >>> float(reading.ceil(2.5)), float(reading.floor(2.5)), float(reading.largest_part(2.5))
        (3.0, 2.5, 2.5)
    """

    kinks: Soft

    def __init__(self, temperature: Scalar):
        self.kinks = Soft(temperature)

    @override
    def maximum(self, *values: Scalar) -> Scalar:
        return self.kinks.maximum(*values)

    @override
    def minimum(self, left: Scalar, right: Scalar) -> Scalar:
        return self.kinks.minimum(left, right)

    @override
    def ceil(self, value: Scalar) -> Scalar:
        return jnp.ceil(value)

    @override
    def largest_part(self, mean: Scalar) -> Scalar:
        return jnp.asarray(mean, float)

    @override
    def floor(self, value: Scalar) -> Scalar:
        return jnp.asarray(value, float)

    @override
    def exceeds(self, count: Scalar, whole: Scalar) -> Scalar:
        return self.kinks.exceeds(count, whole)

    @override
    def fewest(self, count: Scalar, whole: Scalar) -> Scalar:
        return self.kinks.fewest(count, whole)

    @override
    def share(self, ratio: Scalar) -> Scalar:
        return self.kinks.share(ratio)


class Free(AbstractRelaxation):
    """The model with its kinks rounded as by `Soft`, and whole numbers free to be real.

    The derivative of a softened ceiling jumps at whole numbers, and a gradient method stops at such
    a kink; here what should be whole is a real number. Each kink is one operation of a trace.

    Attributes:
        temperature: Blur of a kink, above 0 and below 1.

    Examples:
        >>> free = Free(0.5)
        >>> round(float(free.maximum(3.0, 4.0)), 6), float(free.ceil(2.5))
        (5.0, 2.5)
    """

    temperature: Leaf

    def __init__(self, temperature: Scalar):
        self.temperature = as_leaf(temperature)

    @override
    def maximum(self, *values: Scalar) -> Scalar:
        return reduce(lambda one, other: self._kink("maximum", one, other), values)

    def minimum(self, left: Scalar, right: Scalar) -> Scalar:
        """Their product over the softened larger one."""
        return _softer_minimum(left, right, self.maximum(left, right))

    @override
    def ceil(self, value: Scalar) -> Scalar:
        return jnp.asarray(value, float)

    @override
    def largest_part(self, mean: Scalar) -> Scalar:
        return jnp.asarray(mean, float)

    @override
    def floor(self, value: Scalar) -> Scalar:
        return jnp.asarray(value, float)

    @override
    def exceeds(self, count: Scalar, whole: Scalar) -> Scalar:
        return self._kink("exceeds", count, whole)

    @override
    def fewest(self, count: Scalar, whole: Scalar) -> Scalar:
        return self._kink("fewest", count, whole)

    @override
    def share(self, ratio: Scalar) -> Scalar:
        return self._kink("share", ratio)

    def _kink(self, name: str, *values: Scalar) -> Scalar:
        return kink(f"kink_{name}", *values, self.temperature)


def _halfway(whole: Scalar) -> Scalar:
    """The middle, in logarithms, between a whole number and the next."""
    product = whole * (whole + 1.0)
    return math.sqrt(product) if isinstance(product, float) else jnp.sqrt(product)
