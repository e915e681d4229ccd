"""Two models side by side: parameters, and what they keep and read for a token."""

from collections.abc import Callable
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from liminal_jax._display import plain, with_prefix
from liminal_jax._smooth import Exact
from liminal_jax.view.models import billions, pattern
from liminal_jax.workload.mixer.base import AbstractMixer
from liminal_jax.workload.request import Request
from liminal_jax.workload.spec import ModelSpec
from liminal_jax.workload.summarised import summarised

_CONTEXTS = {"4K": 4096, "128K": 131_072, "1M": 1_048_576}
"""Contexts at which models are compared [tokens]."""


def traits(spec: ModelSpec) -> dict[str, Any]:
    """What a model has, keeps and reads, as plain values; bytes with 8-bit weights and cache.

    `held` is what one user's context occupies, `read` what one token reads and writes; the keys
    of both are contexts in tokens. States have 32 bits, as in `Request`.

    Examples:
        >>> from liminal_jax.data.models import load_model_spec
        >>> traits(load_model_spec("llama-3-8b"))["kv_bytes_held"][4096] == 4096 * 65536
        True
    """
    summary = summarised(spec)
    statistics = summary.counts
    request = Request(context=0)
    exact = Exact()

    def by_context(elements: Callable[[AbstractMixer, int], Any]) -> dict[int, int]:
        return {
            context: _whole(request.cache_bytes(_over_layers(spec, elements, context)))
            for context in _CONTEXTS.values()
        }

    return {
        "name": spec.name,
        "parameters_total": statistics.total,
        "parameters_active": statistics.active_without_input_embedding,
        "layers": sum(group.count for group in spec.layers),
        "pattern": pattern(summary),
        "weight_bytes_read": _whole(
            request.weight_bytes(statistics.active_without_input_embedding)
        ),
        "kv_bytes_per_token": _whole(request.cache_bytes(statistics.kv_elements_per_token_growing)),
        "kv_bytes_held": by_context(lambda mixer, tokens: mixer.cache(tokens, exact)),
        "kv_bytes_read": by_context(lambda mixer, tokens: mixer.traffic(tokens, exact)),
        "index_bytes_per_token": _whole(
            request.cache_bytes(statistics.index_key_elements_per_token)
        ),
        "index_bytes_read": by_context(lambda mixer, tokens: mixer.index_traffic(tokens, exact)),
        "state_bytes": _whole(request.state_bytes(statistics.state_elements_per_sequence)),
    }


def comparison_table(first: ModelSpec, second: ModelSpec) -> RenderableType:
    """Two models side by side, and the second over the first."""
    ours, theirs = traits(first), traits(second)
    table = Table(box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    for spec in (first, second):
        table.add_column(spec.name, justify="right", overflow="fold")
    table.add_column("ratio", justify="right", no_wrap=True)
    for heading, shown, value in _compared():
        one, other = value(ours), value(theirs)
        ratio = f"{plain(other / one)} x" if one and other else "-"
        table.add_row(heading, shown(one), shown(other), ratio)
    layers = [Text(f"{it['name']}: {it['pattern']}") for it in (ours, theirs)]
    legend = (
        "8-bit weights and cache, 32-bit states. Held: by the context of one user; read: for one\n"
        "token of one user alone. Active: without the input embedding. Ratio: second over first."
    )
    return Group(table, Text(), *layers, Text(), Text(legend, style="dim"))


_Line = tuple[str, Callable[[int], str], Callable[[dict[str, Any]], int]]


def _compared() -> list[_Line]:
    """The lines of a comparison: heading, how a value is shown, and the value of some traits."""
    lines: list[_Line] = [
        ("parameters", billions, lambda it: it["parameters_total"]),
        ("active", billions, lambda it: it["parameters_active"]),
        ("layers", str, lambda it: it["layers"]),
        ("weights read", _bytes, lambda it: it["weight_bytes_read"]),
        ("KV for one more token", _bytes, lambda it: it["kv_bytes_per_token"]),
    ]
    for key, heading in (
        ("kv_bytes_held", "KV held at"),
        ("kv_bytes_read", "KV read at"),
        ("index_bytes_read", "index read at"),
    ):
        lines += [
            (f"{heading} {name}", _bytes, lambda it, key=key, context=context: it[key][context])
            for name, context in _CONTEXTS.items()
        ]
    lines.append(("index for one more token", _bytes, lambda it: it["index_bytes_per_token"]))
    lines.append(("state held", _bytes, lambda it: it["state_bytes"]))
    return lines


def _over_layers(
    spec: ModelSpec, elements: Callable[[AbstractMixer, int], Any], context: int
) -> float:
    """Elements of all layers that have a mixer, at a context."""
    return sum(
        group.count * float(elements(group.attention.arrays(), context))
        for group in spec.layers
        if group.attention is not None
    )


def _whole(value: Any) -> int:
    return round(float(value))


def _bytes(value: int) -> str:
    return with_prefix(float(value), "B", 4) if value else "-"
