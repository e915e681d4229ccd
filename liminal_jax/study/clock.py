"""The clocks at which chips can run."""

from typing import NamedTuple

from liminal_jax.data.parts import load_facility_file
from liminal_jax.laws.clock import supply_voltage
from liminal_jax.study.domain import Grid


class ClockRange(NamedTuple):
    """Clocks over the nominal one between which the law of the voltage holds."""

    least: float
    most: float


def clock_range() -> ClockRange:
    """The range that the facility file states."""
    room = load_facility_file()
    return ClockRange(room.least_clock.value or 0.0, room.most_clock.value or 0.0)


def checked_clock(grid: Grid) -> Grid:
    """Clocks, if all are within the range.

    Raises:
        ValueError: one is not.
    """
    bounds = clock_range()
    outside = [value for value in grid.values if not bounds.least <= value <= bounds.most]
    if outside:
        threshold = load_facility_file().threshold_voltage.value or 0.0
        low, high = (float(supply_voltage(clock=it, threshold=threshold)) for it in bounds)
        raise ValueError(
            f"must be {bounds.least:g} to {bounds.most:g} of the nominal clock, which takes"
            f" {low:.2f} to {high:.2f} of the nominal voltage, got {outside[0]:g}"
        )
    return grid
