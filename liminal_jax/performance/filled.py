"""A design whose SRAM is filled with what is read most often."""

from liminal_jax._arrays import Scalar
from liminal_jax.hardware.system import System
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.placement import filled_placement
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.residents import imbalance, residents
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request


def filled_design(
    system: System,
    mapping: Mapping,
    batch: Scalar,
    model: Model,
    request: Request,
    assumptions: Assumptions | None = None,
) -> Design:
    """The design with as much data in SRAM as its fullest stage can hold there."""
    assumptions = Assumptions() if assumptions is None else assumptions
    division, relaxation = assumptions.division, assumptions.relaxation
    held = residents(model, request, mapping, batch, assumptions)
    crowding = imbalance(model, mapping, division, relaxation)
    placement = filled_placement(
        capacity=mapping.chips() * system.chip.sram.capacity / crowding,
        weights=held.weights,
        cache=held.kept(),
        experts=held.experts,
        relaxation=relaxation,
    )
    return Design(system=system, mapping=mapping, placement=placement, batch=batch)
