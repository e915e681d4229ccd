"""Kinds of feed-forward block: what one layer holds, reads and computes."""

from abc import abstractmethod

import equinox as eqx

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax.laws.feedforward import expected_distinct_experts
from liminal_jax.laws.parameters import feed_forward_weights, router_weights


class AbstractFeedForward(eqx.Module):
    """Feed-forward block of one layer; all quantities are per layer."""

    @abstractmethod
    def weights(self, hidden: Scalar) -> Scalar:
        """Elements of the matrices that every token uses."""

    @abstractmethod
    def expert_weights(self, hidden: Scalar) -> Scalar:
        """Elements of all routed experts."""

    @abstractmethod
    def expert_weights_used(self, hidden: Scalar) -> Scalar:
        """Elements of the routed experts that one token uses."""

    @abstractmethod
    def expert_products(self, hidden: Scalar) -> Scalar:
        """Elements of the routed experts' matrices that one token is multiplied with."""

    @abstractmethod
    def expert_weights_read(self, hidden: Scalar, tokens: Scalar) -> Scalar:
        """Elements of the routed experts that a batch of tokens reads."""

    @abstractmethod
    def activations(self) -> Scalar:
        """Width of the blocks that one token passes."""


class Dense(AbstractFeedForward):
    """One block that every token passes.

    Attributes:
        intermediate: Width of the block.
        matrices: 3 where gated, 2 where not.
    """

    intermediate: Leaf = eqx.field(converter=as_leaf)
    matrices: Leaf = eqx.field(converter=as_leaf)

    def weights(self, hidden: Scalar) -> Scalar:
        """See `AbstractFeedForward`."""
        return feed_forward_weights(
            hidden=hidden, intermediate=self.intermediate, matrices=self.matrices
        )

    def expert_weights(self, hidden: Scalar) -> Scalar:
        """None."""
        del hidden
        return 0.0

    def expert_weights_used(self, hidden: Scalar) -> Scalar:
        """None."""
        del hidden
        return 0.0

    def expert_products(self, hidden: Scalar) -> Scalar:
        """None."""
        del hidden
        return 0.0

    def expert_weights_read(self, hidden: Scalar, tokens: Scalar) -> Scalar:
        """None."""
        del hidden, tokens
        return 0.0

    def activations(self) -> Scalar:
        """See `AbstractFeedForward`."""
        return self.intermediate


class Mixture(AbstractFeedForward):
    """Routed experts, and shared ones that every token passes.

    Attributes:
        experts: Routed experts.
        top_k: Experts that one token is sent to.
        intermediate: Width of one routed expert.
        shared_intermediate: Width of the shared experts together.
        matrices: 3 where gated, 2 where not.
        expert_small: Elements of one routed expert that are in no matrix: its biases.
        router_outputs: Columns of the router: the experts, or 0 where routing is not counted.
    """

    experts: Leaf = eqx.field(converter=as_leaf)
    top_k: Leaf = eqx.field(converter=as_leaf)
    intermediate: Leaf = eqx.field(converter=as_leaf)
    shared_intermediate: Leaf = eqx.field(converter=as_leaf)
    matrices: Leaf = eqx.field(converter=as_leaf)
    expert_small: Leaf = eqx.field(converter=as_leaf)
    router_outputs: Leaf = eqx.field(converter=as_leaf)

    def _matrices(self, hidden: Scalar) -> Scalar:
        return feed_forward_weights(
            hidden=hidden, intermediate=self.intermediate, matrices=self.matrices
        )

    def _expert(self, hidden: Scalar) -> Scalar:
        return self._matrices(hidden) + self.expert_small

    def weights(self, hidden: Scalar) -> Scalar:
        """Router and shared experts."""
        shared = feed_forward_weights(
            hidden=hidden, intermediate=self.shared_intermediate, matrices=self.matrices
        )
        return shared + router_weights(hidden=hidden, experts=self.router_outputs)

    def expert_weights(self, hidden: Scalar) -> Scalar:
        """See `AbstractFeedForward`."""
        return self.experts * self._expert(hidden)

    def expert_weights_used(self, hidden: Scalar) -> Scalar:
        """See `AbstractFeedForward`."""
        return self.top_k * self._expert(hidden)

    def expert_products(self, hidden: Scalar) -> Scalar:
        """See `AbstractFeedForward`."""
        return self.top_k * self._matrices(hidden)

    def expert_weights_read(self, hidden: Scalar, tokens: Scalar) -> Scalar:
        """See `AbstractFeedForward`."""
        distinct = expected_distinct_experts(experts=self.experts, top_k=self.top_k, tokens=tokens)
        return distinct * self._expert(hidden)

    def activations(self) -> Scalar:
        """See `AbstractFeedForward`."""
        return self.top_k * self.intermediate + self.shared_intermediate
