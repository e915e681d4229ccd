"""How the results of `optimisers` are told and drawn."""

import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from rich import box
from rich.console import RenderableType
from rich.table import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OPTIMIZE = "optimize"
PROOF = "proof alone"

FLOOR = 1e-6
"""Least gap of the figure; the optimum itself is drawn there."""


NO_DESIGN = 20.0
"""Gap of the figure that stands for no feasible design at all."""

REACHED = 1e-9
"""Gap of a method that has found the optimum."""


class Look(NamedTuple):
    """How a method is drawn.

    Attributes:
        colour: Colour of its line.
        line: Dashes of its line.
        mark: Shape of its marks.
        width: Width of its line.
    """

    colour: str
    line: Literal["-", "--", ":"]
    mark: str
    width: float


LOOKS = {
    OPTIMIZE: Look("black", "-", "*", 2.2),
    PROOF: Look("black", "--", "D", 2.2),
    "descents": Look("C0", "-", "^", 1.6),
    "descents in turn": Look("C0", "--", "<", 1.6),
    "climbs": Look("C0", ":", "v", 1.6),
    "SciPy DE": Look("C3", "-", "o", 1.1),
    "pymoo GA": Look("C3", "--", "s", 1.1),
    "CatCMAwM": Look("C3", ":", "P", 1.1),
    "Optuna CMA-ES": Look("C1", "-", "X", 1.1),
    "Optuna NSGA-II": Look("C1", "--", "h", 1.1),
    "Optuna TPE": Look("C1", ":", "p", 1.1),
    "random": Look("0.55", "-", "d", 1.1),
}
"""Ours in black, its parts in blue, others in light colours; told apart by dashes and marks too."""


def median(races: Sequence[Mapping[str, Any]], goal: str, amount: str) -> float:
    """Median over all races of what it took to reach a goal; infinite if most never did."""
    return statistics.median(it[goal][amount] if it[goal] else math.inf for it in races)


def _count(races: Sequence[Mapping[str, Any]], goal: str) -> int:
    return sum(race[goal] is not None for race in races)


def _cold(method: Mapping[str, Any], entry: Mapping[str, Any]) -> float:
    """Seconds to 1 % from nothing: setup and the median of the races, or measured at once."""
    if method["prepared"]:
        return entry["setup"] + median(entry["races"], "near", "seconds")
    return median([entry["first"]], "near", "seconds")


def _warm_times(entry: Mapping[str, Any]) -> list[float]:
    """Seconds to 1 % of the races that came there."""
    return [race["near"]["seconds"] for race in entry["races"] if race["near"]]


def _cold_times(entry: Mapping[str, Any]) -> list[float]:
    """The same with the setup."""
    return [entry["setup"] + seconds for seconds in _warm_times(entry)]


def _others(results: Mapping[str, Any], study: str) -> dict[str, Mapping[str, Any]]:
    """What methods did that are not ours."""
    races = results["races"][study]
    return {name: races[name] for name, it in results["methods"].items() if not it["ours"]}


def _sooner(
    results: Mapping[str, Any],
    study: str,
    times: Callable[[Mapping[str, Any]], list[float]],
    seconds: float,
) -> str:
    """Which methods of others came within 1 % sooner than that, and in how many of their races."""
    found = []
    for name, entry in _others(results, study).items():
        early = sum(time < seconds for time in times(entry))
        if early:
            found.append(f"{name} {early} of {len(entry['races'])}")
    return ", ".join(found) or "none"


def _early(results: Mapping[str, Any], study: str) -> Iterator[str]:
    """For each of ours that proves: how many races of others came within 1 % sooner."""
    for name in (OPTIMIZE, PROOF):
        if name not in results["methods"]:
            continue
        entry = results["races"][study][name]
        seconds = median(entry["races"], "near", "seconds")
        others = _others(results, study).values()
        races = sum(len(it["races"]) for it in others)
        early = sum(time < seconds for it in others for time in _warm_times(it))
        sooner = f"{early} of {races} races of others within 1 % sooner than {name}"
        yield f"{sooner}: {_seconds(seconds)}"


