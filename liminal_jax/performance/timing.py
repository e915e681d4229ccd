"""How long operators keep the arithmetic and the memory busy, and how long collectives take."""

import equinox as eqx
import jax.numpy as jnp

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax.hardware.chip import Chip
from liminal_jax.laws.roofline import compute_time, memory_time
from liminal_jax.mapping.exchange import Exchanged, Tokens
from liminal_jax.mapping.placement import Placement
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.operators import Operator
from liminal_jax.performance.overlap import Times
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request

LEAST_ATTENTION_BITS = 8
"""Attention computes with 8-bit operands at least; narrower caches are widened first."""


class Traffic(eqx.Module):
    """Bytes moved in a step, by tier [B]."""

    sram: Leaf = eqx.field(converter=as_leaf)
    main: Leaf = eqx.field(converter=as_leaf)


def tier_traffic(operator: Operator, placement: Placement) -> Traffic:
    """Bytes that an operator moves, by the tier that holds them."""
    sram = (
        placement.weights * operator.weights
        + placement.experts * operator.experts
        + placement.cache * operator.kept()
    )
    main = (
        (1 - placement.weights) * operator.weights
        + (1 - placement.experts) * operator.experts
        + (1 - placement.cache) * operator.kept()
    )
    return Traffic(sram=sram, main=main)


def _attention_bits(request: Request) -> Scalar:
    return jnp.maximum(request.kv_bits, LEAST_ATTENTION_BITS)


def tensor_time(operator: Operator, chip: Chip, request: Request, chips: Scalar) -> Scalar:
    """Time of an operator on the tensor units of some chips [s]."""
    matrix = compute_time(
        work=operator.matrix, chips=chips, throughput=chip.tensor.at(request.weight_bits)
    )
    core = compute_time(
        work=operator.core, chips=chips, throughput=chip.tensor.at(_attention_bits(request))
    )
    return matrix + core


def operator_times(
    operator: Operator, design: Design, request: Request, assumptions: Assumptions
) -> Times:
    """Time that an operator keeps the arithmetic and the memory of a stage busy."""
    chip, chips = design.system.chip, design.mapping.stage_chips()
    execution = design.system.execution
    scalar = compute_time(work=operator.scalar, chips=chips, throughput=chip.vector)
    traffic = tier_traffic(operator, design.placement)
    memory = assumptions.tiers.memory_time(
        memory_time(traffic=traffic.sram, chips=chips, bandwidth=chip.sram.bandwidth),
        memory_time(traffic=traffic.main, chips=chips, bandwidth=chip.memory.bandwidth),
        assumptions.relaxation,
    )
    arithmetic = tensor_time(operator, chip, request, chips) + scalar
    return Times(
        compute=arithmetic / execution.compute_share, memory=memory / execution.bandwidth_share
    )


def communication(
    design: Design, model: Model, request: Request, assumptions: Assumptions
) -> tuple[Exchanged, Exchanged]:
    """Collectives of all layers, and of passing through the stages."""
    tokens = Tokens(
        batch=design.batch, hidden=model.hidden, request=request, streams=model.streams()
    )
    place = (design.mapping, design.system.network, assumptions.relaxation)
    layers = Exchanged(time=0.0, sent=0.0)
    for group in model.layers:
        layers = layers + assumptions.exchange.layer(group, tokens, *place).scaled(group.count)
    return layers, assumptions.exchange.pipeline(tokens, *place)
