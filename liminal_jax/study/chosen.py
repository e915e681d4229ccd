"""Objects chosen for parts of a design, and the data files behind those that are chosen by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from pydantic import BaseModel, ConfigDict
from typing_extensions import override

from liminal_jax._arrays import as_leaf
from liminal_jax.data.build import load_model, load_system, process_of, system_of, technology_of
from liminal_jax.data.library import Library, library_of
from liminal_jax.data.parts import (
    ProcessFile,
    TechnologyFile,
    load_facility_file,
    load_process_file,
    load_technology_file,
)
from liminal_jax.hardware.planned import PlannedSystem
from liminal_jax.hardware.system import System
from liminal_jax.study.absent import absent_paths, present
from liminal_jax.study.case import Case
from liminal_jax.study.domain import Grid
from liminal_jax.study.region import Region, paths_of
from liminal_jax.study.rows import AbstractRows

SYSTEM = "system"
MEMORY = "system.chip.material.memory"
PROCESS = "system.chip.material.process"

LOADED = {
    SYSTEM: load_system,
    "model": load_model,
    MEMORY: lambda name: technology_of(load_technology_file(name)),
    PROCESS: lambda name: process_of(load_process_file(name)),
}
"""How an object of a choice is loaded by its name."""

HARDWARE = (SYSTEM, MEMORY, PROCESS)
"""Of these the parts whose numbers stand in data files with their ranges."""


class Option(NamedTuple):
    """One object of a choice, where it goes.

    Attributes:
        path: The part of a case that it is.
        name: How results call it.
        value: The object.
        loaded: The name that it was loaded by; empty where an object was given.
    """

    path: str
    name: str
    value: Any
    loaded: str = ""


def replaced(case: Case, path: str, value: Any) -> Case:
    """A case with an object at a path.

    Raises:
        ValueError: there is no such part.
    """

    def at(tree: Any) -> Any:
        for name in path.split("."):
            tree = tree[int(name)] if name.isdigit() else getattr(tree, name)
        return tree

    try:
        at(case)
    except (AttributeError, IndexError) as error:
        raise ValueError(f"there is no part {path!r} of the design to choose: {error}") from None
    return eqx.tree_at(at, case, value, is_leaf=lambda it: it is None)


def with_options(case: Case, options: Sequence[Option]) -> Case:
    """A case with objects at their places, what holds others before these.

    Leaves are arrays, so that structures compare.
    """
    for it in sorted(options, key=lambda it: it.path.count(".")):
        case = replaced(case, it.path, it.value)
    return jax.tree.map(as_leaf, case)


def with_all(case: Case, stated: Mapping[str, Grid]) -> Case:
    """A case in which all numbers that are stated are there."""
    for path, grid in stated.items():
        if path in absent_paths(case):
            case = present(case, path)
        elif path not in paths_of(case):
            case = replaced(case, path, as_leaf(grid.values[0]))
    return case


class PartFiles(BaseModel):
    """The files of what a planned chip takes by name.

    Attributes:
        memory: Memory technologies by name.
        process: Silicon processes by name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    memory: dict[str, TechnologyFile]
    process: dict[str, ProcessFile]


@dataclass(frozen=True)
class ChosenRows(AbstractRows):
    """The rows behind what a space written in Python chooses by name.

    Objects that are given as such, and numbers that are stated, are what they are.

    Attributes:
        base: The case in whose places the objects are put.
        options: The objects of each alternative, by its name.
        stated: Values of the numbers that the space states, by path.
    """

    base: Case
    options: Mapping[str, tuple[Option, ...]]
    stated: Mapping[str, Grid]

    def _names(self, path: str, categories: Sequence[str]) -> list[str]:
        """Names by which a part is loaded, each once."""
        options = [it for name in categories for it in self.options[name]]
        return list(dict.fromkeys(it.loaded for it in options if it.loaded and it.path == path))

    @override
    def files(self, categories: Sequence[str]) -> BaseModel:
        systems = self._names(SYSTEM, categories)
        if systems:
            return library_of(systems, load_facility_file())
        return PartFiles(
            memory={it: load_technology_file(it) for it in self._names(MEMORY, categories)},
            process={it: load_process_file(it) for it in self._names(PROCESS, categories)},
        )

    @override
    def hardware(self, files: BaseModel, categories: Sequence[str]) -> PlannedSystem | System:
        systems = [self._system(files, self.options[name]) for name in categories]
        return jax.tree.map(lambda *leaves: jnp.stack(leaves), *systems)

    def _system(self, files: BaseModel, options: Sequence[Option]) -> PlannedSystem | System:
        made = [it._replace(value=_made(it, files)) for it in options]
        case = with_all(with_options(self.base, made), self.stated)
        fixed = {path: as_leaf(it.value) for path, it in self.stated.items() if not it.free}
        return Region(case, (), (), "").with_numbers(fixed).case.system


def _made(option: Option, files: BaseModel) -> Any:
    """The object of an option, from files if it was loaded from such."""
    if not option.loaded or option.path not in HARDWARE:
        return option.value
    if isinstance(files, Library):
        return system_of(files, option.loaded) if option.path == SYSTEM else option.value
    if not isinstance(files, PartFiles):
        raise TypeError(f"files of systems or of parts of planned chips, got {type(files)}")
    if option.path == MEMORY:
        return technology_of(files.memory[option.loaded])
    return process_of(files.process[option.loaded])
