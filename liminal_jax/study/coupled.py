"""A problem of many members that share some numbers and compete for totals.

Layers of a model, pools of chips, classes of requests, models on one chip: each member chooses for
itself, and what it chooses adds to totals (time, memory, loss of quality, power, capital) that
objective and limits depend on. With member k's choice x_k and what all share, s,

    t = sum_k t_k(s, x_k)        minimise c(s, t)  where  r_j(s, t) <= 1  and  v_k(s, x_k) <= 0

with the cost c and the ratios r convex in t and never falling with it. A problem of this form can
have hundreds of variables: at given s the members meet only in t, so that given prices of the
totals each chooses by itself, which bounds the best design from above.
"""

import math
from abc import abstractmethod
from typing import Any, NamedTuple

import equinox as eqx
from jaxtyping import Array, Float, Int

from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.hardware.planned import PlannedSystem
from liminal_jax.hardware.system import System
from liminal_jax.study.problem import Limit, Outcome
from liminal_jax.study.region import Variable


class Point(NamedTuple):
    """A choice: of one of some categories, and a value of each variable.

    Attributes:
        category: Number of the category; 0 where there is one.
        values: Values of the variables, in their order, in SI.
    """

    category: Int[Array, ""]
    values: Float[Array, " variables"]


class Terms(eqx.Module):
    """What one member's choice comes to.

    Attributes:
        totals: What it adds to each total.
        violation: Log violation of each limit of its own, at most 0 where it holds; a limit of one
            member binds no other.
    """

    totals: Float[Array, " totals"]
    violation: Float[Array, " limits"]


class Chip(NamedTuple):
    """A chip of a design.

    Attributes:
        name: Whose it is; empty where all members share it.
        system: Its hardware.
        category: Its memory technology, or its system.
    """

    name: str
    system: System | PlannedSystem
    category: str


class Rows(NamedTuple):
    """Numbers of a group that stand in rows.

    Attributes:
        members: Arrays with a number for each member, or several.
        shared: Trees whose arrays have a number for each category of what all share.
    """

    members: tuple[Array, ...]
    shared: tuple[Any, ...]


class AbstractGroup(eqx.Module):
    """Members that choose from the same grid, under the same laws, with numbers of their own.

    Attributes:
        members: Names of the members.
        categories: Names of the objects among which each chooses; one at least.
        variables: Numbers that each chooses, with their grids.
    """

    members: eqx.AbstractVar[tuple[str, ...]]
    categories: eqx.AbstractVar[tuple[str, ...]]
    variables: eqx.AbstractVar[tuple[Variable, ...]]

    @abstractmethod
    def terms(
        self, shared: Point, member: Int[Array, ""], own: Point, relaxation: AbstractRelaxation
    ) -> Terms:
        """What a member's choice comes to; traceable by JAX in all arguments.

        Args:
            shared: What all members share.
            member: Number of the member within the group.
            own: Its choice.
            relaxation: How kinks are read.
        """

    def rows(self) -> Rows:
        """Where numbers lie in which members, or objects that all share, differ.

        Raises:
            NotImplementedError: they differ in more than a number.
        """
        if len(self.members) > 1:
            raise NotImplementedError("rows of members")
        return Rows((), ())

    @property
    def choices(self) -> int:
        """Choices that each member has."""
        return len(self.categories) * math.prod(len(it.grid.values) for it in self.variables)


class AbstractCoupled(eqx.Module):
    """A problem of many members.

    Attributes:
        name: How results call it.
        goal: Name of the objective.
        unit: Its unit.
        maximise: Whether more of it is better.
        groups: The members.
        categories: Names of the objects that all share one of, such as memories; one at least.
        variables: Numbers that all share, with their grids; there may be none.
        totals: Names of the totals.
        limits: Limits on totals and on what is shared, in the order of `Outcome.violation`.
    """

    name: eqx.AbstractVar[str]
    goal: eqx.AbstractVar[str]
    unit: eqx.AbstractVar[str]
    maximise: eqx.AbstractVar[bool]
    groups: eqx.AbstractVar[tuple[AbstractGroup, ...]]
    categories: eqx.AbstractVar[tuple[str, ...]]
    variables: eqx.AbstractVar[tuple[Variable, ...]]
    totals: eqx.AbstractVar[tuple[str, ...]]
    limits: eqx.AbstractVar[tuple[Limit, ...]]

    @abstractmethod
    def judged(
        self, shared: Point, totals: Float[Array, " totals"], relaxation: AbstractRelaxation
    ) -> Outcome:
        """Objective and limits, given the totals over all members; traceable by JAX.

        The score is the logarithm of the objective, negative where less is better. exp(-score) and
        exp(violation) are convex in the totals and never fall with them.

        Args:
            shared: What all members share.
            totals: Sums over all members.
            relaxation: How kinks are read.
        """

    def chips(self, shared: Point, own: tuple[Point, ...]) -> list[Chip]:
        """The chips of a design, for pictures of them.

        Args:
            shared: What all members share.
            own: For each group the choices of its members, stacked.
        """
        del shared, own
        return []

    def basis(self) -> list[str]:
        """What the answer rests on, in a sentence each."""
        return []

    @property
    def stated(self) -> tuple[Limit, ...]:
        """Limits that the question sets: not those that hold for every design."""
        return tuple(it for it in self.limits if not it.physical)

    @property
    def members(self) -> tuple[str, ...]:
        """Names of all members, group after group."""
        return tuple(name for group in self.groups for name in group.members)

    @property
    def count(self) -> int:
        """Variables: those that all share, and those of each member; categories count too."""
        own = sum(len(it.members) * _choosing(it) for it in self.groups)
        return _choosing(self) + own

    @property
    def size(self) -> int:
        """Designs in the space."""
        shared = len(self.categories) * math.prod(len(it.grid.values) for it in self.variables)
        return shared * math.prod(it.choices ** len(it.members) for it in self.groups)


def _choosing(it: AbstractGroup | AbstractCoupled) -> int:
    return len(it.variables) + (len(it.categories) > 1)
