"""What each layer may choose for itself, and the values that it chooses among."""

from typing import Any, NamedTuple

from pydantic import BeforeValidator

from liminal_jax._files import did_you_mean
from liminal_jax._quantity import Quantity
from liminal_jax.data.formats import number_formats
from liminal_jax.study.domain import Grid, grid_of
from liminal_jax.study.values import (
    Between,
    Choice,
    Spaced,
    grid_of_values,
    is_number,
    is_several,
)

FULL_ATTENTION = "full"
"""What a window is called that all tokens are in; a window of 0 stands for it too."""


class Choosable(NamedTuple):
    """A number of a layer.

    Attributes:
        path: The path of the number that all layers share otherwise.
        stated: What it is.
    """

    path: str
    stated: Quantity


def _share(path: str, label: str) -> Choosable:
    return Choosable(path, Quantity("", label, most=1.0, least=0.0))


CHOOSABLE = {
    "weight_bits": Choosable(
        "request.weight_bits", Quantity("bits", "bits of its weights", most=32.0)
    ),
    "kv_bits": Choosable("request.kv_bits", Quantity("bits", "bits of its cache", most=32.0)),
    "window": Choosable(
        "algorithm.attention.window", Quantity("tokens", "tokens that it sees", least=0.0)
    ),
    "sram": _share("placement.weights", "share in SRAM of weights that every token uses"),
    "sram_experts": _share("placement.experts", "share in SRAM of its experts"),
    "sram_cache": _share("placement.cache", "share in SRAM of its cache"),
}
"""What may be chosen for each layer, by the name that studies use."""

BITS = ("weight_bits", "kv_bits")
"""Those that number formats name."""


def bits_of(value: Any) -> Any:
    """The bits of a number format where a value names one.

    Raises:
        ValueError: it is a name of none.

    Examples:
        >>> bits_of("MXFP4"), bits_of(8)
        (4.25, 8)
    """
    if not isinstance(value, str) or is_number(value):
        return value
    formats = number_formats()
    if value.lower() not in formats:
        hint = did_you_mean(value.lower(), formats) or f"; there are {', '.join(formats)}"
        raise ValueError(f"there is no number format {value!r}{hint}")
    return formats[value.lower()].bits


def window_of(value: Any) -> Any:
    """A window in tokens, 0 where all are in it."""
    return 0.0 if value == FULL_ATTENTION else value


def layer_grid(name: str, value: Any) -> Grid:
    """The values among which each layer chooses.

    Args:
        name: What is chosen, of `CHOOSABLE`.
        value: A value, a domain as files have it, a sequence, or what `ll.grid`, `ll.between` and
            `ll.choice` make; bits may be names of number formats, a window `full`.

    Raises:
        ValueError: what is wrong with them.
    """
    if isinstance(value, Grid):
        return value
    stated = CHOOSABLE[name].stated
    if isinstance(value, Spaced | Between):
        grid = grid_of_values(value, stated)
    else:
        grid = grid_of(_domain(name, value), stated)
    if name == "window" and any(0 < it < 1 for it in grid.values):
        raise ValueError(f"must be 1 token at least, or 0 or {FULL_ATTENTION!r} for all of them")
    return grid


def _domain(name: str, value: Any) -> Any:
    """A domain as files have it, with names replaced by numbers."""
    if isinstance(value, Choice):
        value = list(value.options.values())
    if is_several(value):
        value = {"choices": list(value)}
    read = bits_of if name in BITS else window_of if name == "window" else None
    if read is None:
        return value
    if isinstance(value, dict) and isinstance(value.get("choices"), list):
        return {**value, "choices": [read(it) for it in value["choices"]]}
    return value if isinstance(value, dict) else read(value)


def chosen(name: str) -> BeforeValidator:
    """A pydantic validator that reads the values of what each layer chooses."""
    return BeforeValidator(lambda value: layer_grid(name, value))


def windows_within(grid: Grid, context: float) -> tuple[Grid, list[str]]:
    """Windows of which none is longer than the context, and what to tell where one was.

    Examples:
        >>> windows_within(Grid((0.0, 512.0, 9000.0), logarithmic=False), 8192.0)[0].values
        (512.0, 8192.0)
    """
    values = sorted({context if it == 0 or it > context else it for it in grid.values})
    long = ", ".join(f"{it:g}" for it in grid.values if it > context)
    told = [f"Windows of {long} tokens are full attention in a context of {context:g}."]
    return Grid(tuple(values), logarithmic=True), told if long else []
