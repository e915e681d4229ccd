"""The cheapest choice of one member at prices of the totals, on a grid too large for a table.

At prices g >= 0 a member chooses what costs least within its own limits,

    min_x  g t(s, x)    where  v(s, x) <= 0

which is a branch and bound over boxes of its grid: the exact model is bounded once, over its own
choices and over what all share, and prices only weigh the bounds of its totals. What all share may
be a point or a box; the bound then holds for every point of the box.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from liminal_jax._smooth import Exact
from liminal_jax.bounds.boxes import Boxes
from liminal_jax.bounds.lattice import LatticeBounds
from liminal_jax.bounds.program import along, constant
from liminal_jax.optimization.search.branch_and_bound import (
    MARGIN,
    Budget,
    IncumbentOfAll,
    NodeBounds,
    Statistics,
    branch_and_bound,
    widths_of,
)
from liminal_jax.optimization.search.certificate import POSSIBLE, evaluable
from liminal_jax.study.coupled import AbstractCoupled, AbstractGroup, Point
from liminal_jax.study.problem import FEASIBLE

LEAST_COST = 1e-300
"""Costs below this count as this much, so that their logarithm is finite."""


class Cheapest(NamedTuple):
    """The cheapest choice of a member.

    Attributes:
        bound: Its cost is not below this; infinite where no choice is allowed.
        cost: Cost of the best choice known; infinite where none is known.
        own: Its places: category, then variables; none where none is known.
        shared: Places of what all share at that choice.
        statistics: Statistics of the search.
    """

    bound: float
    cost: float
    own: Int[np.ndarray, " axes"] | None
    shared: Int[np.ndarray, " axes"] | None
    statistics: Statistics


class BoundedChoices:
    """Bounds of what the choices of one member come to.

    Attributes:
        totals: Number of totals.
        bounds: Bounds of each total, then of the violation of each of its own limits. The axes are
            the member's category and variables, then those of what all share.
    """

    def __init__(
        self, problem: AbstractCoupled, group: int, member: int = 0, largest: int | None = None
    ):
        """Trace and tabulate.

        Args:
            problem: A problem.
            group: Number of the member's group.
            member: Its number within the group.
            largest: Entries of the largest table that the bounds are found from.
        """
        own = problem.groups[group]
        self._own = _axes(own)
        shape = (*map(len, self._own), *map(len, _axes(problem)))
        arguments = (
            jax.tree.map(constant, own),
            constant(member),
            _point(own, 0),
            _point(problem, len(self._own)),
        )
        self.totals = len(problem.totals)
        self.bounds = LatticeBounds(_results, arguments, shape, largest)
        self._widths = widths_of(self.bounds.trees, [*self._own, *_axes(problem)])
        self._start = evaluable(self.bounds)

    @property
    def everywhere(self) -> Int[np.ndarray, " axes"]:
        """All that is shared, as a box: a node of the tree of each axis."""
        return np.zeros(len(self.bounds.trees) - len(self._own), int)

    def at(self, shared: Int[np.ndarray, " axes"]) -> Int[np.ndarray, " axes"]:
        """A point of what is shared, as a box."""
        trees = self.bounds.trees[len(self._own) :]
        return np.asarray([tree.single(int(it)) for tree, it in zip(trees, shared, strict=True)])

    def cheapest(
        self,
        prices: Float[np.ndarray, " totals"],
        shared: Int[np.ndarray, " axes"],
        budget: Budget | None = None,
    ) -> Cheapest:
        """The cheapest choice, with the proof that none is cheaper.

        Args:
            prices: Price of each total, none negative.
            shared: A box of what all share, one node for each axis.
            budget: When to stop before the proof is complete.

        Raises:
            ValueError: a price is negative.
        """
        prices = np.asarray(prices, float)
        if not np.all(prices >= 0):
            raise ValueError(f"prices must not be negative, got {prices}")
        priced = np.flatnonzero(prices > 0)

        def node_bounds(low: np.ndarray, high: np.ndarray) -> NodeBounds:
            cost = prices[priced] @ low[priced]
            return NodeBounds(
                scores=-np.log(np.maximum(cost, LEAST_COST))[None],
                possible=np.all(low[self.totals :] <= POSSIBLE, axis=0),
                certain=np.all(high[self.totals :] <= FEASIBLE, axis=0)
                & np.all(np.isfinite(high[: self.totals]), axis=0),
            )

        best, own = IncumbentOfAll(), len(self._own)
        nodes = self._start.nodes.copy()
        nodes[own:] = np.asarray(shared)[:, None]
        start = Boxes(nodes, self.bounds.trees)
        budget = Budget() if budget is None else budget
        statistics = branch_and_bound(
            self.bounds, node_bounds, best, self._widths, budget, start=start
        )
        if best.indices is None:
            bound = np.inf if statistics.complete else np.exp(-statistics.open_score)
            return Cheapest(float(bound), np.inf, None, None, statistics)
        slack = max(MARGIN, budget.gap, statistics.open_score - best.score)
        return Cheapest(
            bound=float(np.exp(-best.score - slack)),
            cost=float(np.exp(-best.score)),
            own=best.indices[:own],
            shared=best.indices[own:],
            statistics=statistics,
        )


def _axes(chosen: AbstractCoupled | AbstractGroup) -> list[np.ndarray]:
    """Values of each axis: ones for the categories, which have no width."""
    values = [np.asarray(it.grid.values, float) for it in chosen.variables]
    return [np.ones(len(chosen.categories)), *values]


def _point(chosen: AbstractCoupled | AbstractGroup, first: int) -> Any:
    """A point whose numbers lie along axes, beginning with one of them."""
    values = constant(np.zeros(len(chosen.variables)))
    for axis, it in enumerate(chosen.variables):
        values[axis] = along(first + 1 + axis, np.asarray(it.grid.values, float))
    category = constant(0)
    category[()] = along(first, np.arange(len(chosen.categories)))
    entries: Any = (category, values)
    return Point(*entries)


def _results(group: AbstractGroup, member: Array, own: Point, shared: Point) -> Array:
    """Each total, then the violation of each limit of its own."""
    terms = group.terms(shared, member, own, Exact())
    return jnp.concatenate([terms.totals, terms.violation])
