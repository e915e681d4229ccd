"""The numbers of a study that a sweep can vary, by path, and the study with some of them changed.

They are the numbers of the hardware, of the request and of the model, and those of the design.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array

from liminal_jax._arrays import Scalar
from liminal_jax._files import did_you_mean
from liminal_jax._quantity import Quantity
from liminal_jax.hardware.plan import ChipPlan
from liminal_jax.hardware.system import System
from liminal_jax.study.clock import clock_range
from liminal_jax.study.parameters import quantity_of
from liminal_jax.study.problem import NUMERIC, Problem
from liminal_jax.study.variables import VARIABLES

NAMES = ("model", "accounting", "system", "memory", "process")
"""What changes the shape of the computation: each choice is compiled by itself."""

_PREFIXES = ("system.", "workload.", "design.")
"""What may stand before a path."""

_WHERE_STATED = ("tier_units", "attention_ranks", "shared_expert_ranks")
"""Variables that mean nothing, or that another one sets, where a design leaves them out."""

_COUNTS = ("stacks", "dies", "domain", "chips", "tp", "cp", "pp", "ep", "batch", *_WHERE_STATED)
_OF_PLANS = (*ChipPlan.__dataclass_fields__, "domain")
_FOLLOWING = ("network.bandwidth", "network.domain")
"""Of planned hardware these are given by the design: link_bandwidth and domain."""

_MAY_BE_ZERO = ("chip.sram.capacity",)
"""SRAM in which data may live, which many chips lack; main memory they have."""


class Leaf(NamedTuple):
    """A number that can be varied.

    Attributes:
        path: Its name.
        unit: Its unit in SI; empty for ratios and counts.
        whole: Whether only whole numbers make sense.
        least: The smallest value that makes sense, unless it is 0 and `positive` holds.
        most: The largest value that makes sense.
        value: What it is where it is not varied.
        positive: Whether 0 makes no sense.
    """

    path: str
    unit: str
    whole: bool
    least: float
    most: float
    value: float
    positive: bool


def _path(keys: tuple) -> str:
    return jax.tree_util.keystr(keys, simple=True, separator=".")


def _leaf(path: str, value: Array) -> Leaf:
    stated = quantity_of(path) or Quantity("", path)
    zero = stated.least is not None or path in _MAY_BE_ZERO
    number = float(jnp.ravel(value)[0])
    return Leaf(
        path,
        stated.dimension,
        whole=False,
        least=stated.least or 0.0,
        most=stated.most,
        value=number,
        positive=not zero,
    )


def _trees(problem: Problem) -> dict[str, Any]:
    """What holds numbers, by the prefix of their paths."""
    model, request = problem.workload.model, problem.workload.request
    return {"": (problem.hardware, request), "model.": model}


def _numbered(problem: Problem) -> dict[str, Array]:
    """All numbers outside the design by path."""
    found = {}
    for prefix, tree in _trees(problem).items():
        skipped = 0 if prefix else 1
        for keys, value in jax.tree_util.tree_leaves_with_path(tree):
            found[prefix + _path(keys[skipped:])] = value
    if problem.file.workload.kv_format != "plain":
        # The format fixes the bits of what is cached.
        del found["kv_bits"]
    if not isinstance(problem.hardware, System):
        found = {path: it for path, it in found.items() if path not in _FOLLOWING}
    return found


def leaves_of(problem: Problem) -> dict[str, Leaf]:
    """Every number of a study that can be varied, by path."""
    leaves = {path: _leaf(path, value) for path, value in _numbered(problem).items()}
    finished = isinstance(problem.hardware, System)
    for name, value in zip(NUMERIC, problem.point, strict=True):
        if name == "attention" or (finished and name in _OF_PLANS):
            continue
        if name in _WHERE_STATED and getattr(problem.file.design, name) is None:
            continue
        unit, whole = VARIABLES[name].unit, name in _COUNTS
        least, most = clock_range() if name == "clock" else (1.0 if whole else 0.0, math.inf)
        leaves[name] = Leaf(
            name, unit, whole, least, most, value, positive=VARIABLES[name].least is None
        )
    return leaves


def found_path(written: str, leaves: Mapping[str, Leaf]) -> str:
    """The path of a number as a user may write it, with or without what it is part of.

    Raises:
        ValueError: there is no such number.
    """
    names = [written, *(written.removeprefix(it) for it in _PREFIXES if written.startswith(it))]
    for name in names:
        if name in leaves or name in NAMES:
            return name
    known = [*leaves, *NAMES]
    hint = did_you_mean(names[-1], known) or _by_end(names[-1], known)
    raise ValueError(f"there is no number {written!r} to vary{hint}")


def _by_end(written: str, known: list[str]) -> str:
    """Paths that end as something written does."""
    end = written.rsplit(".", 1)[-1]
    close = [path for path in known if path.rsplit(".", 1)[-1] == end][:3]
    if close:
        return f"; did you mean {' or '.join(map(repr, close))}?"
    return did_you_mean(end, [path.rsplit(".", 1)[-1] for path in known])


def changed(problem: Problem, values: Mapping[str, Scalar]) -> tuple[Problem, Array]:
    """A study of one category with some numbers changed, and the point of its design.

    Args:
        problem: The study.
        values: Numbers by path.
    """
    design = zip(NUMERIC, problem.point, strict=True)
    point = jnp.stack([jnp.asarray(values.get(name, at), float) for name, at in design])
    trees = {prefix: _with(prefix, tree, values) for prefix, tree in _trees(problem).items()}
    hardware, request = trees[""]
    workload = problem.workload._replace(model=trees["model."], request=request)
    return dataclasses.replace(problem, hardware=hardware, workload=workload), point


def _with(prefix: str, tree: Any, values: Mapping[str, Scalar]) -> Any:
    """A tree with some of its numbers replaced."""
    skipped = 0 if prefix else 1
    leaves, shape = jax.tree_util.tree_flatten_with_path(tree)
    numbers = [
        jnp.broadcast_to(values.get(prefix + _path(keys[skipped:]), leaf), jnp.shape(leaf))
        for keys, leaf in leaves
    ]
    return jax.tree.unflatten(shape, numbers)
