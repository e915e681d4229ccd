"""Limits that hold a design back, or that it exceeds."""

from collections.abc import Iterator, Mapping
from typing import Any

from liminal_jax.results.page import Cell, Line, known
from liminal_jax.results.values import share
from liminal_jax.results.words import constraint_word, quantity
from liminal_jax.study.limits import PHYSICAL

HEADING = ("", "value", "limit", "slack")


def binding_rows(record: Mapping[str, Any]) -> Iterator[Line]:
    """A row for each limit: what it is, its value, how far it may go, and what is left.

    Args:
        record: A record with limits under `binding`, of a workload each where there are several.
    """
    for row, it in enumerate(record["binding"]):
        name = constraint_word(it["constraint"])
        of = it.get("workload")
        exceeded = it["slack"] is not None and it["slack"] < 0
        yield (
            f"{name} ({of})" if of else name,
            _amount(it, row, "value"),
            _amount(it, row, "limit"),
            "exceeded" if exceeded else _amount(it, row, "slack"),
        )


def _amount(it: Mapping[str, Any], row: int, key: str) -> Cell:
    path, value = f"binding.{row}.{key}", it[key]
    if it["constraint"] in PHYSICAL:
        return share(path, value)
    words = "" if value is None else quantity(it["constraint"], float(value), it["unit"])
    return known(words, path, value)
