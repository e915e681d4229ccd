"""Numbers, texts and widths out of records that tools wrote."""

import math
import re
from collections.abc import Mapping
from typing import Any

Record = Mapping[str, Any]

_BLANK = ("", "None", "null", "nan", "NaN")
"""What tables hold where JSON holds nothing."""

_MEASURED = re.compile(
    r"tpot|ttft|itl|e2e|latency|throughput|tput|duration|avg_ts|time_to_first", re.I
)
"""Names of times and rates, which are above zero."""

_NARROW = re.compile(
    r"(?<![a-z0-9])(nv_?fp4|mx_?fp4|fp4|int4|w4a16|w4a8|awq|gptq|4bit)(?![a-z0-9])", re.I
)
_HALF = re.compile(r"(?<![a-z0-9])(fp8|int8|w8a8|w8a16|8bit|mxfp8)(?![a-z0-9])", re.I)
_FULL = re.compile(r"(?<![a-z0-9])(bf16|fp16|f16|float16|bfloat16|half)(?![a-z0-9])", re.I)


def number(record: Record, *names: str) -> float | None:
    """The first of some fields that holds a finite number; None where none does.

    Examples:
        >>> number({"a": None, "b": "1,146.31"}, "a", "b")
        1146.31
        >>> number({"rate": "inf"}, "rate")
    """
    for name in names:
        value = record.get(name)
        if isinstance(value, str):
            try:
                value = float(value.replace(",", ""))
            except ValueError:
                continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        if math.isfinite(value):
            return float(value)
    return None


def positive(record: Record, *names: str) -> float | None:
    """The first of some fields that holds a number above zero; None where none does."""
    found = [value for name in names if (value := number(record, name)) is not None and value > 0]
    return found[0] if found else None


def negative(record: Record) -> str:
    """The first time or rate of a record that is below zero; empty where none is.

    Tools write -1 for what they do not know.

    Examples:
        >>> negative({"median_tpot_ms": -3.0}), negative({"last_ttft": -1})
        ('median_tpot_ms: -3', '')
        >>> negative({"time_to_first_token": {"unit": "ms", "avg": -40}})
        'time_to_first_token.avg: -40'
    """
    for name in filter(_MEASURED.search, record):
        inner = record[name]
        told = (
            {f".{key}": inner[key] for key in inner} if isinstance(inner, Mapping) else {"": inner}
        )
        for key in told:
            value = number(told, key)
            if value is not None and value < 0 and value != -1:
                return f"{name}{key}: {value:g}"
    return ""


def text(record: Record, *names: str) -> str:
    """The first of some fields that holds text; empty where none does."""
    told = (record.get(name) for name in names)
    found = [it for it in told if isinstance(it, str) and it not in _BLANK]
    return found[0] if found else ""


def within(record: Any, *names: str) -> Any:
    """The value of the first of some keys that holds any, however deep it lies; None without.

    Examples:
        >>> within({"load": {"clients": {"concurrency": 8}}}, "concurrency")
        8
    """
    if isinstance(record, Mapping):
        for name in names:
            if record.get(name) not in (None, "", []):
                return record[name]
        inner = list(record.values())
    else:
        inner = list(record) if isinstance(record, list) else []
    for value in inner:
        if (found := within(value, *names)) is not None:
            return found
    return None


def width(words: str) -> float | None:
    """Bits that a name or a format tells of; None where it tells of none.

    Examples:
        >>> width("nvidia/DeepSeek-R1-0528-NVFP4"), width("modelopt_fp4"), width("fp8_e4m3")
        (4.0, 4.0, 8.0)
        >>> width("meta-llama/Llama-3.3-70B-Instruct")
    """
    spaced = words.replace("_", " ").replace("nv fp4", "nvfp4").replace("mx fp4", "mxfp4")
    for pattern, bits in ((_NARROW, 4.0), (_HALF, 8.0), (_FULL, 16.0)):
        if pattern.search(spaced):
            return bits
    return None
