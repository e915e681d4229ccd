"""A study as a function: from a point of its space to an outcome.

The space is the product of the grids of the free variables and of one category (the memory
technology, or the finished system). A point gives each numeric variable a real number; on the
lattice it is one of its grid's. Everything a search needs, a certificate needs too: it is here.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._compile import as_written
from liminal_jax._files import InputError
from liminal_jax._files import Problem as Mistake
from liminal_jax._smooth import AbstractRelaxation, Exact
from liminal_jax.hardware.clock import clocked
from liminal_jax.hardware.network import AbstractNetwork, AbstractPhysical
from liminal_jax.hardware.plan import (
    Buildability,
    buildability,
    plan_of,
    planned_chip,
    planned_die_area,
)
from liminal_jax.hardware.system import System
from liminal_jax.mapping.attention import (
    ATTENTION_MAPPINGS,
    AbstractAttentionMapping,
    DataParallel,
    WeightedAttention,
    attention_name,
    excess,
)
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.sharing import head_division
from liminal_jax.performance.filled import filled_design
from liminal_jax.performance.predictor import predict
from liminal_jax.study.assemble import (
    Planned,
    Workload,
    hardware_files,
    hardware_of,
    workload_of,
)
from liminal_jax.study.domain import Grid
from liminal_jax.study.file import ConstraintTable, DesignFile, DesignTable, StudyFile
from liminal_jax.study.quantities import QUANTITIES, Fleet
from liminal_jax.study.variables import VARIABLES
from liminal_jax.workload.feedforward.base import AbstractMixture
from liminal_jax.workload.mixer.base import AbstractMixer
from liminal_jax.workload.model import Model

NUMERIC = tuple(VARIABLES)
"""Numeric variables of a design, in the order of a point."""

FULL = 1 + 1e-6
"""A ratio above this exceeds its limit by more than rounding."""

FEASIBLE = 1e-9
"""Share by which rounding may exceed a limit."""


class Limit(NamedTuple):
    """Something that a design must not exceed.

    Attributes:
        name: How results call it.
        at_least: Whether the value must be above the bound rather than below it.
        bound: The bound, in SI; physical limits are ratios with the bound 1.
        unit: Unit of value and bound.
    """

    name: str
    at_least: bool
    bound: float
    unit: str

    @property
    def physical(self) -> bool:
        """Whether it holds for every design, whatever the study asks."""
        return self.name in PHYSICAL


PHYSICAL = {
    "memory_capacity": "data over memory, on the fullest chip",
    "whole_instance": "chips of one instance over chips bought",
    "expert_ranks": "expert-parallel ranks over chips of a stage",
    "expert_groups": "chips that whole expert groups need over those of a stage",
    "experts": "expert-parallel ranks over experts",
    "stages": "pipeline stages over layers",
    "heads": "heads that ranks would compute over the heads there are",
    "kv_heads": "KV heads that ranks would hold over those they can share evenly",
    "attention_groups": "ranks of whole groups that share attention over ranks of a stage",
    "attention_experts": "ranks of a stage over expert-parallel ranks, beside other users' groups",
    "shared_experts": "ranks of whole groups that share an expert over ranks that share attention",
    "reticle": "area of a die over the largest die",
    "shoreline": "die edge that memory or links between dies need over the edge there is",
    "whole_stacks": "stacks or units for equally many on each die over those there are",
    "stacked_area": "area that stacked memory covers over the area of the dies",
    "interposer": "interposer over the largest that is made",
    "thermal": "power density over what the memory on top endures",
}
"""Limits that hold for every design; each is a ratio that must not exceed 1."""


class Outcome(eqx.Module):
    """What a study sees of a point.

    Attributes:
        score: Logarithm of the objective, with the sign that makes more better.
        excess: For each limit the logarithm of how far it is exceeded; at most 0 where it holds.
    """

    score: Leaf
    excess: Float[Array, " limits"]

    def feasible(self) -> Array:
        """Whether every limit holds."""
        return jnp.all(self.excess <= FEASIBLE)


@dataclass(frozen=True)
class Variable:
    """A free numeric variable.

    Attributes:
        name: Its name in the design table.
        position: Its place in a point.
        grid: Its values.
    """

    name: str
    position: int
    grid: Grid


class _Hardware(NamedTuple):
    """Hardware at a point.

    Attributes:
        system: Chip, network, facility.
        built: How far the chip is from what can be built; none for finished systems.
        die_area: Area of one logic die [m^2].
        endured: Power density that the memory on top endures [W/m^2].
    """

    system: System
    built: Buildability | None
    die_area: Scalar
    endured: Scalar


def _hardware_at(
    hardware: Planned | System,
    values: dict[str, Scalar],
    category: Int[Array, ""],
    relaxation: AbstractRelaxation,
) -> _Hardware:
    if isinstance(hardware, System):
        nominal = jax.tree.map(lambda leaf: leaf[category], hardware)
        system = clocked(nominal, values["clock"], relaxation)
        unknown, unlimited = jnp.asarray(jnp.nan), jnp.asarray(jnp.inf)
        return _Hardware(system, built=None, die_area=unknown, endured=unlimited)
    memory = jax.tree.map(lambda leaf: leaf[category], hardware.material.memory)
    material = eqx.tree_at(lambda it: it.memory, hardware.material, memory)
    plan = plan_of(values, hardware.material)
    nominal = System(
        chip=planned_chip(plan, material, relaxation),
        network=_joined(hardware.network, values["link_bandwidth"], values["domain"]),
        facility=hardware.facility,
        execution=hardware.execution,
        die_links=hardware.material.die_links,
    )
    return _Hardware(
        clocked(nominal, values["clock"], relaxation),
        built=buildability(plan, material, relaxation),
        die_area=planned_die_area(plan, material),
        endured=material.memory.power_density_limit,
    )


@as_written
def _exact_system(
    hardware: Planned | System, point: Float[Array, " numbers"], category: Int[Array, ""]
) -> System:
    """Compiled once for each structure of hardware."""
    return _hardware_at(hardware, _values(point), category, Exact()).system


def _values(point: Iterable[Scalar]) -> dict[str, Scalar]:
    """The numbers of a point by their names."""
    return dict(zip(NUMERIC, point, strict=True))


@dataclass(frozen=True)
class Problem:
    """A study, ready to be evaluated.

    Attributes:
        file: The study.
        workload: What is computed.
        hardware: What the chips are made of, or finished systems, stacked by category.
        categories: Names of the categories.
        variables: Free numeric variables.
        point: A point with the first value of each variable.
        limits: Limits in the order of `Outcome.excess`.
    """

    file: DesignFile
    workload: Workload
    hardware: Planned | System
    categories: tuple[str, ...]
    variables: tuple[Variable, ...]
    point: tuple[float, ...]
    limits: tuple[Limit, ...]

    @property
    def lattice(self) -> int:
        """Designs in the space."""
        return len(self.categories) * math.prod(len(it.grid.values) for it in self.variables)

    @property
    def asked(self) -> str:
        """The quantity that decides; empty for a design, which asks for nothing."""
        return self.file.objective.quantity if isinstance(self.file, StudyFile) else ""

    @property
    def maximises(self) -> bool:
        """Whether more of the objective is better."""
        return isinstance(self.file, StudyFile) and self.file.objective.maximise is not None

    def objective(self, score: float) -> float:
        """The objective of a score, which is its logarithm with the sign that makes more better."""
        return math.exp(score) if self.maximises else math.exp(-score)

    def system(
        self,
        point: Float[Array, " numbers"],
        category: Int[Array, ""],
        relaxation: AbstractRelaxation,
    ) -> System:
        """The hardware at a point."""
        return _hardware_at(self.hardware, _values(point), category, relaxation).system

    def exact_system(self, point: Float[Array, " numbers"], category: int) -> System:
        """The hardware at a point as it is, compiled as a whole where nothing is traced."""
        return _exact_system(self.hardware, point, jnp.asarray(category))

    def mapping(self, point: Iterable[Scalar]) -> Mapping:
        """The degrees of parallelism at a point, and how attention uses them."""
        values, table = _values(point), self.file.design
        shared = None if table.shared_expert_ranks is None else values["shared_expert_ranks"]
        return Mapping(
            **{name: values[name] for name in ("tp", "cp", "pp", "ep")},
            attention=attention_mapping(
                table.attention.values,
                values["attention"],
                None if table.attention_ranks is None else values["attention_ranks"],
            ),
            shared_expert_ranks=shared,
        )

    def fleet(
        self,
        point: Float[Array, " numbers"],
        category: Int[Array, ""],
        relaxation: AbstractRelaxation,
    ) -> tuple[Fleet, dict[str, Scalar]]:
        """All instances at a point, and how far each physical limit is used."""
        values = _values(point)
        hardware = _hardware_at(self.hardware, values, category, relaxation)
        system, mapping = hardware.system, self.mapping(point)
        model, request = self.workload.model, self.workload.request
        assumptions = self.workload.assumptions(system.network, relaxation)
        design = filled_design(system, mapping, values["batch"], model, request, assumptions)
        instance = predict(design, model, request, assumptions)
        chips = values["chips"] if self.file.design.chips is not None else instance.chips
        whole = relaxation.floor(chips / instance.chips)
        fleet = Fleet(
            instance=instance,
            replicas=relaxation.maximum(whole, 1.0),
            chips=relaxation.maximum(chips, instance.chips),
            die_area=hardware.die_area,
        )
        used = {
            "memory_capacity": instance.memory_fill,
            "whole_instance": instance.chips / chips,
            **_mapping_use(mapping, model, relaxation),
            **_attention_use(mapping, self._mixers(), self._stated(values), relaxation),
        }
        if hardware.built is not None:
            fields = Buildability.__dataclass_fields__
            used |= {name: getattr(hardware.built, name) for name in fields}
            used["thermal"] = instance.power_density / hardware.endured
        return fleet, used

    def _mixers(self) -> tuple[AbstractMixer, ...]:
        """Those whose heads limit the degrees; the talk's accounting divides ideally."""
        counted = self.workload.model.layers if self.workload.accounting == "model" else ()
        return tuple(it.attention for it in counted if it.attention is not None)

    def _stated(self, values: dict[str, Scalar]) -> Scalar | None:
        """Ranks that share one user's attention, where the design states them."""
        return None if self.file.design.attention_ranks is None else values["attention_ranks"]

    def outcome(
        self,
        point: Float[Array, " numbers"],
        category: Int[Array, ""],
        relaxation: AbstractRelaxation,
    ) -> Outcome:
        """Objective and limits at a point.

        Raises:
            TypeError: the file asks for nothing; it is a design, not a study.
        """
        if not isinstance(self.file, StudyFile):
            raise TypeError("a design has no objective")
        fleet, used = self.fleet(point, category, relaxation)
        objective = self.file.objective
        value = jnp.log(QUANTITIES[objective.quantity].of(fleet))
        return Outcome(
            score=value if self.maximises else -value,
            excess=jnp.log(jnp.maximum(jnp.stack(self.ratios(fleet, used)), LEAST_RATIO)),
        )

    def sizes(self) -> "Sizes":
        """What degrees and model have to agree on, at the first point."""
        mapping, stated = self.mapping(self.point), self._stated(_values(self.point))
        ranks = None if stated is None else as_leaf(stated)
        found = _sizes(mapping, self.workload.model, self._mixers(), ranks)
        return jax.tree.map(float, found)

    def ratios(self, fleet: Fleet, used: dict[str, Scalar]) -> list[Scalar]:
        """How far each limit is used, in their order: above 1 it is violated.

        Args:
            fleet: All instances at a point.
            used: How far each physical limit is used there.
        """
        constraints = self.file.constraints if isinstance(self.file, StudyFile) else []
        ratios = [used[limit.name] for limit in self.limits if limit.name in used]
        return ratios + [_ratio(constraint, fleet) for constraint in constraints]


