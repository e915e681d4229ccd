"""A design whose SRAM is filled with what is read most often."""

from liminal_jax._arrays import Scalar
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.hardware.system import System
from liminal_jax.laws.roofline import stage_imbalance
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.placement import filled_placement
from liminal_jax.performance.predictor import Design
from liminal_jax.performance.residents import residents
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request


def filled_design(
    system: System,
    mapping: Mapping,
    batch: Scalar,
    model: Model,
    request: Request,
    relaxation: AbstractRelaxation,
) -> Design:
    """The design with as much data in SRAM as its fullest stage can hold there."""
    held = residents(model, request, mapping, batch, relaxation)
    layers = model.layer_count()
    imbalance = stage_imbalance(
        layers=layers, largest=relaxation.ceil(layers / mapping.pp), stages=mapping.pp
    )
    placement = filled_placement(
        capacity=mapping.chips() * system.chip.sram.capacity / imbalance,
        weights=held.weights,
        cache=held.kept(),
        experts=held.experts,
        relaxation=relaxation,
    )
    return Design(system=system, mapping=mapping, placement=placement, batch=batch)
