"""The sliders: what each is called, in which unit, and where it stops."""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from liminal_jax._quantity import Quantity
from liminal_jax.hardware.network import AbstractNetwork, Torus
from liminal_jax.mapping.attention import attention_name
from liminal_jax.study.region import Region
from liminal_jax.study.variables import PATHS, stated_at

DECADE = 20
"""Stops from a number to ten times as much."""

SHOWN, EXACT = 4, 12
"""Digits that are shown of a measured number, and of one that is counted."""

MOST_SRAM = 0.9
"""Share of cores and SRAM that SRAM may take."""

BITS = (2.0, 3.0, 4.0, 6.0, 8.0, 16.0)
"""Stops of a precision."""

SHARES = 20
"""Steps of a number between two ends."""

_UNITS = {
    "s": (1e6, "us"),
    "B": (1e-6, "MB"),
    "B/s": (1e-9, "GB/s"),
    "m2": (1e6, "mm2"),
    "m": (1e3, "mm"),
    "W": (1.0, "W"),
    "J/B": (1e12, "pJ/B"),
    "J/FLOP": (1e12, "pJ/FLOP"),
    "FLOP/s": (1e-12, "TFLOP/s"),
}
"""What is shown for 1 in SI, and its unit, the same along the whole of a slider."""


class Slider(NamedTuple):
    """A number that can be dragged, or a name that can be picked.

    Attributes:
        name: Of what is dragged.
        label: What it is, with the unit that is shown.
        shown: Its stops in that unit, rising.
        values: Its stops in SI.
        start: The stop at which it begins; there the number is exactly that of the design.
        words: What its stops are called where they are names; none of numbers.
    """

    name: str
    label: str
    shown: tuple[float, ...]
    values: tuple[float, ...]
    start: int
    words: tuple[str, ...] = ()

    def stop(self, shown: float | str) -> int:
        """The nearest stop to what is shown, or the one of that name."""
        if isinstance(shown, str):
            return self.words.index(shown)
        distances = [abs(it - shown) for it in self.shown]
        return distances.index(min(distances))

    def nearest(self, value: float) -> int:
        """The nearest stop to a number in SI."""
        distances = [abs(it - value) for it in self.values]
        return distances.index(min(distances))


def rounded(value: float, digits: int = 3) -> float:
    """A number to some significant digits.

    Examples:
        >>> rounded(4.7863)
        4.79
    """
    return float(f"{value:.{digits}g}")


def slider(name: str, label: str, scale: float, value: float, others: Iterable[float]) -> Slider:
    """A slider that begins at a number.

    Args:
        name: Of what is dragged.
        label: What it is.
        scale: What is shown for 1 in SI.
        value: Where it begins, in SI.
        others: Its other stops, as shown.
    """
    own = rounded(value * scale, EXACT if scale == 1 else SHOWN)
    stops = {it for it in others if not math.isclose(it, own, rel_tol=0.005)}
    shown = tuple(sorted({*stops, own}))
    values = tuple(value if it == own else it / scale for it in shown)
    return Slider(name, label, shown, values, shown.index(own))


def around(value: float, below: int, above: int) -> list[float]:
    """Stops of equal ratio around a number, some decades below and above."""
    steps = range(-below * DECADE, above * DECADE + 1)
    return [rounded(value * 10 ** (step / DECADE)) for step in steps]


def doubled(least: float, most: float) -> list[float]:
    """Stops of which each is twice the one before."""
    return [least * 2**step for step in range(round(math.log2(most / least)) + 1)]


def instance_sliders(
    network: AbstractNetwork, stages: float, start: Mapping[str, float], batches: Iterable[float]
) -> tuple[Slider, ...]:
    """The sliders of one instance; those whose number the hardware lacks are left out.

    Args:
        network: What joins its chips.
        stages: Chips that one more tensor-parallel rank takes.
        start: Where they begin, by name.
        batches: Stops of the users in a micro-batch.
    """
    per = "hop" if isinstance(network, Torus) else "collective"
    bandwidth, capacity, latency = (start[it] for it in ("bandwidth", "capacity", "latency"))
    found = [
        ("bandwidth", "memory bandwidth of a chip [TB/s]", 1e-12, around(bandwidth * 1e-12, 1, 1)),
        ("latency", f"latency of a {per} [us]", 1e6, around(latency * 1e6, 2, 1)),
        ("capacity", "memory of a chip [GiB]", 2.0**-30, around(capacity * 2.0**-30, 1, 1)),
        ("chips", "chips of an instance", 1.0, [stages * it for it in doubled(1.0, 1024.0)]),
        ("ep", "ranks that share experts (EP)", 1.0, doubled(1.0, 1024.0)),
        ("batch", "users in a micro-batch", 1.0, batches),
        ("context", "context of a user [tokens]", 1.0, doubled(1024.0, 2.0**20)),
        ("sram_share", "SRAM in place of cores [% of area]", 100.0, _shares(start["sram_share"])),
    ]
    return tuple(
        slider(name, label, scale, start[name], others)
        for name, label, scale, others in found
        if _draggable(name, start.get(name, math.nan))
    )


