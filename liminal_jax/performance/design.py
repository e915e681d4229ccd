"""The design, and the assumptions under which it is predicted."""

import dataclasses
from typing import TYPE_CHECKING, TypeAlias

import equinox as eqx

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._quantity import quantity
from liminal_jax._show import Shown, absent
from liminal_jax._smooth import AbstractRelaxation, Exact
from liminal_jax.algorithm.algorithm import Algorithm
from liminal_jax.algorithm.decoding import ParallelDecoding
from liminal_jax.calibration.base import AbstractCalibration, Ideal
from liminal_jax.hardware.chip import CapacityTier, MemoryTier
from liminal_jax.hardware.planned import PlannedSystem
from liminal_jax.hardware.system import System
from liminal_jax.mapping.collectives import AbstractCollectives, LayerCollectives
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.division import AbstractDivision, WholeParts
from liminal_jax.mapping.placement import Placement, Shares
from liminal_jax.performance.host import AbstractHost, ActiveHost
from liminal_jax.performance.overlap import AbstractTiers, ParallelTiers
from liminal_jax.performance.pictured import drawable, pictures
from liminal_jax.workload.block import Block

if TYPE_CHECKING:
    # The laws see finished hardware alone: predictions begin by working out what was planned.
    Hardware: TypeAlias = System
else:
    Hardware = System | PlannedSystem


class Design(Shown):
    """Everything that an architect chooses.

    Attributes:
        system: The hardware; planned chips are worked out where predictions begin.
        mapping: Degrees of parallelism of one instance.
        placement: Placement of data in memories. If it is left out, predictions fill the SRAM with
            what is read most often for its size, as `filled_design` does; `Placement()` leaves the
            SRAM empty.
        batch: Users in one micro-batch.
        algorithm: The levers of software; all off where it is left out.

    Examples:
        >>> from liminal_jax import load_system
        >>> design = Design(load_system("h200"), Mapping(tp=8), batch=32)
        >>> design.placement is None, float(design.batch)
        (True, 32.0)
    """

    system: Hardware
    mapping: Mapping = eqx.field(default_factory=Mapping)
    placement: Placement | None = eqx.field(
        default=None, metadata=absent("SRAM filled with what is read most often for its size")
    )
    batch: Leaf = eqx.field(converter=as_leaf, default=1, metadata=quantity("", "batch"))
    algorithm: Algorithm | None = eqx.field(default=None, metadata=absent("one token a step"))

    def _repr_html_(self) -> str:
        """Its numbers as a table, then its package and its chips as pictures.

        Designs whose numbers are traced, have several values or are left out have no picture.
        """
        table = super()._repr_html_()
        drawn = drawable(self.system) and drawable(self.mapping)
        return table + pictures(self.system, self.mapping) if drawn else table

    def block(self) -> Block | None:
        """Tokens of a user that pass the model in one step; a single one where left out."""
        return None if self.algorithm is None else self.algorithm.block()

    def accepted(self, relaxation: AbstractRelaxation) -> Scalar:
        """Tokens that a user gains by a step."""
        return 1.0 if self.algorithm is None else self.algorithm.accepted(relaxation)

    def proposing(self, block: Block | None) -> "Design":
        """The design as it proposes drafts: a token of each user in a step, or a block of them."""
        if block is None:
            return dataclasses.replace(self, algorithm=None)
        canvas = ParallelDecoding(canvas=block.tokens)
        return dataclasses.replace(self, algorithm=Algorithm(parallel=canvas))

    def placed(self) -> Placement:
        """The placement of data in memories.

        Raises:
            ValueError: it is left out, and depends on what is computed.
        """
        if self.placement is None:
            raise ValueError(
                "placement is left out, so it depends on model and request: take"
                " filled_design(system, mapping, batch, model, request), or give one"
            )
        return self.placement

    def tiers(self) -> tuple[tuple[MemoryTier | CapacityTier, Shares], ...]:
        """The memories in which data lie, and the share of each kind of data in them.

        Raises:
            ValueError: data lie in a capacity tier that the chip does not have, or the placement
                is left out.
        """
        chip, shares = self.system.chip, self.placed().by_tier()
        if len(shares) == 2:
            return (chip.sram, shares[0]), (chip.memory, shares[1])
        if chip.capacity_tier is None:
            raise ValueError(
                "placement.capacity_tier puts data in a capacity tier and the chip has none;"
                " give the chip one, or leave placement.capacity_tier out"
            )
        return (chip.sram, shares[0]), (chip.memory, shares[1]), (chip.capacity_tier, shares[2])


class Assumptions(Shown):
    """Which laws are used where the literature has several.

    Attributes:
        relaxation: How kinks are read.
        tiers: How the memories overlap.
        collectives: Which collectives a layer needs.
        division: How evenly layers and experts divide.
        calibration: Losses compared with the ideal bound.
        host: How the power of hosts follows what the chips do.
    """

    relaxation: AbstractRelaxation = eqx.field(default_factory=Exact)
    tiers: AbstractTiers = eqx.field(default_factory=ParallelTiers)
    collectives: AbstractCollectives = eqx.field(default_factory=LayerCollectives)
    division: AbstractDivision = eqx.field(default_factory=WholeParts)
    calibration: AbstractCalibration = eqx.field(default_factory=Ideal)
    host: AbstractHost = eqx.field(default_factory=ActiveHost)
