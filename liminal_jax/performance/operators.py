"""The operators of a step of one micro-batch: work and memory traffic of each."""

import equinox as eqx
import jax
import jax.numpy as jnp

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._once import once
from liminal_jax._quantity import quantity
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.laws.scalar import scalar_work
from liminal_jax.laws.speculation import checked_experts
from liminal_jax.mapping.collectives import AbstractCollectives, LayerCollectives
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.routing import AbstractRouting, BalancedRouting
from liminal_jax.mapping.sharing import MixerSharing, Sharing
from liminal_jax.workload.block import Block
from liminal_jax.workload.chunk import Prompts
from liminal_jax.workload.feedforward.base import AbstractFeedForward, AbstractMixture
from liminal_jax.workload.mixer.base import AbstractMixer
from liminal_jax.workload.model import Layers, Model
from liminal_jax.workload.request import Request

FLOP_PER_WEIGHT = 2
"""One multiply-add for each weight and token."""


class Operator(eqx.Module):
    """Work and traffic of one operator over all layers that have it, for one micro-batch.

    Attributes:
        matrix: Tensor work of matrix products, at the precision of the weights [FLOP].
        routed: The same of routed experts, where their weights have a precision of their own
            [FLOP].
        head: The same of the head, where its weights have one [FLOP].
        core: Tensor work of a mixer on its cache, index and state, at the precision of the cache
            [FLOP].
        scalar: Work on the vector units [FLOP].
        exponentials: Exponentials, computed by a separate unit.
        weights: Weights read that every token uses [B].
        experts: Weights read of routed experts [B].
        cache: Cache read and written [B].
        index: Keys of a sparse attention's index read and written [B].
        state: Recurrent states read and written [B].
    """

    matrix: Leaf = eqx.field(
        converter=as_leaf, default=0, metadata=quantity("FLOP", "work of matrix products")
    )
    routed: Leaf = eqx.field(
        converter=as_leaf, default=0, metadata=quantity("FLOP", "work of routed experts")
    )
    head: Leaf = eqx.field(
        converter=as_leaf, default=0, metadata=quantity("FLOP", "work of the head")
    )
    core: Leaf = eqx.field(
        converter=as_leaf,
        default=0,
        metadata=quantity("FLOP", "work of a mixer on its cache, index and state"),
    )
    scalar: Leaf = eqx.field(
        converter=as_leaf, default=0, metadata=quantity("FLOP", "work on the vector units")
    )
    exponentials: Leaf = eqx.field(
        converter=as_leaf, default=0, metadata=quantity("", "exponentials")
    )
    weights: Leaf = eqx.field(
        converter=as_leaf, default=0, metadata=quantity("B", "weights read that every token uses")
    )
    experts: Leaf = eqx.field(
        converter=as_leaf, default=0, metadata=quantity("B", "weights read of routed experts")
    )
    cache: Leaf = eqx.field(
        converter=as_leaf, default=0, metadata=quantity("B", "cache read and written")
    )
    index: Leaf = eqx.field(
        converter=as_leaf, default=0, metadata=quantity("B", "keys of an index read and written")
    )
    state: Leaf = eqx.field(
        converter=as_leaf, default=0, metadata=quantity("B", "states read and written")
    )

    def kept(self) -> Scalar:
        """Traffic of per-user state: cache, index and recurrent states [B]."""
        return self.cache + self.index + self.state

    def scaled(self, count: Scalar) -> "Operator":
        """The operator, `count` times."""
        return jax.tree.map(lambda quantity: quantity * count, self)

    def __add__(self, other: "Operator") -> "Operator":
        """Both operators, one after the other."""
        return jax.tree.map(lambda mine, its: mine + its, self, other)


class Spread(eqx.Module):
    """How the work of a step is spread over the ranks of a stage.

    Attributes:
        mapping: Degrees of parallelism, and how attention uses them.
        collectives: Which collectives they need, and what is copied.
        routing: How tokens are routed to the ranks that hold experts.
        sharing: Load of the fullest ranks over an equal share, and copies of weights.
    """

    mapping: Mapping = eqx.field(default_factory=Mapping)
    collectives: AbstractCollectives = eqx.field(default_factory=LayerCollectives)
    routing: AbstractRouting = eqx.field(default_factory=BalancedRouting)
    sharing: Sharing = eqx.field(default_factory=Sharing)

    @once
    def balanced(self) -> "Spread":
        """The same for the mean rank."""
        routing = self.routing.balanced()
        return Spread(self.mapping, self.collectives, routing, self.sharing.balanced())

    def of_mixer(self, mixer: AbstractMixer, relaxation: AbstractRelaxation) -> MixerSharing:
        """The parts of a mixer that ranks copy."""
        return self.collectives.mixer_sharing(mixer, self.mapping, relaxation)


def spread_of(
    users: Scalar,
    mapping: Mapping,
    collectives: AbstractCollectives,
    relaxation: AbstractRelaxation,
) -> Spread:
    """How a step for the users of a micro-batch is spread."""
    sharing = collectives.sharing(users, mapping, relaxation)
    return Spread(mapping, collectives, collectives.routing_of(), sharing)


