"""What a study or design names, resolved: the files that it names are read here, each once.

Everything below the border takes what is resolved and reads no file. Mistakes in the files, and in
what a study changes in them, are all told at once.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict

from liminal_jax._files import InputError, Problem, did_you_mean
from liminal_jax.algorithm.drafter import DRAFTERS
from liminal_jax.data.catalogue import (
    IDEAL,
    capacity_technology_names,
    execution_names,
    path_of,
    process_names,
    system_names,
    technology_names,
)
from liminal_jax.data.drafters import DrafterRow, published_drafters
from liminal_jax.data.files import data_tables, tables_of
from liminal_jax.data.levers import LeverRange, lever_ranges
from liminal_jax.data.library import Library, library_around
from liminal_jax.data.network import NetworkFile
from liminal_jax.data.parts import (
    CapacityTechnologyFile,
    ExecutionFile,
    FacilityFile,
    PackagingFile,
    ProcessFile,
    TechnologyFile,
    execution_tables,
    load_capacity_technology_file,
    load_process_file,
    load_technology_file,
)
from liminal_jax.data.published_bits import PublishedBits, model_and_bits
from liminal_jax.data.quality import PublishedCost, published_costs
from liminal_jax.data.systems import SystemFile, load_system_file
from liminal_jax.study.absent import ALGORITHM, DRAFTER
from liminal_jax.study.assumptions import changed
from liminal_jax.workload.spec import ModelSpec

BASE = "base"
"""Key of the assumptions of execution that names the file whose numbers they change."""

OWN_FILE = ".toml"
"""How the path of one's own system, memory, process or tier ends, in the place of a name."""

_Found = TypeVar("_Found")
_Record = TypeVar("_Record", bound=BaseModel)


class PlannedFiles(BaseModel):
    """The files that a planned chip is made from, with a study's own assumptions in them.

    Attributes:
        memory: Memory technologies by name.
        process: The silicon process.
        packaging: What it takes to make a package.
        network: What joins the chips.
        facility: What stands around them.
        execution: How far their use falls short of their peaks.
        tier: The technology of their capacity tier, if they have one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    memory: dict[str, TechnologyFile]
    process: ProcessFile
    packaging: PackagingFile
    network: NetworkFile
    facility: FacilityFile
    execution: ExecutionFile
    tier: CapacityTechnologyFile | None = None


HardwareFiles: TypeAlias = PlannedFiles | Library
"""All files that the numbers of a study's hardware come from."""


@dataclass(frozen=True)
class Named:
    """What a study or design names.

    Attributes:
        models: Where each model stands in it, and the model.
        systems: Finished systems; none where a chip is planned.
        memory: Memory technologies of a planned chip.
        process: Its silicon process.
        tier: The technology of its capacity tier.
        assumptions: What it changes in the data files.
    """

    models: tuple[tuple[str, str], ...]
    systems: tuple[str, ...]
    memory: tuple[str, ...]
    process: str | None
    tier: str | None
    assumptions: Mapping[str, Any]


@dataclass(frozen=True)
class Resolved:
    """What the names stand for; numbers are in SI.

    Attributes:
        named: The names.
        models: Models by name.
        published: Widths of the checkpoint of each model, or what its config says of widths that
            are not known or several; empty where nothing is said.
        hardware: The files behind the hardware, with the study's own assumptions in them.
        drafters: The published drafters of models that are named, by the name of the model.
        costs: What levers of software were measured to cost in quality.
        levers: Ranges of the numbers of levers.
    """

    named: Named
    models: dict[str, ModelSpec]
    published: dict[str, PublishedBits | str]
    hardware: HardwareFiles
    drafters: dict[str, DrafterRow]
    costs: tuple[PublishedCost, ...]
    levers: tuple[LeverRange, ...]

    def hardware_of(self, categories: Sequence[str]) -> HardwareFiles:
        """The files behind some memory technologies of a planned chip, or some finished systems.

        Args:
            categories: Their names, which are among those of the hardware.
        """
        return _only(self.hardware, categories)

    def only(self, named: Named) -> "Resolved | None":
        """What some of the names stand for; none where others are among them."""
        own = self.named
        models = {model: self.models.get(model) for _, model in named.models}
        known = {model: spec for model, spec in models.items() if spec is not None}
        hardware = _some(self.hardware, named)
        same = (own.process, own.tier, own.assumptions) == (
            named.process,
            named.tier,
            named.assumptions,
        )
        if not same or len(known) < len(models) or hardware is None:
            return None
        return dataclasses.replace(self, named=named, models=known, hardware=hardware)


