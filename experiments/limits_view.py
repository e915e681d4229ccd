"""How the results of `limits` are told and drawn."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from experiments.drawing import plain_table
from experiments.verdicts import told

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {
    "bandwidth": "#0072B2",
    "compute": "#D55E00",
    "synchronisation": "#E69F00",
    "capacity": "#BBBBBB",
}
"""A colour for each limit, told apart with every common kind of colour blindness."""

LETTERS = {"bandwidth": "B", "compute": "C", "synchronisation": "S", "capacity": "full"}


def _tokens(context: int) -> str:
    """A context in words.

    Examples:
        >>> _tokens(131072), _tokens(1048576)
        ('128K', '1M')
    """
    return f"{context // 1024}K" if context < 1024**2 else f"{context // 1024**2}M"


def _table(results: Mapping[str, Any], model: str) -> RenderableType:
    """Limits at the ends and the middle of the map."""
    users, contexts = results["users"], results["contexts"]
    columns = sorted({0, len(users) // 2, len(users) - 1})
    rows = sorted({0, len(contexts) // 2, len(contexts) - 1})
    places = [(row, column) for row in rows for column in columns]
    table = plain_table(
        ["chip", *(f"{_tokens(contexts[row])}\n{users[column]:,}" for row, column in places)]
    )
    for chip, cell in results["maps"][model].items():
        words = []
        for row, column in places:
            name = results["limits"][cell["limit"][row][column]]
            share = cell["share"][row][column]
            words.append(LETTERS[name] + ("" if name == "capacity" else f" {share:.0%}"))
        table.add_row(chip, *words)
    return table


def report(results: Mapping[str, Any]) -> list[RenderableType]:
    """What binds at some contexts and users, and the verdicts."""
    parts: list[RenderableType] = []
    for model in results["maps"]:
        parts += [
            f"{model} on {results['ranks']} chips, by context and users: what binds and its"
            " share of the gradient (B bandwidth, C compute, S synchronisation)",
            _table(results, model),
        ]
    return [*parts, *told(results)]


def _panel(axes: "Axes", results: Mapping[str, Any], cell: Mapping[str, Any]) -> None:
    """Colours by limit, paler where its share of the gradient is smaller."""
    from matplotlib.colors import to_rgb
    from numpy import array

    pixels = []
    for limits, shares in zip(cell["limit"], cell["share"], strict=True):
        line = []
        for limit, share in zip(limits, shares, strict=True):
            name = results["limits"][limit]
            weight = 1.0 if name == "capacity" else 0.25 + 0.75 * (share - 1 / 3) * 1.5
            line.append([1 - weight * (1 - part) for part in to_rgb(COLOURS[name])])
        pixels.append(line)
    axes.imshow(array(pixels).clip(0, 1), origin="lower", aspect="auto", interpolation="nearest")
    axes.grid(visible=False)
    users, contexts = results["users"], results["contexts"]
    across, up = range(0, len(users), 4), range(0, len(contexts), 2)
    axes.set_xticks(list(across), [f"{users[it]:,}" for it in across])
    axes.set_yticks(list(up), [_tokens(contexts[it]) for it in up])
    _name(axes, results, cell)


def _name(axes: "Axes", results: Mapping[str, Any], cell: Mapping[str, Any]) -> None:
    """Write into each large region what binds there."""
    from numpy import argwhere, asarray

    limits = asarray(cell["limit"])
    for index, name in enumerate(results["limits"]):
        places = argwhere(limits == index)
        if len(places) < 0.08 * limits.size:
            continue
        middle = places[((places - places.mean(axis=0)) ** 2).sum(axis=1).argmin()]
        axes.text(
            middle[1],
            middle[0],
            name if name != "synchronisation" else "synchron-\nisation",
            ha="center",
            va="center",
            fontsize=6.5,
            color="black",
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.65, "pad": 0.8},
        )


def plot(results: Mapping[str, Any]) -> "Figure":
    """A map for each model and chip, coloured by limit."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    maps = results["maps"]
    chips = list(next(iter(maps.values())))
    figure = Figure(figsize=(2.5 * len(chips) + 0.8, 2.1 * len(maps) + 1.0))
    figure.set_layout_engine("constrained")
    panels = figure.subplots(len(maps), len(chips), squeeze=False, sharex=True, sharey=True)
    for line, (model, cells) in zip(panels, maps.items(), strict=True):
        for axes, cell in zip(line, cells.values(), strict=True):
            _panel(axes, results, cell)
        line[0].set_ylabel(f"{model}\ncontext [tokens]")
    for axes, chip in zip(panels[0], chips, strict=True):
        axes.set_title(chip)
    for axes in panels[-1]:
        axes.set_xlabel("users at once")
    figure.legend(
        handles=[Patch(color=shade, label=name) for name, shade in COLOURS.items()],
        loc="outside lower center",
        ncols=len(COLOURS),
    )
    figure.suptitle(
        f"What binds on {results['ranks']} of the paper's chips; paler: a smaller share of the"
        " gradient"
    )
    return figure
