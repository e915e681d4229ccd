"""How near does an evolutionary search come to a front that is proven?

The claim to be tested: `liminal pareto` returns the whole front of a study, with proof, before
NSGA-II (pymoo, a population of 200, whole numbers by rounding repair, limits as constraints) has
found all of it in ten times the seconds.

Both have the same exact model and the same lattice. Ours is timed from the study to the last box,
tracing included. NSGA-II is served by a compiled function of a population, and its compiling is
not counted; of its designs every nondominated one ever evaluated counts, not its last population
alone. Seconds are those of the processor, of all threads together, so that it makes no difference
what else the machine does.

The hypervolume is that of the logarithms of the objectives, with its reference a tenth of each
objective's range on the exact front below the worst value there. What a search misses is the share
of the exact front's hypervolume that it lacks. What it is off by is the least factor by which all
its objectives must grow for every design of the exact front to be matched, less one: our
certificate says 0.
"""

import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import moocore
import numpy as np
from jaxtyping import Float
from rich.console import RenderableType
from typing_extensions import override

import liminal_jax as ll
from experiments import drawing as draw
from experiments.claims import Record
from experiments.rivals.nondominated import Nondominated
from experiments.rivals.processes import fresh_processes
from experiments.roots import or_none
from experiments.runner import Experiment, main
from experiments.tables import Column, Table
from liminal_jax.optimization.pareto.pareto_search import FrontAnswer, pareto
from liminal_jax.study.problem import Criterion
from liminal_jax.study.questions import load_study
from liminal_jax.study.read import criterion_of

SAME = 1e-9  # logarithm up to which two values are the same: the error of evaluating the model
NEAR = 0.01  # share of the hypervolume that a search may miss and still be near
FLOOR = 1e-5  # least share of the figure; a search that misses less, or nothing, is drawn there


@dataclass(frozen=True)
class Trade:
    """A study and what is traded in it.

    Attributes:
        study: A shipped study.
        maximise: Quantities of which more is better.
        minimise: Quantities of which less is better.
    """

    study: str
    maximise: tuple[str, ...]
    minimise: tuple[str, ...] = ()

    def objectives(self) -> list[Criterion]:
        """The objectives, as a study has them."""
        most = [ll.ObjectiveTable(maximise=name) for name in self.maximise]
        least = [ll.ObjectiveTable(minimise=name) for name in self.minimise]
        return list(map(criterion_of, most + least))


TRADES = (
    Trade("deepseek-v3-128k", ("utps", "stps")),
    Trade("memory-under-a-power-limit", ("utps", "stps_per_watt")),
    Trade("dram-or-sram-at-equal-cost", ("utps", "stps")),
    Trade("sram-share-of-a-die", ("utps",), ("usd_per_million_tokens",)),
    Trade("chip-count-or-chip-size", ("utps", "stps")),
    Trade("deepseek-v3-128k", ("utps", "stps_per_usd", "stps_per_watt")),
)
"""What is asked; each study has a feasible design."""


def _gains(answer: FrontAnswer) -> Float[np.ndarray, "points objectives"]:
    """Logarithms of the objectives of a front, more is better."""
    signs = [1.0 if it.maximise else -1.0 for it in answer.objectives]
    return np.log([it.objectives for it in answer.points]) * signs


class _Ended(ll.Progress):
    """Notes when the last box was done."""

    at = math.nan

    @override
    def swept(self, statistics: Any, points: int, seconds: float) -> None:
        del statistics, points, seconds
        self.at = time.process_time()


def _exact(trade: Trade) -> dict[str, Any]:
    """The whole front of a study, and what it took."""
    problem = ll.problem_of(load_study(trade.study))
    begin = time.process_time()
    ended = _Ended()
    answer = pareto(problem, trade.objectives(), progress=ended)
    if not answer.feasible or not answer.certificate.complete:
        raise ValueError(f"{trade.study}: its front is not proven; choose another study")
    return {
        "designs": problem.lattice,
        "variables": len(problem.variables),
        "quantities": [it.name for it in answer.objectives],
        "points": len(answer.points),
        "boxes": answer.certificate.boxes,
        "seconds": ended.at - begin,
        "gains": _gains(answer).tolist(),
    }


