"""A sweep that kept the best: the best point, the front, each category, the spread, the speed."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from liminal_jax._display import with_prefix
from liminal_jax.view.report.parts import drawing, number, paragraph, section, table, text
from liminal_jax.view.report.points import (
    TABLE,
    Row,
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
from liminal_jax.view.report.spread import spread
from liminal_jax.view.report.values import asked_words
from liminal_jax.view.sweep import axis_value

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

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


def answer(record: Mapping[str, Any]) -> str:
    """The answer in one line."""
    feasible = number(f"{record['feasible']:,}", "feasible", float(record["feasible"]))
    points = number(f"{record['points']:,}", "points", float(record["points"]))
    if not record["top"]:
        return f"None of {points} points keeps every limit."
    name = goals_of(record)[0]
    value = output(f"top.0.outputs.{name}", name, record["top"][0]["outputs"][name])
    wanted = asked_words(record["goals"][:1])
    return (
        f"{text(wanted)}: {value}, the best of {points} points, of which {feasible} keep every"
        f" limit: {said(record['top'][0], record)}"
    )


def sections(record: Mapping[str, Any]) -> list[str]:
    """What there is to say of it."""
    told = [
        section("what was swept", swept(record)),
        section("time, rate and memory", pace(record)),
    ]
    if not record["top"]:
        return told
    best, names = record["top"][0], shown_outputs(goals_of(record), record["top"][0]["outputs"])
    by = record.get("best_by")
    return [
        section("the best point", table(solution(best, record, "top.0"))),
        time_split(best, "top.0"),
        section("what it does", what_it_does(best, "top.0")),
        section(f"the best by {goals_of(record)[0]}", listed(record["top"], record, "top", names)),
        *_front(record, names),
        section(f"the best for each {words(by['axis'])}", _categories(record, names))
        if by is not None
        else "",
        section(
            "how outputs are spread over the points that keep every limit",
            *spread(record["histograms"]),
        ),
        *told,
        _next(),
    ]


def _next() -> str:
    words_ = "What numbers are worth at a design, and what limits it: liminal sensitivity STUDY, or"
    return section("what next", paragraph(f"{words_} the gains of liminal predict."))


def _front(record: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    rows = record.get("front") or []
    if not rows:
        return []
    goals = goals_of(record)
    told = list(dict.fromkeys([*goals, *names]))
    count = number(f"{record['front_points']:,}", "front_points", float(record["front_points"]))
    some = (
        f" {len(rows):,} of them, evenly spaced, are shown; result.json holds all."
        if record["front_points"] > len(rows)
        else ""
    )
    return [
        section(
            "the front",
            f"<p>{count} points to which no other is better in all of"
            f" {text(', '.join(goals))}.{text(some)} Drag over points to keep only their rows in"
            " the table below; click twice to let go.</p>",
            drawing(_plane(rows, record, told), "the front", 520, TABLE),
        ),
        section(
            "brush it",
            paragraph(
                "Drag along an axis to keep the points in a range; drag its name to move it;"
                " click the brush to let go."
            ),
            drawing(parallel(rows, record, told), "the front, an axis for each number", 420),
        ),
        section("the points of the front", listed(rows, record, "front", told, TABLE)),
    ]


def _plane(rows: Sequence[Row], record: Mapping[str, Any], names: Sequence[str]) -> "Figure":
    from plotly import graph_objects

    return plane([graph_objects.Scatter(it) for it in marks(rows, record, names)], names)


def _categories(record: Mapping[str, Any], names: Sequence[str]) -> str:
    return listed(record["best_by"]["rows"], record, "best_by.rows", names)


def swept(record: Mapping[str, Any]) -> str:
    """Names and axes of a sweep, as a table."""
    rows = [(text(words(path)), text(", ".join(it)), "") for path, it in record["names"].items()]
    for at, it in enumerate(record["axes"]):
        ends = [
            number(axis_value(it[end], it["unit"]), f"axes.{at}.{end}", it[end])
            for end in ("low", "high")
        ]
        values = "drawn between them" if it["count"] is None else f"{it['count']:,} values"
        rows.append((text(words(it["path"])), " to ".join(ends), text(values)))
    return table(rows)


def pace(record: Mapping[str, Any]) -> str:
    """What the last run took; nothing where that was not noted."""
    it = record.get("timing")
    if it is None:
        return ""
    rows = [
        (
            "points of the last run",
            number(f"{it['points']:,}", "timing.points", float(it["points"])),
        ),
        ("seconds", number(with_prefix(it["seconds"], "s"), "timing.seconds", it["seconds"])),
        ("points a second", text(_rate(it))),
        ("devices", number(f"{it['devices']}", "timing.devices", float(it["devices"]))),
    ]
    peak = it.get("peak_memory")
    if peak is not None:
        told = number(f"{peak / 2**20:,.0f} MiB", "timing.peak_memory", float(peak))
        rows.append(("most memory of the process", told))
    return table(rows)


def _rate(timing: Mapping[str, Any]) -> str:
    """Points a second, compiling included."""
    if not timing["seconds"] or not timing["points"]:
        return "nothing was left to do"
    return f"{with_prefix(timing['points'] / timing['seconds'], '')}, compiling included"
