"""From files to pytrees: the one place where a file's numbers become leaves.

An unknown number becomes NaN, and with it every output that needs it; an unknown vector rate
becomes infinite, which leaves scalar work out. `liminal_jax.study.basis` names both.
"""

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, wraps
from types import MappingProxyType
from typing import Any, TypeVar, TypeVarTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax import dtypes
from jax.core import Tracer
from pydantic import BaseModel

from liminal_jax._arrays import Leaf, as_leaf, as_number, numpy_for
from liminal_jax._smooth import Exact
from liminal_jax._traced import listed
from liminal_jax.data.chip import HOST, TENSOR, ChipFile
from liminal_jax.data.library import Library, library_of
from liminal_jax.data.models import load_model_spec
from liminal_jax.data.network import ROW_NAMES, SCALE_OUT, TOPOLOGIES, NetworkFile
from liminal_jax.data.numbers import Number
from liminal_jax.data.parts import (
    DIE_LINK,
    CapacityTechnologyFile,
    ExecutionFile,
    FacilityFile,
    PackagingFile,
    ProcessFile,
    TechnologyFile,
    load_facility_file,
)
from liminal_jax.data.rows import numbers_of
from liminal_jax.hardware.chip import ByPrecision, CapacityTier, Chip, ChipCost, MemoryTier
from liminal_jax.hardware.execution import Execution
from liminal_jax.hardware.fabric import AbstractFabric, AsPriced, Reaches, Tiered
from liminal_jax.hardware.network import AbstractNetwork, AbstractPhysical, ScaleOut
from liminal_jax.hardware.package import DieLinks
from liminal_jax.hardware.plan import Material, manufacturing_cost
from liminal_jax.hardware.power import AbstractPower, ActivityPower, ProvisionedPower
from liminal_jax.hardware.system import Facility, System
from liminal_jax.hardware.technology import (
    CapacityTechnology,
    MemoryTechnology,
    Packaging,
    Process,
)
from liminal_jax.laws.cost import YEAR, one_time_share
from liminal_jax.laws.power import arithmetic_energy
from liminal_jax.workload.model import Model, model_of

MARGINS = ("logic_margin", "memory_margin", "package_margin")
"""Fields of the facility that say what parts of a chip sell for over their cost."""


_FROM_FILES = jax.ensure_compile_time_eval()
"""Numbers of files are computed at once, also where a function that is traced loads a system."""

_Files = TypeVarTuple("_Files")
_Part = TypeVar("_Part")

MOST = 64
"""Parts of each kind that are kept. A number takes long to put on a device, and most chips share
packaging, process, memory and facility."""


class _Same:
    """Some files, the same only as themselves: to compare their numbers would take longer.

    A library is the same as one of the same files.
    """

    def __init__(self, files: tuple[Any, ...]):
        self.files = files
        self._key = tuple(id(part) for file in files for part in _parts(file))

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self._key == other._key


def _parts(file: Any) -> Iterator[Any]:
    """A file, or the files of a library or of a table of files."""
    if isinstance(file, Library):
        file = dict(file)
    if isinstance(file, dict):
        for it in file.values():
            yield from _parts(it)
    else:
        yield file


def _once(build: Callable[[*_Files], _Part]) -> Callable[[*_Files], _Part]:
    """A part of some files, which is made once of the same ones for each width of numbers."""

    @lru_cache(maxsize=MOST)
    @_FROM_FILES
    def made(them: _Same, kind: np.dtype) -> _Part:
        del kind
        return build(*cast("tuple[*_Files]", them.files))

    @wraps(build)
    def part(*files: *_Files) -> _Part:
        return made(_Same(files), dtypes.canonicalize_dtype(float))

    return part


def _si(number: Number | None, unknown: float = math.nan) -> float:
    """The value of a row in SI, or what stands for an unknown one."""
    return unknown if number is None or number.value is None else number.value


def _leaves(
    kind: type,
    file: BaseModel,
    unknown: float = math.nan,
    names: Mapping[str, str] = MappingProxyType({}),
    prefix: str = "",
) -> dict[str, float]:
    """The numbers of a class that a file states, in SI."""
    return {name: _si(row, unknown) for name, row in numbers_of(kind, file, names, prefix).items()}


def _known(number: Number | None, otherwise: float) -> float:
    return otherwise if number is None or number.value is None else number.value


