"""A front: the designs between which only a preference can choose, to hover over and to brush."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from liminal_jax.study.quantities import QUANTITIES
from liminal_jax.view.report.beside import predicted_sections, prediction_beside
from liminal_jax.view.report.parts import (
    PALETTE,
    drawing,
    listing,
    number,
    paragraph,
    section,
    table,
    text,
)
from liminal_jax.view.report.values import asked_words, design_rows, named

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

BRUSHED = ("stacks", "tier_units", "dies", "chips", "tp", "cp", "pp", "ep", "batch")
"""Whole numbers of a design that have an axis of their own to brush."""

TABLE = "designs"
"""Name of the table that the drawing brushes."""


def _names(record: Mapping[str, Any]) -> list[str]:
    return [it.get("maximise") or it["minimise"] for it in record["objectives"]]


def answer(record: Mapping[str, Any]) -> str:
    """The answer in one line."""
    count = len(record["points"])
    if not count:
        return "No design meets every limit."
    ends = [
        f"{text(name)} from {named(name, f'points.0.objectives.{name}', first)}"
        f" to {named(name, f'points.{count - 1}.objectives.{name}', last)}"
        for name in _names(record)
        for first, last in [_ends(record, name)]
    ]
    wanted = text(asked_words(record["objectives"]))
    return f"{count} designs for {wanted}: {'; '.join(ends)}"


def _ends(record: Mapping[str, Any], name: str) -> tuple[float, float]:
    points = record["points"]
    return points[0]["objectives"][name], points[-1]["objectives"][name]


def _middle(record: Mapping[str, Any]) -> int:
    """The design that is told in full: the first knee, else one in the middle."""
    return (record["knees"] or [len(record["points"]) // 2])[0]


def whole(record: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The record with what a design of its middle does."""
    if not record["points"]:
        return dict(record)
    return prediction_beside(record, folder / record["points"][_middle(record)]["file"])


def sections(record: Mapping[str, Any]) -> list[str]:
    """What there is to say of it."""
    if not record["points"]:
        return [section("why", listing(record["reasons"]))]
    at = _middle(record)
    point = record["points"][at]
    which = "at its first knee" if record["knees"] else "in its middle"
    totals = [
        (text(it.about), named(name, f"points.{at}.totals.{name}", point["totals"][name]))
        for name, it in QUANTITIES.items()
    ]
    return [
        section(
            "the front",
            paragraph(
                "Drag over designs to keep only their rows in the table below; click twice to let"
                " go."
            ),
            drawing(_front(record), "the front", 520, TABLE),
        ),
        section(
            "brush it",
            paragraph(
                "Drag along an axis to keep the designs in a range; drag its name to move"
                " it; click the brush to let go."
            ),
            drawing(_axes(record), "the designs of the front, an axis for each number", 420),
        ),
        section("every design", _designs(record)),
        section(
            f"the design {which}: number {at + 1}",
            table(design_rows(point["design"], f"points.{at}.design")),
            table(totals),
        ),
        *predicted_sections(record, f"the design {which}"),
        section("how sure that is", listing(record["reasons"])),
    ]


def _kind(point: Mapping[str, Any]) -> str:
    return str(point["design"].get("memory") or point["design"].get("system"))


def _front(record: Mapping[str, Any]) -> "Figure":
    """Two objectives as a plane; a third one as the size of the marks."""
    from plotly import graph_objects

    first, second = _names(record)[:2]
    figure = graph_objects.Figure()
    for name, points in record["existing"].items():
        figure.add_scatter(
            x=[it[first] for it in points],
            y=[it[second] for it in points],
            mode="lines",
            line={"color": "#bbbbbb", "width": 1},
            name=name,
            legendgroup="existing",
            legendgrouptitle_text="chips that exist",
            hovertemplate=f"{name}: %{{x:.4g}}, %{{y:.4g}}<extra></extra>",
        )
    points = record["points"]
    for row, kind in enumerate(dict.fromkeys(map(_kind, points))):
        mine = [(at, it) for at, it in enumerate(points) if _kind(it) == kind]
        figure.add_scatter(
            x=[it["objectives"][first] for _, it in mine],
            y=[it["objectives"][second] for _, it in mine],
            mode="markers",
            marker={
                "size": [15 if at in record["knees"] else 9 for at, _ in mine],
                "symbol": ["star" if at in record["knees"] else "circle" for at, _ in mine],
                "color": PALETTE[row % len(PALETTE)],
            },
            name=kind,
            ids=[str(at) for at, _ in mine],
            customdata=[_told(at, it) for at, it in mine],
            hovertemplate="%{customdata}<extra></extra>",
        )
    for axis, name in (("xaxis", first), ("yaxis", second)):
        unit = QUANTITIES[name].unit
        title = f"{name}: {QUANTITIES[name].about}" + (f" [{unit}]" if unit else "")
        figure.update_layout({axis: {"title": title, "type": "log"}})
    return figure


def _told(number_: int, point: Mapping[str, Any]) -> str:
    """A design as it is told when one hovers over it."""
    rows = [f"design {number_ + 1}: {_kind(point)}"]
    rows += [f"{name} {value:.5g}" for name, value in point["objectives"].items()]
    rows += [
        f"{name} {value}"
        for name, value in point["design"].items()
        if value is not None and name not in ("memory", "system", "process")
    ]
    return "<br>".join(map(text, rows))


def _axes(record: Mapping[str, Any]) -> "Figure":
    from plotly import graph_objects

    points, names = record["points"], _names(record)
    columns = {name: [it["objectives"][name] for it in points] for name in names}
    for name in BRUSHED:
        values = [it["design"].get(name) for it in points]
        if len(set(values)) > 1:
            columns[name] = values
    columns["power"] = [it["totals"]["power"] for it in points]
    columns["capital_cost"] = [it["totals"]["capital_cost"] for it in points]
    return graph_objects.Figure(
        graph_objects.Parcoords(
            labelside="bottom",
            line={"color": columns[names[0]], "colorscale": "Cividis"},
            dimensions=[{"label": name, "values": values} for name, values in columns.items()],
        )
    )


def _designs(record: Mapping[str, Any]) -> str:
    names = _names(record)
    shown = [name for name in BRUSHED if record["points"][0]["design"].get(name) is not None]
    rows = [_row(row, it, names, shown) for row, it in enumerate(record["points"])]
    return table(rows, ("", *map(text, names), "kind", *map(text, shown), "file"), TABLE)


def _row(row: int, it: Mapping[str, Any], names: Sequence[str], shown: Sequence[str]) -> list[str]:
    path = f"points.{row}"
    return [
        f"{row + 1}",
        *(named(name, f"{path}.objectives.{name}", it["objectives"][name]) for name in names),
        text(_kind(it)),
        *(
            number(f"{it['design'][name]:g}", f"{path}.design.{name}", float(it["design"][name]))
            for name in shown
        ),
        text(it["file"]),
    ]
