"""Files of what hardware is made of and stands in: technologies, processes, packaging, facility.

Their rows follow from the fields of the pytrees that they become, so that units, ranges and labels
are stated there alone; what is written here is what files say beside them.
"""

import math
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import field_validator, model_validator

from liminal_jax._quantity import quantities_of
from liminal_jax._units import parse_unit
from liminal_jax.data.catalogue import DATA, IDEAL, path_of
from liminal_jax.data.facility_defaults import facility_tables
from liminal_jax.data.files import checked, loaded, source_problems, tables_of
from liminal_jax.data.network import SCALE_OUT
from liminal_jax.data.numbers import (
    BELOW_ONE,
    FRACTION,
    KNOWN,
    Number,
    Quantity,
)
from liminal_jax.data.rows import Rows, row, rows_of, table_of
from liminal_jax.hardware.execution import Execution
from liminal_jax.hardware.network import ScaleOut, Switched
from liminal_jax.hardware.package import DieLinks
from liminal_jax.hardware.system import Facility
from liminal_jax.hardware.technology import (
    CapacityTechnology,
    MemoryTechnology,
    Packaging,
    Process,
)


class _Named(Rows):
    name: str
    title: str


class _Told(_Named):
    about: str


class _Placed(_Told):
    place: Literal["beside the die", "on the die", "inside the die"]


class _Way(Rows):
    name: str
    about: str


STACK_ROUNDING = 0.02
"""Share by which a printed capacity or bandwidth of a stack may differ from what follows from its
layers and area: both sides are rounded."""


_STACK = {
    "stack_capacity": row("B", "capacity of one stack", optional=True),
    "stack_bandwidth": row("B/s", "bandwidth of one stack", optional=True),
}
"""Of one stack as its source prints it."""


class TechnologyFile(
    table_of(
        _Placed,
        rows_of(
            MemoryTechnology,
            without=("stacked_share", "embedded_share"),
            unknown=("device_energy", "power_density_limit"),
        )
        | _STACK,
    )
):
    """A memory technology: what one stack of it gives, takes and costs.

    Capacity, bandwidth and price of a stack follow from its layers and its area. A file may print
    capacity and bandwidth too, and then they have to agree with what follows. Energy of the device
    is 0 for memory on the logic die, and taken as all of it where unknown.

    Attributes:
        name: The name that chips refer to.
        title: The name that people read.
        about: One sentence.
        place: Where a stack stands: on the interposer, bonded to the logic die, or as part of it.
    """

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


class CapacityTechnologyFile(
    table_of(_Told, rows_of(CapacityTechnology, unknown=("access_energy", "price")))
):
    """A memory technology for a capacity tier: what one unit of it gives, takes and costs.

    Attributes:
        name: The name that chips refer to.
        title: The name that people read.
        about: One sentence, which says what a unit is.
    """


class ProcessFile(table_of(_Named, rows_of(Process))):
    """A silicon process: what its area gives and what its wafers cost.

    Attributes:
        name: The name that chips refer to.
        title: The name that people read.
    """


_CHIP_IN_A_ROOM = ("idle_fraction", "product_traffic", "link_energy")
"""Numbers of planned chips that the facility states for all."""


class PackagingFile(table_of(Rows, rows_of(Packaging, without=_CHIP_IN_A_ROOM))):
    """What it takes to make a package of good dies and stacks."""


DIE_LINK = "die_link_"
"""Opens the rows of what joins the dies of a package."""


class ExecutionFile(
    table_of(
        _Way,
        rows_of(Execution) | rows_of(DieLinks, prefix=DIE_LINK, optional=quantities_of(DieLinks)),
    )
):
    """How far the use of a chip falls short of its peaks, and how its parts work together.

    Where links between dies are not stated, the dies act as one.

    Attributes:
        name: The name that assumptions refer to.
        about: One sentence.
        memory_reserve: Share of main memory that is kept free; a file leaves some to use.
    """

    memory_reserve: Annotated[Number, Quantity(""), FRACTION, BELOW_ONE, KNOWN]

    @model_validator(mode="after")
    def _has_whole_links(self) -> "ExecutionFile":
        """Links between dies are stated whole or not at all."""
        links = [DIE_LINK + name for name in DieLinks.__dataclass_fields__]
        missing = [name for name in links if getattr(self, name) is None]
        if missing and len(missing) < len(links):
            raise ValueError(f"links between dies need {', '.join(missing)} too")
        return self


_LEFT_OUT = ("selling_multiple", "building_cost")
"""Numbers of the facility that a file may leave out."""

_ROOM = {
    **rows_of(Facility),
    **rows_of(Packaging),
    "electricity_price": rows_of(Facility)["energy_price"],
    "lifetime": row("s", "years over which machines are written off"),
}

_NETWORK = {
    "network_efficiency": rows_of(Switched)["efficiency"],
    **rows_of(ScaleOut, prefix=SCALE_OUT, above_zero=("latency",)),
}
"""Numbers of a network that a system's file may leave to the facility."""


class FacilityFile(
    table_of(
        Rows,
        {
            **{name: rows_of(Facility, optional=_LEFT_OUT)[name] for name in _LEFT_OUT},
            # In the order of the file, in which uncertain numbers are drawn.
            **{name: _ROOM[name] for name in facility_tables() if name in _ROOM},
            "design_cost": row("USD", "one-time cost of a design", least=0.0, optional=True),
            "volume": row("", "chips made of one design", optional=True),
            "least_clock": row("", "lowest clock over the nominal one"),
            "most_clock": row("", "highest clock over the nominal one"),
            **_NETWORK,
        },
    )
):
    """What stands around the chips, and what a chip is given where its file does not say.

    The cost of a design holds masks and verification; where it is left out, margins cover it. Below
    the lowest clock the voltage falls no further.
    """


def load_technology_file(name_or_path: str) -> TechnologyFile:
    """A memory technology by name, or a user's own by path.

    Raises:
        InputError: there is no such technology, or its file has mistakes.
    """
    return loaded(TechnologyFile, path_of("technologies", name_or_path))


def load_capacity_technology_file(name_or_path: str) -> CapacityTechnologyFile:
    """A technology of capacity tiers by name, or a user's own by path.

    Raises:
        InputError: there is no such technology, or its file has mistakes.
    """
    return loaded(CapacityTechnologyFile, path_of("technologies/capacity", name_or_path))


def load_process_file(name_or_path: str) -> ProcessFile:
    """A silicon process by name, or a user's own by path.

    Raises:
        InputError: there is no such process, or its file has mistakes.
    """
    return loaded(ProcessFile, path_of("processes", name_or_path))


def execution_tables(name: str) -> dict[str, Any]:
    """The tables of a way of using a chip; what its file leaves out is ideal."""
    folder = DATA / "executions"
    return {**tables_of(folder / f"{IDEAL}.toml"), **tables_of(folder / f"{name}.toml")}


@cache
def load_execution_file(name: str) -> ExecutionFile:
    """A way of using a chip, by name.

    Raises:
        InputError: its file has mistakes.
    """
    tables = execution_tables(name)
    return checked(ExecutionFile, tables, f"executions/{name}.toml", source_problems(tables))


@cache
def load_packaging_file() -> PackagingFile:
    """The packaging that comes with the package."""
    return loaded(PackagingFile, DATA / "packaging.toml")


@cache
def load_facility_file() -> FacilityFile:
    """The facility that comes with the package."""
    return loaded(FacilityFile, DATA / "facility.toml")
