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
from liminal_jax.workload.record import Count, Spec


class CompressorSpec(Spec):
    """A compressor; how wide its entries are, its user says.

    Attributes:
        ratio: Tokens for each entry.
        spans: Windows of `ratio` tokens that one entry pools: 2 where windows overlap.
    """

    ratio: Count
    spans: Count = 1

    def matrices(self, hidden: int, width: int) -> int:
        """Weights of the projections to what is pooled and to its scores."""
        return int(compression_weights(hidden=hidden, width=width, spans=self.spans))

    def small_parameters(self, width: int, norm_vectors: int) -> int:
        """An offset for each token's score in a window, and the norm of the entry."""
        return self.ratio * self.spans * width + width * norm_vectors

    def elements(self, width: int) -> Fraction:
        """Elements of entries that one token adds."""
        return Fraction(width, self.ratio)

    def arrays(self, width: int) -> "Compressor":
        """The same as a pytree of arrays, for entries of some width."""
        return Compressor(width=width, ratio=self.ratio, spans=self.spans)


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
