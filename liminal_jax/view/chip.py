"""A chip in words, and the values that it has."""

from liminal_jax._display import gibibytes, plain, with_prefix
from liminal_jax.hardware.system import System
from liminal_jax.optimization.search.solution import Solution
from liminal_jax.study.file import DesignTable


def chosen(design: DesignTable, solution: Solution, name: str) -> float:
    """The value of a numeric variable, free or not."""
    if name in solution.values:
        return solution.values[name]
    return getattr(design, name).values[0]


def chip_words(design: DesignTable, solution: Solution, die_area: float, system: System) -> str:
    """What a chip is made of; the name of a finished one.

    Args:
        design: The design table of the study.
        solution: The values chosen.
        die_area: Area of one logic die [m^2].
        system: The hardware there.
    """
    clock = chosen(design, solution, "clock")
    pace = "" if clock == 1 else f" at {clock:g} of its clock"
    if design.system is not None:
        return f"{solution.category}{pace}"
    chip = system.chip
    parts = {
        name: chosen(design, solution, name)
        for name in ("stacks", "dies", "compute_area", "sram", "link_bandwidth")
    }
    far, tier = "", chip.capacity_tier
    if tier is not None and design.tier is not None:
        far = (
            f"; {chosen(design, solution, 'tier_units'):g} units of {design.tier.names[0]}"
            f" ({gibibytes(float(tier.capacity))}, {with_prefix(float(tier.bandwidth), 'B/s')})"
        )
    return (
        f"{parts['stacks']:g} stacks of {solution.category}"
        f" ({gibibytes(float(chip.memory.capacity))},"
        f" {with_prefix(float(chip.memory.bandwidth), 'B/s')}){far};"
        f" {parts['dies']:g} dies of {plain(die_area * 1e6)} mm2"
        f" with {plain(parts['compute_area'] * 1e6)} mm2 of cores each"
        f" ({with_prefix(float(chip.tensor.bits_8), 'FLOP/s')} at 8 bits);"
        f" {plain(parts['sram'] * 1e-6)} MB of resident SRAM a die;"
        f" links {with_prefix(parts['link_bandwidth'], 'B/s')}{pace}"
    )
