"""Points of a sweep as tables and drawings: in rows of names, axes and outputs."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from liminal_jax.performance.prediction import BOTTLENECKS
from liminal_jax.study.parameters import label_of
from liminal_jax.study.quantities import QUANTITIES
from liminal_jax.sweeps.outputs import OUTPUTS
from liminal_jax.view.answer import VALUE_UNITS
from liminal_jax.view.report.parts import PALETTE, drawing, number, section, table, text
from liminal_jax.view.report.prediction import times
from liminal_jax.view.report.values import DESIGN_WORDS, amount, named, seconds, size
from liminal_jax.view.sweep import axis_value, goal_of, shown, varying

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

TIMES = ("memory_time", "compute_time", "exposed_time")
"""Outputs that a step is made of."""

MOST_COLUMNS = 8
"""Axes that a table of points tells."""

ASKED = {
    "bottleneck": "what limits it",
    "fits": "fits in memory",
    "feasible": "keeps every limit",
}
"""What outputs are that are no amounts."""

YES_NO = {1.0: "yes", 0.0: "no"}

TABLE = "points"
"""Name of the table that the drawing of a front brushes."""

Row = Mapping[str, Any]
"""A point: values of names and axes by path, and `outputs` by name."""


def words(path: str) -> str:
    """What an axis is, in words.

    Examples:
        >>> words("batch"), words("chip.memory.bandwidth"), words("model.layers.0.count")
        ('users in a micro-batch', 'memory bandwidth of a chip', 'model.layers.0.count')
    """
    return DESIGN_WORDS.get(path) or label_of(path)


def unit_of(name: str) -> str:
    """The unit in which an output is drawn."""
    return shown(name)[0]


def axis_title(name: str) -> str:
    """An output as the title of an axis."""
    unit = unit_of(name)
    return f"{name}: {OUTPUTS[name].about}" + (f" [{unit}]" if unit else "")


def output(path: str, name: str, value: float | None) -> str:
    """The value of an output as HTML."""
    if value is None:
        return number("", path, None)
    if name == "bottleneck":
        return number(BOTTLENECKS[int(value)].replace("_", " "), path, value)
    if name in ("fits", "feasible"):
        return number(YES_NO[value], path, value)
    if name in QUANTITIES:
        return named(name, path, value)
    told = {"s": seconds, "B": size}.get(OUTPUTS[name].unit, amount)
    return told(path, value)


def _axes(record: Mapping[str, Any]) -> dict[str, str]:
    """Units of all names and axes by path."""
    units = {it["path"]: it["unit"] for it in record["axes"]}
    return {**dict.fromkeys(record["names"], ""), **units}


def solution(row: Row, record: Mapping[str, Any], path: str) -> list[tuple[str, str]]:
    """A point as a table that can be read aloud: what varies, then what all points share.

    Args:
        row: The point.
        record: The record of the sweep.
        path: Where the point stands in it.
    """
    found = [
        (text(words(it)), _value(row[it], unit, f"{path}.{it}"))
        for it, unit in _axes(record).items()
    ]
    fixed = [
        (text(words(it)), _value(value, VALUE_UNITS.get(it, ""), f"fixed.{it}"))
        for it, value in record.get("fixed", {}).items()
    ]
    return [*found, *fixed]


def _value(value: Any, unit: str, path: str) -> str:
    if isinstance(value, str):
        return text(value)
    return number(axis_value(value, unit), path, float(value))


def said(row: Row, record: Mapping[str, Any]) -> str:
    """Where a point lies, in one line."""
    units = _axes(record)
    parts = [f"{it} {axis_value(row[it], units[it])}" for it in _told(record, [row])]
    return text(", ".join(parts))


def _told(record: Mapping[str, Any], rows: Sequence[Row]) -> list[str]:
    return varying(record, rows)[:MOST_COLUMNS]


def what_it_does(row: Row, path: str) -> str:
    """All outputs of a point."""
    rows = [
        (text(ASKED.get(name, OUTPUTS[name].about)), told)
        for name, value in row["outputs"].items()
        if name not in TIMES
        for told in [output(f"{path}.outputs.{name}", name, value)]
    ]
    return table(rows)


def time_split(row: Row, path: str) -> str:
    """Where the time of a step goes; nothing where that was not kept."""
    outputs = row["outputs"]
    if any(outputs.get(name) is None for name in TIMES):
        return ""
    rows = [
        (text(OUTPUTS[name].about), seconds(f"{path}.outputs.{name}", outputs[name]))
        for name in TIMES
    ]
    return section(
        "where the time goes", drawing(times(outputs), "the parts of a step"), table(rows)
    )


def listed(
    rows: Sequence[Row],
    record: Mapping[str, Any],
    path: str,
    names: Sequence[str],
    brushed: str = "",
) -> str:
    """A table of points: what tells them apart, and some outputs.

    Args:
        rows: The points.
        record: The record of the sweep.
        path: Where the points stand in it.
        names: The outputs.
        brushed: Name of the table, where a drawing brushes it.
    """
    units = _axes(record)
    columns = _told(record, rows) if rows else []
    cells = [
        [
            f"{at + 1}",
            *(_value(row[it], units[it], f"{path}.{at}.{it}") for it in columns),
            *(output(f"{path}.{at}.outputs.{it}", it, row["outputs"][it]) for it in names),
        ]
        for at, row in enumerate(rows)
    ]
    heading = ("", *(text(it.rsplit(".", 1)[-1].replace("_", " ")) for it in columns), *names)
    return table(cells, heading, brushed)


def hover(row: Row, record: Mapping[str, Any], names: Sequence[str]) -> str:
    """A point as it is told when one hovers over it."""
    units = _axes(record)
    told = [f"{it} {_drawn(row, it):.5g} {unit_of(it)}".rstrip() for it in names]
    told += [f"{it} {axis_value(row[it], units[it])}" for it in [*units][:12]]
    return "<br>".join(map(text, told))


def _drawn(row: Row, name: str) -> float:
    """An output in the unit in which it is drawn."""
    value = row["outputs"][name]
    return math.nan if value is None else value * shown(name)[1]


def groups(rows: Sequence[Row], record: Mapping[str, Any]) -> dict[str, list[int]]:
    """Numbers of points by the first name in which they may differ; all where there is none."""
    path = next(iter(record["names"]), None)
    found: dict[str, list[int]] = {}
    for at, row in enumerate(rows):
        found.setdefault("the front" if path is None else str(row[path]), []).append(at)
    return found


def marks(
    rows: Sequence[Row], record: Mapping[str, Any], names: Sequence[str]
) -> list[dict[str, Any]]:
    """Points in the plane of two outputs, as Plotly has them: a trace for each name.

    Args:
        rows: The points.
        record: The record of the sweep.
        names: The outputs that are told; the first is drawn over the second.
    """
    up, across = names[:2]
    return [
        {
            "x": [_drawn(rows[at], across) for at in members],
            "y": [_drawn(rows[at], up) for at in members],
            "ids": [str(at) for at in members],
            "mode": "markers",
            "marker": {"size": 8, "color": PALETTE[colour % len(PALETTE)]},
            "name": label,
            "customdata": [hover(rows[at], record, names) for at in members],
            "hovertemplate": "%{customdata}<extra></extra>",
        }
        for colour, (label, members) in enumerate(groups(rows, record).items())
    ]


def plane(traces: Sequence[Any], names: Sequence[str]) -> "Figure":
    """The plane of two outputs, to hover over and to select in.

    Args:
        traces: What is drawn in it.
        names: The outputs; the first is drawn over the second.
    """
    from plotly import graph_objects

    figure = graph_objects.Figure(traces)
    figure.update_xaxes(title=axis_title(names[1]), type="log")
    figure.update_yaxes(title=axis_title(names[0]), type="log")
    return figure


def parallel(rows: Sequence[Row], record: Mapping[str, Any], names: Sequence[str]) -> "Figure":
    """Points on an axis for each output and for each number in which they differ."""
    from plotly import graph_objects

    columns = {
        f"{it} [{unit_of(it)}]" if unit_of(it) else it: [_drawn(row, it) for row in rows]
        for it in names
    }
    for path in _told(record, rows):
        values = [row[path] for row in rows]
        if not isinstance(values[0], str) and len(set(values)) > 1:
            columns[path.rsplit(".", 1)[-1]] = values
    first = next(iter(columns.values()))
    return graph_objects.Figure(
        graph_objects.Parcoords(
            labelside="bottom",
            line={"color": first, "colorscale": "Cividis"},
            dimensions=[{"label": label, "values": it} for label, it in columns.items()],
        )
    )


def goals_of(record: Mapping[str, Any]) -> list[str]:
    """Outputs that a sweep asked for."""
    return list(dict.fromkeys(map(goal_of, record["goals"])))


def shown_outputs(names: Sequence[str], known: Mapping[str, Any]) -> list[str]:
    """Outputs that a table of points shows: some, and the two speeds."""
    return [it for it in dict.fromkeys([*names, "utps", "stps"]) if it in known]
