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

import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import jax
import moocore
import numpy as np
from jaxtyping import Float
from typing_extensions import override

import liminal_jax as ll
from experiments.fronts_view import plot, report, summary
from experiments.rivals.nondominated import Nondominated
from experiments.runner import Experiment, main
from liminal_jax.optimization.pareto.pareto_search import FrontAnswer, pareto
from liminal_jax.study.problem import Criterion
from liminal_jax.study.questions import load_study
from liminal_jax.study.read import criterion_of

SAME = 1e-9
"""Logarithm up to which two values are the same: the error of evaluating the model."""


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


@dataclass(frozen=True)
class Config:
    """What is compared.

    Attributes:
        trades: What is asked; each study has to have a feasible design.
        seeds: Searches by NSGA-II for each.
        multiples: When they are looked at, in times of our seconds, ascending.
        processes: Searches at a time.
    """

    trades: tuple[Trade, ...]
    seeds: int
    multiples: tuple[float, ...]
    processes: int


def _gains(answer: FrontAnswer) -> Float[np.ndarray, "points objectives"]:
    """Logarithms of the objectives of a front, more is better."""
    signs = [1.0 if it.maximise else -1.0 for it in answer.objectives]
    return np.log([it.objectives for it in answer.points]) * signs


def _exact(trade: Trade) -> dict[str, Any]:
    """The whole front of a study, and what it took."""
    problem = ll.problem_of(load_study(trade.study))
    begin = time.process_time()
    told: list[float] = []
    answer = pareto(problem, trade.objectives(), progress=_Until(told))
    if not answer.feasible or not answer.certificate.complete:
        raise ValueError(f"{trade.study}: its front is not proven; choose another study")
    return {
        "designs": problem.lattice,
        "variables": len(problem.variables),
        "quantities": [it.name for it in answer.objectives],
        "points": len(answer.points),
        "boxes": answer.certificate.boxes,
        "seconds": told[-1] - begin,
        "gains": _gains(answer).tolist(),
    }


class _Until(ll.Progress):
    """Notes when the last box was done."""

    def __init__(self, told: list[float]):
        self._told = told

    @override
    def swept(self, statistics: Any, points: int, seconds: float) -> None:
        del statistics, points, seconds
        self._told.append(time.process_time())


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


def _set_up() -> None:
    jax.config.update("jax_enable_x64", True)


def run(config: Config) -> dict[str, Any]:
    """The exact front of each study, and how near each search comes to it."""
    workers = ProcessPoolExecutor(
        config.processes,
        mp_context=get_context("spawn"),
        max_tasks_per_child=1,
        initializer=_set_up,
    )
    rows = []
    with workers:
        proven = [workers.submit(_exact, trade) for trade in config.trades]
        for trade, future in zip(config.trades, proven, strict=True):
            exact = future.result()
            moments = [multiple * exact["seconds"] for multiple in config.multiples]
            tasks = [
                workers.submit(_searched, trade, exact["gains"], moments, seed)
                for seed in range(config.seeds)
            ]
            rows.append(({"study": trade.study, **exact}, tasks))
        return {
            "multiples": list(config.multiples),
            "trades": [{**exact, "searches": _results(exact, tasks)} for exact, tasks in rows],
        }


def _results(exact: dict[str, Any], tasks: Sequence[Any]) -> list[list[dict[str, Any]]]:
    found = [task.result() for task in tasks]
    print(f"{exact['study']}: {', '.join(exact['quantities'])}", file=sys.stderr)
    return found


EXPERIMENT = Experiment(
    name="fronts",
    question=__doc__,
    full=Config(
        trades=(
            Trade("deepseek-v3-128k", ("utps", "stps")),
            Trade("memory-under-a-power-limit", ("utps", "stps_per_watt")),
            Trade("dram-or-sram-at-equal-cost", ("utps", "stps")),
            Trade("sram-share-of-a-die", ("utps",), ("usd_per_million_tokens",)),
            Trade("chip-count-or-chip-size", ("utps", "stps")),
            Trade("deepseek-v3-128k", ("utps", "stps_per_usd", "stps_per_watt")),
        ),
        seeds=3,
        multiples=(0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0),
        processes=2,
    ),
    smoke=Config(
        trades=(Trade("dram-or-sram-at-equal-cost", ("utps", "stps")),),
        seeds=2,
        multiples=(0.1, 1.0),
        processes=2,
    ),
    run=run,
    plot=plot,
    report=report,
    summary=summary,
)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