LEAST_RATIO = 1e-6
"""Limits used less than this count as used this much, so that their logarithm is finite."""


def _ratio(constraint: ConstraintTable, fleet: Fleet) -> Scalar:
    """How far a constraint is used: above 1 it is violated."""
    value = QUANTITIES[constraint.quantity].of(fleet)
    if constraint.at_least is not None:
        return constraint.at_least / value
    return value / constraint.limit


def _joined(network: AbstractNetwork, bandwidth: Scalar, domain: Scalar) -> AbstractNetwork:
    """The network of a planned chip, with the bandwidth and domain of the design."""
    if not isinstance(network, AbstractPhysical):
        raise TypeError("a planned chip needs a network with bandwidth and latency")
    return eqx.tree_at(lambda it: (it.bandwidth, it.domain), network, (bandwidth, domain))


def attention_mapping(
    choices: tuple[float, ...], place: Scalar, ranks: Scalar | None
) -> AbstractAttentionMapping:
    """The attention mapping at a place among some choices; between two, the mean of both.

    Args:
        choices: Places of the mappings among all, ascending.
        place: One of them, or a number between.
        ranks: Ranks that share one user's attention; as the mapping has it where left out.
    """
    options = tuple(_attention_of(it, ranks) for it in choices)
    if len(options) == 1:
        return options[0]
    shares = [(place - low) / (high - low) for low, high in pairwise(choices)]
    passed = [jnp.clip(share, 0.0, 1.0) for share in shares]
    weights = [1 - passed[0], *(one - two for one, two in pairwise(passed))]
    return WeightedAttention(jnp.stack([*weights, passed[-1]]), options)


