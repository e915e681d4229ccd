"""A chunk of a prompt: tokens that pass the model together, after others that are cached."""

import equinox as eqx
import jax.numpy as jnp
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._show import Shown
from liminal_jax._smooth import AbstractRelaxation


class Chunk(Shown):
    """Consecutive tokens of one prompt.

    Its i-th token attends to a context of past + i tokens, itself included.

    Attributes:
        tokens: New tokens.
        past: Tokens before them, whose cache there already is.
    """

    tokens: Leaf = eqx.field(converter=as_leaf)
    past: Leaf = eqx.field(converter=as_leaf, default=0)

    def mean_context(self) -> Scalar:
        """Mean context of its tokens."""
        return self.past + (self.tokens + 1) / 2


class Prompts(Shown):
    """Chunks of several users' prompts that pass the model in one step.

    Attributes:
        count: Prompts; a mean number need not be whole.
        chunk: What passes of each.
    """

    count: Leaf = eqx.field(converter=as_leaf)
    chunk: Chunk

    def tokens(self) -> Scalar:
        """New tokens of all of them."""
        return self.count * self.chunk.tokens


class MeanOverChunk(AbstractRelaxation):
    r"""Reads the law of one token, asked at the mean context of a chunk, as the mean of its tokens.

    Laws of mixers are sums of multiples of the context c and of min(a c, k). The mean of the former
    is that at the mean context; of the latter it is, over t tokens after p others, with w = k/a and
    n of them still growing,

        a [n p + n (n + 1)/2 + (t - n) w] / t        n = min(t, floor(max(w - p, 0)))

    Exact for whole numbers of tokens. Other kinks are read as they are.

    Attributes:
        chunk: Over whose tokens the mean is.
        kinks: How other kinks are read, and n's.

    Examples:
        >>> from liminal_jax._smooth import Exact
        >>> reading = MeanOverChunk(Chunk(tokens=4), Exact())  # contexts 1, 2, 3, 4
        >>> float(reading.minimum(reading.chunk.mean_context(), 2.0))  # 1, 2, 2, 2
        1.75
    """

    chunk: Chunk
    kinks: AbstractRelaxation

    def minimum(self, left: Scalar, right: Scalar) -> Scalar:
        """Mean of the smaller, where `left` is a multiple of the context and `right` is fixed."""
        tokens, past = self.chunk.tokens, self.chunk.past
        slope = left / self.chunk.mean_context()
        limit = right / slope
        growing = self.kinks.minimum(tokens, jnp.floor(jnp.maximum(limit - past, 0.0)))
        total = growing * past + growing * (growing + 1) / 2 + (tokens - growing) * limit
        return slope * total / tokens

    @override
    def maximum(self, *values: Scalar) -> Scalar:
        return self.kinks.maximum(*values)

    @override
    def ceil(self, value: Scalar) -> Scalar:
        return self.kinks.ceil(value)

    @override
    def largest_part(self, mean: Scalar) -> Scalar:
        return self.kinks.largest_part(mean)

    @override
    def floor(self, value: Scalar) -> Scalar:
        return self.kinks.floor(value)

    @override
    def exceeds(self, count: Scalar, whole: Scalar) -> Scalar:
        return self.kinks.exceeds(count, whole)

    @override
    def fewest(self, count: Scalar, whole: Scalar) -> Scalar:
        return self.kinks.fewest(count, whole)

    @override
    def share(self, ratio: Scalar) -> Scalar:
        return self.kinks.share(ratio)
