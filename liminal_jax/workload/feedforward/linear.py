"""One matrix as wide as the residual stream, in the place of a part that a search has pruned.

Bercovich et al. (2024), Puzzle, arXiv:2411.19146, section 2.
"""

import equinox as eqx
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax.laws.parameters import feed_forward_weights
from liminal_jax.workload.counted import spec_of
from liminal_jax.workload.feedforward.base import AbstractFeedForward, FeedForwardSpec


class Linear(AbstractFeedForward):
    """One matrix that every token passes.

    Attributes:
        outputs: Its outputs.
    """

    outputs: Leaf = eqx.field(converter=as_leaf)

    @override
    def weights(self, hidden: Scalar) -> Scalar:
        return feed_forward_weights(hidden=hidden, intermediate=self.outputs, matrices=1)

    @override
    def expert_weights(self, hidden: Scalar) -> Scalar:
        del hidden
        return 0.0

    @override
    def expert_weights_used(self, hidden: Scalar) -> Scalar:
        del hidden
        return 0.0

    def activations(self) -> Scalar:
        """None: nothing is applied element by element."""
        return 0.0


class LinearFeedForward(spec_of(FeedForwardSpec, Linear, kind="linear")):
    """One matrix."""

    @override
    def small_parameters(self, hidden: int) -> int:
        del hidden
        return 0

    @override
    def label(self) -> str:
        return "linear"

    @override
    def words(self) -> str:
        return f"{self.label()}, width {self.outputs:,}"
