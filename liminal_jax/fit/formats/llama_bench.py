"""Results of llama.cpp's `llama-bench`: CSV, JSON, JSON lines, or its table in Markdown.

Field names are those of ggml-org/llama.cpp, tools/llama-bench/llama-bench.cpp: `avg_ts` tokens a
second of one sequence, `n_prompt` and `n_gen` the tokens of a test, `n_depth` those kept before it.
Files hold their size and parameters, so that bits a weight are known with their scales.
"""

import re

from liminal_jax.data.models import load_model_spec
from liminal_jax.data.names import model_named
from liminal_jax.fit.formats.row import Refusal, Row
from liminal_jax.fit.formats.values import Record, number, positive, text
from liminal_jax.workload.request import BITS_PER_BYTE

NAME = "llama-bench"
ENGINE = "llama.cpp"
BITS = {
    "f32": 32.0,
    "f16": 16.0,
    "bf16": 16.0,
    "q8_0": 8.5,
    "q5_1": 6.0,
    "q5_0": 5.5,
    "q4_1": 5.0,
    "q4_0": 4.5,
    "iq4_nl": 4.5,
}
"""Bits of an element of llama.cpp's formats, the scale of each block of 32 included."""

_QUANTISED = re.compile(
    r"[-._ ](?:UD-)?(?:I?Q\d\w*(?: - \w+)?|T?F16|BF16|F32|MXFP4\w*(?: \w+)?)\b.*$", re.I
)
_SPLIT_FILE = re.compile(r"-\d{5}-of-\d{5}$")
_TEST = re.compile(r"(?P<kind>pp|tg)(?P<tokens>\d+)(?: @ d(?P<depth>\d+))?$")
_SIZES = {"KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30, "TiB": 2.0**40}
_COUNTS = {"M": 1e6, "B": 1e9, "T": 1e12}


def reads(record: Record) -> bool:
    """Whether a record is one test."""
    return {"n_prompt", "n_gen", "avg_ts"} <= record.keys()


def reads_table(line: str) -> bool:
    """Whether a line is the heading of its table in Markdown."""
    return {"model", "size", "params", "test", "t/s"} <= {it.strip() for it in line.split("|")}


def _model(record: Record) -> str:
    """The model by the name of its file, else by its type, without the format of its weights."""
    file = re.split(r"[\\/]", text(record, "model_filename"))[-1].removesuffix(".gguf")
    file = _SPLIT_FILE.sub("", file)
    names = [_QUANTISED.sub("", it) for it in (file, text(record, "model_type", "model")) if it]
    known = [it for it in names if model_named(it)]
    return (known or names or [""])[0]


def _layers(model: str) -> int:
    """Layers of a model that comes along; 1 of another one."""
    name = model_named(model)
    return 1 if name is None else sum(it.count for it in load_model_spec(name).layers)


def _chips(record: Record) -> list[str]:
    return [
        it.strip() for it in re.split(r"[,/](?![^(]*\))", text(record, "gpu_info")) if it.strip()
    ]


def _refused(record: Record) -> str:
    if number(record, "n_prompt") and number(record, "n_gen"):
        return "prompts and answers in one time: give tests of -p and of -n apart"
    if str(record.get("no_kv_offload")).lower() in ("true", "1"):
        return "the cache is kept by the host: not modelled"
    on_chip, layers = number(record, "n_gpu_layers"), _layers(_model(record))
    if on_chip is not None and 0 <= on_chip < layers:
        return f"{on_chip:.0f} of {layers} layers are on the GPU: not modelled"
    if positive(record, "avg_ts") is None:
        return "tells no tokens a second"
    return ""


def row(record: Record, line: int) -> Row | Refusal:
    """The row of one test: of decoding alone, or of a prompt alone."""
    if reason := _refused(record):
        return Refusal(line, reason)
    chips = _chips(record)
    count = float(len(chips)) or None
    by_rows = text(record, "split_mode") == "row"
    size, parameters = (positive(record, it) or 0.0 for it in ("model_size", "model_n_params"))
    bits = BITS_PER_BYTE * size / parameters if parameters else 0.0
    rate, written = positive(record, "avg_ts"), number(record, "n_gen")
    kept, prompt = number(record, "n_depth") or 0.0, number(record, "n_prompt")
    first = None if written or not prompt or not rate else 1e3 * prompt / rate
    return Row(
        line=line,
        model=_model(record),
        params_note=f"{size / 2**30:.3f} GiB, {parameters / 1e9:.3f} B params" if bits else "",
        weight_bits=bits or None,
        kv_bits=BITS.get(text(record, "type_k").lower()),
        gpu=chips[0] if len(set(chips)) == 1 else "",
        num_gpus=count,
        tp=count if by_rows else (1.0 if count else None),
        pp=1.0 if by_rows or not count else count,
        ep=1.0,
        batch_or_concurrency=1.0,
        isl=kept if written else prompt,
        osl=written or 1.0,
        metric="utps" if written else "",
        value=rate if written else None,
        engine=ENGINE,
        engine_version=str(record.get("build_number") or ""),
        note=f"prompt after {kept:g} tokens" if first and kept else "",
        source_id=NAME,
        decode_purity="pure" if written else "",
        ttft_ms_median=first,
        queueing="no",
    )


def _scaled(words: str, scales: dict[str, float]) -> float | None:
    """A number with a unit, such as 4.58 GiB."""
    parts = words.split()
    if len(parts) != 2 or parts[1] not in scales:
        return None
    try:
        return float(parts[0]) * scales[parts[1]]
    except ValueError:
        return None


def table_records(lines: list[str]) -> list[tuple[int, dict[str, object]]]:
    """Line and fields of each row of a table in Markdown, as JSON has them."""
    heading: list[str] = []
    found = []
    for at, line in enumerate(lines, 1):
        cells = [it.strip() for it in line.strip().strip("|").split("|")]
        if reads_table(line):
            heading = cells
        elif (
            heading
            and line.lstrip().startswith("|")
            and (test := _TEST.match(dict(zip(heading, cells, strict=False)).get("test", "")))
        ):
            told = dict(zip(heading, cells, strict=False))
            tokens, prompts = int(test["tokens"]), test["kind"] == "pp"
            found.append((at, {
                "model_type": told["model"],
                "model_size": _scaled(told["size"], _SIZES),
                "model_n_params": _scaled(told["params"], _COUNTS),
                "type_k": told.get("type_k", "f16"),
                "n_gpu_layers": told.get("ngl"),
                "n_prompt": tokens if prompts else 0,
                "n_gen": 0 if prompts else tokens,
                "n_depth": int(test["depth"] or 0),
                "avg_ts": told["t/s"].split("±")[0],
            }))  # fmt: skip
    return found
