"""Waits of chips for each other in a step, with the levers of software that shorten them."""

import dataclasses
from collections.abc import Sequence

import equinox as eqx

from liminal_jax._arrays import Scalar, as_leaf
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.algorithm.algorithm import Algorithm
from liminal_jax.algorithm.hiding import Overlap, Prefetch, Reductions
from liminal_jax.algorithm.shape import ModelShape
from liminal_jax.laws.exposed_collectives import fused_collective_time
from liminal_jax.laws.prefetch import foreseen_bytes, hidden_time
from liminal_jax.laws.shape import width_of_equal_weights
from liminal_jax.mapping.collectives import Communication, Tokens
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.operators import Operator, Passing, Spread, experts_read
from liminal_jax.performance.timing import operator_times, tokens_of
from liminal_jax.workload.chunk import Prompts
from liminal_jax.workload.feedforward.base import AbstractMixture
from liminal_jax.workload.model import Layers, Model
from liminal_jax.workload.request import Request


class Waits(eqx.Module):
    """Waits of the layers of one kind, for each layer.

    Attributes:
        layers: The layers.
        collectives: Their communication.
    """

    layers: Layers
    collectives: Communication


def waits(
    design: Design,
    model: Model,
    request: Request,
    prompts: Prompts | None,
    assumptions: Assumptions,
    algorithm: Algorithm,
    busy: Scalar,
) -> tuple[list[Waits], Communication]:
    """Collectives of each kind of layer, and of passing through the stages.

    Args:
        design: The design.
        model: The model as it is seen.
        request: Precision of messages.
        prompts: Prompts that pass in the same step.
        assumptions: Which laws are used.
        algorithm: Its levers.
        busy: Time that arithmetic or memory is busy in a step, behind which messages hide [s].
    """
    relaxation = assumptions.relaxation
    tokens = _narrowed(tokens_of(design, model, request, prompts), algorithm.shape)
    collectives = assumptions.collectives
    place = (design.mapping, design.system.network, relaxation)
    module = busy / sum(it.count * it.parts() for it in model.layers)
    found = []
    for group in model.layers:
        each = collectives.layer(group, tokens, *place)
        one = collectives.reduction(tokens, *place)
        if algorithm.overlap is not None:
            # Without users nothing is sent, and latency is left.
            silent = dataclasses.replace(tokens, batch=as_leaf(0.0), prompts=None)
            of_layer = collectives.layer(group, silent, *place).time
            of_one = collectives.reduction(silent, *place).time
            per_layer = module * group.parts()
            each = _fused(each, of_layer, per_layer, algorithm.overlap, relaxation)
            one = _fused(one, of_one, module, algorithm.overlap, relaxation)
        if algorithm.reductions is not None:
            each = _fewer(each, one, group, module, algorithm.reductions, relaxation)
        found.append(Waits(group, each))
    return found, collectives.pipeline(tokens, *place)


def _narrowed(tokens: Tokens, shape: ModelShape | None) -> Tokens:
    """The residual stream of a model of other depth: as wide as equal parameters have it."""
    if shape is None:
        return tokens
    hidden = width_of_equal_weights(hidden=tokens.hidden, layers=1.0, changed=shape.depth)
    return dataclasses.replace(tokens, hidden=hidden)


def _fused(
    whole: Communication,
    latency: Scalar,
    module: Scalar,
    overlap: Overlap,
    relaxation: AbstractRelaxation,
) -> Communication:
    """Communication of which some passes while tiles are computed."""
    time = fused_collective_time(
        latency=latency,
        transfer=relaxation.maximum(whole.time - latency, 0.0),
        module=module,
        ceiling=overlap.fused,
        relaxation=relaxation,
    )
    return Communication(time=time, sent=whole.sent)


def _fewer(
    whole: Communication,
    one: Communication,
    group: Layers,
    module: Scalar,
    reductions: Reductions,
    relaxation: AbstractRelaxation,
) -> Communication:
    """Communication without the sums that are left out or come late.

    Dispatch and combine of experts stay: nothing can go on before a token has been routed.
    """
    after_mixer = 0.0
    if group.parts() == 2:
        left_out = relaxation.share(reductions.parallel + reductions.dropped)
        whole = whole - one.scaled(left_out)
        after_mixer = 1 - left_out
    elif group.attention is not None:
        after_mixer = 1.0
    dense = (
        0.0 if group.feedforward is None or isinstance(group.feedforward, AbstractMixture) else 1.0
    )
    hidden = relaxation.minimum(one.time, 2 * reductions.delay * module)
    return Communication(
        time=relaxation.maximum(whole.time - (after_mixer + dense) * hidden, 0.0), sent=whole.sent
    )


def prefetched(
    design: Design,
    model: Model,
    request: Request,
    assumptions: Assumptions,
    prefetch: Prefetch,
    found: Sequence[Waits],
    within: Scalar,
    spread: Spread,
) -> Scalar:
    """Time of a step during which memory reads ahead of where the chip waits [s].

    Args:
        design: The design.
        model: The model as it is seen.
        request: Precision of weights.
        assumptions: Which laws are used.
        prefetch: The lever.
        found: Waits for collectives.
        within: Other waits of all layers, spread evenly over their parts [s].
        spread: How weights are spread.
    """
    relaxation = assumptions.relaxation
    passing = Passing(design.batch, None, design.block())
    parts = sum(it.layers.count * it.layers.parts() for it in found)
    total: Scalar = 0.0
    for it in found:
        group, count = it.layers, it.layers.parts()
        certain = request.weight_bytes(group.weights(model.hidden)) * spread.sharing.copies
        routed: Scalar = 0.0
        if isinstance(group.feedforward, AbstractMixture):
            read = experts_read(group.feedforward, model, passing, spread)
            routed = foreseen_bytes(
                certain=0.0, routed=request.expert_bytes(read), predicted=prefetch.predicted
            )
        foreseen = Operator(weights=certain / count, experts=routed / count)
        upcoming = operator_times(foreseen, design, request, assumptions).memory
        wait = it.collectives.time / count + within / parts
        # Streamed in units of time: the law's bytes over the bandwidth that they come at.
        buffer = prefetch.buffer / (
            design.system.chip.memory.bandwidth * design.system.execution.bandwidth_share
        )
        hidden = hidden_time(
            collective=wait, space=buffer, upcoming=upcoming, bandwidth=1.0, relaxation=relaxation
        )
        total += group.count * count * hidden
    return total
