"""A calibration that was fitted: what each loss is, how surely, and what the data do not tell."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from liminal_jax._display import in_units
from liminal_jax._quantity import quantities_of
from liminal_jax.calibration.fitted import TERMS, Fitted
from liminal_jax.fit.calibrate import Calibrated
from liminal_jax.fit.scores import macro_scores
from liminal_jax.results.page import Line, Page, known, section, sentences, table
from liminal_jax.results.skipped import skipped
from liminal_jax.results.values import share
from liminal_jax.study.kind import kind_record


def calibration_record(found: Calibrated, file: str) -> dict[str, Any]:
    """The object of `liminal calibrate --json`.

    Args:
        found: The calibration, and what it was learned from.
        file: Where it was written.
    """
    batch, it = found.measured.batch, found.calibration
    return {
        **kind_record("calibration"),
        "file": file,
        "rows": len(batch.cases),
        "skipped": len(found.measured.skipped),
        "fit": macro_scores(batch, found.fit.predicted),
        "by_cell": macro_scores(batch, found.by_cell),
        "unlearned": found.unlearned(),
        "noise": it.noise,
        "interval": it.interval,
        "covariance": it.covariance,
        "sources": it.sources,
        "served": len(found.measured.served),
        "losses": list(_losses(found)),
        "skipped_rows": found.measured.skipped_rows(),
    }


def _losses(found: Calibrated) -> Iterator[dict[str, Any]]:
    """Every loss: its value for hardware at large, and how surely, in its prior's terms too."""
    it = found.calibration
    fitted, quantities = it.fitted(), quantities_of(Fitted)
    left = {addend.term: addend.spread for addend in it.addends if addend.level == "all"}
    for term in TERMS:
        yield {
            "loss": term,
            "label": quantities[term].label,
            "unit": quantities[term].unit,
            "value": float(getattr(fitted, term)),
            "factor": math.exp(left[term] * it.priors[term].all),
            "of_prior": left[term],
        }


def page(record: Mapping[str, Any]) -> Page:
    """The page of a calibration.

    Args:
        record: The object of `liminal calibrate --json`.
    """
    labels = [it["label"] for it in record["losses"] if it["loss"] in record["unlearned"]]
    served = record["served"]
    heading = ("loss", "typical", "factor either way", "of its prior")
    return Page(
        f"calibration {record['file']}",
        (f"{record['rows']} rows of {len(record['sources'])} sources",),
        (
            "error ",
            share("fit.macro_mape", record["fit"]["macro_mape"]),
            ", cells left out ",
            share("by_cell.macro_mape", record["by_cell"]["macro_mape"]),
            " (mean over sources)",
        ),
        (
            section(
                "losses, and how far data narrow what was believed", table(_rows(record), heading)
            ),
            section("not pinned by these data: the prior decides", sentences(labels)),
            section(
                "not fitted to",
                sentences([f"{served} rows with prompts in their time"] if served else []),
            ),
            skipped("rows skipped", record["skipped_rows"]),
        ),
    )


def _rows(record: Mapping[str, Any]) -> Iterator[Line]:
    for row, it in enumerate(record["losses"]):
        path = f"losses.{row}"
        yield (
            it["label"],
            known(in_units(it["value"], it["unit"]), f"{path}.value", it["value"]),
            known(f"{it['factor']:.2f}", f"{path}.factor", it["factor"]),
            share(f"{path}.of_prior", it["of_prior"]),
        )
