"""The two parts of a model that pools of different chips can hold: mixers, and feed-forward blocks.

References:
    Zhu et al. (2025), MegaScale-Infer, arXiv:2504.02263; StepFun (2025), Step-3, arXiv:2507.19427.
"""

import dataclasses

from liminal_jax._arrays import Scalar
from liminal_jax.workload.model import Layers, Model


def attention_part(model: Model) -> Model:
    """The mixers of a model, with embedding and head, and what is small of layers that have one.

    Examples:
        >>> import liminal_jax as ll
        >>> whole = ll.load_model("deepseek-v3")
        >>> parts = attention_part(whole), experts_part(whole)
        >>> [float(sum(it.norms * it.count for it in part.layers)) for part in (whole, *parts)]
        [122.0, 61.0, 61.0]
    """
    own = [_without(it, feedforward=None) for it in model.layers if it.attention is not None]
    return dataclasses.replace(model, layers=tuple(own))


def experts_part(model: Model) -> Model:
    """The feed-forward blocks of a model: mixtures of experts, and dense ones."""
    own = [
        _without(it, attention=None, small=it.small * (it.attention is None))
        for it in model.layers
        if it.feedforward is not None
    ]
    return dataclasses.replace(model, layers=tuple(own), tables=None)


def _without(layers: Layers, **changes: object) -> Layers:
    """Layers with one of their parts, and its share of their norms."""
    part = dataclasses.replace(layers, **changes)  # type: ignore[arg-type]
    return dataclasses.replace(part, norms=layers.norms * part.parts() / layers.parts())


def joints(model: Model) -> Scalar:
    """Layers that have both parts, between which tokens pass there and back."""
    both = [it.count for it in model.layers if it.parts() > 1]
    return sum(both[1:], start=both[0]) if both else 0.0
