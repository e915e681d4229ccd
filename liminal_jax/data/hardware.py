"""Hardware as files: systems, memory technologies, silicon processes, packaging, the facility.

Every number in them carries its source (see `liminal_jax.data.numbers`). What is read here is
checked for types, signs, dimensions and references, and left in SI as it was stated; what follows
from it is computed elsewhere.
"""

import itertools
import math
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from liminal_jax._files import InputError, Problem, did_you_mean
from liminal_jax._units import parse_unit
from liminal_jax.data.numbers import (
    BELOW_ONE,
    FRACTION,
    HOLDS_SOMETHING,
    KNOWN,
    NOT_NEGATIVE,
    POSITIVE,
    Number,
    Quantity,
)
from liminal_jax.data.validation import validated
from liminal_jax.hardware.kinds import KINDS

_DATA = Path(__file__).parent

Throughput = Annotated[Number, Quantity("FLOP/s"), POSITIVE]
Bandwidth = Annotated[Number, Quantity("B/s"), POSITIVE]
KnownBandwidth = Annotated[Bandwidth, KNOWN]
Capacity = Annotated[Number, Quantity("B"), POSITIVE, KNOWN]
Area = Annotated[Number, Quantity("m2"), POSITIVE]
AreaShare = Annotated[Number, Quantity("m2"), NOT_NEGATIVE, KNOWN]
Length = Annotated[Number, Quantity("m"), POSITIVE, KNOWN]
Shoreline = Annotated[Number, Quantity("m"), NOT_NEGATIVE, KNOWN]
Power = Annotated[Number, Quantity("W"), POSITIVE]
PowerShare = Annotated[Number, Quantity("W"), NOT_NEGATIVE, KNOWN]
PowerDensity = Annotated[Number, Quantity("W/m2"), POSITIVE]
Price = Annotated[Number, Quantity("USD"), POSITIVE]
PriceShare = Annotated[Number, Quantity("USD"), NOT_NEGATIVE, KNOWN]
AreaPrice = Annotated[Number, Quantity("USD/m2"), NOT_NEGATIVE, KNOWN]
ArealDensity = Annotated[Number, Quantity("B/m2"), POSITIVE, KNOWN]
BandwidthDensity = Annotated[Number, Quantity("B/s/m2"), POSITIVE, KNOWN]
BandwidthPrice = Annotated[Number, Quantity("USD*s/B"), NOT_NEGATIVE, KNOWN]
BytePrice = Annotated[Number, Quantity("USD/B"), NOT_NEGATIVE]
KnownBytePrice = Annotated[BytePrice, KNOWN]
ByteEnergy = Annotated[Number, Quantity("J/B"), POSITIVE]
KnownByteEnergy = Annotated[ByteEnergy, KNOWN]
ByteEnergyShare = Annotated[Number, Quantity("J/B"), NOT_NEGATIVE, KNOWN]
Duration = Annotated[Number, Quantity("s"), POSITIVE, KNOWN]
Ratio = Annotated[Number, Quantity(""), POSITIVE, KNOWN]
Share = Annotated[Number, Quantity(""), FRACTION, KNOWN]
PartialShare = Annotated[Number, Quantity(""), FRACTION, BELOW_ONE, KNOWN]
Sustained = Annotated[Share, POSITIVE]
Delay = Annotated[Number, Quantity("s"), NOT_NEGATIVE, KNOWN]
Count = Annotated[Number, Quantity(""), NOT_NEGATIVE, KNOWN]


def kinds_of_data(names: tuple[str, ...]) -> tuple[str, ...]:
    """Kinds of data that a memory may hold, in the order of `KINDS`.

    Raises:
        ValueError: there are none, or one that does not exist.
    """
    if not names:
        raise ValueError(
            f"names no kind of data, so that the tier holds nothing; name some of"
            f" {', '.join(KINDS)}, or leave the tier out"
        )
    unknown = [name for name in names if name not in KINDS]
    if unknown:
        hint = did_you_mean(unknown[0], KINDS) or f"; there are {', '.join(KINDS)}"
        raise ValueError(f"there is no kind of data {unknown[0]!r}{hint}")
    return tuple(kind for kind in KINDS if kind in names)


