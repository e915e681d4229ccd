"""A pool: chips of one design that do one thing for all requests."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Int
from typing_extensions import override

from liminal_jax._arrays import Scalar
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.study.case import Case
from liminal_jax.study.coupled import AbstractGroup, Point, Terms
from liminal_jax.study.limits import physical_limits, use_of
from liminal_jax.study.pools.duty import AbstractDuty, Load
from liminal_jax.study.pools.requests import Requests
from liminal_jax.study.problem import LEAST_RATIO
from liminal_jax.study.quantities import Fleet
from liminal_jax.study.region import Region, Variable


class Pool(AbstractGroup):
    """A pool, which is a group of one member.

    Attributes:
        members: Its name, alone.
        categories: Names of the memories or systems among which it chooses.
        variables: What is free of its design.
        case: What is not free. Numbers in which the alternatives differ have a row for each.
        kind: What the alternatives are: `memory` or `system`.
        duty: What it does.
        requests: What all pools serve.
        totals: Names of the totals of all pools.
    """

    members: tuple[str, ...] = eqx.field(static=True)
    categories: tuple[str, ...] = eqx.field(static=True)
    variables: tuple[Variable, ...] = eqx.field(static=True)
    case: Case
    kind: str = eqx.field(static=True)
    duty: AbstractDuty
    requests: Requests
    totals: tuple[str, ...] = eqx.field(static=True)

    @property
    def limits(self) -> tuple[str, ...]:
        """Names of its own limits, in the order of the violation."""
        return (*physical_limits(self.case), *self.duty.limits)

    @property
    def region(self) -> Region:
        """Its designs."""
        return Region(self.case, self.categories, self.variables, self.kind)

    def load(self, shared: Point, own: Point, relaxation: AbstractRelaxation) -> Load:
        """What the rate of requests makes of one of its designs."""
        case = self.region.at(own.values, own.category)
        return self.duty.load(case, self.requests, self.requests.at(shared), relaxation)

    @override
    def terms(
        self, shared: Point, member: Int[Array, ""], own: Point, relaxation: AbstractRelaxation
    ) -> Terms:
        del member
        found = self.load(shared, own, relaxation)
        adds = _money(found.fleet) | found.times
        used = use_of(found.case, found.fleet, relaxation) | found.use
        ratios = jnp.stack([jnp.asarray(used[name], float) for name in self.limits])
        return Terms(
            totals=jnp.stack([jnp.asarray(adds.get(it, 0.0), float) for it in self.totals]),
            violation=jnp.log(jnp.maximum(ratios, LEAST_RATIO)),
        )


def _money(fleet: Fleet) -> dict[str, Scalar]:
    """What every pool adds; the costs of its tokens, whatever they are, times their number."""
    return {
        "chips": fleet.chips,
        "capital_cost": fleet.capital_cost,
        "power": fleet.power,
        "power_provisioned": fleet.power_provisioned,
        "wall_power": fleet.energy_per_token * fleet.stps,
        "spending": fleet.usd_per_million_tokens * fleet.stps * 1e-6,
    }
