"""What a chip gives all users together, at what speed for each: the bound, and what engines reach.

Every way to serve a workload is tried: ranks within the scale-up domain, and beyond it as far as
was measured; experts split like the other matrices or spread over all ranks; users from one to as
many as fit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
import xarray as xr

import liminal_jax as ll
from experiments import served
from experiments.lattices import front_of, lists
from experiments.served import Asked, Workload, asked_of, calibration
from liminal_jax.calibration.fitted import TERMS, Fitted
from liminal_jax.data.names import chip_family
from liminal_jax.mapping.attention import AbstractAttentionMapping

RANKS = (1, 2, 4, 8, 16, 24, 32, 48, 64, 72)  # ranks that are tried


def split_ways(users: Sequence[int]) -> np.ndarray:
    """Ranks, one, and users, a column for each way: every rank holds a part of each expert.

    Examples:
        >>> split_ways((1,))[:, :3].T.tolist()
        [[1.0, 1.0, 1.0], [2.0, 1.0, 1.0], [4.0, 1.0, 1.0]]
    """
    return np.asarray([(ranks, 1, batch) for ranks in RANKS for batch in users], float).T


def spread_ways(users: Sequence[int]) -> np.ndarray:
    """Ranks, ranks again, and users, a column for each way: every rank holds whole experts.

    Examples:
        >>> spread_ways((1,))[:, :2].T.tolist()
        [[2.0, 2.0, 1.0], [4.0, 4.0, 1.0]]
    """
    several = (ranks for ranks in RANKS if ranks > 1)
    return np.asarray([(ranks, ranks, batch) for ranks in several for batch in users], float).T


def _domain(system: ll.System) -> float:
    """Chips that the scale-up network joins."""
    network = system.network
    if not isinstance(network, ll.Switched | ll.FullMesh | ll.Torus):
        raise TypeError("the talk's network has no domain")
    return float(network.domain)


def _front(ways: xr.Dataset) -> xr.Dataset:
    return front_of(ways, "speed", "throughput")


def _with_interval(front: xr.Dataset, family: str) -> dict[str, Any]:
    """A calibrated front with both ends of its 90 % interval: all slower, all faster."""
    known = calibration()
    slopes = front["slopes"].values
    spreads = [known.spread(dict(zip(TERMS, it, strict=True)), None, family) for it in slopes]
    width = xr.DataArray(np.exp(known.interval * np.asarray(spreads)), dims="design")
    rates = front[["speed", "throughput"]]
    ends = {end: lists(_front(rates * by)) for end, by in (("low", 1 / width), ("high", width))}
    return {**lists(front.drop_vars("slopes")), **ends}


@dataclass(frozen=True)
class _Tried:
    """Ways to serve a workload with a chip, of which those are kept that are possible."""

    asked: Asked
    points: np.ndarray
    allowed: np.ndarray

    def bounds(self, kind: str) -> xr.Dataset:
        """Ideal speeds and throughputs."""
        pair = served.bounds(self.asked, jnp.asarray(self.points), kind)
        speed, throughput = (np.ravel(np.asarray(it)[self.allowed]) for it in pair)
        return xr.Dataset({"speed": ("design", speed), "throughput": ("design", throughput)})

    def reached(self, kind: str, losses: Fitted) -> xr.Dataset:
        """Calibrated speeds and throughputs, the ways, and how the former hang on each loss."""
        ways = jnp.asarray(self.points)
        speed, throughput, slopes = served.reached(self.asked, losses, ways, kind)
        columns = {"speed": speed, "throughput": throughput}
        columns |= dict(zip(("ranks", "spread", "users"), ways, strict=True))
        found = {name: ("design", np.asarray(it)[self.allowed]) for name, it in columns.items()}
        of_loss = np.stack([getattr(slopes, term) for term in TERMS], axis=-1)[self.allowed]
        return xr.Dataset({**found, "slopes": (("design", "term"), of_loss)})


def _tried(
    chip: str,
    workload: Workload,
    points: np.ndarray,
    attention: AbstractAttentionMapping,
    reach: float,
) -> _Tried:
    """Those ways of which all fits, and whose ranks are within the domain or a reach beyond it."""
    asked = asked_of(chip, workload, attention)
    fits = np.asarray(served.fits(asked, jnp.asarray(points)))
    return _Tried(asked, points, fits & (points[0] <= max(_domain(asked.system), reach)))


Setups = Mapping[tuple[float, float], float]
"""Ranks and ranks over which experts are spread, and the most users of an instance with them."""


def _of(setups: Setups, ways: xr.Dataset) -> xr.Dataset:
    """The ways that belong to some set-ups."""
    chosen = np.zeros(ways.sizes["design"], bool)
    for (ranks, spread), most in setups.items():
        alike = (ways["ranks"] == ranks) & (ways["spread"] == spread)
        chosen |= (alike & (ways["users"] <= most)).values
    return ways.isel(design=chosen)


def curves(
    chip: str, workload: Workload, users: Sequence[int], kind: str, setups: Setups
) -> dict[str, Any]:
    """The bound and the calibrated curves of a chip.

    The bound of `served` is the best of the three ways of sharing chips that `ll.serve` knows;
    calibrated it is continuous batching, as engines serve: ranks share out whole heads or, where
    experts are spread, attend to users of their own, of whom `calibrated` has one at least; the
    bound takes that or split attention.

    Args:
        chip: Name of a system.
        workload: What is served.
        users: Users at once on one instance that are tried.
        kind: Which curves, `SERVED` or `POOL`.
        setups: Those that were measured.

    Returns:
        The fronts `bound`, `calibrated`, and `tried`, the calibrated one of the set-ups that were
        measured: speeds [1/s] of a user, the fastest first, and throughputs [1/s] of a chip. The
        calibrated ones have `ranks`, `spread`, `users`, and their intervals `low`, `high`. Empty
        where the chips cannot hold the model.
    """
    together, apart = split_ways(users), spread_ways(users)
    reach = max((ranks for ranks, _ in setups), default=1.0)
    real = [
        _tried(chip, workload, together, ll.CopiedHeads(), reach),
        _tried(chip, workload, apart, ll.DataParallel(), reach),
    ]
    ideal = [
        *real,
        *(_tried(chip, workload, ways, ll.SplitSequence(), reach) for ways in (together, apart)),
    ]
    family = chip_family(chip)
    losses = calibration().fitted(None, family)
    reached = xr.concat([it.reached(kind, losses) for it in real], "design")
    # Every rank that attends to users of its own has one.
    busy = reached.isel(design=(reached["users"] >= reached["spread"]).values)
    return {
        "bound": lists(_front(xr.concat([it.bounds(kind) for it in ideal], "design"))),
        "calibrated": _with_interval(_front(busy), family),
        "tried": _with_interval(_front(_of(setups, reached)), family),
    }
