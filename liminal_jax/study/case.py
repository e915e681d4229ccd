"""A design with all that goes with it, and the prediction of the whole system that follows."""

import dataclasses

import equinox as eqx
import jax.numpy as jnp

from liminal_jax._arrays import Leaf, as_leaf, optional_leaf
from liminal_jax._once import evaluation, once
from liminal_jax._quantity import quantity
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.algorithm.algorithm import Algorithm
from liminal_jax.hardware.clock import clocked
from liminal_jax.hardware.planned import PlannedSystem
from liminal_jax.hardware.system import System
from liminal_jax.mapping.choice import AttentionChoice
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.placement import Placement
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.filled import filled_design
from liminal_jax.performance.prediction import Prediction
from liminal_jax.performance.predictor import predict
from liminal_jax.performance.served import Served
from liminal_jax.performance.serving import whole_prompts
from liminal_jax.performance.worked import decoded
from liminal_jax.study.quality import Quality
from liminal_jax.study.quantities import REQUESTS, Fleet
from liminal_jax.workload.lengths import Lengths
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request


class Case(eqx.Module):
    """A design, the workload that it serves, and the laws that judge it.

    Every number of it is a leaf, which a study may leave free.

    Attributes:
        system: Finished hardware, or planned chips.
        mapping: Degrees of parallelism of one instance.
        batch: Users in one micro-batch.
        model: What is served.
        request: How.
        assumptions: Which laws are used.
        placement: What lies in which memory; the fastest are filled first where left out.
        attention: How ranks share attention where that is chosen; else as the mapping says.
        chips: Chips of the whole system; as many as its instances need where left out.
        replicas: Instances, where chips are not stated; one where left out.
        clock: Clock of the chips over the nominal one; the voltage follows.
        algorithm: The levers of software; all off where left out.
        quality: What they cost in quality, if the study says so.
    """

    system: System | PlannedSystem
    mapping: Mapping
    batch: Leaf = eqx.field(converter=as_leaf, metadata=quantity("", "batch", whole=True))
    model: Model
    request: Request
    assumptions: Assumptions
    placement: Placement | None = None
    attention: AttentionChoice | None = None
    chips: Leaf | None = eqx.field(
        converter=optional_leaf, default=None, metadata=quantity("", "chips", whole=True)
    )
    replicas: Leaf | None = eqx.field(
        converter=optional_leaf, default=None, metadata=quantity("", "instances", whole=True)
    )
    clock: Leaf = eqx.field(
        converter=as_leaf, default=1.0, metadata=quantity("", "clock over nominal")
    )
    algorithm: Algorithm | None = None
    quality: Quality | None = None

    @property
    def decoding(self) -> Request:
        """The mean step that decodes."""
        return self.request.decoding()

    @property
    def lengths(self) -> Lengths | None:
        """Lengths of whole requests, where they are stated."""
        it = self.request
        if it.isl is None or it.osl is None:
            return None
        hit_rate = 0.0 if it.prefix_hit_rate is None else it.prefix_hit_rate
        return Lengths(it.isl, it.osl, prefix_hit_rate=hit_rate)

    @once
    def built(self, relaxation: AbstractRelaxation) -> System:
        """The hardware at its clock."""
        nominal = self.system
        if isinstance(nominal, PlannedSystem):
            nominal = nominal.system(relaxation)
        return clocked(nominal, self.clock, relaxation)

    @once
    def mapped(self) -> Mapping:
        """The degrees of parallelism, and how attention uses them."""
        if self.attention is None:
            return self.mapping
        return dataclasses.replace(self.mapping, attention=self.attention.mapping())

    def laws(self, relaxation: AbstractRelaxation) -> Assumptions:
        """The laws, with kinks read in some way."""
        return dataclasses.replace(self.assumptions, relaxation=relaxation)

    @once
    def design(self, relaxation: AbstractRelaxation) -> Design:
        """The design that is predicted."""
        system, mapping = self.built(relaxation), self.mapped()
        if self.placement is not None:
            return Design(system, mapping, self.placement, self.batch, self.algorithm)
        given = (self.model, self.decoding, self.laws(relaxation), self.algorithm)
        return filled_design(system, mapping, self.batch, *given)

    @evaluation
    def fleet(self, relaxation: AbstractRelaxation) -> Fleet:
        """The prediction of the whole system."""
        design, laws = self.design(relaxation), self.laws(relaxation)
        given = (design, self.model, self.decoding)
        instance = predict(*given, laws)
        if self.lengths is None:
            return self.whole(instance, relaxation)
        served = whole_prompts(*given, self.lengths, laws, decoded(instance))
        return self.whole(instance, relaxation, served)

    def whole(
        self,
        instance: Prediction,
        relaxation: AbstractRelaxation,
        served: Served | None = None,
    ) -> Fleet:
        """The whole system, given one of its instances, and how that serves whole requests."""
        bought = self.bought(instance.chips)
        whole = relaxation.floor(bought / instance.chips)
        unknown = jnp.asarray(jnp.nan)
        return Fleet(
            instance=instance,
            replicas=relaxation.maximum(whole, 1.0),
            bought=relaxation.maximum(bought, instance.chips),
            area=(self.system.die_area() if isinstance(self.system, PlannedSystem) else unknown),
            quality_lost=unknown if self.quality is None else self.quality.loss(self),
            served=served,
        )

    def bought(self, each: Leaf) -> Leaf:
        """Chips of the whole system, given those of an instance."""
        if self.chips is not None:
            return self.chips
        return each if self.replicas is None else each * self.replicas


def lacking_requests(name: str, case: Case) -> str | None:
    """Why a quantity cannot be asked of a case, if it is of whole requests and there are none."""
    if name not in REQUESTS or case.lengths is not None:
        return None
    return (
        f"{name} is of whole requests: state isl and osl, tokens of a prompt and of its answer,"
        " in [workload] or as numbers of the request"
    )
