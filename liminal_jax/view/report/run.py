"""What kind of run a folder holds, and its page."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from liminal_jax._files import InputError, Problem
from liminal_jax.view.report import (
    experiment,
    found,
    front,
    kept,
    portfolio,
    prediction,
    sensitivity,
    sweep,
    uncertain,
)
from liminal_jax.view.report.page import page

RESULT, EXPERIMENT = "result.json", "results.json"
"""The record of a run, and of an experiment."""


class Kind(NamedTuple):
    """A kind of run.

    Attributes:
        keys: Keys that its record has and that of no other.
        answer: The answer in one line.
        sections: What there is to say of it, and of the files beside it.
        whole: The record with what the files beside it add, as it goes onto the page.
        again: The command that does the same again, where no provenance tells it.
    """

    keys: frozenset[str]
    answer: Callable[[Mapping[str, Any]], str]
    sections: Callable[[Mapping[str, Any], Path], list[str]]
    whole: Callable[[Mapping[str, Any], Path], Mapping[str, Any]] = lambda record, _: record
    again: Callable[[Mapping[str, Any]], list[str]] = lambda _: []


def _alone(
    sections: Callable[[Mapping[str, Any]], list[str]],
) -> Callable[[Mapping[str, Any], Path], list[str]]:
    """Sections for which the record is enough."""
    return lambda record, _: sections(record)


KINDS = (
    Kind(frozenset(["points", "knees"]), front.answer, _alone(front.sections), front.whole),
    Kind(
        frozenset(["shadow_prices"]),
        sensitivity.answer,
        _alone(sensitivity.sections),
        sensitivity.whole,
    ),
    Kind(
        frozenset(["samples", "influences"]),
        uncertain.answer,
        _alone(uncertain.sections),
        uncertain.whole,
    ),
    Kind(frozenset(["workloads", "cross"]), portfolio.answer, _alone(portfolio.sections)),
    Kind(frozenset(["prediction", "alternatives"]), found.answer, _alone(found.sections)),
    Kind(frozenset(["axes", "top"]), sweep.answer, _alone(sweep.sections), sweep.whole),
    Kind(frozenset(["axes", "outputs"]), kept.answer, kept.sections, kept.whole),
    Kind(
        frozenset(["step_time", "bottleneck"]),
        prediction.answer,
        _alone(prediction.sections),
        again=prediction.again,
    ),
)
"""All kinds of runs that have a page."""


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
        origin = _origin(path)
        told = experiment.sections(record, path)
        return page(path.name, experiment.answer(record), told, record, origin)
    file = path / RESULT if path.is_dir() else path
    record = _read(file)
    for kind in KINDS:
        if kind.keys <= record.keys():
            title = record.get("name") or record.get("study") or path.stem
            held = kind.whole(record, file.parent)
            told = kind.sections(held, file.parent)
            origin = _origin(file.parent) if file.name == RESULT else {"command": kind.again(held)}
            return page(title, kind.answer(held), told, held, origin)
    known = (
        "liminal predict --json, optimize, pareto, sensitivity, uncertainty, sweep,"
        " or an experiment"
    )
    raise InputError(str(file), [Problem("", f"holds no run that has a page; give one of {known}")])


def _read(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        remedy = "give the folder of a run, such as runs/NAME-1, or a file of --json"
        raise InputError(str(path), [Problem("", f"is not there; {remedy}")]) from None
    except (OSError, ValueError) as error:
        raise InputError(str(path), [Problem("", f"cannot be read: {error}")]) from None
    if not isinstance(record, dict):
        raise InputError(str(path), [Problem("", "holds no record of a run")])
    return record


def _origin(folder: Path) -> dict[str, Any]:
    """Where and with what a run was computed; empty where that was not saved."""
    file = folder / "provenance.json"
    return _read(file) if file.is_file() else {}