def _if_known(number: Any, value: Any, otherwise: Any) -> Any:
    """A value that rests on a number, or another where that is unknown; all may be traced."""
    if isinstance(number, Tracer):
        return jnp.where(jnp.isnan(number), otherwise, value)
    return otherwise if math.isnan(number) else value


def tensor_rates(file: ChipFile) -> ByPrecision:
    """Rates by precision; a width that a chip lacks runs at the rate of the next wider one."""
    stated = numbers_of(ByPrecision, file, TENSOR)
    rates = {name: _si(row) for name, row in stated.items()}
    for wider, name in itertools.pairwise(rates):
        rates[name] = _known(stated[name], rates[wider])
    return ByPrecision(**rates)


def memory_tier(file: ChipFile, library: Library) -> MemoryTier:
    """The main memory of a chip."""
    technology = library.memory.get(file.memory.technology or "")
    # A chip that streams stays within its TDP; an unknown one sets no limit.
    stated, streaming = stated_memory_energy(file, technology), streaming_energy(file)
    energy = numpy_for(stated, streaming).fmin(stated, streaming)
    device = _si(technology and technology.device_energy, math.inf)
    rows: dict[str, Any] = {
        **_leaves(MemoryTier, file.memory),
        "energy": energy,
        # An unknown part is taken as the whole; drawn from its range, it may exceed it.
        "device_energy": numpy_for(device, energy).minimum(device, energy),
    }
    return MemoryTier(**rows)


def stated_memory_energy(file: ChipFile, technology: TechnologyFile | None) -> float:
    """Energy of the memory path of a chip for each byte, as the files state it [J/B]."""
    return _known(file.memory.energy, _si(technology and technology.access_energy))


def streaming_energy(file: ChipFile) -> float:
    """Energy of each byte at which a chip that only reads its memory draws its TDP [J/B].

    Unknown where the TDP is, or where power is provisioned.
    """
    dynamic = _si(file.tdp) * (1 - _si(file.idle_fraction))
    return math.nan if file.power is not None else dynamic / _si(file.memory.bandwidth)


def sram_tier(file: ChipFile) -> MemoryTier:
    """The SRAM in which data may stay; without one, a tier that holds nothing."""
    if file.sram is None:
        return MemoryTier(capacity=0.0, bandwidth=_si(file.memory.bandwidth), energy=0.0)
    return MemoryTier(**_leaves(MemoryTier, file.sram))


def capacity_tier(file: ChipFile, library: Library) -> CapacityTier | None:
    """The memory beyond the main memory of a chip, if its file states one."""
    tier = file.capacity_tier
    if tier is None:
        return None
    technology = library.capacity.get(tier.technology or "")
    capacity, price, standby = _si(tier.capacity), _si(technology and technology.price), 0.0
    if technology is not None:
        standby = capacity / _si(technology.unit_capacity) * _si(technology.standby_power)
    rows: dict[str, Any] = {
        **_leaves(CapacityTier, tier),
        "energy": _known(tier.energy, _si(technology and technology.access_energy)),
        "price": capacity * _known(tier.price, price),
        "standby_power": _known(tier.standby_power, standby),
        "kinds": tier.holds,
    }
    return CapacityTier(**rows)


def chip_power(file: ChipFile, library: Library) -> AbstractPower:
    """Provisioned where the file says so; else by activity, products alone drawing the TDP."""
    if file.power is not None:
        bandwidth = _si(file.power.bandwidth_power) * _si(file.memory.bandwidth)
        return ProvisionedPower(_si(file.power.density) * _si(file.die_area) + bandwidth)
    memory, tdp = memory_tier(file, library), _si(file.tdp)
    idle = _si(file.idle_fraction) * tdp
    streamed = as_number(memory.energy) * as_number(memory.bandwidth)
    return ActivityPower(
        idle=idle,
        dynamic=tdp - idle,
        flop_energy=arithmetic_energy(
            tdp=tdp,
            idle=idle,
            memory_power=_si(library.facility.product_traffic) * streamed,
            throughput=_known(file.sustained_8bit, as_number(tensor_rates(file).bits_8)),
        ),
        link_energy=_si(library.facility.link_energy),
    )


@_FROM_FILES
def chip_cost(file: ChipFile, library: Library) -> ChipCost:
    """The published estimate, in the proportions of the cost laws; else what these make of it.

    An estimate of a chip of which the laws make nothing is all of its logic.
    """
    parts, stated = estimated_cost(file, library), file.cost.value
    if stated is None:
        return parts
    share = stated / as_number(parts.total())
    alone = ChipCost(logic=stated, memory=0.0, package=0.0)
    return jax.tree.map(
        lambda part, whole: as_leaf(_if_known(share, as_number(part) * share, as_number(whole))),
        parts,
        alone,
    )


