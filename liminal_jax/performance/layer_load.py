"""A step layer by layer: what each adds to times and memories, and the prediction of their sum.

The laws are those of `predict`: each is applied to a model of one layer, with the precision, window
and placement of that layer. What layers add sums over them; the time of the step, the fill of the
memories, power and cost follow from the sums and are convex in them.
"""

import dataclasses
from typing import NamedTuple

import equinox as eqx
import jax

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax.algorithm.attention import ReducedAttention
from liminal_jax.laws.step_time import separate_time, summed_time
from liminal_jax.mapping.placement import Placement
from liminal_jax.performance.capacity import two_memories_fill
from liminal_jax.performance.counted import Counted, predicted
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.memory_footprint import (
    imbalance,
    memory_footprint,
    table_crowding,
)
from liminal_jax.performance.operators import (
    Operator,
    Spread,
    layer_operators,
    spread_of,
    table_operators,
)
from liminal_jax.performance.passed import Step, passed
from liminal_jax.performance.power import busy_activity, moving_energy
from liminal_jax.performance.prediction import Prediction
from liminal_jax.performance.timing import operator_times, tensor_time
from liminal_jax.workload.model import Layers, Model
from liminal_jax.workload.request import Request


class LayerChoice(eqx.Module):
    """What is chosen for one layer.

    Attributes:
        request: Context, and precision of its weights and cache.
        placement: Shares of its data in SRAM.
        window: Tokens that its attention sees; all where left out.
    """

    request: Request
    placement: Placement
    window: Leaf | None = None


class Load(eqx.Module):
    """What one layer adds to a step and to the memories; sums over layers.

    Attributes:
        compute: Time that the arithmetic is busy, of the fullest rank and stage [s].
        memory: Time that the memory is busy, of the same [s].
        separate: Time where no operator overlaps with another, of the same [s].
        tensor: Time that the tensor units are busy, of the mean rank [s].
        moving: Energy of the traffic to the memories of one chip, the mean one [J].
        main: Bytes in main memory, if all stages were as full as the fullest [B].
        sram: Bytes in SRAM, if all stages were as full as the fullest [B].
        held: Bytes in all memories [B].
    """

    compute: Leaf = eqx.field(converter=as_leaf)
    memory: Leaf = eqx.field(converter=as_leaf)
    separate: Leaf = eqx.field(converter=as_leaf)
    tensor: Leaf = eqx.field(converter=as_leaf)
    moving: Leaf = eqx.field(converter=as_leaf)
    main: Leaf = eqx.field(converter=as_leaf)
    sram: Leaf = eqx.field(converter=as_leaf)
    held: Leaf = eqx.field(converter=as_leaf)


LOADS = tuple(it.name for it in dataclasses.fields(Load))
"""Names of what sums over layers."""


class _Part(NamedTuple):
    """Operators of a part of the model, and its data.

    Attributes:
        fullest: Operators of the fullest rank and stage.
        mean: All work of the mean rank.
        request: Precision of its operands.
        placement: Memories from which operators read.
        main: Its data in main memory, if all stages were as full as the fullest [B].
        sram: Its data in SRAM, likewise [B].
        held: Its data in all memories [B].
    """

    fullest: list[Operator]
    mean: Operator
    request: Request
    placement: Placement
    main: Scalar
    sram: Scalar
    held: Scalar


def layer_load(
    layers: Layers,
    choice: LayerChoice,
    design: Design,
    model: Model,
    request: Request,
    assumptions: Assumptions,
) -> Load:
    """What one layer of a kind adds, with its share of embedding and head.

    Embedding and head lie in main memory, and what is read of them is divided over the memories as
    the weights of layers are: each layer stands for an equal part of it, as in `filled_design`.

    Args:
        layers: The kind of layer.
        choice: What is chosen for this one.
        design: System, mapping and batch; its placement is not read.
        model: The model that the layer is of.
        request: Precision of embedding and head.
        assumptions: Which laws are used.

    Returns:
        Times [s], energy [J] and data [B].
    """
    parts = [
        _layer(layers, choice, design, model, assumptions),
        _tables(choice.placement, design, model, request, assumptions),
    ]
    one, tables = (_load(it, design, assumptions) for it in parts)
    count = model.layer_count()
    return jax.tree.map(lambda own, shared: own + shared / count, one, tables)


