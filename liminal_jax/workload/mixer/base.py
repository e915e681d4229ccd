"""What every mixer answers: as a record of a model file, and as arrays of the predictor."""

from abc import abstractmethod
from fractions import Fraction

import equinox as eqx
import jax.numpy as jnp

from liminal_jax._arrays import Leaf, Scalar
from liminal_jax._show import Shown
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.workload.chunk import Chunk, MeanOverChunk
from liminal_jax.workload.counted import CountedSpec


class MixerSpec(CountedSpec):
    """A mixer as a model file describes it: whole numbers, counted exactly, for one layer.

    A concrete class has a field `kind`, a literal that tells it from the others.
    """

    def matrices(self, hidden: int) -> int:
        """Weights of its matrices, and of others that each token multiplies with once."""
        return int(self.counted().weights(hidden))

    @abstractmethod
    def small_parameters(self, hidden: int, norm_vectors: int) -> int:
        """Parameters that multiply nothing of weight: biases, norms, sinks, rates of decay.

        Args:
            hidden: Width of the residual stream.
            norm_vectors: Vectors of a norm: 1, or 2 where norms have a bias.
        """

    @abstractmethod
    def cache_elements(self) -> int | Fraction:
        """Elements it caches for a token as long as it keeps that token, or its part of them."""

    @abstractmethod
    def growing_cache_elements(self) -> int | Fraction:
        """Elements that a token of context adds to its cache for ever; 0 behind a window."""

    def index_elements(self) -> int | Fraction:
        """Elements of index keys that a token of context adds for ever."""
        return 0

    def state_elements(self) -> int:
        """Elements of a sequence's state, whatever the context."""
        return int(self.counted().state())

    @abstractmethod
    def label(self) -> str:
        """Two or three words for a pattern of layers: `full`, `sliding 128`, `MLA 512+64`."""

    @abstractmethod
    def words(self) -> str:
        """The label and the shape of its heads."""


class AbstractMixer(Shown):
    """The mixer of one layer; all quantities are per layer, and per user where users differ.

    Elements of cache and index have the precision of the cache, those of states the precision of
    states. The context counts the new token.

    How a cache divides over ranks is the mapping's matter. Keys of an index serve all heads, so
    they are split or copied as a latent is, and the exchange of their scores is not charged beyond
    the two collectives of a split sequence. A state divides over its heads and, within a head, over
    the channels of its values, which do not mix: it is neither copied nor exchanged.
    """

    heads: eqx.AbstractVar[Leaf]

    @abstractmethod
    def weights(self, hidden: Scalar) -> Scalar:
        """Elements of its matrices, all of them read and used once by every token."""

    @abstractmethod
    def work(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Tensor work of one token on cache, index and state [FLOP]."""

    @abstractmethod
    def scores(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Attention scores of one token, each of which goes through a softmax."""

    @abstractmethod
    def cache(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Elements that the cache holds."""

    @abstractmethod
    def traffic(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Elements of the cache that one token reads and writes."""

    def index_cache(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Elements that the index holds."""
        del context, relaxation
        return 0.0

    def index_traffic(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Elements of the index that one token reads and writes."""
        return self.index_cache(context, relaxation)

    def state(self) -> Scalar:
        """Elements of the state, which every token reads once and writes once."""
        return 0.0

    def chunk_work(self, chunk: Chunk, relaxation: AbstractRelaxation) -> Scalar:
        """Tensor work of a chunk of a prompt: the sum of its tokens' [FLOP]."""
        mean = self.work(chunk.mean_context(), MeanOverChunk(chunk, relaxation))
        return chunk.tokens * mean

    def chunk_scores(self, chunk: Chunk, relaxation: AbstractRelaxation) -> Scalar:
        """Attention scores of a chunk: the sum of its tokens'."""
        mean = self.scores(chunk.mean_context(), MeanOverChunk(chunk, relaxation))
        return chunk.tokens * mean

    def chunk_traffic(self, chunk: Chunk, relaxation: AbstractRelaxation) -> Scalar:
        """Elements of the cache that a chunk reads and writes.

        Each token moves what one without a past does. What any of them needs of the past is read
        once: at most all that is kept of it, and at most as much for each token as the first reads.
        Keys and values of the chunk itself stay on the chip until they are used.
        """
        alone = self.traffic(jnp.ones(()), relaxation)
        first = self.traffic(chunk.past + 1, relaxation) - alone
        kept = self.cache(chunk.past, relaxation)
        return chunk.tokens * alone + relaxation.minimum(kept, chunk.tokens * first)

    def chunk_index_traffic(self, chunk: Chunk, relaxation: AbstractRelaxation) -> Scalar:
        """Elements of the index that a chunk reads and writes; see `chunk_traffic`."""
        alone = self.index_traffic(jnp.ones(()), relaxation)
        first = self.index_traffic(chunk.past + 1, relaxation) - alone
        kept = self.index_cache(chunk.past, relaxation)
        return chunk.tokens * alone + relaxation.minimum(kept, chunk.tokens * first)

    @abstractmethod
    def cache_heads(self) -> Scalar | None:
        """Ranks over which the cache divides before a sequence is split; none without a cache."""

    @abstractmethod
    def output_width(self) -> Scalar:
        """Elements of the weighted sum that one head forms for one token."""

    @abstractmethod
    def query_width(self) -> Scalar:
        """Elements of one head's query as it meets the cache."""

    def index_query_width(self) -> Scalar:
        """Elements of one token's queries to its index, all heads of it."""
        return 0.0

    def key_value_weights(self, hidden: Scalar) -> Scalar:
        """Elements of the matrices that make the keys and values of its KV heads."""
        del hidden
        return 0.0

    def down_weights(self, hidden: Scalar) -> Scalar:
        """Elements of the down-projections whose outputs all heads share."""
        del hidden
        return 0.0

    def basis(self) -> tuple[str, ...]:
        """What a prediction with this mixer rests on, in sentences."""
        return ()
