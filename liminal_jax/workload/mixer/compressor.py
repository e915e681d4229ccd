"""A compressor: pools every few tokens of a sequence into one entry of the cache.

DeepSeek-AI (2026), DeepSeek-V4 technical report, sections 2.3.1 and 2.3.2.
"""

from fractions import Fraction

import equinox as eqx

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._show import Shown
from liminal_jax.laws.sparse import (
    compression_scores,
    compression_traffic,
    compression_weights,
    compression_work,
)
from liminal_jax.workload.counted import CountedSpec, exactly, spec_of
from liminal_jax.workload.record import Count


class Compressor(Shown):
    """A compressor, which pools tokens to entries.

    Attributes:
        width: Width of an entry.
        ratio: Tokens for each entry.
        spans: Windows of `ratio` tokens that one entry pools: 2 where windows overlap.
    """

    width: Leaf = eqx.field(converter=as_leaf)
    ratio: Leaf = eqx.field(converter=as_leaf)
    spans: Leaf = eqx.field(converter=as_leaf)

    def weights(self, hidden: Scalar) -> Scalar:
        """Elements of its projections."""
        return compression_weights(hidden=hidden, width=self.width, spans=self.spans)

    def entries(self, context: Scalar) -> Scalar:
        """Entries of a context; one that is not yet full counts by its part."""
        return context / self.ratio

    def cache(self, context: Scalar) -> Scalar:
        """Elements of the entries of a context."""
        return self.width * self.entries(context)

    def traffic(self) -> Scalar:
        """Elements that wait to be pooled, written and read, on average for each token."""
        return compression_traffic(width=self.width, spans=self.spans)

    def scores(self) -> Scalar:
        """Scores that go through its softmax, on average for each token."""
        return compression_scores(width=self.width, spans=self.spans)

    def work(self) -> Scalar:
        """Tensor work of pooling, on average for each token [FLOP]."""
        return compression_work(width=self.width, spans=self.spans)


class CompressorSpec(spec_of(CountedSpec, Compressor, without=("width", "spans"))):
    """A compressor; how wide its entries are, its user says.

    Attributes:
        spans: Windows of `ratio` tokens that one entry pools: 2 where windows overlap.
    """

    spans: Count = 1

    def small_parameters(self, width: int, norm_vectors: int) -> int:
        """An offset for each token's score in a window, and the norm of the entry."""
        return self.ratio * self.spans * width + width * norm_vectors

    def elements(self, width: int) -> Fraction:
        """Elements of entries that one token adds."""
        return Fraction(width, self.ratio)

    def pooling(self, width: int) -> "Compressor":
        """The compressor of entries of some width, in whole numbers."""
        return exactly(Compressor, width=width, ratio=self.ratio, spans=self.spans)
