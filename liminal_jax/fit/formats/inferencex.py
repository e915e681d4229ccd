"""Rows of InferenceX (once InferenceMAX), SemiAnalysis' benchmark: results, rows of its API, dumps.

Field names are those of SemiAnalysisAI/InferenceX, utils/process_result.py, and of
SemiAnalysisAI/InferenceX-app, packages/app; times are in s. Lengths are nominal, and drawn from 0.8
to 1.0 of them.
"""

import math
from typing import Any

from liminal_jax.fit.formats.client import Client, row_of
from liminal_jax.fit.formats.row import Refusal, Row
from liminal_jax.fit.formats.values import Record, number, positive, text, width

NAME = "inferencex"
DRAWN = "isl/osl nominal, drawn 0.8-1.0x"
_MODELS = {
    "dsr1": "deepseek-r1",
    "dsv4": "deepseek-v4-pro",
    "gptoss": "gpt-oss-120b",
    "gptoss120b": "gpt-oss-120b",
    "llama70b": "llama-3.3-70b",
    "70b": "llama-3.3-70b",
    "kimik2.5": "kimi-k2",
    "minimaxm2.5": "minimax-m2.5",
    "glm5": "glm-5",
    "qwen3.5": "qwen3.5-397b-a17b",
}
"""Short names of models in the tables of the benchmark."""


def reads(record: Record) -> bool:
    """Whether a record is one row."""
    return ("hw" in record or "hardware" in record) and "framework" in record and "conc" in record


def reads_dump(record: Record) -> bool:
    """Whether a record is a dump of all rows and the set-ups that they are of."""
    return isinstance(record.get("configs"), list) and isinstance(record.get("benchmarks"), list)


def joined(dump: Record) -> list[dict[str, Any]]:
    """The rows of a dump, each with its set-up."""
    setups = {it.get("id"): it for it in dump["configs"] if isinstance(it, dict)}
    return [
        {**setups.get(it.get("config_id"), {}), **it}
        for it in dump["benchmarks"]
        if isinstance(it, dict)
    ]


def _true(value: Any) -> bool:
    return str(value).lower() in ("true", "t", "1")


def _name(model: str) -> str:
    return _MODELS.get(model.lower(), model)


def _drafted(record: Record) -> str:
    """The draft method; empty where one token a step is written."""
    drafted = text(record, "spec_method", "spec_decoding", "mtp").lower()
    return "" if drafted in ("none", "off", "false") else drafted


def row(record: Record, line: int) -> Row | Refusal:
    """The row of one measured load."""
    if drafted := _drafted(record):
        return Refusal(line, f"speculative decoding ({drafted}): not modelled")
    if record.get("error"):
        return Refusal(line, f"failed: {record['error']}")
    metrics = {**record, **(record.get("metrics") or {})}
    apart = _true(record.get("disagg"))
    tp, ep = (positive(record, f"decode_{it}", it) for it in ("tp", "ep"))
    chips = positive(record, "num_decode_gpu")
    if tp and ep and chips == tp * ep and not _true(record.get("is_multinode")):
        chips = tp  # its tables count the ranks of experts twice on one node
    shared = _true(record.get("decode_dp_attention", record.get("dp_attention")))
    notes = [DRAWN]
    if shared:
        notes.append("attention data-parallel")
    if apart:
        notes.append("PD-disaggregated; concurrency incl. requests queued or in prefill")

    def ms(*names: str) -> float | None:
        value = positive(metrics, *names)
        return None if value is None else 1e3 * value

    return row_of(
        Client(
            line=line,
            source=NAME,
            model=_name(text(record, "model")),
            system=text(record, "hardware", "hw").split("-")[0],
            engine=text(record, "framework"),
            engine_version=text(record, "image"),
            chips=chips,
            tp=tp,
            ep=ep,
            weight_bits=width(text(record, "precision")),
            isl=number(record, "isl"),
            osl=number(record, "osl"),
            limit=positive(record, "conc"),
            rate=math.inf,
            failed=number(metrics, "errors"),
            tpot_median=ms("median_tpot", "p50_tpot"),
            tpot_mean=ms("mean_tpot"),
            itl_median=ms("median_itl", "p50_itl"),
            ttft_median=ms("median_ttft", "p50_ttft"),
            ttft_mean=ms("mean_ttft"),
            e2e_mean=ms("mean_e2el"),
            note="; ".join(notes),
            apart=apart,
        )
    )
