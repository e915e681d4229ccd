"""Every way to serve a model with some chips, from a grid of degrees and users; frontiers."""

from dataclasses import dataclass
from itertools import product

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

import liminal_jax as ll
from experiments.claims import Record


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


def frontier(speed: np.ndarray, worth: np.ndarray) -> np.ndarray:
    """Indices of the points that none beats in both, the fastest first.

    Examples:
        >>> frontier(np.array([1.0, 2.0, 1.5]), np.array([5.0, 3.0, 2.0])).tolist()
        [1, 0]
    """
    order = np.lexsort((-worth, -speed))
    best = np.maximum.accumulate(worth[order])
    return order[np.concatenate([[True], best[1:] > best[:-1]])]


def front_of(designs: xr.Dataset, speed: str, worth: str) -> xr.Dataset:
    """Those that none beats in two quantities, the fastest first."""
    if designs.sizes["design"] == 0:
        return designs
    return designs.isel(design=frontier(designs[speed].values, designs[worth].values))


def lists(designs: xr.Dataset) -> dict[str, list[float]]:
    """Each quantity, for a record."""
    return {str(name): it.values.tolist() for name, it in designs.items()}


def throughput_at(front: Record, speed: float) -> float | None:
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


def speed_at(front: Record, throughput: float) -> float | None:
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


COLUMNS = ("chip", "ranks", "stages", "users", "utps", "stps", "power", "capital", "fits")


def designs_of(
    systems: ll.System,
    model: ll.Model,
    request: ll.Request,
    assumptions: ll.Assumptions,
    grid: Grid,
) -> xr.Dataset:
    """Every design that fits.

    Args:
        systems: Chips, stacked.
        model: What they serve.
        request: For which context.
        assumptions: Which laws are used.
        grid: Which ways are tried.

    Returns:
        Index of the chip, ranks, stages, users of a micro-batch; UTPS and STPS [1/s], IT power [W]
        and capital [USD].
    """
    points = grid.points()
    found = _predictions(systems, model, request, assumptions, jnp.asarray(points))
    chips, ways = found[0].shape
    columns = (np.repeat(np.arange(chips), ways), *np.tile(points, chips), *map(np.ravel, found))
    every = {name: ("design", it) for name, it in zip(COLUMNS, columns, strict=True)}
    return xr.Dataset(every).isel(design=np.flatnonzero(columns[-1])).drop_vars("fits")
