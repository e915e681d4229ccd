"""Files of numbers as they are read and checked: tables, the sources that they name, records.

Every number in them carries its source (see `liminal_jax.data.numbers`). It needs no JAX.
"""

import tomllib
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

from liminal_jax._files import InputError, Problem, did_you_mean, unreadable
from liminal_jax.data.catalogue import DATA
from liminal_jax.data.validation import validated


class Table(BaseModel):
    """A table of a file: unknown keys are mistakes, and nothing changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


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


def shown(path: Path) -> str:
    """A file as people name it.

    Args:
        path: Its path; those of the package's data are named from there.
    """
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
        raise InputError(shown(path), [Problem("", unreadable(error))]) from None


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


def loaded(
    model: type[_File],
    path: Path,
    mistakes: Callable[[dict[str, Any]], list[Problem]] = lambda _: [],
) -> _File:
    """The record of a file; one of the package names known sources only, and is checked once.

    Args:
        model: What the file holds.
        path: Its path.
        mistakes: Further mistakes in its tables.

    Raises:
        InputError: it cannot be read or has mistakes.
    """
    if path.is_relative_to(DATA):
        return _own(model, path, mistakes)
    tables = tables_of(path)
    return checked(model, tables, shown(path), mistakes(tables))


@cache
def _own(
    model: type[_File], path: Path, mistakes: Callable[[dict[str, Any]], list[Problem]]
) -> _File:
    """The record of a file of the package."""
    tables = tables_of(path)
    return checked(model, tables, shown(path), [*mistakes(tables), *source_problems(tables)])


@cache
def load_sources() -> dict[str, SourceFile]:
    """Every source that the numbers of the package name, by identifier."""
    return {
        name: validated(SourceFile, table, f"sources.toml: {name}")
        for name, table in tables_of(DATA / "sources.toml").items()
    }
