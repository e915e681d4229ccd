"""The front of a sweep as a figure."""

from typing import TYPE_CHECKING, Any

from liminal_jax.results.sweep_points import goal_of, shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def sweep_figure(record: dict[str, Any]) -> "Figure":
    """The points of the front in its first two goals, by the first name or category they differ in.

    Args:
        record: The outcome of a sweep with at least two goals and a front.
    """
    from matplotlib.figure import Figure

    across, up = (goal_of(it) for it in record["goals"][1::-1])
    figure = Figure(figsize=(7.0, 4.2), layout="constrained")
    axes = figure.subplots()
    for label, rows in _groups(record).items():
        places = [[row["outputs"][name] * shown(name)[1] for row in rows] for name in (across, up)]
        axes.plot(*places, "o", markersize=4, label=label)
    axes.set(xscale="log", yscale="log", xlabel=_label(across), ylabel=_label(up))
    axes.set_title(
        f"{record['study']}: the best of {record['points']:,} designs", loc="left", fontsize=10
    )
    if any(_groups(record)):
        axes.legend(frameon=False)
    return figure


def _label(name: str) -> str:
    unit, _ = shown(name)
    words = name.replace("_", " ")
    return f"{words} [{unit}]" if unit else words


def _groups(record: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Points by the name in which they differ; all together where there is none."""
    path = next(iter(record["names"]), None)
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in record["front"]:
        groups.setdefault("" if path is None else row[path], []).append(row)
    return groups
