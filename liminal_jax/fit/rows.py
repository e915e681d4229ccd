"""The case that a measured row puts to the predictor."""

import math
import re
from dataclasses import dataclass
from functools import cache

from liminal_jax.data.build import load_model, load_system
from liminal_jax.data.models import load_model_spec
from liminal_jax.data.names import (
    chip_family,
    engine_named,
    model_named,
    released,
    system_named,
)
from liminal_jax.data.systems import load_system_file
from liminal_jax.fit.formats.asked import is_path
from liminal_jax.fit.formats.row import MOST, QUEUED, Row
from liminal_jax.hardware.system import System
from liminal_jax.mapping.attention import AbstractAttentionMapping, CopiedHeads, DataParallel
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.placement import Placement
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.memory_footprint import memory_footprint
from liminal_jax.workload.counts import counts
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import BITS_PER_BYTE, Request

DRAWN_SHARE = 0.9
"""Mean over nominal length where lengths are drawn evenly from 0.8 to 1.0 of the nominal."""
ASSUMED_KV_BITS = 16.0
"""Bits of the cache where a row does not state them: the default of the engines."""
NARROW_KV_BITS = 8.0
NARROW_KV = ("Dynamo+TensorRT-LLM", "Optimum-Habana")
"""Engines, by the start of their name, that keep the cache of a model of 8 bits or fewer in FP8.

Recipes of Dynamo and TensorRT-LLM for DeepSeek-R1 set `kv_cache_config: dtype: fp8`
(NVIDIA/TensorRT-LLM, examples/serve/deepseek_r1_reasoning_parser.sh). On Gaudi an empty allowlist
quantises all supported modules, the cache among them (Intel Neural Compressor, FP8 quantization);
with 16 bits, one of the rows would stream at 97 % of the bandwidth.
"""
BUCKETED = "Transformers NeuronX"
"""Start of the name of an engine whose steps are compiled for contexts of powers of two: each reads
that many tokens, however few are kept (AWS Neuron, decode context-length bucketing)."""
PADDING = (BUCKETED, "llama.cpp")
"""Starts of the names of engines that split heads unevenly, or pad them."""
RATES = ("output_tps_total", "output_tps_per_gpu")
"""Metrics of all users, of which the time of a token follows from how many decode."""

WHOLE_RUNS = (*RATES, "e2e_latency_s")
"""Metrics of runs from the first prompt to the last token."""
NEAR = "near"
"""Purity of measurements in which prompts have a small part."""
CORES_PER_CHIP = 2
"""NeuronCores on one Inferentia2 or Trainium1 chip."""


_FILE_SIZE = re.compile(r"([\d.]+) GiB, ([\d.]+) B params")


@dataclass(frozen=True)
class Skipped:
    """A row that is no case, and why."""

    row: Row
    reason: str


@dataclass(frozen=True)
class Case:
    """A measured step and the design that the predictor is asked about.

    Attributes:
        row: The measurement.
        model: The model.
        design: Hardware, mapping and the batch of one instance.
        request: Context and precisions.
        source: Who measured.
        engine: Inference engine, by its own name.
        chip: Name of the system's file.
        family: Family of the chip, such as hopper.
        model_name: Name of the model's file.
        tpot: Measured time of one token [s].
        batch: Users in one micro-batch of one instance.
        context: Mean tokens of context that a step of decoding reads.
        tp: Chips over which tensors are split.
        pp: Pipeline stages.
        ep: Ranks over which experts are spread.
        weight_bits: Bits of a weight as stored, scales included where the row tells.
        kv_bits: Bits of a cached element.
        remarks: What was taken where the row does not say.
        release: When the engine's release was out, in years; None where the row does not tell.
    """

    row: Row
    model: Model
    design: Design
    request: Request
    source: str
    engine: str
    chip: str
    family: str
    model_name: str
    tpot: float
    batch: float
    context: float
    tp: int
    pp: int
    ep: int
    weight_bits: float
    kv_bits: float
    remarks: tuple[str, ...]
    release: float | None = None


def cases_of(rows: list[Row]) -> tuple[list[Case], list[Skipped]]:
    """The cases of rows, and the rows that are none, each with every reason."""
    cases: list[Case] = []
    skipped: list[Skipped] = []
    for row in (it for it in rows if it.metric):
        reasons = reasons_against(row)
        case = None if reasons else case_of(row)
        if case is not None and (reason := _overflow(case)):
            reasons, case = [reason], None
        if case is None:
            skipped.append(Skipped(row, "; ".join(reasons)))
        else:
            cases.append(case)
    return cases, skipped


def model_of_row(row: Row) -> str | None:
    """The model of a row: one that comes along, or a file of the user's own."""
    return row.model if is_path(row.model) else model_named(row.model)


