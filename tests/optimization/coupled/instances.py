"""Small random problems of many members, whose every design can be listed."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from liminal_jax._compile import kept_unfused
from liminal_jax._smooth import AbstractRelaxation, Exact
from liminal_jax.optimization.coupled.assignment import (
    Assignment,
    Places,
    assignment_at,
    outcome_of,
)
from liminal_jax.study.coupled import AbstractCoupled, AbstractGroup, Point, Terms
from liminal_jax.study.domain import Grid
from liminal_jax.study.problem import FEASIBLE, Limit, Outcome
from liminal_jax.study.region import Variable


class Rooms(AbstractGroup):
    """Members that trade time for bytes and loss, on hardware of a bandwidth."""

    members: tuple[str, ...] = eqx.field(static=True)
    categories: tuple[str, ...] = eqx.field(static=True)
    variables: tuple[Variable, ...] = eqx.field(static=True)
    work: Float[Array, " members"]
    spoilt: Float[Array, " members"]
    faster: Float[Array, " categories"]

    def terms(
        self, shared: Point, member: Array, own: Point, relaxation: AbstractRelaxation
    ) -> Terms:
        bits, share = own.values
        speed = shared.values[0] * (1 + share) * self.faster[own.category]
        time = self.work[member] * bits / speed
        waiting = relaxation.maximum(time, self.work[member])
        loss = self.spoilt[member] / bits
        totals = jnp.stack([waiting, bits * share * self.work[member], loss])
        return Terms(totals, jnp.log(self.work[member] * bits / 12.0)[None])


class House(AbstractCoupled):
    """The least time times price, within room and loss."""

    name: str = eqx.field(static=True)
    goal: str = eqx.field(static=True)
    unit: str = eqx.field(static=True)
    maximise: bool = eqx.field(static=True)
    groups: tuple[AbstractGroup, ...]
    categories: tuple[str, ...] = eqx.field(static=True)
    variables: tuple[Variable, ...] = eqx.field(static=True)
    totals: tuple[str, ...] = eqx.field(static=True)
    limits: tuple[Limit, ...] = eqx.field(static=True)
    room: Float[Array, ""]
    loss: Float[Array, ""]
    dear: Float[Array, " categories"]

    def judged(self, shared: Point, totals: Array, relaxation: AbstractRelaxation) -> Outcome:
        time, room, loss = totals
        price = (1 + 0.2 * shared.values[0]) * self.dear[shared.category]
        cost = price * relaxation.maximum(time, 0.3 * room + 0.1)
        ratios = jnp.stack([room / self.room, loss / self.loss])
        score = -jnp.log(cost)
        return Outcome(score, jnp.log(jnp.maximum(ratios, 1e-6)))


def _variable(name: str, *values: float) -> Variable:
    return Variable(name, name, Grid(values, logarithmic=values[0] > 0))


def house(seed: int, members: int = 3, tight: float = 0.5) -> House:
    """A random problem of two groups.

    Args:
        seed: Seed of its numbers.
        members: Members of the first group; the second has one.
        tight: Share of the way from the least to the most loss and room that the limits allow.
    """
    random = np.random.default_rng(seed)

    def group(name: str, count: int, kinds: int) -> Rooms:
        return Rooms(
            members=tuple(f"{name}-{it}" for it in range(count)),
            categories=tuple(f"kind-{it}" for it in range(kinds)),
            variables=(_variable("bits", 4.0, 8.0, 16.0), _variable("share", 0.0, 0.5, 1.0)),
            work=jnp.asarray(random.uniform(0.2, 1.0, count)),
            spoilt=jnp.asarray(random.uniform(0.1, 1.0, count)),
            faster=jnp.asarray(random.uniform(1.0, 1.5, kinds)),
        )

    groups = group("layer", members, 1), group("head", 1, 2)
    spoilt = np.concatenate([np.asarray(it.spoilt) for it in groups])
    work = np.concatenate([np.asarray(it.work) for it in groups])
    most = spoilt.sum() / 4
    return House(
        name="house",
        goal="time times price",
        unit="s",
        maximise=False,
        groups=groups,
        categories=("cheap", "dear"),
        variables=(_variable("speed", 1.0, 2.0, 4.0, 8.0),),
        totals=("time", "room", "loss"),
        limits=(
            Limit("room", at_least=False, bound=1.0, unit=""),
            Limit("loss", at_least=False, bound=1.0, unit=""),
        ),
        room=jnp.asarray(tight * 8 * work.sum() + 1e-3),
        loss=jnp.asarray(most / 4 + tight * (most - most / 4)),
        dear=jnp.asarray([1.0, random.uniform(0.8, 1.2)]),
    )


def every_design(problem: AbstractCoupled) -> Places:
    """Every design of a problem, stacked."""

    def grid(it: AbstractCoupled | AbstractGroup) -> list[tuple[int, ...]]:
        shape = (len(it.categories), *(len(at.grid.values) for at in it.variables))
        return list(np.ndindex(*shape))

    own = [list(itertools.product(grid(it), repeat=len(it.members))) for it in problem.groups]
    shared, *choices = zip(*itertools.product(grid(problem), *own), strict=True)
    return Places(np.asarray(shared), tuple(map(np.asarray, choices)))


@kept_unfused
def _outcomes(problem: AbstractCoupled, designs: Assignment) -> Outcome:
    return jax.vmap(lambda it: outcome_of(problem, it, Exact()))(designs)


def exact_outcomes(problem: AbstractCoupled, designs: Places) -> Outcome:
    """What the exact model says of designs; compiled once for all problems of a structure."""
    return _outcomes(problem, assignment_at(problem, designs))


def best_by_enumeration(problem: AbstractCoupled) -> float:
    """The best score of all designs that meet every limit; -inf where none does."""
    outcome = exact_outcomes(problem, every_design(problem))
    feasible = np.all(np.asarray(outcome.violation) <= FEASIBLE, axis=1)
    return float(np.max(np.where(feasible, np.asarray(outcome.score), -np.inf), initial=-np.inf))
