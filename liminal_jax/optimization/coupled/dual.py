"""The bound of a problem of many members, given what all share, from prices of the totals.

With the cost c and the ratios r convex in the totals t, planes that touch them at any points u_p
lie below them. Weights w_p >= 0 of the cost's planes, 1 together, and v_jp >= 0 of those of limit j
(multipliers) add up to one plane, a + g t, for which every design within the limits has

    c(t)  >=  sum_p w_p c_p(t) + sum_jp v_jp (r_jp(t) - 1)  =  a + g t  >=  a + sum_k min_x g t_k(x)

Each member by itself chooses what is cheapest at the prices g. The bound holds for all points and
weights; good ones are found by gradients, with the minima over choices softened. Where the cost has
kinks, as a maximum has, the best prices are a mixture of planes on either side: a new point is
placed from time to time where the choices at present prices lead.

References:
    Everett (1963), Generalized Lagrange multiplier method for solving problems of optimum
    allocation of resources, Operations Research 11, 399: multipliers for discrete choices.
    Kelley (1960), The cutting-plane method for solving convex programs, SIAM J. 8, 703: planes.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float

from liminal_jax._kept import kept
from liminal_jax._smooth import Exact
from liminal_jax.optimization.coupled.columns import Columns
from liminal_jax.study.coupled import AbstractCoupled, Point

PLANES = 8
"""Points at which cost and ratios are touched."""

ROUNDS, STEPS = 8, 40
"""Rounds of the ascent, and its steps in each; a round ends with a new point."""

RATE = 0.2
"""First step size of a round, in logits of the planes and parts of the cost; it falls to 5 %."""

SOFTEST, HARDEST = 0.1, 1e-4
"""First and last temperature of the minima over choices, over the spread of a member's costs."""


class Prices(NamedTuple):
    """Planes below cost and ratios.

    Attributes:
        around: The totals at which they touch.
        logits: Logarithms of the weights of the cost's planes, up to a constant.
        multipliers: Weight of each limit's planes over the cost: its logarithmic price.
    """

    around: Float[Array, "planes totals"]
    logits: Float[Array, " planes"]
    multipliers: Float[Array, "limits planes"]


class Planes(NamedTuple):
    """A plane below the cost, then one below the ratio of each limit less 1.

    Attributes:
        constants: Their values at totals of 0.
        slopes: What a unit of each total adds.
    """

    constants: Float[np.ndarray, " planes"]
    slopes: Float[np.ndarray, "planes totals"]


class Ascent(NamedTuple):
    """The result of an ascent.

    Attributes:
        bound: Logarithm of the largest lower bound of the cost; minus infinity where there is none.
        prices: Prices of that bound.
        choices: Choices of all members that were cheapest at the prices of some step, in rows.
    """

    bound: float
    prices: Prices
    choices: np.ndarray


def prices_at(totals: np.ndarray, multipliers: np.ndarray) -> Prices:
    """Prices to begin with: one point, and a multiplier for each limit."""
    return Prices(
        jnp.tile(jnp.asarray(totals), (PLANES, 1)),
        jnp.zeros(PLANES),
        jnp.tile(jnp.asarray(multipliers)[:, None] / PLANES, (1, PLANES)),
    )


class _Weighted(NamedTuple):
    """The weights that an ascent changes."""

    logits: Float[Array, " planes"]
    multipliers: Float[Array, "limits planes"]


