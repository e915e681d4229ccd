"""Exact counts of a model: parameters in the conventions in use, and cache elements a token."""

from typing import NamedTuple, assert_never

from liminal_jax._arrays import Scalar
from liminal_jax.laws.parameters import (
    feed_forward_weights,
    grouped_query_weights,
    latent_weights,
    latent_weights_direct,
    router_weights,
)
from liminal_jax.workload.spec import (
    DenseFeedForward,
    GroupedQueryAttention,
    LatentAttention,
    LayerGroup,
    MixtureOfExperts,
    ModelSpec,
)


class Counts(NamedTuple):
    """Whole numbers of a text model without multi-token-prediction heads and vision tower.

    Attributes:
        total: All parameters, embedding and head included.
        total_without_embeddings: `total` without the input tables and the head.
        embedding: Input tables: token embedding and learned positions.
        lm_head: Output matrix; 0 where it is the embedding.
        active: `total` without the routed experts that a token skips.
        active_without_input_embedding: `active` without what a token only looks up. A tied
            embedding stays: it is read as the head.
        active_without_embeddings: `active` without the input tables and the head.
        kv_elements_per_token_growing: Cached elements a token of context adds for ever: those of
            full-attention layers.
        kv_elements_per_token_all_layers: Cached elements of a token while every layer keeps it.
        index_key_elements_per_token: Keys of a sparse-attention index.
        state_elements_per_sequence: Elements of recurrent states, whatever the context.
    """

    total: int
    total_without_embeddings: int
    embedding: int
    lm_head: int
    active: int
    active_without_input_embedding: int
    active_without_embeddings: int
    kv_elements_per_token_growing: int
    kv_elements_per_token_all_layers: int
    index_key_elements_per_token: int
    state_elements_per_sequence: int


def counts(spec: ModelSpec) -> Counts:
    """The counts of a model; index keys and states are 0 for every attention modelled so far.

    Examples:
        >>> attention = GroupedQueryAttention(heads=2, kv_heads=1, head_dim=2)
        >>> group = LayerGroup(
        ...     count=3, attention=attention, feedforward=DenseFeedForward(intermediate=5)
        ... )
        >>> spec = ModelSpec(name="toy", source="hand", hidden=4, vocabulary=10, layers=(group,))
        >>> tally = counts(spec)  # 3 x (48 attention + 60 feed-forward + 8 norms) + 4 + 2 x 40
        >>> tally.total, tally.total_without_embeddings
        (432, 352)
        >>> tally.kv_elements_per_token_growing  # 3 layers x 2 x 1 head x 2
        12
    """
    head_table = spec.vocabulary * spec.hidden
    positions = spec.positions * spec.hidden
    embedding = head_table + positions
    lm_head = 0 if spec.tied else head_table
    looked_up = positions if spec.tied else embedding
    body = final_small_parameters(spec) + sum(
        group.count * layer_parameters(spec, group) for group in spec.layers
    )
    skipped = sum(group.count * _skipped_parameters(spec, group) for group in spec.layers)
    total = body + embedding + lm_head
    return Counts(
        total=total,
        total_without_embeddings=body,
        embedding=embedding,
        lm_head=lm_head,
        active=total - skipped,
        active_without_input_embedding=total - skipped - looked_up,
        active_without_embeddings=body - skipped,
        kv_elements_per_token_growing=sum(
            group.count * kv_elements(group) for group in spec.layers if _grows(group)
        ),
        kv_elements_per_token_all_layers=sum(
            group.count * kv_elements(group) for group in spec.layers
        ),
        index_key_elements_per_token=0,
        state_elements_per_sequence=0,
    )


def layer_parameters(spec: ModelSpec, group: LayerGroup) -> int:
    """All parameters of one layer of a group: its matrices and its small parameters."""
    return (
        attention_matrices(spec, group)
        + feed_forward_matrices(spec, group)
        + _all_experts_small(spec, group)
        + layer_small_parameters(spec, group)
    )


def _all_experts_small(spec: ModelSpec, group: LayerGroup) -> int:
    mixture = group.feedforward
    if isinstance(mixture, DenseFeedForward):
        return 0
    return mixture.experts * expert_small_parameters(spec, mixture)


def attention_matrices(spec: ModelSpec, group: LayerGroup) -> int:
    """Weights of the attention's matrices in one layer of a group."""
    match group.attention:
        case GroupedQueryAttention() as attention:
            weights = grouped_query_weights(
                hidden=spec.hidden,
                heads=attention.heads,
                kv_heads=attention.kv_heads,
                head_dim=attention.head_dim,
            )
        case LatentAttention() as attention:
            weights = _latent_matrices(spec, attention)
        case _ as unknown:
            assert_never(unknown)
    return int(weights)


def _latent_matrices(spec: ModelSpec, attention: LatentAttention) -> Scalar:
    if attention.q_rank is None:
        return latent_weights_direct(
            hidden=spec.hidden,
            heads=attention.heads,
            kv_rank=attention.kv_rank,
            nope_dim=attention.nope_dim,
            rope_dim=attention.rope_dim,
            value_dim=attention.value_dim,
        )
    return latent_weights(
        hidden=spec.hidden,
        heads=attention.heads,
        q_rank=attention.q_rank,
        kv_rank=attention.kv_rank,
        nope_dim=attention.nope_dim,
        rope_dim=attention.rope_dim,
        value_dim=attention.value_dim,
    )


