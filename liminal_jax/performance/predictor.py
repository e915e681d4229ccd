"""The predictor: step time, capacity, power and cost of a design.

    T = max(T_compute, T_mem) + T_exposed        UTPS = A/T        STPS = users A/T

with A tokens of each user by a step, one without speculation, and the users of all micro-batches in
flight, after Davies, Crago, Sankaralingam and Kozyrakis (2025), LIMINAL, arXiv:2507.14397.
"""

import jax.numpy as jnp

from liminal_jax._arrays import Scalar, Truth
from liminal_jax.laws.cost import YEAR, capital_recovery, cost_rate
from liminal_jax.performance.capacity import ROUNDING, memory_fill
from liminal_jax.performance.capital import capital_shares
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.inputs import with_defaults
from liminal_jax.performance.memory_footprint import (
    imbalance,
    memory_footprint,
    parameters_active,
    parameters_total,
    table_crowding,
)
from liminal_jax.performance.passed import Step, passed
from liminal_jax.performance.power import chip_activity, power_shares, provisioned_power
from liminal_jax.performance.prediction import Prediction
from liminal_jax.performance.reading import as_read
from liminal_jax.performance.timing import tensor_time
from liminal_jax.workload.chunk import Prompts
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request


def _bottleneck(step: Step, fits: Truth) -> Scalar:
    """Index into `BOTTLENECKS` of the longest part of a step, or of the missing capacity."""
    longest = jnp.argmax(jnp.stack([step.memory, step.compute, step.exposed]))
    return jnp.where(fits, longest, 3).astype(jnp.result_type(float))


def predict(
    design: Design,
    model: Model,
    request: Request,
    assumptions: Assumptions | None = None,
) -> Prediction:
    """Speed, capacity, power and cost of a design that decodes a model's tokens.

    A pure function: `jax.grad`, `jax.vmap` and `jax.jit` apply to it directly. Numbers that the
    hardware data lacks are NaN, and so are the outputs that depend on them.

    Args:
        design: System, mapping, placement and batch; degrees may be real numbers. Where the
            placement is left out, the SRAM is filled.
        model: The model.
        request: For which context and precision.
        assumptions: Which laws are used; the exact ideal ones by default.

    Returns:
        Times, capacity, power and cost of one instance, in SI units and USD.

    Raises:
        ValueError: a number has several values, which `jax.vmap` is for.
    """
    design, assumptions = with_defaults(design, model, request, assumptions)
    relaxation, mapping, chip = assumptions.relaxation, design.mapping, design.system.chip
    reading = as_read(design, model)
    step, work, communicated = passed(reading, model, request, None, assumptions)
    users = mapping.pp * design.batch
    accepted = design.accepted(relaxation)
    stps = users * accepted / step.time

    stage_imbalance = imbalance(model, mapping, assumptions.division, relaxation)
    footprint = memory_footprint(
        model, request, mapping, design.batch, assumptions, design.algorithm
    )
    fill = memory_fill(
        footprint, design, stage_imbalance, table_crowding(model, mapping, relaxation)
    )
    fits = (fill.memory <= 1 + ROUNDING) & (fill.placement_fits > 0)

    tensor = tensor_time(work, chip, request, mapping.stage_chips())
    activity = chip_activity(work, reading, request, step.time, *communicated)
    each, power = chip.power.power(activity), power_shares(design, activity, assumptions)
    capital = capital_shares(design, power.total(), relaxation)
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
        utps=accepted / step.time,
        stps=stps,
        step_time=step.time,
        tokens_per_step=accepted,
        compute_time=step.compute,
        memory_time=step.memory,
        exposed_time=step.exposed,
        memory_required=footprint.total(),
        memory_capacity=mapping.chips() * chip.capacity(),
        memory_fill=fill.memory,
        capacity_tier_fill=fill.capacity_tier,
        fits=fits,
        bottleneck=_bottleneck(step, fits),
        parameters_total=parameters_total(model),
        parameters_active=parameters_active(model),
        tensor_utilisation=tensor / step.time,
        chips=mapping.chips(),
        users=users,
        chip_power=each,
        chip_tdp=chip.full_power(),
        power_density=each / chip.die_area,
        power=power,
        power_provisioned=provisioned_power(design, relaxation),
        energy_per_token=wall / stps,
        capital=capital,
        usd_per_million_tokens=spending / stps * 1e6,
    )


def mixed_step(
    design: Design,
    model: Model,
    request: Request,
    prompts: Prompts | None = None,
    assumptions: Assumptions | None = None,
) -> Step:
    """Time of a step that decodes for the design's batch and passes chunks of prompts.

    Prefill alone is a step with a batch of 0, decode alone one without prompts. Messages of
    collectives hold all tokens; the weights are read once. A calibration that was fitted to decode
    is extrapolated where prompts pass.

    Args:
        design: System, mapping, placement, and the users that decode in one micro-batch. Where the
            placement is left out, the SRAM is filled for them.
        model: The model.
        request: Context of those users, and precision.
        prompts: Prompts in one micro-batch, and what passes of each; none by default, as in decode.
        assumptions: Which laws are used; the exact ideal ones by default.

    Returns:
        Times through all stages [s].

    Raises:
        ValueError: a number has several values, which `jax.vmap` is for.
    """
    design, assumptions = with_defaults(design, model, request, assumptions)
    reading = as_read(design, model, prompts)
    return passed(reading, model, request, prompts, assumptions).step