def system_of_row(row: Row) -> str | None:
    """The system of a row, in the same way."""
    return row.gpu if is_path(row.gpu) else system_named(row.gpu)


def reasons_against(row: Row) -> list[str]:
    """Why a row is no case; empty where it may be one."""
    users = () if row.decode_purity == MOST else ("batch_or_concurrency",)
    stated = ("num_gpus", "tp", *users, "weight_bits", "isl")
    reasons = [f"{name} is not stated" for name in stated if getattr(row, name) is None]
    if model_of_row(row) is None:
        reasons.append(f"unknown model {row.model!r}")
    if system_of_row(row) is None:
        reasons.append(f"unknown chip {row.gpu!r}")
    if row.metric == "e2e_latency_s" and not row.osl:
        reasons.append("osl is not stated")
    if row.decode_purity == QUEUED:
        reasons.append("requests queued: the batch is not known")
    if row.num_gpus and row.tp and _split(row)[0] * _split(row)[1] > row.num_gpus:
        reasons.append("tp x pp exceeds num_gpus")
    return reasons or _undivided(row)


def _undivided(row: Row) -> list[str]:
    """Why no engine shares out the heads of a row's model; empty where one does."""
    ranks = _split(row)[0]
    if (
        attends_apart(row)
        or _ranks_per_chip(row) > 1
        or engine_named(row.engine).startswith(PADDING)
    ):
        return []
    mixers = (it.attention for it in load_model_spec(model_of_row(row) or "").layers)
    heads = {int(each) for it in mixers if (each := getattr(it, "heads", None))}
    return [
        f"tp {ranks} does not divide the {each} heads of {row.model}: no engine accepts it"
        for each in sorted(heads)
        if each % ranks
    ][:1]


def _ranks_per_chip(row: Row) -> int:
    """Ranks on one chip: where tp counts cores, as many as it has."""
    counts_cores = row.source_id == "aws-neuron" or "counts NeuronCores" in row.note
    return CORES_PER_CHIP if counts_cores else 1


