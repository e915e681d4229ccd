"""Hardware as files: finished systems, and where every file is found, read and checked.

Every number in them carries its source (see `liminal_jax.data.numbers`). What is read here is
checked for types, signs, dimensions and references, and left in SI as it was stated; what follows
from it is computed elsewhere. Systems are listed without JAX; what chips are made of and stand in
is read by `liminal_jax.data.parts`.
"""

import itertools
import math
import tomllib
from collections.abc import Iterator
from copy import deepcopy
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
from liminal_jax.data.numbers import (
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

DATA = Path(__file__).parent

Throughput = Annotated[Number, Quantity("FLOP/s"), POSITIVE]
Bandwidth = Annotated[Number, Quantity("B/s"), POSITIVE]
KnownBandwidth = Annotated[Bandwidth, KNOWN]
Capacity = Annotated[Number, Quantity("B"), POSITIVE, KNOWN]
Area = Annotated[Number, Quantity("m2"), POSITIVE]
Power = Annotated[Number, Quantity("W"), POSITIVE]
PowerShare = Annotated[Number, Quantity("W"), NOT_NEGATIVE, KNOWN]
PowerDensity = Annotated[Number, Quantity("W/m2"), POSITIVE]
Price = Annotated[Number, Quantity("USD"), POSITIVE]
PriceShare = Annotated[Number, Quantity("USD"), NOT_NEGATIVE, KNOWN]
BytePrice = Annotated[Number, Quantity("USD/B"), NOT_NEGATIVE]
KnownBytePrice = Annotated[BytePrice, KNOWN]
ByteEnergy = Annotated[Number, Quantity("J/B"), POSITIVE]
KnownByteEnergy = Annotated[ByteEnergy, KNOWN]
ByteEnergyShare = Annotated[Number, Quantity("J/B"), NOT_NEGATIVE, KNOWN]
Duration = Annotated[Number, Quantity("s"), POSITIVE, KNOWN]
Ratio = Annotated[Number, Quantity(""), POSITIVE, KNOWN]
Share = Annotated[Number, Quantity(""), FRACTION, KNOWN]


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


class Table(BaseModel):
    """A table of a file: unknown keys are mistakes, and nothing changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class MemoryFile(Table):
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


class SramFile(Table):
    """On-chip memory under control of software, in which weights or cached keys may live.

    Attributes:
        capacity: Capacity [B].
        bandwidth: Peak bandwidth [B/s].
        energy: Energy for each byte [J/B].
    """

    capacity: Capacity
    bandwidth: KnownBandwidth
    energy: KnownByteEnergy


class CapacityTierFile(Table):
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


class PowerFile(Table):
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


@cache
def facility_tables() -> dict[str, Any]:
    """The rows of the facility that comes with the package, as they are written."""
    return tables_of(DATA / "facility.toml")


def _facility(field: str) -> Any:
    """A number that is the facility's where a system's file does not state its own."""
    return Field(default_factory=lambda: facility_tables()[field], validate_default=True)


class ChipFile(Table):
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
    idle_fraction: Share = _facility("idle_fraction")
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


class NetworkFile(Table):
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
    efficiency: Share = _facility("network_efficiency")
    scale_out_bandwidth: KnownBandwidth = _facility("scale_out_bandwidth")
    scale_out_latency: Duration = _facility("scale_out_latency")
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


class SystemFile(Table):
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


class SourceFile(Table):
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
    return tuple(sorted(path.stem for path in (DATA / folder).glob("*.toml")))


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


def path_of(folder: str, name: str) -> Path:
    """The file of a name among those of a folder of the package, or of a path.

    Raises:
        InputError: there is none.
    """
    problem = _missing(folder, name)
    if problem:
        raise InputError("", [Problem("", problem)])
    if folder == "systems" and name in measured_system_names():
        return DATA / folder / "measured" / f"{name}.toml"
    return DATA / folder / f"{name}.toml" if name in _names(folder) else Path(name)


def _shown(path: Path) -> str:
    """A file as people name it."""
    return str(path.relative_to(DATA)) if path.is_relative_to(DATA) else str(path)


def data_tables(file: str) -> dict[str, Any]:
    """What a file of the package's data says, before it is checked.

    Args:
        file: Its path, relative to the package's data.
    """
    return tables_of(DATA / file)


def tables_of(path: Path) -> dict[str, Any]:
    """What a file says, before it is checked; those of the package's own data are read once.

    Raises:
        InputError: it cannot be read.
    """
    return deepcopy(_kept(path)) if path.is_relative_to(DATA) else _parsed(path)


@cache
def _kept(path: Path) -> dict[str, Any]:
    return _parsed(path)


def _parsed(path: Path) -> dict[str, Any]:
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


def source_problems(tables: dict[str, Any]) -> list[Problem]:
    """Sources that the tables of a file name and nobody knows."""
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


def checked(
    model: type[_File], tables: dict[str, Any], source: str, problems: list[Problem]
) -> _File:
    """The record, unless there are mistakes; those found before come with those of the schema.

    Args:
        model: What the file holds.
        tables: What it says.
        source: What to call it in messages.
        problems: Mistakes that were found before.

    Raises:
        InputError: with every mistake.
    """
    try:
        record = validated(model, tables, source)
    except InputError as error:
        raise InputError(source, [*error.problems, *problems]) from None
    if problems:
        raise InputError(source, problems)
    return record


def loaded(model: type[_File], path: Path) -> _File:
    """The record of a file; one of the package names known sources only.

    Raises:
        InputError: it cannot be read or has mistakes.
    """
    tables = tables_of(path)
    problems = source_problems(tables) if path.is_relative_to(DATA) else []
    return checked(model, tables, _shown(path), problems)


def load_system_tables(name_or_path: str) -> dict[str, Any]:
    """The tables of a system as they are written, rows that its file leaves to defaults included.

    Raises:
        InputError: there is no such system, or its file has mistakes.
    """
    load_system_file(name_or_path)
    tables = tables_of(path_of("systems", name_or_path))
    for (table, field), default in FACILITY_DEFAULTS.items():
        tables[table].setdefault(field, facility_tables()[default])
    return tables


def system_paths() -> tuple[str, ...]:
    """Dotted path of every field that a system's file may state."""
    return tuple(_paths_in(SystemFile))


def _paths_in(table: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in table.model_fields.items():
        members = [field.annotation, *get_args(field.annotation)]
        inner = [part for part in members if isinstance(part, type) and issubclass(part, Table)]
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
    return checked(SystemFile, tables, source, _reference_problems(tables))


def load_system_file(name_or_path: str) -> SystemFile:
    """A system that comes with the package, by name, or a user's own, by path.

    Raises:
        InputError: there is no such system, or its file has mistakes.
    """
    path = path_of("systems", name_or_path)
    tables = tables_of(path)
    problems = _reference_problems(tables)
    if path.is_relative_to(DATA):
        problems += source_problems(tables)
    return checked(SystemFile, tables, _shown(path), problems)


@cache
def load_sources() -> dict[str, SourceFile]:
    """Every source that the numbers of the package name, by identifier."""
    return {
        name: validated(SourceFile, table, f"sources.toml: {name}")
        for name, table in tables_of(DATA / "sources.toml").items()
    }
