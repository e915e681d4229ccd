"""The talk's way of counting, as a function from a model to another model.

Sankaralingam (2025), IET REACH, and the paper behind it (Davies et al., arXiv:2507.14397) count
transformer layers only: no embedding, no head, no norms, routers or biases. Attention is charged
over the full context in every layer. Latent attention is charged with its projections multiplied
out. Scalar work is left out, its rates not being published.
"""

import equinox as eqx

from liminal_jax._arrays import Scalar
from liminal_jax.workload.feedforward.base import AbstractFeedForward, AbstractMixture
from liminal_jax.workload.mixer.base import AbstractMixer
from liminal_jax.workload.mixer.grouped_query import GroupedQuery
from liminal_jax.workload.mixer.latent import Latent
from liminal_jax.workload.mixer.merged_latent import MergedLatent
from liminal_jax.workload.mixer.scope import FullScope
from liminal_jax.workload.model import Layers, Model, ScalarOperations

LATENT_CACHE_RANKS = 8
"""Ranks above which the talk's tables charge latent attention for a split sequence. Fitted to the
system table together with the latencies of its collectives."""


def _attention(attention: AbstractMixer | None) -> AbstractMixer | None:
    if isinstance(attention, Latent):
        if attention.q_rank is None:
            raise ValueError("the talk's accounting has no count for latents without a query rank")
        return MergedLatent(
            heads=attention.heads,
            q_rank=attention.q_rank,
            kv_rank=attention.kv_rank,
            rope_dim=attention.rope_dim,
            cache_ranks=LATENT_CACHE_RANKS,
        )
    if isinstance(attention, GroupedQuery):
        return eqx.tree_at(lambda it: it.scope, attention, FullScope())
    return attention


def _feedforward(feedforward: AbstractFeedForward | None) -> AbstractFeedForward | None:
    return feedforward.without_router() if isinstance(feedforward, AbstractMixture) else feedforward


def talk_model(model: Model) -> Model:
    """The model as the talk's tables count it.

    The talk has no mixers but grouped-query and latent attention; others stay as they are.

    Raises:
        ValueError: latent attention without a query rank, for which the talk has no count.
    """
    return Model(
        hidden=model.hidden,
        layers=tuple(
            Layers(
                count=layers.count,
                attention=_attention(layers.attention),
                feedforward=_feedforward(layers.feedforward),
                norms=layers.norms,
                small=0,
            )
            for layers in model.layers
        ),
        tables=None,
        operations=ScalarOperations(
            per_score=0, per_activation=0, per_norm=0, exponentials_per_score=0
        ),
    )


def with_parameters(model: Model, parameters: Scalar, counted: Scalar) -> Model:
    """A model whose layers hold a nominal number of parameters.

    The paper's first version computes with the parameters in a model's name (405e9), not with
    those of its layers.

    Args:
        model: A model of one kind of layer.
        parameters: Parameters it is said to have.
        counted: Parameters it has by count.
    """
    (layers,) = model.layers
    extra = (parameters - counted) / layers.count
    return eqx.tree_at(lambda it: it.layers[0].small, model, layers.small + extra)