def _attention_of(place: float, ranks: Scalar | None) -> AbstractAttentionMapping:
    kind = ATTENTION_MAPPINGS[attention_name(place)]
    return kind() if kind is DataParallel else kind(ranks)


def _least_experts(model: Model) -> Scalar:
    """Experts of the mixture that has the fewest; 1 for a model without experts."""
    mixtures = [
        it.feedforward for it in model.layers if isinstance(it.feedforward, AbstractMixture)
    ]
    experts = [mixture.experts for mixture in mixtures] or [jnp.asarray(1.0)]
    return jnp.min(jnp.stack(experts))


def _mapping_use(
    mapping: Mapping, model: Model, relaxation: AbstractRelaxation
) -> dict[str, Scalar]:
    """Ratios above 1 where degrees do not go together."""
    ranks = mapping.stage_chips()
    return {
        "expert_ranks": mapping.ep / ranks,
        "expert_groups": relaxation.ceil(ranks / mapping.ep) * mapping.ep / ranks,
        "experts": mapping.ep / _least_experts(model),
        "stages": mapping.pp / model.layer_count(),
    }


def _attention_use(
    mapping: Mapping,
    mixers: tuple[AbstractMixer, ...],
    stated: Scalar | None,
    relaxation: AbstractRelaxation,
) -> dict[str, Scalar]:
    """Ratios above 1 where attention and degrees do not go together."""
    ranks, group = mapping.stage_chips(), mapping.attention_ranks()
    shared = mapping.shared_ranks()
    groups = excess(ranks, group, relaxation)
    if stated is not None:
        groups = groups * (stated / group)
    apart = relaxation.exceeds(ranks / group, 1.0)
    # Ratios that are 1 where they hold: their product is 1 where all of them hold.
    heads = kv_heads = 1.0
    for mixer in mixers:
        division = head_division(mixer, mapping, relaxation)
        heads = heads * division.head_demand
        kv_heads = kv_heads * division.kv_demand
    return {
        "heads": heads,
        "kv_heads": kv_heads,
        "attention_groups": groups,
        "attention_experts": 1 + apart * (ranks / mapping.ep - 1),
        "shared_experts": excess(group, shared, relaxation),
    }