def _volume(gains: np.ndarray, exact: np.ndarray) -> float:
    """Hypervolume of a front, by the reference that follows from the exact one."""
    worst, best = exact.min(axis=0), exact.max(axis=0)
    reference = worst - 0.1 * (best - worst)
    return float(moocore.hypervolume(gains, ref=reference, maximise=True)) if len(gains) else 0.0


def _compared(gains: np.ndarray, exact: np.ndarray) -> dict[str, Any]:
    """How far a front is from the exact one."""
    if not len(gains):
        return {"missed": 1.0, "off": None, "found": 0}
    beyond = np.max(exact[:, None] - gains[None], axis=2)
    missed = 1.0 - _volume(gains, exact) / _volume(exact, exact)
    return {
        "missed": max(missed, 0.0),
        "off": float(np.expm1(max(np.max(np.min(beyond, axis=1)), 0.0))),
        "found": int(np.sum(np.min(beyond, axis=1) <= SAME)),
    }


def _searched(
    trade: Trade, exact: list[list[float]], moments: Sequence[float], seed: int
) -> list[dict[str, Any]]:
    """How near NSGA-II is at each moment."""
    problem = ll.problem_of(load_study(trade.study))
    found = []

    def note(gains: np.ndarray, evaluations: int) -> None:
        found.append({**_compared(gains, np.asarray(exact)), "evaluations": evaluations})

    Nondominated(problem, trade.objectives()).search(seed, moments, note)
    return found


def run(
    trades: tuple[Trade, ...] = TRADES,
    seeds: int = 3,
    multiples: tuple[float, ...] = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0),
    processes: int = 2,
) -> dict[str, Any]:
    """The exact front of each study, and how near each search comes to it.

    Args:
        trades: What is asked.
        seeds: Searches by NSGA-II for each.
        multiples: When they are looked at, in times of our seconds, ascending.
        processes: Searches at a time.
    """
    with fresh_processes(processes) as workers:
        proven = [workers.submit(_exact, trade) for trade in trades]
        rows = []
        for trade, future in zip(trades, proven, strict=True):
            exact = future.result()
            moments = [multiple * exact["seconds"] for multiple in multiples]
            tasks = [
                workers.submit(_searched, trade, exact["gains"], moments, seed)
                for seed in range(seeds)
            ]
            rows.append(({"study": trade.study, **exact}, tasks))
        return {
            "multiples": list(multiples),
            "trades": [
                {**exact, "searches": [it.result() for it in tasks]} for exact, tasks in rows
            ],
        }


def _at(results: Record, trade: Record, multiple: float) -> list[Any]:
    """What each search had found by then."""
    moment = results["multiples"].index(multiple)
    return [search[moment] for search in trade["searches"]]


def summary(results: Record) -> dict[str, Any]:
    """Searches at the end, those near the front when ours was done, and those that had it all."""
    trades, last = results["trades"], max(results["multiples"])
    equal = [it for trade in trades for it in _at(results, trade, 1.0)]
    late = [(trade, it) for trade in trades for it in _at(results, trade, last)]
    return {
        "trades": len(trades),
        "searches": len(equal),
        "near_at_equal_time": sum(it["missed"] <= NEAR for it in equal),
        "near_at_the_end": sum(it["missed"] <= NEAR for _, it in late),
        "whole_at_the_end": sum(it["found"] == trade["points"] for trade, it in late),
        "multiple_at_the_end": last,
    }


def _median(found: Sequence[Record], what: str) -> float | None:
    """Median over the searches; none where most have found no design."""
    return or_none(statistics.median(math.inf if it[what] is None else it[what] for it in found))


