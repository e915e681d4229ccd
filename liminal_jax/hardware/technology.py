"""What a chip can be made of: memory technology, silicon process, packaging."""

import equinox as eqx

from liminal_jax._arrays import Leaf, leaf


class MemoryTechnology(eqx.Module):
    """One kind of memory stack.

    Attributes:
        stack_bandwidth: Bandwidth of a stack [B/s].
        stack_capacity: Capacity of a stack [B].
        access_energy: Energy of the whole path from memory to arithmetic [J/B].
        price: Price of capacity [USD/B].
        phy_area: Area of the PHY of one stack on the logic die [m^2].
        controller_transistors: Transistors of the controller of one stack.
        shoreline: Edge of the logic die that a stack takes [m].
        interposer_area: Interposer that a stack takes [m^2].
        stacked_area: Logic die that a stack covers when bonded on top [m^2].
        power_density_limit: Power that the logic below may draw; infinite where not limited
            [W/m^2].
    """

    stack_bandwidth: Leaf = leaf()
    stack_capacity: Leaf = leaf()
    access_energy: Leaf = leaf()
    price: Leaf = leaf()
    phy_area: Leaf = leaf()
    controller_transistors: Leaf = leaf()
    shoreline: Leaf = leaf()
    interposer_area: Leaf = leaf()
    stacked_area: Leaf = leaf()
    power_density_limit: Leaf = leaf()


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
    """

    compute_density: Leaf = leaf()
    rate_8bit: Leaf = leaf()
    rate_4bit: Leaf = leaf()
    vector_fraction: Leaf = leaf()
    sram_density: Leaf = leaf()
    sram_bandwidth_per_capacity: Leaf = leaf()
    sram_energy: Leaf = leaf()
    energy_per_flop: Leaf = leaf()
    logic_density: Leaf = leaf()
    link_phy_area: Leaf = leaf()
    overhead_fraction: Leaf = leaf()
    buffer_capacity: Leaf = leaf()
    wafer_price: Leaf = leaf()
    defect_density: Leaf = leaf()
    critical_fraction: Leaf = leaf()
    clustering: Leaf = leaf()
    wafer_diameter: Leaf = leaf()
    edge: Leaf = leaf()
    scribe: Leaf = leaf()
    reticle_width: Leaf = leaf()
    reticle_height: Leaf = leaf()


class Packaging(eqx.Module):
    """What turns dies and stacks into a chip.

    Attributes:
        interposer_wafer_price: Price of a processed interposer wafer [USD].
        bond_yield: Yield of bonding one die or stack.
        assembly_yield: Yield of the assembly.
        auxiliary_cost: Substrate, test, lid [USD].
        idle_fraction: Idle power of a chip over its power at full use.
        link_energy: Energy of sending a byte to another chip [J/B].
    """

    interposer_wafer_price: Leaf = leaf()
    bond_yield: Leaf = leaf()
    assembly_yield: Leaf = leaf()
    auxiliary_cost: Leaf = leaf()
    idle_fraction: Leaf = leaf()
    link_energy: Leaf = leaf()