def _shares(share: float) -> list[float]:
    """Shares in per cent, none and the one there is among them."""
    return [
        float(it) for it in range(0, round(100 * MOST_SRAM) + 1, 2) if abs(it - 100 * share) > 0.5
    ]


def _draggable(name: str, value: float) -> bool:
    if name == "sram_share":
        return 0 <= value < MOST_SRAM
    return math.isfinite(value) and value > 0


def number_slider(path: str, value: float) -> Slider:
    """The slider of any number of a case, from what its field says of it.

    Args:
        path: Its path.
        value: Where it begins, in SI.

    Examples:
        >>> it = number_slider("algorithm.speculation.drafts", 0.0)
        >>> it.label, it.shown[:4]
        ('drafts a step', (0.0, 1.0, 2.0, 3.0))
    """
    stated = stated_at(path)
    scale, unit = _UNITS.get(stated.unit, (1.0, stated.dimension))
    stops = _stops(stated, value * scale, scale, stated.whole)
    least, most = (stated.least or 0.0) * scale, stated.most * scale
    return slider(
        path, _label(stated, unit), scale, value, (it for it in stops if least <= it <= most)
    )


def _label(stated: Quantity, unit: str) -> str:
    return f"{stated.label} [{unit}]" if unit else stated.label


def _stops(stated: Quantity, shown: float, scale: float, whole: bool) -> list[float]:
    """Stops of a number, as shown: between its ends, or some decades around it."""
    if stated.unit == "bits":
        return list(BITS)
    least = (stated.least or 0.0) * scale
    if whole and math.isfinite(stated.most):
        return [float(it) for it in range(math.ceil(least), math.floor(stated.most * scale) + 1)]
    if math.isfinite(stated.most):
        step = (stated.most * scale - least) / SHARES
        return [rounded(least + step * it, SHOWN) for it in range(SHARES + 1)]
    if stated.unit == "tokens":
        return doubled(16.0, 2.0**20)
    if shown > 0:
        return around(shown, 1, 1)
    return [0.0, *doubled(1.0, 2.0**10)]


def study_sliders(region: Region, names: Mapping[str, float]) -> tuple[Slider, ...]:
    """The sliders of a study: its alternatives, and the values among which each variable chooses.

    Args:
        region: The designs of the study.
        names: Where each variable begins, by path.
    """
    return tuple(_variable(it.path, it.grid.values, names[it.path]) for it in region.variables)


def _variable(path: str, values: tuple[float, ...], value: float) -> Slider:
    stated = stated_at(path)
    scale, unit = _UNITS.get(stated.unit, (1.0, stated.dimension))
    shown = tuple(rounded(it * scale, EXACT) for it in values)
    words = tuple(map(attention_name, values)) if path == PATHS["attention"] else ()
    return Slider(path, _label(stated, unit), shown, values, values.index(value), words)


def alternatives(name: str, kind: str, words: tuple[str, ...], start: int) -> Slider:
    """The choice among named alternatives, by their rows.

    Examples:
        >>> alternatives("category", "memory", ("hbm4", "3d-dram"), 1).stop("hbm4")
        0
    """
    rows = tuple(map(float, range(len(words))))
    return Slider(name, kind, rows, rows, start, words)


def numbers_of(
    start: Mapping[str, float], sliders: Iterable[Slider], shown: Mapping[str, float | str]
) -> dict[str, float]:
    """The numbers that some sliders show, in SI; others stay.

    Args:
        start: Where all begin.
        sliders: The sliders.
        shown: What each shows, by name.
    """
    moved = {it.name: it.values[it.stop(shown[it.name])] for it in sliders if it.name in shown}
    return {**start, **moved}
