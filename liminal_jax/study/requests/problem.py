"""A trace of requests as a problem of many members: each class maps and batches for itself.

A class decodes at its mean context on its share of the fleet, and its prompts pass there too. With
w_k of the requests in class k, x what it chooses and s the hardware,

    t_i = sum_k w_k c_i(s, x_k)          P(y < b) = sum_k w_k [y(s, x_k) < b]

are the means that objective and limits follow from (chips' time, energy, money of a request) and
the shares that percentiles limit. Where requests come at a stated rate R, class k has a whole
number of instances: R w_k times the time that a request takes of one, rounded up.
"""

import dataclasses
import math
from dataclasses import dataclass
from typing import cast

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar, as_leaf, optional_leaf
from liminal_jax._files import InputError
from liminal_jax._files import Problem as Mistake
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.hardware.plan import Buildability
from liminal_jax.hardware.planned import PlannedSystem
from liminal_jax.performance.request_cost import RequestCost, request_cost
from liminal_jax.study.case import Case
from liminal_jax.study.coupled import AbstractCoupled, AbstractGroup, Chip, Point, Rows, Terms
from liminal_jax.study.limits import physical_limits, use_of
from liminal_jax.study.numbers import of_hardware, stated_in
from liminal_jax.study.problem import FEASIBLE, Limit, Outcome, violation_of
from liminal_jax.study.quantities import Fleet
from liminal_jax.study.read import problem_of
from liminal_jax.study.region import Region, Variable
from liminal_jax.study.requests.classes import RequestClasses, classes_of
from liminal_jax.study.requests.file import RequestsConstraintTable, RequestsFile, RequestsQuestion
from liminal_jax.study.requests.quantities import (
    OF_A_CHIP,
    OF_A_REQUEST,
    OF_ALL,
    OF_THE_FLEET,
    STPS,
    UNITS,
    power_density,
)
from liminal_jax.workload.lengths import Lengths

OF_INSTANCES = ("chip_time", "energy", "capital_time", "price")
"""Numbers of a request that grow where instances must be whole."""

CONTEXT = "request.context"
"""The number that the trace states."""

_NARROW = 1e-4
"""A step that stands at this, read as a count, is smooth over a factor of 100 on either side."""


def above(ratio: Scalar, relaxation: AbstractRelaxation) -> Scalar:
    """1 where a positive ratio is above 1, else 0; a smooth step where kinks are smooth.

    Examples:
        >>> from liminal_jax._smooth import Exact, Soft
        >>> [float(above(it, Exact())) for it in (0.9, 1.0, 1.1)]
        [0.0, 0.0, 1.0]
        >>> [round(float(above(it, Soft(0.1))), 2) for it in (0.9, 1.0, 1.1)]
        [0.39, 0.5, 0.6]
    """
    middle = math.sqrt(_NARROW * (_NARROW + 1.0))
    return relaxation.exceeds(jnp.asarray(ratio, float) / (1 + FEASIBLE) * middle, _NARROW)


class Asked(eqx.Module):
    """A limit on a number of each request, or of each class's chips.

    Attributes:
        name: The number.
        bound: Its bound.
    """

    name: str = eqx.field(static=True)
    bound: Leaf = eqx.field(converter=as_leaf)

    def ratio(self, cost: RequestCost, fleet: Fleet, relaxation: AbstractRelaxation) -> Scalar:
        """How far it is used: above 1 it is violated."""
        if self.name in OF_A_CHIP:
            return OF_A_CHIP[self.name].of(cost, fleet, relaxation) / self.bound
        of = OF_A_REQUEST[self.name]
        value = of.of(cost)
        return self.bound / value if of.more else value / self.bound


class Proportion(eqx.Module):
    """How something follows from a total: in proportion.

    Attributes:
        place: Number of the total.
        factor: How much comes of one of it.
    """

    place: int = eqx.field(static=True)
    factor: Leaf = eqx.field(converter=as_leaf)

    def of(self, totals: Float[Array, " totals"]) -> Scalar:
        """What comes of some totals."""
        return self.factor * totals[self.place]

    def over(self, bound: float) -> "Proportion":
        """The same over a bound."""
        return Proportion(self.place, self.factor / bound)


@dataclass(frozen=True)
class TotalLimit(Limit):
    """A limit on what all members come to together."""

    @property
    @override
    def physical(self) -> bool:
        """Whether it holds for every design: no, the study asks for it."""
        return False


