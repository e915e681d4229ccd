"""Histograms over all points: counts in bins of about equal ratio, and quantiles from them.

A bin is the exponent and the first six bits of the fraction of a number in float32: 64 to an
octave, 1.1 to 1.6 % wide, over all positive numbers. No range need be known beforehand, and counts
of parts of a sweep add up exactly.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

BITS = 6
"""Bits of the fraction that number the bins of an octave."""

_DROPPED = 23 - BITS

BINS = 255 << BITS
"""Number of bins, without those of infinite and undefined numbers."""


def binned(values: Float[Array, " points"]) -> Int[Array, " points"]:
    """The bins of some values; `BINS` for values that are not positive or not finite."""
    bits = jax.lax.bitcast_convert_type(values.astype(jnp.float32), jnp.int32)
    bins = bits >> _DROPPED
    return jnp.where((values > 0) & (bins < BINS), bins, BINS)


def edges() -> Float[np.ndarray, " edges"]:
    """Edges of all bins: one more than bins."""
    bits = np.arange(BINS + 1, dtype=np.int32) << _DROPPED
    return bits.view(np.float32).astype(float)


def quantiles(
    counts: Int[np.ndarray, " bins"], shares: Float[np.ndarray, " shares"]
) -> Float[np.ndarray, " shares"]:
    """Quantiles at some shares, to the width of a bin; NaN where there are no points."""
    total = int(counts.sum())
    if not total:
        return np.full(len(shares), np.nan)
    least = np.maximum(np.asarray(shares) * total, 1)
    reached = np.searchsorted(np.cumsum(counts), least, side="left")
    ends = edges()
    places = np.minimum(reached, BINS - 1)
    return np.sqrt(ends[places] * ends[places + 1])
