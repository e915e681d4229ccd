"""The capacity tier of a planned chip: what its units give, and what they take of the chip."""

import equinox as eqx

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax.hardware.chip import CapacityTier
from liminal_jax.hardware.kinds import KINDS
from liminal_jax.hardware.technology import CapacityTechnology, Process


class TierMaterial(eqx.Module):
    """What a capacity tier is made of.

    Attributes:
        technology: What its units are.
        kinds: Kinds of data that may lie in it, of `KINDS`.
    """

    technology: CapacityTechnology
    kinds: tuple[str, ...] = eqx.field(static=True, default=KINDS)


class PlannedTier(eqx.Module):
    """A capacity tier of some units.

    Attributes:
        units: Units of the chip: modules on the board, or stacks in the package.
        material: What they are.
    """

    units: Leaf = eqx.field(converter=as_leaf)
    material: TierMaterial

    def interface_area(self, process: Process) -> Scalar:
        """Area of their interfaces and controllers on the dies [m^2]."""
        technology = self.material.technology
        controller = technology.controller_transistors / process.logic_density
        return self.units * (technology.phy_area + controller)

    def edge(self) -> Scalar:
        """Edge of the dies that they take [m]."""
        return self.units * self.material.technology.shoreline

    def interposer_area(self) -> Scalar:
        """Interposer that they take [m^2]."""
        return self.units * self.material.technology.interposer_area

    def bonded(self) -> Scalar:
        """Units that are bonded in the package."""
        return self.units * self.material.technology.in_package

    def bonded_price(self) -> Scalar:
        """Price of those units, which are sold with the chip [USD]."""
        return self.bonded() * self.material.technology.unit_price()

    def on_chip(self) -> CapacityTier:
        """The tier as the predictor sees it."""
        technology = self.material.technology
        return CapacityTier(
            capacity=self.units * technology.unit_capacity,
            bandwidth=self.units * technology.unit_bandwidth,
            energy=technology.access_energy,
            price=self.units * (1 - technology.in_package) * technology.unit_price(),
            standby_power=self.units * technology.standby_power,
            kinds=self.material.kinds,
        )
