"""A front as a figure: kinds by colour and marker, knees in words, chips that exist in grey.

Lines are staircases: whoever wants less of one objective than a design gives can still have it.
"""

import math
from collections.abc import Sequence
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

from liminal_jax._display import plain
from liminal_jax.optimization.pareto.pareto_front import ParetoFront
from liminal_jax.optimization.pareto.pareto_search import FrontPoint
from liminal_jax.optimization.pareto.separate_fronts import SeparateFront
from liminal_jax.results.words import asked_words, limit_words, workload_words
from liminal_jax.study.file import ConstraintTable, StudyFile
from liminal_jax.study.problem import Criterion
from liminal_jax.study.quantities import NAMED
from liminal_jax.study.write import written

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_MARKERS = "osD^vP"
_GREY = "#8A8A8A"
_CLOSE = 0.05
"""Logarithm within which lines end so close together that they are named together."""

_MARKERS_OF_A_LINE = 12
_ACROSS = ("utps", "tpot")
"""Quantities that go across where they are asked for: what one user sees."""

_UNITS = {"USD": ("USD", 1.0), "W": ("kW", 1e-3), "m2": ("mm2", 1e6), "s": ("ms", 1e3)}
"""Units in which tables and axes show quantities; others as they are."""


def _shown_unit(name: str) -> tuple[str, float]:
    """The unit in which a quantity is shown, and what its value in SI is multiplied by.

    Examples:
        >>> _shown_unit("power")
        ('kW', 0.001)
    """
    unit = NAMED[name].unit
    return _UNITS.get(unit, (unit, 1.0))


def _knee_letters(answer: ParetoFront) -> dict[int, str]:
    """Numbers of the points that are knees, and the letter of each."""
    return dict(zip(answer.knees, ascii_uppercase, strict=False))


_CHIP = {
    "stacks": ("{:g} stacks", 1.0),
    "dies": ("{:g} dies", 1.0),
    "compute_area": ("{:g} mm2 of cores each", 1e6),
    "sram": ("{:g} MB of SRAM each", 1e-6),
    "link_bandwidth": ("links of {:g} GB/s", 1e-9),
    "tier_units": ("{:g} units of the capacity tier", 1.0),
}
_SYSTEM = {
    "domain": "domain of {:g}",
    "chips": "{:g} chips",
    "clock": "clock {:g}",
    "tp": "TP{:g}",
    "cp": "CP{:g}",
    "pp": "PP{:g}",
    "ep": "EP{:g}",
    "attention": "{} attention",
    "attention_ranks": "{:g} ranks share attention",
    "shared_expert_ranks": "{:g} ranks share an expert",
    "batch": "batch {:g}",
}


def _words(point: FrontPoint) -> str:
    """A design in a line: the chip, and how many of them do what."""
    values = written(point.solution.values)
    chip = [
        text.format(round(point.solution.values[name] * scale, 6))
        for name, (text, scale) in _CHIP.items()
        if name in values
    ]
    system = [text.format(values[name]) for name, text in _SYSTEM.items() if name in values]
    return f"{', '.join([point.solution.category, *chip])}; {', '.join(system)}"


def _axis_order(objectives: Sequence[Criterion]) -> list[int]:
    """Numbers of the objectives by axis."""
    return sorted(range(len(objectives)), key=lambda it: objectives[it].name not in _ACROSS)


def _coordinates(
    rows: Sequence[Sequence[float]], objectives: Sequence[Criterion]
) -> list[list[float]]:
    """For each axis the values of all rows, in the units shown; ascending along the first."""
    scaled = sorted(
        [row[it] * _shown_unit(objectives[it].name)[1] for it in _axis_order(objectives)]
        for row in rows
    )
    return [list(column) for column in zip(*scaled, strict=True)]


def _axis_label(objective: Criterion) -> str:
    unit, _ = _shown_unit(objective.name)
    about = NAMED[objective.name].about
    less = "" if objective.maximise else " (less is better)"
    return f"{about}{less}" + (f" [{unit}]" if unit else "")


