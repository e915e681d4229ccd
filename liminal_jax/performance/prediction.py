"""What the model says of a design."""

import equinox as eqx

from liminal_jax._arrays import Leaf, Truth

BOTTLENECKS = ("memory_bandwidth", "compute", "synchronisation", "capacity")
"""Names of `Prediction.bottleneck`, by index."""


class PowerShares(eqx.Module):
    """IT power of one instance, by what draws it [W]."""

    chips: Leaf
    host: Leaf
    network: Leaf

    def total(self) -> Leaf:
        """All of it [W]."""
        return self.chips + self.host + self.network


class CapitalShares(eqx.Module):
    """Capital of one instance, by what it buys [USD]."""

    chips: Leaf
    host: Leaf
    board: Leaf
    network: Leaf
    rack: Leaf

    def total(self) -> Leaf:
        """All of it [USD]."""
        return self.chips + self.host + self.board + self.network + self.rack


class Prediction(eqx.Module):
    """One instance of a model on its chips, in steady decode.

    Attributes:
        utps: Tokens a second of one user [1/s].
        stps: Tokens a second of the instance [1/s].
        step_time: Time of one token through all stages [s].
        compute_time: Time that the arithmetic is busy in it [s].
        memory_time: Time that the memory is busy in it [s].
        exposed_time: Time spent waiting for collectives [s].
        memory_required: Bytes the instance holds [B].
        memory_capacity: Bytes its chips can hold [B].
        memory_fill: Bytes over capacity on the fullest chip, main memory.
        fits: Whether the fullest chip holds its part.
        bottleneck: Index into `BOTTLENECKS`.
        parameters_total: Weights counted.
        parameters_active: Weights that one token uses, without the input embedding.
        tensor_utilisation: Share of the step in which the tensor cores run at their peak.
        chips: Chips of the instance.
        users: Users served at once.
        chip_power: Power of one chip [W].
        power_density: Power of one chip over the area of its logic [W/m^2].
        power: IT power of the instance, by share [W].
        energy_per_token: Energy at the wall [J].
        capital: Capital of the instance, by share [USD].
        usd_per_million_tokens: Capital and electricity over tokens [USD].
    """

    utps: Leaf
    stps: Leaf
    step_time: Leaf
    compute_time: Leaf
    memory_time: Leaf
    exposed_time: Leaf
    memory_required: Leaf
    memory_capacity: Leaf
    memory_fill: Leaf
    fits: Truth
    bottleneck: Leaf
    parameters_total: Leaf
    parameters_active: Leaf
    tensor_utilisation: Leaf
    chips: Leaf
    users: Leaf
    chip_power: Leaf
    power_density: Leaf
    power: PowerShares
    energy_per_token: Leaf
    capital: CapitalShares
    usd_per_million_tokens: Leaf