class Sizes(NamedTuple):
    """What the degrees of a design and its model have to agree on.

    Attributes:
        layers: Layers of the model.
        experts: Experts of the mixture that has the fewest; 1 for a model without experts.
        attention_ranks: Ranks that share one user's attention.
        shared_ranks: Ranks that share a shared expert.
        used: How far the limits on degrees and attention are used.
    """

    layers: Scalar
    experts: Scalar
    attention_ranks: Scalar
    shared_ranks: Scalar
    used: dict[str, Scalar]


@eqx.filter_jit
def _sizes(
    mapping: Mapping, model: Model, mixers: tuple[AbstractMixer, ...], stated: Leaf | None
) -> Sizes:
    """Compiled once for each structure of model and mapping, whatever their numbers."""
    return Sizes(
        layers=model.layer_count(),
        experts=_least_experts(model),
        attention_ranks=mapping.attention_ranks(),
        shared_ranks=mapping.shared_ranks(),
        used=_attention_use(mapping, mixers, stated, Exact()),
    )


def degree_contradictions(problem: Problem) -> list[Mistake]:
    """Why the degrees of a design cannot be, with the field that has to change."""
    values: dict[str, float] = dict(zip(NUMERIC, problem.point, strict=True))
    table, sizes = problem.file.design, problem.sizes()
    ranks, ep, pp = values["tp"] * values["cp"], values["ep"], values["pp"]
    instance, layers, experts = ranks * pp, sizes.layers, sizes.experts
    messages = {
        "design.ep": [
            (ranks % ep != 0, f"must divide tp x cp = {ranks:g}, got {ep:g}"),
            (ep > experts, f"must be at most {experts:g}, the experts of the model, got {ep:g}"),
        ],
        "design.pp": [
            (pp > layers, f"must be at most {layers:g}, the layers of the model, got {pp:g}")
        ],
        "design.chips": [
            (
                table.chips is not None and values["chips"] < instance,
                f"must be at least tp x cp x pp = {instance:g}, got {values['chips']:g}",
            )
        ],
    }
    found = [
        Mistake(path, message)
        for path, rows in messages.items()
        for wrong, message in rows
        if wrong
    ]
    return found + _attention_contradictions(problem, values, sizes)