class Dual:
    """Bounds of a problem from prices."""

    def __init__(self, problem: AbstractCoupled):
        """Bounds of a problem; nothing is compiled before the first call."""
        self.problem = problem

    def bounds(
        self, shared: Point, prices: Prices, columns: Columns
    ) -> tuple[float, Float[np.ndarray, " limits"]]:
        """Logarithm of the lower bound of the cost, and lower bounds of the ratio of each limit.

        The ratio of one limit is bounded whatever becomes of cost and other limits.
        """
        found = np.asarray(_bounds(self.problem, shared, prices, *_arrays(columns)))
        return _logarithm(float(found[0])), found[1:]

    def planes(self, shared: Point, prices: Prices) -> Planes:
        """The plane of a bound, and one for each limit."""
        return Planes(*map(np.asarray, _every_plane(self.problem, shared, prices)))

    def ascent(self, shared: Point, prices: Prices, columns: Columns) -> Ascent:
        """The best bound that gradients find from some prices."""
        bound, best, choices = _ascended(self.problem, shared, prices, *_arrays(columns))
        rows = np.asarray(choices).reshape(-1, choices.shape[-1])
        return Ascent(_logarithm(float(bound)), best, np.unique(rows, axis=0))


def logarithms(
    problem: AbstractCoupled, shared: Point, totals: Float[Array, " totals"]
) -> Float[Array, " values"]:
    """Logarithms of the cost, then of the ratio of each limit."""
    outcome = problem.judged(shared, totals, Exact())
    return jnp.concatenate([-outcome.score[None], outcome.violation])


def _values(problem: AbstractCoupled, shared: Point, totals: Array) -> Array:
    """The cost, then the ratio of each limit."""
    return jnp.exp(logarithms(problem, shared, totals))


class _Touching(NamedTuple):
    """Planes of each value less its limit, where they touch.

    Attributes:
        cost: The cost at the first point.
        constants: Their values at totals of 0.
        slopes: What a unit of each total adds.
    """

    cost: Float[Array, ""]
    constants: Float[Array, "planes values"]
    slopes: Float[Array, "planes values totals"]


def _planes(problem: AbstractCoupled, shared: Point, around: Array) -> _Touching:
    def at(totals: Array) -> tuple[Array, Array]:
        values = _values(problem, shared, totals)
        return values, values

    slopes, values = jax.vmap(jax.jacrev(at, has_aux=True))(around)
    constants = values - jnp.einsum("pvt,pt->pv", slopes, around)
    return _Touching(values[0, 0], constants.at[:, 1:].add(-1.0), slopes)


def _joined(planes: _Touching, weights: _Weighted) -> tuple[Array, Array]:
    """The constant and the slopes of the weighted planes."""
    shares = jax.nn.softmax(weights.logits)[:, None]
    every = jnp.concatenate([shares, planes.cost * weights.multipliers.T], axis=1)
    return jnp.sum(every * planes.constants), jnp.einsum("pv,pvt->t", every, planes.slopes)


def _every_plane_of(problem: AbstractCoupled, shared: Point, prices: Prices) -> tuple[Array, Array]:
    planes = _planes(problem, shared, prices.around)
    constant, slopes = _joined(planes, _Weighted(prices.logits, prices.multipliers))
    return (
        jnp.concatenate([constant[None], planes.constants[0, 1:]]),
        jnp.concatenate([slopes[None], planes.slopes[0, 1:]]),
    )


@kept
def _every_plane(problem: AbstractCoupled, shared: Point, prices: Prices) -> tuple[Array, Array]:
    return _every_plane_of(problem, shared, prices)


@kept
def _bounds(
    problem: AbstractCoupled, shared: Point, prices: Prices, totals: Array, allowed: Array
) -> Array:
    """The bound of the cost, then of the ratio of each limit."""
    constants, slopes = _every_plane_of(problem, shared, prices)
    least = jax.vmap(lambda constant, prices: _cheapest(constant, prices, totals, allowed)[0])
    return least(constants, slopes).at[1:].add(1.0)