def _some(hardware: HardwareFiles, named: Named) -> HardwareFiles | None:
    """The files behind some of the hardware, in the order of its names."""
    known = hardware.memory if isinstance(hardware, PlannedFiles) else hardware.system
    wanted = named.memory if isinstance(hardware, PlannedFiles) else named.systems
    if not wanted or not set(wanted) <= set(known):
        return None
    return _only(hardware, wanted)


def _only(hardware: HardwareFiles, wanted: Sequence[str]) -> HardwareFiles:
    """The files behind some of the memory technologies or systems, in the order of their names."""
    if isinstance(hardware, PlannedFiles):
        return hardware.model_copy(
            update={"memory": {name: hardware.memory[name] for name in wanted}}
        )
    return hardware.only(wanted)


def named_in(tables: Mapping[str, Any]) -> Named:
    """What tables that have not been checked yet name; names that do not exist are left out."""
    design, assumptions = _table(tables, "design"), _table(tables, "assumptions")
    rows = tables.get("workloads")
    rows = rows if isinstance(rows, list) else []
    workloads = [
        ("workload", tables.get("workload")),
        *((f"workloads.{place}", row) for place, row in enumerate(rows)),
    ]
    models = [
        (f"{path}.model", it["model"])
        for path, it in workloads
        if isinstance(it, dict) and isinstance(it.get("model"), str)
    ]
    drafter = _table(tables, ALGORITHM).get(DRAFTER)
    if isinstance(drafter, str) and drafter not in DRAFTERS:
        models.append((f"{ALGORITHM}.{DRAFTER}", drafter))
    return Named(
        models=tuple(models),
        systems=_names(design.get("system"), system_names()),
        memory=_names(design.get("memory"), technology_names()),
        process=next(iter(_names(design.get("process"), process_names())), None),
        tier=next(iter(_names(design.get("tier"), capacity_technology_names())), None),
        assumptions={name: it for name, it in assumptions.items() if isinstance(it, dict) and it},
    )