class _Table(BaseModel):
    """A table of a file: unknown keys are mistakes, and nothing changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


MemoryPlace = Literal["beside the die", "on the die", "inside the die"]
"""Where a stack stands: on the interposer, bonded to the logic die, or as part of that die."""

STACK_ROUNDING = 0.02
"""Share by which a printed capacity or bandwidth of a stack may differ from what follows from its
layers and area: both sides are rounded."""


class TechnologyFile(_Table):
    """A memory technology: what one stack of it gives, takes and costs.

    Capacity, bandwidth and price of a stack follow from its layers and its area. A file may print
    capacity and bandwidth too, and then they have to agree with what follows.

    Attributes:
        name: The name that chips refer to.
        title: The name that people read.
        about: One sentence.
        place: Where a stack stands.
        layers: Layers of memory in a stack, without its base die.
        footprint: Area of one layer [m^2].
        areal_density: Capacity of an area of one layer [B/m^2].
        bandwidth_per_area: Bandwidth of an area of footprint, all layers together [B/s/m^2].
        silicon_price: Price of an area of memory, with its share of bonding, test and base die
            [USD/m^2].
        access_energy: Energy of the whole memory path of a chip for each byte [J/B].
        device_energy: What the memory device alone takes of it, at a voltage of its own; 0 for
            memory on the logic die, taken as all of it where unknown [J/B].
        phy_area: Logic die area of the physical interface of one stack [m^2].
        controller_transistors: Transistors of the controller of one stack.
        shoreline: Die edge that one stack takes; 0 for stacked memory [m].
        interposer_area: Interposer area of one stack [m^2].
        power_density_limit: Power density that the logic die below may reach [W/m^2].
        stack_capacity: Capacity of one stack as its source prints it [B].
        stack_bandwidth: Bandwidth of one stack as its source prints it [B/s].
    """

    name: str
    title: str
    about: str
    place: MemoryPlace
    layers: Ratio
    footprint: Annotated[Area, KNOWN]
    areal_density: ArealDensity
    bandwidth_per_area: BandwidthDensity
    silicon_price: AreaPrice
    access_energy: KnownByteEnergy
    device_energy: Annotated[Number, Quantity("J/B"), NOT_NEGATIVE]
    phy_area: AreaShare
    controller_transistors: Count
    shoreline: Shoreline
    interposer_area: AreaShare
    power_density_limit: PowerDensity
    stack_capacity: Capacity | None = None
    stack_bandwidth: KnownBandwidth | None = None

    @field_validator("stack_capacity")
    @classmethod
    def _capacity_follows(cls, stated: Number | None, info: Any) -> Number | None:
        """Demand the capacity that follows from layers, density and area."""
        return _following(stated, info, ("layers", "areal_density", "footprint"))

    @field_validator("stack_bandwidth")
    @classmethod
    def _bandwidth_follows(cls, stated: Number | None, info: Any) -> Number | None:
        """Demand the bandwidth that follows from the area."""
        return _following(stated, info, ("bandwidth_per_area", "footprint"))


def _following(stated: Number | None, info: Any, factors: tuple[str, ...]) -> Number | None:
    """A printed number that agrees with the product of others, as far as those are right."""
    rows: list[Number | None] = [info.data.get(name) for name in factors]
    if stated is None or stated.value is None or any(it is None for it in rows):
        return stated
    follows = math.prod(it.value or math.nan for it in rows if it is not None)
    if abs(stated.value / follows - 1) > STACK_ROUNDING:
        scale = parse_unit(stated.unit).scale
        product = ", ".join(
            f"{name} {it.printed}" for name, it in zip(factors, rows, strict=True) if it is not None
        )
        raise ValueError(
            f"{stated.printed} contradicts the {follows / scale:.4g} {stated.unit} that follow"
            f" from {product}; correct one of these rows, or leave {info.field_name} out"
        )
    return stated


class CapacityTechnologyFile(_Table):
    """A memory technology for a capacity tier: what one unit of it gives, takes and costs.

    Attributes:
        name: The name that chips refer to.
        title: The name that people read.
        about: One sentence, which says what a unit is.
        unit_bandwidth: Bandwidth of one unit [B/s].
        unit_capacity: Capacity of one unit [B].
        access_energy: Energy of the whole path from a unit to the arithmetic for each byte [J/B].
        price: Price of each byte [USD/B].
        phy_area: Logic die area of the physical interface of one unit [m^2].
        controller_transistors: Transistors of the controller of one unit.
        shoreline: Die edge that one unit takes [m].
        interposer_area: Interposer area of one unit; 0 for modules on the board [m^2].
        in_package: 1 where the package holds the units, which are then bonded, tested and sold
            with it; 0 where they stand on the board and are bought at their price.
        standby_power: Power that one unit draws whether it is read or not: refresh and idling [W].
    """

    name: str
    title: str
    about: str
    unit_bandwidth: KnownBandwidth
    unit_capacity: Capacity
    access_energy: ByteEnergy
    price: BytePrice
    phy_area: AreaShare
    controller_transistors: Count
    shoreline: Shoreline
    interposer_area: AreaShare
    in_package: Share
    standby_power: PowerShare


class ProcessFile(_Table):
    """A silicon process: what its area gives and what its wafers cost.

    Attributes:
        name: The name that chips refer to.
        title: The name that people read.
        compute_density: Dense 16-bit throughput of each area of compute [FLOP/s/m^2].
        rate_8bit: 8-bit throughput of the same area over the 16-bit one.
        rate_4bit: 4-bit throughput of the same area over the 16-bit one.
        vector_fraction: FP32 vector throughput over dense 16-bit throughput.
        sram_density: SRAM capacity of each area [B/m^2].
        sram_bandwidth_per_capacity: SRAM bandwidth over SRAM capacity [1/s].
        sram_energy: Energy of an access to SRAM for each byte [J/B].
        energy_per_flop: Energy of one dense 8-bit FLOP, data movement on the chip included [J].
        logic_density: Transistors in each area of logic [1/m^2].
        link_phy_area: Area of link interface and controller for each byte a second of
            one-direction link bandwidth [m^2 s/B].
        overhead_fraction: Part of the die for fabric, control and input/output.
        buffer_capacity: SRAM that a die keeps for working data [B].
        wafer_price: Price of a processed wafer [USD].
        defect_density: Defects in each area of wafer [1/m^2].
        critical_fraction: Part of the defects that kill a die, after repair and harvest.
        clustering: Clustering parameter of the negative binomial yield.
        wafer_diameter: Diameter of the wafer [m].
        edge: Width of the unused rim of the wafer [m].
        scribe: Width of the scribe line between dies [m].
        reticle_width: Width of the largest die that is exposed at once [m].
        reticle_height: Height of that die [m].
        exponential_fraction: Rate of exponentials over dense 16-bit throughput [1/FLOP]; None
            where they are left to the vector units.
    """

    name: str
    title: str
    compute_density: Annotated[Number, Quantity("FLOP/s/m2"), POSITIVE, KNOWN]
    rate_8bit: Ratio
    rate_4bit: Ratio
    vector_fraction: Ratio
    sram_density: Annotated[Number, Quantity("B/m2"), POSITIVE, KNOWN]
    sram_bandwidth_per_capacity: Annotated[Number, Quantity("1/s"), POSITIVE, KNOWN]
    sram_energy: KnownByteEnergy
    energy_per_flop: Annotated[Number, Quantity("J/FLOP"), POSITIVE, KNOWN]
    logic_density: Annotated[Number, Quantity("1/m2"), POSITIVE, KNOWN]
    link_phy_area: Annotated[Number, Quantity("m2*s/B"), NOT_NEGATIVE, KNOWN]
    overhead_fraction: Share
    buffer_capacity: Capacity
    wafer_price: Annotated[Price, KNOWN]
    defect_density: Annotated[Number, Quantity("1/m2"), NOT_NEGATIVE, KNOWN]
    critical_fraction: Share
    clustering: Ratio
    wafer_diameter: Length
    edge: Length
    scribe: Length
    reticle_width: Length
    reticle_height: Length
    exponential_fraction: Annotated[Number, Quantity("1/FLOP"), POSITIVE, KNOWN] | None = None


class PackagingFile(_Table):
    """What it takes to make a package of good dies and stacks.

    Attributes:
        interposer_wafer_price: Price of a wafer of interposers, assembly service included [USD].
        interposer_limit: Area of the largest interposer that is made [m^2].
        bond_yield: Chance that bonding one die or stack succeeds.
        assembly_yield: Chance that the finished package passes.
        auxiliary_cost: Substrate, test and small parts of one package [USD].
    """

    interposer_wafer_price: Annotated[Price, KNOWN]
    interposer_limit: Annotated[Area, KNOWN]
    bond_yield: Share
    assembly_yield: Share
    auxiliary_cost: PriceShare


DIE_LINK = (
    "die_link_bandwidth",
    "die_link_latency",
    "die_link_energy",
    "die_link_area",
    "die_link_shoreline",
)
"""Fields of what joins the dies of a package."""


class ExecutionFile(_Table):
    """How far the use of a chip falls short of its peaks, and how its parts work together.

    Attributes:
        name: The name that assumptions refer to.
        about: One sentence.
        compute_share: Share of the peak rates of arithmetic that is sustained.
        bandwidth_share: Share of the peak bandwidth of memory that is sustained.
        overlap_between_operators: Share of a step in which arithmetic passes during the traffic of
            other operators: 1 over the whole step, 0 within operators only.
        overlap_within_operators: Share of the shorter of an operator's arithmetic and traffic that
            is hidden behind the longer, where operators do not overlap; 0 is none.
        operation_time: Time from the end of an operator to the start of one that depends on it [s].
        mixer_operations: Operators of a mixer that each depend on the one before.
        dense_operations: The same of a dense feed-forward block.
        mixture_operations: The same of a mixture of experts.
        head_operations: The same of embedding and head together.
        memory_reserve: Share of main memory that is kept free of weights and caches.
        die_link_bandwidth: Bandwidth of one die to the others of its package, one direction;
            where it is not stated, nor the four below, the dies act as one [B/s].
        die_link_latency: Time from one die to another [s].
        die_link_energy: Energy of a byte from one die to another, both ends [J/B].
        die_link_area: Area of a die's links for each byte a second of that bandwidth [m^2 s/B].
        die_link_shoreline: Edge of a die for each byte a second of that bandwidth [m s/B].
    """

    name: str
    about: str
    compute_share: Sustained
    bandwidth_share: Sustained
    overlap_between_operators: Share
    overlap_within_operators: Share
    operation_time: Delay
    mixer_operations: Count
    dense_operations: Count
    mixture_operations: Count
    head_operations: Count
    memory_reserve: PartialShare
    die_link_bandwidth: KnownBandwidth | None = None
    die_link_latency: Delay | None = None
    die_link_energy: ByteEnergyShare | None = None
    die_link_area: Annotated[Number, Quantity("m2*s/B"), NOT_NEGATIVE, KNOWN] | None = None
    die_link_shoreline: Annotated[Number, Quantity("m*s/B"), NOT_NEGATIVE, KNOWN] | None = None

    @model_validator(mode="after")
    def _has_whole_links(self) -> "ExecutionFile":
        """Links between dies are stated whole or not at all."""
        missing = [name for name in DIE_LINK if getattr(self, name) is None]
        if missing and len(missing) < len(DIE_LINK):
            raise ValueError(f"links between dies need {', '.join(missing)} too")
        return self


class FacilityFile(_Table):
    """What stands around the chips, and what a chip is given where its file does not say.

    Attributes:
        selling_multiple: Selling price of a chip over its manufacturing cost: one multiple for
            all of its parts, in the place of their margins; None where these are used.
        logic_margin: Price of the logic of a chip over its cost.
        memory_margin: Price of the memory of a chip over its cost.
        package_margin: Price of the package of a chip over its cost.
        design_cost: One-time cost of the design of a chip, masks and verification included; None
            where the margins cover it [USD].
        volume: Chips that are made of one design, where its cost is stated.
        building_cost: Building with its power and cooling for each watt of IT power; None where
            it is left out [USD/W].
        host_price: Host processor and its memory for each chip [USD].
        board_price: Boards, power supplies and connectors for each chip [USD].
        rack_price: Rack, cooling, storage, integration and test for each chip [USD].
        network_price: Scale-up network for each byte a second of one-direction bandwidth
            of each chip; for each port of a switch where there are tiers of them [USD s/B].
        optics_price: Transceivers for each byte a second of one end of an optical link [USD s/B].
        scale_out_price: Network beyond the domain for each byte a second of each chip of an
            instance that leaves its domain, of planned chips [USD s/B].
        host_power: Power of host and the rest of the server for each chip at full use [W].
        host_idle_fraction: Part of it that is drawn while the chips idle.
        switch_power: Power of the switches for each byte a second of scale-up bandwidth [J/B].
        optics_power: Power of one end of an optical link for each byte a second [J/B].
        scale_out_power: Power of the network beyond the domain for each byte a second of each
            chip of an instance that leaves its domain, of planned chips [J/B].
        link_energy: Energy of the chip's end of a link for each byte [J/B].
        pue: Power drawn by the facility over power drawn by the machines.
        electricity_price: Price of electricity [USD/J].
        lifetime: Years over which the machines are written off [s].
        discount_rate: Yearly rate of return that the capital must earn.
        idle_fraction: Power of an idle chip over its thermal design power.
        product_traffic: Part of the memory bandwidth that large matrix products use.
        threshold_voltage: Threshold voltage of a chip's logic over its nominal supply voltage.
        least_clock: Lowest clock over the nominal one; below it the voltage falls no further.
        most_clock: Highest clock over the nominal one.
        network_efficiency: Part of the link bandwidth that large messages reach.
        scale_out_bandwidth: One-direction bandwidth of each chip beyond the domain [B/s].
        scale_out_latency: Time of a collective of a small message beyond the domain [s].
    """

    selling_multiple: Ratio | None = None
    logic_margin: Ratio
    memory_margin: Ratio
    package_margin: Ratio
    design_cost: PriceShare | None = None
    volume: Ratio | None = None
    building_cost: Annotated[Number, Quantity("USD/W"), NOT_NEGATIVE, KNOWN] | None = None
    host_price: PriceShare
    board_price: PriceShare
    rack_price: PriceShare
    network_price: BandwidthPrice
    optics_price: BandwidthPrice
    scale_out_price: BandwidthPrice
    host_power: PowerShare
    host_idle_fraction: Share
    switch_power: ByteEnergyShare
    optics_power: ByteEnergyShare
    scale_out_power: ByteEnergyShare
    link_energy: ByteEnergyShare
    pue: Ratio
    electricity_price: Annotated[Number, Quantity("USD/J"), NOT_NEGATIVE, KNOWN]
    lifetime: Duration
    discount_rate: Share
    idle_fraction: Share
    product_traffic: Share
    threshold_voltage: Annotated[Share, POSITIVE]
    least_clock: Ratio
    most_clock: Ratio
    network_efficiency: Share
    scale_out_bandwidth: KnownBandwidth
    scale_out_latency: Duration


class MemoryFile(_Table):
    """The main memory of a chip.

    Attributes:
        technology: Name of a technology file; None where there is none for it, and then the power
            is not known either, unless `energy` is stated.
        stacks: Stacks on the package; None where that is not known or makes no sense.
        capacity: Capacity [B].
        bandwidth: Peak bandwidth [B/s].
        energy: Energy of the memory path for each byte where it is not the technology's [J/B].
    """

    technology: str | None = None
    stacks: float | None = Field(default=None, gt=0)
    capacity: Capacity
    bandwidth: KnownBandwidth
    energy: KnownByteEnergy | None = None


class SramFile(_Table):
    """On-chip memory under control of software, in which weights or cached keys may live.

    Attributes:
        capacity: Capacity [B].
        bandwidth: Peak bandwidth [B/s].
        energy: Energy for each byte [J/B].
    """

    capacity: Capacity
    bandwidth: KnownBandwidth
    energy: KnownByteEnergy


class CapacityTierFile(_Table):
    """Memory beyond the main memory of a chip, of more capacity and less bandwidth.

    The chip's thermal design power and cost do not hold it: its energy and its price come on top.

    Attributes:
        technology: Name of a technology of capacity tiers; None where there is none for it, and
            then its power and price are not known unless they are stated.
        capacity: Capacity for one chip; its part of a tier that several chips share [B].
        bandwidth: Peak bandwidth at which one chip reads it [B/s].
        energy: Energy of the path for each byte where it is not the technology's [J/B].
        price: Price of each byte where it is not the technology's [USD/B].
        standby_power: Power for one chip whether it is read or not, where it is not that of the
            technology for its capacity; left out where neither states it [W].
        holds: Kinds of data that may lie in it; all where left out.
    """

    technology: str | None = None
    capacity: Annotated[Number, Quantity("B"), HOLDS_SOMETHING, KNOWN]
    bandwidth: Annotated[Number, Quantity("B/s"), HOLDS_SOMETHING, KNOWN]
    energy: KnownByteEnergy | None = None
    price: KnownBytePrice | None = None
    standby_power: PowerShare | None = None
    holds: Annotated[tuple[str, ...], AfterValidator(kinds_of_data)] = KINDS


class PowerFile(_Table):
    """Provisioned power: what a chip is given by its size, whatever it does.

    Attributes:
        density: Power for each area of die [W/m^2].
        bandwidth_power: Power for each byte a second of memory bandwidth [J/B].
        server_power: Share of the server's own power for each chip [W].
    """

    density: Annotated[PowerDensity, KNOWN]
    bandwidth_power: ByteEnergyShare
    server_power: PowerShare


FACILITY_DEFAULTS = {
    ("chip", "idle_fraction"): "idle_fraction",
    ("network", "efficiency"): "network_efficiency",
    ("network", "scale_out_bandwidth"): "scale_out_bandwidth",
    ("network", "scale_out_latency"): "scale_out_latency",
}
"""Table and field of a file, and the field of the facility that stands for it if it is absent."""


def _facility(field: str) -> Callable[[], Number]:
    """What reads a field of the facility where a system's file does not state its own."""
    return lambda: getattr(load_facility_file(), field)


