"""`liminal systems`: list the systems that come with the package, show one, start one's own."""

import json as json_format
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import tyro
from pydantic import BaseModel

from liminal_jax._files import InputError, Problem, did_you_mean, unwritable
from liminal_jax.cli.options import Maybe
from liminal_jax.cli.printed import printed
from liminal_jax.cli.runtime import prepare_jax
from liminal_jax.data.catalogue import system_names
from liminal_jax.data.files import load_sources
from liminal_jax.data.system_outlines import system_outlines
from liminal_jax.results.systems import page, systems_record


def systems_list(json: bool = False) -> None:
    """List the systems that come with the package.

    Args:
        json: Print one JSON object in SI units instead of a table.
    """
    if not json:
        printed(systems_record(system_outlines()), page, json)
        return
    from liminal_jax.data.systems import load_system_file

    systems = {name: load_system_file(name).model_dump() for name in system_names()}
    printed(systems_record(systems), page, json)


def systems_show(
    name: tyro.conf.Positional[str],
    output: Annotated[Maybe[str], tyro.conf.arg(aliases=["-o"], metavar="DIR")] = None,
    overwrite: bool = False,
    json: bool = False,
) -> None:
    """Show every number of a system with unit, kind, range and source.

    Args:
        name: Name of a system, or path of a TOML file.
        output: Folder to draw it into: its package and one scale-up domain, as SVG.
        overwrite: Whether pictures that are there may be replaced.
        json: Print one JSON object in SI units instead of tables.
    """
    from liminal_jax.data.systems import load_system_file
    from liminal_jax.results import system as result

    system = load_system_file(name)
    if output is not None:
        _draw(name, Path(output), overwrite)
    record = result.system_record(system, _parts(system.chip), load_sources())
    printed(record, result.page, json)


def systems_new(
    name: tyro.conf.Positional[str],
    like: str,
    output: Annotated[Maybe[str], tyro.conf.arg(metavar="FILE")] = None,
    set: Annotated[tuple[str, ...], tyro.conf.arg(metavar="FIELD=VALUE")] = (),
) -> None:
    """Write an editable copy of a system as a TOML file of your own.

    Args:
        name: Name of the new system.
        like: Name or path of the system to start from.
        output: File to write; NAME.toml in the current folder if not given.
        set: A field to change, such as `chip.memory.bandwidth="8 TB/s"`; may be repeated.
    """
    from liminal_jax.data.systems import checked_system_file, load_system_tables

    path = Path(output or f"{name}.toml")
    tables = load_system_tables(like)
    tables.update(
        name=name, title=name, status="hypothetical", about=f"A system that started from {like}."
    )
    _change(tables, set)
    checked_system_file(tables, "--set" if set else str(path))
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(_file_text(tables, like, path))
    except FileExistsError:
        problem = "exists already; name another file with --output"
        raise InputError(str(path), [Problem("", problem)]) from None
    except OSError as error:
        raise InputError(str(path), [Problem("", unwritable(error))]) from None
    print(f"{path} written; try: liminal predict -m llama-3-70b --system {path}")


def _draw(name: str, folder: Path, overwrite: bool) -> None:
    """Draw a system into a folder."""
    prepare_jax()
    from liminal_jax.data.build import system_of
    from liminal_jax.data.library import library_of
    from liminal_jax.data.parts import load_facility_file
    from liminal_jax.drawing.figures import figures
    from liminal_jax.study.anatomy import system_record

    library = library_of([name], load_facility_file())
    drawn = figures(system_record(system_of(library, name), library.system[name], library))
    paths = {folder / f"{figure}.svg": sheet for figure, sheet in drawn.items()}
    there = [it for it in paths if it.exists() and not overwrite]
    if there:
        problem = Problem("", "exists; choose another folder, or give --overwrite")
        raise InputError(str(there[0]), [problem])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, sheet in paths.items():
            path.write_text(sheet.svg(alone=True), encoding="utf-8")
    except OSError as error:
        raise InputError(str(folder), [Problem("", unwritable(error))]) from None
    print(f"drawn into {', '.join(map(str, paths))}", file=sys.stderr)


def _parts(chip: Any) -> dict[str, Any]:
    """The files that a chip refers to, by what they are of it."""
    from liminal_jax.data.parts import (
        load_capacity_technology_file,
        load_process_file,
        load_technology_file,
    )

    parts: dict[str, BaseModel] = {}
    if chip.memory.technology is not None:
        parts["memory_technology"] = load_technology_file(chip.memory.technology)
    tier = chip.capacity_tier
    if tier is not None and tier.technology is not None:
        parts["capacity_technology"] = load_capacity_technology_file(tier.technology)
    if chip.process is not None:
        parts["process"] = load_process_file(chip.process)
    return parts


def _change(tables: dict[str, Any], changes: tuple[str, ...]) -> None:
    """Put `path=value` changes into the tables of a system."""
    from liminal_jax.data.systems import system_paths

    problems: list[Problem] = []
    known = system_paths()
    for change in changes:
        path, equals, text = (part.strip() for part in change.partition("="))
        if not equals:
            problems.append(Problem(path, "must be written FIELD=VALUE"))
        elif path not in known:
            hint = did_you_mean(path, known) or f"; there are {', '.join(known)}"
            problems.append(Problem(path, f"there is no such field{hint}"))
        else:
            *folders, field = path.split(".")
            table = tables
            for folder in folders:
                table = table.setdefault(folder, {})
            table[field] = _value(text)
    if problems:
        raise InputError("--set", problems)


def _value(text: str) -> Any:
    """A value as TOML reads it; a word or a quantity needs no quotation marks."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _file_text(tables: Mapping[str, Any], like: str, path: Path) -> str:
    return (
        f"# A system of your own, started from {like}. Use it with\n"
        f"#   liminal predict -m llama-3-70b --system {path}\n"
        f"#   liminal systems show {path}\n"
        "# A number may be a row with value, unit, source, kind (datasheet, paper, measured,\n"
        '# derived, assumed, fitted) and low, high, note; or just "8 TB/s"; or a bare SI number;\n'
        '# or { unknown = "reason" }. What needs an unknown number says so instead of answering.\n'
        "\n" + "\n".join(_lines(tables)).strip() + "\n"
    )


def _lines(table: Mapping[str, Any], heading: str = "") -> Iterator[str]:
    """The lines of a TOML table: its rows first, then the tables in it."""
    inner = {key: value for key, value in table.items() if _is_table(value)}
    if heading:
        yield f"\n[{heading}]"
    for key, value in table.items():
        if key not in inner:
            yield f"{key} = {_toml(value)}"
    for key, value in inner.items():
        yield from _lines(value, f"{heading}.{key}" if heading else key)


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping) and not {"value", "unknown"} & set(value)


def _toml(value: Any) -> str:
    """A value of a row as TOML; its strings and numbers are written as JSON writes them."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(part)}" for key, part in value.items()) + " }"
    return json_format.dumps(value, ensure_ascii=False)
