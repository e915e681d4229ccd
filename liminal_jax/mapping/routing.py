"""How tokens choose experts, and how evenly that falls on the ranks that hold them."""

from abc import abstractmethod

import equinox as eqx
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._once import once
from liminal_jax.laws.feedforward import (
    busiest_rank_imbalance,
    busiest_rank_load,
    distinct_experts_of_two_kinds,
)
from liminal_jax.workload.feedforward.base import AbstractMixture


class AbstractRouting(eqx.Module):
    """How tokens choose experts."""

    @abstractmethod
    def weights_read(self, mixture: AbstractMixture, hidden: Scalar, tokens: Scalar) -> Scalar:
        """Elements of the routed experts that a batch of tokens reads, over all ranks."""

    @abstractmethod
    def weight_imbalance(self, mixture: AbstractMixture, tokens: Scalar, ranks: Scalar) -> Scalar:
        """Experts that the busiest of some ranks reads over those of the mean rank."""

    @abstractmethod
    def token_imbalance(self, mixture: AbstractMixture, tokens: Scalar, ranks: Scalar) -> Scalar:
        """Tokens that the busiest of some ranks works on over those of the mean rank."""

    @abstractmethod
    def balanced(self) -> "AbstractRouting":
        """The same choices, as the mean rank sees them."""


class AbstractEvenRanks(AbstractRouting):
    """Every rank has the same: what redundant experts and their placement work towards."""

    @override
    def weight_imbalance(self, mixture: AbstractMixture, tokens: Scalar, ranks: Scalar) -> Scalar:
        del mixture, tokens, ranks
        return 1.0

    @override
    def token_imbalance(self, mixture: AbstractMixture, tokens: Scalar, ranks: Scalar) -> Scalar:
        del mixture, tokens, ranks
        return 1.0

    @override
    def balanced(self) -> AbstractRouting:
        return self


class RandomRouting(AbstractRouting):
    """Tokens choose experts independently and evenly; the busiest rank sets the pace."""

    @override
    def weights_read(self, mixture: AbstractMixture, hidden: Scalar, tokens: Scalar) -> Scalar:
        return mixture.expert_weights_read(hidden, tokens)

    @once
    @override
    def weight_imbalance(self, mixture: AbstractMixture, tokens: Scalar, ranks: Scalar) -> Scalar:
        return busiest_rank_imbalance(
            experts=mixture.experts, top_k=mixture.top_k, tokens=tokens, ranks=ranks
        )

    @once
    @override
    def token_imbalance(self, mixture: AbstractMixture, tokens: Scalar, ranks: Scalar) -> Scalar:
        return busiest_rank_load(
            experts=mixture.experts, top_k=mixture.top_k, tokens=tokens, ranks=ranks
        )

    @override
    def balanced(self) -> AbstractRouting:
        return BalancedRouting()


class BalancedRouting(AbstractEvenRanks):
    """As many experts are read as by random routing, and every rank has the same of them."""

    @override
    def weights_read(self, mixture: AbstractMixture, hidden: Scalar, tokens: Scalar) -> Scalar:
        return mixture.expert_weights_read(hidden, tokens)


class UnevenRouting(AbstractEvenRanks):
    """Some experts are popular, so that tokens share more of them and fewer are read.

    Attributes:
        popular: Share of the experts that are popular.
        taken: Share of all choices that fall on them.
    """

    popular: Leaf = eqx.field(converter=as_leaf)
    taken: Leaf = eqx.field(converter=as_leaf)

    @override
    def weights_read(self, mixture: AbstractMixture, hidden: Scalar, tokens: Scalar) -> Scalar:
        distinct = distinct_experts_of_two_kinds(
            experts=mixture.experts,
            top_k=mixture.top_k,
            tokens=tokens,
            popular=self.popular,
            taken=self.taken,
        )
        return distinct * (mixture.expert_weights(hidden) / mixture.experts)
