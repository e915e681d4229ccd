"""Designs of one structure: a case of which some numbers are free, for each alternative."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from liminal_jax._arrays import Leaf, Scalar
from liminal_jax.study.case import Case
from liminal_jax.study.domain import Grid
from liminal_jax.study.rows import AbstractRows


@dataclass(frozen=True)
class Variable:
    """A number that is free.

    Attributes:
        name: How results call it.
        path: Its path in a `Case`.
        grid: Its values.
    """

    name: str
    path: str
    grid: Grid


@dataclass(frozen=True)
class Region:
    """Designs of one structure between which a study chooses: a grid for each alternative.

    A point of it states each variable, in their order; on the grid it is one of the grid's values.

    Attributes:
        case: What is not free. Numbers in which the alternatives differ have a row for each.
        categories: Names of the alternatives.
        variables: What is free.
        kind: What the alternatives are: `memory`, `system`, or `choice` for any other objects.
        rows: The data files behind the hardware, where a space written in Python takes it by name.
    """

    case: Case
    categories: tuple[str, ...]
    variables: tuple[Variable, ...]
    kind: str
    rows: AbstractRows | None = None

    def __getstate__(self) -> dict[str, Any]:
        """The fields that programs are kept by, whatever has been asked for so far."""
        names = [it.name for it in dataclasses.fields(self) if it.name != "rows"]
        return {name: getattr(self, name) for name in names}

    @property
    def size(self) -> int:
        """Designs of the grid."""
        return len(self.categories) * math.prod(len(it.grid.values) for it in self.variables)

    @cached_property
    def _flat(self) -> tuple[list[Leaf], Any]:
        return jax.tree.flatten(self.case)

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """Paths of all numbers of the case, in the order of its leaves."""
        return paths_of(self.case)

    @cached_property
    def numbers(self) -> dict[str, Leaf]:
        """All numbers of the case by path; those in which the alternatives differ have rows."""
        return dict(zip(self.paths, self._flat[0], strict=True))

    @cached_property
    def _places(self) -> tuple[int, ...]:
        return tuple(self.paths.index(it.path) for it in self.variables)

    def at(
        self, point: Float[Array, " variables"] | Sequence[Scalar], category: Int[Array, ""]
    ) -> Case:
        """The case at a point.

        Args:
            point: Value of each variable.
            category: Number of the alternative.
        """
        numbers, shape = self._flat
        here = [it[category] if jnp.ndim(it) else it for it in numbers]
        for axis, place in enumerate(self._places):
            here[place] = jnp.asarray(point[axis], float)
        return jax.tree.unflatten(shape, here)

    def with_numbers(self, numbers: Mapping[str, Scalar | Leaf]) -> "Region":
        """The space with some numbers of its case changed.

        Args:
            numbers: New values by path, or a row of values for each alternative.
        """
        flat, shape = self._flat
        changed = [
            jnp.asarray(numbers.get(path, at), float)
            for path, at in zip(self.paths, flat, strict=True)
        ]
        return dataclasses.replace(self, case=jax.tree.unflatten(shape, changed))

    def only(self, names: Sequence[str]) -> "Region":
        """The region with those of its alternatives that have some names."""
        rows = jnp.asarray([row for row, it in enumerate(self.categories) if it in names])
        case = jax.tree.map(lambda it: it[rows] if jnp.ndim(it) else it, self.case)
        kept = tuple(it for it in self.categories if it in names)
        return dataclasses.replace(self, case=case, categories=kept)

    def with_fixed(self, numbers: Mapping[str, Leaf]) -> "Region":
        """The space with some of its variables fixed, by path, each at one value or a row."""
        free = tuple(it for it in self.variables if it.path not in numbers)
        return dataclasses.replace(self.with_numbers(numbers), variables=free)


def paths_of(tree: Any) -> tuple[str, ...]:
    """Paths of the leaves of a pytree: names of fields and places in tuples, joined by dots.

    Examples:
        >>> from liminal_jax.mapping.degrees import Mapping
        >>> paths_of(Mapping(tp=8))[:2]
        ('tp', 'cp')
    """
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return tuple(jax.tree_util.keystr(keys, simple=True, separator=".") for keys, _ in leaves)
