"""Technologies of a chip: memory, silicon process, packaging."""

import equinox as eqx

from liminal_jax._arrays import Leaf, Scalar, as_leaf, optional_leaf
from liminal_jax._quantity import quantity
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

    layers: Leaf = eqx.field(converter=as_leaf, metadata=quantity("", "layers of a stack"))
    footprint: Leaf = eqx.field(converter=as_leaf, metadata=quantity("m2", "footprint of a stack"))
    areal_density: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("B/m2", "memory density of a layer")
    )
    bandwidth_per_area: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("B/s/m2", "memory bandwidth per footprint")
    )
    silicon_price: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("USD/m2", "price of memory silicon", least=0.0)
    )
    access_energy: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("J/B", "energy of a memory access", least=0.0)
    )
    device_energy: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("J/B", "energy of a memory device", least=0.0)
    )
    phy_area: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("m2", "interface area of a stack", least=0.0)
    )
    controller_transistors: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "controller transistors of a stack", least=0.0)
    )
    shoreline: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("m", "die edge of a stack", least=0.0)
    )
    interposer_area: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("m2", "interposer area of a stack", least=0.0)
    )
    stacked_share: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "share of a stack on the die", least=0.0, most=1.0)
    )
    embedded_share: Leaf = eqx.field(
        converter=as_leaf,
        metadata=quantity("", "share of a stack inside the die", least=0.0, most=1.0),
    )
    power_density_limit: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("W/m2", "power density under memory")
    )

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

    unit_bandwidth: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("B/s", "bandwidth of a unit of the capacity tier")
    )
    unit_capacity: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("B", "capacity of a unit of the capacity tier")
    )
    access_energy: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("J/B", "energy of a capacity tier access", least=0.0)
    )
    price: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("USD/B", "price of the capacity tier", least=0.0)
    )
    phy_area: Leaf = eqx.field(
        converter=as_leaf,
        metadata=quantity("m2", "interface area of a unit of the capacity tier", least=0.0),
    )
    controller_transistors: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "controller transistors of such a unit", least=0.0)
    )
    shoreline: Leaf = eqx.field(
        converter=as_leaf,
        metadata=quantity("m", "die edge of a unit of the capacity tier", least=0.0),
    )
    interposer_area: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("m2", "interposer area of such a unit", least=0.0)
    )
    in_package: Leaf = eqx.field(
        converter=as_leaf,
        metadata=quantity("", "share of such units in the package", least=0.0, most=1.0),
    )
    standby_power: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("W", "standby power of such a unit", least=0.0)
    )

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

    compute_density: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("FLOP/s/m2", "compute density")
    )
    rate_8bit: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "8-bit rate over 16-bit rate")
    )
    rate_4bit: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "4-bit rate over 16-bit rate")
    )
    vector_fraction: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "vector rate over matrix rate")
    )
    sram_density: Leaf = eqx.field(converter=as_leaf, metadata=quantity("B/m2", "SRAM density"))
    sram_bandwidth_per_capacity: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("1/s", "SRAM bandwidth per capacity")
    )
    sram_energy: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("J/B", "energy of an SRAM access", least=0.0)
    )
    energy_per_flop: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("J/FLOP", "energy of a FLOP", least=0.0)
    )
    logic_density: Leaf = eqx.field(converter=as_leaf, metadata=quantity("1/m2", "logic density"))
    link_phy_area: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("m2*s/B", "interface area of links", least=0.0)
    )
    overhead_fraction: Leaf = eqx.field(
        converter=as_leaf,
        metadata=quantity("", "share of the die for overhead", least=0.0, most=1.0),
    )
    buffer_capacity: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("B", "buffer SRAM of a die")
    )
    wafer_price: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("USD", "price of a wafer", least=0.0)
    )
    defect_density: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("1/m2", "defect density", least=0.0)
    )
    critical_fraction: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "share of defects that kill", least=0.0, most=1.0)
    )
    clustering: Leaf = eqx.field(converter=as_leaf, metadata=quantity("", "clustering of defects"))
    wafer_diameter: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("m", "diameter of a wafer")
    )
    edge: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("m", "unused rim of a wafer", least=0.0)
    )
    scribe: Leaf = eqx.field(converter=as_leaf, metadata=quantity("m", "scribe line", least=0.0))
    reticle_width: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("m", "width of the reticle")
    )
    reticle_height: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("m", "height of the reticle")
    )
    exponential_fraction: Leaf | None = eqx.field(
        converter=optional_leaf,
        default=None,
        metadata=quantity("1/FLOP", "exponentials over matrix rate"),
    )


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

    interposer_wafer_price: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("USD", "price of an interposer wafer", least=0.0)
    )
    interposer_limit: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("m2", "area of the largest interposer")
    )
    bond_yield: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "yield of a bond", most=1.0)
    )
    assembly_yield: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "yield of assembly", most=1.0)
    )
    auxiliary_cost: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("USD", "substrate and test of a package", least=0.0)
    )
    idle_fraction: Leaf = eqx.field(
        converter=as_leaf,
        metadata=quantity("", "idle power over design power", least=0.0, most=1.0),
    )
    product_traffic: Leaf = eqx.field(
        converter=as_leaf,
        metadata=quantity("", "memory bandwidth of products", least=0.0, most=1.0),
    )
    link_energy: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("J/B", "energy of a link", least=0.0)
    )
