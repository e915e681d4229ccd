"""Measurements in whose time prompts have a part, held against serving.

A whole batch from its prompts to its last token is held against static batching; times of a token
and rates of tokens for some requests at once, against continuous batching; the most tokens a second
for untold users, against continuous batching for as many as memory holds. The ideal of the same is
a bound: what is measured quicker contradicts it, or its own description.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from liminal_jax._traced import listed
from liminal_jax.calibration.base import AbstractCalibration, Ideal
from liminal_jax.data.calibrations import Calibration
from liminal_jax.fit.formats.row import MOST
from liminal_jax.fit.rows import Case, lengths_of
from liminal_jax.fit.scores import Times, scores
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.serving import continuous_batching, static_batching
from liminal_jax.workload.lengths import Lengths
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request

WHOLE = "e2e_latency_s"
"""The metric of a whole static batch."""


@listed
def _token_times(
    design: Design,
    model: Model,
    request: Request,
    lengths: Lengths,
    assumptions: Assumptions,
    calibration: AbstractCalibration,
) -> jax.Array:
    """Time of a token [s]: of a static batch, of a user, and by the rate of all users.

    Shape (2, 3): the bound, and the same calibrated.
    """

    def times(calibration: AbstractCalibration) -> jax.Array:
        given = eqx.tree_at(lambda it: it.calibration, assumptions, calibration)
        static = static_batching(design, model, request, lengths, given)
        moving = continuous_batching(design, model, request, lengths, given)
        rate = moving.tokens_per_second_per_chip * design.mapping.chips()
        return jnp.stack([static.e2e / lengths.osl, moving.tpot, design.batch / rate])

    return jnp.stack([times(Ideal()), times(calibration)])


def _place(case: Case) -> int:
    """Which of the three a case is about."""
    if case.row.metric == WHOLE:
        return 0
    return 1 if case.row.metric in ("tpot_ms", "itl_ms", "utps") else 2


def served_times(cases: list[Case], calibration: Calibration) -> tuple[Times, Times]:
    """Time of a token [s] of each case: the bound, and calibrated."""
    found = []
    for case in cases:
        lengths = Lengths(*lengths_of(case.row))
        given = (case.design, case.model, case.request, lengths, Assumptions())
        times = _token_times(*given, calibration.fitted(case.engine, case.family, case.release))
        found.append(np.asarray(times[:, _place(case)]))
    ideal, calibrated = np.asarray(found).reshape(-1, 2).T
    return ideal, calibrated


def served_scores(cases: list[Case], calibration: Calibration) -> dict[str, Any]:
    """Errors of the calibration as it is, by source, and how many rows are beyond the bound.

    Maxima are told apart, as bounds: by the middle share of the bound, and of the calibrated rate,
    that is reached.
    """
    ideal, calibrated = served_times(cases, calibration)
    times = (np.array([it.tpot for it in cases]), ideal, calibrated)
    sources = np.array([it.source for it in cases])
    most = np.array([it.row.decode_purity == MOST for it in cases], bool)
    by_source = {
        str(source): _scored(*(it[~most & (sources == source)] for it in times))
        for source in sorted(set(sources[~most]))
    }
    errors = [it["mape"] for it in by_source.values()]
    return {
        "rows": int(np.sum(~most)),
        "macro_mape": float(np.mean(errors)) if errors else None,
        "by_source": by_source,
        "maxima": _reached(*(it[most] for it in times)) if np.any(most) else None,
    }


def _scored(measured: Times, ideal: Times, calibrated: Times) -> dict[str, Any]:
    return {
        **scores(measured, calibrated),
        "ideal_mape": scores(measured, ideal)["mape"],
        "beyond_bound": int(np.sum(measured < ideal)),
    }


def _reached(measured: Times, ideal: Times, calibrated: Times) -> dict[str, Any]:
    return {
        "rows": len(measured),
        "beyond_bound": int(np.sum(measured < ideal)),
        "reached_of_bound": float(np.median(ideal / measured)),
        "reached_of_calibrated": float(np.median(calibrated / measured)),
    }
