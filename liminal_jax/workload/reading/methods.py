"""Widths of methods of quantisation that have a form of their own in `quantization_config`.

Field names are those of Hugging Face transformers, src/transformers/utils/quantization_config.py,
of AMD Quark's export and of exllamav2's. Where a group of numbers shares a scale, its bits count.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

Table = Mapping[str, Any]

_SIXTEEN = 16
"""Bits of a scale, and of a zero, unless a method has narrower ones."""

_BLOCK, _SCALES = 64, 256
"""Numbers that share a scale in bitsandbytes, and scales that share one where they are quantised
too (QLoRA, arXiv:2305.14314, section 3)."""

_TORCHAO_GROUP = 128
"""Numbers of a group in torchao where a file does not say."""


def size(value: Any) -> int | None:
    """A number of bits or of numbers in a group; none where it is no such number.

    Examples:
        >>> size(128), size("4"), size(-1), size(True)
        (128, 4, None, None)
    """
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 < value <= 4096 else None


def grouped(bits: int | None, group: int | None, shared: int) -> float | None:
    """The width of numbers of which some share a scale, a zero or both, of `shared` bits."""
    if bits is None:
        return None
    return float(bits) if group is None else bits + shared / group


def _inner(table: Table, *names: str) -> Table:
    """The object under some keys, one inside the other; empty where one is not there."""
    for name in names:
        found = table.get(name)
        table = found if isinstance(found, Mapping) else {}
    return table


def _of_name(name: str) -> int | None:
    """Bits that the name of a number format begins with, such as those of fp8_e4m3."""
    match = re.match(r"(?:mx_?)?(?:u?int|fp|float|nf)(\d+)(?![\d])", name.lower())
    return None if match is None else int(match[1])


def _bitsandbytes(table: Table) -> list[float | None]:
    said = {name: table.get(f"load_in_{name}") or table.get(f"_load_in_{name}")
            for name in ("4bit", "8bit")}  # fmt: skip
    if said["4bit"] is True:
        twice = table.get("bnb_4bit_use_double_quant") is True
        scale = 8 + 32 / _SCALES if twice else 32
        return [4 + scale / _BLOCK]
    return [8.0] if said["8bit"] is True else [None]


def _quark(table: Table) -> list[float | None]:
    layers = _inner(table, "layer_quant_config")
    setups = [_inner(table, "global_quant_config"), *(_inner(layers, name) for name in layers)]
    return [_quark_weight(_inner(it, "weight")) for it in setups if it]


def _quark_weight(weight: Table) -> float | None:
    bits = _of_name(str(weight.get("dtype")))
    shared = 8 if weight.get("scale_format") == "e8m0" else _SIXTEEN
    return grouped(bits, size(weight.get("group_size")), shared)


def _hqq(table: Table) -> list[float | None]:
    it = _inner(table, "quant_config", "weight_quant_params")
    return [grouped(size(it.get("nbits")), size(it.get("group_size")), 2 * _SIXTEEN)]


def _torchao(table: Table) -> list[float | None]:
    config = _inner(table, "quant_type", "default")
    name = str(config.get("_type", table.get("quant_type")))
    match = re.search(r"(?:int|float)(\d+)_?weight", name, re.I)
    bits = None if match is None else int(match[1])
    numbers = _inner(config, "_data") or _inner(table, "quant_type_kwargs")
    group = size(numbers.get("group_size")) or _TORCHAO_GROUP
    return [grouped(bits, group if bits == 4 else None, 2 * _SIXTEEN)]


def _mean(table: Table) -> list[float | None]:
    bits = table.get("bits")
    sound = isinstance(bits, int | float) and not isinstance(bits, bool) and 0 < bits <= 32
    return [float(bits) if sound and bits is not None else None]


def _aqlm(table: Table) -> list[float | None]:
    names = ("num_codebooks", "nbits_per_codebook", "in_group_size", "out_group_size")
    books, bits, *sizes = (size(table.get(name)) for name in names)
    numbers = (sizes[0] or 0) * (sizes[1] or 1)
    return [books * bits / numbers if books and bits and numbers else None]


def _quanto(table: Table) -> list[float | None]:
    bits = _of_name(str(table.get("weights")))
    return [None if bits is None else float(bits)]


METHODS: dict[str, Callable[[Table], list[float | None]]] = {
    "bitsandbytes": _bitsandbytes,
    "quark": _quark,
    "hqq": _hqq,
    "torchao": _torchao,
    "exl2": _mean,
    "exl3": _mean,
    "aqlm": _aqlm,
    "quanto": _quanto,
}
"""Widths that a table of each method names."""


def quark_cache(table: Table) -> float | None:
    """Bits of an element of the cache by a table of Quark; none where it does not say."""
    found = _inner(table, "kv_cache_quant_config")
    for name in found:
        if bits := _of_name(str(_inner(found, name, "output_tensors").get("dtype"))):
            return float(bits)
    return None
