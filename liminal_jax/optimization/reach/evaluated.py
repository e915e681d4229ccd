"""Many settings of the levers of one case, predicted at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from liminal_jax._kept import kept
from liminal_jax._smooth import Exact
from liminal_jax.optimization.reach.levers import Lever, moved
from liminal_jax.study.case import Case
from liminal_jax.study.limits import use_of
from liminal_jax.study.problem import FEASIBLE, LEAST_RATIO, Limit
from liminal_jax.study.quantities import Fleet

SIZE = 512
"""Settings that are predicted together, for which one program is compiled."""


def _fleets(
    case: Case, values: Float[Array, "settings levers"], paths: tuple[str, ...]
) -> tuple[Fleet, dict[str, Array]]:
    """Predictions of the case at some settings, and how far physical limits are used."""

    def one(row: Array) -> tuple[Fleet, dict[str, Array]]:
        at = moved(case, {path: row[place] for place, path in enumerate(paths)})
        fleet = at.fleet(Exact())
        used = use_of(at, fleet, Exact())
        return fleet, {name: jnp.asarray(it, float) for name, it in used.items()}

    return jax.vmap(one)(values)


fleets = kept(_fleets, {"xla_disable_hlo_passes": "fusion"})


@eqx.filter_jit
def _ratios(
    limits: tuple[Limit, ...], fleet: Fleet, used: Mapping[str, Array]
) -> Float[Array, "settings limits"]:
    """How far limits are used at some settings."""
    return jnp.stack([jax.vmap(it.ratio)(fleet, used) for it in limits], axis=1)


@dataclass(frozen=True)
class Settings:
    """What some settings of the levers do.

    Attributes:
        utps: Tokens a second of one user.
        compute: Time that the arithmetic is busy in a step [s].
        memory: Time that the memory is busy in it [s].
        exposed: Time of collectives and of operations that depend on each other [s].
        accepted: Tokens of a user by a step.
        violation: For each limit the logarithm of how far it is exceeded.
    """

    utps: Float[np.ndarray, " settings"]
    compute: Float[np.ndarray, " settings"]
    memory: Float[np.ndarray, " settings"]
    exposed: Float[np.ndarray, " settings"]
    accepted: Float[np.ndarray, " settings"]
    violation: Float[np.ndarray, "settings limits"]

    @property
    def feasible(self) -> Bool[np.ndarray, " settings"]:
        """Whether every limit holds, and the speed is known."""
        return np.all(self.violation <= FEASIBLE, axis=1) & np.isfinite(self.utps)

    def rows(self, begin: int, end: int) -> "Settings":
        """Some of them, one after the other."""
        return Settings(**{name: it[begin:end] for name, it in vars(self).items()})


class Evaluator:
    """A case, its levers and its limits, as a function of the values of the levers.

    Attributes:
        case: The case.
        levers: The levers.
        limits: The limits.
        count: Settings predicted.
    """

    def __init__(self, case: Case, levers: Sequence[Lever], limits: Sequence[Limit]):
        """Set up; nothing is compiled yet."""
        self.case, self.levers, self.limits = case, tuple(levers), tuple(limits)
        self.paths = tuple(it.path for it in levers)
        self.count = 0

    @property
    def start(self) -> np.ndarray:
        """Where the levers stand."""
        return np.asarray([it.start for it in self.levers])

    def fleets(self, values: np.ndarray) -> tuple[Fleet, dict[str, Array]]:
        """The predictions at settings as they are."""
        return fleets(self.case, jnp.asarray(values, float), self.paths)

    def __call__(self, values: Float[np.ndarray, "settings levers"]) -> Settings:
        """What some settings do."""
        values = np.asarray(values, float)
        parts = []
        for begin in range(0, len(values), SIZE):
            part = values[begin : begin + SIZE]
            filled = np.concatenate([part, np.repeat(part[:1], SIZE - len(part), axis=0)])
            parts.append([it[: len(part)] for it in self._arrays(filled)])
        self.count += len(values)
        return Settings(*(np.concatenate(it) for it in zip(*parts, strict=True)))

    def _arrays(self, values: np.ndarray) -> list[np.ndarray]:
        fleet, used = self.fleets(values)
        instance = fleet.instance
        violation = np.log(np.maximum(_ratios(self.limits, fleet, used), LEAST_RATIO))
        times = (instance.compute_time, instance.memory_time, instance.exposed_time)
        numbers = (instance.utps, *times, instance.tokens_per_step)
        return [*(np.broadcast_to(np.asarray(it, float), len(values)) for it in numbers), violation]