def _attention_contradictions(
    problem: Problem, values: dict[str, float], sizes: Sizes
) -> list[Mistake]:
    """Why the mapping of attention of a design cannot be."""
    group, ranks = sizes.attention_ranks, values["tp"] * values["cp"]
    shared, ep, used = sizes.shared_ranks, values["ep"], sizes.used
    name = attention_name(values["attention"])
    if sizes.experts == 1 and ranks > group:
        message = (
            f"{name} with groups of {group:g} of {ranks:g} ranks spreads routed experts, and"
            f" {problem.file.workload.model} has none; take split-sequence or copied-heads"
        )
        return [Mistake("design.attention", message)]
    rows = [
        (
            "design.tp",
            used["heads"] > FULL,
            "must divide the heads of every attention of the model, got"
            f" {values['tp']:g}; attention = 'padded-heads' computes heads that are not there",
        ),
        (
            "design.tp",
            used["kv_heads"] > FULL,
            "must divide the KV heads of every attention of the model, or be a multiple of them,"
            f" got {values['tp']:g}; attention = 'padded-heads' holds one KV head more",
        ),
        (
            "design.attention_ranks",
            used["attention_groups"] > FULL,
            f"must divide tp x cp = {ranks:g}, and be 1 for data-parallel attention, got"
            f" {values['attention_ranks']:g}",
        ),
        (
            "design.ep",
            ep <= ranks and used["attention_experts"] > FULL,
            f"must be tp x cp = {ranks:g} where groups of ranks attend to users of their own, got"
            f" {ep:g}",
        ),
        (
            "design.shared_expert_ranks",
            used["shared_experts"] > FULL,
            f"must divide the {group:g} ranks that share a user's attention, got {shared:g}",
        ),
    ]
    return [Mistake(path, message) for path, wrong, message in rows if wrong]


def _variables(table: DesignTable) -> tuple[tuple[Variable, ...], tuple[float, ...]]:
    variables, point = [], []
    for position, name in enumerate(NUMERIC):
        grid: Grid | None = getattr(table, name)
        point.append(1.0 if grid is None else grid.values[0])
        if grid is not None and grid.free:
            variables.append(Variable(name=name, position=position, grid=grid))
    return tuple(variables), tuple(point)


def _limits(file: DesignFile) -> tuple[Limit, ...]:
    planned = file.design.system is None
    names = (
        list(PHYSICAL)
        if planned
        else [
            name for name in PHYSICAL if name not in (*Buildability.__dataclass_fields__, "thermal")
        ]
    )
    limits = [Limit(name=name, at_least=False, bound=1.0, unit="") for name in names]
    constraints = file.constraints if isinstance(file, StudyFile) else []
    return tuple(limits) + tuple(
        Limit(
            name=constraint.quantity,
            at_least=constraint.at_least is not None,
            bound=constraint.limit,
            unit=QUANTITIES[constraint.quantity].unit,
        )
        for constraint in constraints
    )


def _refuse_idle_tier(file: DesignFile, model: Model) -> None:
    """Refuse a tier in which experts alone may lie, for a model that has none."""
    holds = file.design.tier_holds
    if holds is None or holds.names != ("experts",) or float(_least_experts(model)) > 1:
        return
    message = (
        f"names experts alone and {file.workload.model} has none, so that the tier holds nothing;"
        " name cache or weights too, or leave the tier out"
    )
    raise InputError(file.name, [Mistake("design.tier_holds", message)])


def problem_of(file: DesignFile) -> Problem:
    """A study, or a design, ready to be evaluated.

    Raises:
        InputError: systems that cannot be compared in one study, a capacity tier that can hold
            nothing, or mistakes in the files that it names.
    """
    table, workload = file.design, workload_of(file.workload)
    _refuse_idle_tier(file, workload.model)
    variables, point = _variables(table)
    planned = table.system is None
    names = table.memory if planned else table.system
    return Problem(
        file=file,
        workload=workload,
        hardware=hardware_of(file, hardware_files(file)),
        categories=names.names if names is not None else (),
        variables=variables,
        point=point,
        limits=_limits(file),
    )
