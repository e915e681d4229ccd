"""A page as HTML that stands alone: it can be mailed, and opened without a network."""

import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from liminal_jax.drawing.svg import side_by_side
from liminal_jax.results.narrow import least_width, merged, narrow
from liminal_jax.results.page import PALETTE, Cell, Drawings, Figure, Line, Page, text_of

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline';"
    " img-src data: blob:; font-src data:; worker-src blob:"
)
"""What the page may load: nothing from anywhere."""


_APART = {"ticks": "outside", "ticklen": 6, "tickcolor": "rgba(0,0,0,0)"}
"""Numbers below an axis keep away from the lowest one beside it."""

_COLUMN = 32
"""Letters of a cell that fit a column of a narrow page."""


@cache
def _templates() -> Environment:
    """All that is put into a template is text, unless it says that it is HTML."""
    found = Environment(
        loader=PackageLoader("liminal_jax.results"),
        autoescape=True,
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    found.filters |= {"drawn": drawing, "exact": repr, "beside": _beside}
    found.filters |= {"narrow": _narrow, "least_width": least_width, "long": _long}
    return found


def html(page: Page, record: Mapping[str, Any], provenance: Mapping[str, Any]) -> str:
    """A whole page.

    Args:
        page: The page.
        record: The record of the result, which goes along.
        provenance: Where and with what it was computed.
    """
    from plotly.offline import get_plotlyjs

    return (
        _templates()
        .get_template("page.html")
        .render(
            page=page,
            command=command_of(provenance),
            origin={
                name: value
                for name, value in provenance.items()
                if name != "command" and value is not None
            },
            policy=POLICY,
            plotly=Markup(get_plotlyjs()),
            # In a script nothing may look like the end of one.
            record=Markup(json.dumps(record).replace("</", "<\\/")),
        )
    )


def fragment(page: Page) -> str:
    """A page as a part of another one, such as a notebook: without its figures.

    Args:
        page: The page.
    """
    bare = [
        replace(it, parts=tuple(part for part in it.parts if not isinstance(part, Figure)))
        for it in page.sections
    ]
    shown = replace(page, sections=tuple(bare))
    return _templates().get_template("fragment.html").render(page=shown).strip()


def command_of(provenance: Mapping[str, Any]) -> str:
    """The command that does the same again; empty where it is not known.

    Examples:
        >>> command_of({"command": ["/usr/bin/liminal", "optimize", "my study.toml"]})
        "liminal optimize 'my study.toml'"
    """
    command = provenance.get("command") or []
    return shlex.join([Path(command[0]).name, *command[1:]]) if command else ""


def cell(it: Cell) -> str:
    """Words, or a number that carries what stands in the record, as HTML.

    Examples:
        >>> from liminal_jax.results.page import Value
        >>> cell(Value("50 W", "totals.power", 50.0))
        '<data value="50.0" data-path="totals.power">50 W</data>'
    """
    module: Any = _templates().get_template("parts.html").module
    return str(module.cell(it))


def _beside(drawings: Drawings) -> Markup:
    return Markup(side_by_side(drawings.svgs))


def _layout(figure: Figure) -> dict[str, Any]:
    base = {
        "template": "plotly_white",
        "height": figure.height,
        "margin": {"l": 60, "r": 30, "t": 60, "b": 50},
        "colorway": PALETTE,
        "font": {"size": 13},
        **({"dragmode": "select"} if figure.brushes else {}),
        **{name: _APART for name in figure.layout if name.startswith("xaxis")},
    }
    return merged(base, figure.layout)


def _narrow(figure: Figure) -> str:
    """The layout of a figure on a narrow page as JSON, but for the template of all."""
    it = merged(_layout(figure), narrow(figure))
    return json.dumps({name: value for name, value in it.items() if name != "template"})


def _long(rows: Iterable[Line]) -> bool:
    """Whether a cell says more than a column of a narrow page can hold."""
    return any(len(text_of((it,))) > _COLUMN for row in rows for it in row)


def drawing(figure: Figure) -> Markup:
    """A figure to hover over, zoom and brush."""
    from plotly import graph_objects

    layout = _layout(figure)
    drawn = graph_objects.Figure(data=list(figure.traces), layout=layout)
    return Markup(
        drawn.to_html(
            full_html=False,
            include_plotlyjs=False,
            config={"displaylogo": False, "responsive": True},
        )
    )
