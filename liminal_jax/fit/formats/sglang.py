"""Results of SGLang's `bench_serving` and `bench_one_batch`: JSON lines, one run a line.

Field names are those of sgl-project/sglang, python/sglang/bench_serving.py, bench_one_batch.py and
bench_one_batch_server.py. `server_info` holds the arguments of the server, where it told them.
Times of `bench_serving` are in ms, of the other two in s.
"""

import math
from typing import Any

from liminal_jax.data.names import is_engine
from liminal_jax.fit.formats.client import Client, row_of
from liminal_jax.fit.formats.row import PURE, Refusal, Row
from liminal_jax.fit.formats.values import Record, number, positive, text, width

SERVING, ONE_BATCH = "sglang bench_serving", "sglang bench_one_batch"
ENGINE = "SGLang"
STATIC = "static batch"
"""Note of rows whose prompts all pass together."""


def reads_serving(record: Record) -> bool:
    """Whether a record is one of `bench_serving`."""
    return "random_input_len" in record and "sharegpt_output_len" in record


def reads_one_batch(record: Record) -> bool:
    """Whether a record is one of `bench_one_batch` or of `bench_one_batch_server`."""
    return {"batch_size", "input_len", "output_len"} <= record.keys() and (
        "median_decode_latency" in record or "prefill_latency" in record or "last_ttft" in record
    )


def _server(record: Record) -> dict[str, Any]:
    """What the server said of itself."""
    told = record.get("server_info")
    if not isinstance(told, dict):
        return {}
    inner = told.get("server_args")
    return told | inner if isinstance(inner, dict) else told


def _setup(record: Record) -> dict[str, Any]:
    """Model, engine and mapping, by the fields of a `Client` or a `Row`."""
    server = _server(record)
    model = text(server, "model_path", "served_model_name") or text(record, "model_id", "model")
    told = text(server, "quantization") or text(server, "dtype")
    return {
        "model": model,
        "engine_version": text(server, "version"),
        "tp": positive(server, "tp_size"),
        "pp": positive(server, "pp_size"),
        "ep": positive(server, "ep_size"),
        "weight_bits": width(told) or width(model),
        "kv_bits": width(text(server, "kv_cache_dtype")),
        "note": "attention data-parallel" if server.get("enable_dp_attention") is True else "",
    }


def serving_row(record: Record, line: int) -> Row | Refusal:
    """The row of one run of `bench_serving`."""
    completed = number(record, "completed")
    isl, osl = (
        it / completed if completed and it is not None else nominal
        for it, nominal in (
            (number(record, "total_input_tokens", "total_input"),
             positive(record, "random_input_len")),
            (number(record, "total_output_tokens", "total_output"),
             positive(record, "random_output_len")),
        )
    )  # fmt: skip
    rate = number(record, "request_rate")
    backend = text(record, "backend")
    setup = _setup(record)
    return row_of(
        Client(
            line=line,
            source=SERVING,
            engine=backend if is_engine(backend) else "",
            completed=completed,
            asked=number(record, "num_prompts"),
            isl=isl,
            osl=osl,
            limit=positive(record, "max_concurrency") or positive(record, "concurrency"),
            rate=math.inf if rate is None else rate,
            throughput=positive(record, "request_throughput"),
            output_throughput=positive(record, "output_throughput", "output_token_throughput"),
            tpot_median=positive(record, "median_tpot_ms"),
            tpot_mean=positive(record, "mean_tpot_ms"),
            itl_median=positive(record, "median_itl_ms", "median_itl"),
            ttft_median=positive(record, "median_ttft_ms", "median_ttft"),
            ttft_mean=positive(record, "mean_ttft_ms"),
            e2e_mean=positive(record, "mean_e2e_latency_ms", "mean_e2e_latency"),
            accepted=positive(record, "accept_length"),
            **setup,
        )
    )


def one_batch_row(record: Record, line: int) -> Row | Refusal:
    """The row of one static batch, whose decode steps are timed apart from its prompts."""
    accepted = positive(record, "acc_length")
    if accepted is not None and accepted > 1:
        return Refusal(line, f"speculative decoding, {accepted:.2f} tokens a step: not modelled")
    users, osl = positive(record, "batch_size"), positive(record, "output_len")
    step, rate = positive(record, "median_decode_latency"), positive(record, "output_throughput")
    first = positive(record, "prefill_latency", "last_ttft")
    if step is None and rate is not None and users is not None:
        step = users / rate
    if step is None and first is None:
        return Refusal(line, "tells neither the time of a step nor of the prompts")
    setup = _setup(record)
    setup["note"] = "; ".join(filter(None, (setup["note"], STATIC)))
    return Row(
        line=line,
        engine=ENGINE,
        batch_or_concurrency=users,
        isl=positive(record, "input_len"),
        osl=osl,
        metric="" if step is None else "tpot_ms",
        value=None if step is None else 1e3 * step,
        source_id=ONE_BATCH,
        decode_purity="" if step is None else PURE[0],
        ttft_ms_median=None if first is None else 1e3 * first,
        queueing="no",
        **setup,
    )