def chip_of(file: ChipFile, library: Library) -> Chip:
    """A chip; a vector rate that nobody has published leaves scalar work out."""
    rows: dict[str, Any] = {**_leaves(Chip, file), "vector": _si(file.vector, unknown=math.inf)}
    if file.dies is not None:
        rows["dies"] = file.dies
    return Chip(
        tensor=tensor_rates(file),
        memory=memory_tier(file, library),
        sram=sram_tier(file),
        power=chip_power(file, library),
        cost=chip_cost(file, library),
        capacity_tier=capacity_tier(file, library),
        **rows,
    )


@listed
def _exact_cost(
    dies: Leaf, area: Leaf, stacks: Leaf, capacity: Leaf, material: Material
) -> ChipCost:
    """As the laws have it: traced once for all chips."""
    stack = material.memory
    return manufacturing_cost(
        dies=dies,
        area=area,
        stacks=stacks,
        # A chip may have fewer layers than the technology's file, or part of a stack unused.
        memory=capacity * (stack.stack_price() / stack.stack_capacity()),
        material=material,
        relaxation=Exact(),
    )


def estimated_cost(file: ChipFile, library: Library) -> ChipCost:
    """What the cost laws make of a chip's dies and memory; unknown where they are."""
    stated = (file.dies, file.die_area.value, file.process, file.memory.stacks)
    stated = (*stated, file.memory.technology)
    if any(part is None for part in stated):
        return ChipCost(logic=math.nan, memory=math.nan, package=math.nan)
    return _cost_of(
        file,
        library.memory[file.memory.technology or ""],
        library.process[file.process or ""],
        library.packaging,
        library.facility,
    )


@_once
def _cost_of(
    file: ChipFile,
    memory: TechnologyFile,
    process: ProcessFile,
    packaging: PackagingFile,
    room: FacilityFile,
) -> ChipCost:
    """What the cost laws make of dies and memory that are known."""
    return _exact_cost(
        dies=as_leaf(file.dies or 1),
        area=as_leaf(_si(file.die_area) / (file.dies or 1)),
        stacks=as_leaf(file.memory.stacks or 0),
        capacity=as_leaf(_si(file.memory.capacity)),
        material=Material(
            memory=technology_of(memory),
            process=process_of(process),
            packaging=packaging_of(packaging, room),
        ),
    )


def _fabric_of(file: NetworkFile) -> AbstractFabric:
    """Tiers and optics, or reaches, where the file says what they take; else nothing is added."""
    if file.reach is not None:
        times = [_si(it) for it in file.reach.values()]
        numpy = numpy_for(*times)
        return Reaches(chips=list(file.reach), steps=numpy.diff(numpy.asarray(times)))
    if file.switch_radix is None:
        return AsPriced()
    return Tiered(**_leaves(Tiered, file, names=ROW_NAMES))


def network_of(file: NetworkFile) -> AbstractNetwork:
    """The network of a system."""
    kind = TOPOLOGIES[file.topology]
    rows: dict[str, Any] = dict(_leaves(kind, file, names=ROW_NAMES))
    if not issubclass(kind, AbstractPhysical):
        return kind(**rows)
    rows |= {
        "domain": file.domain,
        "scale_out": ScaleOut(**_leaves(ScaleOut, file, prefix=SCALE_OUT)),
        "fabric": _fabric_of(file),
    }
    if file.reach is not None:
        rows["latency"] = _si(next(iter(file.reach.values())))
    if file.dimensions is not None:
        rows["dimensions"] = file.dimensions
    return kind(**rows)


@_once
def execution_of(file: ExecutionFile) -> Execution:
    """The pytree of a way of using a chip."""
    return Execution(**_leaves(Execution, file))


@_once
def die_links_of(file: ExecutionFile) -> DieLinks | None:
    """What joins the dies of a package; nothing where they act as one."""
    links = _leaves(DieLinks, file, prefix=DIE_LINK)
    return DieLinks(**links) if links else None


@_once
def facility_of(file: FacilityFile) -> Facility:
    """The pytree of a facility file; one multiple for all parts stands for their margins."""
    rows = {
        **_leaves(Facility, file),
        **_price_of_parts(file),
        "one_time_cost": one_time_share(
            design_cost=_known(file.design_cost, 0.0), volume=_known(file.volume, 1.0)
        ),
        "building_cost": _known(file.building_cost, 0.0),
        "energy_price": _si(file.electricity_price),
        "lifetime": _si(file.lifetime) / YEAR,
    }
    return Facility(**rows)


