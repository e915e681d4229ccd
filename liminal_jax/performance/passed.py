"""A step of a design: what passes through all stages, and what that keeps busy."""

import dataclasses
from typing import NamedTuple

import equinox as eqx
import jax

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._once import once
from liminal_jax._show import Shown
from liminal_jax.laws.exposed_collectives import two_batches_time
from liminal_jax.laws.shape import layers_run
from liminal_jax.laws.step_time import step_time
from liminal_jax.mapping.collectives import Communication as Collectives
from liminal_jax.mapping.division import EvenParts
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.memory_footprint import imbalance
from liminal_jax.performance.operators import (
    Operator,
    Spread,
    layer_operators,
    spread_of,
    table_operators,
)
from liminal_jax.performance.overlap import Times
from liminal_jax.performance.step_terms import step_terms
from liminal_jax.performance.timing import communication, operator_times
from liminal_jax.performance.waits import prefetched, waits
from liminal_jax.performance.within_chip import WithinChip, within_chip
from liminal_jax.workload.chunk import Prompts
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request


class Step(Shown):
    """Time of a step through all stages: of decode, of chunks of prompts, or of both.

    Attributes:
        time: Time of the step, with what the calibration adds [s].
        compute: Time T_compute that the arithmetic is busy, before a calibration [s].
        memory: Time T_mem that the memory is busy, before a calibration [s].
        exposed: Time T_exposed of communication and of starts of operators in which neither is
            busy, before a calibration [s].
    """

    time: Leaf = eqx.field(converter=as_leaf)
    compute: Leaf = eqx.field(converter=as_leaf)
    memory: Leaf = eqx.field(converter=as_leaf)
    exposed: Leaf = eqx.field(converter=as_leaf)


class Communication(NamedTuple):
    """Communication of one chip in a step.

    Attributes:
        messages: Bytes that it sends to other chips [B].
        die_energy: Energy of communication between its dies [J].
    """

    messages: Scalar
    die_energy: Scalar


class Passed(NamedTuple):
    """A step, its work (that of the mean rank, times the ranks), and communication of a chip."""

    step: Step
    work: Operator
    communication: Communication


class _Parts(NamedTuple):
    """What a step is made of, before its parts overlap.

    Attributes:
        times: Of each operator.
        collectives: Time of collectives in all layers [s].
        pipeline: Time of passing through the stages [s].
        inside: Waits inside chips.
        hidden: Waits during which the memory reads ahead [s].
        imbalance: Layers of the largest stage over those of the mean stage.
        sent: Bytes that a chip sends [B].
        spread: How the work is spread.
    """

    times: list[Times]
    collectives: Scalar
    pipeline: Scalar
    inside: WithinChip
    hidden: Scalar | None
    imbalance: Scalar
    sent: Scalar
    spread: Spread

    def exposed(self) -> Scalar:
        """All waits [s]."""
        return (
            self.imbalance * self.collectives
            + self.pipeline
            + (self.imbalance * self.inside.layers + self.inside.head)
        )


@once
def passed(
    design: Design,
    model: Model,
    request: Request,
    prompts: Prompts | None,
    assumptions: Assumptions,
) -> Passed:
    """A step, with the drafts that it verifies.

    Args:
        design: The design, memories filled.
        model: The model's own.
        request: Context and precision.
        prompts: Chunks of prompts that pass too, if any.
        assumptions: Which laws are used.
    """
    one = _passed(design, model, request, prompts, assumptions)
    speculation = None if design.algorithm is None else design.algorithm.speculation
    if speculation is None:
        return one
    drafter, relaxation = speculation.drafter, assumptions.relaxation
    # A drafter runs on the chips of one stage, all of which have its weights.
    mapping = eqx.tree_at(lambda it: it.pp, design.mapping, as_leaf(1.0))
    alone = eqx.tree_at(lambda it: it.mapping, design, mapping)
    alone = alone.proposing(drafter.block(speculation.drafts, relaxation))
    proposing = drafter.proposing(model)
    # Its layers lie on one stage, so that none has more of them than another.
    evenly = dataclasses.replace(assumptions, division=EvenParts())
    each = _passed(alone, proposing, request, None, evenly)
    passes = drafter.passes(speculation.drafts, relaxation)
    return jax.tree.map(lambda own, its: own + passes * its, one, each)


