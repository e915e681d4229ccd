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
from typing_extensions import override

from liminal_jax._smooth import Exact
from liminal_jax.bounds.boxes import Boxes, Extremes, Halves, points, whole
from liminal_jax.bounds.lattice import AbstractBounds, LatticeBounds
from liminal_jax.bounds.program import Table, along, constant
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


class Cheapest(NamedTuple):
    """The cheapest choice of a member.

    Attributes:
        bound: Its cost, less what is credited, is not below this; infinite where no choice is
            allowed.
        cost: Cost of the best choice found, less what is credited; infinite where none was found.
        own: Its places: category, then variables; none where none was found.
        shared: Places of what all share at that choice.
        statistics: Statistics of the search.
    """

    bound: float
    cost: float
    own: Int[np.ndarray, " axes"] | None
    shared: Int[np.ndarray, " axes"] | None
    statistics: Statistics


class _Priced(AbstractBounds):
    """Bounds of the cost, then of all results."""

    def __init__(
        self,
        bounds: LatticeBounds,
        prices: Float[np.ndarray, "totals ..."],
        credit: Float[np.ndarray, "..."],
        first: int,
    ):
        self.trees = bounds.trees
        self._bounds = bounds
        axes = tuple(range(first, len(bounds.trees)))
        self._prices = {
            row: Extremes(Table(axes, it), bounds.trees)
            for row, it in enumerate(prices)
            if np.any(it > 0)
        }
        self._credit = Extremes(Table(axes, credit), bounds.trees)

    @override
    def over(
        self, boxes: Boxes
    ) -> tuple[Float[np.ndarray, "results boxes"], Float[np.ndarray, "results boxes"]]:
        low, high = self._bounds.over(boxes)
        places: dict = {}
        credited = self._credit.over(boxes, places)
        cost = [-credited[1], -credited[0]]
        for row, prices in self._prices.items():
            least, most = prices.over(boxes, places)
            with np.errstate(invalid="ignore"):
                cost[0] = cost[0] + least * np.maximum(low[row], 0.0)
                cost[1] = cost[1] + most * high[row]
        return np.concatenate([cost[:1], low]), np.concatenate([cost[1:], high])


