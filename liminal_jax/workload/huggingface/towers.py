"""About how large the towers for images and sound are that stand beside a text model."""

from collections.abc import Mapping
from typing import Any

_TOWERS = ("vision_config", "audio_config", "vision_tower_config", "speech_config")
_SHAPE = {
    "layers": "num_hidden_layers depth layers num_layers encoder_layers vt_num_hidden_layers",
    "width": "hidden_size d_model embed_dim width vt_hidden_size",
    "block": "intermediate_size encoder_ffn_dim vt_intermediate_size",
}


def tower_parameters(config: Mapping[str, Any]) -> int:
    """What towers hold by a rule of thumb, to compare a text model with a page that counts them.

    A transformer of width d and L layers, its blocks of width f, by default 4 d, without a gate:

        L (4 d^2 + 2 d f)

    Patches, projectors and biases are left out.

    Args:
        config: The object of a multimodal config; its towers lie in objects of their own.

    Returns:
        Number of weights; 0 where no tower is described.

    Examples:
        >>> gemma = {"num_hidden_layers": 27, "hidden_size": 1152, "intermediate_size": 4304}
        >>> tower_parameters({"vision_config": gemma})  # 0.42 B with patches and projector
        411070464
    """
    return sum(_transformer(config.get(name)) for name in _TOWERS)


def _transformer(tower: Any) -> int:
    if not isinstance(tower, dict):
        return 0
    found = {
        part: next((tower[name] for name in names.split() if _is_count(tower.get(name))), None)
        for part, names in _SHAPE.items()
    }
    layers, width = found["layers"], found["width"]
    if layers is None or width is None:
        return 0
    block = found["block"] or 4 * width
    return layers * (4 * width**2 + 2 * width * block)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**6
