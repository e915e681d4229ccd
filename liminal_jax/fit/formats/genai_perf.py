"""Results of genai-perf and of aiperf: `profile_export_*.json`, and the same as CSV.

Names of metrics are those of triton-inference-server/perf_analyzer, genai-perf, and of
ai-dynamo/aiperf; each tells its unit. Their inter-token latency is the mean over an answer, what
others call the time of an output token: prompts that pass meanwhile are in it. The CSV tells
neither model nor load.
"""

import csv
import math
import re
from typing import Any

from liminal_jax.data.names import is_engine
from liminal_jax.fit.formats.client import Client, row_of
from liminal_jax.fit.formats.row import Refusal, Row
from liminal_jax.fit.formats.values import Record, number, positive, width, within

GENAI_PERF, AIPERF = "genai-perf", "aiperf"
_MS = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "s": 1e3, "sec": 1e3, "seconds": 1e3}
_LABEL = re.compile(r"(?P<name>[^()]+?)\s*(?:\((?P<unit>[^()]*)\))?$")
_LATENCIES = ("inter_token_latency", "time_to_first_token", "request_latency")


def reads(record: Record) -> bool:
    """Whether a record is a summary of one run."""
    it = record.get("records")
    it = it if isinstance(it, dict) else record
    return isinstance(it.get("request_throughput"), dict) or (
        any(isinstance(it.get(name), dict) for name in _LATENCIES) and "metadata" not in record
    )


def reads_heading(line: str) -> bool:
    """Whether a line is the heading of its CSV."""
    return line.replace('"', "").strip().lower().startswith("metric,avg,min,max")


def _figure(metrics: dict[str, Any], name: str, *statistics: str) -> float | None:
    """A statistic of a metric; times in ms."""
    it = metrics.get(name)
    if not isinstance(it, dict):
        return None
    value = positive(it, *statistics)
    scale = _MS.get(str(it.get("unit", "")).lower(), 1.0) if name in _LATENCIES else 1.0
    return None if value is None else value * scale


def _said(setup: Any, *names: str) -> float | None:
    found = within(setup, *names)
    found = found[0] if isinstance(found, list) and len(found) == 1 else found
    return positive({"it": found}, "it")


def _model(setup: Any) -> str:
    found = within(setup, "model_names", "models", "model", "model_name")
    while isinstance(found, list | dict):
        found = next(iter(found.values() if isinstance(found, dict) else found), "")
    return found if isinstance(found, str) else ""


def row(record: Record, line: int) -> Row | Refusal:
    """The row of one run."""
    inner = record.get("records")
    metrics = dict(inner if isinstance(inner, dict) else record)
    if record.get("was_cancelled") is True:
        return Refusal(line, "the benchmark was cancelled")
    setup = record.get("input_config") or record.get("config") or {}
    newer = "aiperf_version" in record or "schema_version" in record or "records" in record
    model = _model(setup)
    backend = str(within(setup, "backend") or "")
    rate = _said(setup, "request_rate")
    failed = _figure(metrics, "error_request_count", "avg")
    return row_of(
        Client(
            line=line,
            source=AIPERF if newer else GENAI_PERF,
            model=model,
            engine=backend if is_engine(backend) else "",
            weight_bits=width(model),
            completed=_figure(metrics, "request_count", "avg"),
            failed=failed or _errors(record),
            isl=_figure(metrics, "input_sequence_length", "avg"),
            osl=_figure(metrics, "output_sequence_length", "avg"),
            limit=_said(setup, "concurrency"),
            rate=rate,
            throughput=_figure(metrics, "request_throughput", "avg"),
            output_throughput=_figure(metrics, "output_token_throughput", "avg"),
            tpot_median=_figure(metrics, "inter_token_latency", "p50"),
            tpot_mean=_figure(metrics, "inter_token_latency", "avg"),
            ttft_median=_figure(metrics, "time_to_first_token", "p50"),
            ttft_mean=_figure(metrics, "time_to_first_token", "avg"),
            e2e_mean=_figure(metrics, "request_latency", "avg"),
        )
    )


def _errors(record: Record) -> float | None:
    """Requests that an aiperf summary lists as failed."""
    listed = record.get("error_summary")
    if not isinstance(listed, list):
        return None
    counts = [number(it, "count") or 0.0 for it in listed if isinstance(it, dict)]
    return math.fsum(counts) or None


def table_record(lines: list[str]) -> dict[str, Any]:
    """The metrics of a CSV, as JSON has them."""
    record: dict[str, Any] = {}
    heading: list[str] = []
    for cells in csv.reader(lines):
        if not cells or not cells[0]:
            continue
        if cells[0].strip().lower() == "metric":
            heading = [it.strip() for it in cells[1:]]
            continue
        label = _LABEL.match(cells[0].strip())
        if label is None or not heading:
            continue
        name = re.sub(r"\W+", "_", label["name"].strip().lower())
        told = dict(zip(heading, cells[1:], strict=False))
        record[name] = {
            "unit": label["unit"] or "",
            "avg": told.get("Value", told.get("avg")),
            **told,
        }
    return record
