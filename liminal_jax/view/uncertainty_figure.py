"""How sure an answer is, in one figure: who wins, with what, at what regret, and what decides."""

import math
from typing import TYPE_CHECKING

import numpy as np

from liminal_jax.optimization.uncertainty.rank_correlation import chance
from liminal_jax.optimization.uncertainty.result import Standing, Trial, Uncertainty, designs_of
from liminal_jax.results.words import quantity_word, sampled_words
from liminal_jax.study.quantities import NAMED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_INFLUENCES = 8
_BLUE, _ORANGE, _GREY, _PALE = "#0072B2", "#E69F00", "#8A8A8A", "#E4E4E4"
_LINES = {"nominal": ("#D55E00", "-"), "robust": (_BLUE, "--"), "cautious": ("#000000", ":")}
"""Colour and style of the line of each design, told apart in grey too."""

_KEY = "dot: one sample; bar: 5 to 95 %; ring: median;\nstroke: the nominal numbers"
_NAMES = {
    "nominal": "best with the nominal numbers",
    "robust": "least expected regret",
    "cautious": "least worst regret",
}


def _ranked(answer: Uncertainty) -> list[Standing]:
    """Categories from the one that does best to the one that does worst."""
    sign = 1.0 if answer.problem.maximises else -1.0

    def order(it: Standing) -> tuple[float, float]:
        return -it.wins, math.inf if it.objective is None else -sign * it.objective.median

    return sorted(answer.standings, key=order)


def _downwards(axes: "Axes", names: list[str]) -> None:
    """A row for each name, the first on top."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)


def _wins(axes: "Axes", answer: Uncertainty) -> None:
    """How often each category has the best design, and how often none has one."""
    rows = [(it.category, it.wins) for it in _ranked(answer)]
    none = float(np.mean(answer.winners < 0))
    if none > 0:
        rows.append(("none meets\nevery limit", none))
    bars = axes.barh(range(len(rows)), [share * 100 for _, share in rows], color=_BLUE, height=0.5)
    if none > 0:
        bars[-1].set(color="white", edgecolor=_GREY, hatch="///")
    for solution, (_, share) in enumerate(rows):
        spot = (share * 100, solution)
        axes.annotate(f"{share:.0%}", spot, (4, 0), textcoords="offset points", va="center")
    axes.set(xlim=(0, 112), xticks=[0, 25, 50, 75, 100], xlabel="% of the samples")
    kind = answer.problem.region.kind
    axes.set_title(f"How often each {kind} has the best design")
    _downwards(axes, [name for name, _ in rows])


def _objectives(axes: "Axes", answer: Uncertainty) -> None:
    """The best objective of each category over the samples."""
    from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

    rows = _ranked(answer)
    for solution, it in enumerate(rows):
        known = it.objectives[np.isfinite(it.objectives)]
        # The golden ratio keeps dots apart whose values are close.
        heights = solution + 0.14 + 0.24 * (np.argsort(np.argsort(known)) * 0.618 % 1)
        axes.plot(known, heights, ".", color=_GREY, markersize=3.5, markeredgewidth=0)
        if it.objective is None:
            spot = (0.02, solution)
            axes.annotate("never meets the limits", spot, xycoords=("axes fraction", "data"))
        else:
            ends = (it.objective.low, it.objective.high)
            axes.plot(ends, (solution, solution), color=_BLUE, linewidth=3, solid_capstyle="butt")
            axes.plot(it.objective.median, solution, "o", color="white", markeredgecolor=_BLUE)
        if it.thought is not None:
            axes.plot(it.thought, solution, "|", color="black", markersize=15, markeredgewidth=1.5)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.xaxis.set_minor_formatter(NullFormatter())
    unit, name = NAMED[answer.problem.asked].unit, quantity_word(answer.problem.asked)
    axes.set_xlabel(f"{name} [{unit}]\n{_KEY}" if unit else f"{name}\n{_KEY}")
    axes.set_title("What the best design with each reaches")
    _downwards(axes, [it.category for it in rows])


def _steps(trial: Trial) -> tuple[np.ndarray, np.ndarray]:
    """Regrets in ascending order, and the share of all samples at most at each, in per cent."""
    losses = np.sort(trial.losses[np.isfinite(trial.losses)])
    shares = np.arange(len(losses) + 1) / len(trial.losses)
    return np.concatenate([[0.0], losses]) * 100, shares * 100


def _regrets(axes: "Axes", answer: Uncertainty) -> None:
    """Share of the samples in which a design meets every limit and gives away at most so much."""
    curves = {name: _steps(trial) for name, trial in designs_of(answer).items()}
    end = 1.05 * max([1.0, *(losses[-1] for losses, _ in curves.values())])
    for name, (losses, shares) in curves.items():
        label = f"{_NAMES[name]}: breaks a limit in {100 - shares[-1]:.0f} %"
        there, held = np.append(losses, end), np.append(shares, shares[-1])
        color, line = _LINES[name]
        axes.step(there, held, where="post", label=label, color=color, linestyle=line)
    axes.axhline(answer.reliability * 100, color=_GREY, linewidth=0.8)
    note = f"{answer.reliability:.0%} is asked for"
    axes.annotate(
        note, (0, answer.reliability * 100), (2, -9), textcoords="offset points", color=_GREY
    )
    axes.set(
        xlim=(0, end),
        ylim=(0, 103),
        xlabel="regret: % of the best of the sample that the design gives away",
        ylabel="% of the samples",
    )
    if curves:
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2))
    axes.set_title("How often a design meets every limit at so little regret")


def _influences(axes: "Axes", answer: Uncertainty) -> None:
    """Rank correlations of the numbers that the best objective goes with most."""
    known = [it for it in answer.influences if it.optimum is not None]
    shown = sorted(known, key=lambda it: -abs(it.optimum or 0.0))[:_MOST_INFLUENCES]
    if not shown:
        axes.set_axis_off()
        return
    values = [it.optimum or 0.0 for it in shown]
    colors = [_BLUE if value > 0 else _ORANGE for value in values]
    axes.barh(range(len(shown)), values, color=colors, height=0.6)
    limit = chance(len(answer.draws))
    axes.axvspan(-limit, limit, color=_PALE, zorder=0)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set(xlim=(-1, 1), xticks=[-1, -0.5, 0, 0.5, 1])
    axes.set_xlabel("rank correlation with the best objective\ngrey band: may be chance")
    axes.set_title("Which numbers decide")
    _downwards(axes, [sampled_words(it.number.path) for it in shown])


def uncertainty_figure(answer: Uncertainty) -> "Figure":
    """Four panels: wins, objectives by category, regrets, what decides."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 6.6))
    panels = figure.subplots(2, 2)
    _wins(panels[0, 0], answer)
    _objectives(panels[0, 1], answer)
    _regrets(panels[1, 0], answer)
    _influences(panels[1, 1], answer)
    figure.suptitle(
        f"{answer.problem.file.name}: {len(answer.draws.numbers)} uncertain numbers drawn"
        f" {len(answer.draws)} times, the whole search run again each time"
    )
    return figure
