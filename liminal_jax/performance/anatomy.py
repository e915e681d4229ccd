"""What the memories of an instance hold, and what its chips send: to draw a design at work."""

import equinox as eqx
import jax
import jax.numpy as jnp

from liminal_jax._arrays import Leaf, as_leaf
from liminal_jax.algorithm.algorithm import Algorithm
from liminal_jax.hardware.execution import Execution
from liminal_jax.mapping.placement import Shares
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.memory_footprint import (
    MemoryFootprint,
    imbalance,
    memory_footprint,
)
from liminal_jax.performance.operators import Operator, operator_names, spread_of
from liminal_jax.performance.passed import passed, step_operators
from liminal_jax.performance.reading import as_read
from liminal_jax.performance.timing import operator_times, tokens_of
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request


class Spent(eqx.Module):
    """What operators of one kind do in a step, of the fullest rank times the ranks of a stage.

    Attributes:
        work: Tensor operations [FLOP].
        traffic: Bytes that they move [B].
        compute: Time that the arithmetic is busy with them [s].
        memory: Time that the memory is busy with them [s].
    """

    work: Leaf = eqx.field(converter=as_leaf)
    traffic: Leaf = eqx.field(converter=as_leaf)
    compute: Leaf = eqx.field(converter=as_leaf)
    memory: Leaf = eqx.field(converter=as_leaf)


class Anatomy(eqx.Module):
    """An instance at work.

    Attributes:
        operators: What each kind of operator does, in the order of `kinds_of`.
        floor: The same of all operators together, had each rank an equal share and were each peak
            reached.
        held: What all its chips hold.
        placed: Shares of it in SRAM, in main memory, and in the capacity tier if there is one.
        sent: Bytes that one chip sends to others in a step [B].
        passed_on: Those of them that go to the next stage [B].
    """

    operators: tuple[Spent, ...]
    floor: Spent
    held: MemoryFootprint
    placed: tuple[Shares, ...]
    sent: Leaf = eqx.field(converter=as_leaf)
    passed_on: Leaf = eqx.field(converter=as_leaf)


def kinds_of(model: Model, algorithm: Algorithm | None) -> list[str]:
    """Kinds of operators of a step, without repetition."""
    seen = model if algorithm is None else algorithm.seen(model)
    return list(dict.fromkeys(operator_names(seen)))


def _spent(
    reading: Design, model: Model, request: Request, assumptions: Assumptions
) -> tuple[tuple[Spent, ...], Spent]:
    """What each kind of operator does, and all of them at best; drafts are no part of it."""
    mapping, relaxation = reading.mapping, assumptions.relaxation
    seen = model if reading.algorithm is None else reading.algorithm.seen(model)
    spread = spread_of(reading.batch, mapping, assumptions.collectives, relaxation)
    crowding = imbalance(seen, mapping, assumptions.division, relaxation)
    layers, tables = step_operators(reading, seen, request, None, assumptions, spread)
    found: dict[str, Spent] = {}
    for name, it in zip(
        operator_names(seen), [*(it.scaled(crowding) for it in layers), *tables], strict=True
    ):
        one = _one(it, reading, request, assumptions)
        found[name] = jax.tree.map(jnp.add, found[name], one) if name in found else one
    ideal = eqx.tree_at(lambda it: it.system.execution, reading, Execution())
    even = step_operators(reading, seen, request, None, assumptions, spread.balanced())
    whole = sum([*even[0], *even[1]], start=Operator())
    return tuple(found.values()), _one(whole, ideal, request, assumptions)


def _one(it: Operator, design: Design, request: Request, assumptions: Assumptions) -> Spent:
    times = operator_times(it, design, request, assumptions)
    return Spent(
        work=it.matrix + it.routed + it.head + it.core,
        traffic=it.weights + it.experts + it.kept(),
        compute=times.compute,
        memory=times.memory,
    )


def anatomy(design: Design, model: Model, request: Request, assumptions: Assumptions) -> Anatomy:
    """What the memories of a design hold, and what its chips send.

    Args:
        design: The design, memories filled.
        model: The model.
        request: For which context and precision.
        assumptions: Which laws are used.
    """
    mapping, relaxation = design.mapping, assumptions.relaxation
    reading = as_read(design, model)
    messages = passed(reading, model, request, None, assumptions).communication.messages
    tokens = tokens_of(reading, model, request, None)
    pipeline = assumptions.collectives.pipeline(tokens, mapping, design.system.network, relaxation)
    held = memory_footprint(model, request, mapping, design.batch, assumptions, design.algorithm)
    operators, floor = _spent(reading, model, request, assumptions)
    return Anatomy(
        operators=operators,
        floor=floor,
        held=held,
        placed=design.placed().by_tier(),
        sent=messages,
        passed_on=pipeline.sent,
    )
