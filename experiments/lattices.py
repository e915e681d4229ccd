"""Every way to serve a model with some chips, from a grid of degrees and users; frontiers."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import liminal_jax as ll


@dataclass(frozen=True)
class Grid:
    """Ways to serve a model.

    Attributes:
        ranks: Degrees of tensor parallelism.
        stages: Pipeline stages.
        users: Users in a micro-batch.
    """

    ranks: tuple[int, ...]
    stages: tuple[int, ...]
    users: tuple[int, ...]

    def points(self) -> np.ndarray:
        """Every combination: a row of ranks, one of stages, one of users."""
        return np.asarray(list(product(self.ranks, self.stages, self.users)), float).T


def user_counts(most: int, count: int) -> tuple[int, ...]:
    """Whole numbers from 1 to the most, in nearly equal ratios.

    Examples:
        >>> user_counts(8, 4)
        (1, 2, 4, 8)
    """
    return tuple(sorted({int(it) for it in np.geomspace(1, most, count).round()}))


@dataclass(frozen=True)
class Designs:
    """Designs and what is predicted of them; each field has one entry a design.

    Attributes:
        chip: Index of the chip.
        ranks: Degree of tensor parallelism.
        stages: Pipeline stages.
        users: Users in a micro-batch.
        utps: Tokens a second of one user [1/s].
        stps: Tokens a second of all [1/s].
        power: IT power [W].
        capital: Capital [USD].
        fits: Whether the chips hold the model and its users.
    """

    chip: np.ndarray
    ranks: np.ndarray
    stages: np.ndarray
    users: np.ndarray
    utps: np.ndarray
    stps: np.ndarray
    power: np.ndarray
    capital: np.ndarray
    fits: np.ndarray

    def where(self, chosen: np.ndarray) -> "Designs":
        """Some of the designs."""
        return Designs(**{name: values[chosen] for name, values in vars(self).items()})


def frontier(speed: np.ndarray, worth: np.ndarray) -> np.ndarray:
    """Indices of the points that none beats in both, the fastest first.

    Examples:
        >>> frontier(np.array([1.0, 2.0, 1.5]), np.array([5.0, 3.0, 2.0])).tolist()
        [1, 0]
    """
    order = np.lexsort((-worth, -speed))
    best = np.maximum.accumulate(worth[order])
    return order[np.concatenate([[True], best[1:] > best[:-1]])]


def throughput_at(front: Mapping[str, Any], speed: float) -> float | None:
    """Most tokens a second of a chip at no less than a speed [1/s]; none where out of reach.

    Between two ways both are used, for some of the users each: straight in logarithms.

    Examples:
        >>> throughput_at({"speed": [4.0, 1.0], "throughput": [1.0, 4.0]}, 2.0)
        2.0
        >>> throughput_at({"speed": [4.0, 1.0], "throughput": [1.0, 4.0]}, 5.0)
    """
    speeds, throughputs = np.asarray(front["speed"]), np.asarray(front["throughput"])
    if len(speeds) == 0 or speed > speeds[0]:
        return None
    logs = np.interp(np.log(speed), np.log(speeds[::-1]), np.log(throughputs[::-1]))
    return float(np.round(np.exp(logs), 12))


def speed_at(front: Mapping[str, Any], throughput: float) -> float | None:
    """Fastest speed of a user [1/s] at no less than a throughput [1/s]; as `throughput_at`.

    Examples:
        >>> speed_at({"speed": [4.0, 1.0], "throughput": [1.0, 4.0]}, 2.0)
        2.0
    """
    turned = {"speed": front["throughput"][::-1], "throughput": front["speed"][::-1]}
    return throughput_at(turned, throughput)


@eqx.filter_jit
def _predictions(
    systems: ll.System,
    model: ll.Model,
    request: ll.Request,
    assumptions: ll.Assumptions,
    points: jax.Array,
) -> tuple[jax.Array, ...]:
    def one(system: ll.System, point: jax.Array) -> tuple[jax.Array, ...]:
        ranks, stages, users = point
        design = ll.Design(system, ll.Mapping(tp=ranks, pp=stages), ll.Placement(), users)
        it = ll.predict(design, model, request, assumptions)
        return it.utps, it.stps, it.power.total(), it.capital.total(), it.fits

    over_points = jax.vmap(one, in_axes=(None, 1))
    return jax.vmap(over_points, in_axes=(0, None))(systems, points)


def designs_of(
    systems: ll.System,
    model: ll.Model,
    request: ll.Request,
    assumptions: ll.Assumptions,
    grid: Grid,
) -> Designs:
    """Every design that fits.

    Args:
        systems: Chips, stacked.
        model: What they serve.
        request: For which context.
        assumptions: Which laws are used.
        grid: Which ways are tried.
    """
    points = grid.points()
    found = _predictions(systems, model, request, assumptions, jnp.asarray(points))
    chips = len(found[0])
    columns = [np.asarray(it).reshape(-1) for it in found]
    ranks, stages, users = np.tile(points, chips)
    designs = Designs(np.repeat(np.arange(chips), points.shape[1]), ranks, stages, users, *columns)
    return designs.where(designs.fits)
