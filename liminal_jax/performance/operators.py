"""The operators of one decode step of one micro-batch: what each computes and moves."""

import equinox as eqx
import jax
import jax.numpy as jnp

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.laws.scalar import scalar_work
from liminal_jax.workload.chunk import Prompts
from liminal_jax.workload.feedforward.base import AbstractFeedForward
from liminal_jax.workload.mixer.base import AbstractMixer
from liminal_jax.workload.model import Layers, Model
from liminal_jax.workload.request import Request

FLOP_PER_WEIGHT = 2
"""One multiply-add for each weight and token."""


class Operator(eqx.Module):
    """Work and traffic of one operator over all layers that have it, for one micro-batch.

    Attributes:
        matrix: Tensor work of matrix products, at the precision of the weights [FLOP].
        core: Tensor work of a mixer on its cache, index and state, at the precision of the cache
            [FLOP].
        scalar: Work on the vector units [FLOP].
        weights: Weights read that every token uses [B].
        experts: Weights read of routed experts [B].
        cache: Cache read and written [B].
        index: Keys of a sparse attention's index read and written [B].
        state: Recurrent states read and written [B].
    """

    matrix: Leaf = eqx.field(converter=as_leaf, default=0)
    core: Leaf = eqx.field(converter=as_leaf, default=0)
    scalar: Leaf = eqx.field(converter=as_leaf, default=0)
    weights: Leaf = eqx.field(converter=as_leaf, default=0)
    experts: Leaf = eqx.field(converter=as_leaf, default=0)
    cache: Leaf = eqx.field(converter=as_leaf, default=0)
    index: Leaf = eqx.field(converter=as_leaf, default=0)
    state: Leaf = eqx.field(converter=as_leaf, default=0)

    def kept(self) -> Scalar:
        """Traffic of what is kept for users: cache, index and states [B]."""
        return self.cache + self.index + self.state

    def scaled(self, count: Scalar) -> "Operator":
        """The operator so many times."""
        return jax.tree.map(lambda quantity: quantity * count, self)

    def __add__(self, other: "Operator") -> "Operator":
        """Both operators, one after the other."""
        return jax.tree.map(lambda mine, its: mine + its, self, other)


def _projections(layers: Layers, model: Model, request: Request, batch: Scalar) -> Operator:
    """The mixer's matrices, what joins parts to streams, and all that is small.

    One norm of the stream stands before each part.
    """
    mixer = layers.attention
    own = 0.0 if mixer is None else mixer.weights(model.hidden)
    weights = own + layers.connection_weights(model.hidden)
    norms = scalar_work(elements=layers.norms * model.hidden, operations=model.operations.per_norm)
    return Operator(
        matrix=FLOP_PER_WEIGHT * batch * weights,
        scalar=batch * (norms + layers.connection_work(model.hidden)),
        weights=request.weight_bytes(weights + layers.small),
    )


def _decode_mixing(
    mixer: AbstractMixer,
    model: Model,
    request: Request,
    batch: Scalar,
    relaxation: AbstractRelaxation,
) -> Operator:
    context = request.context
    return Operator(
        core=batch * mixer.work(context, relaxation),
        scalar=batch
        * scalar_work(
            elements=mixer.scores(context, relaxation), operations=model.operations.per_score
        ),
        cache=batch * request.cache_bytes(mixer.traffic(context, relaxation)),
        index=batch * request.cache_bytes(mixer.index_traffic(context, relaxation)),
        state=batch * request.state_bytes(2 * mixer.state()),
    )


def _feedforward(
    block: AbstractFeedForward, model: Model, request: Request, batch: Scalar
) -> Operator:
    always = block.weights(model.hidden)
    products = always + block.expert_products(model.hidden)
    return Operator(
        matrix=FLOP_PER_WEIGHT * batch * products,
        scalar=batch
        * scalar_work(elements=block.activations(), operations=model.operations.per_activation),
        weights=request.weight_bytes(always),
        experts=request.weight_bytes(block.expert_weights_read(model.hidden, batch)),
    )


