"""How the results of `tensor_utilisation` are told and drawn."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from experiments.drawing import colour, name_ends, plain_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def _percent(share: float) -> str:
    """A share in three digits at most.

    Examples:
        >>> _percent(0.3361), _percent(0.0674), _percent(0.0004)
        ('34%', '6.7%', '0.04%')
    """
    if share >= 0.1:
        return f"{share:.0%}"
    return f"{share:.1%}" if share >= 0.01 else f"{share:.2%}"


def _table(results: Mapping[str, Any], context: str) -> RenderableType:
    """Utilisation of one user by chip, and the users from which it is exceeded on the first."""
    rows = results["rows"][context]
    first = next(iter(rows.values()))
    places = [(chip, ranks) for chip, by_ranks in first.items() for ranks in by_ranks]
    table = plain_table(["model", *(f"{chip}\n{ranks}" for chip, ranks in places), "1 %\nfrom"])
    for model, by_chip in rows.items():
        users = by_chip[places[0][0]][places[0][1]]["exceeded_from"]
        told_users = "-" if users is None else "one" if users < 1 else f"{users:,.0f}"
        table.add_row(
            model,
            *(_percent(by_chip[chip][ranks]["utilisation"][0]) for chip, ranks in places),
            told_users,
        )
    return table


def report(results: Mapping[str, Any]) -> list[RenderableType]:
    """Utilisation of a single user, and the verdicts."""
    parts: list[RenderableType] = []
    for context in results["rows"]:
        parts += [
            f"Utilisation of the tensor units by one user, {context} tokens, by chip and number of"
            " chips; last, users from which the first column exceeds 1 %",
            _table(results, context),
        ]
    return parts


def _panel(
    axes: "Axes", results: Mapping[str, Any], context: str
) -> dict[str, tuple[float, float]]:
    rows, ends = results["rows"][context], {}
    for model, by_chip in rows.items():
        cell = next(iter(next(iter(by_chip.values())).values()))
        shares = [100 * it for it in cell["utilisation"]]
        axes.plot(results["users"], shares, color=colour(list(rows), model))
        ends[model] = (results["users"][-1], shares[-1])
    axes.axhline(100 * results["claimed"], color="black", linewidth=0.9, linestyle=(0, (4, 3)))
    axes.annotate(
        "claim: 1 %",
        (1.0, 100 * results["claimed"]),
        xycoords=("axes fraction", "data"),
        xytext=(-3, -9),
        textcoords="offset points",
        ha="right",
        fontsize=7,
    )
    axes.set(xscale="log", yscale="log", xlabel="users at once", title=f"{context} tokens")
    axes.set_xlim(1, results["users"][-1])
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_major_formatter("{x:g}")
    return ends


def plot(results: Mapping[str, Any]) -> "Figure":
    """Utilisation over users of each model on the first chip and number of chips."""
    from matplotlib.figure import Figure

    contexts = list(results["rows"])
    by_chip = next(iter(results["rows"][contexts[0]].values()))
    chip, by_ranks = next(iter(by_chip.items()))
    figure = Figure(figsize=(5.8 * len(contexts), 4.4))
    figure.set_layout_engine("constrained", rect=(0, 0, 0.93, 1))
    panels = figure.subplots(1, len(contexts), squeeze=False, sharey=True)[0]
    ends = [_panel(axes, results, it) for axes, it in zip(panels, contexts, strict=True)]
    panels[0].set_ylabel("tensor units busy at peak [% of the step]")
    figure.suptitle(
        f"Tensor utilisation on {next(iter(by_ranks))} xPU-{chip}, with memory for all users"
    )
    figure.draw_without_rendering()
    for axes, places in zip(panels, ends, strict=True):
        name_ends(axes, places, {name: colour(list(places), name) for name in places})
    return figure
