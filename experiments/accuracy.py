"""How far are predictions from measurements, chip by chip and model by model?

Every measured row is predicted by a fit that has not seen its cell (source, model, chip, count,
bits, engine), its chip, or its model. What people asked and the product once answered wrongly is
asked again. The page `docs/accuracy.md` and its picture are drawn from the record beside them:

    python -m experiments.accuracy [--measured FILE] [--first-tokens FILE] [--smoke] [-o DIR]

Measurements are those that come with the package where no file is given. `--smoke` draws the
record that is kept once more, without a fit.
"""

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import jax
import numpy as np
import tyro

from experiments.accuracy_cases import answers
from experiments.accuracy_view import page, plot
from experiments.claims import Record
from experiments.record import ROOT, load_record, provenance, save
from experiments.runner import STYLE
from liminal_jax._files import InputError, Problem
from liminal_jax.cli.main import MISUSED
from liminal_jax.data.calibrations import Calibration, load_calibration
from liminal_jax.data.measurements import MEASURED
from liminal_jax.fit.batch import Batch
from liminal_jax.fit.calibrate import HELD_OUT, load_measured
from liminal_jax.fit.first_token import first_token_record, first_tokens
from liminal_jax.fit.formats.reading import read_rows
from liminal_jax.fit.scores import Times, macro_coverage, macro_scores, one_number
from liminal_jax.fit.solve import Fit, Fitter, spreads

NAME = "accuracy"  # name of the page, its picture and its record
GROUPS = {"chip": "by_chip", "model": "by_model"}
"""What tables are made of, and how each of these is left out."""

LOW, MIDDLE, HIGH = 0.1, 0.5, 0.9  # quantiles of predicted over measured time that are drawn


@dataclass(frozen=True)
class Flags:
    """Command line.

    Attributes:
        measured: Measurements of decode, in the columns that `liminal calibrate --help` tells.
        first_tokens: Measured times to the first token; none where left out.
        smoke: Draw the record that is kept, without a fit.
        output: Folder of page, picture and record.
    """

    measured: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    first_tokens: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    smoke: tyro.conf.FlagCreatePairsOff[bool] = False
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = ROOT / "docs"


def rows_of(
    names: Sequence[str], measured: Times, cell: Times, own: Times
) -> list[dict[str, float | int | str]]:
    """How far times are off for each name, the most rows first.

    Args:
        names: Chip or model of each row.
        measured: Measured times [s].
        cell: Times as fits without the row's cell predict them [s].
        own: The same without any row of that name [s].
    """
    labels, ratio, apart = np.asarray(names), cell / measured, own / measured
    found = []
    for name in sorted(set(names), key=lambda it: (-int(np.sum(labels == it)), it)):
        of = labels == name
        low, middle, high = np.quantile(ratio[of], [LOW, MIDDLE, HIGH])
        found.append(
            {
                "name": str(name),
                "rows": int(np.sum(of)),
                "error": float(np.mean(np.abs(ratio[of] - 1))),
                "own_error": float(np.mean(np.abs(apart[of] - 1))),
                "low": float(low),
                "middle": float(middle),
                "high": float(high),
            }
        )
    return found


def _near(fitter: Fitter, calibration: Calibration, batch: Batch) -> Fit:
    """The calibration that comes with the package, as a place where a fit sets out."""
    known = {(it.term, it.level, it.group): it.value for it in calibration.addends}
    values = np.array([known.get(key, 0.0) for key in fitter.layout.keys])
    return Fit(fitter.layout, values, batch.ideal)


def decode(path: Path, calibration: Calibration) -> dict[str, Any]:
    """Errors of the time of a token, and their tables."""
    batch = load_measured(path).batch
    fitter = Fitter(batch, calibration.priors)
    fit = fitter.fit(np.ones(len(batch.cases), bool), _near(fitter, calibration, batch))
    times = {"ideal": batch.ideal, "one_number": one_number(batch), "fitted": fit.predicted}
    coverage = {}
    for name, groups in HELD_OUT.items():
        of = groups(batch)
        times[name] = fitter.held_out(of, fit)
        width = calibration.interval * spreads(calibration, batch, of)
        coverage[name] = macro_coverage(batch, times[name], width)
    labels = {"chip": batch.labels("chip").tolist(), "model": batch.labels("model_name").tolist()}
    return {
        "rows": len(batch.cases),
        "cells": len(set(batch.cells())),
        "sources": macro_scores(batch, times["by_cell"])["mape_by_source"],
        "errors": {name: macro_scores(batch, it)["macro_mape"] for name, it in times.items()},
        "coverage": coverage,
        "groups": {
            kind: rows_of(labels[kind], batch.measured, times["by_cell"], times[way])
            for kind, way in GROUPS.items()
        },
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


def prompts(path: Path, calibration: Calibration) -> dict[str, Any] | None:
    """Errors of the time to the first token; none where the calibration has no losses of it."""
    if calibration.prompts is None:
        return None
    record = first_token_record(first_tokens(read_rows(path)[0], calibration), calibration.prompts)
    return {
        "rows": record["ttft_rows"],
        "errors": {name: it["macro_mape"] for name, it in record["ttft_schemes"].items()},
        "sources": record["ttft_mape_by_source"],
    }


def recorded(flags: Flags) -> dict[str, Any]:
    """All that the page says."""
    calibration = load_calibration("measured")
    with jax.enable_x64(True):
        return {
            "remark": "",
            "commit": (provenance(0.0)["commit"] or "unknown")[:8],
            "decode": decode(flags.measured or MEASURED, calibration),
            "first_token": flags.first_tokens and prompts(flags.first_tokens, calibration),
            "cases": answers(),
        }


def written(record: Record, folder: Path) -> list[Path]:
    """Write the page and its picture, and tell where."""
    from matplotlib import style

    text, picture = folder / f"{NAME}.md", folder / f"{NAME}.png"
    text.write_text(page(record), encoding="utf-8")
    with style.context(STYLE):
        plot(record).savefig(picture, dpi=150, metadata={"Software": None})
    return [text, picture]


def main(argv: Sequence[str] | None = None) -> int:
    """Make the record, or take the one that is kept, and draw the page."""
    flags = tyro.cli(Flags, args=argv, description=__doc__)
    kept = flags.output / f"{NAME}.json"
    try:
        if flags.smoke and not kept.is_file():
            raise InputError(str(kept), [Problem("", "is not there: leave --smoke out")])
        if not flags.smoke:
            flags.output.mkdir(parents=True, exist_ok=True)
            save(kept, recorded(flags))
    except InputError as error:
        print(error, file=sys.stderr)
        return MISUSED
    for path in written(load_record(kept), flags.output):
        print(path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
