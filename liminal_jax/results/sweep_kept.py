"""A sweep that kept every point: the best of them, the front, the spread, and many to look at."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from liminal_jax.results import sweep_data
from liminal_jax.results.page import Line, Page, Section, Sentences, known, section, table
from liminal_jax.results.sweep import beside, swept
from liminal_jax.results.sweep_points import (
    TABLE,
    goals_of,
    listed,
    marks,
    output,
    parallel,
    plane,
    said,
    shown,
    solution,
    time_split,
    what_it_does,
    words,
)
from liminal_jax.results.sweep_spread import spread
from liminal_jax.results.words import asked_words

GREY = "#c8c8c8"
"""Colour of points that are not on the front."""

MOST_HOVER = 6
"""Axes that are shown when one hovers over a point behind the front."""


def whole(record: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """What goes onto the page: the record, and what its data say."""
    kept = sweep_data.summary(sweep_data.opened(record, folder))
    return {**beside(record, folder), "kept": kept}


def page(record: Mapping[str, Any], folder: Path) -> Page:
    """The page of a sweep that kept every point.

    Args:
        record: The record with what its data say.
        folder: Where the data lie, of which many points are drawn.
    """
    return Page(record["study"], (), _answer(record), _sections(record, folder))


def _answer(record: Mapping[str, Any]) -> Line:
    kept = record["kept"]
    points = known(f"{record['points']:,}", "points", record["points"])
    usable = known(f"{kept['usable']:,}", "kept.usable", kept["usable"])
    if not kept["usable"]:
        return "none of ", points, " points counts: none fits, or keeps every limit"
    if not kept["best"]:
        none = " count; none of their outputs has a better side"
        return points, " points, of which ", usable, none
    best = kept["best"][0]
    name = best["output"]
    return (
        f"{asked_words([{best['side']: name}])}: ",
        output(f"kept.best.0.outputs.{name}", name, best["outputs"][name]),
        ", the best of ",
        points,
        " points, of which ",
        usable,
        f" {_counts(record)}: {said(best, record)}",
    )


def _counts(record: Mapping[str, Any]) -> str:
    """What makes a point count."""
    if "feasible" in record["outputs"]:
        return "keep every limit"
    return "fit in memory" if "fits" in record["outputs"] else "were not judged, and all count"


def _sections(record: Mapping[str, Any], folder: Path) -> tuple[Section, ...]:
    kept = record["kept"]
    told = (
        section(
            "how outputs are spread over the points that count",
            *spread(kept["histograms"], "kept.histograms"),
        ),
        *swept(record),
    )
    if not kept["best"]:
        return told
    best = kept["best"][0]
    return (
        section("the best point", table(solution(best, record, "kept.best.0"))),
        time_split(best, "kept.best.0"),
        what_it_does(best, "kept.best.0"),
        section("the best by each output", table(_bests(record))),
        *_front(record, sweep_data.opened(record, folder)),
        *(
            section(
                f"the best for each {words(it['axis'])}",
                listed(it["rows"], record, f"kept.best_by.{at}.rows", goals_of(kept)),
            )
            for at, it in enumerate(kept["best_by"])
        ),
        *told,
    )


def _bests(record: Mapping[str, Any]) -> Iterator[Line]:
    for at, it in enumerate(record["kept"]["best"]):
        name = it["output"]
        value = output(f"kept.best.{at}.outputs.{name}", name, it["outputs"][name])
        yield asked_words([{it["side"]: name}]), value, said(it, record)


def _front(record: Mapping[str, Any], data: sweep_data.Kept) -> tuple[Section, ...]:
    kept = record["kept"]
    rows, goals = kept["front"], goals_of(kept)
    if len(goals) < 2 or not rows:
        return ()
    points = sweep_data.drawn_points(data)
    count = known(f"{kept['front_points']:,}", "kept.front_points", kept["front_points"])
    told = f" points to which no other is better in both {' and '.join(goals)}. "
    line = (count, told + _how_many(kept, len(points)))
    # All in WebGL, which is drawn above everything else.
    traces = [_behind(record, data, points), *marks(rows, record, goals, "scattergl")]
    return (
        section(
            "the front, and the points behind it",
            plane(traces, goals, "the front and the points behind it"),
            Sentences((line,)),
            listed(rows, record, "kept.front", goals, TABLE),
        ),
        section(
            "the front by each number: drag along an axis to keep a range",
            parallel(rows, record, goals),
        ),
    )


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


def _behind(record: Mapping[str, Any], data: sweep_data.Kept, points: np.ndarray) -> dict[str, Any]:
    """The points behind the front, in single precision: there are many."""
    up, across = goals_of(record["kept"])
    paths = [it["path"] for it in record["axes"]][:MOST_HOVER]
    told = [f"{it} %{{{axis}:.4g}} {shown(it)[0]}" for axis, it in (("x", across), ("y", up))]
    told += [f"{path} %{{customdata[{at}]:.5g}}" for at, path in enumerate(paths)]
    names = [data.places(path, points) for path in record["names"]]
    x, y = (np.float32(data.columns[it][points] * shown(it)[1]) for it in (across, up))
    return {
        "type": "scattergl",
        "x": x,
        "y": y,
        "mode": "markers",
        "marker": {"size": 4, "color": GREY},
        "name": "other points",
        "text": [", ".join(map(str, it)) for it in zip(*names, strict=True)],
        "customdata": np.stack([np.float32(data.places(path, points)) for path in paths], axis=-1),
        "hovertemplate": f"%{{text}}<br>{'<br>'.join(told)}<extra></extra>",
    }
