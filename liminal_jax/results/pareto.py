"""A front: the designs between which only a preference can choose, to hover over and to brush."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from liminal_jax.results.beside import predicted_sections, prediction_beside
from liminal_jax.results.page import (
    PALETTE,
    Cell,
    Figure,
    Line,
    Page,
    Section,
    section,
    sentences,
    table,
)
from liminal_jax.results.parallel import parallel_axes
from liminal_jax.results.question import about
from liminal_jax.results.ticks import log_ticks
from liminal_jax.results.values import design_rows, named, of_design, seconds, totals
from liminal_jax.results.words import asked_words, design_word, quantity_word
from liminal_jax.study.quantities import NAMED

_BRUSHED = ("stacks", "tier_units", "dies", "chips", "tp", "cp", "pp", "ep", "batch")
"""Whole numbers of a design that have an axis of their own to brush."""

_DASHES = ("solid", "dash", "dot", "dashdot")

_SYMBOLS = (
    "square-open",
    "diamond-open",
    "triangle-up-open",
    "triangle-down-open",
    "cross-thin-open",
    "x-thin-open",
    "hexagon-open",
)
"""By which lines of one colour are told apart."""

_TABLE = "designs"
"""Name of the table that the figure brushes."""


def page(record: Mapping[str, Any]) -> Page:
    """The page of a Pareto front.

    Args:
        record: The object of `liminal pareto --json`.
    """
    sure = section(
        "how sure that is",
        sentences(record["reasons"]),
        table([("time taken", seconds("seconds", record["seconds"]))]),
    )
    sections = (*(_sections(record) if record["points"] else ()), sure)
    return Page(record["name"], _about(record), _answer(record), sections)


def whole(record: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The record with what a design of its middle does."""
    if not record["points"]:
        return dict(record)
    return prediction_beside(record, folder / record["points"][middle(record)]["file"])


