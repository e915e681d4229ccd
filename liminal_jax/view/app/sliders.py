"""The sliders: what each is called, in which unit, and where it stops."""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from liminal_jax.hardware.network import Torus
from liminal_jax.hardware.system import System
from liminal_jax.view.app.base import Numbers
from liminal_jax.view.app.opened import Opened
from liminal_jax.view.app.scene import BATCHES

DECADE = 20
"""Stops from a number to ten times as much."""

SHOWN, EXACT = 4, 12
"""Digits that are shown of a measured number, and of one that is counted."""

MOST_SRAM = 0.9
"""Share of cores and SRAM that SRAM may take."""


class Slider(NamedTuple):
    """A number that can be dragged.

    Attributes:
        name: Of the field of `Numbers`.
        label: What it is, with the unit that is shown.
        shown: Its stops in that unit, rising.
        values: Its stops in SI.
        start: The stop at which it begins; there the number is exactly that of the design.
    """

    name: str
    label: str
    shown: tuple[float, ...]
    values: tuple[float, ...]
    start: int

    def value(self, shown: float) -> float:
        """The number in SI of what is shown: of the nearest stop."""
        distances = [abs(it - shown) for it in self.shown]
        return self.values[distances.index(min(distances))]


def rounded(value: float, digits: int = 3) -> float:
    """A number to some significant digits.

    Examples:
        >>> rounded(4.7863)
        4.79
    """
    return float(f"{value:.{digits}g}")


def _slider(name: str, label: str, scale: float, value: float, others: Iterable[float]) -> Slider:
    """A slider.

    Args:
        name: Of the field of `Numbers`.
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


def _around(value: float, below: int, above: int) -> list[float]:
    """Stops of equal ratio around a number, some decades below and above."""
    steps = range(-below * DECADE, above * DECADE + 1)
    return [rounded(value * 10 ** (step / DECADE)) for step in steps]


def _doubled(least: float, most: float) -> list[float]:
    return [least * 2**step for step in range(round(math.log2(most / least)) + 1)]


def sliders_of(opened: Opened) -> tuple[Slider, ...]:
    """The sliders of a design; those whose number the hardware lacks are left out."""
    start, mapping = opened.start, opened.scene.mapping
    bandwidth, capacity, latency = (
        float(it) for it in (start.bandwidth, start.capacity, start.latency)
    )
    share, stages = float(start.sram_share), float(mapping.cp * mapping.pp)
    system: System = opened.scene.base.system(start)
    per = "hop" if isinstance(system.network, Torus) else "collective"
    found = [
        ("bandwidth", "memory bandwidth of a chip [TB/s]", 1e-12, _around(bandwidth * 1e-12, 1, 1)),
        ("latency", f"latency of a {per} [us]", 1e6, _around(latency * 1e6, 2, 1)),
        ("capacity", "memory of a chip [GiB]", 2.0**-30, _around(capacity * 2.0**-30, 1, 1)),
        ("chips", "chips of an instance", 1.0, [stages * it for it in _doubled(1.0, 1024.0)]),
        ("batch", "users in a micro-batch", 1.0, BATCHES),
        ("context", "context of a user [tokens]", 1.0, _doubled(1024.0, 2.0**20)),
        ("sram_share", "SRAM in place of cores [% of area]", 100.0, _shares(share)),
    ]
    return tuple(
        _slider(name, label, scale, float(getattr(start, name)), others)
        for name, label, scale, others in found
        if _draggable(name, float(getattr(start, name)))
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


def numbers_of(start: Numbers, sliders: Iterable[Slider], shown: Mapping[str, float]) -> Numbers:
    """The numbers that some sliders show; others stay.

    Args:
        start: Where all begin.
        sliders: The sliders.
        shown: What each shows, by name.
    """
    own = {name: getattr(start, name) for name in Numbers.__dataclass_fields__}
    moved = {it.name: it.value(shown[it.name]) for it in sliders if it.name in shown}
    return Numbers(**{**own, **moved})