def compared(results: Mapping[str, Any], study: str) -> Iterator[str]:
    """For each of ours that proves: who else came within 1 % sooner, warm and cold."""
    for name in (OPTIMIZE, PROOF):
        if name not in results["methods"]:
            continue
        method, entry = results["methods"][name], results["races"][study][name]
        warm, cold = median(entry["races"], "near", "seconds"), _cold(method, entry)
        yield (
            f"sooner within 1 % than {name}, warm ({_seconds(warm)}):"
            f" {_sooner(results, study, _warm_times, warm)}"
        )
        yield (
            f"sooner within 1 % than {name}, cold ({_seconds(cold)}):"
            f" {_sooner(results, study, _cold_times, cold)}"
        )


def _seconds(value: float) -> str:
    """Seconds in two digits; a dash for never.

    Examples:
        >>> _seconds(0.01234), _seconds(12.34), _seconds(math.inf)
        ('0.012 s', '12 s', '-')
    """
    return f"{_short(value)} s" if math.isfinite(value) else "-"


def _short(value: float) -> str:
    """A number in two digits or more; a dash for what never came.

    Examples:
        >>> _short(0.01234), _short(12.34), _short(123456), _short(math.inf)
        ('0.012', '12', '123,456', '-')
    """
    if not math.isfinite(value):
        return "-"
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _gap(value: float | None) -> str:
    """A gap in per cent.

    Examples:
        >>> _gap(0.0), _gap(0.1234), _gap(3e-5), _gap(None)
        ('0', '12 %', '0.003 %', 'no design')
    """
    if value is None:
        return "no design"
    return "0" if value <= REACHED else f"{_short(100 * value)} %"


def _worst(entry: Mapping[str, Any]) -> float | None:
    gaps = [race["gap"] for race in entry["races"]]
    return None if None in gaps else max(gaps)


def summary(results: Mapping[str, Any]) -> dict[str, Any]:
    """Races of each method, and how many came within 1 %, to the optimum, and to its proof."""
    entries = {
        name: [results["races"][study][name] for study in results["studies"]]
        for name in results["methods"]
    }
    races = {name: [race for it in rows for race in it["races"]] for name, rows in entries.items()}
    return {
        name: {
            "races": len(runs),
            "near": _count(runs, "near"),
            "there": _count(runs, "there"),
            "proven": _count(runs, "proof"),
        }
        for name, runs in races.items()
    }


def _table(results: Mapping[str, Any], study: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1), collapse_padding=True)
    table.add_column("method", no_wrap=True)
    headings = (
        "races",
        "1 %",
        "evals",
        "s",
        "cold s",
        "best",
        "evals",
        "s",
        "worst",
        "proven s",
        "setup s",
    )
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for name, method in results["methods"].items():
        entry = results["races"][study][name]
        races = entry["races"]
        proofs = [race["proof"] or math.inf for race in races]
        table.add_row(
            name,
            str(len(races)),
            str(_count(races, "near")),
            _short(median(races, "near", "evaluations")),
            _short(median(races, "near", "seconds")),
            _short(_cold(method, entry)),
            str(_count(races, "there")),
            _short(median(races, "there", "evaluations")),
            _short(median(races, "there", "seconds")),
            _gap(_worst(entry)),
            _short(statistics.median(proofs)),
            _short(entry["setup"]) if method["prepared"] else "-",
        )
    return table


def _asked(results: Mapping[str, Any], study: str) -> str:
    it = results["studies"][study]
    kinds = "memories" if it["categories"] > 1 else "memory"
    return (
        f"{study}: {it['designs']:.1e} designs of {it['variables']} free variables and"
        f" {it['categories']} {kinds}; the best {it['quantity']} is {it['objective']:.5g}"
    )


def _findings(results: Mapping[str, Any]) -> Iterator[str]:
    for name, counts in summary(results).items():
        yield (
            f"{name}: of {counts['races']} races {counts['near']} within 1 %,"
            f" {counts['there']} at the optimum, {counts['proven']} proven;"
            f" {results['methods'][name]['about']}."
        )