def middle(record: Mapping[str, Any]) -> int:
    """The design that is shown in full: the first knee, else one in the middle."""
    return (record["knees"] or [len(record["points"]) // 2])[0]


def _about(record: Mapping[str, Any]) -> tuple[str, ...]:
    wanted = asked_words(record["objectives"])
    return f"{wanted[0].upper()}{wanted[1:]}.", *about(record)


def _names(record: Mapping[str, Any]) -> list[str]:
    return [it.get("maximise") or it["minimise"] for it in record["objectives"]]


def _answer(record: Mapping[str, Any]) -> Line:
    last = len(record["points"]) - 1
    if last < 0:
        found = "meets" if record["certificate"]["complete"] else "was found that meets"
        return (f"no design {found} every limit",)
    line: Line = (f"{last + 1:,} designs",)
    for at, name in enumerate(_names(record)):
        first, end = (_objective(record, row, name) for row in (0, last))
        line += (f"{';' if at else ':'} {quantity_word(name)} from ", first, " to ", end)
    return line


def _objective(record: Mapping[str, Any], row: int, name: str, base: str = "") -> Cell:
    value = record["points"][row]["objectives"][name]
    return named(name, f"{base}points.{row}.objectives.{name}", value)


def _sections(record: Mapping[str, Any]) -> tuple[Section, ...]:
    at = middle(record)
    point = record["points"][at]
    which = "at its first knee" if record["knees"] else "in its middle"
    return (
        *drawn_front(record),
        section(
            f"the design {which}: number {at + 1}",
            table(design_rows(point["design"], f"points.{at}.design")),
            table(totals(point["totals"], f"points.{at}.totals")),
        ),
        *predicted_sections(record, f"the design {which}"),
    )


def drawn_front(record: Mapping[str, Any], base: str = "") -> tuple[Section, ...]:
    """The front to brush, every design in a row, its knees, and its designs by each number.

    Args:
        record: The record of a front.
        base: Where it stands in the record of the run, with a point at the end.
    """
    if not record["points"]:
        return ()
    heading = _heading(record)

    def rows(chosen: Iterable[int]) -> Iterator[Line]:
        return (_row(record, it, base) for it in chosen)

    return (
        section("the front: drag a box to keep its designs in the table below", _front(record)),
        section(
            "every design of the front",
            table(rows(range(len(record["points"]))), heading, _TABLE),
        ),
        section("the knees", table(rows(record["knees"]), heading)),
        section("the designs by each number: drag along an axis to keep a range", _axes(record)),
    )


def _kind(point: Mapping[str, Any]) -> str:
    return str(point["design"].get("memory") or point["design"].get("system"))


def _columns(record: Mapping[str, Any]) -> list[str]:
    """Numbers of a design that are shown."""
    return [name for name in _BRUSHED if record["points"][0]["design"].get(name) is not None]


def _heading(record: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        "",
        *map(quantity_word, _names(record)),
        "kind",
        *map(design_word, _columns(record)),
        "",
    )


def _row(record: Mapping[str, Any], row: int, base: str) -> Line:
    it, path, knees = record["points"][row], f"{base}points.{row}", record["knees"]
    design, letters = it["design"], dict(zip(knees, ascii_uppercase, strict=False))
    return (
        f"{row + 1}",
        *(_objective(record, row, name, base) for name in _names(record)),
        _kind(it),
        *(of_design(name, design[name], f"{path}.design.{name}") for name in _columns(record)),
        f"knee {letters.get(row, '')}".rstrip() if row in knees else "",
    )


def _front(record: Mapping[str, Any]) -> Figure:
    """Two objectives as a plane, whose marks brush the table of designs."""
    names = _names(record)
    first, second = names[:2]
    layout: dict[str, Any] = {}
    traces = (*_existing(record, first, second), *_marks(record, first, second))
    for axis, name in (("xaxis", first), ("yaxis", second)):
        title = _with_unit(f"{quantity_word(name)}: {NAMED[name].about}", name)
        values = [it for trace in traces for it in trace[axis[0]]]
        layout[axis] = {"title": {"text": title}, "type": "log", **log_ticks(values)}
    return Figure(traces, layout, "the front", 520, _TABLE)


def _with_unit(words: str, name: str) -> str:
    unit = NAMED[name].unit if name in NAMED else ""
    return f"{words} [{unit}]" if unit else words


def _existing(record: Mapping[str, Any], first: str, second: str) -> Iterator[Mapping[str, Any]]:
    for row, (name, points) in enumerate(record["existing"].items()):
        yield {
            "type": "scatter",
            "x": [it[first] for it in points],
            "y": [it[second] for it in points],
            "mode": "lines+markers",
            "line": {"color": PALETTE[6], "width": 1, "dash": _DASHES[row % len(_DASHES)]},
            "marker": {"symbol": _SYMBOLS[row % len(_SYMBOLS)], "size": 7},
            "name": name,
            "legendgroup": "existing",
            "legendgrouptitle": {"text": "chips that exist"},
            "hovertemplate": f"{name}: %{{x:.4g}}, %{{y:.4g}}<extra></extra>",
        }


def _marks(record: Mapping[str, Any], first: str, second: str) -> Iterator[Mapping[str, Any]]:
    points = record["points"]
    for row, kind in enumerate(dict.fromkeys(map(_kind, points))):
        mine = [(at, it) for at, it in enumerate(points) if _kind(it) == kind]
        yield {
            "type": "scatter",
            "x": [it["objectives"][first] for _, it in mine],
            "y": [it["objectives"][second] for _, it in mine],
            "mode": "markers",
            "marker": {
                "size": [15 if at in record["knees"] else 9 for at, _ in mine],
                "symbol": ["star" if at in record["knees"] else "circle" for at, _ in mine],
                "color": PALETTE[row % len(PALETTE)],
            },
            "name": kind,
            "ids": [str(at) for at, _ in mine],
            "customdata": [_told(at, it) for at, it in mine],
            "hovertemplate": "%{customdata}<extra></extra>",
        }


def _told(number: int, point: Mapping[str, Any]) -> str:
    """A design as it is shown when one hovers over it."""
    rows = [f"design {number + 1}: {_kind(point)}"]
    rows += [f"{quantity_word(name)} {value:.5g}" for name, value in point["objectives"].items()]
    rows += [
        f"{design_word(name)} {value}"
        for name, value in point["design"].items()
        if value is not None and name not in ("memory", "system", "process")
    ]
    return "<br>".join(rows)


def _axes(record: Mapping[str, Any]) -> Figure:
    points, names = record["points"], _names(record)
    columns = {name: [it["objectives"][name] for it in points] for name in names}
    columns |= {name: [it["totals"][name] for it in points] for name in ("power", "capital_cost")}
    columns = {_with_unit(quantity_word(name), name): it for name, it in columns.items()}
    for name in _BRUSHED:
        values = [it["design"].get(name) for it in points]
        if len(set(values)) > 1:
            columns[design_word(name)] = values
    return parallel_axes(columns, "the designs of the front, an axis for each number")