def _split(row: Row) -> tuple[int, int]:
    """Chips of a stage, and stages."""
    return max(1, int(row.tp or 1) // _ranks_per_chip(row)), int(row.pp or 1)


def _cache_bits(row: Row) -> float:
    """Bits of a cached element: as stated, or the engine's habit."""
    narrow = (
        engine_named(row.engine).startswith(NARROW_KV) and (row.weight_bits or 16) <= NARROW_KV_BITS
    )
    return row.kv_bits or (NARROW_KV_BITS if narrow else ASSUMED_KV_BITS)


def _stored_bits(row: Row) -> float:
    """Bits of a weight: size of the file over parameters, where the row tells both."""
    found = _FILE_SIZE.search(row.params_note)
    if found is None:
        return row.weight_bits or math.nan
    return float(found[1]) * 2**30 * BITS_PER_BYTE / (float(found[2]) * 1e9)


def cell_of(row: Row, weight_bits: float) -> str:
    """The cell of a row: what was set up once and measured at several loads."""
    chips = math.nan if row.num_gpus is None else row.num_gpus
    return f"{row.source_id}|{row.model}|{row.gpu}|{chips:g}|{weight_bits:g}|{row.engine}"


def _tpot(row: Row, users: float) -> float:
    """Time of one token [s], from whatever the row states."""
    value, chips = row.value or math.nan, row.num_gpus or 1
    return {
        "tpot_ms": value / 1e3,
        "itl_ms": value / 1e3,
        "utps": 1 / value,
        "output_tps_total": users / value,
        "output_tps_per_gpu": users / (value * chips),
        "e2e_latency_s": value / (row.osl or 1),
    }[row.metric]


def drawn_lengths(row: Row) -> bool:
    """Whether lengths are drawn from 0.8 to 1.0 of those that a row states."""
    return "0.8-1.0x" in row.note or row.source_id.startswith("inferencex-dsr1")


def lengths_of(row: Row) -> tuple[float, float]:
    """Mean tokens of the prompt, and of what is written."""
    share = DRAWN_SHARE if drawn_lengths(row) else 1.0
    return share * (row.isl or 0.0), share * (row.osl or 0.0)


def prompts_passed(row: Row) -> float:
    """Tokens of prompts for each token that is written, in the time that a row states.

    A rate of a whole run, or its time, holds the prompts; a time between tokens does not.
    """
    whole = row.metric in WHOLE_RUNS and row.decode_purity == NEAR
    return (row.isl or 0.0) / (row.osl or 1.0) if whole else 0.0


def attends_apart(row: Row) -> bool:
    """Whether each rank attends to users of its own, as the row's note tells."""
    return bool(re.search(r"attention.{0,3}(data-parallel|DP)", row.note))


def _attention(row: Row) -> AbstractAttentionMapping:
    """As the engine shares attention: users of its own for each rank, or heads of all."""
    if attends_apart(row):
        return DataParallel()
    return CopiedHeads(ranks_per_chip=_ranks_per_chip(row))


def counts_waiting(row: Row) -> bool:
    """Whether users that wait are counted with those that decode, as the row's note tells."""
    return "incl. requests queued" in row.note


def _context(row: Row) -> float:
    """Mean context of decoding: the prompt and half of what is written, as the engine reads it."""
    read, written = lengths_of(row)
    context = max(1.0, read + written / 2)
    bucketed = row.engine.startswith(BUCKETED)
    return 2.0 ** math.ceil(math.log2(context)) if bucketed else context


def case_of(row: Row) -> Case:
    """The case of a row that nothing speaks against."""
    model, chip = model_of_row(row) or "", system_of_row(row) or ""
    tp, pp = _split(row)
    instances = max(1.0, (row.num_gpus or 1) // (tp * pp))
    users = row.batch_or_concurrency or instances * _most(row)
    batch = max(1.0, users / instances)
    remarks = []
    if counts_waiting(row) and batch > (most := _most(row)):
        remarks.append(f"of {batch:.0f} users {most:.0f} decode, as memory holds; others wait")
        batch, users = most, most * instances
    if instances > 1:
        remarks.append(f"the users are shared out over {instances:.0f} instances")
    if row.osl is None:
        remarks.append("osl is not stated: the context is the prompt's")
    weights, cache = _stored_bits(row), _cache_bits(row)
    if row.kv_bits is None:
        remarks.append(f"kv_bits is not stated: {cache:.0f} taken")
    if weights != row.weight_bits:
        remarks.append(f"{weights:.2f} bits a weight, scales included, from the size of the file")
    ep = int(row.ep or 1)
    if tp % ep:
        remarks.append(f"ep {ep} does not divide tp {tp}: 1 taken")
        ep = 1
    context = _context(row)
    return Case(
        row=row,
        model=_model(model),
        design=Design(
            _system(chip),
            Mapping(tp=tp, pp=pp, ep=ep, attention=_attention(row)),
            Placement(),
            batch=batch,
        ),
        request=Request(context=context, weight_bits=weights, kv_bits=cache),
        source=row.source_id,
        engine=engine_named(row.engine),
        chip=chip,
        family=chip_family(chip),
        model_name=model,
        tpot=_tpot(row, users),
        batch=batch,
        context=context,
        tp=tp,
        pp=pp,
        ep=ep,
        weight_bits=weights,
        kv_bits=cache,
        remarks=tuple(remarks),
        release=released(engine_named(row.engine), row.engine_version, row.note),
    )


@dataclass(frozen=True)
class _Memory:
    """What an instance holds [B].

    Attributes:
        there: All its memory.
        weights: What weights take of it.
        user: What the cache of one user takes.
    """

    there: float
    weights: float
    user: float


def _memory(row: Row) -> _Memory:
    model, chip = model_of_row(row) or "", system_of_row(row) or ""
    tally, (tp, pp) = counts(load_model_spec(model)), _split(row)
    cached = float(tally.kv_elements_per_token_growing) * _context(row)
    capacity = load_system_file(chip).chip.memory.capacity.value or math.nan
    weights = tally.total * _stored_bits(row) / BITS_PER_BYTE
    if attends_apart(row):
        # Each rank has a copy of all but the routed experts.
        mapping = Mapping(tp=tp, pp=pp, ep=tp, attention=_attention(row))
        request = Request(context=_context(row), weight_bits=_stored_bits(row))
        held = memory_footprint(_model(model), request, mapping, tp, Assumptions())
        weights = float(held.weights + held.experts + held.tables)
    return _Memory(
        there=capacity * tp * pp,
        weights=weights,
        user=cached * _cache_bits(row) / BITS_PER_BYTE,
    )


def _most(row: Row) -> float:
    """The most users that one instance can hold; where weights alone do not fit, one."""
    it = _memory(row)
    # Where each rank has users of its own, they are as many on each.
    ranks = _split(row)[0] if attends_apart(row) else 1
    return max(1.0, (it.there - it.weights) / it.user // ranks * ranks)


def _overflow(case: Case) -> str:
    """Why the instance cannot hold its weights and caches; empty where it can."""
    it = _memory(case.row)
    needed = it.weights + case.batch * it.user
    if needed <= it.there:
        return ""
    waited = "; some requests must have waited" if it.weights + it.user <= it.there else ""
    found = f"{needed / 2**30:.0f} GiB needed, {it.there / 2**30:.0f} there"
    return f"does not fit in memory: {found}{waited}"


@cache
def _model(name: str) -> Model:
    return load_model(name)


@cache
def _system(name: str) -> System:
    return load_system(name)