class RequestsGroup(AbstractGroup):
    """Classes of requests, or single requests.

    Attributes:
        members: Names.
        categories: None to choose from: one.
        variables: Mapping and batch.
        designs: The designs, whose numbers that the systems or memories differ in have rows.
        free: What is free: first what all share.
        means: Numbers of a request, by name, whose means are totals.
        parts: Limits of which totals are the shares of requests that break them.
        everyone: Limits that hold for every class.
        weights: Share of the requests that each stands for.
        prompts: Tokens of a prompt.
        answers: Tokens of an answer.
        contexts: Mean context of a step that decodes.
        rate: Requests a second, if they are stated.
    """

    members: tuple[str, ...] = eqx.field(static=True)
    categories: tuple[str, ...] = eqx.field(static=True)
    variables: tuple[Variable, ...] = eqx.field(static=True)
    designs: Case
    free: tuple[Variable, ...] = eqx.field(static=True)
    means: tuple[str, ...] = eqx.field(static=True)
    parts: tuple[Asked, ...]
    everyone: tuple[Asked, ...]
    weights: Float[Array, " members"] = eqx.field(converter=as_leaf)
    prompts: Float[Array, " members"] = eqx.field(converter=as_leaf)
    answers: Float[Array, " members"] = eqx.field(converter=as_leaf)
    contexts: Float[Array, " members"] = eqx.field(converter=as_leaf)
    rate: Leaf | None = eqx.field(converter=optional_leaf)

    @override
    def rows(self) -> Rows:
        return Rows((self.weights, self.prompts, self.answers, self.contexts), (self.designs,))

    def case(self, shared: Point, member: Int[Array, ""], own: Point) -> Case:
        """The design that a member chooses, at its context."""
        point = jnp.concatenate([shared.values, own.values])
        case = Region(self.designs, (), self.free, "").at(point, shared.category)
        return eqx.tree_at(lambda it: it.request.context, case, self.contexts[member])

    def cost(
        self, case: Case, member: Int[Array, ""], relaxation: AbstractRelaxation
    ) -> RequestCost:
        """What one of the member's requests costs on its design."""
        lengths = Lengths(self.prompts[member], self.answers[member])
        given = (case.model, case.request, lengths, case.laws(relaxation))
        return request_cost(case.design(relaxation), *given)

    @override
    def terms(
        self, shared: Point, member: Int[Array, ""], own: Point, relaxation: AbstractRelaxation
    ) -> Terms:
        case = self.case(shared, member, own)
        cost = self.cost(case, member, relaxation)
        fleet, weight = case.whole(cost.decoding, relaxation), self.weights[member]
        whole = jnp.asarray(1.0)
        if self.rate is not None:
            instances = self.rate * weight * cost.instance_time
            whole = relaxation.ceil(instances) / instances
        means = [
            weight * getattr(cost, name) * (whole if name in OF_INSTANCES else 1.0)
            for name in self.means
        ]
        parts = [weight * above(it.ratio(cost, fleet, relaxation), relaxation) for it in self.parts]
        ratios = _physical(case, cost, fleet, relaxation)
        ratios += [it.ratio(cost, fleet, relaxation) for it in self.everyone]
        return Terms(jnp.stack([*means, *parts]), _violation(ratios))


def _physical(
    case: Case, cost: RequestCost, fleet: Fleet, relaxation: AbstractRelaxation
) -> list[Scalar]:
    """How far the limits on one member's design are used that depend on what it chooses."""
    used = use_of(case, fleet, relaxation)
    names = [it for it in physical_limits(case) if it not in _OF_HARDWARE]
    if "thermal" in names:
        density = power_density(cost, fleet, relaxation)
        used["thermal"] = used["thermal"] * (density / fleet.instance.power_density)
    return [used[it] for it in names]


_OF_HARDWARE = ("whole_instance", *Buildability.__dataclass_fields__)
"""Limits that depend on the hardware alone; how many instances there are follows from the rate."""


def _violation(ratios: list[Scalar]) -> Float[Array, " limits"]:
    return violation_of(ratios) if ratios else jnp.zeros(0)


