"""The predictor: step time, capacity, power and cost of a design.

    T = max(T_compute, T_mem) + T_exposed        UTPS = 1/T        STPS = P B / T

after Davies, Crago, Sankaralingam and Kozyrakis (2025), LIMINAL, arXiv:2507.14397.
"""

import equinox as eqx
import jax.numpy as jnp

from liminal_jax._arrays import Leaf, Scalar, Truth, as_leaf
from liminal_jax._smooth import AbstractRelaxation, Exact
from liminal_jax.calibration.base import AbstractCalibration, Ideal
from liminal_jax.calibration.terms import Terms
from liminal_jax.hardware.chip import Chip
from liminal_jax.hardware.kernels import LIBRARY
from liminal_jax.hardware.power import Activity
from liminal_jax.hardware.system import System
from liminal_jax.laws.cost import YEAR, capital_recovery, cost_rate
from liminal_jax.laws.feedforward import busiest_rank_crowding
from liminal_jax.laws.roofline import compute_time, memory_time
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.division import AbstractDivision, WholeParts
from liminal_jax.mapping.exchange import AbstractExchange, Exchanged, LayerExchange, Tokens
from liminal_jax.mapping.placement import Placement
from liminal_jax.performance.operators import (
    Operator,
    layer_operators,
    mixed_layer_operators,
    mixed_table_operators,
    mixing_operators,
    table_operators,
)
from liminal_jax.performance.overlap import (
    AbstractOverlap,
    AbstractTiers,
    ParallelTiers,
    Times,
    WholeStep,
)
from liminal_jax.performance.prediction import CapitalShares, PowerShares, Prediction
from liminal_jax.performance.residents import (
    Residents,
    imbalance,
    parameters_active,
    parameters_total,
    residents,
    table_crowding,
)
from liminal_jax.workload.chunk import Prompts
from liminal_jax.workload.feedforward.base import AbstractMixture
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request

LEAST_ATTENTION_BITS = 8
"""Attention computes with 8-bit operands at least; narrower caches are widened first."""

ROUNDING = 1e-6
"""Share by which float32 sums may exceed a capacity that they fill exactly."""


class Design(eqx.Module):
    """Everything that an architect chooses.

    Attributes:
        system: The hardware.
        mapping: Degrees of parallelism of one instance.
        placement: What lies in SRAM.
        batch: Users in one micro-batch.
    """

    system: System
    mapping: Mapping
    placement: Placement
    batch: Leaf = eqx.field(converter=as_leaf)


class Assumptions(eqx.Module):
    """Which laws are used where the literature has several.

    Attributes:
        relaxation: How kinks are read.
        overlap: How arithmetic and memory traffic overlap.
        tiers: How SRAM and main memory overlap.
        exchange: Which collectives a layer needs.
        division: How evenly layers and experts divide.
        calibration: What is lost against the ideal bound.
    """

    relaxation: AbstractRelaxation = eqx.field(default_factory=Exact)
    overlap: AbstractOverlap = eqx.field(default_factory=WholeStep)
    tiers: AbstractTiers = eqx.field(default_factory=ParallelTiers)
    exchange: AbstractExchange = eqx.field(default_factory=LayerExchange)
    division: AbstractDivision = eqx.field(default_factory=WholeParts)
    calibration: AbstractCalibration = eqx.field(default_factory=Ideal)


class _Traffic(eqx.Module):
    """Bytes moved in a step, by tier [B]."""

    sram: Leaf = eqx.field(converter=as_leaf)
    main: Leaf = eqx.field(converter=as_leaf)


def _tier_traffic(operator: Operator, placement: Placement) -> _Traffic:
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
    return _Traffic(sram=sram, main=main)


def _attention_bits(request: Request) -> Scalar:
    return jnp.maximum(request.kv_bits, LEAST_ATTENTION_BITS)


def _tensor_time(operator: Operator, chip: Chip, request: Request, chips: Scalar) -> Scalar:
    matrix = compute_time(
        work=operator.matrix, chips=chips, throughput=chip.tensor.at(request.weight_bits)
    )
    core = compute_time(
        work=operator.core, chips=chips, throughput=chip.tensor.at(_attention_bits(request))
    )
    return matrix + core


