"""How sure an answer is, on one screen."""

import math

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from liminal_jax._display import per_cent
from liminal_jax.optimization.uncertainty.analysis import (
    Regret,
    Spread,
    Standing,
    Trial,
    Uncertainty,
)
from liminal_jax.optimization.uncertainty.rank_correlation import Influence, chance
from liminal_jax.optimization.uncertainty.record import designs_of
from liminal_jax.study.quantities import QUANTITIES
from liminal_jax.view.answer import asked, quantity, section, words

_MOST_INFLUENCES = 10
_MOST_BREACHES = 4

TITLES = {
    "nominal": "best with the numbers as they are thought to be",
    "robust": "least expected regret",
    "cautious": "least worst regret",
}
"""What each design that was singled out is, by the name of its file."""


def ranked(answer: Uncertainty) -> list[Standing]:
    """Categories from the one that does best to the one that does worst."""
    sign = 1.0 if answer.problem.maximises else -1.0

    def order(it: Standing) -> tuple[float, float]:
        return -it.wins, math.inf if it.objective is None else -sign * it.objective.median

    return sorted(answer.standings, key=order)


def _value(answer: Uncertainty, value: float) -> str:
    name = answer.problem.asked
    return quantity(name, value, QUANTITIES[name].unit)


def _spread(answer: Uncertainty, it: Spread | None) -> str:
    """Three quantiles, with the unit once where it is the same."""
    if it is None:
        return "never meets the limits"
    low, median, high = (_value(answer, value) for value in (it.low, it.median, it.high))
    unit = " " + high.partition(" ")[2]
    return f"{low.removesuffix(unit)} .. {median.removesuffix(unit)} .. {high}"


def _how(answer: Uncertainty) -> str:
    count = len(answer.draws)
    proofs = "all" if answer.proven == count else f"{answer.proven} of {count}"
    return (
        f"{len(answer.draws.numbers)} numbers with a range, drawn {count} times at once;"
        f" best designs of {proofs} samples proven among {answer.problem.lattice:,} designs"
    )


def _standings(answer: Uncertainty) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("", no_wrap=True)
    for title in ("wins", "feasible", "5 .. 50 .. 95 % of the samples", "as thought"):
        table.add_column(title, justify="right", no_wrap=True)
    for it in ranked(answer):
        thought = "-" if it.thought is None else _value(answer, it.thought)
        shares = (per_cent(it.wins), per_cent(it.feasible))
        table.add_row(it.category, *shares, _spread(answer, it.objective), thought)
    solvable = sum(it.wins for it in answer.standings)
    thought = "-" if answer.thought is None else _value(answer, answer.thought)
    table.add_row("best of all", "", per_cent(solvable), _spread(answer, answer.optimum), thought)
    return table


def _breaches(trial: Trial) -> str:
    parts = [
        f"{it.constraint} in {per_cent(it.share)} (by {per_cent(it.typical)})"
        for it in trial.breaches[:_MOST_BREACHES]
    ]
    more = len(trial.breaches) - _MOST_BREACHES
    return ", ".join(parts) + (f", {more} others" if more > 0 else "")


def _regret(it: Regret | None, samples: int) -> str:
    """Regret over the samples in which a design meets the limits, of which there are so many."""
    if it is None:
        return "none to speak of: it breaks a limit in every sample"
    return (
        f"{per_cent(it.mean)} of the best in the mean, {per_cent(it.median)} in half,"
        f" {per_cent(it.worst)} at worst, over the {samples} samples in which it meets the limits"
    )


def _trial(answer: Uncertainty, trial: Trial) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_row("design", f"{trial.category}, {words(trial.values)}")
    table.add_row(answer.problem.asked, _spread(answer, trial.objective))
    table.add_row(
        "meets limits",
        f"in {per_cent(trial.meets)} of the samples,"
        f" {per_cent(trial.meets_fresh)} of {answer.fresh:,} fresh ones",
    )
    if trial.breaches:
        table.add_row("breaks", _breaches(trial))
    table.add_row("regret", _regret(trial.regret, int(np.isfinite(trial.losses).sum())))
    return table


def _title(answer: Uncertainty, name: str) -> str:
    if name == "nominal":
        return f"nominal: {TITLES[name]}"
    return (
        f"{name}: {TITLES[name]} among the designs that meet the limits in"
        f" {per_cent(answer.reliability)} of the samples"
    )


def _design(trial: Trial) -> tuple[str, dict[str, float]]:
    return trial.category, trial.values


def _robust(answer: Uncertainty, name: str, trial: Trial | None) -> RenderableType:
    if trial is None:
        return section(_title(answer, name), Text("none: no design ever meets the limits"))
    found = designs_of(answer)
    same = next(it for it in found if _design(found[it]) == _design(trial))
    if same != name:
        return section(_title(answer, name), Text(f"the same design as {same}, above"))
    short = name != "nominal" and trial.meets < answer.reliability
    note = [Text("no design that was tried is so reliable; this comes nearest")] if short else []
    return section(_title(answer, name), Group(*note, _trial(answer, trial)))


def _correlation(value: float | None) -> str:
    return "-" if value is None else f"{value:+.2f}"


def _wins(it: Influence) -> str:
    """The category whose wins go most with the number."""
    known = {name: value for name, value in it.wins.items() if value is not None}
    if not known:
        return "-"
    name = max(known, key=lambda name: abs(known[name]))
    return f"{known[name]:+.2f} {name}"


def _influences(answer: Uncertainty) -> Group:
    table = Table(box=None, padding=(0, 3, 0, 0), pad_edge=False)
    table.add_column("rank correlation of")
    table.add_column("with the best", justify="right")
    table.add_column("with who wins")
    for it in answer.influences[:_MOST_INFLUENCES]:
        table.add_row(it.number.path, _correlation(it.optimum), _wins(it))
    limit = chance(len(answer.draws))
    return Group(table, Text(f"below {limit:.2f} either way it may be chance", style="dim"))


def uncertainty_view(answer: Uncertainty, folder: str) -> RenderableType:
    """The screen that `liminal uncertainty` prints."""
    title = f"who wins, and with what {answer.problem.asked}"
    parts: list[RenderableType] = [
        asked(answer.problem),
        Text(_how(answer)),
        section(title, _standings(answer)),
    ]
    if answer.nominal is None:
        missing = "no design meets every limit with the numbers as they are thought to be"
        parts += ["", Text(missing, style="bold")]
    else:
        parts.append(_robust(answer, "nominal", answer.nominal))
    parts.append(_robust(answer, "robust", answer.robust))
    parts.append(_robust(answer, "cautious", answer.cautious))
    parts += [
        Text(
            f"  best of the {answer.candidates:,} designs tried under every sample; not proven",
            style="dim",
        ),
        section("what decides", _influences(answer)),
        "",
        Text(f"{sum(answer.seconds.values()):.0f} s; written to {folder}"),
    ]
    if answer.robust is not None:
        parts.append(Text(f"next: liminal predict -c {folder}/designs/robust.toml"))
    return Group(*parts)