class RequestsProblem(AbstractCoupled):
    """The best hardware for the requests of a trace, with a mapping and batch for each class.

    Attributes:
        name: How results call it.
        goal: Name of the objective.
        unit: Its unit.
        maximise: Whether more of it is better.
        groups: The classes, in one group.
        categories: Memories or systems.
        variables: Numbers of the hardware.
        totals: Names of means and shares over all requests.
        limits: Limits on the hardware, then those that follow from totals.
        used: How far each of the latter is used.
        costs: The objective, of which less is better; the largest counts where there are several.
        classes: The classes, with their requests.
        asked: Classes that were asked for.
        constraints: Limits that the question sets, those on each class and on the fleet included.
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
    used: tuple[Proportion, ...]
    costs: tuple[Proportion, ...]
    classes: RequestClasses
    asked: int = eqx.field(static=True)
    constraints: tuple[Limit, ...] = eqx.field(static=True)

    @property
    @override
    def stated(self) -> tuple[Limit, ...]:
        """Limits that the question sets."""
        return self.constraints

    @property
    def group(self) -> RequestsGroup:
        """The classes."""
        return cast("RequestsGroup", self.groups[0])

    @override
    def judged(
        self, shared: Point, totals: Float[Array, " totals"], relaxation: AbstractRelaxation
    ) -> Outcome:
        costs = [it.of(totals) for it in self.costs]
        cost = costs[0] if len(costs) == 1 else relaxation.maximum(*costs)
        ratios = self._buildability(shared, relaxation) + [it.of(totals) for it in self.used]
        return Outcome(-jnp.log(cost), _violation(ratios))

    @override
    def chips(self, shared: Point, own: tuple[Point, ...]) -> list[Chip]:
        """The one that all classes share."""
        first = Point(own[0].category[0], own[0].values[0])
        case = self.group.case(shared, jnp.asarray(0), first)
        return [Chip("", case.system, self.categories[int(shared.category)])]

    @override
    def basis(self) -> list[str]:
        """What the answer rests on, in a sentence each."""
        classes, whole = len(self.group.members), self.group.rate is not None
        requests = float(self.classes.requests.counts.sum())
        fewer = (
            "" if classes >= self.asked else f", fewer than {self.asked}: no more lengths differ"
        )
        fleet = "whole in number" if whole else "of a fleet so large that parts of them do not show"
        return [
            f"{requests:,.0f} requests in {classes} classes{fewer}; a class counts as its mean"
            f" prompt and answer, so that a percentile is known to {1 / classes:.1%}",
            f"means of classes keep {self.classes.squares():.1%} of the mean square of prompts,"
            " with which their attention grows: more classes keep more of what long prompts cost",
            "prompts pass whole, on instances apart from those that decode; no request waits in a"
            f" queue; instances are {fleet}",
        ]

    def _buildability(self, shared: Point, relaxation: AbstractRelaxation) -> list[Scalar]:
        """How far the limits on what can be built are used; finished systems have none."""
        group = self.group
        first = jnp.asarray([it.grid.values[0] for it in group.variables], float)
        system = group.case(shared, jnp.asarray(0), Point(jnp.asarray(0), first)).system
        if not isinstance(system, PlannedSystem):
            return []
        built = system.buildability(relaxation)
        return [getattr(built, name) for name in Buildability.__dataclass_fields__]

    def each_request(self) -> "RequestsProblem":
        """The problem whose members are the requests, those alike as one, with their own lengths.

        A request decodes at the mean context of its class, whose batch it shares, and instances
        need not be whole, as no request has one of its own. `classes.rows` says whose choice each
        takes.
        """
        requests = self.classes.requests
        own = dataclasses.replace(
            self.group,
            members=tuple(map(str, range(len(self.classes.rows)))),
            weights=requests.counts / requests.counts.sum(),
            prompts=requests.prompts,
            answers=requests.answers,
            contexts=self.classes.contexts[self.classes.rows],
            rate=None,
        )
        return dataclasses.replace(self, groups=(own,))

    def sampled(
        self, key: PRNGKeyArray, size: int
    ) -> tuple["RequestsProblem", tuple[Int[Array, " members"], ...]]:
        """A problem of requests that are drawn, whose totals are on average those of all of them.

        Args:
            key: Of the draw.
            size: Requests drawn, with replacement, each as often as it comes.

        Returns:
            The problem, and for each group the members whose choices its own members take.
        """
        every = self.each_request()
        group = every.group
        drawn = jax.random.choice(key, len(group.weights), (size,), p=group.weights)
        own = dataclasses.replace(
            group,
            members=tuple(map(str, range(size))),
            weights=jnp.full(size, 1 / size),
            prompts=group.prompts[drawn],
            answers=group.answers[drawn],
            contexts=group.contexts[drawn],
        )
        return dataclasses.replace(every, groups=(own,)), (self.classes.rows[drawn],)


def requests_of(file: RequestsFile) -> RequestsProblem:
    """The problem of a study of a trace.

    Raises:
        InputError: mistakes that show only here; all of them.
    """
    mistakes = []
    if file.design.chips is not None:
        message = "how many there are follows from the requests; limit 'chips' in [[constraints]]"
        mistakes.append(Mistake("design.chips", message))
    region = problem_of(file.one()).region
    stated = stated_in(file.numbers, region.case, file.name)
    if CONTEXT in {it.path for it in stated}:
        mistakes.append(Mistake("design.numbers", "the trace states contexts; leave them out"))
    if region.case.lengths is not None:
        mistakes.append(Mistake("workload", "the trace states isl and osl; leave them out"))
    if mistakes:
        raise InputError(file.name, mistakes)
    return requests_problem(region, file.question)


def requests_problem(region: Region, question: RequestsQuestion) -> RequestsProblem:
    """The problem of some designs, whose numbers of hardware all classes share.

    Args:
        region: The designs.
        question: What is asked of them.
    """
    shared = tuple(it for it in region.variables if of_hardware(it.path))
    own = tuple(it for it in region.variables if not of_hardware(it.path))
    asked, constraints = question.objective.quantity, question.constraints
    classes = classes_of(question.trace, question.classes)
    means = _means(question)
    parts = [it for it in constraints if it.of_part]
    everyone = [it for it in constraints if not it.of_part and it.quantity not in OF_ALL]
    limits = _followed(question, means, classes.mean_answer())
    built = Buildability.__dataclass_fields__
    hardware = built if isinstance(region.case.system, PlannedSystem) else ()
    group = RequestsGroup(
        members=classes.names(),
        categories=("instances",),
        variables=own,
        designs=region.case,
        free=(*shared, *own),
        means=means,
        parts=tuple(Asked(it.quantity, it.limit) for it in parts),
        everyone=tuple(Asked(it.quantity, it.limit) for it in everyone),
        weights=classes.weights,
        prompts=classes.prompts,
        answers=classes.answers,
        contexts=classes.contexts,
        rate=question.rate,
    )
    return RequestsProblem(
        name=question.name,
        goal=asked,
        unit=UNITS[asked],
        maximise=question.objective.maximise is not None,
        groups=(group,),
        categories=region.categories,
        variables=shared,
        totals=(*means, *map(_share, parts)),
        limits=(
            *(Limit(name, at_least=False, bound=1.0, unit="") for name in hardware),
            *(limit for limit, _ in limits),
        ),
        used=tuple(used for _, used in limits),
        costs=_costs(question, means, classes.mean_answer()),
        classes=jax.tree.map(jnp.asarray, classes),
        asked=question.classes,
        constraints=tuple(map(_limit, constraints)),
    )


def _share(table: RequestsConstraintTable) -> str:
    """What the share of requests that break a limit is called."""
    side = "below" if table.at_least is not None else "above"
    return f"share of {table.quantity} {side} {table.limit:g} {UNITS[table.quantity]}"


def _limit(table: RequestsConstraintTable) -> Limit:
    """A limit as results show it."""
    if table.of_part:
        allowed = 1 - (table.percentile or 0.0) / 100
        return TotalLimit(_share(table), at_least=False, bound=allowed, unit="")
    at_least = table.at_least is not None
    return TotalLimit(table.quantity, at_least, table.limit, UNITS[table.quantity])


def _means(question: RequestsQuestion) -> tuple[str, ...]:
    """Numbers of a request whose means objective and limits follow from."""
    asked = [it.quantity for it in question.constraints if it.quantity in OF_ALL]
    if question.objective.quantity != STPS:
        asked.insert(0, question.objective.quantity)
    return tuple(dict.fromkeys(OF_ALL[it].total for it in asked))


def _proportion(
    quantity: str, question: RequestsQuestion, means: tuple[str, ...], answer: float
) -> Proportion:
    """How a number of all requests, or its inverse if more is better, follows from a mean."""
    law = OF_ALL[quantity]
    return Proportion(means.index(law.total), law.of(question.rate or 1.0, answer))


def _costs(
    question: RequestsQuestion, means: tuple[str, ...], answer: float
) -> tuple[Proportion, ...]:
    """The objective where less is better, its inverse where more is.

    The most tokens a second are those at which one of the limits on the fleet is used up.
    """
    if question.objective.quantity != STPS:
        return (_proportion(question.objective.quantity, question, means, answer),)
    return tuple(
        _proportion(it.quantity, question, means, answer).over(it.limit * answer)
        for it in question.constraints
        if it.quantity in OF_THE_FLEET
    )


def _followed(
    question: RequestsQuestion, means: tuple[str, ...], answer: float
) -> list[tuple[Limit, Proportion]]:
    """The limits that follow from totals, and how far each is used."""
    found, share = [], len(means)
    for it in question.constraints:
        limit = _limit(it)
        if it.of_part:
            found.append((limit, Proportion(share, 1 / limit.bound)))
            share += 1
        elif it.quantity in OF_ALL and question.objective.quantity != STPS:
            used = _proportion(it.quantity, question, means, answer)
            found.append((limit, used.over(1 / it.limit if limit.at_least else it.limit)))
    return found