class Passing(eqx.Module):
    """The tokens of a step.

    Attributes:
        batch: Users that decode, one token each.
        prompts: Prompts of which chunks pass in the same step, if any; none in decode.
        block: Tokens of each user that decodes, where it is not a single one.
    """

    batch: Leaf = eqx.field(converter=as_leaf)
    prompts: Prompts | None = None
    block: Block | None = None

    def of_users(self, users: Scalar) -> Scalar:
        """Tokens of some users that decode."""
        return users if self.block is None else users * self.block.tokens

    def _with_prompts(self, tokens: Scalar) -> Scalar:
        return tokens if self.prompts is None else tokens + self.prompts.tokens()

    def tokens(self) -> Scalar:
        """Tokens of users and of prompts."""
        return self._with_prompts(self.of_users(self.batch))

    def first_tokens(self) -> Scalar:
        """The first token of each user, and those of prompts."""
        return self._with_prompts(self.batch)

    def imbalance(self, users: Scalar) -> Scalar:
        """Tokens of the fullest group over those of the mean group, given the same of the users.

        Prompts are taken to be spread evenly over the groups.
        """
        if self.prompts is None:
            return users
        return (self.of_users(self.batch) * users + self.prompts.tokens()) / self.tokens()


def _projections(
    layers: Layers,
    model: Model,
    request: Request,
    passing: Passing,
    spread: Spread,
    relaxation: AbstractRelaxation,
) -> Operator:
    """The mixer's matrices, connections to the residual streams, and parameters outside matrices.

    Each part of a layer begins with a norm of the stream.
    """
    mixer, sharing = layers.attention, spread.sharing
    own = 0.0 if mixer is None else spread.of_mixer(mixer, relaxation).weights(mixer, model.hidden)
    weights = own + layers.connection_weights(model.hidden)
    norms = scalar_work(elements=layers.norms * model.hidden, operations=model.operations.per_norm)
    tokens = passing.tokens() * passing.imbalance(sharing.users)
    return Operator(
        matrix=FLOP_PER_WEIGHT * tokens * weights,
        scalar=tokens * (norms + layers.connection_work(model.hidden)),
        weights=sharing.copies * request.weight_bytes(weights + layers.small),
    )


def _decode_mixing(
    mixer: AbstractMixer,
    model: Model,
    request: Request,
    users: Scalar,
    passing: Passing,
    relaxation: AbstractRelaxation,
) -> Operator:
    """Mixing of some users' tokens; cache and state of a user are read once for all of them.

    The state after each token is written, so that what is not accepted can be taken back.
    """
    context, tokens = request.context, passing.of_users(users)
    scores = mixer.scores(context, relaxation)
    return Operator(
        core=tokens * mixer.work(context, relaxation),
        scalar=tokens * scalar_work(elements=scores, operations=model.operations.per_score),
        exponentials=tokens * model.operations.exponentials_per_score * scores,
        cache=users * request.cache_bytes(mixer.traffic(context, relaxation)),
        index=users * request.index_bytes(mixer.index_traffic(context, relaxation)),
        state=users * request.state_bytes((1 + passing.of_users(1)) * mixer.state()),
    )


def experts_read(block: AbstractMixture, model: Model, passing: Passing, spread: Spread) -> Scalar:
    """Elements of the routed experts that a step reads; tokens of one user share some."""
    read = spread.routing.weights_read(block, model.hidden, passing.tokens())
    if passing.block is None:
        return read
    first = spread.routing.weights_read(block, model.hidden, passing.first_tokens())
    return checked_experts(first=first, independent=read, fresh=passing.block.fresh)


def _feedforward(
    block: AbstractFeedForward, model: Model, request: Request, passing: Passing, spread: Spread
) -> Operator:
    always, sharing, tokens = block.weights(model.hidden), spread.sharing, passing.tokens()
    copies, users = sharing.copies, sharing.users
    busiest_weights = busiest_tokens = 1.0
    read: Scalar = 0.0
    if isinstance(block, AbstractMixture):
        copies, users = sharing.shared_copies, sharing.shared_users
        ranks = spread.mapping.ep
        read = experts_read(block, model, passing, spread)
        busiest_weights = spread.routing.weight_imbalance(block, tokens, ranks)
        busiest_tokens = spread.routing.token_imbalance(block, tokens, ranks)
    products = passing.imbalance(users) * always
    routed = busiest_tokens * block.expert_products(model.hidden)
    apart: Scalar = 0.0
    if request.expert_bits is None:
        products = products + routed
    else:
        apart = FLOP_PER_WEIGHT * tokens * routed
    return Operator(
        matrix=FLOP_PER_WEIGHT * tokens * products,
        routed=apart,
        scalar=tokens
        * passing.imbalance(sharing.users)
        * scalar_work(elements=block.activations(), operations=model.operations.per_activation),
        weights=copies * request.weight_bytes(always),
        experts=busiest_weights * request.expert_bytes(read),
    )