def feed_forward_matrices(spec: ModelSpec, group: LayerGroup) -> int:
    """Weights of the feed-forward's matrices in one layer: router and all experts included."""
    match group.feedforward:
        case DenseFeedForward() as block:
            return _block_matrices(spec, block.intermediate, block)
        case MixtureOfExperts() as mixture:
            return (
                int(router_weights(hidden=spec.hidden, experts=mixture.experts))
                + mixture.experts * _block_matrices(spec, mixture.intermediate, mixture)
                + _block_matrices(spec, mixture.shared_intermediate, mixture)
            )
        case _ as unknown:
            assert_never(unknown)


def expert_small_parameters(spec: ModelSpec, mixture: MixtureOfExperts) -> int:
    """Parameters of one routed expert that are in no matrix: its biases."""
    return _block_biases(spec, mixture.intermediate, mixture)


def layer_small_parameters(spec: ModelSpec, group: LayerGroup) -> int:
    """Parameters of one layer of a group that are not matrices.

    Norms and their biases, biases of projections and blocks, norms on queries, keys and
    latents, attention sinks, the router's bias and the gate of a shared expert. The biases of
    routed experts are not among them: see `expert_small_parameters`.
    """
    norms = group.norms * spec.hidden * _vectors_per_norm(spec)
    return norms + _attention_small(spec, group) + _feed_forward_small(spec, group)


def final_small_parameters(spec: ModelSpec) -> int:
    """Parameters of the norm before the head."""
    return spec.hidden * _vectors_per_norm(spec)


def kv_elements(group: LayerGroup) -> int:
    """Elements that one layer of a group caches for one token."""
    match group.attention:
        case GroupedQueryAttention() as attention:
            return 2 * attention.kv_heads * attention.head_dim
        case LatentAttention() as attention:
            return attention.kv_rank + attention.rope_dim
        case _ as unknown:
            assert_never(unknown)


def _grows(group: LayerGroup) -> bool:
    return isinstance(group.attention, LatentAttention) or group.attention.scope == "full"


def _vectors_per_norm(spec: ModelSpec) -> int:
    return 2 if spec.norm_bias else 1


def _matrices(block: DenseFeedForward | MixtureOfExperts) -> int:
    return 3 if block.gated else 2


def _block_matrices(
    spec: ModelSpec, intermediate: int, block: DenseFeedForward | MixtureOfExperts
) -> int:
    return int(
        feed_forward_weights(
            hidden=spec.hidden, intermediate=intermediate, matrices=_matrices(block)
        )
    )


def _block_biases(
    spec: ModelSpec, intermediate: int, block: DenseFeedForward | MixtureOfExperts
) -> int:
    """One bias for each output of each matrix: all but the last have `intermediate` outputs."""
    if not block.bias or not intermediate:
        return 0
    return (_matrices(block) - 1) * intermediate + spec.hidden


def _skipped_parameters(spec: ModelSpec, group: LayerGroup) -> int:
    """Parameters of the routed experts that a token does not use in one layer."""
    mixture = group.feedforward
    if isinstance(mixture, DenseFeedForward):
        return 0
    expert = _block_matrices(spec, mixture.intermediate, mixture)
    expert += expert_small_parameters(spec, mixture)
    return (mixture.experts - mixture.top_k) * expert


def _attention_small(spec: ModelSpec, group: LayerGroup) -> int:
    match group.attention:
        case GroupedQueryAttention() as attention:
            return _grouped_query_small(spec, attention)
        case LatentAttention() as attention:
            q_rank = attention.q_rank or 0
            norms = (q_rank + attention.kv_rank) * _vectors_per_norm(spec)
            biases = q_rank + attention.kv_rank + attention.rope_dim + spec.hidden
            return norms + (biases if attention.bias else 0)
        case _ as unknown:
            assert_never(unknown)


def _grouped_query_small(spec: ModelSpec, attention: GroupedQueryAttention) -> int:
    queries = attention.heads * attention.head_dim
    keys = attention.kv_heads * attention.head_dim
    norm_widths = {"none": 0, "per-head": 2 * attention.head_dim, "per-layer": queries + keys}
    return (
        norm_widths[attention.qk_norm] * _vectors_per_norm(spec)
        + (queries + 2 * keys if attention.qkv_bias else 0)
        + (spec.hidden if attention.output_bias else 0)
        + (attention.heads if attention.sinks else 0)
    )


def _feed_forward_small(spec: ModelSpec, group: LayerGroup) -> int:
    match group.feedforward:
        case DenseFeedForward() as block:
            return _block_biases(spec, block.intermediate, block)
        case MixtureOfExperts() as mixture:
            return (
                _block_biases(spec, mixture.shared_intermediate, mixture)
                + (mixture.experts if mixture.router_bias else 0)
                + (spec.hidden if mixture.shared_gate else 0)
            )
        case _ as unknown:
            assert_never(unknown)
