"""What of a figure is laid out otherwise where its page is narrow, as on a phone."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from liminal_jax.results.page import Figure

_TITLE, _LABEL = 46, 58
"""Letters on a line of the title of an axis, and of a label above its bars."""

_BESIDE = 14
"""Letters of a label that has room beside its bars."""

_LINE, _BARS = 19, 22
"""Heights of a line of a label and of the bars below it, in pixels."""

_BELOW = {"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"}

_LEGEND = 3
"""Entries of a legend that have room beside each other."""

_AXIS, _COLUMN, _LETTER = 90, 100, 7
"""Pixels that a parallel axis, a column of a heat map, and a letter of a name need."""


def least_width(figure: Figure) -> int:
    """Pixels below which a figure is moved sideways rather than shrunk; 0 where it shrinks.

    Examples:
        >>> axes = [{"label": "batch"}, {"label": "price of a million tokens"}]
        >>> least_width(Figure(({"type": "parcoords", "dimensions": axes},), {}, "axes"))
        210
    """
    trace = figure.traces[0]
    if trace["type"] == "parcoords":
        letters = [len(it["label"]) for it in trace["dimensions"]]
        apart = max((_LETTER * sum(it) // 2 for it in pairwise(letters)), default=0)
        return len(letters) * max(_AXIS, apart)
    return _COLUMN * len(trace["x"]) if trace["type"] == "heatmap" else 0


def narrow(figure: Figure) -> dict[str, Any]:
    """What a narrow page changes in the layout of a figure.

    Letters are small, the legend stands below, long labels stand above their bars, and long titles
    are folded. Figures that are moved sideways stay as they are.

    Args:
        figure: The figure, with what is narrow about it alone.
    """
    if least_width(figure):
        return dict(figure.narrow)
    rows = -(-sum("name" in it for it in figure.traces) // _LEGEND)
    found: dict[str, Any] = {
        "font": {"size": 11},
        "margin": {"l": 8, "r": 12, "t": 12, "b": 8},
        "height": figure.height + 20 * rows,
        "dragmode": "select" if figure.brushes else False,
        "legend": {**_BELOW, "traceorder": "normal"},
    }
    axes = {name: it for name, it in figure.layout.items() if name[1:].startswith("axis")}
    for name in ("xaxis", "yaxis", *axes):
        found[name] = {"automargin": True, **_titled(axes.get(name, {}))}
    labels = _labels(figure)
    if max(map(len, labels), default=0) > _BESIDE:
        found |= _above(labels, found)
    return merged(found, figure.narrow)


def merged(base: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """A layout with what another one says otherwise.

    Examples:
        >>> merged({"xaxis": {"type": "log", "nticks": 5}}, {"xaxis": {"nticks": 3}})
        {'xaxis': {'type': 'log', 'nticks': 3}}
    """
    both = {
        name: merged(base[name], it)
        for name, it in more.items()
        if isinstance(it, Mapping) and isinstance(base.get(name), Mapping)
    }
    return {**base, **more, **both}


def _titled(axis: Mapping[str, Any]) -> dict[str, Any]:
    """The title of an axis on lines that fit."""
    title = axis.get("title", {}).get("text", "")
    return {"title": {"text": _folded(title, _TITLE)}} if title else {}


def _folded(text: str, letters: int) -> str:
    return "<br>".join(textwrap.wrap(text, letters))


def _labels(figure: Figure) -> list[str]:
    """Names of horizontal bars; none where they are of several levels."""
    found = (name for it in figure.traces if it.get("orientation") == "h" for name in it["y"])
    return list(dict.fromkeys(name for name in found if isinstance(name, str)))


def _above(labels: Sequence[str], layout: Mapping[str, Any]) -> dict[str, Any]:
    """Labels above their bars instead of beside them."""
    folded = [_folded(it, _LABEL) for it in labels]
    room = _LINE * max(it.count("<br>") + 1 for it in folded)
    return {
        "annotations": list(_written(folded, _BARS / (_BARS + room) / 2)),
        "bargap": room / (_BARS + room),
        "height": 90 + (_BARS + room) * len(labels),
        "yaxis": {**layout["yaxis"], "showticklabels": False},
    }


def _written(labels: Sequence[str], up: float) -> Iterator[dict[str, Any]]:
    for row, text in enumerate(labels):
        place = {"x": 0, "xref": "paper", "xanchor": "left", "y": row - up, "yanchor": "bottom"}
        yield {"text": text, "showarrow": False, "align": "left", **place}