def _operators(
    layers: Layers,
    model: Model,
    request: Request,
    batch: Scalar,
    prompts: Prompts | None,
    relaxation: AbstractRelaxation,
) -> list[Operator]:
    """Operators of one layer.

    Matrices work on the tokens of users and prompts, and are read once for both.
    """
    tokens = batch if prompts is None else batch + prompts.tokens()
    operators = [_projections(layers, model, request, tokens)]
    if layers.attention is not None:
        operators.append(_mixing(layers.attention, model, request, batch, prompts, relaxation))
    if layers.feedforward is not None:
        operators.append(_feedforward(layers.feedforward, model, request, tokens))
    return operators


def layer_operators(
    model: Model,
    request: Request,
    batch: Scalar,
    relaxation: AbstractRelaxation,
    prompts: Prompts | None = None,
) -> list[Operator]:
    """Operators of all layers of a model, each over all its layers of one kind.

    Args:
        model: What is computed.
        request: Context of the users that decode, and precision.
        batch: Users that decode, one token each.
        relaxation: How kinks are read.
        prompts: Prompts of which chunks pass in the same step, if any.
    """
    return [
        operator.scaled(layers.count)
        for layers in model.layers
        for operator in _operators(layers, model, request, batch, prompts, relaxation)
    ]


def table_operators(
    model: Model, request: Request, batch: Scalar, prompts: Prompts | None = None
) -> list[Operator]:
    """Operators of embedding and head; none where layers only are counted.

    Every token is looked up; of a chunk the last one is read out, as engines do even where it does
    not end its prompt.
    """
    if model.tables is None:
        return []
    head = model.tables.head(model.hidden)
    rows = 1 + jnp.sign(model.tables.positions)  # of the embedding and, where learned, positions
    read_out = batch if prompts is None else batch + prompts.count
    operator = Operator(
        matrix=FLOP_PER_WEIGHT * read_out * head,
        scalar=read_out * scalar_work(elements=model.hidden, operations=model.operations.per_norm),
        weights=request.weight_bytes(head + model.tables.small + read_out * rows * model.hidden),
    )
    if prompts is None:
        return [operator]
    others = (prompts.tokens() - prompts.count) * rows * model.hidden
    return [operator + Operator(weights=request.weight_bytes(others))]


def _prompt_mixing(
    mixer: AbstractMixer,
    model: Model,
    request: Request,
    prompts: Prompts,
    relaxation: AbstractRelaxation,
) -> Operator:
    """What mixing costs the chunks of some prompts; a state is read and written once a chunk."""
    count, chunk = prompts.count, prompts.chunk
    return Operator(
        core=count * mixer.chunk_work(chunk, relaxation),
        scalar=count
        * scalar_work(
            elements=mixer.chunk_scores(chunk, relaxation), operations=model.operations.per_score
        ),
        cache=count * request.cache_bytes(mixer.chunk_traffic(chunk, relaxation)),
        index=count * request.cache_bytes(mixer.chunk_index_traffic(chunk, relaxation)),
        state=count * request.state_bytes(2 * mixer.state()),
    )


def _mixing(
    mixer: AbstractMixer,
    model: Model,
    request: Request,
    batch: Scalar,
    prompts: Prompts | None,
    relaxation: AbstractRelaxation,
) -> Operator:
    mixing = _decode_mixing(mixer, model, request, batch, relaxation)
    if prompts is None:
        return mixing
    return mixing + _prompt_mixing(mixer, model, request, prompts, relaxation)


def mixing_operators(
    model: Model,
    request: Request,
    batch: Scalar,
    prompts: Prompts | None,
    relaxation: AbstractRelaxation,
) -> list[tuple[AbstractMixer, Operator]]:
    """Every mixer, and its operator over all its layers, for users and prompts if any."""
    return [
        (it, _mixing(it, model, request, batch, prompts, relaxation).scaled(layers.count))
        for layers in model.layers
        if (it := layers.attention) is not None
    ]
