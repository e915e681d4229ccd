"""The terms of a step, each of which a calibration scales."""

import equinox as eqx

from liminal_jax._arrays import Scalar
from liminal_jax.calibration.terms import Terms
from liminal_jax.hardware.execution import Execution
from liminal_jax.hardware.kernels import LIBRARY
from liminal_jax.laws.feedforward import busiest_rank_imbalance
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.routing import BalancedRouting
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.memory_footprint import imbalance
from liminal_jax.performance.operators import (
    Operator,
    Passing,
    Spread,
    layer_operators,
    table_operators,
)
from liminal_jax.performance.overlap import Times
from liminal_jax.performance.timing import communication, operator_times
from liminal_jax.workload.chunk import Prompts
from liminal_jax.workload.feedforward.base import AbstractMixture
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request


def _routed(model: Model, tokens: Scalar, mapping: Mapping) -> tuple[Scalar, Scalar]:
    """Routed elements of the busiest rank, times the ranks, and the share of experts chosen."""
    mixtures = [
        (layers.count, block)
        for layers in model.layers
        if isinstance(block := layers.feedforward, AbstractMixture)
    ]
    if not mixtures:
        return 0.0, 0.0
    stored = [count * block.expert_weights(model.hidden) for count, block in mixtures]
    used = [count * block.expert_weights_used(model.hidden) for count, block in mixtures]
    busiest = [
        each
        * busiest_rank_imbalance(
            experts=block.experts,
            top_k=block.top_k,
            tokens=tokens,
            ranks=mapping.ep,
        )
        for each, (_, block) in zip(stored, mixtures, strict=True)
    ]
    return sum(busiest[1:], start=busiest[0]), sum(used[1:], start=used[0]) / sum(
        stored[1:], start=stored[0]
    )


def step_terms(
    design: Design,
    model: Model,
    request: Request,
    assumptions: Assumptions | None = None,
    prompts: Prompts | None = None,
) -> Terms:
    """Terms of a step that decodes and, if there are any, passes chunks of prompts.

    Times are those at the peaks; a calibration says how far they fall short.
    """
    design = eqx.tree_at(lambda it: it.system.execution, design, Execution())
    assumptions = Assumptions() if assumptions is None else assumptions
    relaxation, mapping, collectives = (
        assumptions.relaxation,
        design.mapping,
        assumptions.collectives,
    )
    sharing = collectives.sharing(design.batch, mapping, relaxation)
    # A calibration fits its own imbalance of experts.
    spread = Spread(mapping, collectives, BalancedRouting(), sharing)
    block = design.block()
    if design.algorithm is not None:
        model = design.algorithm.seen(model)
    layers = layer_operators(model, request, design.batch, relaxation, prompts, spread, block)
    tables = table_operators(model, request, design.batch, prompts, spread, block)
    stage_imbalance = imbalance(model, mapping, assumptions.division, relaxation)
    work = sum(tables, start=sum(layers[1:], start=layers[0]).scaled(stage_imbalance))
    tokens = Passing(design.batch, prompts, block).tokens()
    routed, chosen = _routed(model, tokens, mapping)
    user_state = Operator(cache=work.cache, index=work.index, state=work.state)

    def times(part: Operator) -> Times:
        return operator_times(part, design, request, assumptions)

    network = design.system.network.driven(LIBRARY)
    driven = eqx.tree_at(lambda it: it.system.network, design, network)
    within, pipeline = communication(driven, model, request, prompts, assumptions)
    mixtures = (it.count for it in model.layers if isinstance(it.feedforward, AbstractMixture))
    return Terms(
        weights=times(Operator(weights=work.weights)).memory,
        experts=times(Operator(experts=request.expert_bytes(stage_imbalance * routed))).memory,
        chosen=chosen,
        cache=times(user_state).memory,
        matrix=times(Operator(matrix=work.matrix)).compute,
        core=times(
            Operator(core=work.core, scalar=work.scalar, exponentials=work.exponentials)
        ).compute,
        exchanged=stage_imbalance * within.time + pipeline.time,
        layers=stage_imbalance * model.layer_count(),
        mixtures=stage_imbalance * sum(mixtures, start=0.0),
        batch=tokens,
        users=design.batch * sharing.users / sharing.copies,
        weight_bits=request.weight_bits,
    )
