"""How the results of `hand_check` are told and drawn."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from experiments import claims

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DEGREES = ("tp", "cp", "pp", "ep")

TIMES = {
    "compute_time": ("C0", "arithmetic"),
    "memory_time": ("C1", "memory"),
    "exposed_time": ("C2", "waiting"),
    "step_time": ("black", "step"),
}
"""Colour and name of each time that is drawn."""

LEAST = 1e-17
"""Where a deviation of none is drawn."""


def summary(results: Mapping[str, Any]) -> dict[str, Any]:
    """How many designs agree, and the verdict."""
    cases = results["cases"].values()
    agreed = sum(it["agrees"] for it in cases)
    return {"designs": len(cases), "agreed": agreed, **claims.summary(results)}


def _counted(count: int, name: str) -> str:
    return f"{count} {name}{'' if count == 1 else 's'}"


def _hardware(design: Mapping[str, Any]) -> str:
    """The system, or the dies and stacks of a plan."""
    if "system" in design:
        return design["system"]
    stacks = _counted(design["stacks"], "stack")
    return f"{_counted(design['dies'], 'die')} with {stacks} of {design['memory']}"


def _mapping(design: Mapping[str, Any]) -> str:
    """Degrees, how attention is shared, and users.

    Examples:
        >>> _mapping({"tp": 8, "ep": 8, "batch": 64})
        'tp8 ep8, 64 users'
        >>> _mapping({"tp": 2, "attention": "copied-heads"})
        'tp2 copied-heads, 1 user'
    """
    degrees = [f"{it}{design[it]}" for it in DEGREES if it in design]
    words = [*degrees, *([design["attention"]] if "attention" in design else [])]
    return f"{' '.join(words) or 'one chip'}, {_counted(design.get('batch', 1), 'user')}"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.6g}"


def _deviation(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.0e}"


def _overview(cases: Mapping[str, Any]) -> Table:
    """One row a design, with the quantity that differs most."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), collapse_padding=True)
    table.add_column("design", no_wrap=True)
    table.add_column("model, hardware and mapping", overflow="fold")
    table.add_column("step [ms]", justify="right", no_wrap=True)
    table.add_column("worst", no_wrap=True)
    table.add_column("off", justify="right", no_wrap=True)
    for name, case in cases.items():
        design, step = case["design"], case["quantities"]["step_time"]["hand"]
        table.add_row(
            name,
            f"{case['workload']['model']} on {_hardware(design)}, {_mapping(design)}",
            "unknown" if step is None else f"{step * 1e3:.4g}",
            case["worst"],
            _deviation(case["deviation"]),
        )
    return table


def _quantities(case: Mapping[str, Any]) -> Table:
    """Every quantity of one design beside the package's."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("quantity", no_wrap=True)
    for heading in ("by hand", "package", "off"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, it in case["quantities"].items():
        hand, package = (_number(it[side]) for side in ("hand", "package"))
        table.add_row(name, hand, package, _deviation(it["deviation"]))
    return table


def _sections(terms: Sequence[Mapping[str, Any]]) -> list[RenderableType]:
    """Every term of one design, section by section."""
    parts: list[RenderableType] = []
    for section, its in groupby(terms, key=lambda it: it["section"]):
        table = Table(box=None, padding=(0, 1, 0, 0), show_header=False)
        table.add_column(no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for it in its:
            table.add_row(it["name"], _number(it["value"]), it["unit"], it["how"])
        parts += [Text(f"{section}\n", style="bold"), table, Text()]
    return parts


def report(results: Mapping[str, Any]) -> list[RenderableType]:
    """A row for each design; of a single one that is asked for, every term."""
    cases, asked = results["cases"], results["design"]
    if asked is None:
        return [_overview(cases)]
    case = cases[asked]
    return [*_sections(case["terms"]), _quantities(case)]


def _times(axes: "Axes", cases: Mapping[str, Any]) -> None:
    """The times of each design that are known."""
    for quantity, (colour, name) in TIMES.items():
        known = {
            place: value * 1e3
            for place, case in enumerate(cases.values())
            if (value := case["quantities"][quantity]["hand"])
        }
        mark = "|" if quantity == "step_time" else "o"
        axes.plot(list(known.values()), list(known), mark, color=colour, label=name, ms=5, mew=1.5)


def plot(results: Mapping[str, Any]) -> "Figure":
    """Left the times of each design, right how far its worst quantity is off."""
    from matplotlib.figure import Figure

    cases = results["cases"]
    figure = Figure(figsize=(9.5, 1.4 + 0.21 * len(cases)))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    _times(left, cases)
    left.set(xscale="log", xlabel="Time of a step, by hand [ms]")
    left.set_yticks(range(len(cases)), list(cases))
    left.invert_yaxis()
    left.legend(loc="lower right", fontsize=7)
    off = [max(it["deviation"] or 0.0, LEAST) for it in cases.values()]
    right.plot(off, range(len(cases)), "o", color="C3", ms=4)
    right.axvline(results["tolerance"], color="black", linestyle="--", linewidth=1)
    right.set(xscale="log", xlabel="Largest deviation of any quantity [-]", xlim=(LEAST / 2, 1))
    figure.suptitle("Worked out by hand, and predicted; dashed: as much as may differ")
    return figure
