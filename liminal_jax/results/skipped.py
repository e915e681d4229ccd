"""Measured rows that were left out, and why."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from liminal_jax.results.page import Section, section, table


def skipped(what: str, rows: Iterable[Mapping[str, Any]]) -> Section:
    """How many rows were left out for each reason, the most frequent first.

    Args:
        what: What they were left out of.
        rows: The rows, each with its `reason`.
    """
    reasons = Counter(it["reason"] for it in rows)
    counted = ((why, f"{count}") for why, count in reasons.most_common())
    return section(f"{what} ({reasons.total()})", table(counted, ("reason", "rows")))
