"""The levers that a design uses, and what each costs in quality as far as anyone knows."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from liminal_jax.data.quality import PublishedCost
from liminal_jax.study.absent import lever_paths, off_values
from liminal_jax.study.case import Case
from liminal_jax.study.region import paths_of

LOSSLESS = "lossless"
UNKNOWN = "unknown"

MOST_COSTS = 2
"""Published costs of a lever that are quoted."""


class _Lever(NamedTuple):
    """A lever as readers know it.

    Attributes:
        name: What it is called.
        switches: The numbers that turn it on, and the values at which they do not.
        beside: Numbers that belong to it.
        lossless: Whether it leaves what a model says as it is.
    """

    name: str
    switches: dict[str, float | None]
    beside: tuple[str, ...] = ()
    lossless: bool = False


_KNOWN = (
    _Lever(
        "speculation",
        {"algorithm.speculation.drafts": 0},
        (
            "algorithm.speculation.acceptance",
            "algorithm.speculation.decay",
            "algorithm.speculation.fresh",
            "algorithm.speculation.drafter.layers",
            "algorithm.speculation.drafter.head",
        ),
        lossless=True,
    ),
    _Lever(
        "prefetch",
        {"algorithm.prefetch.buffer": 0},
        ("algorithm.prefetch.predicted",),
        lossless=True,
    ),
    _Lever(
        "expert cache",
        {"algorithm.expert_cache.lasting": 0, "algorithm.expert_cache.one_user": 0},
        lossless=True,
    ),
    _Lever(
        "overlap",
        {
            "algorithm.overlap.micro_batches": 1,
            "algorithm.overlap.fused": 0,
            "algorithm.overlap.norms": 0,
        },
        lossless=True,
    ),
    _Lever(
        "parallel decoding",
        {"algorithm.parallel.canvas": 1},
        ("algorithm.parallel.tokens_per_pass",),
    ),
    _Lever(
        "fewer collectives",
        {f"algorithm.reductions.{it}": 0 for it in ("parallel", "dropped", "delay")},
    ),
    _Lever(
        "sparse attention",
        {"algorithm.attention.windowed": 0, "algorithm.attention.sparse": 0},
        (
            "algorithm.attention.window",
            "algorithm.attention.chosen",
            "algorithm.attention.index",
        ),
    ),
    _Lever("KV sharing", {"algorithm.attention.sharing": 1}),
    _Lever("shape", {"algorithm.shape.depth": 1}),
    _Lever("early exit", {"algorithm.shape.skipped": 0}),
    _Lever("weight precision", {"request.expert_bits": None, "request.table_bits": None}),
    _Lever("KV precision", {"request.index_bits": None}),
)
"""Levers that readers know by a name of their own, in the order in which results tell them."""


def _others() -> tuple[_Lever, ...]:
    """The other numbers of each part of an algorithm, as a lever of the name of the part."""
    named = {path for it in _KNOWN for path in (*it.switches, *it.beside)}
    parts: dict[str, dict[str, float | None]] = {}
    for path, part in lever_paths().items():
        if path not in named:
            parts.setdefault(part, {})[path] = off_values()[path]
    return tuple(_Lever(part.replace("_", " "), switches) for part, switches in parts.items())


_SETTINGS = {
    "algorithm.reductions.parallel": "parallel",
    "algorithm.reductions.dropped": "sync-point",
    "algorithm.reductions.delay": "ladder",
    "algorithm.attention.windowed": "window",
    "algorithm.attention.sparse": "index",
}
"""Words in the settings of published costs, by the number that they are of."""


def levers_of(case: Case, costs: Sequence[PublishedCost]) -> list[dict[str, Any]]:
    """Each lever of a design that is on: its settings, and what it costs in quality.

    Args:
        case: The design with its workload and laws.
        costs: Published costs.
    """
    leaves = (float(np.ravel(it)[0]) for it in jax.tree.leaves(case))
    values = dict(zip(paths_of(case), leaves, strict=True))
    found = []
    for lever in (*_KNOWN, *_others()):
        known = {path: values[path] for path in lever.switches if path in values}
        settings = {path: it for path, it in known.items() if it != lever.switches[path]}
        if settings:
            settings |= {path: values[path] for path in lever.beside if path in values}
            quality = LOSSLESS
            if not lever.lossless:
                words = [word for path, word in _SETTINGS.items() if path in settings]
                quality = _quality(case, lever, values, _of_lever(costs, lever.name, words))
            found.append({"lever": lever.name, "settings": settings, "quality": quality})
    return found


def _of_lever(
    costs: Sequence[PublishedCost], lever: str, words: Sequence[str]
) -> list[PublishedCost]:
    """Published costs of a lever, those of some settings of it where there are any."""
    rows = [it for it in costs if it.lever == lever]
    return [it for it in rows if any(word in it.setting for word in words)] or rows


def _quality(
    case: Case, lever: _Lever, values: dict[str, float], costs: Sequence[PublishedCost]
) -> str:
    """What a lever costs: as the study says, else as is published, else unknown."""
    own = () if case.quality is None else case.quality.losses
    stated = [it for it in own if it.path in (*lever.switches, *lever.beside)]
    if case.quality is not None and stated:
        lost = sum(float(it.at(values[it.path])) for it in stated)
        return f"assumed by the user: {lost:g} {case.quality.unit}"
    quoted = "; ".join(
        f"{it.change:+g} {it.unit} {it.test} ({it.model or 'model not named'}, {it.setting})"
        for it in costs[:MOST_COSTS]
    )
    return f"published: {quoted}" if quoted else UNKNOWN
