"""Numbers that a design leaves out, and that stating them brings in: levers, bits, lengths."""

import dataclasses
from functools import cache

import equinox as eqx
import jax

from liminal_jax._arrays import as_leaf
from liminal_jax.algorithm.algorithm import Algorithm
from liminal_jax.algorithm.attention import ReducedAttention
from liminal_jax.algorithm.caching import ExpertCache
from liminal_jax.algorithm.decoding import ParallelDecoding, Speculation
from liminal_jax.algorithm.drafter import AbstractDrafter
from liminal_jax.algorithm.hiding import Overlap, Prefetch, Reductions
from liminal_jax.algorithm.shape import ModelShape
from liminal_jax.hardware.network import Switched
from liminal_jax.study.case import Case
from liminal_jax.study.region import paths_of

ALGORITHM = "algorithm"
"""Where the levers of software stand in a case, and in a file."""

DRAFTER = "drafter"
"""What names a drafter among the levers of a file."""

DRAFTS = "algorithm.speculation.drafts"
"""The drafts of a step, of which most drafters propose a whole number."""

IN_NETWORK = "system.network.in_network"
"""Share of sums that switches take."""

_PARTS = {
    "speculation": Speculation,
    "parallel": ParallelDecoding,
    "prefetch": Prefetch,
    "expert_cache": ExpertCache,
    "overlap": Overlap,
    "reductions": Reductions,
    "attention": ReducedAttention,
    "shape": ModelShape,
}
"""The parts of an algorithm, each off as it is built."""

_PRECISIONS = {
    "request.expert_bits": "weight_bits",
    "request.table_bits": "weight_bits",
    "request.index_bits": "kv_bits",
}
"""Precisions that follow another one where they are left out."""

LENGTHS = ("request.isl", "request.osl", "request.prefix_hit_rate")
"""What is known of whole requests; none of it where decode alone is judged."""

ISL, OSL, HIT_RATE = LENGTHS


@cache
def lever_paths() -> dict[str, str]:
    """The part of the algorithm of each of its levers, by path."""
    return {
        f"{ALGORITHM}.{part}.{path}": part
        for part, kind in _PARTS.items()
        for path in paths_of(kind())
    }


@cache
def off_values() -> dict[str, float]:
    """The value of each lever at which it changes nothing, by path."""
    found: dict[str, float] = {}
    for part, kind in _PARTS.items():
        off = kind()
        leaves = (float(it) for it in jax.tree.leaves(off))
        paths = (f"{ALGORITHM}.{part}.{path}" for path in paths_of(off))
        found |= dict(zip(paths, leaves, strict=True))
    return found


def absent_paths(case: Case) -> tuple[str, ...]:
    """Paths of the levers, precisions and lengths that a case leaves out."""
    known = set(paths_of(case))
    switched = isinstance(case.system.network, Switched)
    sums = [IN_NETWORK] if switched and IN_NETWORK not in known else []
    parts = [path for path, part in lever_paths().items() if _part(case, part) is None]
    precisions = [it for it in _PRECISIONS if it not in known]
    lengths = [it for it in LENGTHS if it not in known]
    return (*parts, *precisions, *sums, *lengths)


def _part(case: Case, part: str) -> object:
    return None if case.algorithm is None else getattr(case.algorithm, part)


def present(case: Case, path: str) -> Case:
    """A case in which a number that it leaves out is there, at the value that changes nothing.

    Raises:
        ValueError: the lever contradicts another one.
    """
    if path in _PRECISIONS:
        name, followed = path.removeprefix("request."), _PRECISIONS[path]
        request = dataclasses.replace(case.request, **{name: getattr(case.request, followed)})
        return dataclasses.replace(case, request=request)
    if path in LENGTHS:
        # One token each, until they are stated: `contradiction_of_lengths` sees to both.
        name = path.removeprefix("request.")
        value = 0.0 if path == HIT_RATE else 1.0
        request = dataclasses.replace(case.request, **{name: value})
        return dataclasses.replace(case, request=request)
    if path == IN_NETWORK:
        return eqx.tree_at(
            lambda it: it.system.network.in_network,
            case,
            as_leaf(0.0),
            is_leaf=lambda it: it is None,
        )
    part = lever_paths()[path]
    algorithm = Algorithm() if case.algorithm is None else case.algorithm
    if getattr(algorithm, part) is not None:
        return case
    algorithm = dataclasses.replace(algorithm, **{part: _PARTS[part]()})
    return dataclasses.replace(case, algorithm=algorithm)


def contradiction_of_lengths(case: Case) -> tuple[str, str] | None:
    """What is wrong with the lengths of a case's requests, and where, if anything."""
    it = case.request
    for path, stated, other in ((ISL, it.isl, it.osl), (OSL, it.osl, it.isl)):
        if stated is None and other is not None:
            return path, "is required where lengths of requests are stated: isl and osl, both"
    if it.prefix_hit_rate is not None and it.isl is None:
        return HIT_RATE, "says nothing without prompts: state request.isl and request.osl too"
    return None


def drafting_with(case: Case, drafter: AbstractDrafter) -> Case:
    """A case whose drafts come from a drafter."""
    return eqx.tree_at(lambda it: it.algorithm.speculation.drafter, present(case, DRAFTS), drafter)
