"""How the results of `reach` are told and drawn."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from experiments.drawing import plain_table, short

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ("C0", "C2", "C1", "C3", "C4", "C5")


def _table(results: Mapping[str, Any], group: str) -> RenderableType:
    table = plain_table(["model", "from", *(f"{float(it):,.0f}" for it in results["targets"])])
    for model, row in results["rows"].items():
        cells = [row["groups"][group][target] for target in results["targets"]]
        table.add_row(
            model,
            short(row["from"]),
            *(
                f"distance {it['distance']:.2f}"
                if it["reachable"]
                else f"{short(it['utps'])} (bound {short(it['bound'])})"
                for it in cells
            ),
        )
    return table


def report(results: Mapping[str, Any]) -> list[RenderableType]:
    """How far each speed is for each model, and the verdicts."""
    groups = list(next(iter(results["rows"].values()))["groups"])
    parts: list[RenderableType] = []
    for group in groups:
        parts += [f"How far tokens a second of one user are: {group}", _table(results, group)]
    return parts


def plot(results: Mapping[str, Any]) -> "Figure":
    """What each lever contributes on the way to each speed, a panel for each group of levers."""
    from matplotlib.figure import Figure

    groups = list(next(iter(results["rows"].values()))["groups"])
    bars = [(model, target) for model in results["rows"] for target in results["targets"]]
    figure = Figure(figsize=(12.0, 1.4 + 0.28 * len(bars)))
    figure.set_layout_engine("constrained")
    panels = figure.subplots(1, len(groups), squeeze=False, sharey=True)[0]
    labels = {
        path: it["label"]
        for row in results["rows"].values()
        for found in row["groups"].values()
        for answer in found.values()
        for path, it in answer["moves"].items()
    }
    styles = {
        path: {"color": COLOURS[place % len(COLOURS)], "hatch": "////" * (place // len(COLOURS))}
        for place, path in enumerate(labels)
    }
    for axes, group in zip(panels, groups, strict=True):
        for place, (model, target) in enumerate(bars):
            row, left = results["rows"][model], 0.0
            answer = row["groups"][group][target]
            for path, it in answer["moves"].items():
                axes.barh(place, it["contribution"], left=left, edgecolor="white", **styles[path])
                left += it["contribution"]
            mark = "" if answer["reachable"] else "  not reached"
            axes.annotate(
                f"{short(answer['utps'])}{mark}", (left, place), fontsize=6.5, va="center"
            )
        axes.set_title(group)
        axes.set_xlabel("logarithm of the speed gained, by Shapley value")
        axes.margins(x=0.25)
    panels[0].set_yticks(
        range(len(bars)), [f"{model}, {float(target):,.0f}" for model, target in bars], fontsize=7
    )
    panels[0].set_ylim(len(bars) - 0.5, -0.5)
    handles = [
        panels[0].barh([0], [0], **styles[path], label=label) for path, label in labels.items()
    ]
    figure.legend(handles=handles, loc="outside lower left", ncols=3, fontsize=7)
    figure.suptitle("What the levers of hardware and algorithm give one user")
    return figure
