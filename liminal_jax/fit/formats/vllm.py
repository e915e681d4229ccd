"""Results of `vllm bench serve` and of its forerunner `benchmark_serving.py`.

JSON, one object a run; `--append-result` writes one after another. Field names are those of
vllm-project/vllm, vllm/benchmarks/serve.py; times are in ms, `duration` in s, and `request_rate` is
"inf" where requests are sent at once.
"""

import math

from liminal_jax.data.names import is_engine
from liminal_jax.fit.formats.client import Client, row_of
from liminal_jax.fit.formats.row import Refusal, Row
from liminal_jax.fit.formats.values import Record, number, positive, text, width

NAME = "vllm bench serve"


def reads(record: Record) -> bool:
    """Whether a record is one of this tool."""
    return "total_output_tokens" in record and "request_throughput" in record


def row(record: Record, line: int) -> Row | Refusal:
    """The row of one run."""
    if "total_input_sequences" in record:
        return Refusal(line, "a benchmark of embeddings: nothing is decoded")
    completed = number(record, "completed")
    totals = [number(record, name) for name in ("total_input_tokens", "total_output_tokens")]
    isl, osl = (None if not completed or it is None else it / completed for it in totals)
    model = text(record, "model_id")
    backend = text(record, "backend", "endpoint_type")
    rate = number(record, "request_rate")
    return row_of(
        Client(
            line=line,
            source=NAME,
            model=model,
            # Names of an API, such as openai-chat, do not tell the engine behind it.
            engine=backend if is_engine(backend) else "",
            tp=positive(record, "tensor_parallel_size", "tp"),
            weight_bits=width(model),
            asked=number(record, "num_prompts"),
            completed=completed,
            failed=number(record, "failed"),
            isl=isl,
            osl=osl,
            limit=positive(record, "max_concurrency"),
            rate=math.inf if rate is None else rate,
            throughput=positive(record, "request_throughput"),
            output_throughput=positive(record, "output_throughput"),
            tpot_median=positive(record, "median_tpot_ms"),
            tpot_mean=positive(record, "mean_tpot_ms"),
            itl_median=positive(record, "median_itl_ms"),
            ttft_median=positive(record, "median_ttft_ms"),
            ttft_mean=positive(record, "mean_ttft_ms"),
            e2e_mean=positive(record, "mean_e2el_ms"),
            accepted=positive(record, "spec_decode_acceptance_length"),
            note=text(record, "label"),
        )
    )