class BoundedChoices:
    """Bounds of what the choices of one member come to.

    Attributes:
        totals: Number of totals.
        bounds: Bounds of each total, then of the violation of each of its own limits. The axes are
            the member's category and variables, then those of what all share.
        adding: Which totals some choice adds to.
        following: Axes of what all share that its results depend on.
    """

    def __init__(
        self, problem: AbstractCoupled, group: int, member: int = 0, largest: int | None = None
    ):
        """Trace and tabulate.

        Args:
            problem: A problem, whose totals are never negative.
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
        _, high = self.bounds.over(whole(self.bounds.trees))
        self.adding = high[: self.totals, 0] != 0
        own_axes = len(self._own)
        self.following = [it - own_axes for it in sorted(self.bounds.axes) if it >= own_axes]

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of categories, then of values of each of its variables."""
        return tuple(map(len, self._own))

    @property
    def everywhere(self) -> Int[np.ndarray, " axes"]:
        """All that is shared, as a box: a node of the tree of each axis."""
        return np.zeros(len(self.trees), int)

    @property
    def trees(self) -> tuple[Halves, ...]:
        """Trees of what all share."""
        return self.bounds.trees[len(self._own) :]

    def at(self, shared: Int[np.ndarray, " axes"]) -> Int[np.ndarray, " axes"]:
        """A point of what is shared, as a box."""
        return np.asarray([it.single(int(at)) for it, at in zip(self.trees, shared, strict=True)])

    def terms(
        self, own: Int[np.ndarray, "own points"], shared: Int[np.ndarray, "shared points"]
    ) -> tuple[Float[np.ndarray, "totals points"], Float[np.ndarray, "limits points"]]:
        """Totals and violations at some places, as the exact model has them."""
        exact, _ = self.bounds.over(points(np.concatenate([own, shared]), self.bounds.trees))
        return exact[: self.totals], exact[self.totals :]

    def least_excess(self, shared: Int[np.ndarray, " axes"], budget: Budget | None = None) -> float:
        """How little its own limits are exceeded at best: the least of the largest log violations.

        Args:
            shared: A box of what all share, one node for each axis.
            budget: When to stop before the proof is complete.

        Returns:
            The least, to within the gap of the budget; infinite where no choice can be evaluated.
        """

        def node_bounds(low: np.ndarray, high: np.ndarray) -> NodeBounds:
            known = np.all(np.isfinite(high), axis=0)
            return NodeBounds(-_worst(low[self.totals :])[None], np.ones_like(known), known)

        best = IncumbentOfAll()
        branch_and_bound(
            self.bounds, node_bounds, best, self._widths, budget, start=self._inside(shared)
        )
        return -best.score if best.indices is not None else np.inf

    def _inside(self, shared: Int[np.ndarray, " axes"]) -> Boxes:
        """Boxes that hold all choices in a box of what is shared."""
        nodes = self._start.nodes.copy()
        nodes[len(self._own) :] = np.asarray(shared)[:, None]
        return Boxes(nodes, self.bounds.trees)

    def cheapest(
        self,
        prices: Float[np.ndarray, "totals ..."],
        shared: Int[np.ndarray, " axes"],
        budget: Budget | None = None,
        credit: Float[np.ndarray, "..."] | None = None,
        unit: float | None = None,
        cap: float = np.inf,
    ) -> Cheapest:
        """The cheapest choice, with the proof that none is cheaper.

        Args:
            prices: Price of each total, none negative; or a table of it over all that is shared.
            shared: A box of what all share, one node for each axis.
            budget: When to stop before the proof is complete; the gap is counted in units.
            credit: What is credited at each point of what is shared; nothing where left out.
            unit: A usual cost; the least that the bounds of the whole box show where left out.
            cap: A cost that some choice is known to have; none that costs more is looked for.

        Raises:
            ValueError: a price is negative.
        """
        shape = tuple(len(tree.singles) for tree in self.trees)
        prices = np.asarray(prices, float)
        if not np.all(prices >= 0):
            raise ValueError(f"prices must not be negative, got {prices}")
        if prices.ndim == 1:
            prices = np.broadcast_to(prices.reshape(-1, *[1] * len(shape)), (len(prices), *shape))
        credit = np.zeros(shape) if credit is None else np.asarray(credit, float)
        own = len(self._own)
        priced = _Priced(self.bounds, prices, credit, own)
        start = self._inside(shared)
        scale = _usual(*priced.over(start)) if unit is None else unit

        def node_bounds(low: np.ndarray, high: np.ndarray) -> NodeBounds:
            limits = slice(1 + self.totals, None)
            return NodeBounds(
                scores=-low[:1] / scale,
                possible=np.all(low[limits] <= POSSIBLE, axis=0),
                certain=np.all(high[limits] <= FEASIBLE, axis=0) & np.isfinite(high[0]),
            )

        best = IncumbentOfAll()
        best.score = max(best.score, -cap / scale)
        budget = Budget() if budget is None else budget
        statistics = branch_and_bound(priced, node_bounds, best, self._widths, budget, start=start)
        slack = max(MARGIN, budget.gap, statistics.open_score - best.score)
        bound = float(-(best.score + slack) * scale)
        if best.indices is None:
            bound = np.inf if statistics.complete and cap == np.inf else bound
            return Cheapest(bound, np.inf, None, None, statistics)
        return Cheapest(
            bound=bound,
            cost=float(-best.score * scale),
            own=best.indices[:own],
            shared=best.indices[own:],
            statistics=statistics,
        )


def _worst(violations: np.ndarray) -> np.ndarray:
    """The largest violation of each box."""
    return np.max(violations, axis=0, initial=-np.inf)


def _usual(low: np.ndarray, high: np.ndarray) -> float:
    """A usual cost: the least that the bounds of some boxes show."""
    known = [float(np.min(np.abs(it[0]), initial=np.inf)) for it in (low, high)]
    usual = known[0] if known[0] > 0 else known[1]
    return usual if 0 < usual < np.inf else 1.0


def _axes(chosen: AbstractCoupled | AbstractGroup) -> list[np.ndarray]:
    """Values of each axis: ones for the categories, which have no width."""
    values = [np.asarray(it.grid.values, float) for it in chosen.variables]
    return [np.ones(len(chosen.categories)), *values]


def _point(chosen: AbstractCoupled | AbstractGroup, first: int) -> Any:
    """A point whose numbers lie along axes, beginning with one of them."""
    values: Any = constant(np.zeros(len(chosen.variables)))
    for axis, it in enumerate(chosen.variables):
        values[axis] = along(first + 1 + axis, np.asarray(it.grid.values, float))
    category: Any = constant(0)
    category[()] = along(first, np.arange(len(chosen.categories)))
    entries: Any = (category, values)
    return Point(*entries)


def _results(group: AbstractGroup, member: Array, own: Point, shared: Point) -> Array:
    """Each total, then the violation of each limit of its own."""
    terms = group.terms(shared, member, own, Exact())
    return jnp.concatenate([terms.totals, terms.violation])
