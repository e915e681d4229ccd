"""Latency inside each chip: starts of operators, and reductions over its dies."""

from typing import NamedTuple

import equinox as eqx

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._once import once
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.hardware.execution import Execution
from liminal_jax.hardware.package import DieLinks
from liminal_jax.laws.exposed_collectives import operations_with_fused_norms
from liminal_jax.laws.package import dependent_time
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.operators import Passing
from liminal_jax.workload.chunk import Prompts
from liminal_jax.workload.feedforward.base import AbstractMixture
from liminal_jax.workload.model import Layers, Model
from liminal_jax.workload.request import Request


class WithinChip(eqx.Module):
    """Latency inside each chip, for one step.

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


def _operations(layers: Layers, design: Design, relaxation: AbstractRelaxation) -> Scalar:
    """Those of one layer, without norms that are part of a sum over ranks."""
    operations = _dependent_operations(layers, design.system.execution)
    overlap = None if design.algorithm is None else design.algorithm.overlap
    if overlap is None:
        return operations
    return operations_with_fused_norms(
        operations=operations,
        sums=layers.parts() * relaxation.exceeds(design.mapping.stage_chips(), 1.0),
        fused=overlap.norms,
        relaxation=relaxation,
    )


class _Sums(NamedTuple):
    """Sums over the dies of a chip.

    Attributes:
        time: Of the fullest ranks [s].
        energy: Of the mean rank [J].
    """

    time: Scalar
    energy: Scalar


def _die_sums(
    design: Design,
    model: Model,
    request: Request,
    prompts: Prompts | None,
    assumptions: Assumptions,
    links: DieLinks,
) -> _Sums:
    """Sums of all layers over the dies, after each mixer and each feed-forward.

    After a mixture of experts it is the tokens that come to the experts of a chip, in the width of
    those, and those of the users that share a shared expert, in a sum of their own. The former
    have the latter among them where no expert is spread; where every rank holds every token, their
    residual stream is summed as after a dense block.
    """
    mapping, relaxation, collectives = (
        design.mapping,
        assumptions.relaxation,
        assumptions.collectives,
    )
    sharing = collectives.sharing(design.batch, mapping, relaxation)
    passing = Passing(design.batch, prompts, design.block())
    dies = design.system.chip.dies
    tokens = passing.tokens()

    def summed(elements: Scalar, imbalance: Scalar) -> _Sums:
        fullest, mean = (request.message_bytes(it) for it in (elements * imbalance, elements))
        return _Sums(
            time=links.all_reduce_time(fullest, dies, relaxation),
            energy=links.all_reduce_energy(mean, dies),
        )

    def after_experts(mixture: AbstractMixture) -> _Sums:
        share = relaxation.share(mixture.top_k / mapping.ep)
        routed = summed(
            tokens * share * mixture.routed_width(model.hidden),
            collectives.routing_of().token_imbalance(mixture, tokens, mapping.ep),
        )
        shared = summed(
            tokens * model.hidden / sharing.shared_copies,
            passing.imbalance(sharing.shared_users),
        )
        apart = mixture.shared_blocks() * relaxation.exceeds(mapping.ep, 1.0)
        together = mapping.attention.expert_reduction(mapping.stage_chips(), relaxation)
        return _Sums(
            *(
                together * of_all + (1 - together) * (of_experts + apart * of_shared)
                for of_all, of_experts, of_shared in zip(residual, routed, shared, strict=True)
            )
        )

    residual = summed(tokens * model.hidden / sharing.copies, passing.imbalance(sharing.users))
    time = energy = 0.0
    for group in model.layers:
        parts = [residual] * group.parts()
        if isinstance(group.feedforward, AbstractMixture):
            parts[-1] = after_experts(group.feedforward)
        for part in parts:
            time, energy = time + group.count * part.time, energy + group.count * part.energy
    return _Sums(time, energy)


@once
def within_chip(
    design: Design,
    model: Model,
    request: Request,
    prompts: Prompts | None,
    assumptions: Assumptions,
) -> WithinChip:
    """Starts of operators, and sums over the dies of each chip.

    The dies of a package share every layer as tensor-parallel ranks do, whatever the chips share.
    """
    execution, links = design.system.execution, design.system.die_links
    operations = sum(
        group.count * _operations(group, design, assumptions.relaxation) for group in model.layers
    )
    outside = 0.0 if model.tables is None else execution.head_operations
    sums = _Sums(0.0, 0.0)
    if links is not None:
        sums = _die_sums(design, model, request, prompts, assumptions, links)
    return WithinChip(
        layers=dependent_time(operations=operations, time=execution.dependency_time()) + sums.time,
        head=dependent_time(operations=outside, time=execution.dependency_time()),
        energy=sums.energy,
    )
