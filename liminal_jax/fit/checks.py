"""Which measured cases cannot be right: in another unit, given twice, or against each other."""

from collections.abc import Sequence

import numpy as np

from liminal_jax.fit.batch import Batch
from liminal_jax.fit.rows import Case

FASTEST = 0.85
"""Measured time over that of streaming the weights once below which a figure cannot be right."""

SLOWEST = 300.0
"""Measured time over the bound above which a figure cannot be right: the slowest row of the 485
that are known, single users of a small model on a large chip, takes 44 times the bound."""

APART = 1.5
"""Ratio of two figures of one set-up from which they contradict each other: successive captures of
one configuration differ by 1.19 at the 90th percentile (InferenceX, 753 pairs)."""

KILO = 1e3


def _same(it: Case) -> tuple[object, ...]:
    """What one set-up is known by."""
    return (it.source, it.engine, it.row.engine_version, it.chip, it.model_name, it.tp, it.pp,
            it.ep, it.row.num_gpus, it.batch, it.context, it.weight_bits, it.kv_bits,
            it.row.metric, it.row.note)  # fmt: skip


def duplicated(cases: Sequence[Case]) -> tuple[np.ndarray, list[tuple[int, str]]]:
    """Which cases repeat an earlier one to the last digit, or contradict another one.

    Returns:
        For each case whether it does, and line and reason of those that do.
    """
    groups: dict[tuple[object, ...], list[int]] = {}
    reasons: dict[int, str] = {}
    for at, it in enumerate(cases):
        others = groups.setdefault(_same(it), [])
        again = [other for other in others if cases[other].tpot == it.tpot]
        if again:
            reasons[at] = f"is the same measurement as line {cases[again[0]].row.line}"
        others.append(at)
    for places in groups.values():
        group = [cases[at] for at in places]
        if max(it.tpot for it in group) > APART * min(it.tpot for it in group):
            reasons |= {at: _against(cases[at], group) for at in places}
    left_out = np.isin(np.arange(len(cases)), list(reasons))
    return left_out, [(cases[at].row.line, why) for at, why in sorted(reasons.items())]


def _against(it: Case, group: list[Case]) -> str:
    other = max(group, key=lambda each: abs(np.log(each.tpot / it.tpot)))
    return (
        f"contradicts line {other.row.line}: {it.tpot * 1e3:.3g} and {other.tpot * 1e3:.3g} ms a"
        " token of one set-up, and nothing says which is right"
    )


def impossible(batch: Batch) -> tuple[np.ndarray, list[tuple[int, str]]]:
    """Which figures are faster than the weights can stream or far too slow, and what each may be.

    Returns:
        For each case whether it is impossible, and line and reason of those that are.
    """
    streaming = np.asarray(batch.terms.weights)
    fast = batch.measured < FASTEST * streaming
    slow = batch.measured > SLOWEST * batch.ideal
    reasons = []
    for at in np.flatnonzero(fast | slow):
        time, bound = batch.measured[at], batch.ideal[at]
        if slow[at]:
            why = (
                f"{time * 1e3:.3g} ms a token is {time / bound:.0f} times the bound: microseconds"
                " where milliseconds are meant?"
            )
        else:
            kilo = bound <= KILO * time <= SLOWEST * bound
            doubt = "seconds where milliseconds are meant" if kilo else "wrong unit, bits or chips"
            why = (
                f"{time * 1e3:.3g} ms a token is faster than the weights can stream"
                f" ({float(streaming[at]) * 1e3:.3g} ms): {doubt}?"
            )
        reasons.append((batch.cases[at].row.line, why))
    return fast | slow, reasons
