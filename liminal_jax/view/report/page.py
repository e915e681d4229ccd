"""The page around the sections: style, script, provenance, and the record itself."""

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from liminal_jax.study.quantities import QUANTITIES
from liminal_jax.view.answer import quantity
from liminal_jax.view.report.parts import section, table, text

STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff;
       max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; }
h2 { font-size: 1.15rem; border-bottom: 1px solid #ddd; margin-top: 2.2rem; }
.answer { font-size: 1.35rem; margin: .4rem 0 1rem; }
.about { color: #555; }
table { border-collapse: collapse; font-size: .93rem; }
.wide { overflow-x: auto; }
th, td { text-align: left; padding: .2rem .9rem .2rem 0; vertical-align: top; }
tbody th { font-weight: 600; white-space: nowrap; }
thead th { border-bottom: 1px solid #999; }
td { font-variant-numeric: tabular-nums; }
td data { white-space: nowrap; }
tbody tr:nth-child(even) { background: #f6f6f6; }
code, pre { background: #f2f2f2; border-radius: 3px; padding: .1rem .3rem; overflow-x: auto; }
figure { margin: .5rem 0; }
img { max-width: 100%; }
@media print { body { max-width: none; } section { break-inside: avoid; } }
"""


BRUSHING = """
for (const figure of document.querySelectorAll("figure[data-brushes]")) {
  const table = document.getElementById(figure.dataset.brushes);
  const rows = [...table.querySelectorAll("tbody tr")];
  const keep = ids => rows.forEach((row, at) => { row.hidden = !(ids?.has(String(at)) ?? true); });
  const plot = figure.querySelector(".js-plotly-plot");
  plot.on("plotly_selected", event => {
    keep(event ? new Set(event.points.map(it => it.id)) : null);
  });
  plot.on("plotly_deselect", () => keep(null));
}
"""
"""Shows only the rows of a table that are selected in the drawing which brushes it."""

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline';"
    " img-src data: blob:; font-src data:; worker-src blob:"
)
"""What the page may load: nothing from anywhere."""


def command_of(provenance: Mapping[str, Any]) -> str:
    """The command that does the same again; empty where it is not known.

    Examples:
        >>> command_of({"command": ["/usr/bin/liminal", "optimize", "my study.toml"]})
        "liminal optimize 'my study.toml'"
    """
    command = provenance.get("command") or []
    return shlex.join([Path(command[0]).name, *command[1:]]) if command else ""


def _origin(provenance: Mapping[str, Any]) -> str:
    rows = [
        (text(name), text(value))
        for name, value in provenance.items()
        if name != "command" and value is not None
    ]
    command = command_of(provenance)
    again = f"<p>The same again: <code>{text(command)}</code></p>" if command else ""
    return section("where this comes from", again, table(rows))


def _asked(record: Mapping[str, Any]) -> str:
    """Why it was asked, and within which limits."""
    parts = [f'<p class="about">{text(record["about"])}</p>'] if record.get("about") else []
    limits = [
        f"{it['quantity']} at {side.removeprefix('at_')} {_limit(it['quantity'], it[side])}"
        for it in record.get("constraints") or []
        for side in ("at_least", "at_most")
        if side in it
    ]
    if limits:
        parts.append(f'<p class="about">Within: {text("; ".join(limits))}.</p>')
    return "\n".join(parts)


def _limit(name: str, value: float) -> str:
    return quantity(name, value, QUANTITIES[name].unit)


def page(
    title: str,
    answer: str,
    sections: Sequence[str],
    record: Mapping[str, Any],
    provenance: Mapping[str, Any],
) -> str:
    """A whole page.

    Args:
        title: Name of the run.
        answer: What was found, in one line of HTML.
        sections: What there is to say of it, as HTML.
        record: The record of the run, which goes along.
        provenance: Where and with what it was computed.
    """
    from plotly.offline import get_plotlyjs

    # In a script nothing may look like the end of one.
    data = json.dumps(record).replace("</", "<\\/")
    body = "\n".join(it for it in [*sections, _origin(provenance)] if it)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>{text(title)}</title>\n<style>{STYLE}</style>\n"
        f"<script>{get_plotlyjs()}</script>\n</head>\n<body>\n"
        f'<h1>{text(title)}</h1>\n<p class="answer">{answer}</p>\n{_asked(record)}\n{body}\n'
        f'<script type="application/json" id="record">{data}</script>\n'
        f"<script>{BRUSHING}</script>\n</body>\n</html>\n"
    )
