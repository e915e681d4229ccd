"""The leaves of a study that a sweep can vary, by path, and the study with some of them changed.

They are numbers of the hardware, the request, the model and the design.
"""

from collections.abc import Mapping
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array

from liminal_jax._arrays import Scalar
from liminal_jax._files import did_you_mean
from liminal_jax._quantity import Quantity
from liminal_jax.hardware.planned import PlannedSystem
from liminal_jax.study.absent import ALGORITHM
from liminal_jax.study.case import Case
from liminal_jax.study.clock import clock_range
from liminal_jax.study.parameters import quantity_of, shown_path
from liminal_jax.study.problem import Problem
from liminal_jax.study.variables import FOLLOWING, VARIABLES, names_of
from liminal_jax.workload.blocked_fp8 import is_blocked

NAMES = ("model", "accounting", "system", "memory", "process", "attention")
"""Axes that change the structure of the computation: each choice is compiled by itself."""

_PREFIXES = ("system.", "workload.", "request.", "design.")
"""Optional prefixes of a path."""

_VARIED = ("system.", "request.", "model.", f"{ALGORITHM}.")
"""How paths begin of numbers that can vary beside those of the design."""

_MAY_BE_ZERO = ("chip.sram.capacity",)
"""Paths that may be 0: many chips have no SRAM for data, all have main memory."""


class Leaf(NamedTuple):
    """A number that can vary.

    Attributes:
        path: Its path.
        stated: What it is.
        value: Its value where it does not vary.
    """

    path: str
    stated: Quantity
    value: float


def _leaf(path: str, value: Array) -> Leaf:
    stated = quantity_of(path) or Quantity("", path)
    if path in _MAY_BE_ZERO:
        stated = stated._replace(least=0.0)
    return Leaf(path, stated, float(jnp.ravel(value)[0]))


def _of_design(name: str, value: Array) -> Leaf:
    """A number of the design."""
    stated = VARIABLES[name]
    if name == "clock":
        least, most = clock_range()
        stated = stated._replace(least=least, most=most)
    return Leaf(name, stated, float(jnp.ravel(value)[0]))


def _path_of(path: str, names: Mapping[str, str]) -> str | None:
    """The path of a number in a sweep; None for one that it cannot vary."""
    if path in names:
        return None if names[path] == "attention" else names[path]
    return shown_path(path) if path.startswith(_VARIED) else None


def _paths(case: Case, paths: tuple[str, ...]) -> dict[str, str]:
    """Paths in the case of the numbers that can vary, by their paths in a sweep."""
    names = names_of(case)
    kept = [path for path in paths if (path, planned_of(case)) != (FOLLOWING, True)]
    found = {written: path for path in kept if (written := _path_of(path, names)) is not None}
    if is_blocked(case.model):
        # The format fixes the bits of what is cached.
        del found["kv_bits"]
    return found


def called_in(problem: Problem) -> dict[str, str]:
    """What a sweep calls the numbers of a study that can be varied, by their paths."""
    space = problem.region
    return {path: written for written, path in _paths(space.case, space.paths).items()}


def planned_of(case: Case) -> bool:
    """Whether the chips of a case are planned."""
    return isinstance(case.system, PlannedSystem)


def leaves_of(problem: Problem) -> dict[str, Leaf]:
    """Every number of a study that can vary, by path."""
    space = problem.region
    names = names_of(space.case).values()
    found = {
        written: (_of_design if written in names else _leaf)(written, space.numbers[path])
        for written, path in _paths(space.case, space.paths).items()
    }
    # A study without chips has as many as one instance needs; a sweep may state them.
    return {"chips": _of_design("chips", jnp.ones(())), **found}


def found_path(written: str, leaves: Mapping[str, Leaf]) -> str:
    """The path of a number as a user may write it, with or without a prefix.

    Raises:
        ValueError: there is no such number.
    """
    names = [written, *(written.removeprefix(it) for it in _PREFIXES if written.startswith(it))]
    for name in names:
        if name in leaves or name in NAMES:
            return name
    raise ValueError(f"there is no number {written!r} to vary{_hint(names[-1], [*leaves, *NAMES])}")


def _hint(written: str, known: list[str]) -> str:
    """Paths with the same last part, what is spelled alike, or what there is."""
    end = written.rsplit(".", 1)[-1]
    ends = [path.rsplit(".", 1)[-1] for path in known]
    same = [path for path, it in zip(known, ends, strict=True) if it == end][:3]
    if same:
        return f"; did you mean {' or '.join(map(repr, same))}?"
    short = ", ".join(path for path in known if "." not in path)
    listed = f"; there are {short}, and paths such as system.chip.memory.bandwidth"
    return did_you_mean(written, known) or did_you_mean(end, ends) or listed


def changed(problem: Problem, values: Mapping[str, Scalar]) -> Case:
    """The case of a study of one alternative without free variables, with numbers changed.

    Args:
        problem: The study.
        values: Values by path, in SI.
    """
    space = problem.region
    paths = _paths(space.case, space.paths)
    named = {paths[written]: value for written, value in values.items()}
    rows = {
        path: jnp.broadcast_to(value, jnp.shape(space.numbers[path]))
        for path, value in named.items()
    }
    return space.with_numbers(rows).at(_firsts(problem, named), jnp.asarray(0))


def _firsts(problem: Problem, named: Mapping[str, Scalar]) -> list[Scalar]:
    """The value of each variable: the changed one, or the first of its grid."""
    return [named.get(it.path, it.grid.values[0]) for it in problem.variables]
