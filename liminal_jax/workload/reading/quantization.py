"""How wide the weights and the cache of a checkpoint are, as its `quantization_config` says.

A width is that of a number and of its share of what a group of numbers has in common:

    width = bits + (bits of scale and zero) / (numbers of a group)

The forms are those of Hugging Face transformers (fp8, mxfp4, awq, gptq), of compressed-tensors, of
modelopt, of MLX (`quantization`), and those of `methods`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from liminal_jax.workload.reading.methods import METHODS, grouped, quark_cache, size

_NAMED = {
    "nvfp4": (4, 8, 16),
    "mxfp4": (4, 8, 32),
    "mxfp8": (8, 8, 32),
    "fp8": (8, 0, 1),
    "fbgemm_fp8": (8, 0, 1),
    "modelopt_fp4": (4, 8, 16),
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


_MLX = "MLX"
"""The method of files that name bits and no method; it quantises tables too, unless they differ."""

_NAMES = ("quantization_config", "quantization")
_METHODS = ("quant_algo", "quant_method", "format")
_BITS = ("num_bits", "bits", "w_bit")

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
        tables: Whether embedding and head are quantised too.
    """

    weights: tuple[float, ...]
    cache: float | None
    method: str
    others: bool = False
    attention_kept: bool = False
    tables: bool = False

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
    found = next(iter(_stated(config).values()), None)
    if found is None:
        return None
    method = _method(found)
    named = _widths(found, method)
    experts = next((it["expert_dtype"] for it in _holders(config) if it.get("expert_dtype")), None)
    if experts is not None:
        named.append(_named(str(experts).lower()))
    widths = tuple(sorted({it for it in named if it is not None}))
    return PublishedWidths(
        widths,
        _cache(found),
        method,
        others=bool(widths) and None in named,
        attention_kept=_keeps_attention(found),
        tables=method == _MLX and len(widths) == 1,
    )


def contradictions(config: Mapping[str, Any]) -> dict[str, str]:
    """What a config says of its quantisation that cannot be true together: field to what is wrong.

    Examples:
        >>> contradictions({"quantization_config": {"quant_method": "fp8", "bits": 4}}).keys()
        dict_keys(['quantization_config.bits'])
    """
    problems: dict[str, str] = {}
    for path, found in _stated(config).items():
        said = dict(_said(found))
        first = next(iter(said), "")
        for name, bits in said.items():
            if bits != said[first]:
                other = f"{path}.{first} says {said[first]}"
                problems[f"{path}.{name}"] = f"says {bits} bits, {other}; leave one out"
    whole = {path: published_widths({"quantization_config": found})
             for path, found in _stated(config).items()}  # fmt: skip
    known = {path: it.weights for path, it in whole.items() if it is not None and it.weights}
    for path, widths in known.items():
        first = next(iter(known))
        if not problems and set(widths).isdisjoint(known[first]):
            words = [" and ".join(f"{it:.4g}" for it in each) for each in (widths, known[first])]
            problems[path] = f"says {words[0]} bits, {first} says {words[1]}; leave one out"
    for holder in _holders(config):
        for name in _NAMES:
            if holder.get(name) is not None and not isinstance(holder[name], dict):
                problems[name] = "must be an object that states a method and bits"
    return problems


def _holders(config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    text = config.get("text_config")
    return [config, text] if isinstance(text, dict) else [config]


def _stated(config: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Every object of a config that states a quantisation, by its path, the deciding one first."""
    prefixes = ("", "text_config.")
    found: dict[str, Mapping[str, Any]] = {}
    for name in _NAMES:
        for prefix, holder in zip(prefixes, _holders(config), strict=False):
            table = holder.get(name)
            if isinstance(table, dict) and table:
                inner = table.get("quantization")  # modelopt's hf_quant_config.json
                found[f"{prefix}{name}"] = inner if isinstance(inner, dict) else table
    return found


def _method(found: Mapping[str, Any]) -> str:
    named = next((it for name in _METHODS if (it := found.get(name))), None)
    return str(named or (_MLX if "bits" in found else "no method named"))


def _said(found: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Bits of a number by each field that speaks of all weights."""
    if _method(found).lower() == "mixed_precision":
        return
    for name in _METHODS:
        bits = _nominal(str(found.get(name)).lower())
        if bits is not None:
            yield name, bits
    for name in _BITS:
        if (bits := size(found.get(name))) is not None:
            yield name, bits
    for bits in (4, 8):
        if found.get(f"load_in_{bits}bit") is True:
            yield f"load_in_{bits}bit", bits


def _keeps_attention(found: Mapping[str, Any]) -> bool:
    """Whether the file lists attention among what is not quantised."""
    lists = (found.get(name) for name in _KEPT)
    kept = [str(it) for some in lists if isinstance(some, list) for it in some]
    return any("attn" in it or "attention" in it for it in kept)


def _widths(found: Mapping[str, Any], method: str) -> list[float | None]:
    """Every width that is named: by groups of layers, by layers, or for all of them."""
    groups, layers = found.get("config_groups"), found.get("quantized_layers")
    method = method if method == _MLX else method.lower()
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
    if method == _MLX:
        own = [it for it in found.values() if isinstance(it, dict)]
        return [_of_numbers(it, method) for it in (found, *own)]
    if method in METHODS:
        return METHODS[method](found)
    return widths or [_named(method) or _of_numbers(found, method)]


def _format(method: str) -> tuple[int, int, int] | None:
    return next(
        (it for name, it in _NAMED.items() if method == name or method.startswith(f"{name}-")), None
    )


def _nominal(method: str) -> int | None:
    """Bits of a number by the name of a method; none where it does not tell."""
    found = _format(method)
    return None if found is None else found[0]


def _named(method: str) -> float | None:
    found = _format(method)
    if found is None:
        return None
    bits, scale, group = found
    return bits + scale / group


def _of_numbers(table: Mapping[str, Any], method: str) -> float | None:
    """The width that bits and the size of a group make."""
    bits = next((found for name in _BITS if (found := size(table.get(name)))), None)
    group = size(table.get("group_size", table.get("q_group_size")))
    if bits == 4 and group == 16 and table.get("type") == "float":
        return _named("nvfp4")
    if method.startswith("mxfp"):
        return grouped(bits, group, 8)
    zero = bits if method in _ZERO else 16 if "mode" in table or method == _MLX else 0
    return grouped(bits, group, 16 + (zero or 0))


def _cache(found: Mapping[str, Any]) -> float | None:
    if (bits := quark_cache(found)) is not None:
        return bits
    scheme = found.get("kv_cache_scheme") or found.get("kv_cache_quant_algo")
    if isinstance(scheme, dict):
        bits = size(scheme.get("num_bits"))
        return None if bits is None else float(bits)
    return _named(str(scheme).lower()) if scheme else None