def _price_of_parts(file: FacilityFile) -> dict[str, float]:
    """What parts of a chip sell for over their cost: one multiple if it is stated, else margins."""
    if file.selling_multiple is not None:
        return {"selling_multiple": _si(file.selling_multiple), **dict.fromkeys(MARGINS, 1.0)}
    return {"selling_multiple": 1.0, **{name: _si(getattr(file, name)) for name in MARGINS}}


def _facility_around(file: ChipFile, library: Library) -> Facility:
    """The facility around a chip, with the server of the chip.

    What a system's file states of its host wins; where power is provisioned, the server's is too.
    """
    own: dict[str, float] = {}
    if file.power is not None:
        server = _si(file.power.server_power)
        own = {"host_power": server, "host_idle_fraction": 1.0, "switch_power": 0.0}
    else:
        own = {name: it for name, it in _leaves(Facility, file).items() if name in HOST}
    return dataclasses.replace(facility_of(library.facility), **own)


def system_of(library: Library, name: str) -> System:
    """The pytree of a system whose chip keeps its own price, where price and cost are known.

    The price of the market covers the design; chips without one have the margins of the facility.

    Args:
        library: Its file, with those that it refers to.
        name: Its name there.
    """
    return _priced(library.only([name]))


@_once
def _priced(library: Library) -> System:
    """The only system of a library, at its own price."""
    (file,) = library.system.values()
    system, price = _at_margins(library), file.chip.market_price.value
    if price is None:
        return system
    cost = as_number(system.chip.cost.total())
    own = {"selling_multiple": price / cost, **dict.fromkeys(MARGINS, 1.0), "one_time_cost": 0.0}
    rows = {name: _if_known(cost, it, getattr(system.facility, name)) for name, it in own.items()}
    facility = dataclasses.replace(system.facility, **rows)
    return dataclasses.replace(system, facility=facility)


def system_at_margins(library: Library, name: str) -> System:
    """The pytree of a system whose chip sells as a study states for all chips.

    Args:
        library: Its file, with those that it refers to.
        name: Its name there.
    """
    return _at_margins(library.only([name]))


@_once
def _at_margins(library: Library) -> System:
    """The only system of a library, at the margins of its facility."""
    (file,) = library.system.values()
    rows: dict[str, Any] = _leaves(System, file)
    return System(
        chip=chip_of(file.chip, library),
        network=network_of(file.network),
        facility=_facility_around(file.chip, library),
        execution=execution_of(library.execution),
        die_links=die_links_of(library.execution),
        **rows,
    )


@_once
def technology_of(file: TechnologyFile) -> MemoryTechnology:
    """The pytree of a memory technology; one without a thermal limit has an infinite one."""
    rows = _leaves(MemoryTechnology, file, unknown=math.inf)
    least = numpy_for(rows["device_energy"], rows["access_energy"]).minimum
    rows["device_energy"] = least(rows["device_energy"], rows["access_energy"])
    return MemoryTechnology(
        stacked_share=float(file.place == "on the die"),
        embedded_share=float(file.place == "inside the die"),
        **rows,
    )


@_once
def capacity_technology_of(file: CapacityTechnologyFile) -> CapacityTechnology:
    """The pytree of a technology of capacity tiers."""
    return CapacityTechnology(**_leaves(CapacityTechnology, file))


@_once
def process_of(file: ProcessFile) -> Process:
    """The pytree of a silicon process."""
    return Process(**_leaves(Process, file))


@_once
def packaging_of(file: PackagingFile, room: FacilityFile) -> Packaging:
    """The pytree of packaging, with what the facility file says of every chip."""
    return Packaging(**_leaves(Packaging, file), **_leaves(Packaging, room))


def load_system(name_or_path: str) -> System:
    """A system by name, or a user's own by the path of its file, in the package's facility.

    Raises:
        InputError: there is no such system, or its file has mistakes.
    """
    return system_of(library_of([name_or_path], load_facility_file()), name_or_path)


def load_model(name_or_path: str) -> Model:
    """A model by name, or by the path of a config.json or of a model file.

    Raises:
        InputError: there is no such model, its file has mistakes, or it is not modelled.
    """
    return model_of(load_model_spec(name_or_path))
