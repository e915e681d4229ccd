"""How sure an answer is when numbers are drawn from their ranges."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from liminal_jax.view.report.beside import predicted_sections, prediction_beside
from liminal_jax.view.report.found import asked
from liminal_jax.view.report.parts import PALETTE, drawing, paragraph, section, table, text
from liminal_jax.view.report.values import amount, asked_words, design_rows, named, share

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_INFLUENCES = 15
"""Numbers whose influence is drawn."""

SINGLED_OUT = {
    "nominal": "the best with the numbers as they are thought to be",
    "robust": "does well in most draws",
    "cautious": "meets the limits most often",
}
"""Designs that are told of, in words."""


def answer(record: Mapping[str, Any]) -> str:
    """The answer in one line."""
    if not record["feasible"]:
        return "No design meets every limit with the numbers as they are thought to be."
    value = named(asked(record), "objective.value", record["objective"]["value"])
    first = max(record["categories"], key=lambda it: it["wins"])
    row = record["categories"].index(first)
    wins = share(f"categories.{row}.wins", first["wins"])
    return (
        f"{asked_words([record['objective']])}: {value} as the numbers are thought to be;"
        f" {text(first['category'])} is best in {wins} of the draws"
    )


def whole(record: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The record with what the design does that is best with the numbers as they are thought."""
    return prediction_beside(record, folder / "designs" / "nominal.toml")


def sections(record: Mapping[str, Any]) -> list[str]:
    """What there is to say of it."""
    influences = record["influences"][:MOST_INFLUENCES]
    drawn = drawing(_influences(influences), "influence of each number", 120 + 26 * len(influences))
    return [
        *(
            section(f"the {name} design: {about}", table(_trial(record, name)))
            for name, about in SINGLED_OUT.items()
            if record[name] is not None
        ),
        section("how often each kind wins", _wins(record)),
        section(
            "which numbers matter",
            paragraph("Rank correlation of each number with the optimum, over the draws."),
            drawn if influences else "",
        ),
        *predicted_sections(record, "the nominal design"),
        section("how sure that is", table(_proof(record))),
    ]


def _wins(record: Mapping[str, Any]) -> str:
    rows = [
        (text(it["category"]), share(f"categories.{row}.wins", it["wins"]))
        for row, it in enumerate(record["categories"])
    ]
    return table(rows)


def _trial(record: Mapping[str, Any], name: str) -> list[tuple[str, str]]:
    it = record[name]
    told = [
        (text(key.replace("_", " ")), amount(f"{name}.{key}", float(value)))
        for key, value in it.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    return [*design_rows(it["design"], f"{name}.design"), *told]


def _proof(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    it = record["certificate"]
    return [
        ("draws", amount("samples", float(record["samples"]))),
        ("of them proven", amount("certificate.proven", float(it["proven"]))),
        ("draws in which a design meets the limits", share("solvable", record["solvable"])),
    ]


def _influences(rows: Sequence[Mapping[str, Any]]) -> "Figure":
    from plotly import graph_objects

    values = [it["optimum"] for it in rows]
    figure = graph_objects.Figure(
        graph_objects.Bar(
            y=[it["number"] for it in rows],
            x=values,
            orientation="h",
            marker_color=[PALETTE[0] if (it or 0) > 0 else PALETTE[5] for it in values],
        )
    )
    figure.update_yaxes(autorange="reversed", automargin=True)
    figure.update_xaxes(title="rank correlation with the optimum", range=[-1, 1])
    return figure
