"""How sure an answer is, as plain data for `--json` and run folders."""

import csv
import dataclasses
import io
from typing import Any

import numpy as np

from liminal_jax.optimization.uncertainty.analysis import Trial, Uncertainty
from liminal_jax.optimization.uncertainty.rank_correlation import chance
from liminal_jax.study.file import DesignFile, StudyFile
from liminal_jax.study.question import question_record
from liminal_jax.study.report import number
from liminal_jax.study.write import design_tables


def designs_of(answer: Uncertainty) -> dict[str, Trial]:
    """The nominal, robust and cautious designs, by the names of their files."""
    found = {"nominal": answer.nominal, "robust": answer.robust, "cautious": answer.cautious}
    return {name: trial for name, trial in found.items() if trial is not None}


def _plain(record: Any) -> dict[str, Any]:
    """The fields of a dataclass without its arrays over samples."""
    fields = dataclasses.asdict(record)
    return {name: value for name, value in fields.items() if not isinstance(value, np.ndarray)}


def _trial(file: DesignFile, it: Trial) -> dict[str, Any]:
    plain = {key: value for key, value in _plain(it).items() if key not in ("category", "values")}
    return {"design": design_tables(file, it.values, it.category)["design"], **plain}


def uncertainty_record(answer: Uncertainty, seed: int) -> dict[str, Any]:
    """The record, in SI units and USD; `liminal uncertainty --help` explains the keys."""
    file = answer.problem.file
    asked = file.objective.model_dump(exclude_none=True) if isinstance(file, StudyFile) else {}
    found = designs_of(answer)
    return {
        **question_record("uncertainty", file),
        "feasible": answer.nominal is not None,
        "objective": {**asked, "value": answer.thought},
        "samples": len(answer.draws),
        "fresh_samples": answer.fresh,
        "seed": seed,
        "reliability": answer.reliability,
        "solvable": float(np.mean(answer.winners >= 0)),
        "optimum": _plain(answer.optimum) if answer.optimum is not None else None,
        "categories": [_plain(it) for it in answer.standings],
        **{
            name: _trial(file, found[name]) if name in found else None
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
            "lattice": answer.problem.lattice,
            "boxes": answer.boxes,
            "candidates": answer.candidates,
        },
        "seconds": sum(answer.seconds.values()),
        "stages": answer.seconds,
    }


def samples_text(answer: Uncertainty) -> str:
    """A table of the samples as CSV: the sampled numbers in SI, and the optima."""
    names = (*answer.problem.categories, "")
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
