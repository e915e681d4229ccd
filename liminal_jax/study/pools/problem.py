"""The problem of several pools: each its own design, all the same requests."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float
from typing_extensions import override

from liminal_jax._arrays import Scalar
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.study.coupled import AbstractCoupled, AbstractGroup, Chip, Point
from liminal_jax.study.pools.pool import Pool
from liminal_jax.study.pools.quantities import QUANTITIES, Served
from liminal_jax.study.pools.requests import Requests
from liminal_jax.study.problem import LEAST_RATIO, Limit, Outcome
from liminal_jax.study.region import Variable

PACE = "token_time"
"""The limit that attention, experts and crossing together take no longer than a token may."""


def pace_limits(duties: tuple[str, ...]) -> tuple[Limit, ...]:
    """The limits that pools together are subject to, whatever the study asks."""
    turns = not {"attention", "experts"}.isdisjoint(duties)
    return (Limit(PACE, at_least=False, bound=1.0, unit=""),) if turns else ()


class PoolsProblem(AbstractCoupled):
    """Pools that serve the same requests under limits of all together.

    Attributes:
        name: How results call it.
        goal: Name of the objective, one of `QUANTITIES`.
        unit: Its unit.
        maximise: Whether more of it is better.
        groups: The pools.
        categories: One, as pools share no object.
        variables: What they share and is free: rate, time of a token, micro-batches.
        totals: Names of the totals.
        limits: Limits of all together.
        requests: What they serve.
    """

    name: str = eqx.field(static=True)
    goal: str = eqx.field(static=True)
    unit: str = eqx.field(static=True)
    maximise: bool = eqx.field(static=True)
    groups: tuple[AbstractGroup, ...]
    categories: tuple[str, ...] = eqx.field(static=True)
    variables: tuple[Variable, ...] = eqx.field(static=True)
    totals: tuple[str, ...] = eqx.field(static=True)
    limits: tuple[Limit, ...] = eqx.field(static=True)
    requests: Requests

    @property
    def pools(self) -> tuple[Pool, ...]:
        """The pools."""
        return tuple(it for it in self.groups if isinstance(it, Pool))

    def served(
        self, shared: Point, totals: Float[Array, " totals"], relaxation: AbstractRelaxation
    ) -> Served:
        """What is known of all pools together."""
        named = dict(zip(self.totals, totals, strict=True))
        return Served(self.requests, self.requests.at(shared), named, relaxation)

    @override
    def judged(
        self, shared: Point, totals: Float[Array, " totals"], relaxation: AbstractRelaxation
    ) -> Outcome:
        served = self.served(shared, totals, relaxation)
        value = jnp.log(QUANTITIES[self.goal].of(served))
        ratios = [jnp.asarray(_ratio(it, served), float) for it in self.limits]
        stacked = jnp.stack(ratios) if ratios else jnp.zeros(0)
        return Outcome(
            score=value if self.maximise else -value,
            violation=jnp.log(jnp.maximum(stacked, LEAST_RATIO)),
        )

    @override
    def chips(self, shared: Point, own: tuple[Point, ...]) -> list[Chip]:
        """That of each pool."""
        del shared
        found = []
        for pool, chosen in zip(self.pools, own, strict=True):
            category = chosen.category[0]
            case = pool.region.at(chosen.values[0], category)
            found.append(Chip(pool.members[0], case.system, pool.categories[int(category)]))
        return found

    @override
    def basis(self) -> list[str]:
        isl, osl = float(self.requests.isl), float(self.requests.osl)
        said = [
            f"requests have {isl:,.0f} tokens of prompt and {osl:,.0f} of answer, and do not wait"
            " in a queue; prompts pass whole",
            "each pool has whole instances: as many as the rate needs, where chips are not stated",
            "power is that of pools at work, as if all were busy at once",
        ]
        if "cache_out_time" in self.totals:
            said.append(
                "caches cross by the scale-out network, as fast as the slower side, once a prompt"
                " has passed, and count before the first token"
            )
        if "attention_time" in self.totals:
            said.append(
                "each token crosses between attention and experts once each way in every layer,"
                " with 16 bits an element unless stated; experts' chips pass it on among themselves"
            )
        return said

    def quantities(
        self, shared: Point, totals: Float[Array, " totals"], relaxation: AbstractRelaxation
    ) -> dict[str, Scalar]:
        """Every quantity that is known, by name [SI]."""
        served = self.served(shared, totals, relaxation)
        known = {name: it for name, it in QUANTITIES.items() if name in self.known}
        return {name: jnp.asarray(it.of(served)) for name, it in known.items()}

    @property
    def known(self) -> tuple[str, ...]:
        """Names of the quantities that are known."""
        return known_of(self.totals)


def known_of(totals: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the quantities that follow from some totals."""
    prompts = "prefill_time" in totals
    return tuple(it for it in QUANTITIES if prompts or it not in ("ttft", "e2e"))


def _ratio(limit: Limit, served: Served) -> Scalar:
    """How far a limit is used: above 1 it is violated."""
    if limit.name == PACE and limit.physical:
        return served.passing / served.tpot
    value = QUANTITIES[limit.name].of(served)
    return limit.bound / value if limit.at_least else value / limit.bound
