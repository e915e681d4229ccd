"""How long operators keep the arithmetic and the memory busy, and how long collectives take."""

import equinox as eqx

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax.hardware.chip import Chip
from liminal_jax.hardware.execution import Execution
from liminal_jax.laws.package import dependent_time
from liminal_jax.laws.roofline import compute_time, memory_time
from liminal_jax.laws.scalar import exponential_time
from liminal_jax.mapping.exchange import Exchanged, Tokens
from liminal_jax.mapping.placement import Placement
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.operators import Operator, Passing
from liminal_jax.performance.overlap import Times
from liminal_jax.workload.chunk import Prompts
from liminal_jax.workload.feedforward.base import AbstractMixture
from liminal_jax.workload.model import Layers, Model
from liminal_jax.workload.request import Request


def tier_traffic(operator: Operator, placement: Placement) -> tuple[Scalar, ...]:
    """Bytes that an operator moves, by the tier that holds them, in the order of the design's."""
    return tuple(
        shares.bytes_of(weights=operator.weights, experts=operator.experts, cache=operator.kept())
        for shares in placement.by_tier()
    )


def tensor_time(operator: Operator, chip: Chip, request: Request, chips: Scalar) -> Scalar:
    """Time of an operator on the tensor units of some chips [s]."""
    matrix = compute_time(
        work=operator.matrix, chips=chips, throughput=chip.tensor.at(request.weight_bits)
    )
    core = compute_time(
        work=operator.core, chips=chips, throughput=chip.tensor.known_at(request.attention_bits)
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
    tiers = [
        memory_time(traffic=moved, chips=chips, bandwidth=tier.bandwidth)
        for moved, (tier, _) in zip(traffic, design.tiers(), strict=True)
    ]
    memory = assumptions.tiers.memory_time(tiers, assumptions.relaxation)
    exponentials = exponential_time(
        exponentials=operator.exponentials, chips=chips, rate=chip.exponential
    )
    arithmetic = assumptions.relaxation.maximum(
        tensor_time(operator, chip, request, chips) + scalar, exponentials
    )
    return Times(
        compute=arithmetic / execution.compute_share, memory=memory / execution.bandwidth_share
    )


def communication(
    design: Design,
    model: Model,
    request: Request,
    prompts: Prompts | None,
    assumptions: Assumptions,
) -> tuple[Exchanged, Exchanged]:
    """Collectives of all layers, and of passing through the stages."""
    exchange, relaxation = assumptions.exchange, assumptions.relaxation
    tokens = Tokens(
        batch=design.batch,
        hidden=model.hidden,
        request=request,
        streams=model.streams(),
        prompts=prompts,
    )
    place = (design.mapping, design.system.network, relaxation)
    layers = Exchanged(time=0.0, sent=0.0)
    for group in model.layers:
        layers = layers + exchange.layer(group, tokens, *place).scaled(group.count)
    return layers, exchange.pipeline(tokens, *place)


class WithinChip(eqx.Module):
    """What a step waits for inside each chip.

    Attributes:
        layers: Time exposed in all layers, of the fullest ranks [s].
        head: Time exposed in embedding and head [s].
        energy: Energy of what the dies of one chip send each other, of the mean rank [J].
    """

    layers: Leaf = eqx.field(converter=as_leaf)
    head: Leaf = eqx.field(converter=as_leaf)
    energy: Leaf = eqx.field(converter=as_leaf)


def _dependent_operations(layers: Layers, execution: Execution) -> Scalar:
    """Operators of one layer that each depend on the one before."""
    operations = 0.0 if layers.attention is None else execution.mixer_operations
    if isinstance(layers.feedforward, AbstractMixture):
        return operations + execution.mixture_operations
    return operations if layers.feedforward is None else operations + execution.dense_operations


def within_chip(
    design: Design,
    model: Model,
    request: Request,
    prompts: Prompts | None,
    assumptions: Assumptions,
) -> WithinChip:
    """Starts of operators, and sums of the residual stream over dies after each part of a layer.

    The dies of a package share every layer as tensor-parallel ranks do, whatever the chips share.
    """
    system, execution = design.system, design.system.execution
    links, dies = system.die_links, system.chip.dies
    operations = sum(
        group.count * _dependent_operations(group, execution) for group in model.layers
    )
    layers = dependent_time(operations=operations, time=execution.operation_time)
    outside = 0.0 if model.tables is None else execution.head_operations
    head, energy = dependent_time(operations=outside, time=execution.operation_time), 0.0
    if links is not None:
        relaxation = assumptions.relaxation
        sharing = assumptions.exchange.sharing(design.batch, design.mapping, relaxation)
        tokens = Passing(design.batch, prompts)
        mean = tokens.tokens() / sharing.copies
        fullest = tokens.tokens() * tokens.imbalance(sharing.users) / sharing.copies
        message = request.message_bytes(fullest * model.hidden)
        sums = sum(group.count * group.parts() for group in model.layers)
        layers = layers + sums * links.all_reduce_time(message, dies, assumptions.relaxation)
        energy = sums * links.all_reduce_energy(request.message_bytes(mean * model.hidden), dies)
    return WithinChip(layers=layers, head=head, energy=energy)
