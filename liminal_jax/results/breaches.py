"""Limits that a design breaks when numbers are drawn from their ranges."""

from collections.abc import Iterator, Mapping
from typing import Any

from liminal_jax._display import per_cent
from liminal_jax.results.page import Line, known
from liminal_jax.results.values import share
from liminal_jax.results.words import constraint_word

BREACHES = ("limit that it breaks", "in so many samples", "then typically by")
"""Heads of the table of broken limits."""


def breach_rows(record: Mapping[str, Any], key: str) -> Iterator[Line]:
    """A row for each limit that a design breaks, the most often broken first.

    Args:
        record: The record of an analysis, with the limits of the study.
        key: Where the design stands in it.
    """
    least = {it["quantity"] for it in record.get("constraints") or () if "at_least" in it}
    for row, it in enumerate(record[key]["breaches"]):
        path, over = f"{key}.breaches.{row}", it["typical"]
        # What is to be at least so much falls short of it, and never by more than all of it.
        missed = over / (1 + over) if it["constraint"] in least else over
        yield (
            constraint_word(it["constraint"]),
            share(f"{path}.share", it["share"]),
            known(per_cent(missed), f"{path}.typical", over),
        )