def _passed(
    design: Design,
    model: Model,
    request: Request,
    prompts: Prompts | None,
    assumptions: Assumptions,
) -> Passed:
    """A step without drafting."""
    own = model
    if design.algorithm is not None:
        model = design.algorithm.seen(model)
    parts = _parts(design, model, request, prompts, assumptions)
    time = _time(parts, design, assumptions)
    overlap = None if design.algorithm is None else design.algorithm.overlap
    if overlap is not None:
        half = eqx.tree_at(lambda it: it.batch, design, design.batch / 2)
        halves = _time_of_two(_parts(half, model, request, prompts, assumptions), half, assumptions)
        # One user cannot be halved.
        taken = (overlap.micro_batches - 1) * assumptions.relaxation.exceeds(design.batch, 1.0)
        time = time + taken * (halves - time)
    step = Step(
        time=assumptions.calibration.step_time(
            time, lambda: step_terms(design, own, request, assumptions, prompts)
        ),
        compute=sum(it.compute for it in parts.times),
        memory=sum(it.memory for it in parts.times),
        exposed=parts.exposed(),
    )
    layers, tables = step_operators(
        design, model, request, prompts, assumptions, parts.spread.balanced()
    )
    work = sum([*layers, *tables], start=Operator())
    return Passed(step, work, Communication(parts.sent, parts.inside.energy))


@once
def step_operators(
    design: Design,
    model: Model,
    request: Request,
    prompts: Prompts | None,
    assumptions: Assumptions,
    spread: Spread,
) -> tuple[list[Operator], list[Operator]]:
    """Operators of layers that are not skipped, and of embedding and head."""
    given = (prompts, spread, design.block())
    layers = layer_operators(model, request, design.batch, assumptions.relaxation, *given)
    tables = table_operators(model, request, design.batch, *given)
    shape = None if design.algorithm is None else design.algorithm.shape
    if shape is not None:
        layers = [it.scaled(layers_run(layers=1.0, skipped=shape.skipped)) for it in layers]
    return layers, tables


def _parts(
    design: Design,
    model: Model,
    request: Request,
    prompts: Prompts | None,
    assumptions: Assumptions,
) -> _Parts:
    relaxation, algorithm = assumptions.relaxation, design.algorithm
    crowding = imbalance(model, design.mapping, assumptions.division, relaxation)
    spread = spread_of(design.batch, design.mapping, assumptions.collectives, relaxation)
    layers, tables = step_operators(design, model, request, prompts, assumptions, spread)
    operators = [operator.scaled(crowding) for operator in layers] + tables
    times = [operator_times(operator, design, request, assumptions) for operator in operators]
    inside = within_chip(design, model, request, prompts, assumptions)
    if algorithm is None:
        within, pipeline = communication(design, model, request, prompts, assumptions)
        sent = within.sent + pipeline.sent
        return _Parts(times, within.time, pipeline.time, inside, None, crowding, sent, spread)
    busy = relaxation.maximum(sum(it.compute for it in times), sum(it.memory for it in times))
    found, pipeline = waits(design, model, request, prompts, assumptions, algorithm, busy)
    collectives = Collectives(time=0.0, sent=0.0)
    for it in found:
        collectives = collectives + it.collectives.scaled(it.layers.count)
    hidden = None
    if algorithm.prefetch is not None:
        hidden = crowding * prefetched(
            design, model, request, assumptions, algorithm.prefetch, found, inside.layers, spread
        )
    if algorithm.shape is not None:
        passing = algorithm.shape.depth * (1 - algorithm.shape.skipped)
        collectives = collectives.scaled(passing)
        inside = eqx.tree_at(
            lambda it: (it.layers, it.energy),
            inside,
            (inside.layers * passing, inside.energy * (1 - algorithm.shape.skipped)),
        )
        hidden = None if hidden is None else hidden * (1 - algorithm.shape.skipped)
    sent = collectives.sent + pipeline.sent
    return _Parts(times, collectives.time, pipeline.time, inside, hidden, crowding, sent, spread)


def _time(parts: _Parts, design: Design, assumptions: Assumptions) -> Scalar:
    """Time of a step of one batch [s]."""
    execution, exposed = design.system.execution, parts.exposed()
    memory = [each.memory for each in parts.times]
    if parts.hidden is not None:
        whole = sum(memory)
        # What is read ahead takes no more than all waits, nor more than there is to read.
        early = assumptions.relaxation.minimum(parts.hidden, exposed)
        memory = [it * (1 - assumptions.relaxation.share(early / whole)) for it in memory]
    return step_time(
        compute=[each.compute for each in parts.times],
        memory=memory,
        exposed=exposed,
        relaxation=assumptions.relaxation,
        overlap_between=execution.overlap_between_operators,
        overlap_within=execution.overlap_within_operators,
    )


def _time_of_two(parts: _Parts, half: Design, assumptions: Assumptions) -> Scalar:
    """Time of two halves of a batch that take turns, given the parts of one of them [s]."""
    apart = parts._replace(collectives=0.0, pipeline=0.0, hidden=None)
    own = _time(apart, half, assumptions)
    collectives = parts.imbalance * parts.collectives
    together = two_batches_time(own=own, collectives=collectives, relaxation=assumptions.relaxation)
    return together + parts.pipeline