def report(results: Mapping[str, Any]) -> list[RenderableType]:
    """A table for each study, who was sooner, and how each method did over all studies."""
    parts: list[RenderableType] = [
        "Races within 1 % of the proven optimum and at it (best); median evaluations and seconds of"
        " all races until then, a dash where most never came there; worst gap at the end."
    ]
    for study in results["studies"]:
        parts += [_asked(results, study), _table(results, study), *compared(results, study), ""]
    return [*parts, *_findings(results)]


def _line(axes: "Axes", moments: Sequence[float], entry: Mapping[str, Any], look: Look) -> None:
    """Median over the seeds, marked where the races end."""
    known = [at for at, gap in enumerate(entry["median"]) if gap is not None]
    if not known:
        return
    times = [moments[at] for at in known]
    gaps = [max(entry["median"][at], FLOOR) for at in known]
    axes.step(
        times,
        gaps,
        look.line,
        where="post",
        color=look.colour,
        linewidth=look.width,
        zorder=2 + look.width,
    )
    axes.plot(times[-1], gaps[-1], look.mark, color=look.colour, markersize=5, zorder=5)


def _ring(axes: "Axes", entry: Mapping[str, Any], look: Look) -> None:
    """The median moment of proof."""
    moment = statistics.median(race["proof"] or math.inf for race in entry["races"])
    if math.isfinite(moment):
        axes.plot(moment, FLOOR, "o", markersize=11, mfc="none", mec=look.colour, zorder=6)


def _range(axes: "Axes", place: int, entry: Mapping[str, Any], look: Look) -> None:
    """Median and range over the seeds at the end."""
    gaps = [NO_DESIGN if race["gap"] is None else race["gap"] for race in entry["races"]]
    low, middle, high = (max(it, FLOOR) for it in (min(gaps), statistics.median(gaps), max(gaps)))
    axes.plot([place, place], [low, high], color=look.colour, linewidth=look.width)
    axes.plot(place, middle, look.mark, color=look.colour, markersize=5)


def _panel(axes: "Axes", ends: "Axes", results: Mapping[str, Any], study: str) -> None:
    names = [name for name in LOOKS if name in results["methods"]]
    for place, name in enumerate(names):
        entry = results["races"][study][name]
        _line(axes, results["moments"], entry, LOOKS[name])
        _ring(axes, entry, LOOKS[name])
        _range(ends, place, entry, LOOKS[name])
    axes.set(xscale="log", yscale="log", xlim=(1e-2, 60), ylim=(FLOOR / 2, NO_DESIGN))
    axes.set_yticks([FLOOR, 1e-4, 1e-2, 1], ["0", "0.01 %", "1 %", "100 %"])
    axes.minorticks_off()
    axes.set_title(study)
    axes.set_xlabel("\n".join(["seconds, warm", *_early(results, study)]))
    ends.set(xlim=(-0.7, len(names) - 0.3), xticks=[], xlabel="at the end")
    ends.tick_params(labelleft=False)


def plot(results: Mapping[str, Any]) -> "Figure":
    """Gap against time, a panel for each study, and beside it where the races end."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    studies = list(results["studies"])
    columns = min(len(studies), 3)
    rows = math.ceil(len(studies) / columns)
    figure = Figure(figsize=(5.4 * columns, 4.4 * rows + 1))
    ratios = [3, 1] * columns
    panels = figure.subplots(rows, 2 * columns, squeeze=False, sharey=True, width_ratios=ratios)
    for number, study in enumerate(studies):
        row, column = divmod(number, columns)
        _panel(panels[row, 2 * column], panels[row, 2 * column + 1], results, study)
    for axes in panels[:, 0]:
        axes.set_ylabel("gap to the proven optimum")
    figure.suptitle(
        "Best design known after so many seconds, median over the seeds, a ring where the optimum"
        " is proven; at the right median and range over the seeds when the races end"
    )
    looks = {name: look for name, look in LOOKS.items() if name in results["methods"]}
    handles = [
        Line2D([], [], color=it.colour, linestyle=it.line, marker=it.mark, linewidth=it.width)
        for it in looks.values()
    ]
    figure.legend(handles, list(looks), loc="outside lower center", ncols=6, handlelength=4)
    return figure