def _layer(
    layers: Layers, choice: LayerChoice, design: Design, model: Model, assumptions: Assumptions
) -> _Part:
    one = dataclasses.replace(layers, count=as_leaf(1.0))
    alone = dataclasses.replace(model, layers=(one,), tables=None)
    if choice.window is not None:
        alone = ReducedAttention(windowed=1.0, window=choice.window).of(alone)
    mapping, relaxation = design.mapping, assumptions.relaxation
    crowding = imbalance(model, mapping, assumptions.division, relaxation)
    spread = _spread(design, assumptions)

    def operators(spread: Spread) -> list[Operator]:
        return layer_operators(alone, choice.request, design.batch, relaxation, spread=spread)

    held = memory_footprint(alone, choice.request, mapping, design.batch, assumptions)
    data = {"weights": held.weights, "experts": held.experts, "cache": held.kept()}
    return _Part(
        fullest=[it.scaled(crowding) for it in operators(spread)],
        mean=sum(operators(spread.balanced()), start=Operator()),
        request=choice.request,
        placement=choice.placement,
        main=crowding * choice.placement.beyond_sram().bytes_of(**data),
        sram=crowding * choice.placement.in_sram().bytes_of(**data),
        held=held.total(),
    )


def _tables(
    placement: Placement, design: Design, model: Model, request: Request, assumptions: Assumptions
) -> _Part:
    """Embedding and head, read from where the weights of a layer lie."""
    mapping, spread = design.mapping, _spread(design, assumptions)
    alone = dataclasses.replace(model, layers=())
    mean = table_operators(model, request, design.batch, spread=spread.balanced())
    held = memory_footprint(alone, request, mapping, design.batch, assumptions).tables
    return _Part(
        fullest=table_operators(model, request, design.batch, spread=spread),
        mean=sum(mean, start=Operator()),
        request=request,
        placement=placement,
        main=table_crowding(model, mapping, assumptions.relaxation) * held,
        sram=0.0,
        held=held,
    )


def loads_prediction(
    total: Load, design: Design, model: Model, request: Request, assumptions: Assumptions
) -> Prediction:
    """The prediction of one instance, given the sum over all layers.

    Args:
        total: The sum.
        design: System, mapping and batch, without levers of software and without a capacity tier;
            its placement is not read.
        model: The model.
        request: Context, and precision of what chips exchange.
        assumptions: Which laws are used; without a calibration.
    """
    design = dataclasses.replace(design, placement=Placement())
    execution = design.system.execution
    # Waits depend on widths and tokens, not on what layers choose.
    waiting = passed(design, model, request, None, assumptions)
    step = Step(
        time=summed_time(
            compute=total.compute,
            memory=total.memory,
            separate=total.separate,
            exposed=waiting.step.exposed,
            relaxation=assumptions.relaxation,
            overlap_between=execution.overlap_between_operators,
        ),
        compute=total.compute,
        memory=total.memory,
        exposed=waiting.step.exposed,
    )
    activity = busy_activity(total.tensor, total.moving, design, step.time, *waiting.communication)
    fill = two_memories_fill(total.main, total.sram / design.mapping.chips(), design)
    accepted = design.accepted(assumptions.relaxation)
    counted = Counted(step, accepted, total.held, fill, total.tensor, activity)
    return predicted(design, model, assumptions, counted)


def _spread(design: Design, assumptions: Assumptions) -> Spread:
    given = (design.mapping, assumptions.collectives, assumptions.relaxation)
    return spread_of(design.batch, *given)


def _load(part: _Part, design: Design, assumptions: Assumptions) -> Load:
    placed = dataclasses.replace(design, placement=part.placement)
    within = design.system.execution.overlap_within_operators
    chip, chips = design.system.chip, design.mapping.stage_chips()
    times = [operator_times(it, placed, part.request, assumptions) for it in part.fullest]
    separate = [
        separate_time(
            compute=it.compute,
            memory=it.memory,
            relaxation=assumptions.relaxation,
            overlap_within=within,
        )
        for it in times
    ]
    return Load(
        compute=sum(it.compute for it in times),
        memory=sum(it.memory for it in times),
        separate=sum(separate),
        tensor=tensor_time(part.mean, chip, part.request, chips),
        moving=moving_energy(part.mean, placed),
        main=part.main,
        sram=part.sram,
        held=part.held,
    )
