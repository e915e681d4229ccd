"""The predictor: step time, capacity, power and cost of a design.

    T = max(T_compute, T_mem) + T_exposed        UTPS = A/T        STPS = users A/T

with A tokens of each user by a step, one without speculation, and the users of all micro-batches in
flight, after Davies, Crago, Sankaralingam and Kozyrakis (2025), LIMINAL, arXiv:2507.14397.
"""

from typing import NamedTuple

import equinox as eqx

from liminal_jax._arrays import Scalar, as_leaf
from liminal_jax._once import evaluation
from liminal_jax._traced import listed
from liminal_jax.performance.capacity import memory_fill
from liminal_jax.performance.counted import Counted, predicted
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.inputs import with_defaults
from liminal_jax.performance.memory_footprint import (
    imbalance,
    memory_footprint,
    table_crowding,
)
from liminal_jax.performance.passed import Passed, Step, passed
from liminal_jax.performance.power import chip_activity
from liminal_jax.performance.prediction import Prediction
from liminal_jax.performance.reading import as_read
from liminal_jax.performance.timing import tensor_time
from liminal_jax.workload.chunk import Chunk, Prompts
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request


@listed
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
    reading = as_read(design, model)
    step = passed(reading, model, request, None, assumptions)
    accepted = design.accepted(assumptions.relaxation)
    return _prediction(design, reading, model, request, assumptions, step, accepted)


@evaluation
def predict_prompts(
    design: Design,
    model: Model,
    request: Request,
    tokens: Scalar,
    assumptions: Assumptions | None = None,
) -> Prediction:
    """Speed, capacity, power and cost of a design that passes whole prompts and decodes none.

    Its tokens are those of prompts: a step of it passes a prompt of each user of a micro-batch.

    Args:
        design: System, mapping, placement; its batch is the prompts that pass together.
        model: The model.
        request: Precision; the context is that of the prompts.
        tokens: Tokens of a prompt.
        assumptions: Which laws are used; the exact ideal ones by default.

    Returns:
        Times, capacity, power and cost of one instance, in SI units and USD.

    Raises:
        ValueError: a number has several values, which `jax.vmap` is for.
    """
    request = eqx.tree_at(lambda it: it.context, request, as_leaf(tokens))
    design, assumptions = with_defaults(design, model, request, assumptions)
    prompts = Prompts(count=design.batch, chunk=Chunk(tokens=tokens))
    reading = as_read(_with_batch(design, design.batch * 0), model, prompts)
    step = passed(reading, model, request, prompts, assumptions)
    return _prediction(design, reading, model, request, assumptions, step, tokens)


class Turns(NamedTuple):
    """A design that works in turns with another one.

    Attributes:
        busy: Its own time for one micro-batch [s].
        prediction: What it comes to at the pace of both.
    """

    busy: Scalar
    prediction: Prediction


@evaluation
def predict_turns(
    design: Design,
    model: Model,
    request: Request,
    micro_batches: Scalar,
    pace: Scalar,
    assumptions: Assumptions | None = None,
) -> Turns:
    """Speed, capacity, power and cost of a design that decodes with a part of a model.

    Another design has the other part. Each works on one of the micro-batches in flight, and idles
    when it has worked on all of them until their next tokens are due. All their users are held.

    Args:
        design: System, mapping, placement, and the users of one micro-batch.
        model: The part of the model.
        request: For which context and precision.
        micro_batches: Micro-batches in flight.
        pace: Time of a token of each user, at least what the design takes for all of them [s].
        assumptions: Which laws are used; the exact ideal ones by default.

    Raises:
        ValueError: a number has several values, which `jax.vmap` is for.
    """
    held = _with_batch(design, design.batch * micro_batches)
    held, assumptions = with_defaults(held, model, request, assumptions)
    reading = as_read(_with_batch(held, design.batch), model)
    found = passed(reading, model, request, None, assumptions)
    busy, paced = found.step.time, eqx.tree_at(lambda it: it.time, found.step, as_leaf(pace))
    prediction = _prediction(
        held,
        reading,
        model,
        request,
        assumptions,
        found._replace(step=paced),
        as_leaf(1.0),
        micro_batches,
    )
    return Turns(busy, prediction)


def _with_batch(design: Design, batch: Scalar) -> Design:
    return eqx.tree_at(lambda it: it.batch, design, batch)


def _prediction(
    design: Design,
    reading: Design,
    model: Model,
    request: Request,
    assumptions: Assumptions,
    found: Passed,
    accepted: Scalar,
    passes: Scalar | None = None,
) -> Prediction:
    """What a step comes to.

    Args:
        design: The design, with all users whose state it holds.
        reading: The same with the users of the step, and shares of what is read.
        model: The model.
        request: For which context and precision.
        assumptions: Which laws are used.
        found: The step.
        accepted: Tokens of each user in a step.
        passes: How often each stage works in a step; once where left out.
    """
    relaxation, mapping, chip = assumptions.relaxation, design.mapping, design.system.chip
    step, work, communicated = found
    stage_imbalance = imbalance(model, mapping, assumptions.division, relaxation)
    footprint = memory_footprint(
        model, request, mapping, design.batch, assumptions, design.algorithm
    )
    fill = memory_fill(
        footprint, design, stage_imbalance, table_crowding(model, mapping, relaxation)
    )
    tensor = tensor_time(work, chip, request, mapping.stage_chips())
    each_pass = step.time if passes is None else step.time / passes
    activity = chip_activity(work, reading, request, each_pass, *communicated)
    busy = tensor if passes is None else passes * tensor
    counted = Counted(step, accepted, footprint.total(), fill, busy, activity)
    return predicted(design, model, assumptions, counted)


@evaluation
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
