"""How sure an answer is, and the same as plain data for `--json` and run folders."""

import csv
import dataclasses
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from typing_extensions import override

from liminal_jax.optimization.record import design_record
from liminal_jax.optimization.uncertainty.rank_correlation import Influence, chance
from liminal_jax.results.page import Page
from liminal_jax.results.told import Told
from liminal_jax.results.uncertainty import page
from liminal_jax.study.problem import FEASIBLE, Limit, Problem
from liminal_jax.study.question import problem_record
from liminal_jax.study.report import number
from liminal_jax.study.uncertain import Draws


@dataclass(frozen=True)
class Spread:
    """Quantiles of a quantity over the samples in which it is finite.

    Attributes:
        low: The 5 % quantile.
        median: The median.
        high: The 95 % quantile.
    """

    low: float
    median: float
    high: float


@dataclass(frozen=True)
class Standing:
    """A category over all samples.

    Attributes:
        category: Its name.
        wins: Share of the samples in which the best design is of this category.
        feasible: Share of the samples in which a design of it is feasible.
        objective: Quantiles of its best objective; None where it is never feasible.
        thought: Best objective with nominal numbers; None where it is infeasible with them.
        objectives: Best objective of each sample; NaN where no design is feasible.
    """

    category: str
    wins: float
    feasible: float
    objective: Spread | None
    thought: float | None
    objectives: Float[np.ndarray, " draws"]


@dataclass(frozen=True)
class Breach:
    """A limit that a design exceeds in some samples.

    Attributes:
        constraint: The limit.
        share: Share of the samples in which it is exceeded.
        typical: Median share by which it is exceeded in those.
    """

    constraint: str
    share: float
    typical: float


def breaches_of(
    limits: Sequence[Limit], violation: Float[np.ndarray, "draws limits"]
) -> list[Breach]:
    """The limits that a design exceeds in some samples, the most often exceeded first.

    Args:
        limits: The limits.
        violation: Log violation of each under each sample.
    """
    found = [
        Breach(limit.name, float(np.mean(broken)), float(np.expm1(np.median(over[broken]))))
        for limit, over in zip(limits, violation.T, strict=True)
        if (broken := over > FEASIBLE).any()
    ]
    return sorted(found, key=lambda it: -it.share)


@dataclass(frozen=True)
class Regret:
    """Regret of a design relative to the best objective, over the samples in which it is feasible.

    Attributes:
        mean: The mean.
        median: The median.
        high: The 95 % quantile.
        worst: The largest.
    """

    mean: float
    median: float
    high: float
    worst: float


@dataclass(frozen=True)
class Trial:
    """One design over all samples.

    Attributes:
        category: Its category.
        values: Values of its free variables, in SI.
        objective: Quantiles of its objective, feasible or not.
        meets: Share of the samples in which it is feasible.
        meets_fresh: The same over fresh samples, on which no design was chosen.
        breaches: Limits that it exceeds, the most often exceeded first.
        regret: Its regret; None where it is never feasible.
        losses: Regret in each sample; NaN where it is infeasible.
    """

    category: str
    values: dict[str, float]
    objective: Spread
    meets: float
    meets_fresh: float
    breaches: list[Breach]
    regret: Regret | None
    losses: Float[np.ndarray, " draws"]


