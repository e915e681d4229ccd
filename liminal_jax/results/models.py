"""The models that come with the package: parameters, cache and layers of each; it loads no JAX."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from liminal_jax._display import billions
from liminal_jax.results.page import Line, Page, known, listing, section, sentences
from liminal_jax.study.kind import kind_record
from liminal_jax.workload.summary import Summary, pattern

_SHOWN = {
    "total": billions,
    "active_without_input_embedding": billions,
    "kv_elements_per_token_growing": "{:,}".format,
    "kv_elements_per_token_all_layers": "{:,}".format,
}
"""Counts in the list, and how each is shown."""

_LEGEND = (
    "active: without the input embedding",
    "KV B/token: cache that one more token adds, 8-bit",
    "unwindowed: the same if every layer kept every token",
)


def models_record(models: Iterable[Summary]) -> dict[str, Any]:
    """The object of `liminal models --json`: counts and layers by the name of the model."""
    rows = {
        it.name: {
            **it.counts._asdict(),
            "layers": sum(group.number for group in it.layers),
            "pattern": pattern(it),
        }
        for it in models
    }
    return {**kind_record("models"), **rows}


def page(record: Mapping[str, Any]) -> Page:
    """The page of a list of models.

    Args:
        record: The object of `liminal models --json`.
    """
    models = {name: it for name, it in record.items() if isinstance(it, Mapping)}
    heading = ("name", "total", "active", "KV B/token", "unwindowed")
    return Page(
        "models",
        (),
        (f"{len(models)} models come with the package",),
        (
            section("parameters and cache", listing(_sizes(models), heading), sentences(_LEGEND)),
            section("layers", listing(_layers(models), ("name", "layers", "pattern"))),
        ),
    )


def _sizes(models: Mapping[str, Mapping[str, Any]]) -> Iterator[Line]:
    for name, it in models.items():
        cells = (known(shown(it[key]), f"{name}.{key}", it[key]) for key, shown in _SHOWN.items())
        yield name, *cells


def _layers(models: Mapping[str, Mapping[str, Any]]) -> Iterator[Line]:
    for name, it in models.items():
        yield name, known(str(it["layers"]), f"{name}.layers", it["layers"]), it["pattern"]
