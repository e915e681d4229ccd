"""The bound of measured cases: how quick the chips of each could be, however they are used."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from liminal_jax._arrays import as_leaf
from liminal_jax._traced import listed
from liminal_jax.fit.rows import Case
from liminal_jax.mapping.attention import (
    CopiedHeads,
    DataParallel,
    SplitSequence,
    WeightedAttention,
)
from liminal_jax.mapping.collectives import LayerCollectives
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.routing import UnevenRouting
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.predictor import predict
from liminal_jax.workload.feedforward.base import AbstractMixture
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request

NARROW_BITS = 8
"""Bits of a cache where a row does not state them, and of attention at the least: few kernels
multiply at the precision of a narrow cache, but they could."""

POPULAR = 58 / 128
TAKEN = 0.9
"""Share of the experts of a layer, and of the choices that they take, of the most uneven routing
that is published of a mixture of the rows: Qwen3-30B-A3B on Python code, counted by
`llama-imatrix`; on mixed text 65 of the 128 experts take as much (MCP Tool Shop, gpu-container,
handbook, Routing De-risk)."""

_SPLIT, _COPIED, _APART = np.eye(3)


def _ways(case: Case) -> Float[np.ndarray, "ways numbers"]:
    """Ways to use the chips of an instance: tp, pp, ep, and weights of the attention mappings."""
    spread = any(isinstance(it.feedforward, AbstractMixture) for it in case.model.layers)
    ways = []
    for tp, pp in {(case.tp, case.pp), (case.tp * case.pp, 1)}:
        ways += [(tp, pp, 1, *weights) for weights in (_SPLIT, _COPIED)]
        if spread and tp > 1:
            ways += [(tp, pp, tp, *weights) for weights in (_SPLIT, _COPIED, _APART)]
    return np.asarray(ways, float)


@listed
def _quickest(design: Design, model: Model, request: Request, ways: Array) -> Array:
    """Least time of a step over some ways; traced once for each structure of a model."""
    options = (SplitSequence(), CopiedHeads(), DataParallel())
    laws = Assumptions(collectives=LayerCollectives(UnevenRouting(popular=POPULAR, taken=TAKEN)))

    def step_time(way: Array) -> Array:
        tp, pp, ep, *weights = way
        attention = WeightedAttention(jnp.stack(weights), options)
        mapping = Mapping(tp=tp, pp=pp, ep=ep, attention=attention)
        shared = dataclasses.replace(design, mapping=mapping)
        # All stages have a micro-batch in flight, so that fewer stages hold more users each.
        users = design.batch * design.mapping.pp / pp
        moved = eqx.tree_at(lambda it: it.batch, shared, users)
        return jnp.asarray(predict(moved, model, request, laws).step_time)

    return jnp.min(jax.vmap(step_time)(ways))


def best_bound(case: Case) -> float:
    """Time of a token [s] that no way to use the chips of a case undercuts.

    The least over ways to share attention and experts and over one stage or those measured, with
    routing as uneven as is published and placed evenly, peak rates and perfect overlap, attention
    at the precision of the cache.
    """
    cached = NARROW_BITS if case.row.kv_bits is None else case.row.kv_bits
    request = dataclasses.replace(
        case.request,
        kv_bits=as_leaf(cached),
        attention_bits=as_leaf(max(cached, NARROW_BITS)),
    )
    design = dataclasses.replace(case.design, mapping=Mapping(tp=case.tp, pp=case.pp))
    return float(_quickest(design, case.model, request, jnp.asarray(_ways(case))))


def above_bound(cases: Sequence[Case]) -> list[dict[str, Any]]:
    """Rows that are quicker than the bound of their chips, the furthest beyond it first."""
    bounds = [best_bound(case) for case in cases]
    beyond = [
        {
            "line": case.row.line,
            "source": case.source,
            "model": case.model_name,
            "chip": case.chip,
            "measured": case.tpot,
            "bound": bound,
        }
        for case, bound in zip(cases, bounds, strict=True)
        if case.tpot < bound
    ]
    return sorted(beyond, key=lambda it: it["measured"] / it["bound"])
