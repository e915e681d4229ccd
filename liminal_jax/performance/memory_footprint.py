"""Memory footprint of an instance: weights, experts, and the per-user state of all its users."""

import equinox as eqx
import jax

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._once import once
from liminal_jax._quantity import quantity
from liminal_jax._show import Shown
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.algorithm.algorithm import Algorithm
from liminal_jax.laws.roofline import stage_imbalance
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.division import AbstractDivision
from liminal_jax.performance.design import Assumptions
from liminal_jax.performance.operators import spread_of
from liminal_jax.workload.feedforward.base import AbstractFeedForward, AbstractMixture
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request


class MemoryFootprint(Shown):
    """Memory footprint of one instance, over all its chips.

    Attributes:
        weights: Weights that every token uses, of all layers [B].
        experts: Routed experts: those of the fullest rank, times the ranks [B].
        cache: Cache of the users of all micro-batches [B].
        index: Index keys of the users of all micro-batches [B].
        state: Recurrent states of the users of all micro-batches [B].
        tables: Embedding and head [B].
    """

    weights: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("B", "weights that every token uses")
    )
    experts: Leaf = eqx.field(converter=as_leaf, metadata=quantity("B", "routed experts"))
    cache: Leaf = eqx.field(converter=as_leaf, metadata=quantity("B", "KV cache"))
    index: Leaf = eqx.field(converter=as_leaf, metadata=quantity("B", "index keys"))
    state: Leaf = eqx.field(converter=as_leaf, metadata=quantity("B", "recurrent states"))
    tables: Leaf = eqx.field(converter=as_leaf, metadata=quantity("B", "embedding and head"))

    def kept(self) -> Scalar:
        """Per-user state of all users: cache, index and recurrent states [B]."""
        return self.cache + self.index + self.state

    def total(self) -> Scalar:
        """The whole footprint [B]."""
        return self.weights + self.experts + self.kept() + self.tables


def _expert_imbalance(
    block: AbstractFeedForward | None,
    mapping: Mapping,
    division: AbstractDivision,
    relaxation: AbstractRelaxation,
) -> Scalar:
    """Experts of the fullest rank over those of the mean rank."""
    if not isinstance(block, AbstractMixture):
        return 1.0
    fullest = division.largest_share(block.experts, mapping.ep, relaxation)
    return fullest * mapping.ep / block.experts


@once
def memory_footprint(
    model: Model,
    request: Request,
    mapping: Mapping,
    batch: Scalar,
    assumptions: Assumptions,
    algorithm: Algorithm | None = None,
) -> MemoryFootprint:
    """Memory footprint when each user's context is full: that of the fullest rank, times the ranks.

    Copies of weights and of caches are counted, as the mapping of attention makes them, and what a
    drafter keeps.
    """
    if algorithm is None:
        return _footprint(model, request, mapping, batch, assumptions)
    held = _footprint(algorithm.seen(model), request, mapping, batch, assumptions)
    if algorithm.speculation is None:
        return held
    drafting = algorithm.speculation.drafter.stored(model)
    beside = _footprint(drafting, request, mapping, batch, assumptions)
    some = assumptions.relaxation.share(algorithm.speculation.drafts)
    return jax.tree.map(lambda own, its: own + some * its, held, beside)


def _footprint(
    model: Model, request: Request, mapping: Mapping, batch: Scalar, assumptions: Assumptions
) -> MemoryFootprint:
    relaxation = assumptions.relaxation
    spread = spread_of(batch, mapping, assumptions.collectives, relaxation)
    sharing = spread.sharing
    weights = experts = cache = index = state = 0.0
    for layers in model.layers:
        block, mixer = layers.feedforward, layers.attention
        outside = layers.connection_weights(model.hidden) + layers.small
        if mixer is not None:
            own = spread.of_mixer(mixer, relaxation)
            outside = outside + own.weights(mixer, model.hidden)
            cache = cache + layers.count * own.cache_copies * mixer.cache(
                request.context, relaxation
            )
            index = index + layers.count * own.cache_copies * mixer.index_cache(
                request.context, relaxation
            )
            state = state + layers.count * mixer.state()
        always = 0.0 if block is None else block.weights(model.hidden)
        copies = sharing.shared_copies if isinstance(block, AbstractMixture) else sharing.copies
        weights = weights + layers.count * (sharing.copies * outside + copies * always)
        fullest = _expert_imbalance(block, mapping, assumptions.division, relaxation)
        experts = experts + layers.count * layers.expert_weights(model.hidden) * fullest
    tables = 0.0 if model.tables is None else model.tables.stored(model.hidden)
    users = sharing.users * batch * mapping.pp
    return MemoryFootprint(
        weights=request.weight_bytes(weights),
        experts=request.expert_bytes(experts),
        cache=request.cache_bytes(cache) * users,
        index=request.index_bytes(index) * users,
        state=request.state_bytes(state) * users,
        tables=request.table_bytes(sharing.copies * tables),
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
    """Embedding and head of the stage with most of them, over those of the mean stage.

    A single stage has both. Of several stages the first has the embedding and the last the head;
    weights that embedding and head share are stored in both.
    """
    if model.tables is None:
        return 1.0
    tables = 1 + model.tables.embeddings
    return mapping.pp / relaxation.fewest(mapping.pp, tables)


def parameters_total(model: Model) -> Scalar:
    """Elements of all weights that the accounting counts."""
    layers = sum(
        group.count * (group.weights(model.hidden) + group.expert_weights(model.hidden))
        for group in model.layers
    )
    return layers + (0.0 if model.tables is None else model.tables.stored(model.hidden))


def parameters_active(model: Model) -> Scalar:
    """Elements of the weights that one token uses, without the input embedding."""
    layers = sum(
        group.count * (group.weights(model.hidden) + group.expert_weights_used(model.hidden))
        for group in model.layers
    )
    if model.tables is None:
        return layers
    return layers + model.tables.head(model.hidden) + model.tables.small
