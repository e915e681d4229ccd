"""What a model has, keeps and reads for a token, to compare it with another."""

from collections.abc import Callable
from typing import Any

from liminal_jax._smooth import Exact
from liminal_jax.workload.mixer.base import AbstractMixer
from liminal_jax.workload.request import Request
from liminal_jax.workload.spec import ModelSpec
from liminal_jax.workload.summarised import summarised
from liminal_jax.workload.summary import pattern

_CONTEXTS = (4096, 131_072, 1_048_576)
"""Contexts at which models are compared [tokens]."""


def traits(spec: ModelSpec) -> dict[str, Any]:
    """What a model has, keeps and reads, as plain values; bytes with 8-bit weights and cache.

    `held` is what one user's context occupies, `read` what one token reads and writes; the keys
    of both are contexts in tokens. States have 32 bits, as in `Request`.

    Examples:
        >>> from liminal_jax.data.models import load_model_spec
        >>> traits(load_model_spec("llama-3-8b"))["kv_bytes_held"]["4096"] == 4096 * 65536
        True
    """
    summary = summarised(spec)
    statistics = summary.counts
    request = Request(context=0)
    exact = Exact()

    def by_context(elements: Callable[[AbstractMixer, int], Any]) -> dict[str, int]:
        return {
            str(context): _whole(request.cache_bytes(_over_layers(spec, elements, context)))
            for context in _CONTEXTS
        }

    return {
        "name": spec.name,
        "parameters_total": statistics.total,
        "parameters_active": statistics.active_without_input_embedding,
        "layers": sum(group.count for group in spec.layers),
        "pattern": pattern(summary),
        "weight_bytes_read": _whole(
            request.weight_bytes(statistics.active_without_input_embedding)
        ),
        "kv_bytes_per_token": _whole(request.cache_bytes(statistics.kv_elements_per_token_growing)),
        "kv_bytes_held": by_context(lambda mixer, tokens: mixer.cache(tokens, exact)),
        "kv_bytes_read": by_context(lambda mixer, tokens: mixer.traffic(tokens, exact)),
        "index_bytes_per_token": _whole(
            request.cache_bytes(statistics.index_key_elements_per_token)
        ),
        "index_bytes_read": by_context(lambda mixer, tokens: mixer.index_traffic(tokens, exact)),
        "state_bytes": _whole(request.state_bytes(statistics.state_elements_per_sequence)),
    }


def _over_layers(
    spec: ModelSpec, elements: Callable[[AbstractMixer, int], Any], context: int
) -> float:
    """Elements of all layers that have a mixer, at a context."""
    return sum(
        group.count * float(elements(group.attention.arrays(), context))
        for group in spec.layers
        if group.attention is not None
    )


def _whole(value: Any) -> int:
    return round(float(value))
