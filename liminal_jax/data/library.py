"""Finished systems with the files that theirs refer to."""

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from liminal_jax.data.catalogue import IDEAL
from liminal_jax.data.parts import (
    CapacityTechnologyFile,
    ExecutionFile,
    FacilityFile,
    PackagingFile,
    ProcessFile,
    TechnologyFile,
    load_capacity_technology_file,
    load_execution_file,
    load_packaging_file,
    load_process_file,
    load_technology_file,
)
from liminal_jax.data.systems import SystemFile, load_system_file


class Library(BaseModel):
    """Files of finished systems, and all that their numbers follow from.

    Attributes:
        system: Systems by name or path.
        memory: Memory technologies of their chips, by name.
        capacity: Technologies of their capacity tiers, by name.
        process: Silicon processes of their chips, by name.
        packaging: What it takes to make a package.
        facility: What stands around the chips.
        execution: How far their use falls short of their peaks.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    system: dict[str, SystemFile]
    memory: dict[str, TechnologyFile]
    capacity: dict[str, CapacityTechnologyFile]
    process: dict[str, ProcessFile]
    packaging: PackagingFile
    facility: FacilityFile
    execution: ExecutionFile

    def only(self, names: Iterable[str]) -> "Library":
        """Some of the systems, with the files that theirs refer to."""
        systems = {name: self.system[name] for name in names}
        chips = [it.chip for it in systems.values()]
        memory = {it.memory.technology for it in chips}
        capacity = {it.capacity_tier.technology for it in chips if it.capacity_tier is not None}
        process = {it.process for it in chips}
        return self.model_copy(
            update={
                "system": systems,
                "memory": {name: it for name, it in self.memory.items() if name in memory},
                "capacity": {name: it for name, it in self.capacity.items() if name in capacity},
                "process": {name: it for name, it in self.process.items() if name in process},
            }
        )


def library_of(
    names: Iterable[str], room: FacilityFile, execution: ExecutionFile | None = None
) -> Library:
    """Systems by name, or users' own by path, in a facility, used ideally or in some other way.

    Raises:
        InputError: there is no such system, or its file has mistakes.
    """
    return library_around({name: load_system_file(name) for name in names}, room, execution)


def library_around(
    systems: dict[str, SystemFile], room: FacilityFile, execution: ExecutionFile | None = None
) -> Library:
    """Systems with the files that theirs refer to, see `library_of`."""
    chips = [system.chip for system in systems.values()]
    technologies = {it.memory.technology for it in chips if it.memory.technology}
    tiers = {it.capacity_tier.technology for it in chips if it.capacity_tier is not None}
    return Library(
        system=systems,
        memory={name: load_technology_file(name) for name in sorted(technologies)},
        capacity={it: load_capacity_technology_file(it) for it in sorted(filter(None, tiers))},
        process={it.process: load_process_file(it.process) for it in chips if it.process},
        packaging=load_packaging_file(),
        facility=room,
        execution=load_execution_file(IDEAL) if execution is None else execution,
    )
