"""From a file of measurements to a calibration, and to its error on measurements."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from liminal_jax._files import InputError, Problem
from liminal_jax._progress import SILENT, Steps
from liminal_jax.calibration.fitted import TERMS
from liminal_jax.data.calibrations import (
    DEFAULT,
    Calibration,
    PromptCalibration,
    load_calibration,
    load_priors,
)
from liminal_jax.fit.batch import Batch, batch_of
from liminal_jax.fit.bound import above_bound
from liminal_jax.fit.checks import duplicated, impossible
from liminal_jax.fit.first_token import LEAST_ROWS as LEAST_FIRST_TOKENS
from liminal_jax.fit.first_token import first_token_record, first_tokens, prompts_fitted
from liminal_jax.fit.formats.given import Given
from liminal_jax.fit.formats.reading import read_rows
from liminal_jax.fit.formats.row import MIXED, MOST, PURE, Row
from liminal_jax.fit.rows import Case, cases_of
from liminal_jax.fit.scores import (
    GROUPS,
    NOISE_FLOOR,
    Times,
    by_group,
    covering,
    macro_coverage,
    macro_scores,
    one_number,
)
from liminal_jax.fit.served import served_scores
from liminal_jax.fit.solve import (
    Fit,
    Fitter,
    calibration_of,
    predicted_times,
    spreads,
)
from liminal_jax.study.kind import kind_record

COVERED = 0.9
"""Share of rows that intervals cover in the mean over ways to leave rows out."""
LEAST_COVERED = 0.875
"""Share that they cover at the least in each."""
LEAST_ROWS = len(TERMS)
"""Rows below which nothing is fitted: as many as there are losses."""
UNLEARNED = 0.9
"""Share of its prior spread above which data have not pinned a number."""


HELD_OUT = {
    "by_cell": lambda it: it.cells(),
    "by_chip": lambda it: it.labels("chip"),
    "by_model": lambda it: it.labels("model_name"),
}
"""What is left out whole, by the name of the check."""


@dataclass(frozen=True)
class Measured:
    """The measurements of a file.

    Attributes:
        batch: The cases of nearly pure decode.
        served: Cases in whose time prompts have a part.
        rows: All rows as they were read.
        skipped: Line and reason of each row that was left out.
    """

    batch: Batch
    served: list[Case]
    rows: list[Row]
    skipped: list[tuple[int, str]]

    def skipped_rows(self) -> list[dict[str, Any]]:
        """The same as records have them."""
        return [{"line": at, "reason": why} for at, why in self.skipped]


def load_measured(path: Path | str, given: Given | None = None) -> Measured:
    """The measurements of a file, of those rows that can be used; the others with reasons.

    Args:
        path: A file of a tool or in our columns, or a folder of such files.
        given: What the user says of all its rows.

    Raises:
        InputError: the file cannot be read, does not say enough, or no row can be used.
    """
    rows, refused = read_rows(path, given)
    cases, unused = cases_of(rows)
    skipped = [(it.line, it.reason) for it in refused]
    skipped += [(it.row.line, it.reason) for it in unused]
    pure = [it for it in cases if it.row.decode_purity in PURE]
    served = [it for it in cases if it.row.decode_purity in (MIXED, MOST)]
    skipped += [
        (it.row.line, f"unknown decode_purity {it.row.decode_purity!r}")
        for it in cases
        if it.row.decode_purity not in (*PURE, MIXED, MOST)
    ]
    batch = batch_of(pure)
    wrong, reasons = impossible(batch)
    batch = batch.only(~wrong)
    again, repeated = duplicated(batch.cases)
    batch = batch.only(~again)
    skipped += reasons + repeated
    if not batch.cases and not served and not any(it.ttft_ms() for it in rows):
        raise InputError(str(path), [Problem(f"line {at}", why) for at, why in sorted(skipped)[:9]]
                         or [Problem("", "holds no rows")])  # fmt: skip
    return Measured(batch, served, rows, sorted(skipped))


def _noise(batch: Batch, fit: Fit) -> float:
    """Spread around a fit, all sources weighted equally; robust, from absolute residuals."""
    sources = batch.labels("source")
    misses = np.abs(np.log(fit.predicted / batch.measured))
    alike = [np.mean(misses[sources == it]) for it in sorted(set(sources))]
    return float(np.mean(alike) * np.sqrt(np.pi / 2))


@dataclass(frozen=True)
class Calibrated:
    """A calibration and what it was learned from."""

    calibration: Calibration
    measured: Measured
    fit: Fit
    by_cell: Times

    def unlearned(self) -> list[str]:
        """Losses that the data do not pin for hardware at large."""
        return [
            it.term
            for it in self.calibration.addends
            if it.level == "all" and it.spread > UNLEARNED
        ]


def _several(batch: Batch) -> dict[str, np.ndarray]:
    """The group of each row, for each way to leave some out that has more than one."""
    groups = {way: of(batch) for way, of in HELD_OUT.items()}
    return {way: of for way, of in groups.items() if len(set(of)) > 1}


def _held_out(
    fitter: Fitter, fit: Fit, ways: Mapping[str, np.ndarray], progress: Steps
) -> dict[str, Times]:
    """Times as fits predict them that saw nothing of their group, for each way to group [s]."""
    total, done = sum(len(set(it)) for it in ways.values()), itertools.count(1)
    progress.stage("fitting again without each cell, chip and model")
    return {
        name: fitter.held_out(it, fit, lambda: progress.step(next(done), total))
        for name, it in ways.items()
    }


def calibrate(
    path: Path | str,
    name: str,
    about: str,
    given: Given | None = None,
    progress: Steps = SILENT,
) -> Calibrated:
    """Fit a calibration to a file of measurements.

    What is lost up to the first token is fitted where the file has enough rows that tell it, with
    decode as just fitted; else it is that of the calibration that comes with the package.

    Args:
        path: A file of a tool or in our columns, or a folder of such files.
        name: What the calibration is called.
        about: What it says of itself.
        given: What the user says of all rows.
        progress: Callbacks.

    Raises:
        InputError: the file has no usable rows, or fewer than there are losses.
    """
    progress.stage("reading what was measured")
    measured = load_measured(path, given)
    batch = measured.batch
    if len(batch.cases) < LEAST_ROWS:
        problem = (
            f"has {len(batch.cases)} usable rows, fewer than the {LEAST_ROWS} losses to be learned:"
            " add rows, or use a calibration that comes with the package"
        )
        raise InputError(str(path), [Problem("", problem)])
    progress.stage("fitting losses to it")
    fitter = Fitter(batch, load_priors())
    fit = fitter.fit(np.ones(len(batch.cases), bool))
    groups = {"by_cell": batch.cells(), **_several(batch)}
    times = _held_out(fitter, fit, groups, progress)
    found = calibration_of(fitter, fit, name, about, _noise(batch, fit))
    ways = [(times[way], spreads(found, batch, of)) for way, of in groups.items()]
    least = (covering(batch, [it], LEAST_COVERED) for it in ways)
    factor = round(max(covering(batch, ways, COVERED), *least), 3)
    progress.stage("fitting what is lost up to the first token")
    whole = found.model_copy(update={"interval": factor, "prompts": _prompts(measured, found)})
    return Calibrated(whole, measured, fit, times["by_cell"])


def _prompts(measured: Measured, decode: Calibration) -> PromptCalibration | None:
    """What is lost up to the first token, as a file has it, or as comes with the package."""
    batch = first_tokens(measured.rows, decode).batch
    if len(batch.cases) < LEAST_FIRST_TOKENS:
        return load_calibration(DEFAULT).prompts
    return prompts_fitted(batch)


def with_prompts(path: Path | str, decode: Calibration, given: Given | None = None) -> Calibration:
    """A calibration of which the losses up to the first token are fitted to a file.

    Args:
        path: Measurements.
        decode: The calibration, whose decode stays as it is.
        given: What the user says of all rows.

    Raises:
        InputError: the file has no rows that tell the time to the first token, or too few.
    """
    batch = first_tokens(read_rows(path, given)[0], decode).batch
    if len(batch.cases) < LEAST_FIRST_TOKENS:
        told = f"has {len(batch.cases)} usable times to the first token, fewer than"
        raise InputError(str(path), [Problem("", f"{told} the {LEAST_FIRST_TOKENS} it takes")])
    return decode.model_copy(update={"prompts": prompts_fitted(batch)})


@dataclass(frozen=True)
class Validation:
    """Errors of a calibration on measurements.

    Attributes:
        record: What `--json` prints.
        batch: The cases.
        judged: Predictions that the record's first keys are of [s].
        measured: The measurements.
    """

    record: dict[str, Any]
    batch: Batch
    judged: Times
    measured: Measured


def _decode(
    batch: Batch, calibration: Calibration, progress: Steps
) -> tuple[Times, dict[str, Any]]:
    """Times of nearly pure decode as they are judged, and their errors."""
    as_is = predicted_times(calibration, batch)
    widths = calibration.interval * spreads(calibration, batch)
    schemes = {"ideal": batch.ideal, "one_number": one_number(batch), "as_is": as_is}
    seen = np.isin(batch.cells(), calibration.cells)
    judged, basis = as_is, "the calibration as it is"
    coverage = {"as_is": macro_coverage(batch, as_is, widths)}
    if np.sum(seen) >= LEAST_ROWS and len(set(batch.cells()[seen])) > 1:
        progress.stage("fitting losses to it")
        fitter = Fitter(batch, calibration.priors)
        fit = fitter.fit(np.ones(len(batch.cases), bool))
        groups = _several(batch)
        for way, times in _held_out(fitter, fit, groups, progress).items():
            schemes[way] = times
            wide = calibration.interval * spreads(calibration, batch, groups[way])
            coverage[way] = macro_coverage(batch, times, wide)
        judged = np.where(seen, schemes.get("by_cell", as_is), as_is)
        wide = calibration.interval * spreads(calibration, batch, batch.cells())
        widths = np.where(seen, wide, widths)
        basis = "fits that left out the cells it was fitted to; the calibration as it is elsewhere"
    return judged, {
        "interval_coverage": macro_coverage(batch, judged, widths),
        "basis": basis,
        "schemes": {name: macro_scores(batch, times) for name, times in schemes.items()},
        "coverage": coverage,
    }


NO_DECODE = {
    "interval_coverage": None,
    "basis": "serving: no row is nearly pure decode",
    "schemes": {},
    "coverage": {},
}
"""What there is to say of decode where every measured time has prompts in it."""


def _unmeasured(cases: Sequence[Case], calibration: Calibration) -> list[str]:
    """Engines of cases that the calibration has not measured."""
    return sorted({it.engine for it in cases} - set(calibration.groups("engine")))


def validate(
    path: Path | str,
    calibration: Calibration,
    given: Given | None = None,
    progress: Steps = SILENT,
) -> Validation:
    """Compare a calibration with measurements.

    Rows of cells that it was fitted to are predicted by fits without their cell, where there
    are enough of them to fit to; all others by the calibration as it is.

    Args:
        path: A file of a tool or in our columns, or a folder of such files.
        calibration: The calibration.
        given: What the user says of all its rows.
        progress: Callbacks.

    Raises:
        InputError: the file has no usable rows, or none of them can be judged.
    """
    progress.stage("reading what was measured")
    measured = load_measured(path, given)
    batch = measured.batch
    first = _first_token(measured, calibration)
    if not (batch.cases or measured.served or first.get("ttft_rows")):
        raise InputError(str(path), _nothing_judged(measured, first))
    judged, decode = batch.ideal, NO_DECODE
    if batch.cases:
        judged, decode = _decode(batch, calibration, progress)
    progress.stage("judging servers and first tokens")
    record = {
        **kind_record("validation"),
        **macro_scores(batch, judged),
        **decode,
        "rows": len(batch.cases),
        "skipped": len(measured.skipped),
        "skipped_rows": measured.skipped_rows(),
        "calibration": calibration.name,
        "unmeasured_engines": _unmeasured([*batch.cases, *measured.served], calibration),
        "noise_floor": NOISE_FLOOR,
        "groups": {group: by_group(batch, judged, group) for group in GROUPS},
        "above_bound": above_bound(batch.cases),
        "served": served_scores(measured.served, calibration) if measured.served else None,
        **first,
    }
    return Validation(record, batch, judged, measured)


def _nothing_judged(measured: Measured, first: Mapping[str, Any]) -> list[Problem]:
    """Why no row of a file can be judged."""
    decode = [Problem(f"line {at}", why) for at, why in measured.skipped[:9]]
    prompts = [it["reason"] for it in first.get("ttft_skipped_rows", ())]
    return decode + [Problem("times to the first token", why) for why in prompts]


def _first_token(measured: Measured, calibration: Calibration) -> dict[str, Any]:
    """Errors of the time to the first token, where a file tells it."""
    prompts = calibration.prompts
    if prompts is None or not any(it.ttft_ms() for it in measured.rows):
        return {}
    return first_token_record(first_tokens(measured.rows, calibration), prompts)
