"""The language model as a pytree: every number of its architecture is a leaf."""

import equinox as eqx

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax.laws.scalar import ACTIVATION_OPERATIONS, NORM_OPERATIONS, SCORE_OPERATIONS
from liminal_jax.workload.attention import (
    AbstractAttention,
    AbstractScope,
    FullScope,
    GroupedQuery,
    Latent,
    WindowScope,
)
from liminal_jax.workload.counts import (
    expert_small_parameters,
    final_small_parameters,
    layer_small_parameters,
)
from liminal_jax.workload.feedforward import AbstractFeedForward, Dense, Mixture
from liminal_jax.workload.spec import (
    DenseFeedForward,
    GroupedQueryAttention,
    LatentAttention,
    LayerGroup,
    MixtureOfExperts,
    ModelSpec,
)


class Layers(eqx.Module):
    """Layers of one kind.

    Attributes:
        count: How many there are.
        norms: Normalisations of the residual stream in one layer.
        small: Elements of one layer that are in no matrix: norms, biases; without those of
            routed experts.
    """

    count: Leaf = eqx.field(converter=as_leaf)
    attention: AbstractAttention
    feedforward: AbstractFeedForward
    norms: Leaf = eqx.field(converter=as_leaf)
    small: Leaf = eqx.field(converter=as_leaf)


class Tables(eqx.Module):
    """Embedding and head.

    Attributes:
        vocabulary: Rows of the head.
        embeddings: Tables stored beside the head: 1, or 0 where the head is the embedding.
        positions: Rows of a learned position embedding.
        small: Elements of the final norm.
    """

    vocabulary: Leaf = eqx.field(converter=as_leaf)
    embeddings: Leaf = eqx.field(converter=as_leaf)
    positions: Leaf = eqx.field(converter=as_leaf)
    small: Leaf = eqx.field(converter=as_leaf)

    def head(self, hidden: Scalar) -> Scalar:
        """Elements of the head, read and used by every token."""
        return self.vocabulary * hidden

    def stored(self, hidden: Scalar) -> Scalar:
        """Elements of head, embeddings and final norm."""
        return self.head(hidden) + self.looked_up(hidden) + self.small

    def looked_up(self, hidden: Scalar) -> Scalar:
        """Elements of which a token reads only its own row."""
        return (self.embeddings * self.vocabulary + self.positions) * hidden


class ScalarOperations(eqx.Module):
    """Operations on the vector units: for each attention score, activation and normed element."""

    per_score: Leaf = eqx.field(converter=as_leaf, default=SCORE_OPERATIONS)
    per_activation: Leaf = eqx.field(converter=as_leaf, default=ACTIVATION_OPERATIONS)
    per_norm: Leaf = eqx.field(converter=as_leaf, default=NORM_OPERATIONS)


class Model(eqx.Module):
    """A decoder-only language model.

    Attributes:
        hidden: Width of the residual stream.
        layers: Layers by kind; their order in the stack does not matter.
        tables: Embedding and head; none where an accounting counts layers only.
        operations: Scalar operations charged.
    """

    hidden: Leaf = eqx.field(converter=as_leaf)
    layers: tuple[Layers, ...]
    tables: Tables | None
    operations: ScalarOperations

    def layer_count(self) -> Scalar:
        """Layers of the model."""
        return sum(layers.count for layers in self.layers)


def _scope(spec: GroupedQueryAttention) -> AbstractScope:
    return FullScope() if spec.window is None else WindowScope(spec.window)


def _attention(spec: GroupedQueryAttention | LatentAttention) -> AbstractAttention:
    if isinstance(spec, LatentAttention):
        return Latent(
            heads=spec.heads,
            q_rank=spec.q_rank,
            kv_rank=spec.kv_rank,
            nope_dim=spec.nope_dim,
            rope_dim=spec.rope_dim,
            value_dim=spec.value_dim,
        )
    return GroupedQuery(
        heads=spec.heads, kv_heads=spec.kv_heads, head_dim=spec.head_dim, scope=_scope(spec)
    )


def _feedforward(
    spec: ModelSpec, block: DenseFeedForward | MixtureOfExperts
) -> AbstractFeedForward:
    matrices = 3 if block.gated else 2
    if isinstance(block, DenseFeedForward):
        return Dense(intermediate=block.intermediate, matrices=matrices)
    return Mixture(
        experts=block.experts,
        top_k=block.top_k,
        intermediate=block.intermediate,
        shared_intermediate=block.shared_intermediate,
        matrices=matrices,
        expert_small=expert_small_parameters(spec, block),
        router_outputs=block.experts,
    )


def _layers(spec: ModelSpec, group: LayerGroup) -> Layers:
    return Layers(
        count=group.count,
        attention=_attention(group.attention),
        feedforward=_feedforward(spec, group.feedforward),
        norms=group.norms,
        small=layer_small_parameters(spec, group),
    )


def model_of(spec: ModelSpec) -> Model:
    """The pytree of a specification, counted with everything the model does."""
    return Model(
        hidden=spec.hidden,
        layers=tuple(_layers(spec, group) for group in spec.layers),
        tables=Tables(
            vocabulary=spec.vocabulary,
            embeddings=0 if spec.tied else 1,
            positions=spec.positions,
            small=final_small_parameters(spec),
        ),
        operations=ScalarOperations(),
    )
