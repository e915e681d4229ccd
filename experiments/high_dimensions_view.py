"""How the results of `high_dimensions` are told and drawn."""

import math
import statistics
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from rich.console import RenderableType

from experiments import drawing as draw
from experiments.claims import Record
from experiments.tables import Column, Table

OURS = "ours"
WON = 1e-3  # gap within which a problem is won

FLOOR, CEILING = 1e-6, 10.0  # gaps of the figure; the ceiling stands for no design at all

LOOKS = {
    OURS: ("black", "-"),
    "ours, differences": ("C0", "--"),
    "local search": ("C0", ":"),
    "CatCMAwM": ("C3", "-"),
    "SciPy DE": ("C1", "-"),
    "pymoo GA": ("C1", "--"),
    "Optuna TPE": ("C4", "-"),
    "nevergrad": ("C4", "--"),
    "random": ("0.55", "-"),
}
"""Colour and dashes of each method."""


def gap(race: Record, best: float, seconds: float = math.inf) -> float:
    """How far a race fell short of the best design after some seconds; infinite without a design.

    Examples:
        >>> race = {"steps": [[1.0, -0.1], [2.0, 0.0]]}
        >>> gap(race, 0.0), round(gap(race, 0.0, 1.5), 4), gap(race, 0.0, 0.5)
        (0.0, 0.1052, inf)
    """
    known = [score for moment, score in race["steps"] if moment <= seconds]
    return max(math.expm1(best - known[-1]), 0.0) if known else math.inf


def median(gaps: Iterable[float]) -> float:
    """The median; infinite where half of them or more are.

    Examples:
        >>> median([2.0, 1.0]), median([math.inf, 1.0, 2.0])
        (1.5, 2.0)
    """
    ordered = sorted(gaps)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else sum(ordered[middle - 1 : middle + 1]) / 2


def _first(results: Record) -> Iterator[tuple[str, Record, list[Any]]]:
    """Each size with what is known of it, and its races of the usual length."""
    for name, size in results["sizes"].items():
        races = [
            it
            for it in results["races"]
            if it["classes"] == size["classes"] and it["seconds"] == results["seconds"]
        ]
        yield name, size, races


def summary(results: Record) -> dict[str, Any]:
    """How many problems there are and how many were won, with median gaps; null for no design.

    The best other method is another one for each problem: the one that came nearest.
    """
    ours, others = [], []
    for _, size, races in _first(results):
        for seed in sorted({it["seed"] for it in races}):
            gaps = {it["method"]: gap(it, size["best"]) for it in races if it["seed"] == seed}
            ours.append(gaps.pop(OURS))
            others.append(min(gaps.values()))
    return {
        "problems": len(ours),
        "won": sum(it <= WON for it in ours),
        "median_gap_ours": _known(median(ours)),
        "median_gap_best_other": _known(median(others)),
    }


