"""Two models side by side: parameters, and what they keep and read for a token."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from liminal_jax._display import billions, plain, with_prefix
from liminal_jax.results.page import Line, Page, known, section, sentences, table
from liminal_jax.study.kind import kind_record
from liminal_jax.workload.spec import ModelSpec
from liminal_jax.workload.traits import traits

_ABOUT = (
    "8-bit weights and cache, 32-bit states. Held: by the context of one user.",
    "Read: for one token of one user alone. Active: without the input embedding.",
    "Ratio: second over first.",
)


def comparison_record(first: ModelSpec, second: ModelSpec) -> dict[str, Any]:
    """The object of `liminal models compare --json`."""
    return {**kind_record("model_comparison"), "models": [traits(it) for it in (first, second)]}


def page(record: Mapping[str, Any]) -> Page:
    """The page of two models.

    Args:
        record: The object of `liminal models compare --json`.
    """
    first, second = record["models"]
    heading = ("", first["name"], second["name"], "ratio")
    return Page(
        f"{first['name']} and {second['name']}",
        _ABOUT,
        (f"{second['name']} has {_times(first, second)} the parameters of {first['name']}",),
        (
            section("what they have, keep and read", table(_rows(first, second), heading)),
            section(
                "layers", sentences(f"{it['name']}: {it['pattern']}" for it in (first, second))
            ),
        ),
    )


def _times(first: Mapping[str, Any], second: Mapping[str, Any]) -> str:
    return _ratio(first["parameters_total"], second["parameters_total"])


def _ratio(one: int, other: int) -> str:
    return f"{plain(other / one)} x" if one and other else "-"


def _rows(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Line]:
    for heading, shown, path in _compared(first):
        values = [_at(it, path) for it in (first, second)]
        cells = (known(shown(it), f"models.{at}.{path}", it) for at, it in enumerate(values))
        yield heading, *cells, _ratio(*values)


def _at(traits: Mapping[str, Any], path: str) -> int:
    key, _, context = path.partition(".")
    return traits[key][context] if context else traits[key]


def _compared(traits: Mapping[str, Any]) -> Iterator[tuple[str, Callable[[int], str], str]]:
    """Heading of each line, how its values are shown, and where they stand in some traits."""
    yield "parameters", billions, "parameters_total"
    yield "active", billions, "parameters_active"
    yield "layers", str, "layers"
    yield "weights read", _bytes, "weight_bytes_read"
    yield "KV for one more token", _bytes, "kv_bytes_per_token"
    for key, heading in (
        ("kv_bytes_held", "KV held at"),
        ("kv_bytes_read", "KV read at"),
        ("index_bytes_read", "index read at"),
    ):
        for context in traits[key]:
            yield f"{heading} {_context(int(context))}", _bytes, f"{key}.{context}"
    yield "index for one more token", _bytes, "index_bytes_per_token"
    yield "state held", _bytes, "state_bytes"


def _context(tokens: int) -> str:
    return f"{tokens >> 20}M" if tokens >= 1 << 20 else f"{tokens >> 10}K"


def _bytes(value: int) -> str:
    return with_prefix(float(value), "B", 4) if value else "-"
