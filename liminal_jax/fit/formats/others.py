"""Files that are no measurements of serving, by the name that they go by, and what to give."""

from collections.abc import Mapping
from typing import Any

_TRACE = "a trace of the profiler (Chrome trace events): it tells no times of requests"


def _has(record: Mapping[str, Any], *names: str) -> bool:
    return set(names) <= record.keys()


def record_kind(record: Mapping[str, Any]) -> str:
    """What JSON is that is none of the formats that are read; empty where nothing is known of it.

    Examples:
        >>> record_kind({"traceEvents": []})[:34]
        'a trace of the profiler (Chrome tr'
    """
    if _has(record, "traceEvents") or _has(record, "ph", "ts"):
        return _TRACE
    if _has(record, "experiments") or "service_kind" in record:
        return "perf_analyzer's raw record: give profile_export_genai_perf.json, which lies beside"
    if _has(record, "metadata", "metrics"):
        return "aiperf's record of single requests: give profile_export_aiperf.json of the same run"
    if _has(record, "model_type") or _has(record, "architectures"):
        return "a model's config: give it as --model, with a file of measurements"
    if _has(record, "avg_latency", "latencies"):
        return (
            "a result of `vllm bench latency`, which tells neither batch nor lengths: give one of"
            " `vllm bench serve`"
        )
    if _has(record, "elapsed_time", "requests_per_second"):
        return (
            "a result of `vllm bench throughput`, which tells no time of a user: give one of"
            " `vllm bench serve`"
        )
    if _has(record, "benchmarks") and isinstance(record["benchmarks"], list):
        return "a report of guidellm, which is not read: give its figures as CSV"
    if _has(record, "results", "versions") or _has(record, "lm_eval_version"):
        return "a result of lm-eval: it tells answers, not times"
    if any(key.startswith(("Cuda", "Nvtx")) for key in record) or _has(record, "Type", "id"):
        return "an export of nsys: it tells kernels, not times of requests"
    return header_kind(list(record))


def header_kind(header: list[str]) -> str:
    """What a table is that is none of those that are read; empty where nothing is known of it."""
    first = {it.strip().lower() for it in header}
    if any(it.startswith("time (%)") or it == "total time (ns)" for it in first):
        return "a report of nsys stats: it tells kernels, not times of requests"
    if {"kernel name", "metric name"} <= first or "kernelname" in first:
        return "a table of a kernel profiler: it tells no times of requests"
    return ""


def printed_kind(lines: list[str]) -> str:
    """What lines are that a tool printed rather than wrote as a file; empty for any others."""
    text = "\n".join(lines[:400])
    if text.lstrip()[:14].lower().startswith(("<!doctype html", "<html")):
        return "a web page: give the file that it shows"
    if text.startswith("version https://git-lfs"):
        return "a pointer of Git LFS: fetch the file that it stands for"
    if "Serving Benchmark Result" in text:
        return "the report that a benchmark prints: give the file that --save-result writes"
    if "INSERT INTO llama_bench" in text:
        return "SQL of llama-bench: give its output with -o json"
    return ""


def separator_kind(line: str) -> str:
    """What separates the columns of a heading, where it is not commas; empty where it is."""
    names = {";": "semicolons", "\t": "tabs", "|": "bars"}
    for mark, name in names.items():
        if line.count(mark) >= 3 and line.count(mark) > line.count(","):
            return f"{name} separate the columns: save the table as CSV with commas"
    return ""
