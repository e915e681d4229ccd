"""The problem: numbers of each layer and what all share, with totals that layers add up to."""

import dataclasses

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int
from typing_extensions import override

from liminal_jax._arrays import Scalar
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.mapping.placement import Placement
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.host import ConstantHost
from liminal_jax.performance.layer_load import (
    LOADS,
    LayerChoice,
    Load,
    layer_load,
    loads_prediction,
)
from liminal_jax.study.case import Case
from liminal_jax.study.coupled import AbstractCoupled, AbstractGroup, Chip, Point, Rows, Terms
from liminal_jax.study.layers.loss import AbstractLoss, Combination
from liminal_jax.study.limits import use_of
from liminal_jax.study.problem import Criterion, Limit, Outcome, violation_of
from liminal_jax.study.quantities import Fleet
from liminal_jax.study.region import Region, Variable

SRAM = "sram_capacity"
"""The limit on what layers place in SRAM: bytes over capacity, on the fullest chip."""

LOSS = "quality_loss"
"""The total of what layers lose; where they do not just add up, there is one total for each."""


class Shared(eqx.Module):
    """What all layers share.

    Attributes:
        case: The design with its workload; numbers in which alternatives differ have a row each.
        categories: Names of the alternatives.
        variables: What is free.
        kind: What the alternatives are.
    """

    case: Case
    categories: tuple[str, ...] = eqx.field(static=True)
    variables: tuple[Variable, ...] = eqx.field(static=True)
    kind: str = eqx.field(static=True)

    def at(self, point: Point) -> Case:
        """The case at a point."""
        region = Region(self.case, self.categories, self.variables, self.kind)
        return region.at(point.values, point.category)

    def design(self, case: Case, relaxation: AbstractRelaxation) -> Design:
        """Its design but for what layers place."""
        return Design(case.built(relaxation), case.mapped(), Placement(), case.batch)

    def laws(self, case: Case, relaxation: AbstractRelaxation) -> Assumptions:
        """Its laws, with hosts that draw their full power, so that energy is convex in the sums."""
        return dataclasses.replace(case.laws(relaxation), host=ConstantHost())


class LayerKind(AbstractGroup):
    """Layers of one kind, each with a precision, a window and a place in SRAM of its own.

    Attributes:
        members: Names of the layers.
        categories: One: there is nothing to choose but numbers.
        variables: What each chooses.
        shared: What all layers share.
        row: Which kind of the model's layers they are.
        first: Number of the first of them among all layers.
        layers: Layers of the model, of all kinds.
        fixed: What each might choose and has one value.
        loss: What a choice costs them in quality, if the study says so.
        apart: Whether each layer's loss is a total of its own.
    """

    members: tuple[str, ...] = eqx.field(static=True)
    categories: tuple[str, ...] = eqx.field(static=True)
    variables: tuple[Variable, ...] = eqx.field(static=True)
    shared: Shared
    row: int = eqx.field(static=True)
    first: int = eqx.field(static=True)
    layers: int = eqx.field(static=True)
    fixed: tuple[tuple[str, float], ...] = eqx.field(static=True)
    loss: AbstractLoss | None
    apart: bool = eqx.field(static=True)

    @property
    def _windowed(self) -> bool:
        return "window" in (*dict(self.fixed), *(it.name for it in self.variables))

    def _chosen(self, case: Case, own: Point) -> dict[str, Array]:
        """Every number of the layer, by name; those that it does not choose are shared."""
        given: dict[str, Scalar] = {
            "weight_bits": case.request.weight_bits,
            "kv_bits": case.request.kv_bits,
            "window": case.request.context,
            **dict.fromkeys(("sram", "sram_experts", "sram_cache"), 0.0),
            **dict(self.fixed),
            **{it.name: own.values[axis] for axis, it in enumerate(self.variables)},
        }
        return {name: jnp.asarray(it, float) for name, it in given.items()}

    @override
    def rows(self) -> Rows:
        if self.apart:
            raise NotImplementedError("each layer adds to a total of its own")
        return Rows(() if self.loss is None else self.loss.rows(), (self.shared.case,))

    @override
    def terms(
        self, shared: Point, member: Int[Array, ""], own: Point, relaxation: AbstractRelaxation
    ) -> Terms:
        case = self.shared.at(shared)
        it = self._chosen(case, own)
        bits = {name: it[name] for name in ("weight_bits", "kv_bits")}
        load = layer_load(
            case.model.layers[self.row],
            LayerChoice(
                request=dataclasses.replace(case.request, **bits),
                placement=Placement(it["sram"], it["sram_cache"], it["sram_experts"]),
                window=it["window"] if self._windowed else None,
            ),
            self.shared.design(case, relaxation),
            case.model,
            case.request,
            self.shared.laws(case, relaxation),
        )
        totals = jnp.stack([getattr(load, name) for name in LOADS])
        if self.loss is not None:
            lost = self.loss.of(member, it["weight_bits"], it["kv_bits"], it["window"])
            # Losses that do not just add up stay apart: each has a total of its own.
            own_total = (
                jnp.arange(self.layers) - self.first == member if self.apart else jnp.ones(1)
            )
            totals = jnp.concatenate([totals, own_total * lost])
        return Terms(totals, jnp.zeros(0))


class LayersProblem(AbstractCoupled):
    """The best choices of each layer and of what all share.

    Attributes:
        criterion: What is best.
        shared: What all layers share.
        combination: How losses of layers combine; they add up where left out.
        notes: What the answer rests on, in sentences.
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
    criterion: Criterion = eqx.field(static=True)
    shared: Shared
    combination: Combination | None = eqx.field(static=True)
    notes: tuple[str, ...] = eqx.field(static=True)

    @override
    def chips(self, shared: Point, own: tuple[Point, ...]) -> list[Chip]:
        """The one that all layers share."""
        del own
        category = self.shared.categories[int(shared.category)]
        return [Chip("", self.shared.at(shared).system, category)]

    @override
    def basis(self) -> list[str]:
        return list(self.notes)

    def fleet(
        self, shared: Point, totals: Float[Array, " totals"], relaxation: AbstractRelaxation
    ) -> Fleet:
        """The prediction of the whole system, given the totals over all layers."""
        case = self.shared.at(shared)
        instance = loads_prediction(
            _load(totals),
            self.shared.design(case, relaxation),
            case.model,
            case.request,
            self.shared.laws(case, relaxation),
        )
        fleet = case.whole(instance, relaxation)
        lost = totals[len(LOADS) :]
        if not len(lost):
            return fleet
        loss = lost[0] if self.combination is None else self.combination(lost)
        return dataclasses.replace(fleet, quality_lost=loss)

    @override
    def judged(
        self, shared: Point, totals: Float[Array, " totals"], relaxation: AbstractRelaxation
    ) -> Outcome:
        case, fleet = self.shared.at(shared), self.fleet(shared, totals, relaxation)
        system = self.shared.design(case, relaxation).system
        placed = _load(totals).sram / case.mapped().chips()
        # Where there is no SRAM a byte is too much.
        used = use_of(case, fleet, relaxation)
        used = used | {SRAM: placed / jnp.maximum(system.chip.sram.capacity, 1.0)}
        ratios = [limit.ratio(fleet, used) for limit in self.limits]
        return Outcome(jnp.asarray(self.criterion.score(fleet)), violation_of(ratios))


def _load(totals: Float[Array, " totals"]) -> Load:
    return Load(*(totals[place] for place in range(len(LOADS))))
