"""Parts that all families share: each reads the fields of one part and returns its table.

A table is what stands in a model file for the same part, so that nothing is built, and nothing
can fail, before every field has been read. Shapes of the tensors follow the public modeling code
of Hugging Face transformers; a part says so where families differ.
"""

from collections.abc import Sequence
from typing import Any

from liminal_jax.workload.reading.fields import Fields

Table = dict[str, Any]

GATED = ("silu", "swish", "swiglu", "gelu", "gelu_new", "gelu_fast", "gelu_pytorch_tanh")
"""Activations whose blocks have a gate in every modelled family."""

MOST_LAYERS = 10_000
"""More layers than any model has: what exceeds it is a slip of the pen."""


def hidden(fields: Fields) -> int:
    """Width of the residual stream."""
    return fields.count("hidden_size", note="width of the residual stream")


def layer_count(fields: Fields) -> int:
    """Number of layers."""
    return fields.count("num_hidden_layers", note="layers", most=MOST_LAYERS)


def activation(fields: Fields, name: str = "hidden_act", default: str = "silu") -> None:
    """Check that the feed-forward blocks are gated."""
    fields.choice(name, GATED, note="activation of a gated block", default=default)


def layer_scopes(fields: Fields, default: Sequence[str], *, modelled: Sequence[str]) -> list[str]:
    """The scope of each layer: `layer_types` where given, else `default`.

    Args:
        fields: The config.
        default: The scope of each layer where the config does not say.
        modelled: Scopes that the family may have beside `full`, without their `_attention`.
    """
    meanings = {f"{scope}_attention": scope for scope in ("full", *modelled)}
    given = fields.per_layer(
        "layer_types", meanings, note="scope of each layer", layers=len(default)
    )
    return list(default) if given is None else given


def stack(
    attentions: Sequence[Table | None],
    feedforwards: Sequence[Table | None],
    *,
    norms: int | None = None,
) -> tuple[Table, ...]:
    """Layers grouped by kind, in the order in which the kinds first appear.

    Args:
        attentions: The mixer of each layer; none where it has only a feed-forward.
        feedforwards: The feed-forward of each layer; none where it has only a mixer.
        norms: Norms in each layer; one before each part where none.
    """
    groups: list[Table] = []
    for attention, feedforward in zip(attentions, feedforwards, strict=True):
        kind = {"attention": attention, "feedforward": feedforward, "norms": norms}
        for group in groups:
            if all(group[part] == kind[part] for part in kind):
                group["count"] += 1
                break
        else:
            groups.append({"count": 1, **kind})
    return tuple(groups)


def model(
    fields: Fields, layers: tuple[Table, ...], vocabulary: int | None = None, **extras: Any
) -> Table:
    """The table of a model, but for its name, its source and whether its head is tied.

    Args:
        fields: The config.
        layers: Its layers, grouped by kind.
        vocabulary: The vocabulary where the config does not say; required where none.
        extras: Further entries of the table.
    """
    return {
        "hidden": hidden(fields),
        "vocabulary": fields.count("vocab_size", note="vocabulary", default=vocabulary),
        "layers": layers,
        **extras,
    }