class ChipFile(_Table):
    """A chip: one package that computes, with its memory.

    Attributes:
        tensor_16bit: Dense 16-bit matrix throughput [FLOP/s].
        tensor_8bit: Dense 8-bit matrix throughput: FP8, or INT8 where there is no FP8 [FLOP/s].
        tensor_4bit: Dense 4-bit matrix throughput [FLOP/s].
        sustained_8bit: What large 8-bit matrix products reach at the thermal design power; None
            where it was not measured, and then the peak is taken [FLOP/s].
        vector: FP32 throughput without the matrix units [FLOP/s].
        exponential: Exponentials of its special-function units [1/s]; None where they are not
            published, and then left to the vector units.
        dies: Logic dies that compute.
        die_area: Total area of the logic dies [m^2].
        process: Name of a process file; None where there is none for it.
        tdp: Thermal design power [W].
        idle_fraction: Power of the idle chip over its thermal design power.
        cost: Cost of making one [USD].
        market_price: Price that buyers pay for one [USD].
        host_power: Power of its server but for chips and switches at full use, for each chip;
            None where it is the facility's [W].
        host_idle_fraction: Part of it that is drawn while the chips idle; None where it is the
            facility's.
        memory: Main memory.
        sram: On-chip memory under control of software; None where there is none.
        capacity_tier: Memory beyond the main memory; None where it is not used.
        power: Provisioned power; None where power follows activity.
    """

    tensor_16bit: Throughput
    tensor_8bit: Throughput
    tensor_4bit: Throughput
    sustained_8bit: Throughput | None = None
    vector: Throughput
    exponential: Annotated[Number, Quantity("1/s"), POSITIVE, KNOWN] | None = None
    dies: int | None = Field(default=None, ge=1)
    die_area: Area
    process: str | None = None
    tdp: Power
    idle_fraction: Share = Field(default_factory=_facility("idle_fraction"))
    cost: Price
    market_price: Price
    host_power: PowerShare | None = None
    host_idle_fraction: Share | None = None
    memory: MemoryFile
    sram: SramFile | None = None
    capacity_tier: CapacityTierFile | None = None
    power: PowerFile | None = None


