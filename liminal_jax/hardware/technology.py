"""What a chip can be made of: memory technology, silicon process, packaging."""

import equinox as eqx

from liminal_jax._arrays import Leaf, Scalar, as_leaf, optional_leaf
from liminal_jax.laws.memory import stack_bandwidth, stack_capacity, stack_price


class MemoryTechnology(eqx.Module):
    """One kind of memory stack.

    Attributes:
        layers: Layers of memory in a stack, without its base die.
        footprint: Area of one layer [m^2].
        areal_density: Capacity of an area of one layer [B/m^2].
        bandwidth_per_area: Bandwidth of an area of footprint, all layers together [B/s/m^2].
        silicon_price: Price of an area of memory, with its share of bonding, test and base die
            [USD/m^2].
        access_energy: Energy of the whole path from memory to arithmetic [J/B].
        device_energy: What of that the memory device takes [J/B].
        phy_area: Area of the PHY of one stack on the logic die [m^2].
        controller_transistors: Transistors of the controller of one stack.
        shoreline: Edge of the logic die that a stack takes [m].
        interposer_area: Interposer that a stack takes [m^2].
        stacked_share: Share of the footprint that covers the logic die: 1 for memory bonded to it.
        embedded_share: Share of the footprint that is part of the logic die: 1 for SRAM.
        power_density_limit: Power that the logic below may draw; infinite where not limited
            [W/m^2].
    """

    layers: Leaf = eqx.field(converter=as_leaf)
    footprint: Leaf = eqx.field(converter=as_leaf)
    areal_density: Leaf = eqx.field(converter=as_leaf)
    bandwidth_per_area: Leaf = eqx.field(converter=as_leaf)
    silicon_price: Leaf = eqx.field(converter=as_leaf)
    access_energy: Leaf = eqx.field(converter=as_leaf)
    device_energy: Leaf = eqx.field(converter=as_leaf)
    phy_area: Leaf = eqx.field(converter=as_leaf)
    controller_transistors: Leaf = eqx.field(converter=as_leaf)
    shoreline: Leaf = eqx.field(converter=as_leaf)
    interposer_area: Leaf = eqx.field(converter=as_leaf)
    stacked_share: Leaf = eqx.field(converter=as_leaf)
    embedded_share: Leaf = eqx.field(converter=as_leaf)
    power_density_limit: Leaf = eqx.field(converter=as_leaf)

    def stack_capacity(self) -> Scalar:
        """Capacity of a stack [B]."""
        return stack_capacity(
            layers=self.layers, areal_density=self.areal_density, footprint=self.footprint
        )

    def stack_bandwidth(self) -> Scalar:
        """Bandwidth of a stack [B/s]."""
        return stack_bandwidth(bandwidth_per_area=self.bandwidth_per_area, footprint=self.footprint)

    def stack_price(self) -> Scalar:
        """Price of a stack [USD]."""
        return stack_price(
            silicon_price=self.silicon_price, layers=self.layers, footprint=self.footprint
        )


class CapacityTechnology(eqx.Module):
    """One kind of unit of a capacity tier: a module on the board, or a stack in the package.

    Attributes:
        unit_bandwidth: Bandwidth of a unit [B/s].
        unit_capacity: Capacity of a unit [B].
        access_energy: Energy of the whole path from a unit to the arithmetic [J/B].
        price: Price of capacity [USD/B].
        phy_area: Area of the PHY of one unit on the logic die [m^2].
        controller_transistors: Transistors of the controller of one unit.
        shoreline: Edge of the logic die that a unit takes [m].
        interposer_area: Interposer that a unit takes [m^2].
        in_package: 1 where the package holds the units, 0 where the board does.
        standby_power: Power that a unit draws whether it is read or not [W].
    """

    unit_bandwidth: Leaf = eqx.field(converter=as_leaf)
    unit_capacity: Leaf = eqx.field(converter=as_leaf)
    access_energy: Leaf = eqx.field(converter=as_leaf)
    price: Leaf = eqx.field(converter=as_leaf)
    phy_area: Leaf = eqx.field(converter=as_leaf)
    controller_transistors: Leaf = eqx.field(converter=as_leaf)
    shoreline: Leaf = eqx.field(converter=as_leaf)
    interposer_area: Leaf = eqx.field(converter=as_leaf)
    in_package: Leaf = eqx.field(converter=as_leaf)
    standby_power: Leaf = eqx.field(converter=as_leaf)

    def unit_price(self) -> Scalar:
        """Price of a unit [USD]."""
        return self.unit_capacity * self.price


