"""Finished systems as files: a chip, and the network that joins many of it.

What is read here is checked for types, signs, dimensions and references, and left in SI as it was
stated; what follows from it is computed elsewhere.
"""

from collections.abc import Iterator
from typing import Any, Literal, get_args

from pydantic import BaseModel

from liminal_jax._files import Problem
from liminal_jax.data.catalogue import missing, path_of
from liminal_jax.data.chip import ChipFile
from liminal_jax.data.facility_defaults import FACILITY_DEFAULTS, facility_tables
from liminal_jax.data.files import Table, checked, loaded, tables_of
from liminal_jax.data.network import NetworkFile
from liminal_jax.data.rows import Rows, rows_of, table_of
from liminal_jax.hardware.system import System


class SystemFile(table_of(Rows, rows_of(System))):
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
        Problem(where, missing(folder, name))
        for where, folder, name in references
        if isinstance(name, str) and missing(folder, name)
    ]


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
    return loaded(SystemFile, path_of("systems", name_or_path), _reference_problems)
