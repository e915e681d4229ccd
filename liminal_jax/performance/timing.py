"""How long operators keep the arithmetic and the memory busy, and how long collectives take."""

from liminal_jax._arrays import Scalar
from liminal_jax._once import once
from liminal_jax.hardware.chip import Chip
from liminal_jax.laws.roofline import compute_time, memory_time
from liminal_jax.laws.scalar import exponential_time
from liminal_jax.mapping.collectives import Communication, Tokens
from liminal_jax.mapping.placement import Placement
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.operators import Operator
from liminal_jax.performance.overlap import Times
from liminal_jax.workload.chunk import Prompts
from liminal_jax.workload.model import Model
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
    for work, bits in (
        (operator.routed, request.expert_bits),
        (operator.head, request.table_bits),
    ):
        if bits is not None:
            matrix += compute_time(work=work, chips=chips, throughput=chip.tensor.at(bits))
    core = compute_time(
        work=operator.core, chips=chips, throughput=chip.tensor.known_at(request.attention_bits)
    )
    return matrix + core


@once
def operator_times(
    operator: Operator, design: Design, request: Request, assumptions: Assumptions
) -> Times:
    """Time that an operator keeps the arithmetic and the memory of a stage busy."""
    chip, chips = design.system.chip, design.mapping.stage_chips()
    execution = design.system.execution
    scalar = compute_time(work=operator.scalar, chips=chips, throughput=chip.vector)
    traffic = tier_traffic(operator, design.placed())
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


def tokens_of(design: Design, model: Model, request: Request, prompts: Prompts | None) -> Tokens:
    """The tokens of a step, as they travel between chips."""
    return Tokens(
        batch=design.batch,
        hidden=model.hidden,
        request=request,
        streams=model.streams(),
        prompts=prompts,
        block=design.block(),
    )


@once
def communication(
    design: Design,
    model: Model,
    request: Request,
    prompts: Prompts | None,
    assumptions: Assumptions,
) -> tuple[Communication, Communication]:
    """Collectives of all layers, and of passing through the stages."""
    collectives, relaxation = assumptions.collectives, assumptions.relaxation
    tokens = tokens_of(design, model, request, prompts)
    place = (design.mapping, design.system.network, relaxation)
    layers = Communication(time=0.0, sent=0.0)
    for group in model.layers:
        layers = layers + collectives.layer(group, tokens, *place).scaled(group.count)
    return layers, collectives.pipeline(tokens, *place)