@dataclass(frozen=True, repr=False)
class Uncertainty(Told):
    """The result of an uncertainty analysis.

    Attributes:
        problems: The problem, of each structure that the hardware has.
        draws: The samples of the uncertain numbers.
        fresh: Number of fresh samples.
        reliability: Share of the samples in which a robust design has to meet every limit.
        objectives: Best objective of each sample; NaN where no design is feasible.
        winners: Number of the category of the best design of each sample, of those of all
            structures one after the other; -1 where no design is feasible.
        optimum: Quantiles of the best objective; None where no sample has a feasible design.
        thought: Best objective with nominal numbers; None where no design is feasible with them.
        standings: Each category over all samples.
        nominal: The design that is best with nominal numbers.
        robust: The reliable candidate of least expected regret.
        cautious: The reliable candidate of least worst-case regret.
        candidates: Number of designs evaluated under every sample.
        influences: Rank correlation of each number with the answer, the strongest first.
        proven: Number of samples whose proofs are complete.
        boxes: Boxes bounded in all proofs.
        seconds: Wall time of each stage [s].
        seed: Seed of the samples; None where they were drawn elsewhere.
    """

    problems: tuple[Problem, ...]
    draws: Draws
    fresh: int
    reliability: float
    objectives: Float[np.ndarray, " draws"]
    winners: Int[np.ndarray, " draws"]
    optimum: Spread | None
    thought: float | None
    standings: list[Standing]
    nominal: Trial | None
    robust: Trial | None
    cautious: Trial | None
    candidates: int
    influences: list[Influence]
    proven: int
    boxes: int
    seconds: dict[str, float]
    seed: int | None = None

    @property
    def problem(self) -> Problem:
        """What was asked, of the first structure."""
        return self.problems[0]

    @override
    def to_dict(self) -> dict[str, Any]:
        return uncertainty_record(self)

    @override
    def page(self) -> Page:
        return page(self.to_dict())


def designs_of(answer: Uncertainty) -> dict[str, Trial]:
    """The nominal, robust and cautious designs, by the names of their files."""
    found = {"nominal": answer.nominal, "robust": answer.robust, "cautious": answer.cautious}
    return {name: trial for name, trial in found.items() if trial is not None}


def _plain(record: Any) -> dict[str, Any]:
    """The fields of a dataclass without its arrays over samples."""
    fields = dataclasses.asdict(record)
    return {name: value for name, value in fields.items() if not isinstance(value, np.ndarray)}


def _trial(problem: Problem, it: Trial) -> dict[str, Any]:
    plain = {key: value for key, value in _plain(it).items() if key not in ("category", "values")}
    return {**design_record(problem, it.category, it.values), **plain}


def uncertainty_record(answer: Uncertainty) -> dict[str, Any]:
    """The record, in SI units and USD; `liminal uncertainty --help` explains the keys."""
    found, question = designs_of(answer), problem_record("uncertainty", answer.problem)
    return {
        **question,
        "feasible": answer.nominal is not None,
        "objective": {**question["objective"], "value": answer.thought},
        "samples": len(answer.draws),
        "fresh_samples": answer.fresh,
        "seed": answer.seed,
        "reliability": answer.reliability,
        "solvable": float(np.mean(answer.winners >= 0)),
        "optimum": _plain(answer.optimum) if answer.optimum is not None else None,
        "categories": [_plain(it) for it in answer.standings],
        **{
            name: _trial(answer.problem, found[name]) if name in found else None
            for name in ("nominal", "robust", "cautious")
        },
        "influences": [
            {"number": it.number.path, "optimum": it.optimum, "wins": it.wins}
            for it in answer.influences
        ],
        "chance": chance(len(answer.draws)),
        "numbers": [{**_plain(it), "distribution": it.distribution} for it in answer.draws.numbers],
        "certificate": {
            "method": "bound",
            "proven": answer.proven,
            "lattice": sum(it.lattice for it in answer.problems),
            "boxes": answer.boxes,
            "candidates": answer.candidates,
        },
        "seconds": sum(answer.seconds.values()),
        "stages": answer.seconds,
    }


def samples_text(answer: Uncertainty) -> str:
    """A table of the samples as CSV: the sampled numbers in SI, and the optima."""
    names = (*(it.category for it in answer.standings), "")
    found = designs_of(answer)
    columns: dict[str, Any] = {
        "sample": range(1, len(answer.draws) + 1),
        "winner": [names[row] for row in answer.winners],
        "optimum": answer.objectives,
        **{f"best {it.category}": it.objectives for it in answer.standings},
        **{f"regret of {name}": trial.losses for name, trial in found.items()},
        **{
            it.path: column
            for it, column in zip(answer.draws.numbers, answer.draws.values.T, strict=True)
        },
    }
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        known = [number(it) if isinstance(it, float) else it for it in row]
        writer.writerow(["" if it is None else it for it in known])
    return text.getvalue()