_LINK_KEYS = frozenset({"bandwidth", "latency"})
_TALK_KEYS = frozenset({"latency_at_8", "latency_at_128", "latency_floor"})
_KEYS_OF_TOPOLOGY = {
    "switched": _LINK_KEYS,
    "full-mesh": _LINK_KEYS,
    "torus": _LINK_KEYS | {"dimensions"},
    "talk": _TALK_KEYS,
}


MOST_REACHES = 16
"""Entries of a table of reaches at the most: each is a number of its own in studies."""

_SIZE_KEYS = ("switch_radix", "copper_reach", "tier_latency")
LEAST_RADIX = 32
"""Ports of the smallest switch: three tiers of it join 8,192 chips."""


class NetworkFile(_Table):
    """The scale-up network that joins the chips of a domain, and what lies beyond it.

    Attributes:
        topology: How the chips of a domain are joined; `talk` is a fitted line of latencies.
        domain: Chips that the scale-up network joins.
        bandwidth: One-direction bandwidth of each chip [B/s].
        latency: Time of a collective of a small message; of one hop for a torus [s].
        reach: In its place, that time by the chips that wait for each other, topology `switched`:
            each entry holds up to so many chips, in the domain and beyond it [s].
        dimensions: Dimensions of a torus.
        latency_at_8: Time of a collective over 8 chips, topology `talk` [s].
        latency_at_128: Time of a collective over 128 chips, topology `talk` [s].
        latency_floor: Least time of a collective, topology `talk` [s].
        efficiency: Part of the bandwidth that large messages reach.
        scale_out_bandwidth: One-direction bandwidth of each chip beyond the domain [B/s].
        scale_out_latency: Time of a collective of a small message beyond the domain [s].
        switch_radix: Chips that one tier of switches joins. With it the domain has to be bought:
            further tiers, optics and scale-out; without it the network is charged as one tier.
        copper_reach: Chips that copper joins; links to more of them are optical.
        tier_latency: Time that each further tier adds to a collective [s].
    """

    topology: Literal["switched", "full-mesh", "torus", "talk"]
    domain: int = Field(ge=1)
    bandwidth: Bandwidth | None = None
    latency: Duration | None = None
    reach: dict[Annotated[int, Field(ge=2)], Duration] | None = None
    dimensions: int | None = Field(default=None, ge=2, le=3)
    latency_at_8: Duration | None = None
    latency_at_128: Duration | None = None
    latency_floor: Duration | None = None
    efficiency: Share = Field(default_factory=_facility("network_efficiency"))
    scale_out_bandwidth: KnownBandwidth = Field(default_factory=_facility("scale_out_bandwidth"))
    scale_out_latency: Duration = Field(default_factory=_facility("scale_out_latency"))
    switch_radix: Ratio | None = None
    copper_reach: Ratio | None = None
    tier_latency: Duration | None = None

    @model_validator(mode="after")
    def _has_a_size(self) -> "NetworkFile":
        """Demand all rows of the size of a network or none, and switches of enough ports."""
        missing = [key for key in _SIZE_KEYS if getattr(self, key) is None]
        stated = [key for key in _SIZE_KEYS if key not in missing]
        if stated and self.topology == "talk":
            raise ValueError(f"topology 'talk' has no {', '.join(stated)}")
        if stated and missing:
            raise ValueError(f"{', '.join(stated)} needs {', '.join(missing)} too")
        radix = self.switch_radix and self.switch_radix.value
        if radix is not None and radix < LEAST_RADIX:
            raise ValueError(f"switch_radix must be at least {LEAST_RADIX}, not {radix:g}")
        reach = self.copper_reach and self.copper_reach.value
        if reach is not None and reach < 1:
            raise ValueError(f"copper_reach must be at least 1, not {reach:g}")
        return self

    @field_validator("reach")
    @classmethod
    def _farther_waits_longer(cls, reach: dict[int, Number] | None) -> dict[int, Number] | None:
        """Demand entries, in ascending order, of which none is quicker than a nearer one."""
        if reach is None:
            return None
        if not 1 <= len(reach) <= MOST_REACHES:
            raise ValueError(f"must have 1 to {MOST_REACHES} entries, not {len(reach)}")
        for (near, time), (far, later) in itertools.pairwise(reach.items()):
            if far <= near:
                raise ValueError(f"must ascend: {far} chips stand after {near}")
            if (later.value or math.nan) < (time.value or math.nan):
                raise ValueError(
                    f"{far} chips wait {later.printed}, less than {near} chips, {time.printed}"
                )
        return reach

    @model_validator(mode="after")
    def _reaches_its_domain(self) -> "NetworkFile":
        """Demand that a table of reaches stands alone and meets the network on both sides."""
        if self.reach is None:
            return self
        if self.topology != "switched":
            raise ValueError(f"topology {self.topology!r} has no reach")
        other = [it for it in ("latency", *_SIZE_KEYS) if getattr(self, it) is not None]
        if other:
            raise ValueError(f"reach says how long any group waits: drop {', '.join(other)}")
        farthest, time = list(self.reach.items())[-1]
        if farthest < self.domain:
            raise ValueError(f"reach ends at {farthest} chips, before the domain of {self.domain}")
        if (self.scale_out_latency.value or math.nan) < (time.value or math.nan):
            raise ValueError(
                f"scale_out_latency, {self.scale_out_latency.printed}, is less than that of the"
                f" farthest reach, {time.printed}"
            )
        return self

    @model_validator(mode="after")
    def _fits_topology(self) -> "NetworkFile":
        """Demand the rows that the topology needs, and no row that it cannot use."""
        wanted = _KEYS_OF_TOPOLOGY[self.topology] - ({"latency"} if self.reach else frozenset())
        optional = frozenset().union(*_KEYS_OF_TOPOLOGY.values())
        stated = {key for key in optional if getattr(self, key) is not None}
        complaints = [
            f"topology {self.topology!r} {verb} {', '.join(sorted(keys))}"
            for verb, keys in (("needs", wanted - stated), ("has no", stated - wanted))
            if keys
        ]
        if complaints:
            raise ValueError("; ".join(complaints))
        return self


