"""How evenly tokens fall on the ranks that hold experts: two choices, each a class."""

from abc import abstractmethod

import equinox as eqx

from liminal_jax._arrays import Scalar
from liminal_jax.laws.feedforward import busiest_rank_crowding, busiest_rank_load
from liminal_jax.workload.feedforward.base import AbstractMixture


class AbstractRouting(eqx.Module):
    """How tokens choose experts."""

    @abstractmethod
    def weight_imbalance(self, mixture: AbstractMixture, tokens: Scalar, ranks: Scalar) -> Scalar:
        """Experts that the busiest of some ranks reads over those of the mean rank."""

    @abstractmethod
    def token_imbalance(self, mixture: AbstractMixture, tokens: Scalar, ranks: Scalar) -> Scalar:
        """Tokens that the busiest of some ranks works on over those of the mean rank."""


class RandomRouting(AbstractRouting):
    """Tokens choose experts independently and evenly; the busiest rank sets the pace."""

    def weight_imbalance(self, mixture: AbstractMixture, tokens: Scalar, ranks: Scalar) -> Scalar:
        """See `busiest_rank_crowding`."""
        return busiest_rank_crowding(
            experts=mixture.experts, top_k=mixture.top_k, tokens=tokens, ranks=ranks
        )

    def token_imbalance(self, mixture: AbstractMixture, tokens: Scalar, ranks: Scalar) -> Scalar:
        """See `busiest_rank_load`."""
        return busiest_rank_load(
            experts=mixture.experts, top_k=mixture.top_k, tokens=tokens, ranks=ranks
        )


class BalancedRouting(AbstractRouting):
    """Every rank has the same: what redundant experts and their placement work towards."""

    def weight_imbalance(self, mixture: AbstractMixture, tokens: Scalar, ranks: Scalar) -> Scalar:
        """None."""
        del mixture, tokens, ranks
        return 1.0

    def token_imbalance(self, mixture: AbstractMixture, tokens: Scalar, ranks: Scalar) -> Scalar:
        """None."""
        del mixture, tokens, ranks
        return 1.0
