"""Points of a sweep as tables and figures: in rows of names, axes and outputs."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from liminal_jax._display import plain, with_prefix
from liminal_jax.performance.prediction import BOTTLENECKS
from liminal_jax.results.page import (
    PALETTE,
    Cell,
    Figure,
    Line,
    Number,
    Section,
    Table,
    known,
    section,
    table,
    text_of,
)
from liminal_jax.results.parallel import parallel_axes
from liminal_jax.results.prediction import times
from liminal_jax.results.values import amount, named, of_design, seconds, size
from liminal_jax.results.words import design_word
from liminal_jax.study.parameters import label_of
from liminal_jax.study.quantities import QUANTITIES
from liminal_jax.sweeps.outputs import OUTPUTS

_TIMES = ("memory_time", "compute_time", "exposed_time")
"""Outputs that a step is made of."""

_MOST_COLUMNS = 8
"""Axes that a table of points tells."""

_ASKED = {
    "bottleneck": "bottleneck",
    "fits": "fits in memory",
    "feasible": "keeps every limit",
}
"""What outputs are that are no amounts."""

_YES_NO = {1.0: "yes", 0.0: "no"}

_SHOWN = {"USD": ("USD", 1.0), "W": ("kW", 1e-3), "m2": ("mm2", 1e6), "s": ("ms", 1e3)}
"""Units in which figures show outputs, and what SI is multiplied by; others as they are."""

TABLE = "points"
"""Name of the table that the figure of a front brushes."""

Row = Mapping[str, Any]
"""A point: values of names and axes by path, and `outputs` by name."""


def shown(name: str) -> tuple[str, float]:
    """The unit in which an output is drawn, and what its value in SI is multiplied by.

    Examples:
        >>> shown("power")
        ('kW', 0.001)
    """
    unit = OUTPUTS[name].unit
    return _SHOWN.get(unit, (unit, 1.0))


def goal_of(goal: Mapping[str, str]) -> str:
    """The output of a goal as JSON has it."""
    (name,) = goal.values()
    return name


def goals_of(record: Mapping[str, Any]) -> list[str]:
    """Outputs that a sweep asked for."""
    return list(dict.fromkeys(map(goal_of, record["goals"])))


def shown_outputs(names: Sequence[str], outputs: Mapping[str, Any]) -> list[str]:
    """Outputs that a table of points shows: some, and the two speeds."""
    return [it for it in dict.fromkeys([*names, "utps", "stps"]) if it in outputs]


def words(path: str) -> str:
    """What an axis is, in words.

    Examples:
        >>> words("tp"), words("chip.memory.bandwidth"), words("model.layers.0.count")
        ('TP', 'memory bandwidth of a chip', 'model.layers.0.count')
    """
    found = design_word(path)
    return label_of(path) if found == path else found


def axis_value(value: Any, unit: str) -> str:
    """A value of an axis in the unit that people use.

    Args:
        value: A number in SI, or a name.
        unit: Its unit in SI.
    """
    if isinstance(value, str):
        return value
    if unit == "m2":
        return f"{plain(value * 1e6, 4)} mm2"
    if unit in ("", "1/m2", "m2*s/B", "1/s"):
        return plain(value, 4) if abs(value) < 1e6 else f"{value:.4g}"
    return with_prefix(value, unit, 4)


def axis_title(name: str) -> dict[str, Any]:
    """An output as an axis of a figure."""
    unit, _ = shown(name)
    return {"title": {"text": f"{name}: {OUTPUTS[name].about}" + (f" [{unit}]" if unit else "")}}


def output(path: str, name: str, value: Number | None) -> Cell:
    """The value of an output."""
    if value is None:
        return "unknown"
    if name == "bottleneck":
        return known(BOTTLENECKS[int(value)].replace("_", " "), path, value)
    if name in ("fits", "feasible"):
        return known(_YES_NO[value], path, value)
    if name in QUANTITIES:
        return named(name, path, value)
    told = {"s": seconds, "B": size}.get(OUTPUTS[name].unit, amount)
    return told(path, value)


def varying(record: Mapping[str, Any], rows: Sequence[Row]) -> list[str]:
    """Names and axes that are worth a column: those that differ among some points, or all few."""
    paths = [*record["names"], *(axis["path"] for axis in record["axes"])]
    differing = [path for path in paths if len({row[path] for row in rows}) > 1]
    return (differing or paths[:6])[:_MOST_COLUMNS]


def _axes(record: Mapping[str, Any]) -> dict[str, str]:
    """Units of all names and axes by path."""
    units = {it["path"]: it["unit"] for it in record["axes"]}
    return {**dict.fromkeys(record["names"], ""), **units}


def solution(row: Row, record: Mapping[str, Any], path: str) -> Iterator[Line]:
    """A point as a table that can be read aloud: what varies, then what all points share.

    Args:
        row: The point.
        record: The record of the sweep.
        path: Where the point stands in it.
    """
    for it, unit in _axes(record).items():
        yield words(it), _value(row[it], unit, f"{path}.{it}")
    for it, value in record.get("fixed", {}).items():
        yield words(it), of_design(it, value, f"fixed.{it}")


def _value(value: Any, unit: str, path: str) -> Cell:
    if isinstance(value, str):
        return value
    return known(axis_value(value, unit), path, value)


def said(row: Row, record: Mapping[str, Any]) -> str:
    """Where a point lies, in one line."""
    units = _axes(record)
    paths = varying(record, [row])
    return ", ".join(f"{words(it)} {axis_value(row[it], units[it])}" for it in paths)


def what_it_does(row: Row, path: str) -> Section:
    """All outputs of a point."""
    rows = (
        (_ASKED.get(name, OUTPUTS[name].about), output(f"{path}.outputs.{name}", name, value))
        for name, value in row["outputs"].items()
        if name not in _TIMES
    )
    return section("what it does", table(rows))


def time_split(row: Row, path: str) -> Section:
    """Where the time of a step goes; nothing where that was not kept."""
    outputs, title = row["outputs"], "where the time goes"
    if any(outputs.get(name) is None for name in _TIMES):
        return section(title)
    rows = (
        (OUTPUTS[name].about, seconds(f"{path}.outputs.{name}", outputs[name])) for name in _TIMES
    )
    return section(title, times(outputs), table(rows))


def listed(
    rows: Sequence[Row],
    record: Mapping[str, Any],
    path: str,
    names: Sequence[str],
    brushed: str = "",
) -> Table:
    """A table of points: what tells them apart, and some outputs.

    Args:
        rows: The points.
        record: The record of the sweep.
        path: Where the points stand in it.
        names: The outputs.
        brushed: Name of the table, where a figure brushes it.
    """
    units = _axes(record)
    columns = varying(record, rows) if rows else []
    cells = (
        (
            f"{at + 1}",
            *(_value(row[it], units[it], f"{path}.{at}.{it}") for it in columns),
            *(output(f"{path}.{at}.outputs.{it}", it, row["outputs"][it]) for it in names),
        )
        for at, row in enumerate(rows)
    )
    heading = ("", *(it.rsplit(".", 1)[-1].replace("_", " ") for it in columns), *names)
    return table(cells, heading, brushed)


def _hover(row: Row, record: Mapping[str, Any], names: Sequence[str]) -> str:
    """A point as it is shown when one hovers over it."""
    units = _axes(record)
    told = [f"{it} {text_of((output('', it, row['outputs'][it]),))}" for it in names]
    told += [f"{words(it)} {axis_value(row[it], units[it])}" for it in [*units][:12]]
    return "<br>".join(told)


def _drawn(row: Row, name: str) -> float:
    """An output in the unit in which it is drawn."""
    value = row["outputs"][name]
    return math.nan if value is None else value * shown(name)[1]


def _groups(rows: Sequence[Row], record: Mapping[str, Any]) -> dict[str, list[int]]:
    """Numbers of points by the first name in which they may differ; all where there is none."""
    path = next(iter(record["names"]), None)
    found: dict[str, list[int]] = {}
    for at, row in enumerate(rows):
        found.setdefault("the front" if path is None else str(row[path]), []).append(at)
    return found


def marks(
    rows: Sequence[Row], record: Mapping[str, Any], names: Sequence[str], kind: str = "scatter"
) -> list[dict[str, Any]]:
    """Points in the plane of two outputs: a trace for each name.

    Args:
        rows: The points.
        record: The record of the sweep.
        names: The outputs that are shown; the first is drawn over the second.
        kind: How plotly draws them.
    """
    up, across = names[:2]
    return [
        {
            "type": kind,
            "x": [_drawn(rows[at], across) for at in members],
            "y": [_drawn(rows[at], up) for at in members],
            "ids": [str(at) for at in members],
            "mode": "markers",
            "marker": {"size": 8, "color": PALETTE[colour % len(PALETTE)]},
            "name": label,
            "customdata": [_hover(rows[at], record, names) for at in members],
            "hovertemplate": "%{customdata}<extra></extra>",
        }
        for colour, (label, members) in enumerate(_groups(rows, record).items())
    ]


def plane(traces: Sequence[Mapping[str, Any]], names: Sequence[str], label: str) -> Figure:
    """The plane of two outputs, to hover over and to select in.

    Args:
        traces: What is drawn in it.
        names: The outputs; the first is drawn over the second.
        label: What it shows.
    """
    layout = {
        "xaxis": {**axis_title(names[1]), "type": "log"},
        "yaxis": {**axis_title(names[0]), "type": "log"},
    }
    return Figure(tuple(traces), layout, label, 540, TABLE)


def parallel(rows: Sequence[Row], record: Mapping[str, Any], names: Sequence[str]) -> Figure:
    """Points on an axis for each output and for each number in which they differ."""
    columns: dict[str, list[Any]] = {}
    for it in names:
        unit, _ = shown(it)
        columns[f"{it} [{unit}]" if unit else it] = [_drawn(row, it) for row in rows]
    for path in varying(record, rows):
        values = [row[path] for row in rows]
        if not isinstance(values[0], str) and len(set(values)) > 1:
            columns[path.rsplit(".", 1)[-1]] = values
    return parallel_axes(columns, "the front, an axis for each number")
