"""The page of a run."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from liminal_jax._files import InputError, Problem, unreadable
from liminal_jax.results import (
    calibration,
    ceiling,
    comparison,
    coupled,
    experiment,
    experiments,
    model,
    model_comparison,
    models,
    optimum,
    pareto,
    portfolio,
    prediction,
    reach,
    robust,
    sensitivity,
    studies,
    sweep,
    sweep_estimate,
    sweep_kept,
    system,
    systems,
    uncertainty,
    validation,
)
from liminal_jax.results.html import html
from liminal_jax.results.inside import with_runs_inside
from liminal_jax.results.kinds import kind_of
from liminal_jax.results.page import Page
from liminal_jax.study.kind import PROVENANCE

RESULT, EXPERIMENT = "result.json", "results.json"
"""The record of a run, and of an experiment."""


class Kind(NamedTuple):
    """A kind of result that has a page.

    Attributes:
        page: Its page.
        whole: The record with what the files beside it add, as it goes onto the page.
        again: The command that does the same again, where no provenance tells it.
    """

    page: Callable[[Mapping[str, Any]], Page]
    whole: Callable[[Mapping[str, Any], Path], Mapping[str, Any]] = lambda record, _: record
    again: Callable[[Mapping[str, Any]], list[str]] = lambda _: []


KINDS = {
    "calibration": Kind(calibration.page),
    "ceiling": Kind(ceiling.page),
    "comparison": Kind(comparison.page),
    "coupled": Kind(coupled.page),
    "model": Kind(model.page),
    "model_comparison": Kind(model_comparison.page),
    "models": Kind(models.page, again=lambda _: ["liminal", "models"]),
    "optimum": Kind(optimum.page, with_runs_inside),
    "pareto": Kind(pareto.page, pareto.whole),
    "portfolio": Kind(portfolio.page),
    "prediction": Kind(prediction.page, again=prediction.again),
    "reach": Kind(reach.page),
    "robust": Kind(robust.page, robust.whole),
    "sensitivity": Kind(sensitivity.page, sensitivity.whole),
    "sweep": Kind(sweep.page, sweep.whole),
    "sweep_estimate": Kind(sweep_estimate.page),
    "system": Kind(system.page),
    "systems": Kind(systems.page, again=lambda _: ["liminal", "systems"]),
    "studies": Kind(studies.page, again=lambda _: ["liminal", "studies"]),
    "experiments": Kind(experiments.page, again=lambda _: ["liminal", "experiments"]),
    "uncertainty": Kind(uncertainty.page, uncertainty.whole),
    "validation": Kind(validation.page),
}


def report(source: str) -> str:
    """The page of a run.

    Args:
        source: Its folder, or a file that `--json` was written to.

    Raises:
        InputError: there is no run, or none of a kind that is known.
    """
    path = Path(source)
    if (path / EXPERIMENT).is_file():
        record = _read(path / EXPERIMENT)
        return html(experiment.page(record, path), record, _origin(path))
    file = path / RESULT if path.is_dir() else path
    record = _read(file)
    kind = kind_of(record)
    if kind == "sweep" and "top" not in record:
        held = sweep_kept.whole(record, file.parent)
        return html(sweep_kept.page(held, file.parent), held, _whence(file, held))
    if kind in KINDS:
        held = KINDS[kind].whole(record, file.parent)
        return html(KINDS[kind].page(held), held, _whence(file, held))
    known = (
        "liminal optimize, pareto, sensitivity, uncertainty, sweep, an experiment, or what predict,"
        " systems, models, studies, experiments, calibrate, validate or sweep --dry-run printed"
        " with --json"
    )
    raise InputError(str(file), [Problem("", f"holds no run that has a page; give one of {known}")])


_INSTEAD = "give the folder of a run, or a file of --json"


def _read(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        remedy = "give the folder of a run, such as runs/NAME-1, or a file of --json"
        raise InputError(str(path), [Problem("", f"is not there; {remedy}")]) from None
    except OSError as error:
        raise InputError(str(path), [Problem("", unreadable(error))]) from None
    except ValueError as error:
        raise InputError(
            str(path), [Problem("", f"is not valid JSON: {error}; {_INSTEAD}")]
        ) from None
    if not isinstance(record, dict):
        raise InputError(str(path), [Problem("", f"holds no record of a run; {_INSTEAD}")])
    return record


def _whence(file: Path, record: Mapping[str, Any]) -> dict[str, Any]:
    """Where and with what a result was computed, or at least the command that does so again."""
    if file.name == RESULT:
        return _origin(file.parent)
    return record.get(PROVENANCE) or {"command": KINDS[kind_of(record)].again(record)}


def _origin(folder: Path) -> dict[str, Any]:
    """Where and with what a run was computed; empty where that was not saved."""
    file = folder / "provenance.json"
    return _read(file) if file.is_file() else {}
