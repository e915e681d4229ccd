"""A model: its layers and counts, and how its config was read; it loads no JAX."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from liminal_jax._display import billions, per_cent
from liminal_jax.results.page import Line, Page, Section, known, listing, section, table
from liminal_jax.study.kind import kind_record
from liminal_jax.workload.summary import Counts, Summary, pattern

_WIDTH = 24
"""Columns for a value of a config: longer ones are cut, the record has them in full."""

_USES = {
    "read": ("fields that were read", "read as"),
    "default": ("fields that the config leaves out", "default for"),
    "ignored": ("fields that are ignored", "why ignored"),
}
"""What became of fields of a config: their title, and what is noted on each."""


def model_record(model: Summary) -> dict[str, Any]:
    """The object of `liminal models show --json`."""
    return {
        **kind_record("model"),
        "name": model.name,
        **model.counts._asdict(),
        "source": model.source,
        "hidden": model.hidden,
        "streams": model.streams,
        "vocabulary": model.vocabulary,
        "tied": model.tied,
        "pattern": pattern(model),
        "groups": [
            {
                "layers": it.number,
                "attention": it.attention and it.attention.words,
                "feedforward": it.feedforward and it.feedforward.words,
            }
            for it in model.layers
        ],
    }


def page(record: Mapping[str, Any]) -> Page:
    """The page of a model.

    Args:
        record: The object of `liminal models show --json`, or of `liminal models import --json`.
    """
    total, active = record["total"], record["active_without_input_embedding"]
    return Page(
        record["name"],
        tuple(_about(record)),
        (
            known(billions(total), "total", total),
            " parameters, ",
            known(billions(active), "active_without_input_embedding", active),
            " active without the input embedding",
        ),
        (
            *_config(record),
            section("layers", listing(_groups(record), ("layers", "attention", "feed-forward"))),
            section("counts", table(_counts(record), ("count", "elements"))),
            section(
                "parameters expected",
                table(_expected(record), ("counted as", "parameters", "against expected", "fits")),
            ),
        ),
    )


def _about(record: Mapping[str, Any]) -> Iterator[str]:
    config = record.get("config")
    yield f"{config['source']}, read as {config['family']}" if config else record["source"]
    head = "tied with the head" if record["tied"] else "and a head of its own"
    streams = "" if record["streams"] == 1 else f" in {record['streams']} residual streams"
    yield f"width {record['hidden']:,}{streams}, vocabulary {record['vocabulary']:,} {head}"


def _config(record: Mapping[str, Any]) -> Iterator[Section]:
    """What was read from a config, what was defaulted, and what was ignored and why."""
    fields = record.get("config", {}).get("fields", ())
    for use, (title, heading) in _USES.items():
        rows = [(it["field"], _cut(it["value"]), it["note"]) for it in fields if it["use"] == use]
        yield section(title, listing(rows, ("field", "value", heading)))


def _cut(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."


def _groups(record: Mapping[str, Any]) -> Iterator[Line]:
    for row, it in enumerate(record["groups"]):
        layers = known(str(it["layers"]), f"groups.{row}.layers", it["layers"])
        yield layers, it["attention"] or "-", it["feedforward"] or "-"


def _counts(record: Mapping[str, Any]) -> Iterator[Line]:
    for name in Counts._fields:
        yield name.replace("_", " "), known(f"{record[name]:,}", name, record[name])


def _expected(record: Mapping[str, Any]) -> Iterator[Line]:
    """The conventions of counting beside an expected number, and which of them it fits."""
    for row, it in enumerate(record.get("expected", {}).get("conventions", ())):
        path, difference = f"expected.conventions.{row}", it["difference"]
        yield (
            it["about"],
            known(f"{it['parameters']:,}", f"{path}.parameters", it["parameters"]),
            known(per_cent(difference, signed=True, decimals=2), f"{path}.difference", difference),
            "yes" if it["fits"] else "no",
        )