def _known(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _percent(number: float) -> str:
    """A gap in per cent.

    Examples:
        >>> _percent(0.0), _percent(0.0123), _percent(3.4567), _percent(math.inf)
        ('0', '1.2 %', '346 %', 'no design')
    """
    if not math.isfinite(number):
        return "no design"
    if number < 1e-9:
        return "0"
    return f"{100 * number:.0f} %" if number >= 0.1 else f"{100 * number:.2g} %"


def _asked(variables: str, size: Record) -> str:
    bound, best = size["bound"], size["best"]
    proof = "no bound"
    if bound is not None:
        open_gap = math.expm1(max(bound - best, 0.0))
        proof = "proven" if open_gap < 1e-9 else f"at most {_percent(open_gap)} from the bound"
    return (
        f"{variables} variables, 10^{size['log10_designs']:.0f} designs: best"
        f" {size['quantity']} {size['objective']:.5g}, {proof}"
    )


def _medians(races: Sequence[Record], best: float) -> Record:
    """Gaps of a method over its seeds; medians of designs judged and of seconds."""
    gaps = sorted(gap(it, best) for it in races)
    evaluations = [it["evaluations"] for it in races if it["evaluations"]]
    return {
        "best": gaps[0],
        "median": median(gaps),
        "worst": gaps[-1],
        "designs": statistics.median(evaluations) if evaluations else None,
        "near": median(_reached(it, best) for it in races),
        "proven": median(it["proof"] or math.inf for it in races),
    }


def _finite(number: float) -> str:
    return f"{number:.3g}" if math.isfinite(number) else "-"


TABLE = Table(
    "method",
    [
        *(Column(it, it, _percent) for it in ("best", "median", "worst")),
        Column("designs", "designs", "{:,.0f}"),
        Column("s to 1 %", "near", _finite),
        Column("proven s", "proven", _finite),
    ],
)


def report(results: Record) -> list[RenderableType]:
    """For each size the gaps of each method when its races end, and when ours were there."""
    parts: list[RenderableType] = []
    for variables, size, races in _first(results):
        by_method = {
            name: _medians([it for it in races if it["method"] == name], size["best"])
            for name in results["methods"]
        }
        parts += [_asked(variables, size), TABLE.of(by_method)]
    parts += list(_longer(results))
    return [*parts, *(f"{name}: {about}." for name, about in results["methods"].items())]


def _reached(race: Record, best: float) -> float:
    """Seconds until a race came within 1 %."""
    return next((s for s, score in race["steps"] if math.expm1(best - score) <= 0.01), math.inf)


def _longer(results: Record) -> Iterator[str]:
    sizes = {it["classes"]: (name, it["best"]) for name, it in results["sizes"].items()}
    for it in results["races"]:
        if it["seconds"] != results["seconds"]:
            variables, best = sizes[it["classes"]]
            yield (
                f"{variables} variables, {it['seconds']:g} s, seed {it['seed']}:"
                f" {it['method']} {_percent(gap(it, best))}"
            )


def _drawn(value: float) -> float:
    return min(max(value, FLOOR), CEILING)


def _panel(axes: draw.Axes, results: Record, size: Record, races: Any) -> None:
    moments = np.geomspace(1.0, results["seconds"], 200)
    for name in (it for it in LOOKS if it in results["methods"]):
        mine = [it for it in races if it["method"] == name]
        colour, dashes = LOOKS[name]
        rows = [[_drawn(gap(it, size["best"], at)) for it in mine] for at in moments.tolist()]
        middle = [median(it) for it in rows]
        axes.step(moments, middle, dashes, where="post", color=colour, label=name)
        low, high = [min(it) for it in rows], [max(it) for it in rows]
        axes.fill_between(moments, low, high, step="post", color=colour, alpha=0.12, linewidth=0)
    if size["bound"] is not None:
        open_gap = _drawn(math.expm1(max(size["bound"] - size["best"], 0.0)))
        axes.axhline(open_gap, color="C2", linewidth=1.5, linestyle="-.", label="bound")
    axes.set(xscale="log", yscale="log", ylim=(FLOOR / 2, 1.5 * CEILING))
    axes.set_yticks([FLOOR, 1e-4, 1e-2, 1, CEILING], ["0", "0.01 %", "1 %", "100 %", "none"])
    axes.minorticks_off()


def plot(results: Record) -> draw.Figure:
    """Gap over seconds at each size: median and range over the seeds, and what the bound leaves."""
    count = len(results["sizes"])
    figure, (panels,) = draw.sheet(1, count, (3.4 * count, 4.2), sharey=True)
    for axes, (variables, size, races) in zip(panels, _first(results), strict=True):
        _panel(axes, results, size, races)
        axes.set_title(f"{variables} variables")
        axes.set_xlabel("seconds, cold")
    panels[0].set_ylabel("gap to the best design")
    handles = {
        label: handle
        for axes in panels
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        list(handles.values()), list(handles), loc="outside lower center", ncols=6, handlelength=3
    )
    return figure
