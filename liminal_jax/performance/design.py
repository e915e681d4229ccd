"""What an architect chooses, and which laws judge it."""

import equinox as eqx

from liminal_jax._arrays import Leaf, as_leaf
from liminal_jax._smooth import AbstractRelaxation, Exact
from liminal_jax.calibration.base import AbstractCalibration, Ideal
from liminal_jax.hardware.system import System
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.division import AbstractDivision, WholeParts
from liminal_jax.mapping.exchange import AbstractExchange, LayerExchange
from liminal_jax.mapping.placement import Placement
from liminal_jax.performance.host import AbstractHost, ActiveHost
from liminal_jax.performance.overlap import AbstractTiers, ParallelTiers


class Design(eqx.Module):
    """Everything that an architect chooses.

    Attributes:
        system: The hardware.
        mapping: Degrees of parallelism of one instance.
        placement: What lies in SRAM.
        batch: Users in one micro-batch.
    """

    system: System
    mapping: Mapping
    placement: Placement
    batch: Leaf = eqx.field(converter=as_leaf)


class Assumptions(eqx.Module):
    """Which laws are used where the literature has several.

    Attributes:
        relaxation: How kinks are read.
        tiers: How SRAM and main memory overlap.
        exchange: Which collectives a layer needs.
        division: How evenly layers and experts divide.
        calibration: What is lost against the ideal bound.
        host: How the power of hosts follows what the chips do.
    """

    relaxation: AbstractRelaxation = eqx.field(default_factory=Exact)
    tiers: AbstractTiers = eqx.field(default_factory=ParallelTiers)
    exchange: AbstractExchange = eqx.field(default_factory=LayerExchange)
    division: AbstractDivision = eqx.field(default_factory=WholeParts)
    calibration: AbstractCalibration = eqx.field(default_factory=Ideal)
    host: AbstractHost = eqx.field(default_factory=ActiveHost)
