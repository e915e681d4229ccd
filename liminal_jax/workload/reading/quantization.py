"""How wide the weights and the cache of a checkpoint are, as its `quantization_config` says.

A width is that of a number and of its share of what a group of numbers has in common:

    width = bits + (bits of scale and zero) / (numbers of a group)

The forms are those of Hugging Face transformers (fp8, mxfp4, awq, gptq), of compressed-tensors, of
modelopt and of MLX (`quantization`).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

_NAMED = {
    "nvfp4": (4, 8, 16),
    "mxfp4": (4, 8, 32),
    "mxfp8": (8, 8, 32),
    "fp8": (8, 0, 1),
    "int8": (8, 0, 1),
    "w4a16_nvfp4": (4, 8, 16),
    "w4a8_nvfp4_fp8": (4, 8, 16),
    "fp8_pb_wo": (8, 0, 1),
    "fp4": (4, 8, 32),
    "w4a16_awq": (4, 16, 128),
    "w4a8_awq": (4, 16, 128),
}
"""Bits of a number, bits of its group's scale and numbers of a group: NVFP4 by NVIDIA's modelopt;
MX formats by the OCP Microscaling specification 1.0, section 5."""

_ZERO = {"awq", "gptq"}
"""Methods with a zero of a number's width beside each scale of 16 bits (AWQ, arXiv:2306.00978)."""


_KEPT = ("modules_to_not_convert", "ignore", "ignored_layers", "exclude_modules")
"""Where files list what is not quantised: transformers, compressed-tensors, vLLM, modelopt."""


class PublishedWidths(NamedTuple):
    """What a file says of the widths of its checkpoint.

    Attributes:
        weights: Bits of a quantised weight, each width that the file names; empty where it does
            not say.
        cache: Bits of an element of the cache; none where it does not say.
        method: The method, as the file names it.
        others: Whether the file names methods beside, whose widths are not known here.
        attention_kept: Whether attention is among what the file leaves as it was, so that the
            width is that of experts alone.
    """

    weights: tuple[float, ...]
    cache: float | None
    method: str
    others: bool = False
    attention_kept: bool = False

    def sentence(self) -> str:
        """What the file says, and how a prediction takes it."""
        if not self.weights:
            widths = "widths that are not known here"
        else:
            widths = " and ".join(f"{width:.4g}" for width in self.weights) + " bits"
            widths += ", others are not known here" if self.others else ""
        cache = "" if self.cache is None else f", the cache has {self.cache:.4g} bits"
        said = f"quantised ({self.method}): weights of linear layers have {widths}{cache}"
        if len(self.weights) > 1 or self.others:
            return f"{said}; layers differ, and predict takes one --weight-bits for all"
        flags = [f"--weight-bits {width:.4g}" for width in self.weights]
        flags += [] if self.cache is None else [f"--kv-bits {self.cache:.4g}"]
        return f"{said}; predict takes {' '.join(flags)}" if flags else said


def published_widths(config: Mapping[str, Any]) -> PublishedWidths | None:
    """The widths that a config states; none where it states no quantisation.

    Examples:
        >>> published_widths({"quantization_config": {"quant_method": "mxfp4"}}).weights
        (4.25,)
        >>> awq = {"quant_method": "awq", "bits": 4, "group_size": 128}
        >>> published_widths({"quantization_config": awq}).weights  # a scale of 16, a zero of 4
        (4.15625,)
    """
    text = config.get("text_config")
    holders = [config, text if isinstance(text, dict) else {}]
    stated = [it.get(name) for name in ("quantization_config", "quantization") for it in holders]
    found = next((it for it in stated if isinstance(it, dict) and it), None)
    if found is None:
        return None
    method = found.get("quant_algo") or found.get("quant_method") or found.get("format") or "bits"
    named = _widths(found, str(method).lower())
    experts = next((it["expert_dtype"] for it in holders if it.get("expert_dtype")), None)
    if experts is not None:
        named.append(_named(str(experts).lower()))
    widths = tuple(sorted({it for it in named if it is not None}))
    others = bool(widths) and None in named
    return PublishedWidths(widths, _cache(found), str(method), others, _keeps_attention(found))


def _keeps_attention(found: Mapping[str, Any]) -> bool:
    """Whether the file lists attention among what is not quantised."""
    lists = (found.get(name) for name in _KEPT)
    kept = [str(it) for some in lists if isinstance(some, list) for it in some]
    return any("attn" in it or "attention" in it for it in kept)


def _widths(found: Mapping[str, Any], method: str) -> list[float | None]:
    """Every width that is named: by groups of layers, by layers, or for all of them."""
    groups, layers = found.get("config_groups"), found.get("quantized_layers")
    widths: list[float | None] = []
    if isinstance(groups, dict):
        for group in groups.values():
            if isinstance(group, dict) and isinstance(group.get("weights"), dict):
                form = str(group.get("format") or found.get("format") or "")
                widths.append(_of_numbers(group["weights"], form.lower() or method))
    if isinstance(layers, dict):
        algorithms = [it.get("quant_algo") for it in layers.values() if isinstance(it, dict)]
        widths += [_named(str(name).lower()) for name in {str(it) for it in algorithms}]
    if method == "mixed_precision" and (whole := _named(str(found.get("quant_method")).lower())):
        widths.append(whole)
    return widths or [_named(method) or _of_numbers(found, method)]


def _named(method: str) -> float | None:
    for name, (bits, scale, group) in _NAMED.items():
        if method == name or method.startswith(f"{name}-"):
            return bits + scale / group
    return None


def _of_numbers(table: Mapping[str, Any], method: str) -> float | None:
    """The width that bits and the size of a group make."""
    bits = _count(table.get("num_bits", table.get("bits", table.get("w_bit"))))
    group = _count(table.get("group_size", table.get("q_group_size")))
    if bits is None or group is None:
        return None if bits is None else float(bits)
    if bits == 4 and group == 16 and table.get("type") == "float":
        return _named("nvfp4")
    if method.startswith("mxfp"):
        return bits + 8 / group
    zero = bits if method in _ZERO else 16 if "mode" in table or method == "bits" else 0
    return bits + (16 + zero) / group


def _cache(found: Mapping[str, Any]) -> float | None:
    scheme = found.get("kv_cache_scheme") or found.get("kv_cache_quant_algo")
    if isinstance(scheme, dict):
        bits = _count(scheme.get("num_bits"))
        return None if bits is None else float(bits)
    return _named(str(scheme).lower()) if scheme else None


def _count(value: Any) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and 0 < value <= 4096 else None