def _operators(
    layers: Layers,
    model: Model,
    request: Request,
    passing: Passing,
    spread: Spread,
    relaxation: AbstractRelaxation,
) -> list[Operator]:
    """Operators of one layer.

    Matrices work on the tokens of users and prompts, and are read once for both.
    """
    operators = [_projections(layers, model, request, passing, spread, relaxation)]
    if layers.attention is not None:
        operators.append(_mixing(layers.attention, model, request, passing, spread, relaxation))
    if layers.feedforward is not None:
        operators.append(_feedforward(layers.feedforward, model, request, passing, spread))
    return operators


@once
def layer_operators(
    model: Model,
    request: Request,
    batch: Scalar,
    relaxation: AbstractRelaxation,
    prompts: Prompts | None = None,
    spread: Spread | None = None,
    block: Block | None = None,
) -> list[Operator]:
    """Operators of all layers of a model, each over all its layers of one kind.

    Work and traffic are those of the fullest rank of a stage times its ranks, so that they take as
    long as the fullest rank does.

    Args:
        model: The model.
        request: Context of the users that decode, and precision.
        batch: Users that decode.
        relaxation: How non-smooth functions are evaluated.
        prompts: Prompts of which chunks pass in the same step, if any.
        spread: How they are spread over ranks; on one chip where left out.
        block: Tokens of each user that decodes, where it is not a single one.
    """
    spread = Spread() if spread is None else spread
    passing = Passing(batch, prompts, block)
    return [
        operator.scaled(layers.count)
        for layers in model.layers
        for operator in _operators(layers, model, request, passing, spread, relaxation)
    ]


def operator_names(model: Model) -> list[str]:
    """What each operator of a step is, in the order of those of layers, then of the tables."""
    names = []
    for layers in model.layers:
        names.append("projections")
        if layers.attention is not None:
            names.append("attention")
        if layers.feedforward is not None:
            mixture = isinstance(layers.feedforward, AbstractMixture)
            names.append("experts" if mixture else "feed-forward")
    return names if model.tables is None else [*names, "embedding and head"]


@once
def table_operators(
    model: Model,
    request: Request,
    batch: Scalar,
    prompts: Prompts | None = None,
    spread: Spread | None = None,
    block: Block | None = None,
) -> list[Operator]:
    """Operators of embedding and head; none where layers only are counted.

    Every token is looked up; of a chunk the last one is read out, as engines do even where it does
    not end its prompt.
    """
    if model.tables is None:
        return []
    sharing = Sharing() if spread is None else spread.sharing
    head = model.tables.head(model.hidden)
    rows = 1 + jnp.sign(model.tables.positions)  # of the embedding and, where learned, positions
    count = 0.0 if prompts is None else prompts.count
    passing = Passing(batch, prompts, block)
    read_out = passing.of_users(sharing.users * batch) + count
    looked_up = passing.tokens() * passing.imbalance(sharing.users) * rows * model.hidden
    kind = "matrix" if request.table_bits is None else "head"
    return [
        Operator(
            **{kind: FLOP_PER_WEIGHT * read_out * head},
            scalar=read_out
            * scalar_work(elements=model.hidden, operations=model.operations.per_norm),
            weights=sharing.copies * request.table_bytes(head + model.tables.small)
            + request.table_bytes(looked_up),
        )
    ]


def _prompt_mixing(
    mixer: AbstractMixer,
    model: Model,
    request: Request,
    prompts: Prompts,
    relaxation: AbstractRelaxation,
) -> Operator:
    """Mixing of chunks of prompts; a state is read and written once a chunk."""
    count, chunk = prompts.count, prompts.chunk
    scores = mixer.chunk_scores(chunk, relaxation)
    return Operator(
        core=count * mixer.chunk_work(chunk, relaxation),
        scalar=count * scalar_work(elements=scores, operations=model.operations.per_score),
        exponentials=count * model.operations.exponentials_per_score * scores,
        cache=count * request.cache_bytes(mixer.chunk_traffic(chunk, relaxation)),
        index=count * request.index_bytes(mixer.chunk_index_traffic(chunk, relaxation)),
        state=count * request.state_bytes(2 * mixer.state()),
    )


def _mixing(
    mixer: AbstractMixer,
    model: Model,
    request: Request,
    passing: Passing,
    spread: Spread,
    relaxation: AbstractRelaxation,
) -> Operator:
    """A mixer on cache, index and state, of the fullest group; padded heads are computed too."""
    users, sharing = spread.sharing.users * passing.batch, spread.of_mixer(mixer, relaxation)
    mixing = _decode_mixing(mixer, model, request, users, passing, relaxation)
    if passing.prompts is not None:
        mixing += _prompt_mixing(mixer, model, request, passing.prompts, relaxation)
    return Operator(
        core=sharing.head_padding * mixing.core,
        scalar=sharing.head_padding * mixing.scalar,
        exponentials=sharing.head_padding * mixing.exponentials,
        cache=sharing.cache_copies * mixing.cache,
        index=sharing.cache_copies * mixing.index,
        state=mixing.state,
    )
