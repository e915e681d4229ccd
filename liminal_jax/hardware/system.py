"""A system: chips of one kind, how they are used, what joins them, what a machine room adds."""

import equinox as eqx

from liminal_jax._arrays import Leaf, as_leaf
from liminal_jax.hardware.chip import Chip
from liminal_jax.hardware.execution import Execution
from liminal_jax.hardware.network import AbstractNetwork


class Facility(eqx.Module):
    """Prices and powers around the chip.

    Attributes:
        selling_multiple: Price of a chip over its manufacturing cost.
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

    selling_multiple: Leaf = eqx.field(converter=as_leaf)
    host_price: Leaf = eqx.field(converter=as_leaf)
    board_price: Leaf = eqx.field(converter=as_leaf)
    rack_price: Leaf = eqx.field(converter=as_leaf)
    network_price: Leaf = eqx.field(converter=as_leaf)
    optics_price: Leaf = eqx.field(converter=as_leaf)
    scale_out_price: Leaf = eqx.field(converter=as_leaf)
    host_power: Leaf = eqx.field(converter=as_leaf)
    host_idle_fraction: Leaf = eqx.field(converter=as_leaf)
    switch_power: Leaf = eqx.field(converter=as_leaf)
    optics_power: Leaf = eqx.field(converter=as_leaf)
    scale_out_power: Leaf = eqx.field(converter=as_leaf)
    pue: Leaf = eqx.field(converter=as_leaf)
    energy_price: Leaf = eqx.field(converter=as_leaf)
    lifetime: Leaf = eqx.field(converter=as_leaf)
    discount_rate: Leaf = eqx.field(converter=as_leaf)
    threshold_voltage: Leaf = eqx.field(converter=as_leaf)


class System(eqx.Module):
    """The hardware, and how far its use falls short of its peaks."""

    chip: Chip
    network: AbstractNetwork
    facility: Facility
    execution: Execution = eqx.field(default_factory=Execution)
