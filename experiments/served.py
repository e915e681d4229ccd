"""What a chip gives all users together, at what speed for each: the bound, and what engines reach.

Every way to serve a workload is tried: ranks within the scale-up domain, or two domains where one
cannot hold the model; experts split like the other matrices or spread over all ranks; users from
one to as many as fit. Two kinds of curves are told apart, as measurements are:

* `served`, where prompts pass on the same chips or are counted with theirs, and
* `pool`, decode alone: chips to which others hand the prompts they have read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import liminal_jax as ll
from experiments.lattices import frontier
from liminal_jax.calibration.fitted import TERMS, Fitted
from liminal_jax.data.calibrations import Calibration
from liminal_jax.data.names import chip_family
from liminal_jax.mapping.exchange import ReplicatedExchange

SERVED, POOL = "served", "pool"
"""The two kinds of curves."""

THOUSAND = 1024
"""Tokens that a K of a workload's name stands for."""

DRAWN_SHARE = 0.9
"""Mean over nominal length: InferenceX draws lengths evenly from 0.8 to 1.0 of the nominal."""

CACHE_BITS = 8
"""Bits of a cached element."""

RANKS = (1, 2, 4, 8, 16, 24, 32, 48, 64, 72)
"""Ranks that are tried."""

CALIBRATION = "measured"
"""Which losses engines have, those of a typical engine."""


@dataclass(frozen=True)
class Workload:
    """Requests of one kind.

    Attributes:
        model: Name of the model.
        isl: Nominal tokens of a prompt, in K.
        osl: Nominal tokens of an answer, in K.
        weight_bits: Bits of a weight.
    """

    model: str
    isl: int
    osl: int
    weight_bits: float

    def lengths(self) -> ll.Lengths:
        """Mean tokens of prompt and answer."""
        tokens = DRAWN_SHARE * THOUSAND
        return ll.Lengths(isl=tokens * self.isl, osl=tokens * self.osl)

    def request(self) -> ll.Request:
        """Mean context of decode, and precision."""
        context = self.lengths().mean_context()
        return ll.Request(context, weight_bits=self.weight_bits, kv_bits=CACHE_BITS)


class _Asked(eqx.Module):
    """What every way is asked: who serves what, by which laws."""

    system: ll.System
    model: ll.Model
    request: ll.Request
    lengths: ll.Lengths
    assumptions: ll.Assumptions

    def served(self, way: jax.Array) -> tuple[ll.Design, Any]:
        """A design of so many ranks, ranks over which experts are spread, and users."""
        ranks, spread, users = way
        mapping = ll.Mapping(tp=ranks, ep=spread)
        design = ll.Design(self.system, mapping, ll.Placement(), users)
        given = (design, self.model, self.request, self.lengths, self.assumptions)
        return design, ll.serve(*given)


def _pool(design: ll.Design, served: Any) -> tuple[jax.Array, jax.Array]:
    """Speed of a user, and throughput of a chip that decodes only."""
    speed = 1 / served.disaggregated.tpot
    return speed, design.batch * speed / design.mapping.chips()


