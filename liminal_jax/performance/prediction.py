"""The prediction of a design."""

from typing import Any

import equinox as eqx

from liminal_jax._arrays import Leaf, Truth, as_leaf
from liminal_jax._quantity import named, part, quantities_of, quantity
from liminal_jax._show import Shown, number, record

BOTTLENECKS = ("memory_bandwidth", "compute", "synchronisation", "capacity")
"""Names of `Prediction.bottleneck`, by index."""


class PowerShares(Shown):
    """IT power of one instance, by what draws it [W]."""

    chips: Leaf = eqx.field(converter=as_leaf, metadata=quantity("W", "IT power of chips"))
    host: Leaf = eqx.field(converter=as_leaf, metadata=quantity("W", "IT power of hosts"))
    network: Leaf = eqx.field(converter=as_leaf, metadata=quantity("W", "IT power of the network"))

    def total(self) -> Leaf:
        """All of it [W]."""
        return self.chips + self.host + self.network


class CapitalShares(Shown):
    """Capital of one instance, by what it buys [USD]."""

    chips: Leaf = eqx.field(converter=as_leaf, metadata=quantity("USD", "capital of chips"))
    host: Leaf = eqx.field(converter=as_leaf, metadata=quantity("USD", "capital of hosts"))
    board: Leaf = eqx.field(converter=as_leaf, metadata=quantity("USD", "capital of boards"))
    network: Leaf = eqx.field(converter=as_leaf, metadata=quantity("USD", "capital of the network"))
    rack: Leaf = eqx.field(converter=as_leaf, metadata=quantity("USD", "capital of racks"))
    building: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("USD", "capital of the building")
    )

    def total(self) -> Leaf:
        """All of it [USD]."""
        machines = self.chips + self.host + self.board + self.network + self.rack
        return machines + self.building


class Prediction(Shown):
    """One instance of a model on its chips, in steady decode.

    Attributes:
        utps: Tokens a second of one user [1/s].
        stps: Tokens a second of the instance [1/s].
        step_time: Time of one step through all stages [s].
        tokens_per_step: Tokens that a user gains by a step; 1 without speculation.
        compute_time: Time that the arithmetic is busy in it [s].
        memory_time: Time that the memory is busy in it [s].
        exposed_time: Time spent waiting: for collectives, and for operators where that is charged
            [s].
        memory_required: Bytes the instance holds [B].
        memory_capacity: Bytes its chips can hold [B].
        memory_fill: Bytes over capacity but for the reserve on the fullest chip, main memory and
            capacity tier.
        capacity_tier_fill: Bytes over capacity of its capacity tier; 0 without one.
        fits: Whether the fullest chip holds its part.
        bottleneck: Index into `BOTTLENECKS`.
        parameters_total: Weights counted.
        parameters_active: Weights that one token uses, without the input embedding.
        tensor_utilisation: Share of the step in which the tensor cores run at their peak.
        chips: Chips of the instance.
        users: Users served at once.
        chip_power: Power of one chip at work [W].
        chip_tdp: Power of one chip at full use, its thermal design power [W].
        power_density: Power of one chip over the area of its logic [W/m^2].
        power: IT power of the instance at work, by share [W].
        power_provisioned: IT power of the instance at full use [W].
        energy_per_token: Energy at the wall [J].
        capital: Capital of the instance, by share [USD].
        usd_per_million_tokens: Capital and electricity over tokens [USD].
    """

    utps: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("1/s", "tokens a second of one user")
    )
    stps: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("1/s", "tokens a second of the instance")
    )
    step_time: Leaf = eqx.field(converter=as_leaf, metadata=quantity("s", "time of a step"))
    tokens_per_step: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "tokens of a user by a step")
    )
    compute_time: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("s", "time the arithmetic is busy in a step")
    )
    memory_time: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("s", "time the memory is busy in a step")
    )
    exposed_time: Leaf = eqx.field(
        converter=as_leaf,
        metadata=quantity("s", "time spent waiting for collectives in a step", least=0.0),
    )
    memory_required: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("B", "bytes that one instance holds")
    )
    memory_capacity: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("B", "bytes that one instance can hold")
    )
    memory_fill: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "bytes over capacity on the fullest chip")
    )
    capacity_tier_fill: Leaf = eqx.field(
        converter=as_leaf,
        metadata=quantity("", "bytes over capacity of the capacity tier", least=0.0),
    )
    fits: Truth
    bottleneck: Leaf = eqx.field(converter=as_leaf, metadata=named(BOTTLENECKS))
    parameters_total: Leaf = eqx.field(converter=as_leaf, metadata=quantity("", "weights counted"))
    parameters_active: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "weights that one token uses")
    )
    tensor_utilisation: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "share of the step at tensor peak")
    )
    chips: Leaf = eqx.field(converter=as_leaf, metadata=quantity("", "chips of the instance"))
    users: Leaf = eqx.field(converter=as_leaf, metadata=quantity("", "users served at once"))
    chip_power: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("W", "power of one chip at work")
    )
    chip_tdp: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("W", "power of one chip at full use")
    )
    power_density: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("W/m2", "power of a chip over its logic area")
    )
    power: PowerShares = eqx.field(metadata=part("IT power of the instance at work"))
    power_provisioned: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("W", "IT power of the instance at full use")
    )
    energy_per_token: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("J", "energy at the wall for one token")
    )
    capital: CapitalShares = eqx.field(metadata=part("capital of the instance"))
    usd_per_million_tokens: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("USD", "capital and electricity for a million tokens")
    )

    def to_dict(self) -> dict[str, Any]:
        """The numbers in SI units and USD by the keys of `liminal predict --json`.

        Unknown numbers are null, and several values of one, as `jax.vmap` returns them, a list.

        Raises:
            jax.errors.TracerArrayConversionError: the numbers are traced, so they have no values.
        """
        fields = record(self)
        return {
            **{name: fields[name] for name in quantities_of(Prediction)},
            "fits": fields["fits"],
            "bottleneck": fields["bottleneck"],
            "power": number(self.power.total()),
            "power_shares": fields["power"],
            "capital_cost": number(self.capital.total()),
            "capital_shares": fields["capital"],
        }
