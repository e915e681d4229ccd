"""Measured times to the first token: cases, the fit of what engines lose, and its error.

Rows of which the prompt that passes, or the load that it meets, is not known are said and not
scored: where requests waited for a place among those that decode, or where part of a prompt may
come from a cache of prefixes.
"""

import dataclasses
import re
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from liminal_jax._traced import listed
from liminal_jax.calibration.prompts import PROMPT_TERMS, FirstToken, Load, PromptLosses
from liminal_jax.calibration.terms import Terms
from liminal_jax.data.calibrations import Calibration, PromptCalibration, load_prompt_priors
from liminal_jax.fit.batch import Batch
from liminal_jax.fit.formats.row import Row
from liminal_jax.fit.rows import Case, case_of, drawn_lengths, lengths_of, reasons_against
from liminal_jax.fit.scores import Times, macro_scores
from liminal_jax.fit.solve import Fit, Fitter, Law, addends_of
from liminal_jax.performance.design import Design
from liminal_jax.performance.predictor import mixed_step
from liminal_jax.performance.step_terms import step_terms
from liminal_jax.workload.chunk import Chunk, Prompts
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request

PROMPTS = Law(PromptLosses, PROMPT_TERMS, noise=0.2, starts=4)
"""Of the time to the first token. Releases of an engine and hosts differ by more than in decode:
Qwen3-8B on one H100, single requests, 27 ms on SGLang and 60 ms on vLLM in one set of runs."""

LEAST_ROWS = 2 * len(PROMPT_TERMS)
"""Rows below which nothing is fitted."""

FASTEST = 0.9
"""Measured time over that of the prompt at peak rates below which a figure cannot be right."""

SLOWEST = 3000.0
"""The same above which it cannot be right: the slowest rows that are known take 1,465 times it."""

_STATIC = re.compile(r"static batch")
_CACHED = re.compile(r"prefix cache|can be cached")
_ROUND = (50, 64)
"""Lengths of which nominal ones are multiples, as means of lengths that vary hardly ever are."""


def _reasons(row: Row) -> list[str]:
    """Why a row's time to the first token is not predicted."""
    reasons = [] if row.isl else ["isl is not stated"]
    if row.queueing == "yes" or row.decode_purity == "queue":
        reasons.append("requests queued: the first token waits for a place")
    elif row.queueing == "unknown":
        reasons.append("whether requests queued is not known")
    if _CACHED.search(row.note) and (row.batch_or_concurrency or 2) > 1:
        reasons.append("part of the prompt may come from a cache of prefixes")
    return reasons


def _alike(row: Row) -> bool:
    """Whether all requests of a row have the same lengths, as its figures tell."""
    osl = row.osl or 0.0
    nominal = osl > 0 and any(osl % length == 0 for length in _ROUND)
    return nominal and not drawn_lengths(row)


def cases_of_first_token(rows: list[Row]) -> tuple[list[Case], list[tuple[int, str]]]:
    """The cases of rows that tell a time to the first token, and line and reason of those not used.

    Their `tpot` is that time [s].
    """
    cases: list[Case] = []
    skipped: list[tuple[int, str]] = []
    for row in rows:
        time = row.ttft_ms()
        if time is None:
            continue
        # Requests that come by themselves, below saturation, are few at once.
        whole = dataclasses.replace(
            row,
            batch_or_concurrency=row.batch_or_concurrency or 1.0,
            decode_purity="",
            metric="tpot_ms",
            value=time,
        )
        reasons = reasons_against(whole) or _reasons(row)
        if reasons:
            skipped.append((row.line, "; ".join(reasons)))
        else:
            cases.append(dataclasses.replace(case_of(whole), tpot=time / 1e3, row=row))
    return cases, skipped


@listed
def _passing(
    design: Design, model: Model, request: Request, count: Array, tokens: Array
) -> tuple[Terms, Array]:
    """Terms of a step that passes prompts alone, and its ideal time [s]."""
    prompts = Prompts(count=count, chunk=Chunk(tokens=tokens))
    idle = eqx.tree_at(lambda it: it.batch, design, jnp.zeros_like(design.batch))
    ideal = mixed_step(idle, model, request, prompts).time
    return step_terms(idle, model, request, prompts=prompts), jnp.asarray(ideal)


@listed
def _decoding(design: Design, model: Model, request: Request) -> Terms:
    return step_terms(design, model, request)


SETTLED = 3
"""Rounds in which the users that decode, of requests that come by themselves, settle: each moves
the time of a step by less than the one before."""