class Process(eqx.Module):
    """A silicon process and its wafers.

    Attributes:
        compute_density: Dense 16-bit rate of an area of cores [FLOP/s/m^2].
        rate_8bit: Rate at 8 bits over that at 16.
        rate_4bit: Rate at 4 bits over that at 16.
        vector_fraction: Rate of the vector units over the tensor rate at 16 bits.
        sram_density: Capacity of an area of SRAM [B/m^2].
        sram_bandwidth_per_capacity: Bandwidth of SRAM over its capacity [1/s].
        sram_energy: Energy of reading SRAM [J/B].
        energy_per_flop: Energy of an 8-bit operation, data movement included [J/FLOP].
        logic_density: Transistors of an area of logic [1/m^2].
        link_phy_area: Area of links for a bandwidth [m^2/(B/s)].
        overhead_fraction: Share of a die for crossbar, control and the rest.
        buffer_capacity: SRAM of a die for working data, in which nothing stays [B].
        wafer_price: Price of a wafer [USD].
        defect_density: Defects [1/m^2].
        critical_fraction: Share of the area in which a defect kills.
        clustering: Clustering of defects.
        wafer_diameter: Diameter of a wafer [m].
        edge: Unused rim of a wafer [m].
        scribe: Width of a scribe line [m].
        reticle_width: Shorter side of the largest die [m].
        reticle_height: Longer side of the largest die [m].
        exponential_fraction: Rate of exponentials over the tensor rate at 16 bits [1/FLOP]; none
            where they are left to the vector units.
    """

    compute_density: Leaf = eqx.field(converter=as_leaf)
    rate_8bit: Leaf = eqx.field(converter=as_leaf)
    rate_4bit: Leaf = eqx.field(converter=as_leaf)
    vector_fraction: Leaf = eqx.field(converter=as_leaf)
    sram_density: Leaf = eqx.field(converter=as_leaf)
    sram_bandwidth_per_capacity: Leaf = eqx.field(converter=as_leaf)
    sram_energy: Leaf = eqx.field(converter=as_leaf)
    energy_per_flop: Leaf = eqx.field(converter=as_leaf)
    logic_density: Leaf = eqx.field(converter=as_leaf)
    link_phy_area: Leaf = eqx.field(converter=as_leaf)
    overhead_fraction: Leaf = eqx.field(converter=as_leaf)
    buffer_capacity: Leaf = eqx.field(converter=as_leaf)
    wafer_price: Leaf = eqx.field(converter=as_leaf)
    defect_density: Leaf = eqx.field(converter=as_leaf)
    critical_fraction: Leaf = eqx.field(converter=as_leaf)
    clustering: Leaf = eqx.field(converter=as_leaf)
    wafer_diameter: Leaf = eqx.field(converter=as_leaf)
    edge: Leaf = eqx.field(converter=as_leaf)
    scribe: Leaf = eqx.field(converter=as_leaf)
    reticle_width: Leaf = eqx.field(converter=as_leaf)
    reticle_height: Leaf = eqx.field(converter=as_leaf)
    exponential_fraction: Leaf | None = eqx.field(converter=optional_leaf, default=None)


class Packaging(eqx.Module):
    """What turns dies and stacks into a chip.

    Attributes:
        interposer_wafer_price: Price of a processed interposer wafer [USD].
        interposer_limit: Area of the largest interposer that is made [m^2].
        bond_yield: Yield of bonding one die or stack.
        assembly_yield: Yield of the assembly.
        auxiliary_cost: Substrate, test, lid [USD].
        idle_fraction: Idle power of a chip over its thermal design power.
        product_traffic: Part of the memory bandwidth that large matrix products use.
        link_energy: Energy of sending a byte to another chip [J/B].
    """

    interposer_wafer_price: Leaf = eqx.field(converter=as_leaf)
    interposer_limit: Leaf = eqx.field(converter=as_leaf)
    bond_yield: Leaf = eqx.field(converter=as_leaf)
    assembly_yield: Leaf = eqx.field(converter=as_leaf)
    auxiliary_cost: Leaf = eqx.field(converter=as_leaf)
    idle_fraction: Leaf = eqx.field(converter=as_leaf)
    product_traffic: Leaf = eqx.field(converter=as_leaf)
    link_energy: Leaf = eqx.field(converter=as_leaf)
