"""What a step and its data count, and the prediction that follows."""

from typing import NamedTuple

import jax.numpy as jnp

from liminal_jax._arrays import Scalar, Truth
from liminal_jax.hardware.power import Activity
from liminal_jax.performance.capacity import ROUNDING, Fill
from liminal_jax.performance.capital import capital_shares
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.memory_footprint import parameters_active, parameters_total
from liminal_jax.performance.passed import Step
from liminal_jax.performance.power import power_shares, provisioned_power
from liminal_jax.performance.prediction import Prediction
from liminal_jax.performance.spending import spending_rate
from liminal_jax.workload.model import Model


class Counted(NamedTuple):
    """What a prediction follows from, once all operators of a step and all data are counted.

    Attributes:
        step: Times of the step.
        accepted: Tokens that a user gains by it.
        required: Bytes that the instance holds [B].
        fill: How full the fullest chip is.
        tensor: Time that the tensor units of the mean rank are busy [s].
        activity: Activity of one chip in the step.
    """

    step: Step
    accepted: Scalar
    required: Scalar
    fill: Fill
    tensor: Scalar
    activity: Activity


def _bottleneck(step: Step, fits: Truth) -> Scalar:
    """Index into `BOTTLENECKS` of the longest part of a step, or of the missing capacity."""
    longest = jnp.argmax(jnp.stack([step.memory, step.compute, step.exposed]))
    return jnp.where(fits, longest, 3).astype(jnp.result_type(float))


def predicted(
    design: Design, model: Model, assumptions: Assumptions, counted: Counted
) -> Prediction:
    """The prediction that follows from what a step counts.

    Args:
        design: The design, chips worked out and memories filled.
        model: The model.
        assumptions: Which laws are used.
        counted: What the step counts.
    """
    relaxation, mapping, chip = assumptions.relaxation, design.mapping, design.system.chip
    step, fill, activity = counted.step, counted.fill, counted.activity
    users = mapping.pp * design.batch
    stps = users * counted.accepted / step.time
    fits = (fill.memory <= 1 + ROUNDING) & (fill.placement_fits > 0)
    each, power = chip.power.power(activity), power_shares(design, activity, assumptions)
    capital = capital_shares(design, power.total(), relaxation)
    facility = design.system.facility
    wall = power.total() * facility.pue
    spending = spending_rate(facility, capital.total(), power.total())
    return Prediction(
        utps=counted.accepted / step.time,
        stps=stps,
        step_time=step.time,
        tokens_per_step=counted.accepted,
        compute_time=step.compute,
        memory_time=step.memory,
        exposed_time=step.exposed,
        memory_required=counted.required,
        memory_capacity=mapping.chips() * chip.capacity(),
        memory_fill=fill.memory,
        capacity_tier_fill=fill.capacity_tier,
        fits=fits,
        bottleneck=_bottleneck(step, fits),
        parameters_total=parameters_total(model),
        parameters_active=parameters_active(model),
        tensor_utilisation=counted.tensor / step.time,
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
