"""A design whose memories are filled with what is read most often, the fastest first."""

from liminal_jax._arrays import Scalar
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.algorithm.algorithm import Algorithm
from liminal_jax.hardware.system import System
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.placement import Placement, filled_placement, overflowing
from liminal_jax.performance.capacity import usable_memory
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.memory_footprint import (
    MemoryFootprint,
    imbalance,
    memory_footprint,
    table_crowding,
)
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request


def filled_design(
    system: System,
    mapping: Mapping,
    batch: Scalar,
    model: Model,
    request: Request,
    assumptions: Assumptions | None = None,
    algorithm: Algorithm | None = None,
) -> Design:
    """The design with as much data in the faster memories as its fullest stage can hold there.

    SRAM is filled first, then main memory. Where the chip has a capacity tier, it takes what main
    memory cannot hold of the kinds of data that may lie there, in the order of what is read least
    for its size: experts first, then the cache, then the weights that every token uses. Embedding
    and head stay in main memory; their traffic is divided over the memories as that of the other
    weights. SRAM in which weights are prefetched is not filled.
    """
    assumptions = Assumptions() if assumptions is None else assumptions
    division, relaxation = assumptions.division, assumptions.relaxation
    held = memory_footprint(model, request, mapping, batch, assumptions, algorithm)
    crowding = imbalance(model, mapping, division, relaxation)
    room = system.chip.sram.capacity
    if algorithm is not None and algorithm.prefetch is not None:
        room = relaxation.maximum(room - algorithm.prefetch.buffer, 0.0)
    placement = filled_placement(
        capacity=mapping.chips() * room / crowding,
        weights=held.weights,
        cache=held.kept(),
        experts=held.experts,
        relaxation=relaxation,
    )
    if system.chip.capacity_tier is not None:
        tables = table_crowding(model, mapping, relaxation) * held.tables
        main = mapping.chips() * usable_memory(system)
        left = relaxation.maximum(main - tables, 0.0) / crowding
        kinds = system.chip.capacity_tier.kinds
        placement = _overflowing(placement, held, left, relaxation, kinds)
    return Design(
        system=system, mapping=mapping, placement=placement, batch=batch, algorithm=algorithm
    )


def _overflowing(
    placement: Placement,
    held: MemoryFootprint,
    capacity: Scalar,
    relaxation: AbstractRelaxation,
    kinds: tuple[str, ...],
) -> Placement:
    """The placement with what the main memory of the instance cannot hold in the capacity tier."""
    beyond = placement.beyond_sram()
    return Placement(
        weights=placement.weights,
        cache=placement.cache,
        experts=placement.experts,
        capacity_tier=overflowing(
            capacity=capacity,
            weights=beyond.weights * held.weights,
            cache=beyond.cache * held.kept(),
            experts=beyond.experts * held.experts,
            relaxation=relaxation,
            kinds=kinds,
        ),
    )
