"""The language model as a pytree: every number of its architecture is a leaf."""

import equinox as eqx

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._show import Shown
from liminal_jax.laws.scalar import (
    ACTIVATION_OPERATIONS,
    NORM_OPERATIONS,
    SCORE_EXPONENTIALS,
    SCORE_OPERATIONS,
)
from liminal_jax.workload.connections import HyperConnections
from liminal_jax.workload.counts import final_small_parameters, head_bias, layer_small_parameters
from liminal_jax.workload.feedforward.base import AbstractFeedForward
from liminal_jax.workload.mixer.base import AbstractMixer
from liminal_jax.workload.spec import LayerGroup, ModelSpec


class Layers(Shown):
    """Layers of one kind.

    Attributes:
        count: How many there are.
        attention: The mixer; none where a layer is a feed-forward block alone.
        feedforward: The feed-forward block; none where a layer is a mixer alone.
        norms: Normalisations of the residual stream in one layer: 2 with one before each part, as
            in Llama (Touvron et al., 2023, arXiv:2302.13971, section 2.2).
        small: Elements of one layer that are in no matrix: norms, biases; without those of
            routed experts. 0 leaves them out.
        connections: What joins its parts to several residual streams; none where there is one.
    """

    count: Leaf = eqx.field(converter=as_leaf)
    attention: AbstractMixer | None
    feedforward: AbstractFeedForward | None
    norms: Leaf = eqx.field(converter=as_leaf, default=2)
    small: Leaf = eqx.field(converter=as_leaf, default=0)
    connections: HyperConnections | None = None

    def parts(self) -> int:
        """How many of mixer and feed-forward a layer has."""
        return (self.attention is not None) + (self.feedforward is not None)

    def weights(self, hidden: Scalar) -> Scalar:
        """Elements of one layer that every token uses."""
        weights = self.small + self.connection_weights(hidden)
        if self.attention is not None:
            weights = weights + self.attention.weights(hidden)
        if self.feedforward is not None:
            weights = weights + self.feedforward.weights(hidden)
        return weights

    def connection_weights(self, hidden: Scalar) -> Scalar:
        """Elements of the matrices of one layer's hyper-connections."""
        if self.connections is None:
            return 0.0
        return self.parts() * self.connections.weights(hidden)

    def connection_work(self, hidden: Scalar) -> Scalar:
        """Work on the vector units of one layer's hyper-connections, for one token [FLOP]."""
        return 0.0 if self.connections is None else self.parts() * self.connections.work(hidden)

    def streams(self) -> Scalar:
        """Residual streams."""
        return 1.0 if self.connections is None else self.connections.streams

    def expert_weights(self, hidden: Scalar) -> Scalar:
        """Elements of all routed experts of one layer."""
        return 0.0 if self.feedforward is None else self.feedforward.expert_weights(hidden)

    def expert_weights_used(self, hidden: Scalar) -> Scalar:
        """Elements of the routed experts of one layer that one token uses."""
        return 0.0 if self.feedforward is None else self.feedforward.expert_weights_used(hidden)


class Tables(Shown):
    """Embedding and head.

    Attributes:
        vocabulary: Rows of the head.
        embeddings: Tables stored beside the head: 1, or 0 where the head is the embedding.
        positions: Rows of a learned position embedding, and of further input tables.
        small: Elements of the final norm, of the head's bias, and of what joins several streams
            before the head. 0 leaves them out.
    """

    vocabulary: Leaf = eqx.field(converter=as_leaf)
    embeddings: Leaf = eqx.field(converter=as_leaf, default=1)
    positions: Leaf = eqx.field(converter=as_leaf, default=0)
    small: Leaf = eqx.field(converter=as_leaf, default=0)

    def head(self, hidden: Scalar) -> Scalar:
        """Elements of the head, read and used by every token."""
        return self.vocabulary * hidden

    def stored(self, hidden: Scalar) -> Scalar:
        """Elements of head, embeddings and what is small."""
        return self.head(hidden) + self.looked_up(hidden) + self.small

    def looked_up(self, hidden: Scalar) -> Scalar:
        """Elements of which a token reads only its own row."""
        return (self.embeddings * self.vocabulary + self.positions) * hidden


class ScalarOperations(Shown):
    """What runs beside the tensor cores.

    Attributes:
        per_score: Operations on the vector units for each attention score.
        per_activation: Those for each activation.
        per_norm: Those for each element that is normalised.
        exponentials_per_score: Exponentials for each attention score.
    """

    per_score: Leaf = eqx.field(converter=as_leaf, default=SCORE_OPERATIONS)
    per_activation: Leaf = eqx.field(converter=as_leaf, default=ACTIVATION_OPERATIONS)
    per_norm: Leaf = eqx.field(converter=as_leaf, default=NORM_OPERATIONS)
    exponentials_per_score: Leaf = eqx.field(converter=as_leaf, default=SCORE_EXPONENTIALS)


class Model(Shown):
    """A decoder-only language model.

    Attributes:
        hidden: Width of the residual stream.
        layers: Layers by kind; their order in the stack does not matter.
        tables: Embedding and head; none where an accounting counts layers only.
        operations: Scalar operations charged.

    Examples:
        >>> import liminal_jax as ll
        >>> attention = ll.GroupedQuery(heads=4, kv_heads=2, head_dim=2)
        >>> experts = ll.Mixture(experts=4, top_k=2, intermediate=8, shared_intermediate=4)
        >>> model = ll.Model(
        ...     hidden=8,
        ...     layers=(
        ...         ll.Layers(1, attention, ll.Dense(intermediate=16)),
        ...         ll.Layers(2, attention, experts),
        ...     ),
        ...     tables=ll.Tables(vocabulary=100),
        ... )
        >>> dense, mixture = model.layers
        >>> float(dense.weights(model.hidden))  # attention 64 + 2 x 32 + 64, block 3 x 8 x 16
        576.0
        >>> float(mixture.weights(model.hidden))  # attention, router 8 x 4, shared 3 x 8 x 4
        320.0
        >>> float(mixture.expert_weights(model.hidden))  # 4 experts of 3 x 8 x 8
        768.0
    """

    hidden: Leaf = eqx.field(converter=as_leaf)
    layers: tuple[Layers, ...]
    tables: Tables | None = None
    operations: ScalarOperations = eqx.field(default_factory=ScalarOperations)

    def layer_count(self) -> Scalar:
        """Layers of the model."""
        return sum(layers.count for layers in self.layers)

    def streams(self) -> Scalar:
        """Residual streams, of which all layers have as many."""
        return self.layers[0].streams()


def _layers(spec: ModelSpec, group: LayerGroup) -> Layers:
    return Layers(
        count=group.count,
        attention=None if group.attention is None else group.attention.arrays(),
        feedforward=None if group.feedforward is None else group.feedforward.arrays(),
        norms=group.norm_count(),
        small=layer_small_parameters(spec, group),
        connections=None if spec.streams == 1 else HyperConnections(spec.streams),
    )


def model_of(spec: ModelSpec) -> Model:
    """The pytree of a specification, counted with everything the model does."""
    return Model(
        hidden=spec.hidden,
        layers=tuple(_layers(spec, group) for group in spec.layers),
        tables=Tables(
            vocabulary=spec.vocabulary,
            embeddings=0 if spec.tied else 1,
            positions=spec.positions + spec.further_inputs / spec.hidden,
            small=final_small_parameters(spec) + head_bias(spec),
        ),
        operations=ScalarOperations(),
    )
