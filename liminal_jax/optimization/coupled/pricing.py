"""Bounds of boxes of what all share, from prices around a design.

Around the totals u of a design, cost c and ratios r_j have planes below them. With multipliers
m_j >= 0, at any point s of what is shared, designs within the limits cost at least

    c(s, u) (1 + sum_j m_j (r_j(s, u) - 1) + sum_k min_x g(s) (t_k(s, x) - u_k(s)))

with the prices g of the totals from the gradients of log c and of the ratios. Each member's minimum
is a branch and bound over its own choices, and over a box of s at once; the least of the whole over
the box bounds every design in it. The design and the multipliers may be any; the best multipliers
at a point solve a linear program over the choices found so far, which each minimum extends.

References:
    Dantzig and Wolfe (1960), Decomposition principle for linear programs, Operations Research 8,
    101; Geoffrion (1974), Lagrangean relaxation for integer programming.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int
from scipy.optimize import linprog

from liminal_jax._compile import kept_unfused
from liminal_jax.optimization.coupled.assignment import all_places, point_at, shape_of
from liminal_jax.optimization.coupled.bounded_choice import BoundedChoices, Cheapest
from liminal_jax.optimization.coupled.columns import blocks_of
from liminal_jax.optimization.coupled.dual import logarithms
from liminal_jax.optimization.search.branch_and_bound import Budget
from liminal_jax.study.coupled import AbstractCoupled, Point
from liminal_jax.study.problem import FEASIBLE, LEAST_RATIO

LARGEST_MULTIPLIER = 1e3
"""Largest weight of a limit over the cost: where choices cannot meet the limits together, no weight
is large enough."""

DIGITS = 12
"""Digits to which prices are told apart, a thousand times finer than the margin of bounds."""


@dataclass(frozen=True)
class Planes:
    """Planes below cost and ratios around a design for every point of what is shared.

    Attributes:
        totals: Totals of each member.
        allowed: Whether each member's own limits hold.
        cost: Cost.
        ratios: Ratio of each limit.
        of_cost: Derivatives of the logarithm of the cost by the totals.
        of_ratios: Derivatives of each ratio.
    """

    totals: Float[np.ndarray, "members points totals"]
    allowed: Bool[np.ndarray, "members points"]
    cost: Float[np.ndarray, " points"]
    ratios: Float[np.ndarray, "points limits"]
    of_cost: Float[np.ndarray, "points totals"]
    of_ratios: Float[np.ndarray, "points limits totals"]

    def prices(
        self, multipliers: Float[np.ndarray, "points limits"]
    ) -> Float[np.ndarray, "points totals"]:
        """Prices of the totals, over the cost, with multipliers at each point."""
        return self.of_cost + np.einsum("sj,sjt->st", multipliers, self.of_ratios)

    def constant(
        self, multipliers: Float[np.ndarray, "points limits"]
    ) -> Float[np.ndarray, " points"]:
        """What the design comes to, its limits weighed, over its cost."""
        return 1 + np.sum((self.ratios - 1) * multipliers, axis=1)

    def possible(self) -> Bool[np.ndarray, " points"]:
        """Points where no limit that depends on what is shared alone is exceeded."""
        fixed = np.all(self.of_ratios == 0, axis=-1)
        return ~np.any(fixed & (self.ratios > 1 + FEASIBLE), axis=1)


@dataclass(frozen=True)
class BoxBound:
    """What is known of a box of what is shared.

    Attributes:
        cost: Lower bound of the cost of its designs; infinite where there are none.
        found: The cheapest choice of each member; those after one without any are left out.
    """

    cost: float
    found: tuple[Cheapest, ...]


@kept_unfused
def _judged(problem: AbstractCoupled, shared: Point, totals: Array) -> Array:
    """The same in rows."""
    return jax.vmap(lambda at, it: logarithms(problem, at, it))(shared, totals)


@kept_unfused
def _slopes(problem: AbstractCoupled, shared: Point, totals: Array) -> Array:
    """Their derivatives by the totals, in rows."""
    return jax.vmap(jax.jacrev(lambda at, it: logarithms(problem, at, it), argnums=1))(
        shared, totals
    )


@dataclass(frozen=True)
class _Asked:
    """What is asked of a member.

    Attributes:
        box: A box of what is shared.
        here: Points in it.
        known: Points at which the design's own choice is allowed.
        prices: Prices of the totals.
        credit: What its own choice costs.
    """

    box: Int[np.ndarray, " axes"]
    here: Bool[np.ndarray, " points"]
    known: Bool[np.ndarray, " points"]
    prices: Float[np.ndarray, "points totals"]
    credit: Float[np.ndarray, " points"]


class Pricing:
    """Bounds of a problem, one member after another.

    Attributes:
        problem: The problem.
        choices: Bounds of the choices of each member.
        shape: Number of places of what is shared, along each axis.
    """

    def __init__(self, problem: AbstractCoupled):
        """Bound the exact model of each member."""
        self.problem = problem
        self.choices = tuple(
            BoundedChoices(problem, number, member)
            for number, group in enumerate(problem.groups)
            for member in range(len(group.members))
        )
        self.shape = shape_of(problem)
        every = all_places(problem)
        self.places, self.points = every.T, point_at(problem, every)
        # Of NumPy's arrays some rows are taken sooner.
        self._points = jax.tree.map(np.asarray, self.points)
        self._answers: dict[tuple, Cheapest] = {}

    def grouped(self, own: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        """Places of the choices of each group's members, from those of all members."""
        rows = iter(own)
        return tuple(np.stack([next(rows) for _ in group.members]) for group in self.problem.groups)

    def planes(
        self,
        totals: Float[np.ndarray, "members points totals"],
        allowed: Bool[np.ndarray, "members points"],
    ) -> Planes:
        """The planes around a design for every point of what is shared.

        Args:
            totals: Totals of each member.
            allowed: Whether its own limits hold.
        """
        around = jnp.asarray(totals.sum(axis=0))
        values = np.exp(np.asarray(_judged(self.problem, self.points, around)))
        slopes = np.asarray(_slopes(self.problem, self.points, around))
        ratios = values[:, 1:]
        of_ratios = np.maximum(ratios[..., None] * slopes[:, 1:], 0.0)
        of_cost = np.maximum(slopes[:, 0], 0.0)
        return Planes(totals, allowed, values[:, 0], ratios, of_cost, of_ratios)

    def everywhere(
        self, member: int, own: Int[np.ndarray, "axes choices"]
    ) -> tuple[Float[np.ndarray, "choices points totals"], Float[np.ndarray, "choices points"]]:
        """Totals of some choices of a member at every point, and their largest violation."""
        count = self.places.shape[1]
        every, places = np.repeat(own, count, axis=1), np.tile(self.places, own.shape[1])
        totals, violation = self.choices[member].terms(every, places)
        worst = np.nan_to_num(violation, nan=np.inf).max(axis=0, initial=-np.inf)
        worst = np.where(np.all(np.isfinite(totals), axis=0), worst, np.inf)
        return totals.T.reshape(-1, count, len(totals)), worst.reshape(-1, count)

    def judge(
        self, points: Int[np.ndarray, " rows"], totals: Float[np.ndarray, "rows totals"]
    ) -> tuple[Float[np.ndarray, " rows"], Float[np.ndarray, "rows limits"]]:
        """Score, and the log violation of each limit, at numbered points of what is shared."""
        scores, violations = [], []
        for rows, kept in blocks_of(len(totals)):
            here = jax.tree.map(lambda it, at=points[rows]: jnp.asarray(it[at]), self._points)
            found = np.asarray(_judged(self.problem, here, jnp.asarray(totals[rows])))[:kept]
            scores.append(-found[:, 0])
            violations.append(found[:, 1:])
        return np.concatenate(scores), np.concatenate(violations)

    def inside(self, box: Int[np.ndarray, " axes"]) -> Bool[np.ndarray, " points"]:
        """Which points of what is shared lie in a box."""
        trees = self.choices[0].trees
        ends = [(tree.first[it], tree.last[it]) for tree, it in zip(trees, box, strict=True)]
        each = [
            (row >= low) & (row <= high) for row, (low, high) in zip(self.places, ends, strict=True)
        ]
        return np.all(each, axis=0)

    def bound(
        self,
        planes: Planes,
        multipliers: Float[np.ndarray, "points limits"],
        box: Int[np.ndarray, " axes"],
        budget: Budget,
    ) -> BoxBound:
        """Lower bound of the cost of all designs in a box.

        Args:
            planes: Planes around any designs.
            multipliers: Multipliers of the limits at each point of what is shared.
            box: A node of the tree of each axis of what is shared.
            budget: When the cheapest choice of a member is near enough, in shares of the cost.
        """
        here = self.inside(box) & planes.possible()
        if not here.any():
            return BoxBound(np.inf, ())
        prices = planes.prices(multipliers)
        found = []
        for member, own in enumerate(planes.totals):
            credit = np.einsum("st,st->s", own, prices)
            # Prices are shares of the cost, and the design's own choice costs what is credited.
            known = planes.allowed[member] & here
            found.append(self._cheapest(member, _Asked(box, here, known, prices, credit), budget))
            if found[-1].bound == np.inf:
                return BoxBound(np.inf, tuple(found))
        reduced = sum(it.bound for it in found)
        least = planes.cost * np.maximum(planes.constant(multipliers) + reduced, 0.0)
        return BoxBound(float(np.min(least[here])), tuple(found))

    def _cheapest(self, member: int, asked: "_Asked", budget: Budget) -> Cheapest:
        """The cheapest choice of a member in a box, less what is credited."""
        choices, points = self.choices[member], np.flatnonzero(asked.here)
        # A pool that passes prompts is the same whatever the pace of tokens: what is asked at some
        # points is the same question, up to a factor of the prices, and is answered once.
        prices = asked.prices[points] * choices.adding
        largest = prices.max(axis=1)
        factors = np.where(largest > 0, largest, 1.0)
        mantissas, exponents = np.frexp(prices / factors[:, None])
        directions = np.ldexp(np.round(mantissas, DIGITS), exponents)
        places = self.places[choices.following][:, points]
        questions = [
            (member, budget.gap, place.tobytes(), it.tobytes())
            for place, it in zip(places.T, directions, strict=True)
        ]
        if len(set(questions) - self._answers.keys()) > max(1, len(points) // 2):
            return choices.cheapest(
                asked.prices.T.reshape(-1, *self.shape),
                asked.box,
                budget,
                asked.credit.reshape(self.shape),
                unit=1.0,
                cap=0.0 if asked.known.any() else np.inf,
            )
        answers = []
        for row, (point, question) in enumerate(zip(points, questions, strict=True)):
            if question not in self._answers:
                unit = 1 / factors[row]
                self._answers[question] = choices.cheapest(
                    directions[row],
                    choices.at(self.places[:, point]),
                    budget,
                    unit=unit,
                    cap=asked.credit[point] * unit if asked.known[point] else np.inf,
                )
            answers.append(self._answers[question])
        bounds, costs = (
            np.asarray([each(it) for it in answers]) * factors - asked.credit[points]
            for each in (attrgetter("bound"), attrgetter("cost"))
        )
        at = int(np.argmin(bounds))
        return answers[at]._replace(
            bound=float(bounds[at]), cost=float(costs[at]), shared=self.places[:, points[at]]
        )

    def least_ratio(self, planes: Planes, limit: int, budget: Budget) -> float:
        """Lower bound of the ratio of a limit, whatever the members choose and all share."""
        count, totals = planes.of_cost.shape
        ratio = np.maximum(planes.ratios[:, limit], LEAST_RATIO)
        alone = dataclasses.replace(
            planes,
            cost=ratio,
            of_cost=planes.of_ratios[:, limit] / ratio[:, None],
            ratios=np.zeros((count, 0)),
            of_ratios=np.zeros((count, 0, totals)),
        )
        return self.bound(alone, np.zeros((count, 0)), self.choices[0].everywhere, budget).cost

    def multipliers(
        self, planes: Planes, point: int, columns: list[np.ndarray]
    ) -> Float[np.ndarray, " limits"]:
        """The multipliers of the best bound at a point, if members had some choices only.

        Args:
            planes: Planes around a design.
            point: Number of the point of what is shared.
            columns: For each member the totals of its choices there.
        """
        limits, members = planes.ratios.shape[1], len(columns)
        rows, right = [], []
        for member, totals in enumerate(columns):
            change = totals - planes.totals[member, point]
            by_limit = change @ planes.of_ratios[point].T
            block = np.zeros((len(totals), limits + members))
            block[:, :limits] = -by_limit
            block[:, limits + member] = 1.0
            rows.append(block)
            right.append(change @ planes.of_cost[point])
        goal = np.concatenate([1 - planes.ratios[point], -np.ones(members)])
        bounds = [(0.0, LARGEST_MULTIPLIER)] * limits + [(None, None)] * members
        solved = linprog(goal, np.concatenate(rows), np.concatenate(right), bounds=bounds)
        return np.maximum(solved.x[:limits], 0.0) if solved.success else np.zeros(limits)
