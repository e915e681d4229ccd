"""A sweep that kept every point: the best of them, the front, the spread, and many to look at."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from liminal_jax.view.report import data as data_of
from liminal_jax.view.report.parts import drawing, number, paragraph, section, table, text
from liminal_jax.view.report.points import (
    TABLE,
    goals_of,
    listed,
    marks,
    output,
    parallel,
    plane,
    said,
    solution,
    time_split,
    unit_of,
    what_it_does,
    words,
)
from liminal_jax.view.report.spread import spread
from liminal_jax.view.report.sweep import beside, pace, swept
from liminal_jax.view.report.values import asked_words
from liminal_jax.view.sweep import shown

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

GREY = "#c8c8c8"
"""Colour of points that are not on the front."""

MOST_HOVER = 6
"""Axes that are told when one hovers over a point behind the front."""


def whole(record: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """What goes onto the page: the record, and what its data say."""
    return {**beside(record, folder), "kept": data_of.summary(data_of.opened(record, folder))}


def answer(record: Mapping[str, Any]) -> str:
    """The answer in one line."""
    kept = record["kept"]
    points = number(f"{record['points']:,}", "points", float(record["points"]))
    usable = number(f"{kept['usable']:,}", "kept.usable", float(kept["usable"]))
    if not kept["usable"]:
        return f"None of {points} points counts: none fits, or keeps every limit."
    if not kept["best"]:
        return f"{points} points, of which {usable} count; none of their outputs has a better side"
    best = kept["best"][0]
    name = best["output"]
    value = output(f"kept.best.0.outputs.{name}", name, best["outputs"][name])
    return (
        f"{text(asked_words([{best['side']: name}]))}: {value}, the best of {points} points,"
        f" of which {usable} {_counts(record)}: {said(best, record)}"
    )


def _counts(record: Mapping[str, Any]) -> str:
    """What makes a point count."""
    if "feasible" in record["outputs"]:
        return "keep every limit"
    return "fit in memory" if "fits" in record["outputs"] else "were not judged, and all count"


def sections(record: Mapping[str, Any], folder: Path) -> list[str]:
    """What there is to say of it.

    Args:
        record: The record with what its data say.
        folder: Where the data lie, of which many points are drawn.
    """
    kept = record["kept"]
    told = [
        section(
            "how outputs are spread over the points that count",
            *spread(kept["histograms"], "kept.histograms"),
        ),
        section("what was swept", swept(record)),
        section("time, rate and memory", pace(record)),
    ]
    if not kept["best"]:
        return told
    best = kept["best"][0]
    return [
        section("the best point", table(solution(best, record, "kept.best.0"))),
        time_split(best, "kept.best.0"),
        section("what it does", what_it_does(best, "kept.best.0")),
        section("the best by each output", _bests(record)),
        *_front(record, data_of.opened(record, folder)),
        *(
            section(
                f"the best for each {words(it['axis'])}",
                listed(it["rows"], record, f"kept.best_by.{at}.rows", goals_of(kept)),
            )
            for at, it in enumerate(kept["best_by"])
        ),
        *told,
    ]


def _bests(record: Mapping[str, Any]) -> str:
    rows = [
        (
            text(asked_words([{it["side"]: it["output"]}])),
            output(
                f"kept.best.{at}.outputs.{it['output']}", it["output"], it["outputs"][it["output"]]
            ),
            said(it, record),
        )
        for at, it in enumerate(record["kept"]["best"])
    ]
    return table(rows)


def _front(record: Mapping[str, Any], data: data_of.Kept) -> list[str]:
    kept = record["kept"]
    rows, goals = kept["front"], goals_of(kept)
    if len(goals) < 2 or not rows:
        return []
    points = data_of.drawn_points(data)
    count = number(f"{kept['front_points']:,}", "kept.front_points", float(kept["front_points"]))
    return [
        section(
            "the front, and the points behind it",
            f"<p>{count} points to which no other is better in both {text(' and '.join(goals))}."
            f" {text(_how_many(kept, len(points)))} Drag over points to keep only the rows of the"
            " front below that are among them; click twice to let go.</p>",
            drawing(_plane(record, data, points), "the front and the points behind it", 560, TABLE),
        ),
        section(
            "brush it",
            paragraph(
                "Drag along an axis to keep the points in a range; drag its name to move it;"
                " click the brush to let go."
            ),
            drawing(parallel(rows, record, goals), "the front, an axis for each number", 420),
        ),
        section("the points of the front", listed(rows, record, "kept.front", goals, TABLE)),
    ]


def _how_many(kept: Mapping[str, Any], drawn: int) -> str:
    behind = (
        f"Behind it all {drawn:,} points that count."
        if drawn == kept["usable"]
        else f"Behind it {drawn:,} of {kept['usable']:,} points that count, drawn by lot; data.nc"
        " holds all."
    )
    listed_ = len(kept["front"])
    thinned = f" {listed_:,} of them are shown." if listed_ < kept["front_points"] else ""
    return f"{thinned} {behind}".strip()


def _plane(record: Mapping[str, Any], data: data_of.Kept, points: np.ndarray) -> "Figure":
    """The front over the points behind it, these in single precision: there are many."""
    from plotly import graph_objects

    goals = goals_of(record["kept"])
    up, across = goals
    paths = [it["path"] for it in record["axes"]][:MOST_HOVER]
    told = [*(f"{it} %{{{axis}:.4g}} {unit_of(it)}" for axis, it in (("x", across), ("y", up)))]
    told += [f"{path} %{{customdata[{at}]:.5g}}" for at, path in enumerate(paths)]
    names = [data.places(path, points) for path in record["names"]]
    x, y = (np.float32(data.columns[it][points] * shown(it)[1]) for it in (across, up))
    behind = graph_objects.Scattergl(
        x=x,
        y=y,
        mode="markers",
        marker={"size": 4, "color": GREY},
        name="other points",
        text=[", ".join(map(str, it)) for it in zip(*names, strict=True)],
        customdata=np.stack([np.float32(data.places(path, points)) for path in paths], axis=-1),
        hovertemplate=f"%{{text}}<br>{'<br>'.join(told)}<extra></extra>",
    )
    # All in WebGL, which is drawn above everything else.
    front = marks(record["kept"]["front"], record, goals)
    return plane([behind, *(graph_objects.Scattergl(it) for it in front)], goals)
