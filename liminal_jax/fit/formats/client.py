"""What a benchmark client saw of a server, and the row that it makes: one rule for every tool.

Failed requests, answers of several tokens a step and requests that waited for a place are said,
and not scored. The users at once follow from Little's law where requests come by themselves:

    users = requests a second x mean time of a request

References:
    Little (1961), A proof for the queuing formula L = lambda W, Operations Research 9, 383-387.
"""

import math
from dataclasses import dataclass

from liminal_jax.fit.formats.row import PURE, QUEUED, Refusal, Row, purity

LATE = 1.15
"""Measured over expected time of a benchmark from which requests piled up."""

GROUPED = (0.6, 1.2)
"""Median gap between chunks over time of a token, between which a chunk holds one token."""

LONG_PROMPT = 8.0
"""Tokens of a prompt over those of its answer above which the first token may well take longer
than all later ones without any queue."""


@dataclass(frozen=True)
class Client:
    """What a client tells of one run; None or empty where it does not.

    Times in ms, as the tools have them. `rate` is the requests a second that were asked for,
    infinite where they are sent at once, and `throughput` those that were served. `apart` is
    whether chips of their own pass the prompts.
    """

    line: int
    source: str
    model: str = ""
    system: str = ""
    engine: str = ""
    engine_version: str = ""
    chips: float | None = None
    tp: float | None = None
    pp: float | None = None
    ep: float | None = None
    weight_bits: float | None = None
    kv_bits: float | None = None
    asked: float | None = None
    completed: float | None = None
    failed: float | None = None
    isl: float | None = None
    osl: float | None = None
    limit: float | None = None
    rate: float | None = None
    throughput: float | None = None
    output_throughput: float | None = None
    tpot_median: float | None = None
    tpot_mean: float | None = None
    itl_median: float | None = None
    ttft_median: float | None = None
    ttft_mean: float | None = None
    e2e_mean: float | None = None
    accepted: float | None = None
    note: str = ""
    apart: bool = False

    def tpot(self) -> float | None:
        """Time of a token of a user [ms]: the median over requests, else the mean."""
        return self.tpot_mean if self.tpot_median is None else self.tpot_median

    def ttft(self) -> float | None:
        """Time to the first token [ms]: the median, else the mean."""
        return self.ttft_mean if self.ttft_median is None else self.ttft_median

    def request_time(self) -> float | None:
        """Mean time of a request [ms]."""
        tpot, ttft = self.tpot_mean or self.tpot_median, self.ttft_mean or self.ttft_median
        if self.e2e_mean is not None:
            return self.e2e_mean
        if tpot is None or ttft is None or self.osl is None:
            return None
        return ttft + (self.osl - 1) * tpot


def _users(it: Client) -> float | None:
    """Requests at once: the limit of a closed loop, or as Little's law has it."""
    if it.limit is not None and not _by_themselves(it):
        return it.limit if it.asked is None else min(it.limit, it.asked)
    time, served = it.request_time(), it.throughput
    if it.output_throughput and it.osl:
        served = it.output_throughput / it.osl  # told to more digits
    if served is None or time is None:
        return it.limit
    return max(1.0, served * time / 1e3)


def _by_themselves(it: Client) -> bool:
    """Whether requests come at a rate of their own."""
    return it.rate is not None and math.isfinite(it.rate)


def _refused(it: Client) -> str:
    """Why a run tells nothing that can be predicted; empty where it does."""
    lost = it.failed or 0.0
    if not lost and it.asked is not None and it.completed is not None:
        lost = max(0.0, it.asked - it.completed)
    if lost:
        of = it.asked or (it.completed or 0.0) + lost
        return f"{lost:.0f} of {of:.0f} requests failed: what is left is another load"
    if it.accepted is not None and it.accepted > 1.01:
        return f"speculative decoding, {it.accepted:.2f} tokens a step: not modelled"
    if it.tpot() is None and it.ttft() is None and it.output_throughput is None:
        return "tells neither the time of a token nor of the first one"
    return ""


def _queued(it: Client) -> str:
    """Why requests must have waited for a place; empty where nothing says so."""
    tpot, ttft = it.tpot(), it.ttft()
    time = it.request_time()
    if it.rate is not None and _by_themselves(it) and it.completed and it.throughput and time:
        expected = it.completed / it.rate + time / 1e3
        if it.completed / it.throughput > LATE * expected:
            return f"{it.rate:g} requests a second were asked for and {it.throughput:.3g} served"
    if tpot is None or ttft is None or not it.isl or not it.osl or (_users(it) or 1) <= 1:
        return ""
    later = (it.osl - 1) * tpot
    if ttft > later and it.isl <= LONG_PROMPT * it.osl:
        return f"the first token takes {ttft:.3g} ms, all later ones {later:.3g} ms"
    return ""


def _decoding(it: Client, users: float) -> tuple[str, float | None, str]:
    """Metric, value and purity of decoding."""
    isl, osl = it.isl or 0.0, it.osl or 1.0
    tpot, gap = it.tpot(), it.itl_median
    if tpot is not None and it.apart:
        return "tpot_ms", tpot, PURE[0]
    if tpot is None:
        rate = it.output_throughput
        return ("output_tps_total" if rate else "", rate, purity(isl, osl, users))
    if gap is not None and GROUPED[0] <= gap / tpot <= GROUPED[1]:
        kind = purity(isl, osl, users, stalls=False)
        return ("itl_ms", gap, kind) if kind == "near" else ("tpot_ms", tpot, kind)
    return "tpot_ms", tpot, purity(isl, osl, users)


def row_of(it: Client) -> Row | Refusal:
    """The row of a run, or why it is none."""
    if reason := _refused(it):
        return Refusal(it.line, reason)
    users = _users(it)
    metric, value, kind = _decoding(it, users or 1.0)
    notes = [it.note] if it.note else []
    waited = _queued(it)
    at_once = it.limit is None and it.rate is not None and math.isinf(it.rate)
    if waited:
        kind = QUEUED
        notes.append(f"requests queued: {waited}")
    if at_once:
        notes.append("all requests were sent at once")
    return Row(
        line=it.line,
        model=it.model,
        weight_bits=it.weight_bits,
        kv_bits=it.kv_bits,
        gpu=it.system,
        num_gpus=it.chips,
        tp=it.tp,
        pp=it.pp,
        ep=it.ep,
        batch_or_concurrency=users,
        isl=it.isl,
        osl=it.osl,
        metric=metric,
        value=value,
        engine=it.engine,
        engine_version=it.engine_version,
        note="; ".join(notes),
        source_id=it.source,
        decode_purity=kind if metric else "",
        ttft_ms_median=None if it.apart else it.ttft_median,
        ttft_ms_mean=None if it.apart else it.ttft_mean,
        request_rate=it.rate if _by_themselves(it) else None,
        queueing="yes" if waited or at_once else "no",
    )