def _near(results: Record, trade: Record) -> str:
    """The median multiple at which a search missed so little first."""
    met = []
    for search in trade["searches"]:
        moments = zip(results["multiples"], search, strict=True)
        met.append(next((at for at, it in moments if it["missed"] <= NEAR), math.inf))
    multiple = statistics.median(met)
    return f"{multiple:g}x" if math.isfinite(multiple) else "never"


def _table(results: Record) -> Table:
    last = max(results["multiples"])

    def found(label: str, multiple: float, what: str, form: str) -> Column:
        def value(trade: Record) -> float | None:
            return _median(_at(results, trade, multiple), what)

        return Column(f"{label}\n{multiple:g}x", value, form)

    return Table(
        "study",
        [
            Column("objec-\ntives", lambda it: ",\n".join(it["quantities"]), align="left"),
            Column("front", "points", "{:,}", "[points]"),
            Column("ours", "seconds", "{:.1f}", "[s]"),
            *(found("missed", it, "missed", "{:.2%}") for it in (1.0, last)),
            *(found("off by", it, "off", "{:.2%}") for it in (1.0, last)),
            found("found", last, "found", "{:g}"),
            Column("missed\n< 1 %", lambda it: _near(results, it)),
        ],
    )


def report(results: Record) -> list[RenderableType]:
    """A row for each study, and the verdict."""
    found, last = summary(results), max(results["multiples"])
    return [
        "NSGA-II against the whole front, proven: medians over the seeds; times are multiples of"
        " our seconds",
        _table(results).of([(it["study"], it) for it in results["trades"]]),
        f"{found['near_at_equal_time']} of {found['searches']} searches miss at most {NEAR:.0%} of"
        f" the hypervolume when ours is done, {found['near_at_the_end']} in {last:g} times the"
        f" seconds; {found['whole_at_the_end']} have found the whole front by then. None can say"
        " how much it misses.",
    ]


LOOKS: dict[str, Record] = {
    "hypervolume missed": {"color": "C0", "marker": "o"},
    "factor by which some design is missed, less 1": {"color": "C3", "marker": "s"},
}


def _title(trade: Record) -> str:
    return f"{trade['study']}\n{', '.join(trade['quantities'])}: {trade['points']:,} points"


def _panel(axes: draw.Axes, results: Record, trade: Record) -> None:
    """What NSGA-II misses and is off by, as it goes on."""
    for what, look in zip(("missed", "off"), LOOKS.values(), strict=True):
        for search in trade["searches"]:
            shares = [1.0 if it[what] is None else max(it[what], FLOOR) for it in search]
            axes.plot(results["multiples"], shares, markersize=3.5, linewidth=0.9, **look)
    axes.axvline(1.0, **draw.DASHED)
    ours = f"ours: {trade['seconds']:.1f} s\nnothing missed,\nproven"
    draw.note(axes, ours, (0.02, 0.03), xycoords="axes fraction", ha="left", va="bottom")
    axes.set(
        xscale="log",
        yscale="log",
        ylim=(FLOOR / 1.5, 2.0),
        xlabel="seconds over ours",
    )


def plot(results: Record) -> draw.Figure:
    """A panel for each study."""
    trades = results["trades"]
    columns = min(len(trades), 3)
    figure = draw.panels(
        {_title(it): it for it in trades},
        lambda axes, trade: _panel(axes, results, trade),
        (3.4 * columns + 0.4, 2.9 * math.ceil(len(trades) / columns) + 0.8),
        ylabel="share",
        sharey=True,
    )
    figure.suptitle(
        "What NSGA-II lacks of the proven front, a line for each seed", x=0.01, ha="left"
    )
    draw.legend(figure, LOOKS, loc="outside lower center", ncols=2)
    return figure


SMOKE = {"trades": TRADES[2:3], "seeds": 2, "multiples": (0.1, 1.0)}
EXPERIMENT = Experiment("fronts", __doc__, run, SMOKE, plot, report, summary)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
