"""How far predicted times are from measured ones."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.stats import kendalltau

from liminal_jax.fit.batch import Batch

Times = Float[np.ndarray, " cases"]
NOISE_FLOOR = {"median": 0.01, "p90": 0.19}
"""Change of the same configuration from one capture to the next, of 753 pairs of InferenceX."""
BATCH_RANGES = ((1, 1), (2, 8), (9, 32), (33, 128), (129, 10**9))


def _mean(values: np.ndarray) -> float | None:
    return float(np.mean(values)) if len(values) else None


def scores(measured: Times, predicted: Times) -> dict[str, float | int | None]:
    """Mean absolute error, bias, shares within 10 and 25 %, and Kendall's rank correlation."""
    error = predicted / measured - 1
    several = len(set(measured)) > 1 and len(set(predicted)) > 1
    return {
        "rows": len(error),
        "mape": _mean(np.abs(error)),
        "bias": _mean(error),
        "within_10": _mean(np.abs(error) <= 0.10),
        "within_25": _mean(np.abs(error) <= 0.25),
        "rank_correlation": float(np.asarray(kendalltau(measured, predicted))[0])
        if several
        else None,
    }


def batch_range(batch: float) -> str:
    """The range of users that a micro-batch falls into."""
    for low, high in BATCH_RANGES:
        if batch <= high:
            return f"{low}" if low == high else f"{low}-{high}" if high < 10**9 else f"{low}+"
    return ""


GROUPS: dict[str, Callable[[Batch], np.ndarray]] = {
    "source": lambda it: it.labels("source"),
    "engine": lambda it: it.labels("engine"),
    "chip": lambda it: it.labels("chip"),
    "model": lambda it: it.labels("model_name"),
    "batch": lambda it: np.array([batch_range(case.batch) for case in it.cases]),
}


def _macro(per: dict[str, dict[str, Any]], key: str) -> float | None:
    values = [it[key] for it in per.values() if it[key] is not None]
    return float(np.mean(values)) if values else None


def by_group(batch: Batch, predicted: Times, group: str) -> dict[str, dict[str, Any]]:
    """Scores of each source, engine, chip, model or range of users."""
    labels = GROUPS[group](batch)
    return {
        str(label): scores(batch.measured[labels == label], predicted[labels == label])
        for label in sorted(set(labels))
    }


def macro_scores(batch: Batch, predicted: Times) -> dict[str, Any]:
    """Scores of each source, averaged over sources."""
    per = by_group(batch, predicted, "source")
    return {
        "macro_mape": _macro(per, "mape"),
        "mape_by_source": {source: it["mape"] for source, it in per.items()},
        "bias": _macro(per, "bias"),
        "within_10": _macro(per, "within_10"),
        "within_25": _macro(per, "within_25"),
        "rank_correlation": _macro(per, "rank_correlation"),
    }


def macro_coverage(batch: Batch, predicted: Times, widths: Times) -> float:
    """Share of rows whose time lies within a factor exp(width), averaged over sources."""
    inside = np.abs(np.log(predicted / batch.measured)) <= widths
    sources = batch.labels("source")
    return float(np.mean([np.mean(inside[sources == it]) for it in sorted(set(sources))]))


def one_number(batch: Batch) -> Times:
    """The paper's calibration: the bound times one number, here that of least macro error.

    The number lies between the least and the greatest of measured over ideal time.
    """
    ratios = batch.measured / batch.ideal
    candidates = np.geomspace(np.min(ratios), np.max(ratios), 400)
    errors = np.abs(np.outer(candidates, batch.ideal / batch.measured) - 1)
    sources = batch.labels("source")
    macro = np.mean([np.mean(errors[:, sources == it], axis=1) for it in set(sources)], axis=0)
    return batch.ideal * candidates[int(np.argmin(macro))]


def covering(batch: Batch, ways: Sequence[tuple[Times, Times]], share: float) -> float:
    """Factor on spreads whose intervals cover a share of the rows, all sources weighted equally.

    Args:
        batch: The cases.
        ways: Predicted times, and the spread of the logarithm of each, by every way to leave cases
            out; the share is the mean over these ways.
        share: Share of the rows that is covered.
    """
    sources = batch.labels("source")
    each = [np.abs(np.log(predicted / batch.measured)) / spread for predicted, spread in ways]
    misses = np.concatenate(each)
    weights = np.tile([1 / np.sum(sources == it) for it in sources], len(ways))
    order = np.argsort(misses)
    reached = np.cumsum(weights[order]) / np.sum(weights)
    return float(misses[order][np.searchsorted(reached, share)])
