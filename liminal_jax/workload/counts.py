"""Exact counts of a model: parameters in the conventions in use, and cache elements a token."""

from fractions import Fraction

from liminal_jax.laws.connections import (
    hyper_connection_coefficients,
    hyper_connection_weights,
    stream_join_weights,
)
from liminal_jax.workload.spec import LayerGroup, ModelSpec
from liminal_jax.workload.summary import Counts


def counts(spec: ModelSpec) -> Counts:
    """The counts of a model.

    Examples:
        >>> from liminal_jax.workload.feedforward.dense import DenseFeedForward
        >>> from liminal_jax.workload.mixer.grouped_query import GroupedQueryAttention
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
    beside = spec.positions * spec.hidden + spec.further_inputs
    embedding = head_table + beside
    lm_head = (0 if spec.tied else head_table) + head_bias(spec)
    looked_up = beside if spec.tied else embedding
    body = final_small_parameters(spec) + sum(
        group.count * layer_parameters(spec, group) for group in spec.layers
    )
    skipped = sum(
        group.count * group.feedforward.skipped_parameters(spec.hidden)
        for group in spec.layers
        if group.feedforward is not None
    )
    mixers = [(it.count, it.attention) for it in spec.layers if it.attention is not None]
    total = body + embedding + lm_head
    return Counts(
        total=total,
        total_without_embeddings=body,
        embedding=embedding,
        lm_head=lm_head,
        active=total - skipped,
        active_without_input_embedding=total - skipped - looked_up,
        active_without_embeddings=body - skipped,
        kv_elements_per_token_growing=_number(
            sum(count * mixer.growing_cache_elements() for count, mixer in mixers)
        ),
        kv_elements_per_token_all_layers=_number(
            sum(count * mixer.cache_elements() for count, mixer in mixers)
        ),
        index_key_elements_per_token=_number(
            sum(count * mixer.index_elements() for count, mixer in mixers)
        ),
        state_elements_per_sequence=sum(count * mixer.state_elements() for count, mixer in mixers),
    )


def _number(value: int | Fraction) -> int | float:
    """A whole number as such, any other as a float."""
    return int(value) if value == int(value) else float(value)


def layer_parameters(spec: ModelSpec, group: LayerGroup) -> int:
    """All parameters of one layer of a group: its matrices and its small parameters."""
    return (
        attention_matrices(spec, group)
        + feed_forward_matrices(spec, group)
        + expert_small_parameters(spec, group)
        + connection_matrices(spec, group)
        + layer_small_parameters(spec, group)
    )


def attention_matrices(spec: ModelSpec, group: LayerGroup) -> int:
    """Weights of the mixer's matrices in one layer of a group."""
    return 0 if group.attention is None else group.attention.matrices(spec.hidden)


def feed_forward_matrices(spec: ModelSpec, group: LayerGroup) -> int:
    """Weights of the feed-forward's matrices in one layer: router and all experts included."""
    return 0 if group.feedforward is None else group.feedforward.matrices(spec.hidden)


def expert_small_parameters(spec: ModelSpec, group: LayerGroup) -> int:
    """Parameters of all routed experts of a layer that are in no matrix: their biases."""
    if group.feedforward is None:
        return 0
    return group.feedforward.expert_small_parameters(spec.hidden)


def connection_matrices(spec: ModelSpec, group: LayerGroup) -> int:
    """Weights of the hyper-connections' matrices in one layer; none with a single stream."""
    if spec.streams == 1:
        return 0
    return group.parts() * int(hyper_connection_weights(hidden=spec.hidden, streams=spec.streams))


def layer_small_parameters(spec: ModelSpec, group: LayerGroup) -> int:
    """Parameters of one layer of a group that are not matrices: norms, and those of its parts.

    Those of routed experts are not among them: see `expert_small_parameters`.
    """
    small = group.norm_count() * spec.hidden * spec.norm_vectors()
    if group.attention is not None:
        small += group.attention.small_parameters(spec.hidden, spec.norm_vectors())
    if group.feedforward is not None:
        small += group.feedforward.small_parameters(spec.hidden)
    if spec.streams > 1:
        small += group.parts() * _connection_offsets(spec.streams)
    return small


def _connection_offsets(streams: int) -> int:
    """An offset for each coefficient of one part, and a scale for each of their three kinds."""
    return int(hyper_connection_coefficients(streams=streams)) + 3


def head_bias(spec: ModelSpec) -> int:
    """Parameters of the head's bias."""
    return spec.vocabulary if spec.head_bias else 0


def final_small_parameters(spec: ModelSpec) -> int:
    """Parameters of the norm before the head, and of joining several streams before it."""
    norm = spec.hidden * spec.norm_vectors() + spec.small
    if spec.streams == 1:
        return norm
    offsets_and_scale = spec.streams + 1
    matrix = int(stream_join_weights(hidden=spec.hidden, streams=spec.streams))
    return norm + matrix + offsets_and_scale
