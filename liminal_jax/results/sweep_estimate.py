"""What a sweep would take: points, bytes and time."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from liminal_jax._display import plain, with_prefix
from liminal_jax.results.page import Cell, Line, Page, known, section, table
from liminal_jax.study.kind import kind_record
from liminal_jax.sweeps.estimate import Estimate
from liminal_jax.sweeps.plan import Plan


def estimate_record(plan: Plan, estimate: Estimate) -> dict[str, Any]:
    """The object of `liminal sweep --dry-run --json`.

    Args:
        plan: The sweep.
        estimate: What it would take.
    """
    return {
        **kind_record("sweep_estimate"),
        "study": plan.file.name,
        **asdict(estimate),
        "blocks": plan.blocks,
        "block": plan.points.block,
    }


def page(record: Mapping[str, Any]) -> Page:
    """The page of an estimate.

    Args:
        record: The object of `liminal sweep --dry-run --json`.
    """
    answer = "about ", known(_duration(record["seconds"]), "seconds", record["seconds"])
    what = section("what it would take", table(_rows(record)))
    return Page(f"a sweep of {record['study']}", (), answer, (what,))


def _rows(record: Mapping[str, Any]) -> Iterator[Line]:
    def count(key: str) -> Cell:
        return known(f"{record[key]:,}", key, record[key])

    disk, rate = record["disk"], record["rate"]
    yield "points", count("points")
    yield "cases, each compiled by itself", count("cases")
    yield "blocks of each case", count("blocks")
    yield "points of a block", count("block")
    yield "devices", count("devices")
    yield "on disk", known(with_prefix(disk, "B") if disk else "the outcome only", "disk", disk)
    yield (
        "compiling a case",
        known(_duration(record["compiling"]), "compiling", record["compiling"]),
    )
    yield "rate after that", known(f"{with_prefix(rate, '')} points/s", "rate", rate)


def _duration(seconds: float) -> str:
    """A length of time in the unit that people would use.

    Examples:
        >>> _duration(7200.0)
        '2 h'
    """
    for unit, length in (("days", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return f"{plain(seconds / length, 2)} {unit}"
    return f"{plain(seconds, 2)} s"
