"""What the memories of an instance hold, and what its chips send: to draw a design at work."""

import equinox as eqx

from liminal_jax._arrays import Leaf, as_leaf
from liminal_jax.mapping.placement import Shares
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.memory_footprint import MemoryFootprint, memory_footprint
from liminal_jax.performance.passed import passed
from liminal_jax.performance.reading import as_read
from liminal_jax.performance.timing import tokens_of
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request


class Anatomy(eqx.Module):
    """An instance at work.

    Attributes:
        held: What all its chips hold.
        placed: Shares of it in SRAM, in main memory, and in the capacity tier if there is one.
        sent: Bytes that one chip sends to others in a step [B].
        passed_on: Those of them that go to the next stage [B].
    """

    held: MemoryFootprint
    placed: tuple[Shares, ...]
    sent: Leaf = eqx.field(converter=as_leaf)
    passed_on: Leaf = eqx.field(converter=as_leaf)


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
    return Anatomy(
        held=held,
        placed=design.placed().by_tier(),
        sent=messages,
        passed_on=pipeline.sent,
    )