class SystemFile(_Table):
    """A chip and the network that joins many of it.

    Attributes:
        name: The name that commands take.
        title: The name that people read.
        vendor: Who makes it.
        status: Whether it can be bought.
        about: One sentence.
        chip: One package.
        network: What joins them.
    """

    name: str
    title: str
    vendor: str
    status: Literal["shipping", "announced", "cloud only", "hypothetical"]
    about: str
    chip: ChipFile
    network: NetworkFile


class SourceFile(_Table):
    """Where numbers come from.

    Attributes:
        title: What it is, and whether it is second-hand.
        where: Where it is found.
        accessed: Month in which it was read, if it changes.
    """

    title: str
    where: str
    accessed: str = ""


_File = TypeVar("_File", bound=BaseModel)


def _names(folder: str) -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in (_DATA / folder).glob("*.toml")))


def system_names() -> tuple[str, ...]:
    """Names of the systems that come with the package."""
    return _names("systems")


def measured_system_names() -> tuple[str, ...]:
    """Names of further systems: chips of measurements, which no search of the market tries."""
    return _names("systems/measured")


def technology_names() -> tuple[str, ...]:
    """Names of the memory technologies that come with the package."""
    return _names("technologies")


def capacity_technology_names() -> tuple[str, ...]:
    """Names of the technologies of capacity tiers that come with the package."""
    return _names("technologies/capacity")


