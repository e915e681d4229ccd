"""What counts of the objective over many futures: its mean, a quantile, or the worst.

Scores are signed logarithms of the objective, of which more is better. A measure reads the scores
of a design under every sample, and is a score itself; so quantiles and extremes of the objective
are those of the score.
"""

from abc import abstractmethod

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy import special, stats
from typing_extensions import override

from liminal_jax._arrays import Scalar


class AbstractMeasure(eqx.Module):
    """A measure of the objective over samples."""

    @property
    @abstractmethod
    def name(self) -> str:
        """How the command line calls it."""

    @property
    @abstractmethod
    def about(self) -> str:
        """What it is, in words."""

    @abstractmethod
    def of(self, scores: Float[np.ndarray, "samples designs"], maximise: bool) -> np.ndarray:
        """The measure of each design.

        Args:
            scores: Score of each design under each sample.
            maximise: Whether more of the objective is better.
        """

    @abstractmethod
    def smooth(
        self, scores: Float[Array, " samples"], maximise: bool, temperature: Scalar
    ) -> Float[Array, ""]:
        """The measure of one design with its kinks rounded, for gradients.

        Args:
            scores: Score under each sample.
            maximise: Whether more of the objective is better.
            temperature: Of the relaxation; the measure tends to the exact one as it falls.
        """


class Mean(AbstractMeasure):
    """The mean of the objective over the samples.

    Examples:
        >>> round(float(np.exp(Mean().of(np.log([[1.0], [3.0]]), maximise=True)[0])), 12)
        2.0
        >>> round(float(np.exp(-Mean().of(-np.log([[1.0], [3.0]]), maximise=False)[0])), 12)
        2.0
    """

    @property
    @override
    def name(self) -> str:
        return "mean"

    @property
    @override
    def about(self) -> str:
        return "in the mean"

    @override
    def of(self, scores: Float[np.ndarray, "samples designs"], maximise: bool) -> np.ndarray:
        sign = 1 if maximise else -1
        return sign * special.logsumexp(sign * scores, axis=0) - sign * np.log(len(scores))

    @override
    def smooth(
        self, scores: Float[Array, " samples"], maximise: bool, temperature: Scalar
    ) -> Float[Array, ""]:
        sign = 1 if maximise else -1
        return sign * (jax.nn.logsumexp(sign * scores) - jnp.log(len(scores)))


class Worst(AbstractMeasure):
    """The worst of the objective over the samples.

    Examples:
        >>> Worst().of(np.array([[1.0], [3.0]]), maximise=True).tolist()
        [1.0]
    """

    @property
    @override
    def name(self) -> str:
        return "worst"

    @property
    @override
    def about(self) -> str:
        return "in the worst future"

    @override
    def of(self, scores: Float[np.ndarray, "samples designs"], maximise: bool) -> np.ndarray:
        return np.min(scores, axis=0)

    @override
    def smooth(
        self, scores: Float[Array, " samples"], maximise: bool, temperature: Scalar
    ) -> Float[Array, ""]:
        """The power mean with exponent -1/temperature of the objective: never below the worst."""
        blurred = jax.nn.logsumexp(-scores / temperature) - jnp.log(len(scores))
        return -temperature * blurred


class Quantile(AbstractMeasure):
    """The objective that all but some share of the samples reach or better.

    It is the value of one of the samples, the quantile of the empirical distribution.

    Attributes:
        share: The share, above 0 and below 1: 0.1 leaves out the worst tenth of the futures.

    Examples:
        >>> Quantile(0.25).of(np.array([[4.0], [1.0], [3.0], [2.0]]), maximise=True).tolist()
        [1.0]
    """

    share: float = eqx.field(static=True)

    def __init__(self, share: float):
        """A quantile.

        Raises:
            ValueError: the share is not above 0 and below 1.
        """
        if not 0 < share < 1:
            raise ValueError(f"a quantile is of a share above 0 and below 1, got {share:g}")
        self.share = share

    @property
    @override
    def name(self) -> str:
        return f"quantile:{self.share:g}"

    @property
    @override
    def about(self) -> str:
        return f"reached in {1 - self.share:.4g} of the futures"

    @override
    def of(self, scores: Float[np.ndarray, "samples designs"], maximise: bool) -> np.ndarray:
        # Less a margin, so that rounding of the product does not leave one sample more out.
        place = max(int(np.ceil(self.share * len(scores) - 1e-9)) - 1, 0)
        return np.partition(scores, place, axis=0)[place]

    @override
    def smooth(
        self, scores: Float[Array, " samples"], maximise: bool, temperature: Scalar
    ) -> Float[Array, ""]:
        return harrell_davis(scores, self.share)


def harrell_davis(values: Float[Array, "samples ..."], share: float) -> Float[Array, "..."]:
    r"""A quantile as a weighted sum of all sorted values, whose gradient hears of many of them.

        Q = sum_i w_i x_(i),    w_i = I(i/n) - I((i - 1)/n)

    with I the distribution function of the beta distribution with parameters (n + 1) p and
    (n + 1)(1 - p), the distribution of the place of the quantile p among n values.

    Args:
        values: The values.
        share: The share p below the quantile; at 0 and at 1 the quantile is an extreme.

    References:
        Harrell and Davis (1982), A new distribution-free quantile estimator, Biometrika 69(3),
        doi:10.1093/biomet/69.3.635.

    Examples:
        >>> round(float(harrell_davis(jnp.array([3.0, 1.0, 2.0]), 0.5)), 6)
        2.0
        >>> float(harrell_davis(jnp.array([3.0, 1.0, 2.0]), 1.0))
        3.0
    """
    count = len(values)
    ordered = jnp.sort(values, axis=0)
    if share in (0.0, 1.0):
        return ordered[int(share) * (count - 1)]
    below = stats.beta.cdf(
        np.arange(count + 1) / count, (count + 1) * share, (count + 1) * (1 - share)
    )
    return jnp.tensordot(jnp.asarray(np.diff(below)), ordered, axes=1)


def measure_of(words: str) -> AbstractMeasure:
    """The measure that the command line names.

    Raises:
        ValueError: there is no such measure.

    Examples:
        >>> measure_of("quantile:0.1").about
        'reached in 0.9 of the futures'
    """
    named = {it.name: it for it in (Mean(), Worst())}
    kind, _, share = words.partition(":")
    if words in named:
        return named[words]
    try:
        if kind == "quantile":
            return Quantile(float(share))
    except ValueError:
        pass
    raise ValueError(
        f"must be mean, worst or quantile:SHARE with a share above 0 and below 1, got {words!r}"
    )