def _staircase(
    axes: "Axes",
    rows: Sequence[Sequence[float]],
    objectives: Sequence[Criterion],
    **look: Any,
) -> None:
    """What some designs reach in two objectives."""
    across = objectives[_axis_order(objectives)[0]]
    x, y = _coordinates(rows, objectives)
    axes.step(x, y, where="pre" if across.maximise else "post", **look)


def _existing(
    axes: "Axes", fronts: Sequence[SeparateFront], objectives: Sequence[Criterion]
) -> None:
    """Fronts of chips that exist, thin and grey, named where they end."""
    ends: list[tuple[float, float, list[str]]] = []
    for number, front in enumerate(fronts):
        label = "" if number else "chips that exist, each alone"
        _staircase(axes, front.points, objectives, color=_GREY, linewidth=0.7, label=label)
        x, y = (column[-1] for column in _coordinates(front.points, objectives))
        near = [
            names
            for left, low, names in ends
            if max(abs(math.log(x / left)), abs(math.log(y / low))) < _CLOSE
        ]
        if near:
            near[0].append(front.name)
        else:
            ends.append((x, y, [front.name]))
    look = {"textcoords": "offset points", "color": _GREY, "fontsize": 6.5, "va": "center"}
    for x, y, names in ends:
        axes.annotate(", ".join(names), (x, y), (3, 0), **look)


def _limits(axes: "Axes", answer: ParetoFront) -> None:
    """The study's limits on its objectives."""
    file = answer.problem.file
    rows = file.constraints if isinstance(file, StudyFile) else []
    order = _axis_order(answer.objectives)
    for it in rows:
        for axis, number in enumerate(order[:2]):
            if answer.objectives[number].name == it.quantity:
                _limit(axes, it, axis)


def _limit(axes: "Axes", it: ConstraintTable, axis: int) -> None:
    """A dotted line, named on the side that it forbids."""
    unit, scale = _shown_unit(it.quantity)
    floor, at = it.at_least is not None, it.limit * scale
    text = f"{it.quantity} at {'least' if floor else 'most'} {plain(at, 4)} {unit}"
    look = {"textcoords": "offset points", "fontsize": 7}
    if axis == 0:
        axes.axvline(at, color="black", linewidth=0.8, linestyle=":")
        spot, shift, side = (at, 0.02), (-3 if floor else 3, 0), "right" if floor else "left"
        axes.annotate(
            text, spot, shift, ("data", "axes fraction"), rotation=90, ha=side, va="bottom", **look
        )
    else:
        axes.axhline(at, color="black", linewidth=0.8, linestyle=":")
        spot, shift, side = (0.02, at), (0, -3 if floor else 3), "top" if floor else "bottom"
        axes.annotate(text, spot, shift, ("axes fraction", "data"), va=side, **look)


def _look(row: int) -> dict[str, Any]:
    """Colour and marker of a category."""
    return {"color": _COLORS[row % len(_COLORS)], "marker": _MARKERS[row % len(_MARKERS)]}


def _knees(figure: "Figure", axes: "Axes", answer: ParetoFront) -> None:
    """A ring and a letter at each knee; below the axes its design in words."""
    lines = []
    for number, letter in _knee_letters(answer).items():
        point = answer.points[number]
        x, y, *_ = (column[0] for column in _coordinates([point.objectives], answer.objectives))
        axes.plot(x, y, "o", markersize=12, fillstyle="none", color="black", zorder=4)
        axes.annotate(letter, (x, y), (8, 8), textcoords="offset points", weight="bold", fontsize=9)
        lines.append(f"knee {letter}: {_words(point)}")
    if lines:
        figure.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=7)


def _of_category(answer: ParetoFront, name: str) -> list[tuple[float, ...]]:
    return [it.objectives for it in answer.points if it.solution.category == name]