def process_names() -> tuple[str, ...]:
    """Names of the silicon processes that come with the package."""
    return _names("processes")


IDEAL = "ideal"
"""The way of using a chip that reaches its peaks: LIMINAL's bound."""


def execution_names() -> tuple[str, ...]:
    """Names of the ways of using a chip that come with the package."""
    return _names("executions")


def _missing(folder: str, name: str) -> str:
    """Why a name leads nowhere; empty where it leads to a file."""
    if name in _names(folder) or Path(name).is_file():
        return ""
    if folder == "systems" and name in measured_system_names():
        return ""
    if name.endswith(".toml"):
        return f"there is no file {name!r}"
    kind = {
        "systems": "system",
        "technologies": "memory technology",
        "technologies/capacity": "technology of capacity tiers",
        "processes": "process",
    }
    suggestion = did_you_mean(name, _names(folder))
    known = "" if suggestion else f"; there are {', '.join(_names(folder))}"
    return f"there is no {kind[folder]} {name!r}{suggestion or known}"


def _path_of(folder: str, name: str) -> Path:
    problem = _missing(folder, name)
    if problem:
        raise InputError("", [Problem("", problem)])
    if folder == "systems" and name in measured_system_names():
        return _DATA / folder / "measured" / f"{name}.toml"
    return _DATA / folder / f"{name}.toml" if name in _names(folder) else Path(name)


