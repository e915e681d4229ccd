"""What an instance holds: weights, experts and the cache of all its users."""

import equinox as eqx

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.laws.roofline import stage_imbalance
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.division import AbstractDivision
from liminal_jax.workload.feedforward import AbstractFeedForward, Mixture
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request


class Residents(eqx.Module):
    """Bytes that the chips of one instance hold.

    Attributes:
        weights: Weights that every token uses, of all layers [B].
        experts: Routed experts, as the fullest rank holds them, times the ranks [B].
        cache: Cache of the users of all micro-batches [B].
        tables: Embedding and head [B].
    """

    weights: Leaf = eqx.field(converter=as_leaf)
    experts: Leaf = eqx.field(converter=as_leaf)
    cache: Leaf = eqx.field(converter=as_leaf)
    tables: Leaf = eqx.field(converter=as_leaf)

    def total(self) -> Scalar:
        """All of it [B]."""
        return self.weights + self.experts + self.cache + self.tables


def _crowding(
    block: AbstractFeedForward,
    mapping: Mapping,
    division: AbstractDivision,
    relaxation: AbstractRelaxation,
) -> Scalar:
    """Experts of the fullest rank over those of the mean rank."""
    if not isinstance(block, Mixture):
        return 1.0
    fullest = division.largest_share(block.experts, mapping.ep, relaxation)
    return fullest * mapping.ep / block.experts


def residents(
    model: Model,
    request: Request,
    mapping: Mapping,
    batch: Scalar,
    division: AbstractDivision,
    relaxation: AbstractRelaxation,
) -> Residents:
    """What an instance holds when each user's context is full."""
    weights = experts = cache = 0.0
    for layers in model.layers:
        block = layers.feedforward
        always = layers.attention.weights(model.hidden) + block.weights(model.hidden)
        weights = weights + layers.count * (always + layers.small)
        crowded = block.expert_weights(model.hidden) * _crowding(
            block, mapping, division, relaxation
        )
        experts = experts + layers.count * crowded
        kept = layers.attention.scope.kept(request.context, relaxation)
        cache = cache + layers.count * layers.attention.cache() * kept
    tables = 0.0 if model.tables is None else model.tables.stored(model.hidden)
    return Residents(
        weights=request.weight_bytes(weights),
        experts=request.weight_bytes(experts),
        cache=request.cache_bytes(cache) * batch * mapping.pp,
        tables=request.weight_bytes(tables),
    )


def imbalance(
    model: Model, mapping: Mapping, division: AbstractDivision, relaxation: AbstractRelaxation
) -> Scalar:
    """Layers of the largest stage over those of the mean stage."""
    layers = model.layer_count()
    return stage_imbalance(
        layers=layers,
        largest=division.largest_share(layers, mapping.pp, relaxation),
        stages=mapping.pp,
    )


def table_crowding(model: Model, mapping: Mapping, relaxation: AbstractRelaxation) -> Scalar:
    """Embedding and head of the stage that holds most of them, over those of the mean stage.

    A single stage holds both. Of several the first holds the embedding and the last the head; a
    head that is the embedding is held by both.
    """
    if model.tables is None:
        return 1.0
    tables = 1 + model.tables.embeddings
    return mapping.pp / relaxation.minimum(mapping.pp, tables)


def parameters_total(model: Model) -> Scalar:
    """Elements of all weights that the accounting counts."""
    layers = sum(
        group.count
        * (
            group.attention.weights(model.hidden)
            + group.feedforward.weights(model.hidden)
            + group.feedforward.expert_weights(model.hidden)
            + group.small
        )
        for group in model.layers
    )
    return layers + (0.0 if model.tables is None else model.tables.stored(model.hidden))


def parameters_active(model: Model) -> Scalar:
    """Elements of the weights that one token uses, without the input embedding."""
    layers = sum(
        group.count
        * (
            group.attention.weights(model.hidden)
            + group.feedforward.weights(model.hidden)
            + group.feedforward.expert_weights_used(model.hidden)
            + group.small
        )
        for group in model.layers
    )
    if model.tables is None:
        return layers
    return layers + model.tables.head(model.hidden) + model.tables.small
