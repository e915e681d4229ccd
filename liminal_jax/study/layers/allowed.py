"""What a study of layers may ask for: what is convex in the sums over layers, and grows with them.

Time, energy, bytes and losses are sums over layers or convex in them. Power at work is energy over
time: it falls as layers take longer, so that no bound would hold that prices layers apart.
"""

from collections.abc import Sequence

import jax.numpy as jnp

from liminal_jax._files import Problem as Mistake
from liminal_jax.calibration.base import Ideal
from liminal_jax.hardware.planned import PlannedSystem
from liminal_jax.study.case import Case
from liminal_jax.study.problem import Criterion, Limit
from liminal_jax.study.region import Region

LESS = frozenset(
    {
        "tpot",
        "step_time",
        "compute_time",
        "memory_time",
        "energy_per_token",
        "usd_per_million_tokens",
        "memory_required",
        "memory_fill",
    }
)
"""Quantities that grow with the sums: they may be least, or limited from above."""

MORE = frozenset({"utps", "stps", "stps_per_watt", "stps_per_usd"})
"""Quantities that fall as the sums grow: they may be most, or limited from below."""

SHARED = frozenset(
    {
        "users",
        "chips",
        "chip_tdp",
        "power_provisioned",
        "die_area",
        "capital_cost",
        "exposed_time",
        "memory_capacity",
        "replicas",
    }
)
"""Quantities that do not depend on what layers choose."""

QUALITY = "quality_loss"
"""What is limited from above alone, and only where a study says what layers lose."""


def refused_quantities(
    criterion: Criterion, limits: Sequence[Limit], *, stated_loss: bool
) -> list[Mistake]:
    """What is wrong with an objective and the limits that a user sets.

    Args:
        criterion: The objective.
        limits: The limits, physical ones left out.
        stated_loss: Whether the study says what layers lose of quality.
    """
    mistakes = []
    side = MORE if criterion.maximise else LESS
    if criterion.name not in side | SHARED:
        verb = "maximise" if criterion.maximise else "minimise"
        message = f"cannot be {criterion.name} layer by layer; there are {', '.join(sorted(side))}"
        mistakes.append(Mistake(f"objective.{verb}", message))
    for number, it in enumerate(limits):
        place = f"constraints.{number}.quantity"
        if it.name == QUALITY and not it.at_least:
            if not stated_loss:
                message = (
                    "is limited, and nothing says what layers lose: give a table of losses or a"
                    " function; none is assumed"
                )
                mistakes.append(Mistake(f"{place}: {QUALITY}", message))
            continue
        side = MORE if it.at_least else LESS
        if it.name not in side | SHARED:
            mistakes.append(Mistake(place, _reason(it)))
    return mistakes


def _reason(limit: Limit) -> str:
    if limit.name in ("power", "chip_power", "power_density"):
        return (
            f"{limit.name} at work falls as layers take longer, so that no bound would hold; limit"
            " power_provisioned or chip_tdp, power at full use"
        )
    where = "at_least" if limit.at_least else "at_most"
    return f"{limit.name} cannot be limited by {where} layer by layer"


def refused_parts(region: Region, limited: Sequence[str], own: Sequence[str]) -> list[Mistake]:
    """What a design may not have beside choices for each layer.

    Args:
        region: Designs.
        limited: Names of quantities that are limited.
        own: Paths of the numbers that each layer chooses.
    """
    case, mistakes = region.case, []
    again = [it for it in region.variables if it.path in own]
    mistakes += [
        Mistake(it.name, "is chosen for each layer; state one value for the rest here")
        for it in again
    ]
    if any(it.path == "request.context" for it in region.variables):
        message = "must be one value: windows of layers are measured against it"
        mistakes.append(Mistake("context", message))
    if case.lengths is not None:
        message = "whole requests are not counted layer by layer; state the context instead"
        mistakes.append(Mistake("request.isl", message))
    if case.placement is not None:
        message = "is chosen for each layer by sram, sram_experts and sram_cache; leave it out"
        mistakes.append(Mistake("placement", message))
    if case.algorithm is not None:
        message = "levers of software are not counted layer by layer; leave them out"
        mistakes.append(Mistake("algorithm", message))
    if case.quality is not None:
        message = "is told layer by layer: state per_layer.quality instead"
        mistakes.append(Mistake("quality", message))
    if not isinstance(case.assumptions.calibration, Ideal):
        message = "calibrations are of whole steps; leave it out"
        mistakes.append(Mistake("assumptions.calibration", message))
    return mistakes + _refused_hardware(case, limited)


def _refused_hardware(case: Case, limited: Sequence[str]) -> list[Mistake]:
    mistakes, system = [], case.system
    planned = isinstance(system, PlannedSystem)
    tier = system.chip.material.tier if planned else system.chip.capacity_tier
    if tier is not None:
        message = "layers choose between SRAM and main memory; leave the capacity tier out"
        mistakes.append(Mistake("design.tier", message))
    if planned:
        endured = system.chip.material.memory.power_density_limit
        if bool(jnp.any(jnp.isfinite(endured))):
            message = (
                "memory on top of the logic endures so much power at work, which falls as layers"
                " take longer, so that no bound would hold; take memory beside it, or SRAM"
            )
            mistakes.append(Mistake("design.memory", message))
    if bool(jnp.any(system.facility.building_cost > 0)) and "capital_cost" in limited:
        message = (
            "depends on power at work where a building is paid for by the watt, so that no bound"
            " would hold; leave the building out or limit power_provisioned"
        )
        mistakes.append(Mistake("constraints: capital_cost", message))
    return mistakes