def _shown(path: Path) -> str:
    """A file as people name it."""
    return str(path.relative_to(_DATA)) if path.is_relative_to(_DATA) else str(path)


def _tables(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(_shown(path), [Problem("", f"cannot be read: {error}")]) from None


def _sources_in(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Path and identifier of every source that the tables of a file name."""
    if isinstance(value, dict):
        for key, part in value.items():
            where = f"{path}.{key}" if path else key
            if key == "source" and isinstance(part, str):
                yield where, part
            else:
                yield from _sources_in(part, where)


def _source_problems(tables: dict[str, Any]) -> list[Problem]:
    known = load_sources()
    return [
        Problem(where, f"there is no source {name!r} in sources.toml{did_you_mean(name, known)}")
        for where, name in _sources_in(tables)
        if name not in known
    ]


def _reference_problems(tables: dict[str, Any]) -> list[Problem]:
    """Names of processes and technologies in a system's tables that lead nowhere."""
    chip = tables.get("chip")
    chip = chip if isinstance(chip, dict) else {}
    memory, tier = (
        table if isinstance(table := chip.get(name), dict) else {}
        for name in ("memory", "capacity_tier")
    )
    references = [
        ("chip.process", "processes", chip.get("process")),
        ("chip.memory.technology", "technologies", memory.get("technology")),
        ("chip.capacity_tier.technology", "technologies/capacity", tier.get("technology")),
    ]
    return [
        Problem(where, _missing(folder, name))
        for where, folder, name in references
        if isinstance(name, str) and _missing(folder, name)
    ]


def _checked(
    model: type[_File], tables: dict[str, Any], source: str, problems: list[Problem]
) -> _File:
    """The record, unless there are mistakes; those found before come with those of the schema."""
    try:
        record = validated(model, tables, source)
    except InputError as error:
        raise InputError(source, [*error.problems, *problems]) from None
    if problems:
        raise InputError(source, problems)
    return record


def _loaded(model: type[_File], path: Path) -> _File:
    tables = _tables(path)
    problems = _source_problems(tables) if path.is_relative_to(_DATA) else []
    return _checked(model, tables, _shown(path), problems)


def load_system_tables(name_or_path: str) -> dict[str, Any]:
    """The tables of a system as they are written, rows that its file leaves to defaults included.

    Raises:
        InputError: there is no such system, or its file has mistakes.
    """
    load_system_file(name_or_path)
    tables = _tables(_path_of("systems", name_or_path))
    facility = _tables(_DATA / "facility.toml")
    for (table, field), default in FACILITY_DEFAULTS.items():
        tables[table].setdefault(field, facility[default])
    return tables


def system_paths() -> tuple[str, ...]:
    """Dotted path of every field that a system's file may state."""
    return tuple(_paths_in(SystemFile))


def _paths_in(table: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in table.model_fields.items():
        members = [field.annotation, *get_args(field.annotation)]
        inner = [part for part in members if isinstance(part, type) and issubclass(part, _Table)]
        if inner:
            yield from _paths_in(inner[0], f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def checked_system_file(tables: dict[str, Any], source: str) -> SystemFile:
    """The system that tables describe.

    Args:
        tables: What the TOML parser returned, perhaps edited since.
        source: What to call them in messages.

    Raises:
        InputError: with every mistake: fields, units, signs, names that lead nowhere.
    """
    return _checked(SystemFile, tables, source, _reference_problems(tables))


def load_system_file(name_or_path: str) -> SystemFile:
    """A system that comes with the package, by name, or a user's own, by path.

    Raises:
        InputError: there is no such system, or its file has mistakes.
    """
    path = _path_of("systems", name_or_path)
    tables = _tables(path)
    problems = _reference_problems(tables)
    if path.is_relative_to(_DATA):
        problems += _source_problems(tables)
    return _checked(SystemFile, tables, _shown(path), problems)


def load_technology_file(name_or_path: str) -> TechnologyFile:
    """A memory technology by name, or a user's own by path.

    Raises:
        InputError: there is no such technology, or its file has mistakes.
    """
    return _loaded(TechnologyFile, _path_of("technologies", name_or_path))


def load_capacity_technology_file(name_or_path: str) -> CapacityTechnologyFile:
    """A technology of capacity tiers by name, or a user's own by path.

    Raises:
        InputError: there is no such technology, or its file has mistakes.
    """
    return _loaded(CapacityTechnologyFile, _path_of("technologies/capacity", name_or_path))


def load_process_file(name_or_path: str) -> ProcessFile:
    """A silicon process by name, or a user's own by path.

    Raises:
        InputError: there is no such process, or its file has mistakes.
    """
    return _loaded(ProcessFile, _path_of("processes", name_or_path))


def execution_tables(name: str) -> dict[str, Any]:
    """The tables of a way of using a chip; what its file leaves out is ideal."""
    folder = _DATA / "executions"
    return {**_tables(folder / f"{IDEAL}.toml"), **_tables(folder / f"{name}.toml")}


@cache
def load_execution_file(name: str) -> ExecutionFile:
    """A way of using a chip, by name.

    Raises:
        InputError: its file has mistakes.
    """
    tables = execution_tables(name)
    return _checked(ExecutionFile, tables, f"executions/{name}.toml", _source_problems(tables))


@cache
def load_packaging_file() -> PackagingFile:
    """The packaging that comes with the package."""
    return _loaded(PackagingFile, _DATA / "packaging.toml")


@cache
def load_facility_file() -> FacilityFile:
    """The facility that comes with the package."""
    return _loaded(FacilityFile, _DATA / "facility.toml")


@cache
def load_sources() -> dict[str, SourceFile]:
    """Every source that the numbers of the package name, by identifier."""
    return {
        name: validated(SourceFile, table, f"sources.toml: {name}")
        for name, table in _tables(_DATA / "sources.toml").items()
    }
