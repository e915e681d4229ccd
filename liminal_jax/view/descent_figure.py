"""How a design was found and proven: descents step by step, the snap, and the proof closing."""

from typing import TYPE_CHECKING

import numpy as np

from liminal_jax.optimization.search.best_design import Finding
from liminal_jax.results.words import quantity
from liminal_jax.study.quantities import NAMED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_START, _BEST, _BOUND, _KNOWN = "#B9C7D3", "#0072B2", "#D55E00", "#009E73"
_MOST = 2.0
"""Logarithm of the objective around the answer that is shown: starts begin far off."""


def descent_figure(finding: Finding) -> "Figure":
    """Objective, violation and temperature of all starts over steps; bound and best over seconds.

    Args:
        finding: What was found; by gradients, or by both.
    """
    from matplotlib import pyplot

    figure, axes = pyplot.subplot_mosaic(
        [["objective", "proof"], ["violation", "proof"], ["temperature", "proof"]],
        figsize=(9.0, 5.4),
        height_ratios=[3.0, 1.4, 0.8],
    )
    _objective(axes["objective"], finding)
    _violation(axes["violation"], finding)
    _temperature(axes["temperature"], finding)
    _proof(axes["proof"], finding)
    for name in ("objective", "violation"):
        axes[name].sharex(axes["temperature"])
        axes[name].tick_params(labelbottom=False)
    axes["proof"].sharey(axes["objective"])
    name = finding.problem.goal.name
    answer = f"{finding.problem.name}: {name} {_words(finding)}, {_proven(finding)}"
    figure.suptitle(answer, x=0.01, ha="left")
    return figure


def _words(finding: Finding) -> str:
    goal = finding.problem.goal
    unit = NAMED[goal.name].unit if goal.name in NAMED else goal.unit
    return quantity(goal.name, finding.objective, unit)


def _proven(finding: Finding) -> str:
    if finding.certificate.relative_gap is None:
        return "not proven"
    gap = finding.certificate.relative_gap
    return f"proven within {gap:.1%}" if gap else "proven to be the best"


def _objectives(finding: Finding, scores: np.ndarray) -> np.ndarray:
    return np.exp(scores if finding.problem.maximises else -scores)


def _objective(axes: "Axes", finding: Finding) -> None:
    found = finding.gradients
    axes.set(yscale="log", ylabel=finding.problem.goal.name, title="descents of the soft model")
    around = np.exp(np.array([-1.0, 1.0]) * _MOST) * finding.objective
    if found is not None:
        steps, best = np.arange(len(found.ends.history.score)), found.ends.best()
        values = _objectives(finding, found.ends.history.score)
        label = f"{values.shape[1]} starts"
        axes.plot(steps, values, color=_START, linewidth=0.5)
        axes.plot([], [], color=_START, label=label)
        axes.plot(steps, values[:, best], color=_BEST, label="the best of them")
        marks = (("snapped", found.snapped, "s"), ("polished", found.polished, "D"))
        for place, (word, it, marker) in enumerate(marks, start=1):
            if it is None or not np.isfinite(it.objective):
                continue
            filled = _BEST if it.feasible else "white"
            over = "" if it.feasible else ", exceeds a limit"
            axes.plot(
                len(steps) * (1 + 0.04 * place),
                it.objective,
                marker,
                color=_BEST,
                markerfacecolor=filled,
                markersize=5,
                label=word + over,
                clip_on=False,
            )
        axes.legend(loc="lower right", fontsize=7)
    axes.axhline(finding.objective, color="black", linewidth=0.7, linestyle=":")
    axes.set_ylim(*around)


def _violation(axes: "Axes", finding: Finding) -> None:
    axes.set(ylabel="worst limit\nexceeded [%]", yscale="symlog", ylim=(0, 1e4))
    if finding.gradients is None:
        return
    ends = finding.gradients.ends
    excess = 100 * np.expm1(np.clip(ends.history.violation, 0.0, 20.0))
    axes.set_yscale("symlog", linthresh=0.1)
    axes.plot(excess, color=_START, linewidth=0.5)
    axes.plot(excess[:, ends.best()], color=_BEST)


def _temperature(axes: "Axes", finding: Finding) -> None:
    axes.set(xlabel="step", ylabel="temperature", yscale="log")
    if finding.gradients is not None:
        axes.plot(finding.gradients.ends.history.temperature, color="black", drawstyle="steps-post")


def _proof(axes: "Axes", finding: Finding) -> None:
    closing = finding.closing
    axes.set(yscale="log", xlabel="seconds of the proof", title="the proof closing")
    if not closing.seconds:
        axes.text(0.5, 0.5, "no proof", transform=axes.transAxes, ha="center")
        return
    axes.step(closing.seconds, closing.bound, where="post", color=_BOUND, label="bound")
    axes.step(closing.seconds, closing.incumbent, where="post", color=_KNOWN, label="best known")
    axes.fill_between(
        closing.seconds, closing.incumbent, closing.bound, step="post", color=_BOUND, alpha=0.08
    )
    axes.axhline(finding.objective, color="black", linewidth=0.7, linestyle=":")
    axes.legend(loc="upper right", fontsize=7)
