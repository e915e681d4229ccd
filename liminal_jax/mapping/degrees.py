"""Degrees of parallelism, and how attention and shared experts use them."""

import equinox as eqx

from liminal_jax._arrays import Leaf, Scalar, as_leaf, optional_leaf
from liminal_jax._once import once
from liminal_jax._quantity import quantity
from liminal_jax._show import Shown
from liminal_jax.mapping.attention import AbstractAttentionMapping, SplitSequence


class Mapping(Shown):
    """How one instance of a model is spread over chips.

    Attributes:
        tp: Tensor parallelism: ranks that share every matrix and the KV heads.
        cp: Context parallelism: further ranks, over which the sequence is split.
        pp: Pipeline stages, each with one micro-batch in flight.
        ep: Ranks over which whole experts are spread; divides tp x cp.
        attention: How the ranks of a stage share attention.
        shared_expert_ranks: Ranks over which a shared expert is split, whose outputs are summed; 1
            keeps it whole where tokens lie. Those that share a user's attention where left out.
    """

    tp: Leaf = eqx.field(converter=as_leaf, default=1, metadata=quantity("", "TP", whole=True))
    cp: Leaf = eqx.field(converter=as_leaf, default=1, metadata=quantity("", "CP", whole=True))
    pp: Leaf = eqx.field(converter=as_leaf, default=1, metadata=quantity("", "PP", whole=True))
    ep: Leaf = eqx.field(converter=as_leaf, default=1, metadata=quantity("", "EP", whole=True))
    attention: AbstractAttentionMapping = eqx.field(default_factory=SplitSequence)
    shared_expert_ranks: Leaf | None = eqx.field(
        converter=optional_leaf,
        default=None,
        metadata=quantity("", "ranks that share an expert", whole=True),
    )

    @once
    def stage_chips(self) -> Scalar:
        """Chips that work on one stage."""
        return self.tp * self.cp

    def chips(self) -> Scalar:
        """Chips of the instance."""
        return self.stage_chips() * self.pp

    @once
    def attention_ranks(self) -> Scalar:
        """Ranks that share one user's attention."""
        return self.attention.group(self.stage_chips())

    def shared_ranks(self) -> Scalar:
        """Ranks over which a shared expert is split."""
        if self.shared_expert_ranks is None:
            return self.attention_ranks()
        return self.shared_expert_ranks
