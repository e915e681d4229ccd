"""Planned chips from Python, by the fields that a design file has for them."""

from collections.abc import Mapping
from typing import Any

import jax

from liminal_jax._arrays import as_leaf
from liminal_jax.hardware.planned import PlannedSystem
from liminal_jax.study.assemble import hardware_of
from liminal_jax.study.file import design_of, resolved_of

_ANY_WORKLOAD = {"model": "llama-3-8b", "context": 1.0}
"""A plan needs no workload, and the schema of design files does."""


def planned_system(
    assumptions: Mapping[str, Mapping[str, Any]] | None = None, **plan: Any
) -> PlannedSystem:
    """A system of planned chips, from the data files of its memory, process and surroundings.

    Args:
        assumptions: Numbers that differ from the data files, in tables as a study has them, such as
            `{"execution": {"base": "planned-chip"}}`; the ideal use of the chips by default.
        plan: `memory`, `process`, `stacks`, `dies`, `compute_area`, `sram`, `link_bandwidth`,
            `domain`, and `tier`, `tier_units`, `tier_holds` where it has a capacity tier.

    Raises:
        InputError: what is missing or wrong; all of it.

    Examples:
        >>> system = planned_system(memory="hbm4", process="n3p", stacks=8, dies=2,
        ...     compute_area="400 mm2", sram="64 MB", link_bandwidth="900 GB/s", domain=72)
        >>> float(system.chip.plan.stacks)
        8.0
    """
    tables = {"workload": _ANY_WORKLOAD, "design": plan, "assumptions": dict(assumptions or {})}
    file = design_of(tables, "planned_system")
    system = hardware_of(file, resolved_of(file).hardware)
    if not isinstance(system, PlannedSystem):
        raise TypeError("a finished system is loaded with ll.load_system")
    return jax.tree.map(lambda leaf: as_leaf(leaf[0] if leaf.ndim else leaf), system)
