"""Limits that hold for every design, whatever a study asks: what can be built, split and stored."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from liminal_jax._arrays import Leaf, Scalar
from liminal_jax._smooth import AbstractRelaxation, Exact
from liminal_jax._traced import listed
from liminal_jax.hardware.plan import Buildability
from liminal_jax.hardware.planned import PlannedSystem
from liminal_jax.mapping.attention import excess
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.division import EvenParts
from liminal_jax.mapping.sharing import head_division
from liminal_jax.study.case import Case
from liminal_jax.study.quantities import Fleet
from liminal_jax.workload.feedforward.base import AbstractMixture
from liminal_jax.workload.mixer.base import AbstractMixer
from liminal_jax.workload.model import Model

PHYSICAL = {
    "memory_capacity": "memory of the fullest chip",
    "whole_instance": "chips of one instance over chips bought",
    "expert_ranks": "expert-parallel ranks over chips of a stage",
    "expert_groups": "chips that whole expert groups need over those of a stage",
    "experts": "expert-parallel ranks over experts",
    "stages": "pipeline stages over layers",
    "heads": "heads that ranks would compute over the heads there are",
    "kv_heads": "KV heads that ranks would hold over those they can share evenly",
    "attention_groups": "ranks of whole groups that share attention over ranks of a stage",
    "attention_experts": "ranks of a stage over expert-parallel ranks, beside other users' groups",
    "shared_experts": "ranks of whole groups that share an expert over ranks that share attention",
    "reticle": "die area (reticle limit)",
    "shoreline": "die edge for memory and links between dies",
    "whole_stacks": "memory stacks split evenly over dies",
    "stacked_area": "die area under stacked memory",
    "interposer": "interposer area (largest made)",
    "thermal": "power density under stacked memory",
}
"""Limits that hold for every design; each is a ratio that must not exceed 1."""

_OF_PLANS = (*Buildability.__dataclass_fields__, "thermal")


def physical_limits(case: Case) -> tuple[str, ...]:
    """Names of those that a design is subject to."""
    planned = isinstance(case.system, PlannedSystem)
    return tuple(name for name in PHYSICAL if planned or name not in _OF_PLANS)


def use_of(case: Case, fleet: Fleet, relaxation: AbstractRelaxation) -> dict[str, Scalar]:
    """How far each is used: above 1 it is exceeded.

    Args:
        case: A design with its workload.
        fleet: What is predicted of it.
        relaxation: How kinks are read.
    """
    mapping, instance = case.mapped(), fleet.instance
    used = {
        "memory_capacity": instance.memory_fill,
        "whole_instance": instance.chips / case.bought(instance.chips),
        **_mapping_use(mapping, case.model, relaxation),
        **_attention_use(mapping, _mixers(case), _stated_ranks(case), relaxation),
    }
    if isinstance(case.system, PlannedSystem):
        built = case.system.buildability(relaxation)
        used |= {name: getattr(built, name) for name in Buildability.__dataclass_fields__}
        endured = case.system.chip.material.memory.power_density_limit
        used["thermal"] = fleet.power_density / endured
    return used


def _mixers(case: Case) -> tuple[AbstractMixer, ...]:
    """Those whose heads limit the degrees; none where everything divides ideally."""
    counted = () if isinstance(case.assumptions.division, EvenParts) else case.model.layers
    return tuple(it.attention for it in counted if it.attention is not None)


def _stated_ranks(case: Case) -> Leaf | None:
    """Ranks that share one user's attention, where the design states them."""
    return None if case.attention is None else case.attention.ranks


def least_experts(model: Model) -> Scalar:
    """Experts of the mixture that has the fewest; 1 for a model without experts."""
    mixtures = [
        it.feedforward for it in model.layers if isinstance(it.feedforward, AbstractMixture)
    ]
    experts = [mixture.experts for mixture in mixtures] or [jnp.asarray(1.0)]
    return jnp.min(jnp.stack(experts))


def _mapping_use(
    mapping: Mapping, model: Model, relaxation: AbstractRelaxation
) -> dict[str, Scalar]:
    """Ratios above 1 where degrees do not go together."""
    ranks = mapping.stage_chips()
    return {
        "expert_ranks": mapping.ep / ranks,
        "expert_groups": relaxation.ceil(ranks / mapping.ep) * mapping.ep / ranks,
        "experts": mapping.ep / least_experts(model),
        "stages": mapping.pp / model.layer_count(),
    }


def _attention_use(
    mapping: Mapping,
    mixers: tuple[AbstractMixer, ...],
    stated: Scalar | None,
    relaxation: AbstractRelaxation,
) -> dict[str, Scalar]:
    """Ratios above 1 where attention and degrees do not go together."""
    ranks, group = mapping.stage_chips(), mapping.attention_ranks()
    shared = mapping.shared_ranks()
    groups = excess(ranks, group, relaxation)
    if stated is not None:
        groups = groups * (stated / group)
    apart = relaxation.exceeds(ranks / group, 1.0)
    # Ratios that are 1 where they hold: their product is 1 where all of them hold.
    heads = kv_heads = 1.0
    for mixer in mixers:
        division = head_division(mixer, mapping, relaxation)
        heads = heads * division.head_demand
        kv_heads = kv_heads * division.kv_demand
    return {
        "heads": heads,
        "kv_heads": kv_heads,
        "attention_groups": groups,
        "attention_experts": 1 + apart * (ranks / mapping.ep - 1),
        "shared_experts": excess(group, shared, relaxation),
    }


class Sizes(NamedTuple):
    """What the degrees of a design and its model have to agree on.

    Attributes:
        layers: Layers of the model.
        experts: Experts of the mixture that has the fewest; 1 for a model without experts.
        attention_ranks: Ranks that share one user's attention.
        shared_ranks: Ranks that share a shared expert.
        used: How far the limits on degrees and attention are used.
    """

    layers: Scalar
    experts: Scalar
    attention_ranks: Scalar
    shared_ranks: Scalar
    used: dict[str, Scalar]


def sizes_of(case: Case) -> Sizes:
    """What degrees and model of a design have to agree on."""
    found = _sizes(case.mapped(), case.model, _mixers(case), _stated_ranks(case))
    return jax.tree.map(float, found)


@listed
def _sizes(
    mapping: Mapping, model: Model, mixers: tuple[AbstractMixer, ...], stated: Leaf | None
) -> Sizes:
    """Traced once for each structure of model and mapping, whatever their numbers."""
    return Sizes(
        layers=model.layer_count(),
        experts=least_experts(model),
        attention_ranks=mapping.attention_ranks(),
        shared_ranks=mapping.shared_ranks(),
        used=_attention_use(mapping, mixers, stated, Exact()),
    )
