"""Where the bytes of a step come from: what lies in SRAM, and is read from there more often."""

import dataclasses

from liminal_jax.performance.design import Design
from liminal_jax.performance.operators import Passing
from liminal_jax.workload.chunk import Prompts
from liminal_jax.workload.feedforward.base import AbstractMixture
from liminal_jax.workload.model import Model


def as_read(design: Design, model: Model, prompts: Prompts | None = None) -> Design:
    """The design with shares of what is read, not of what is stored, as its placement.

    They differ where the experts in SRAM are the popular ones. Of a model with mixtures of several
    kinds the first counts.
    """
    levers = design.algorithm
    mixture = next(
        (it.feedforward for it in model.layers if isinstance(it.feedforward, AbstractMixture)), None
    )
    if levers is None or levers.expert_cache is None or mixture is None:
        return design
    placement = design.placed()
    tokens = Passing(design.batch, prompts, design.block()).tokens()
    hit = levers.expert_cache.hit_rate(
        share=placement.experts,
        experts=mixture.experts,
        choices=tokens * mixture.top_k,
        users=design.batch,
    )
    return dataclasses.replace(design, placement=dataclasses.replace(placement, experts=hit))
