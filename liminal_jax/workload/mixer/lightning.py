"""A lightning index: scores all that is kept, so that attention reads only the best of it.

DeepSeek-AI (2025), DeepSeek-V3.2, arXiv:2512.02556, section 2.1.
"""

import equinox as eqx

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._show import Shown
from liminal_jax.laws.sparse import index_query_weights, index_work
from liminal_jax.workload.counted import CountedSpec, spec_of
from liminal_jax.workload.reading.fields import Fields
from liminal_jax.workload.reading.parts import Table


class Index(Shown):
    """The queries of a lightning index.

    Attributes:
        heads: Heads of its queries.
        head_dim: Width of a head, and of the one key that all heads share.
    """

    heads: Leaf = eqx.field(converter=as_leaf)
    head_dim: Leaf = eqx.field(converter=as_leaf)

    def query_weights(self, hidden: Scalar, q_rank: Scalar) -> Scalar:
        """Elements of its queries' projections and of the shares of its heads."""
        return index_query_weights(
            hidden=hidden, q_rank=q_rank, heads=self.heads, head_dim=self.head_dim
        )

    def width(self) -> Scalar:
        """Elements of one token's queries, and of the shares of its heads."""
        return self.heads * (self.head_dim + 1)

    def work(self, keys: Scalar) -> Scalar:
        """Tensor work of scoring so many keys [FLOP]."""
        return index_work(heads=self.heads, head_dim=self.head_dim, keys=keys)


class IndexSpec(spec_of(CountedSpec, Index)):
    """The queries of a lightning index; where its keys come from, its mixer says."""


BASIS = (
    "An index scores all its keys, at the precision of the cache; choosing the best scores is not"
    " charged, and what attention then reads, scattered as it is, comes at full bandwidth."
)
"""What a prediction with an index rests on."""


def lightning_index(fields: Fields) -> Table:
    """The table of an index."""
    return {
        "heads": fields.count("index_n_heads", note="heads of the index"),
        "head_dim": fields.count("index_head_dim", note="width of the index's key"),
    }


def selected(fields: Fields) -> int:
    """How many tokens, or entries, the index selects."""
    return fields.count("index_topk", note="tokens or entries that the index selects")
