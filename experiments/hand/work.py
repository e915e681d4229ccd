"""What one chip computes and reads in a step, part by part of a layer."""

from dataclasses import dataclass

from experiments.hand.layers import Layer, Paper
from experiments.hand.ranks import (
    Degrees,
    busiest_experts,
    busiest_tokens,
    distinct,
    heads_of,
    matrices,
)

PER_SCORE, PER_ACTIVATION, PER_NORM = 5, 5, 4
"""Operations of the vector units on a score, an activation, an element of a norm."""


@dataclass(frozen=True)
class Request:
    """Tokens of context, and bits of weights, cache, attention, messages and states."""

    context: float
    weight_bits: float = 8
    kv_bits: float = 8
    attention_bits: float = 16
    message_bits: float = 16
    state_bits: float = 32


@dataclass(frozen=True)
class Work:
    """Work of one chip: FLOP on tensor units for weights and for attention, FLOP on vector units.

    Exponentials; bytes of weights that every token uses, of routed experts, and kept for users.
    """

    matrix: float = 0.0
    attention: float = 0.0
    vector: float = 0.0
    exponentials: float = 0.0
    weights: float = 0.0
    experts: float = 0.0
    kept: float = 0.0

    def times(self, count: float) -> "Work":
        """The same work, `count` times."""
        return Work(**{name: it * count for name, it in vars(self).items()})

    def plus(self, other: "Work") -> "Work":
        """The work of both."""
        return Work(**{name: it + getattr(other, name) for name, it in vars(self).items()})


@dataclass(frozen=True)
class Load:
    """What falls on one chip.

    Attributes:
        users: Users of its group.
        shared: Users of the ranks that share its shared expert.
        reads: Experts that it reads over the mean.
        tokens: Tokens at its experts over the mean.
    """

    users: float
    shared: float
    reads: float = 1.0
    tokens: float = 1.0


def load_of(layer: Layer, degrees: Degrees, *, busiest: bool, random: bool) -> Load:
    """What falls on the busiest chip, or on the mean one."""
    if not busiest:
        return Load(degrees.mean(degrees.group), degrees.mean(degrees.sharing))
    users, shared = degrees.fullest(degrees.group), degrees.fullest(degrees.sharing)
    if not random or not layer.block.experts:
        return Load(users, shared)
    drawn = (layer.block, degrees.batch, degrees.ep)
    return Load(users, shared, busiest_experts(*drawn), busiest_tokens(*drawn))


def projections(layer: Layer, model: Paper, degrees: Degrees, ask: Request, load: Load) -> Work:
    """The mixer's matrices, and the norms and biases of the layer: a group shares them."""
    g, held = degrees.group, matrices(layer.mixer, heads_of(layer.mixer, degrees))
    norms = PER_NORM * layer.norms * model.hidden if model.scalar else 0.0
    return Work(
        matrix=2 * load.users * held / g,
        vector=load.users * norms / g,
        weights=(held + layer.small) * ask.weight_bits / 8 / g,
    )


def mixing(layer: Layer, model: Paper, degrees: Degrees, ask: Request, load: Load) -> Work:
    """Attention to what is kept, and a state that is read and written."""
    mixer, heads = layer.mixer, heads_of(layer.mixer, degrees)
    mine, kept = load.users / degrees.group, mixer.kept(ask.context)
    scores = mixer.heads * kept if mixer.cached and model.scalar else 0.0
    cache = heads.copies * mixer.entry * kept * ask.kv_bits / 8
    return Work(
        attention=heads.padding * mine * (mixer.pair * kept + mixer.update),
        vector=heads.padding * mine * PER_SCORE * scores,
        exponentials=heads.padding * mine * scores,
        kept=mine * (cache + 2 * mixer.state * ask.state_bits / 8),
    )


def feed_forward(layer: Layer, model: Paper, degrees: Degrees, ask: Request, load: Load) -> Work:
    """A dense block over a group; or router, shared expert and the experts of a rank."""
    block, g = layer.block, degrees.group
    vector = PER_ACTIVATION * block.activations * load.users / g if model.scalar else 0.0
    if not block.experts:
        weights = block.always * ask.weight_bits / 8 / g
        return Work(matrix=2 * load.users * block.always / g, vector=vector, weights=weights)
    s, ranks = degrees.sharing, degrees.ranks
    tokens = load.tokens * degrees.batch * block.top_k / ranks
    read = load.reads * distinct(block, degrees.batch) / ranks
    return Work(
        matrix=2 * (load.shared * block.always / s + tokens * block.expert),
        vector=vector,
        weights=block.always * ask.weight_bits / 8 / s,
        experts=read * (block.expert + block.biases) * ask.weight_bits / 8,
    )


def layer_parts(
    layer: Layer, model: Paper, degrees: Degrees, ask: Request, load: Load
) -> dict[str, Work]:
    """The parts of one layer."""
    given = (layer, model, degrees, ask, load)
    return {
        "projections": projections(*given),
        "mixing": mixing(*given),
        "feed-forward": feed_forward(*given),
    }


def end_work(model: Paper, degrees: Degrees, ask: Request, users: float) -> Work:
    """Rows looked up for every token, the last norm, and the head."""
    g, a_byte = degrees.group, ask.weight_bits / 8
    rows = users * model.rows * model.hidden
    return Work(
        matrix=2 * users * model.head / g,
        vector=users * PER_NORM * model.hidden / g if model.scalar else 0.0,
        weights=(model.head + model.end + rows) * a_byte / g,
    )
