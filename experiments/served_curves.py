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

import liminal_jax as ll
from experiments import served
from experiments.lattices import frontier
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


def _front(columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The ways that none beats in both speed and throughput, the fastest first."""
    if len(columns["speed"]) == 0:
        return dict(columns)
    kept = frontier(columns["speed"], columns["throughput"])
    return {name: values[kept] for name, values in columns.items()}


def _joined(parts: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([it[name] for it in parts]) for name in parts[0]}


def _with_interval(front: dict[str, np.ndarray], family: str) -> dict[str, Any]:
    """A calibrated front with both ends of its 90 % interval: all slower, all faster."""
    known = calibration()
    slopes = front.pop("slopes")
    spreads = [known.spread(dict(zip(TERMS, it, strict=True)), None, family) for it in slopes]
    width = np.exp(known.interval * np.asarray(spreads))
    ends = {
        end: _front({"speed": front["speed"] * by, "throughput": front["throughput"] * by})
        for end, by in (("low", 1 / width), ("high", width))
    }
    return {**front, **ends}


@dataclass(frozen=True)
class _Tried:
    """Ways to serve a workload with a chip, of which those are kept that are possible."""

    asked: Asked
    points: np.ndarray
    allowed: np.ndarray

    def bounds(self, kind: str) -> dict[str, np.ndarray]:
        """Ideal speeds and throughputs."""
        speed, throughput = served.bounds(self.asked, jnp.asarray(self.points), kind)
        pairs = {"speed": speed, "throughput": throughput}
        return {name: np.ravel(np.asarray(it)[self.allowed]) for name, it in pairs.items()}

    def reached(self, kind: str, losses: Fitted) -> dict[str, np.ndarray]:
        """Calibrated speeds and throughputs, the ways, and how the former hang on each loss."""
        speed, throughput, slopes = served.reached(
            self.asked, losses, jnp.asarray(self.points), kind
        )
        ranks, spread, users = self.points
        columns = {
            "speed": speed,
            "throughput": throughput,
            "ranks": ranks,
            "spread": spread,
            "users": users,
            "slopes": np.stack([getattr(slopes, term) for term in TERMS], axis=-1),
        }
        return {name: np.asarray(it)[self.allowed] for name, it in columns.items()}


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


def _of(setups: Setups, columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The ways that belong to some set-ups."""
    chosen = np.zeros(len(columns["speed"]), bool)
    for (ranks, spread), most in setups.items():
        alike = (columns["ranks"] == ranks) & (columns["spread"] == spread)
        chosen |= alike & (columns["users"] <= most)
    return {name: values[chosen] for name, values in columns.items()}


def _busy(columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The ways in which every rank that attends to users of its own has one."""
    chosen = columns["users"] >= columns["spread"]
    return {name: values[chosen] for name, values in columns.items()}


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
    reached = _joined([it.reached(kind, losses) for it in real])
    return {
        "bound": _front(_joined([it.bounds(kind) for it in ideal])),
        "calibrated": _with_interval(_front(_busy(reached)), family),
        "tried": _with_interval(_front(_of(setups, reached)), family),
    }