@kept
def _ascended(
    problem: AbstractCoupled, shared: Point, start: Prices, totals: Array, allowed: Array
) -> tuple[Array, Prices, Array]:
    """The best bound, its prices, and the cheapest choices at every step."""
    adam = optax.adam(optax.cosine_decay_schedule(RATE, STEPS, 0.05))

    def one_round(prices: Prices, number: Array) -> tuple[Prices, Any]:
        planes = _planes(problem, shared, prices.around)
        temperature = SOFTEST * (HARDEST / SOFTEST) ** (number / (ROUNDS - 1))

        def loss(weights: _Weighted) -> tuple[Array, Array]:
            constant, slopes = _joined(planes, weights)
            least, mean = _softly_cheapest(slopes, totals, allowed, temperature)
            return -(constant + least) / planes.cost, mean

        def step(state: tuple[_Weighted, Any], _: Array) -> tuple[Any, Any]:
            weights, moments = state
            slope, mean = jax.grad(loss, has_aux=True)(weights)
            slope = jax.tree.map(jnp.nan_to_num, slope)
            change, moments = adam.update(slope, moments)
            moved = jax.tree.map(jnp.add, weights, change)
            found, choices = _cheapest(*_joined(planes, weights), totals, allowed)
            moved = _Weighted(moved.logits, jnp.maximum(moved.multipliers, 0.0))
            return (moved, moments), (found, weights, choices, mean)

        begin = _Weighted(prices.logits, prices.multipliers)
        _, (bounds, weights, choices, means) = jax.lax.scan(
            step, (begin, adam.init(begin)), jnp.arange(STEPS)
        )
        best = jnp.argmax(jnp.where(jnp.isnan(bounds), -jnp.inf, bounds))
        priced = Prices(prices.around, *jax.tree.map(lambda it: it[best], weights))
        return _with_point(priced, means[-1]), (bounds[best], priced, choices)

    _, (bounds, prices, choices) = jax.lax.scan(one_round, start, jnp.arange(ROUNDS))
    best = jnp.argmax(jnp.where(jnp.isnan(bounds), -jnp.inf, bounds))
    return bounds[best], jax.tree.map(lambda it: it[best], prices), choices


def _arrays(columns: Columns) -> tuple[Array, Array]:
    return jnp.asarray(columns.totals), jnp.asarray(columns.allowed)


def _cheapest(constant: Array, prices: Array, totals: Array, allowed: Array) -> tuple[Array, Array]:
    """The bound of a plane, and the cheapest choice of each member."""
    costs = jnp.where(allowed, totals @ prices, jnp.inf)
    return constant + jnp.sum(jnp.min(costs, axis=1)), jnp.argmin(costs, axis=1)


def _softly_cheapest(
    prices: Array, totals: Array, allowed: Array, temperature: Array
) -> tuple[Array, Array]:
    """The sum of softened minima over choices, and the totals of the softened choices."""
    costs = totals @ prices
    high = jnp.max(jnp.where(allowed, costs, -jnp.inf), axis=1)
    low = jnp.min(jnp.where(allowed, costs, jnp.inf), axis=1)
    blur = jax.lax.stop_gradient(temperature * (high - low) + 1e-300)[:, None]
    shifted = jnp.where(allowed, (low[:, None] - costs) / blur, -jnp.inf)
    least = jnp.sum(low - blur[:, 0] * jax.nn.logsumexp(shifted, axis=1))
    return least, jnp.einsum("mc,mct->t", jax.nn.softmax(shifted, axis=1), totals)


def _with_point(prices: Prices, totals: Array) -> Prices:
    """The prices with a new point in the place of the one of the least weight."""
    weights = jax.nn.softmax(prices.logits) + jnp.sum(prices.multipliers, axis=0)
    # The first point stays, since multipliers are parts of the cost there.
    place = 1 + jnp.argmin(weights[1:])
    level = jax.nn.logsumexp(prices.logits) - jnp.log(PLANES)
    return Prices(
        prices.around.at[place].set(totals),
        prices.logits.at[place].set(level),
        prices.multipliers.at[:, place].set(0.0),
    )


def _logarithm(bound: float) -> float:
    """The logarithm of a lower bound of the cost; one that is not positive bounds nothing."""
    return float(np.log(bound)) if bound > 0 else -np.inf
