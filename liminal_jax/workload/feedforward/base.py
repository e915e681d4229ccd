"""What every feed-forward block answers: as a record of a model file, and as arrays."""

from abc import abstractmethod

import equinox as eqx

from liminal_jax._arrays import Leaf, Scalar
from liminal_jax._show import Shown
from liminal_jax.workload.counted import CountedSpec


class FeedForwardSpec(CountedSpec):
    """A feed-forward block as a model file describes it, counted exactly, for one layer.

    A concrete class has a field `kind`, a literal that tells it from the others.
    """

    def matrices(self, hidden: int) -> int:
        """Weights of its matrices, router and all experts included."""
        counted = self.counted()
        total = counted.weights(hidden) + counted.expert_weights(hidden)
        return int(total) - self.expert_small_parameters(hidden)

    @abstractmethod
    def small_parameters(self, hidden: int) -> int:
        """Parameters that multiply nothing of weight: biases, the gate of a shared expert.

        Without those of routed experts.
        """

    def expert_small_parameters(self, hidden: int) -> int:
        """Of all routed experts together, parameters that multiply nothing of weight."""
        del hidden
        return 0

    def skipped_parameters(self, hidden: int) -> int:
        """Parameters of the routed experts that a token does not use."""
        counted = self.counted()
        return int(counted.expert_weights(hidden) - counted.expert_weights_used(hidden))

    @abstractmethod
    def label(self) -> str:
        """Two or three words for a pattern of layers: `dense`, `MoE 8/256+shared`."""

    @abstractmethod
    def words(self) -> str:
        """The label and the widths."""


class AbstractFeedForward(Shown):
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

    def expert_products(self, hidden: Scalar) -> Scalar:
        """Elements of the routed experts' matrices that one token is multiplied with."""
        return self.expert_weights_used(hidden)

    @abstractmethod
    def activations(self) -> Scalar:
        """Width of the blocks that one token passes."""


class AbstractMixture(AbstractFeedForward):
    """A block with routed experts, which ranks may share among themselves.

    Attributes:
        experts: Routed experts.
        top_k: Experts that one token is sent to.
    """

    experts: eqx.AbstractVar[Leaf]
    top_k: eqx.AbstractVar[Leaf]

    @abstractmethod
    def expert_weights_read(self, hidden: Scalar, tokens: Scalar) -> Scalar:
        """Elements of the routed experts that a batch of tokens reads, routing even."""

    @abstractmethod
    def routed_width(self, hidden: Scalar) -> Scalar:
        """Elements of a token that are sent to each of its experts, and come back."""

    @abstractmethod
    def shared_blocks(self) -> Scalar:
        """1 where a shared expert passes every token, else 0."""

    @abstractmethod
    def without_router(self) -> "AbstractMixture":
        """The same with routing and experts' biases not counted."""