def _table(tables: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = tables.get(name)
    return table if isinstance(table, dict) else {}


def _names(value: Any, known: tuple[str, ...]) -> tuple[str, ...]:
    """The names that a value or a table of choices holds, of those known, and paths of files."""
    items = value.get("choices") if isinstance(value, dict) else [value]
    names = [it for it in items if isinstance(it, str)] if isinstance(items, list) else []
    return tuple(it for it in dict.fromkeys(names) if it in known or it.endswith(OWN_FILE))


def resolved(named: Named, source: str) -> Resolved:
    """What the names of a file stand for.

    Args:
        named: The names.
        source: The file, for messages.

    Raises:
        InputError: with every mistake in the files that are named and in what is changed in them.
    """
    found, problems = resolution(named)
    if problems:
        raise InputError(source, problems)
    if found is None:
        message = "a chip is planned from a memory and a process; name both, or a system"
        raise InputError(source, [Problem("design", message)])
    return found


def resolution(named: Named) -> tuple[Resolved | None, list[Problem]]:
    """What names stand for, and every mistake on the way; nothing where there is one."""
    problems: list[Problem] = []
    models: dict[str, ModelSpec] = {}
    published: dict[str, PublishedBits | str] = {}
    for path, model in named.models:
        if model not in models and (found := _read(model_and_bits, model, path, problems)):
            models[model], published[model] = found
    files = _files(named, problems)
    systems = {
        name: file
        for name in named.systems
        if (file := _read(load_system_file, name, "design.system", problems)) is not None
    }
    if problems:
        return None, problems
    hardware = _library(systems, files) if systems else _plan(files)
    rows = published_drafters()
    drafters = {name: rows[name] for name in models if name in rows}
    if hardware is None:
        return None, []
    costs, levers = published_costs(), lever_ranges()
    return Resolved(named, models, published, hardware, drafters, costs, levers), []


def _read(
    load: Callable[[str], _Found], name: str, path: str, problems: list[Problem]
) -> _Found | None:
    """A file that is named; none where it has mistakes, which are noted."""
    try:
        return load(name)
    except InputError as error:
        problems += [Problem(path, line) for line in error.lines()]
        return None


class _Files(NamedTuple):
    """The package's data files that stand behind some hardware, as a study changes them."""

    facility: FacilityFile | None
    execution: ExecutionFile | None
    packaging: PackagingFile | None
    network: NetworkFile | None
    process: ProcessFile | None
    memory: dict[str, TechnologyFile]
    tier: CapacityTechnologyFile | None


def _files(named: Named, problems: list[Problem]) -> _Files:
    """The data files; those that finished hardware has no use for only where they are changed."""
    changes, planned = named.assumptions, not named.systems

    def read(record: type[_Record], key: str, file: str) -> _Record | None:
        path, own = f"assumptions.{key}", changes.get(key, {})
        return _changed(record, data_tables(file), own, path, problems)

    def used(key: str) -> bool:
        return planned or key in changes

    memory = _table(changes, "memory")
    return _Files(
        facility=read(FacilityFile, "facility", "facility.toml"),
        execution=_execution(changes.get("execution", {}), problems),
        packaging=read(PackagingFile, "packaging", "packaging.toml") if used("packaging") else None,
        network=read(NetworkFile, "network", "network.toml") if used("network") else None,
        process=None if named.process is None else _process(named.process, changes, problems),
        memory=_memory(named.memory, memory, problems),
        tier=None if named.tier is None else _tier(named.tier, changes.get("tier", {}), problems),
    )


def _changed(
    record: type[_Record],
    tables: Mapping[str, Any],
    changes: Mapping[str, Any],
    path: str,
    problems: list[Problem],
) -> _Record | None:
    """A data file with a study's changes; none where they have mistakes, which are noted."""
    try:
        return changed(record, tables, changes, path)
    except InputError as error:
        problems += error.problems
        return None


def _execution(changes: Mapping[str, Any], problems: list[Problem]) -> ExecutionFile | None:
    """How the chips are used, after the way that the study names."""
    base = changes.get(BASE, IDEAL)
    if base not in execution_names():
        hint = did_you_mean(str(base), execution_names())
        known = hint or f"; there are {', '.join(execution_names())}"
        message = f"there is no way of using a chip called {base!r}{known}"
        problems.append(Problem(f"assumptions.execution.{BASE}", message))
        return None
    own = {field: it for field, it in changes.items() if field != BASE}
    return _changed(ExecutionFile, execution_tables(base), own, "assumptions.execution", problems)


def _memory(
    names: tuple[str, ...], changes: Mapping[str, Any], problems: list[Problem]
) -> dict[str, TechnologyFile]:
    """The memory technologies; those too that are changed and not used, for their mistakes."""
    found = {}
    for name in dict.fromkeys((*names, *changes)):
        path, own = f"assumptions.memory.{name}", changes.get(name, {})
        if name not in technology_names() and name not in names:
            hint = did_you_mean(name, technology_names())
            problems.append(Problem(path, f"there is no such memory technology{hint}"))
        elif isinstance(own, dict) and _read(load_technology_file, name, "design.memory", problems):
            tables = tables_of(path_of("technologies", name))
            found[name] = _changed(TechnologyFile, tables, own, path, problems)
    return {name: it for name, it in found.items() if name in names and it is not None}


def _process(name: str, changes: Mapping[str, Any], problems: list[Problem]) -> ProcessFile | None:
    """The silicon process."""
    if _read(load_process_file, name, "design.process", problems) is None:
        return None
    tables, own = tables_of(path_of("processes", name)), changes.get("process", {})
    return _changed(ProcessFile, tables, own, "assumptions.process", problems)


def _tier(
    name: str, changes: Mapping[str, Any], problems: list[Problem]
) -> CapacityTechnologyFile | None:
    """The technology of the capacity tier, whose energy and price have to be known."""
    if _read(load_capacity_technology_file, name, "design.tier", problems) is None:
        return None
    path, tables = "assumptions.tier", tables_of(path_of("technologies/capacity", name))
    tier = _changed(CapacityTechnologyFile, tables, changes, path, problems)
    if tier is None:
        return None
    problems += [
        Problem(f"{path}.{field}", f"{name} has none that is known ({it.unknown}); state one")
        for field, it in (("access_energy", tier.access_energy), ("price", tier.price))
        if it.value is None
    ]
    return tier


def _library(systems: dict[str, SystemFile], files: _Files) -> Library | None:
    if files.facility is None or files.execution is None:
        return None
    return library_around(systems, files.facility, files.execution)


def _plan(files: _Files) -> PlannedFiles | None:
    needed = files._asdict()
    if not files.memory or any(it is None for name, it in needed.items() if name != "tier"):
        return None
    return PlannedFiles.model_validate(needed)
