"""What numbers and limits are worth."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from liminal_jax.view.report.beside import predicted_sections, prediction_beside
from liminal_jax.view.report.found import asked
from liminal_jax.view.report.parts import PALETTE, drawing, listing, section, table
from liminal_jax.view.report.values import asked_words, design_rows, named

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def answer(record: Mapping[str, Any]) -> str:
    """The answer in one line."""
    value = named(asked(record), "best.value", record["best"]["value"])
    wanted = asked_words([record["objective"]])
    if record["relaxed"]["value"] is None:
        return f"{wanted}: nothing can be told of what numbers are worth"
    freed = named(asked(record), "relaxed.value", record["relaxed"]["value"])
    return f"{wanted}: {value}, and {freed} with its sizes free"


def whole(record: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The record with what its design does."""
    return prediction_beside(record, folder / "design.toml")


def sections(record: Mapping[str, Any]) -> list[str]:
    """What there is to say of it."""
    bars, change = record["tornado"], 100 * record["change"]
    drawn = drawing(_tornado(record, bars), "the tornado", 130 + 34 * len(bars)) if bars else ""
    return [
        section("the best design", table(design_rows(record["best"]["design"], "best.design"))),
        section("what limits are worth", listing(it["sentence"] for it in record["shadow_prices"])),
        section(f"what numbers are worth, solved again with {change:g} % less and more", drawn),
        *predicted_sections(record, "the best design"),
        section("how sure that is", listing(record["reasons"])),
    ]


def _tornado(record: Mapping[str, Any], bars: Sequence[Mapping[str, Any]]) -> "Figure":
    from plotly import graph_objects

    base = record["relaxed"]["value"]
    figure = graph_objects.Figure()
    for side, name, colour in (("low", "less", PALETTE[0]), ("high", "more", PALETTE[1])):
        figure.add_bar(
            y=[f"{it['label']} ({it['value']})" for it in bars],
            x=[None if it[side] is None else 100 * (it[side] / base - 1) for it in bars],
            customdata=["; ".join(it["active_set_changes"][side]) for it in bars],
            orientation="h",
            name=name,
            marker_color=colour,
            hovertemplate="%{x:+.2f} %<br>%{customdata}<extra></extra>",
        )
    figure.update_layout(barmode="group", legend={"orientation": "h", "y": 1.08})
    figure.update_yaxes(autorange="reversed", automargin=True)
    figure.update_xaxes(title=f"change of {asked(record)} [%]")
    return figure
