"""A sweep that kept the best: the best point, the front, each category, the spread, the speed."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from liminal_jax._display import with_prefix
from liminal_jax.results.page import (
    Line,
    Page,
    Section,
    Sentences,
    known,
    section,
    table,
)
from liminal_jax.results.sweep_points import (
    TABLE,
    axis_value,
    goals_of,
    listed,
    marks,
    output,
    parallel,
    plane,
    said,
    shown_outputs,
    solution,
    time_split,
    what_it_does,
    words,
)
from liminal_jax.results.sweep_spread import spread
from liminal_jax.results.words import asked_words

MOST_POINTS = 500
"""Points of a front that a page holds; more are thinned out."""

MOST_ROWS = 100
"""Best points, and categories, that a page holds."""

TIMING, MANIFEST = "timing.json", "manifest.json"
"""What the last run of a sweep took, and what was asked."""


def beside(record: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """A record with what the files beside it add.

    Args:
        record: The record of a sweep.
        folder: Its folder.

    Returns:
        The record, with what all points share as `fixed`, and what the last run took as `timing`.
    """
    manifest, timing = (_read(folder / name) for name in (MANIFEST, TIMING))
    varied = {*record["names"], *(it["path"] for it in record["axes"])}
    study = manifest.get("study", {})
    design = {name: _single(it) for name, it in study.get("design", {}).items()}
    shared = {**study.get("workload", {}), **design}
    fixed = {name: it for name, it in shared.items() if it is not None and name not in varied}
    return {**record, "fixed": fixed, **({"timing": timing} if timing else {})}


def _read(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def _single(domain: Mapping[str, Any] | None) -> str | float | None:
    """The only value of a variable of a design; none where it has several or is not there."""
    values = [] if domain is None else domain.get("names") or domain.get("values") or []
    return values[0] if len(values) == 1 else None


def whole(record: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """What goes onto the page: the record, its long lists cut to what a page can hold.

    Rows keep their places where lists are cut at their end; a front is thinned out evenly, and its
    length noted.
    """
    found = beside(record, folder)
    found["top"] = found["top"][:MOST_ROWS]
    if "best_by" in found:
        found["best_by"] = {**found["best_by"], "rows": found["best_by"]["rows"][:MOST_ROWS]}
    if "front" in found:
        found["front_points"] = len(found["front"])
        found["front"] = thinned(found["front"], MOST_POINTS)
    return found


def thinned(rows: Sequence[Any], most: int) -> list[Any]:
    """Some of many rows, evenly spaced, the ends among them.

    Examples:
        >>> thinned(range(10), 4)
        [0, 3, 6, 9]
    """
    if len(rows) <= most:
        return list(rows)
    return [rows[round(at * (len(rows) - 1) / (most - 1))] for at in range(most)]


def page(record: Mapping[str, Any]) -> Page:
    """The page of a sweep that kept the best.

    Args:
        record: The object of `liminal sweep --json`.
    """
    return Page(record["study"], (), _answer(record), _sections(record))


def _answer(record: Mapping[str, Any]) -> Line:
    points = known(f"{record['points']:,}", "points", record["points"])
    if "top" not in record:
        return points, f" points, of which is kept: {', '.join(record['outputs'])}"
    if not record["top"]:
        return "none of ", points, " points keeps every limit"
    name = goals_of(record)[0]
    return (
        f"{asked_words(record['goals'][:1])}: ",
        output(f"top.0.outputs.{name}", name, record["top"][0]["outputs"][name]),
        ", the best of ",
        points,
        " points, of which ",
        known(f"{record['feasible']:,}", "feasible", record["feasible"]),
        f" keep every limit: {said(record['top'][0], record)}",
    )


def _sections(record: Mapping[str, Any]) -> tuple[Section, ...]:
    if not record.get("top"):
        return swept(record)
    best, names = record["top"][0], shown_outputs(goals_of(record), record["top"][0]["outputs"])
    by = record.get("best_by")
    categories = () if by is None else (listed(by["rows"], record, "best_by.rows", names),)
    return (
        section("the best point", table(solution(best, record, "top.0"))),
        time_split(best, "top.0"),
        what_it_does(best, "top.0"),
        section(f"the best by {goals_of(record)[0]}", listed(record["top"], record, "top", names)),
        *_front(record, names),
        section(f"the best for each {words(by['axis'])}" if by else "", *categories),
        section(
            "how outputs are spread over the points that keep every limit",
            *spread(record["histograms"]),
        ),
        *swept(record),
    )


def _front(record: Mapping[str, Any], names: Sequence[str]) -> tuple[Section, ...]:
    rows = record.get("front") or []
    if not rows:
        return ()
    goals = goals_of(record)
    told = list(dict.fromkeys([*goals, *names]))
    whole_front = record.get("front_points", len(rows))
    some = f" {len(rows):,} of them, evenly spaced, are shown; result.json holds all."
    line = (
        known(f"{whole_front:,}", "front_points", whole_front),
        f" points to which no other is better in all of {', '.join(goals)}."
        + (some if whole_front > len(rows) else ""),
    )
    return (
        section(
            "the front",
            plane(marks(rows, record, told), told, "the front"),
            Sentences((line,)),
            listed(rows, record, "front", told, TABLE),
        ),
        section(
            "the front by each number: drag along an axis to keep a range",
            parallel(rows, record, told),
        ),
    )


def swept(record: Mapping[str, Any]) -> tuple[Section, ...]:
    """Names and axes of a sweep, and what the last run took."""
    return (
        section("what was swept", table(_swept(record))),
        section("time, rate and memory", table(_pace(record))),
    )


def _swept(record: Mapping[str, Any]) -> Iterator[Line]:
    for path, it in record["names"].items():
        yield words(path), ", ".join(it), "", ""
    for at, it in enumerate(record["axes"]):
        low, high = (
            known(axis_value(it[end], it["unit"]), f"axes.{at}.{end}", it[end])
            for end in ("low", "high")
        )
        values = "drawn between them" if it["count"] is None else f"{it['count']:,} values"
        yield words(it["path"]), low, high, values


def _pace(record: Mapping[str, Any]) -> Iterator[Line]:
    """What the last run took; nothing where that was not noted."""
    it = record.get("timing")
    if it is None:
        return
    yield "points of the last run", known(f"{it['points']:,}", "timing.points", it["points"])
    yield "time taken", known(with_prefix(it["seconds"], "s"), "timing.seconds", it["seconds"])
    yield "points a second", _rate(it)
    yield "devices", known(f"{it['devices']}", "timing.devices", it["devices"])
    peak = it.get("peak_memory")
    if peak is not None:
        told = known(f"{peak / 2**20:,.0f} MiB", "timing.peak_memory", peak)
        yield "most memory of the process", told


def _rate(timing: Mapping[str, Any]) -> str:
    """Points a second, compiling included."""
    if not timing["seconds"] or not timing["points"]:
        return "nothing was left to do"
    return f"{with_prefix(timing['points'] / timing['seconds'], '')}, compiling included"
