"""Which reader belongs to which `model_type`, and which configs hold one of them inside.

The tables stand beside the readers: in `dense` and `sparse` for models of plain attention, in the
file of a mixer or a feed-forward block for those that it brings.
"""

from types import ModuleType
from typing import Any

from liminal_jax.workload import feedforward, mixer
from liminal_jax.workload.found import modules
from liminal_jax.workload.huggingface import (
    dense,
    gemma4,
    layer_norm,
    llama_like,
    longcat,
    mixtures,
    nemotron_nas,
    older,
    sparse,
    state_space,
    wrappers,
)
from liminal_jax.workload.reading.family import Family, Wrapper

_SOURCES = (
    *(dense, sparse, llama_like, layer_norm, mixtures, state_space, gemma4),
    *(longcat, nemotron_nas, older, wrappers),
    *modules(mixer),
    *modules(feedforward),
)


def _joined(name: str, sources: tuple[ModuleType, ...]) -> dict[str, Any]:
    """The tables that modules have under one name, as one; none may say what another says."""
    table: dict[str, Any] = {}
    for source in sources:
        own: dict[str, Any] = getattr(source, name, {})
        if twice := table.keys() & own.keys():
            raise ValueError(f"{source.__name__}.{name}: {sorted(twice)} is read elsewhere too")
        table |= own
    return table


FAMILIES: dict[str, Family] = _joined("FAMILIES", _SOURCES)
WRAPPERS: dict[str, Wrapper] = _joined("WRAPPERS", _SOURCES)