def _pool(design: ll.Design, tpot: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Speed of a user, and throughput of a chip that decodes only."""
    return 1 / tpot, design.batch / tpot / design.mapping.chips()


@eqx.filter_jit
def _bounds(asked: _Asked, ways: jax.Array, kind: str) -> tuple[jax.Array, jax.Array]:
    """Speed and throughput of each way, for every manner of sharing chips with prompts."""

    def one(way: jax.Array) -> tuple[jax.Array, jax.Array]:
        design, served = asked.served(way)
        if kind == POOL:
            return _pool(design, served.disaggregated.tpot)
        shared = (served.static, served.continuous, served.disaggregated)
        throughputs = jnp.stack([it.tokens_per_second_per_chip for it in shared])
        return 1 / jnp.stack([it.tpot for it in shared]), throughputs

    return jax.vmap(one, in_axes=1)(ways)


@eqx.filter_jit
def _reached(
    asked: _Asked, losses: Fitted, ways: jax.Array, kind: str
) -> tuple[jax.Array, jax.Array, Fitted]:
    """Speed, throughput, and the change of a time's logarithm for each logarithm of a loss."""

    def rates(losses: Fitted, way: jax.Array) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
        lossy = eqx.tree_at(lambda it: it.assumptions.calibration, asked, losses)
        design, served = lossy.served(way)
        if kind == POOL:
            found = _pool(design, served.disaggregated.tpot)
        else:
            together = served.continuous
            found = 1 / together.tpot, together.tokens_per_second_per_chip
        return -jnp.log(found[0]), found

    def one(way: jax.Array) -> tuple[jax.Array, jax.Array, Fitted]:
        slopes, (speed, throughput) = jax.jacfwd(rates, has_aux=True)(losses, way)
        relative = jax.tree.map(lambda slope, loss: slope * loss, slopes, losses)
        return speed, throughput, relative

    return jax.vmap(one, in_axes=1)(ways)


@eqx.filter_jit
def _fits(asked: _Asked, ways: jax.Array) -> jax.Array:
    """Whether the chips hold the model and its users."""

    def one(way: jax.Array) -> jax.Array:
        ranks, spread, users = way
        mapping = ll.Mapping(tp=ranks, ep=spread)
        design = ll.Design(asked.system, mapping, ll.Placement(), users)
        return jnp.asarray(ll.predict(design, asked.model, asked.request).fits)

    return jax.vmap(one, in_axes=1)(ways)


def ways(users: Sequence[int], *, spread: bool) -> np.ndarray:
    """Ranks, ranks over which experts are spread, and users: a column for each way.

    Examples:
        >>> ways((1,), spread=True)[:, :3].T.tolist()
        [[2.0, 2.0, 1.0], [4.0, 4.0, 1.0], [8.0, 8.0, 1.0]]
    """
    columns = [
        (ranks, ranks if spread else 1, batch)
        for ranks in RANKS
        if ranks > 1 or not spread
        for batch in users
    ]
    return np.asarray(columns, float).T


def _allowed(system: ll.System, ranks: np.ndarray, fits: np.ndarray) -> np.ndarray:
    """Which ways are tried: those within the domain, or within two where one cannot hold it."""
    network = system.network
    if not isinstance(network, ll.Switched | ll.FullMesh | ll.Torus):
        raise TypeError("the talk's network has no domain")
    domain = float(network.domain)
    within = fits & (ranks <= domain)
    return within if np.any(within) else fits & (ranks <= 2 * domain)


def _front(columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The ways that none beats in both speed and throughput, the fastest first."""
    if len(columns["speed"]) == 0:
        return dict(columns)
    kept = frontier(columns["speed"], columns["throughput"])
    return {name: values[kept] for name, values in columns.items()}


def _joined(parts: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([it[name] for it in parts]) for name in parts[0]}


@cache
def calibration() -> Calibration:
    """The losses of engines."""
    return ll.load_calibration(CALIBRATION)


def _family(chip: str) -> str | None:
    """The family of a chip, none where it was not measured."""
    family = chip_family(chip)
    return family if family in calibration().groups("family") else None


def _with_interval(front: dict[str, np.ndarray], family: str | None) -> dict[str, Any]:
    """A calibrated front with both ends of its 90 % interval: all slower, all faster."""
    known = calibration()
    slopes = front.pop("slopes")
    spreads = [known.spread(dict(zip(TERMS, it, strict=True)), None, family) for it in slopes]
    width = np.exp(known.interval * np.asarray(spreads))
    ends = {
        end: {"speed": front["speed"] * by, "throughput": front["throughput"] * by}
        for end, by in (("low", 1 / width), ("high", width))
    }
    return {**front, **ends}


@dataclass(frozen=True)
class _Tried:
    """Ways to serve a workload with a chip, of which those are kept that are possible."""

    asked: _Asked
    points: np.ndarray
    allowed: np.ndarray

    def bounds(self, kind: str) -> dict[str, np.ndarray]:
        """Ideal speeds and throughputs."""
        speed, throughput = _bounds(self.asked, jnp.asarray(self.points), kind)
        pairs = {"speed": speed, "throughput": throughput}
        return {name: np.ravel(np.asarray(it)[self.allowed]) for name, it in pairs.items()}

    def reached(self, kind: str, losses: Fitted) -> dict[str, np.ndarray]:
        """Calibrated speeds and throughputs, the ways, and how the former hang on each loss."""
        speed, throughput, slopes = _reached(self.asked, losses, jnp.asarray(self.points), kind)
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
    chip: str, workload: Workload, points: np.ndarray, assumptions: ll.Assumptions
) -> _Tried:
    system, model = ll.load_system(chip), ll.load_model(workload.model)
    asked = _Asked(system, model, workload.request(), workload.lengths(), assumptions)
    fits = np.asarray(_fits(asked, jnp.asarray(points)))
    return _Tried(asked, points, _allowed(system, points[0], fits))


def curves(chip: str, workload: Workload, users: Sequence[int], kind: str) -> dict[str, Any]:
    """The bound and the calibrated curve of a chip.

    The bound of `served` is the best of the three ways of sharing chips that `ll.serve` knows;
    calibrated it is continuous batching, as engines serve. Where experts are spread, engines let
    each rank attend to its own users; the bound takes that or split attention.

    Args:
        chip: Name of a system.
        workload: What is served.
        users: Users at once on one instance that are tried.
        kind: Which curves, `SERVED` or `POOL`.

    Returns:
        The fronts `bound` and `calibrated`: speeds [1/s] of a user, the fastest first, and
        throughputs [1/s] of a chip; the latter with `ranks`, `spread`, `users`, and its interval
        `low`, `high`. Empty where the chips cannot hold the model.
    """
    together, apart = ways(users, spread=False), ways(users, spread=True)
    split, replicated = ll.Assumptions(), ll.Assumptions(exchange=ReplicatedExchange())
    real = [
        _tried(chip, workload, together, split),
        _tried(chip, workload, apart, replicated),
    ]
    ideal = [*real, _tried(chip, workload, apart, split)]
    family = _family(chip)
    losses = calibration().fitted(None, family)
    calibrated = _front(_joined([it.reached(kind, losses) for it in real]))
    return {
        "bound": _front(_joined([it.bounds(kind) for it in ideal])),
        "calibrated": _with_interval(calibrated, family),
    }


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
