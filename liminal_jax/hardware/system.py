"""A system: chips of one kind, how they are used, what joins them, what a machine room adds."""

import equinox as eqx

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._quantity import quantity
from liminal_jax._show import Shown
from liminal_jax.hardware.chip import Chip, ChipCost
from liminal_jax.hardware.execution import Execution
from liminal_jax.hardware.network import AbstractNetwork
from liminal_jax.hardware.package import DieLinks
from liminal_jax.laws.cost import chip_price


class Facility(Shown):
    """Prices and powers around the chip.

    Attributes:
        selling_multiple: Price of a chip over the cost of its parts with their margins: the whole
            multiple where one is stated for all parts, and then their margins are 1; else 1.
        logic_margin: Price of logic over its cost.
        memory_margin: Price of memory over its cost.
        package_margin: Price of the package over its cost.
        one_time_cost: Share of a chip in the cost of its design [USD].
        building_cost: Building, its power and cooling, per IT power [USD/W].
        host_price: Host processors and memory, per chip [USD].
        board_price: Boards, power supplies and connectors, per chip [USD].
        rack_price: Rack, cooling, storage and integration, per chip [USD].
        network_price: Links and switches, per scale-up bandwidth of a port [USD/(B/s)].
        optics_price: Optical transceivers, per bandwidth of one end [USD/(B/s)].
        scale_out_price: Network beyond the domain, per bandwidth of a chip [USD/(B/s)].
        host_power: Host, fans and conversion, per chip at full use [W].
        host_idle_fraction: What of it is drawn while the chips idle.
        switch_power: Switches, per scale-up bandwidth of a port [W/(B/s)].
        optics_power: Optical transceivers, per bandwidth of one end [W/(B/s)].
        scale_out_power: Network beyond the domain, per bandwidth of a chip [W/(B/s)].
        pue: Power at the wall over IT power.
        energy_price: Price of electricity [USD/J].
        lifetime: Years of use.
        discount_rate: Discount rate a year.
        threshold_voltage: Threshold voltage of the chips' logic over its nominal supply voltage.
    """

    selling_multiple: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "selling price over cost")
    )
    logic_margin: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "price of logic over its cost")
    )
    memory_margin: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "price of memory over its cost")
    )
    package_margin: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "price of the package over its cost")
    )
    one_time_cost: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("USD", "design cost per chip", least=0.0)
    )
    building_cost: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("USD/W", "building per IT power", least=0.0)
    )
    host_price: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("USD", "host price per chip", least=0.0)
    )
    board_price: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("USD", "board price per chip", least=0.0)
    )
    rack_price: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("USD", "rack price per chip", least=0.0)
    )
    network_price: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("USD*s/B", "network price per bandwidth", least=0.0)
    )
    optics_price: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("USD*s/B", "optics price per bandwidth", least=0.0)
    )
    scale_out_price: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("USD*s/B", "scale-out price per bandwidth", least=0.0)
    )
    host_power: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("W", "host power per chip", least=0.0)
    )
    host_idle_fraction: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "share of host power at idle", least=0.0, most=1.0)
    )
    switch_power: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("J/B", "switch power per bandwidth", least=0.0)
    )
    optics_power: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("J/B", "optics power per bandwidth", least=0.0)
    )
    scale_out_power: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("J/B", "scale-out power per bandwidth", least=0.0)
    )
    pue: Leaf = eqx.field(converter=as_leaf, metadata=quantity("", "PUE"))
    energy_price: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("USD/J", "price of electricity", least=0.0)
    )
    lifetime: Leaf = eqx.field(converter=as_leaf, metadata=quantity("", "years of use"))
    discount_rate: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "discount rate a year", least=0.0, most=1.0)
    )
    threshold_voltage: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "threshold over supply voltage", most=1.0)
    )

    def chip_price(self, cost: ChipCost) -> Scalar:
        """Price of a chip [USD]."""
        price = chip_price(
            logic=cost.logic,
            memory=cost.memory,
            package=cost.package,
            logic_margin=self.logic_margin,
            memory_margin=self.memory_margin,
            package_margin=self.package_margin,
        )
        return self.selling_multiple * price + self.one_time_cost


class System(Shown):
    """The hardware, and how far its use falls short of its peaks.

    Attributes:
        chip: The chips.
        network: What joins them.
        facility: What stands around them.
        execution: How far their use falls short of their peaks.
        die_links: What joins the dies of a chip; none where they act as one die.
    """

    chip: Chip
    network: AbstractNetwork
    facility: Facility
    execution: Execution = eqx.field(default_factory=Execution)
    die_links: DieLinks | None = None