def _load(case: Case, calibration: Calibration) -> Load:
    """What a prompt of a case meets."""
    row = case.row
    fitted = calibration.fitted(case.engine, case.family, case.release)
    _, osl = lengths_of(row)
    later = max(osl - 1.0, 1.0)
    instances = max(1.0, (row.num_gpus or 1.0) // (case.tp * case.pp))
    open_loop = row.request_rate is not None
    rate = (row.request_rate or 0.0) / instances
    design, step = case.design, 0.0
    for _ in range(SETTLED if open_loop else 1):
        step = float(fitted.time(_decoding(design, case.model, case.request)))
        if open_loop:
            users = jnp.asarray(max(1.0, rate * later * step), float)
            design = eqx.tree_at(lambda it: it.batch, design, users)
    alone = _STATIC.search(row.note) is not None or (case.batch <= 1 and not open_loop)
    return Load(
        users=case.batch,
        rate=rate,
        answer=later * step,
        step=step,
        others=0.0 if alone else 1.0,
        alike=1.0 if _alike(row) and not open_loop else 0.0,
    )


def first_token_batch(cases: list[Case], calibration: Calibration) -> Batch[FirstToken]:
    """The prompts of cases and what they meet, with decode as a calibration has it."""
    if not cases:
        nothing = np.zeros(0)
        terms = Terms(*[nothing] * len(dataclasses.fields(Terms)))
        load = Load(*[nothing] * len(dataclasses.fields(Load)))
        return Batch((), FirstToken(terms, load), nothing, nothing)
    steps = []
    for it in cases:
        count = it.batch if _STATIC.search(it.row.note) else 1.0
        tokens, _ = lengths_of(it.row)
        given = (jnp.asarray(count, float), jnp.asarray(tokens, float))
        terms, ideal = _passing(it.design, it.model, it.request, *given)
        steps.append((FirstToken(terms, _load(it, calibration)), ideal))
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *(terms for terms, _ in steps))
    return Batch(
        cases=tuple(cases),
        terms=stacked,
        ideal=np.array([float(ideal) for _, ideal in steps]),
        measured=np.array([it.tpot for it in cases]),
    )


def _impossible(batch: Batch[FirstToken]) -> tuple[np.ndarray, list[tuple[int, str]]]:
    """Which figures are faster than peak rates allow or far too slow, and what each may be."""
    ratio = batch.measured / batch.ideal
    wrong = (ratio < FASTEST) | (ratio > SLOWEST)
    reasons = []
    for at in np.flatnonzero(wrong):
        time, bound = (f"{1e3 * it[at]:.3g} ms" for it in (batch.measured, batch.ideal))
        quick = ratio[at] < FASTEST
        than = "faster than peak rates allow" if quick else "far beyond the bound"
        unit = "seconds" if quick else "microseconds"
        why = f"a first token in {time} is {than} ({bound}): {unit} where milliseconds are meant?"
        reasons.append((batch.cases[at].row.line, why))
    return wrong, reasons


@dataclasses.dataclass(frozen=True)
class FirstTokens:
    """The times to the first token of a file.

    Attributes:
        batch: The cases.
        skipped: Line and reason of each row that was left out.
    """

    batch: Batch[FirstToken]
    skipped: list[tuple[int, str]]


def first_tokens(rows: list[Row], calibration: Calibration) -> FirstTokens:
    """The times to the first token of rows, with decode as a calibration has it."""
    cases, skipped = cases_of_first_token(rows)
    batch = first_token_batch(cases, calibration)
    wrong, reasons = _impossible(batch)
    return FirstTokens(batch.only(~wrong), sorted([*skipped, *reasons]))


@eqx.filter_jit
def _times(losses: PromptLosses, terms: FirstToken) -> Float[Array, " cases"]:
    return jnp.asarray(jax.vmap(lambda it, of: it.time(of))(losses, terms))


def first_token_times(prompts: PromptCalibration, batch: Batch[FirstToken]) -> Times:
    """Predicted time to the first token of each case [s]."""
    each = [prompts.losses(it.engine, it.family) for it in batch.cases]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *each)
    return np.asarray(_times(stacked, batch.terms))


def _fitted(batch: Batch[FirstToken]) -> tuple[Fitter, Fit]:
    fitter = Fitter(batch, load_prompt_priors(), PROMPTS)
    return fitter, fitter.fit(np.ones(len(batch.cases), bool))


def prompts_fitted(batch: Batch[FirstToken]) -> PromptCalibration:
    """What engines lose up to the first token, as cases have it."""
    fitter, fit = _fitted(batch)
    covariance = fitter.covariance(fit, np.ones(len(batch.cases), bool))
    misses = np.abs(np.log(fit.predicted / batch.measured))
    return PromptCalibration(
        rows=len(batch.cases),
        sources=sorted(set(batch.labels("source"))),
        cells=sorted(set(batch.cells())),
        noise=float(np.mean(misses) * np.sqrt(np.pi / 2)),
        priors=fitter.priors,
        addends=addends_of(fit, covariance),
    )


def first_token_record(found: FirstTokens, prompts: PromptCalibration) -> dict[str, Any]:
    """Errors of the time to the first token, as `validate --json` has them.

    Rows of cells that the calibration was fitted to are predicted by fits without their cell.
    """
    batch = found.batch
    record: dict[str, Any] = {
        "ttft_rows": len(batch.cases),
        "ttft_skipped_rows": [{"line": at, "reason": why} for at, why in found.skipped],
        "ttft_macro_mape": None,
        "ttft_schemes": {},
    }
    if not batch.cases:
        return record
    as_is = first_token_times(prompts, batch)
    judged, schemes = as_is, {"ideal": batch.ideal, "as_is": as_is}
    cells = batch.cells()
    seen = np.isin(cells, prompts.cells)
    if np.sum(seen) >= LEAST_ROWS and len(set(cells[seen])) > 1:
        fitter, fit = _fitted(batch)
        schemes["by_cell"] = fitter.held_out(cells, fit)
        judged = np.where(seen, schemes["by_cell"], as_is)
    scores = macro_scores(batch, judged)
    return record | {
        "ttft_macro_mape": scores["macro_mape"],
        "ttft_mape_by_source": scores["mape_by_source"],
        "ttft_bias": scores["bias"],
        "ttft_schemes": {name: macro_scores(batch, it) for name, it in schemes.items()},
    }
