"""A sweep from Python: every design of a space, evaluated."""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from liminal_jax._files import InputError
from liminal_jax._files import Problem as Mistake
from liminal_jax._smooth import Exact
from liminal_jax._traced import traced
from liminal_jax.optimization.optimum import problems_of
from liminal_jax.results.words import choice_words, quantity, quantity_word
from liminal_jax.study.asked import Function
from liminal_jax.study.problem import FEASIBLE, Criterion, Problem
from liminal_jax.study.region import Region
from liminal_jax.study.space import Space, with_precision
from liminal_jax.study.write import written

if TYPE_CHECKING:
    import xarray

MOST = 20_000_000
"""Largest number of designs of a sweep from Python; `liminal sweep` takes more."""

AT_ONCE = 1 << 14
"""Designs evaluated in one call of the compiled function."""

FEW, FEW_AT_ONCE = 1 << 16, 1 << 12
"""Designs that are evaluated in NumPy, which takes less time than to compile, and in one call."""


@dataclass(frozen=True)
class Evaluated:
    """Outputs of every design of a space.

    Attributes:
        outputs: The outputs.
        regions: The regions of the space, one for each structure.
        values: For each region an array (alternative, variable 1, variable 2, ..., output), in SI.
        feasible: For each region whether a design meets every physical limit, without the last
            axis.
    """

    outputs: tuple[Criterion, ...]
    regions: tuple[Region, ...]
    values: tuple[Float[np.ndarray, "..."], ...]
    feasible: tuple[np.ndarray, ...]

    def to_xarray(self) -> "xarray.Dataset | list[xarray.Dataset]":
        """Outputs over the variables; a list where the space has several structures."""
        found = [
            _dataset(self.outputs, *each)
            for each in zip(self.regions, self.values, self.feasible, strict=True)
        ]
        return found[0] if len(found) == 1 else found

    def best(self, k: int = 1) -> list[dict[str, float | str]]:
        """The k feasible designs of the largest first output, the largest first."""
        rows = []
        for region, values, feasible in zip(self.regions, self.values, self.feasible, strict=True):
            first = np.where(feasible, values[..., 0], -np.inf).ravel()
            first = np.where(np.isnan(first), -np.inf, first)
            rows += [
                (first[at], region, np.unravel_index(at, feasible.shape), values)
                for at in np.argsort(-first, kind="stable")[:k].tolist()
                if first[at] > -np.inf
            ]
        rows.sort(key=lambda it: -it[0])
        return [_named(self.outputs, *it[1:]) for it in rows[:k]]

    def to_dict(self) -> dict[str, Any]:
        """Number of designs, number of feasible ones, and the ten best."""
        return {
            "designs": sum(it.size for it in self.feasible),
            "feasible": int(sum(np.sum(it) for it in self.feasible)),
            "best": self.best(10),
        }

    def __repr__(self) -> str:
        """Number of designs, and the best ones."""
        it = self.to_dict()
        units = {one.name: one.unit for one in self.outputs}
        lines = [
            ", ".join(_words(name, value, units.get(name)) for name, value in row.items())
            for row in it["best"]
        ]
        asked = quantity_word(self.outputs[0].name)
        head = f"{it['designs']:,} designs, {it['feasible']:,} feasible; most {asked}:"
        return "\n".join([head, *lines])

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"


def _words(name: str, value: float | str, unit: str | None) -> str:
    """A choice of a design, or an output in its unit."""
    if unit is None or isinstance(value, str):
        return choice_words(name, value)
    return f"{quantity_word(name)} {quantity(name, value, unit)}"


def _named(
    outputs: Sequence[Criterion], region: Region, at: tuple, values: np.ndarray
) -> dict[str, float | str]:
    row, *places = (int(it) for it in at)
    point = {
        it.name: it.grid.values[solution]
        for it, solution in zip(region.variables, places, strict=True)
    }
    name = {region.kind: region.categories[row]} if len(region.categories) > 1 else {}
    found = {it.name: float(each) for it, each in zip(outputs, values[at], strict=True)}
    return {**name, **written(point), **found}


def _dataset(
    outputs: Sequence[Criterion], region: Region, values: np.ndarray, feasible: np.ndarray
) -> "xarray.Dataset":
    import xarray

    names = [it.name for it in region.variables]
    coordinates: dict[str, Any] = {region.kind: list(region.categories)}
    coordinates |= {it.name: list(it.grid.values) for it in region.variables}
    over = (region.kind, *names)
    columns = {
        it.name: (over, values[..., column], {"units": it.unit})
        for column, it in enumerate(outputs)
    }
    return xarray.Dataset({**columns, "feasible": (over, feasible)}, coordinates)


def sweep(space: Space, outputs: Sequence[str | Function] = ("utps", "stps")) -> Evaluated:
    """Outputs of every design of a space, by the exact model at the current precision of JAX.

    Args:
        space: The designs.
        outputs: Names or functions of the prediction of the whole system.

    Raises:
        InputError: what is wrong with an output, or the space is too large.
    """
    if space.size > MOST:
        message = f"has {space.size:,} designs, more than {MOST:,}; take 'liminal sweep', or fewer"
        raise InputError("sweep", [Mistake("space", message)])
    space = with_precision(space)
    problems, criteria = problems_of(space, [(it, True) for it in outputs], ())
    found = [_swept(it, criteria) for it in problems]
    values, feasible = zip(*found, strict=True)
    return Evaluated(tuple(criteria), space.regions, values, feasible)


def _swept(problem: Problem, outputs: Sequence[Criterion]) -> tuple[np.ndarray, np.ndarray]:
    region = problem.region
    shape = (len(region.categories), *(len(it.grid.values) for it in region.variables))
    grids = [jnp.asarray(it.grid.values, float) for it in region.variables]

    @jax.vmap
    def each(number: Array) -> tuple[Array, Array]:
        row, *places = jnp.unravel_index(number, shape)
        point = [grid[solution] for grid, solution in zip(grids, places, strict=True)]
        case = region.at(point, row)
        fleet = case.fleet(Exact())
        violation = problem.violation(case, fleet, Exact())
        asked = jnp.stack([jnp.asarray(it.of(fleet), float) for it in outputs])
        return asked, jnp.all(violation <= FEASIBLE)

    count = math.prod(shape)
    values, feasible = np.empty((count, len(outputs))), np.empty(count, bool)
    block = min(FEW_AT_ONCE if count <= FEW else AT_ONCE, count)
    listed = traced(each, jnp.arange(block)) if count <= FEW else None
    evaluate = jax.jit(each) if listed is None else lambda it: listed.evaluated([it])
    for begin in range(0, count, block):
        numbers = np.minimum(np.arange(begin, begin + block), count - 1)
        rows, holds = evaluate(jnp.asarray(numbers))
        end = min(begin + block, count)
        values[begin:end], feasible[begin:end] = rows[: end - begin], holds[: end - begin]
    return values.reshape(*shape, len(outputs)), feasible.reshape(shape)