def _two_objectives(
    axes: "Axes",
    answer: ParetoFront,
    kinds: Sequence[SeparateFront],
    existing: Sequence[SeparateFront],
) -> None:
    """The front in full markers, each kind's own front in open ones."""
    _existing(axes, existing, answer.objectives)
    alone = {it.name: it.points for it in kinds}
    for row, name in enumerate(answer.names):
        look = _look(row)
        mine = _of_category(answer, name)
        line = alone.get(name, mine)
        if line:
            every = max(1, len(line) // _MARKERS_OF_A_LINE)
            _staircase(
                axes,
                line,
                answer.objectives,
                **look,
                markerfacecolor="white",
                markersize=3.5,
                markevery=every,
                linewidth=0.9,
                label="" if mine else f"{name} alone, nowhere best",
            )
        if mine:
            x, y = _coordinates(mine, answer.objectives)
            axes.plot(x, y, linestyle="none", markersize=5, label=name, zorder=3, **look)


def _three_objectives(axes: "Axes", answer: ParetoFront) -> None:
    """The third objective by shade, dark where it is low."""
    from matplotlib.colors import LogNorm

    _, _, third = _axis_order(answer.objectives)
    every = _coordinates([it.objectives for it in answer.points], answer.objectives)
    norm = LogNorm(min(every[2]), max(every[2]))
    shaded = None
    for row, name in enumerate(answer.names):
        mine = _of_category(answer, name)
        if not mine:
            continue
        x, y, shade = _coordinates(mine, answer.objectives)
        shaded = axes.scatter(
            x,
            y,
            c=shade,
            norm=norm,
            cmap="cividis",
            marker=_look(row)["marker"],
            s=26,
            edgecolors="black",
            linewidths=0.3,
            label=name,
        )
    if shaded is not None:
        bar = axes.figure.colorbar(shaded, ax=axes, label=_axis_label(answer.objectives[third]))
        _ticked(bar.ax.yaxis)


def _ticked(axis: "Axis") -> None:
    """Plain numbers at few places of each decade, at more where there is hardly one."""
    from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    prefixed = EngFormatter(sep="")
    few, many = (1.0, 2.0, 5.0), (1.0, 1.2, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0)
    axis.set_major_locator(LogLocator(subs=few if high > 10 * low else many))
    axis.set_major_formatter(
        FuncFormatter(
            lambda value, solution: f"{value:g}" if value < 1000 else prefixed(value, solution)
        )
    )
    axis.set_minor_formatter(NullFormatter())


def _titles(figure: "Figure", axes: "Axes", answer: ParetoFront) -> None:
    proof = answer.certificate
    proven = "proven" if proof.complete else "the proof stopped early"
    figure.suptitle(
        f"{answer.problem.file.name}: {len(answer.points):,} designs that none of"
        f" {proof.lattice:,} dominates ({proven})",
        weight="bold",
        x=0.01,
        ha="left",
    )
    file = answer.problem.file
    goals = asked_words([it.asked() for it in answer.objectives])
    question = f"{goals} for {workload_words(file.workload.model_dump())}"
    limits = file.constraints if isinstance(file, StudyFile) else []
    within = limit_words([it.model_dump(exclude_none=True) for it in limits])
    subject = f"\nsubject to {within}" if within else ""
    axes.set_title(f"{question}{subject}", weight="normal", fontsize=7)


def front_figure(
    answer: ParetoFront, kinds: Sequence[SeparateFront], existing: Sequence[SeparateFront]
) -> "Figure":
    """Two objectives against each other; a third one by shade.

    Args:
        answer: A front of at least one point.
        kinds: Fronts of the single categories of the study; drawn for two objectives.
        existing: Fronts of systems that exist; likewise.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 5.2))
    axes = figure.subplots()
    axes.set(xscale="log", yscale="log")
    if len(answer.objectives) == 2:
        _two_objectives(axes, answer, kinds, existing)
    else:
        _three_objectives(axes, answer)
    _limits(axes, answer)
    _knees(figure, axes, answer)
    _ticked(axes.xaxis)
    _ticked(axes.yaxis)
    across, upward = (answer.objectives[it] for it in _axis_order(answer.objectives)[:2])
    axes.set(xlabel=_axis_label(across), ylabel=_axis_label(upward))
    _titles(figure, axes, answer)
    axes.legend(loc="best")
    return figure
