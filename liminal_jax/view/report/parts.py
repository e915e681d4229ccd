"""What a page is put together from: sections, tables, numbers, drawings."""

import html
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#999999")
"""Colours of Okabe and Ito, which colour-blind readers tell apart."""


def text(words: object) -> str:
    """Words as HTML."""
    return html.escape(str(words))


def number(shown: str, path: str, value: float | None) -> str:
    """A number as people read it, which also carries what stands in the file.

    Args:
        shown: How it is shown.
        path: Where it stands in the record of the run, with points between the keys.
        value: What stands there.

    Examples:
        >>> number("50 W", "totals.power", 50.0)
        '<data value="50.0" data-path="totals.power">50 W</data>'
    """
    if value is None or not math.isfinite(value):
        return text("unknown")
    return f'<data value="{value!r}" data-path="{text(path)}">{text(shown)}</data>'


def section(title: str, *parts: str) -> str:
    """Something under a heading; nothing where there is nothing to show."""
    body = "\n".join(part for part in parts if part)
    return f"<section>\n<h2>{text(title)}</h2>\n{body}\n</section>" if body else ""


def paragraph(words: object) -> str:
    """A paragraph."""
    return f"<p>{text(words)}</p>"


def listing(sentences: Iterable[object]) -> str:
    """Sentences one below the other."""
    rows = "".join(f"<li>{text(it)}</li>" for it in sentences)
    return f"<ul>{rows}</ul>" if rows else ""


def table(rows: Sequence[Sequence[str]], heading: Sequence[str] = (), name: str = "") -> str:
    """A table; the first column names what stands in the others. Cells are HTML already.

    Args:
        rows: Its rows.
        heading: Names of its columns.
        name: By which a drawing brushes its rows; none for a table that stands alone.
    """
    head = "".join(f"<th>{it}</th>" for it in heading)
    body = "".join(
        f"<tr><th>{row[0]}</th>{''.join(f'<td>{it}</td>' for it in row[1:])}</tr>" for row in rows
    )
    top = f"<thead><tr>{head}</tr></thead>" if heading else ""
    mark = f' id="{text(name)}"' if name else ""
    return (
        f'<div class="wide"{mark}><table>{top}<tbody>{body}</tbody></table></div>' if rows else ""
    )


def drawing(figure: "Figure", label: str, height: int = 380, brushes: str = "") -> str:
    """A figure to hover over, zoom and brush.

    Args:
        figure: What is drawn.
        label: What it shows, for readers who cannot see it.
        height: Of the drawing, in pixels.
        brushes: Name of the table whose rows stay that are selected in the drawing, by the `ids`
            of its points, which are numbers of rows.
    """
    if brushes:
        figure.update_layout(dragmode="select")
    figure.update_layout(
        template="plotly_white",
        height=height,
        margin={"l": 60, "r": 30, "t": 60, "b": 50},
        colorway=PALETTE,
        font={"size": 13},
    )
    drawn = figure.to_html(full_html=False, include_plotlyjs=False, config={"displaylogo": False})
    mark = f' data-brushes="{text(brushes)}"' if brushes else ""
    return f'<figure role="img" aria-label="{text(label)}"{mark}>{drawn}</figure>'
