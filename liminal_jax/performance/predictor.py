"""The predictor: step time, capacity, power and cost of a design.

    T = max(T_compute, T_mem) + T_exposed        UTPS = A/T        STPS = users A/T

with A tokens of each user by a step, one without speculation, and the users of all micro-batches in
flight, after Davies, Crago, Sankaralingam and Kozyrakis (2025), LIMINAL, arXiv:2507.14397.
"""

from liminal_jax.performance.capacity import memory_fill
from liminal_jax.performance.counted import Counted, predicted
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.inputs import with_defaults
from liminal_jax.performance.memory_footprint import (
    imbalance,
    memory_footprint,
    table_crowding,
)
from liminal_jax.performance.passed import Step, passed
from liminal_jax.performance.power import chip_activity
from liminal_jax.performance.prediction import Prediction
from liminal_jax.performance.reading import as_read
from liminal_jax.performance.timing import tensor_time
from liminal_jax.workload.chunk import Prompts
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request


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
    stage_imbalance = imbalance(model, mapping, assumptions.division, relaxation)
    footprint = memory_footprint(
        model, request, mapping, design.batch, assumptions, design.algorithm
    )
    fill = memory_fill(
        footprint, design, stage_imbalance, table_crowding(model, mapping, relaxation)
    )
    tensor = tensor_time(work, chip, request, mapping.stage_chips())
    activity = chip_activity(work, reading, request, step.time, *communicated)
    counted = Counted(step, footprint.total(), fill, tensor, activity)
    return predicted(design, model, assumptions, counted)


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