def _times(operator: Operator, design: Design, request: Request, assumptions: Assumptions) -> Times:
    chip, chips = design.system.chip, design.mapping.stage_chips()
    scalar = compute_time(work=operator.scalar, chips=chips, throughput=chip.vector)
    traffic = _tier_traffic(operator, design.placement)
    memory = assumptions.tiers.memory_time(
        memory_time(traffic=traffic.sram, chips=chips, bandwidth=chip.sram.bandwidth),
        memory_time(traffic=traffic.main, chips=chips, bandwidth=chip.memory.bandwidth),
        assumptions.relaxation,
    )
    return Times(compute=_tensor_time(operator, chip, request, chips) + scalar, memory=memory)


def _exchanged(
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


def _chip_power(
    work: Operator, design: Design, request: Request, step: Scalar, sent: Scalar
) -> Scalar:
    """Power of one chip; in one step each stage works on each micro-batch in flight once."""
    chip, chips = design.system.chip, design.mapping.stage_chips()
    traffic = _tier_traffic(work, design.placement)
    tensor = _tensor_time(work, chip, request, chips)
    return chip.power.power(
        Activity(
            time=step,
            memory_energy=(traffic.sram * chip.sram.energy + traffic.main * chip.memory.energy)
            / chips,
            arithmetic=tensor * chip.tensor.bits_8,
            messages=sent,
        )
    )


class _Fill(eqx.Module):
    """How full the fullest chip is: main memory as a share, SRAM as yes or no."""

    main: Leaf = eqx.field(converter=as_leaf)
    sram_fits: Leaf = eqx.field(converter=as_leaf)


def _fill(held: Residents, design: Design, crowding: Scalar, tables: Scalar) -> _Fill:
    """How full the fullest chip is, given by how much it exceeds the mean in layers and tables."""
    chip, chips, placement = design.system.chip, design.mapping.chips(), design.placement
    sram = crowding * (
        placement.weights * held.weights
        + placement.experts * held.experts
        + placement.cache * held.kept()
    )
    main = tables * held.tables + crowding * (
        (1 - placement.weights) * held.weights
        + (1 - placement.experts) * held.experts
        + (1 - placement.cache) * held.kept()
    )
    return _Fill(
        main=main / chip.memory.capacity / chips,
        sram_fits=jnp.where(sram / chips <= chip.sram.capacity * (1 + ROUNDING), 1.0, 0.0),
    )


def _bottleneck(compute: Scalar, memory: Scalar, exposed: Scalar, fits: Truth) -> Scalar:
    """Index into `BOTTLENECKS` of what a step waits for longest, or of the missing capacity."""
    longest = jnp.argmax(jnp.stack([memory, compute, exposed]))
    return jnp.where(fits, longest, 3).astype(jnp.result_type(float))


def _kept_as_read(
    design: Design,
    model: Model,
    request: Request,
    prompts: Prompts | None,
    assumptions: Assumptions,
) -> Operator:
    """Cache, index and states as the fullest rank reads them, times the ranks."""
    relaxation, exchange = assumptions.relaxation, assumptions.exchange
    read = Operator()
    for mixer, kept in mixing_operators(model, request, design.batch, prompts, relaxation):
        copies = exchange.cache_copies(mixer, design.mapping, relaxation)
        read += Operator(cache=copies * kept.cache, index=copies * kept.index, state=kept.state)
    return read


def _routed(design: Design, model: Model) -> tuple[Scalar, Scalar]:
    """Elements of all routed experts, at the pace of the busiest rank, and the share chosen."""
    mixtures = [
        (layers.count, block)
        for layers in model.layers
        if isinstance(block := layers.feedforward, AbstractMixture)
    ]
    if not mixtures:
        return 0.0, 0.0
    held = [count * block.expert_weights(model.hidden) for count, block in mixtures]
    used = [count * block.expert_weights_used(model.hidden) for count, block in mixtures]
    paced = [
        each
        * busiest_rank_crowding(
            experts=block.experts,
            top_k=block.top_k,
            tokens=design.batch,
            ranks=design.mapping.ep,
        )
        for each, (_, block) in zip(held, mixtures, strict=True)
    ]
    return sum(paced[1:], start=paced[0]), sum(used[1:], start=used[0]) / sum(
        held[1:], start=held[0]
    )


def step_terms(
    design: Design, model: Model, request: Request, assumptions: Assumptions | None = None
) -> Terms:
    """What a step is made of, as a calibration stretches it."""
    assumptions = Assumptions() if assumptions is None else assumptions
    layers = layer_operators(model, request, design.batch, assumptions.relaxation)
    tables = table_operators(model, request, design.batch)
    return _terms(layers, tables, design, None, model, request, assumptions)


def _terms(
    layers: list[Operator],
    tables: list[Operator],
    design: Design,
    prompts: Prompts | None,
    model: Model,
    request: Request,
    assumptions: Assumptions,
) -> Terms:
    """What a step is made of that decodes, and passes chunks of prompts if any."""
    relaxation, mapping, exchange = assumptions.relaxation, design.mapping, assumptions.exchange
    pace = imbalance(model, mapping, assumptions.division, relaxation)
    work = sum(tables, start=sum(layers[1:], start=layers[0]).scaled(pace))
    tokens = design.batch if prompts is None else design.batch + prompts.tokens()
    together = eqx.tree_at(lambda it: it.batch, design, tokens)
    routed, chosen = _routed(together, model)
    kept = _kept_as_read(design, model, request, prompts, assumptions)

    def times(part: Operator) -> Times:
        return _times(part, design, request, assumptions)

    network = design.system.network.driven(LIBRARY)
    driven = eqx.tree_at(lambda it: it.system.network, together, network)
    collectives, pipeline = _exchanged(driven, model, request, assumptions)
    mixtures = (it.count for it in model.layers if isinstance(it.feedforward, AbstractMixture))
    return Terms(
        weights=times(Operator(weights=exchange.weight_copies(mapping) * work.weights)).memory,
        experts=times(Operator(experts=request.weight_bytes(pace * routed))).memory,
        chosen=chosen,
        cache=times(kept.scaled(pace)).memory,
        matrix=times(Operator(matrix=work.matrix)).compute,
        core=times(Operator(core=work.core, scalar=work.scalar)).compute,
        exchanged=pace * collectives.time + pipeline.time,
        layers=pace * model.layer_count(),
        mixtures=pace * sum(mixtures, start=0.0),
        batch=tokens,
        users=exchange.served(design.batch, mapping),
        weight_bits=request.weight_bits,
    )


def predict(
    design: Design,
    model: Model,
    request: Request,
    assumptions: Assumptions | None = None,
) -> Prediction:
    """What a design does with a model and a request.

    A pure function: `jax.grad`, `jax.vmap` and `jax.jit` apply to it directly. Numbers that the
    hardware lacks (NaN) make the outputs that need them NaN.

    Args:
        design: System, mapping, placement and batch; degrees may be real numbers.
        model: What is computed.
        request: For which context and precision.
        assumptions: Which laws are used; the exact ideal ones by default.

    Returns:
        Times, capacity, power and cost of one instance, in SI units and USD.
    """
    assumptions = Assumptions() if assumptions is None else assumptions
    relaxation, mapping, chip = assumptions.relaxation, design.mapping, design.system.chip
    pace = imbalance(model, mapping, assumptions.division, relaxation)
    tables = table_operators(model, request, design.batch)
    operators = layer_operators(model, request, design.batch, relaxation)
    paced = [operator.scaled(pace) for operator in operators] + tables
    times = [_times(operator, design, request, assumptions) for operator in paced]
    collectives, pipeline = _exchanged(design, model, request, assumptions)

    compute = sum(each.compute for each in times)
    memory = sum(each.memory for each in times)
    exposed = pace * collectives.time + pipeline.time
    step = assumptions.calibration.step_time(
        assumptions.overlap.busy_time(times, relaxation) + exposed,
        lambda: step_terms(design, model, request, assumptions),
    )
    users = mapping.pp * design.batch
    stps = users / step

    held = residents(model, request, mapping, design.batch, assumptions.division, relaxation)
    fill = _fill(held, design, pace, table_crowding(model, mapping, relaxation))
    fits = (fill.main <= 1 + ROUNDING) & (fill.sram_fits > 0)

    work = sum(operators[1:] + tables, start=operators[0])
    tensor = _tensor_time(work, chip, request, mapping.stage_chips())
    chip_power = _chip_power(work, design, request, step, collectives.sent + pipeline.sent)
    power = _power_shares(design, chip_power)
    capital = _capital_shares(design)
    facility = design.system.facility
    wall = power.total() * facility.pue
    spending = cost_rate(
        capital=capital.total(),
        yearly_share=capital_recovery(
            discount_rate=facility.discount_rate, lifetime=facility.lifetime
        ),
        year=YEAR,
        power=wall,
        energy_price=facility.energy_price,
    )
    return Prediction(
        utps=1 / step,
        stps=stps,
        step_time=step,
        compute_time=compute,
        memory_time=memory,
        exposed_time=exposed,
        memory_required=held.total(),
        memory_capacity=mapping.chips() * (chip.memory.capacity + chip.sram.capacity),
        memory_fill=fill.main,
        fits=fits,
        bottleneck=_bottleneck(compute, memory, exposed, fits),
        parameters_total=parameters_total(model),
        parameters_active=parameters_active(model),
        tensor_utilisation=tensor / step,
        chips=mapping.chips(),
        users=users,
        chip_power=chip_power,
        power_density=chip_power / chip.die_area,
        power=power,
        energy_per_token=wall / stps,
        capital=capital,
        usd_per_million_tokens=spending / stps * 1e6,
    )


def _power_shares(design: Design, chip_power: Scalar) -> PowerShares:
    facility, chips = design.system.facility, design.mapping.chips()
    bandwidth = design.system.network.switched_bandwidth()
    return PowerShares(
        chips=chips * chip_power,
        host=chips * facility.host_power,
        network=chips * facility.switch_power * bandwidth,
    )


def _capital_shares(design: Design) -> CapitalShares:
    facility, chips = design.system.facility, design.mapping.chips()
    bandwidth = design.system.network.provisioned_bandwidth()
    return CapitalShares(
        chips=chips * design.system.chip.cost * facility.selling_multiple,
        host=chips * facility.host_price,
        board=chips * facility.board_price,
        network=chips * facility.network_price * bandwidth,
        rack=chips * facility.rack_price,
    )


class Step(eqx.Module):
    """Time of a step that passes chunks of prompts, through all stages.

    Attributes:
        time: All of it, with what the calibration adds [s].
        compute: Time that the arithmetic is busy in it, ideally [s].
        memory: Time that the memory is busy in it, ideally [s].
        exposed: Time spent waiting for collectives, ideally [s].
    """

    time: Leaf = eqx.field(converter=as_leaf)
    compute: Leaf = eqx.field(converter=as_leaf)
    memory: Leaf = eqx.field(converter=as_leaf)
    exposed: Leaf = eqx.field(converter=as_leaf)


def mixed_step(
    design: Design,
    model: Model,
    request: Request,
    prompts: Prompts,
    assumptions: Assumptions | None = None,
) -> Step:
    """Time of a step that decodes for the design's batch and passes chunks of prompts.

    Prefill alone is a step with a batch of 0, decode alone one without prompts. Messages of
    collectives hold all tokens; the weights are read once. A calibration that was fitted to decode
    is taken beyond its measurements where prompts pass.

    Args:
        design: System, mapping, placement, and the users that decode in one micro-batch.
        model: What is computed.
        request: Context of those users, and precision.
        prompts: Prompts in one micro-batch, and what passes of each.
        assumptions: Which laws are used; the exact ideal ones by default.

    Returns:
        Times through all stages [s].
    """
    assumptions = Assumptions() if assumptions is None else assumptions
    relaxation, batch = assumptions.relaxation, design.batch
    pace = imbalance(model, design.mapping, assumptions.division, relaxation)
    layers = mixed_layer_operators(model, request, batch, prompts, relaxation)
    tables = mixed_table_operators(model, request, batch, prompts)
    paced = [operator.scaled(pace) for operator in layers] + tables
    times = [_times(operator, design, request, assumptions) for operator in paced]
    tokens = batch + prompts.tokens()
    together = eqx.tree_at(lambda it: it.batch, design, tokens)
    collectives, pipeline = _exchanged(together, model, request, assumptions)
    exposed = pace * collectives.time + pipeline.time
    return Step(
        time=assumptions.calibration.step_time(
            assumptions.overlap.busy_time(times, relaxation) + exposed,
            lambda: _terms(layers, tables, design, prompts, model, request, assumptions),
        ),
        compute=sum(each.compute for each in times),
        memory=sum(each.memory for each in times),
        exposed=exposed,
    )
