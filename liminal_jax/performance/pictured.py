"""A design in pictures, without what it serves: what notebooks show beside its numbers."""

import dataclasses
from typing import Any

import equinox as eqx
import jax
from jax.core import Tracer

from liminal_jax._arrays import Scalar
from liminal_jax._show import number
from liminal_jax._smooth import Exact
from liminal_jax.drawing.figures import figures
from liminal_jax.drawing.svg import side_by_side
from liminal_jax.hardware.anatomy import network_record, package_record
from liminal_jax.hardware.planned import PlannedSystem
from liminal_jax.hardware.system import System
from liminal_jax.mapping.degrees import Mapping


def machine_record(system: System, mapping: Mapping, chips: Scalar) -> dict[str, Any]:
    """The chips of a whole system, and how instances of a model use them.

    Args:
        system: The hardware.
        mapping: How one instance is spread.
        chips: Chips that are bought; those of an instance at least.
    """
    each, bought = number(mapping.chips()), number(chips)
    degrees = {name: number(getattr(mapping, name)) for name in ("tp", "cp", "pp", "ep")}
    return {
        **network_record(system.network),
        **degrees,
        "attention_ranks": number(mapping.attention_ranks()),
        "chips": max(bought, each),
        "instances": max(1, int(bought // each)),
        "host_power": number(system.facility.host_power),
    }


def drawable(part: Any) -> bool:
    """Whether each number of a part has one known value, and nothing that it needs is left out.

    Trees of axes, of filters and of shapes have other things in the place of numbers.
    """
    if isinstance(part, eqx.Module):
        return all(
            drawable(value) or (value is None and it.default is None)
            for it in dataclasses.fields(part)
            for value in [getattr(part, it.name)]
            if not it.metadata.get("static")
        )
    if isinstance(part, tuple):
        return all(map(drawable, part))
    return isinstance(part, jax.Array) and part.ndim == 0 and not isinstance(part, Tracer)


def pictures(system: System | PlannedSystem, mapping: Mapping) -> str:
    """Package and system of one instance as HTML."""
    built = system.system(Exact()) if isinstance(system, PlannedSystem) else system
    return pictures_of(package_record(system), built, mapping)


def pictures_of(package: dict[str, Any], built: System, mapping: Mapping) -> str:
    """Package and system of one instance as HTML.

    Args:
        package: What a chip is made of, as data to draw.
        built: The system.
        mapping: Degrees of the instance.
    """
    drawn = figures({"package": package, "system": machine_record(built, mapping, mapping.chips())})
    return side_by_side(it.svg() for it in drawn.values())
