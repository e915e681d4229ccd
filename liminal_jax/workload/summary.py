"""What lists tell of a model, in plain values; it loads no JAX."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple


class Counts(NamedTuple):
    """Numbers of a text model without multi-token-prediction heads and vision tower.

    Parameters are whole numbers. What a token adds to a cache need not be one where tokens are
    pooled; it is a float only then.

    Attributes:
        total: All parameters, embedding and head included.
        total_without_embeddings: `total` without the input tables and the head.
        embedding: Input tables: token embedding, learned positions and what else is looked up.
        lm_head: Output matrix, 0 where it is the embedding, and its bias.
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
    kv_elements_per_token_growing: int | float
    kv_elements_per_token_all_layers: int | float
    index_key_elements_per_token: int | float
    state_elements_per_sequence: int


class PartSummary(NamedTuple):
    """A mixer or feed-forward: `label` in two or three words, `words` with its shape."""

    label: str
    words: str


class LayerSummary(NamedTuple):
    """Layers of one kind: their number, and their parts; none where they lack one."""

    number: int
    attention: PartSummary | None
    feedforward: PartSummary | None


class Summary(NamedTuple):
    """A model.

    Attributes:
        name: Lower case with hyphens.
        source: Where the numbers come from.
        hidden: Width of the residual stream.
        streams: Residual streams.
        vocabulary: Rows of the embedding and of the head.
        tied: Whether the head is the embedding.
        layers: Groups of layers.
        counts: Parameters, and cache elements a token.
    """

    name: str
    source: str
    hidden: int
    streams: int
    vocabulary: int
    tied: bool
    layers: tuple[LayerSummary, ...]
    counts: Counts


def pattern(model: Summary) -> str:
    """The layers of a model in words.

    Examples:
        >>> from liminal_jax.data.summaries import load_summary
        >>> pattern(load_summary("gpt-oss-20b"))
        '12 sliding 128 + 12 full; MoE 4/32'
    """
    mixers = [(it.attention, it.number) for it in model.layers]
    blocks = [(it.feedforward, it.number) for it in model.layers]
    tallies = (
        _tally((part.label, count) for part, count in parts if part is not None)
        for parts in (mixers, blocks)
    )
    return "; ".join(statistics for statistics in tallies if statistics)


def _tally(kinds: Iterable[tuple[str, int]]) -> str:
    """Kinds with their numbers of layers; the number alone is left out for a single kind."""
    numbers: Counter[str] = Counter()
    for kind, number in kinds:
        numbers[kind] += number
    if len(numbers) == 1:
        return next(iter(numbers))
    return " + ".join(f"{number} {kind}" for kind, number in numbers.items())
