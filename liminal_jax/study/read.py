"""From the file of a study or of a design to the problem that it states."""

import dataclasses

import jax.numpy as jnp

from liminal_jax._files import InputError
from liminal_jax._files import Problem as Mistake
from liminal_jax.hardware.planned import PlannedSystem
from liminal_jax.hardware.system import System
from liminal_jax.mapping.choice import AttentionChoice
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.study.absent import LENGTHS, absent_paths, contradiction_of_lengths
from liminal_jax.study.assemble import Workload, hardware_of, structures_of, workload_of
from liminal_jax.study.case import Case, lacking_requests
from liminal_jax.study.domain import Grid, Names
from liminal_jax.study.drafters import with_drafter
from liminal_jax.study.file import (
    ConstraintTable,
    DesignFile,
    DesignTable,
    ObjectiveTable,
    StudyFile,
    carrying,
    resolved_of,
)
from liminal_jax.study.limits import least_experts
from liminal_jax.study.numbers import Stated, stated_in, with_stated
from liminal_jax.study.paths import found_path
from liminal_jax.study.problem import Criterion, Limit, Problem, criterion_named, limits_of
from liminal_jax.study.quality import quality_of
from liminal_jax.study.quantities import NAMED
from liminal_jax.study.region import Region, Variable
from liminal_jax.study.variables import PATHS
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import mean_context

QUALITY = "quality_loss"
"""The quantity that a study can limit only if it says what levers cost."""


def problem_of(file: DesignFile) -> Problem:
    """A study, or a design, ready to be evaluated.

    Raises:
        InputError: systems that cannot be compared in one study, a capacity tier that can hold
            nothing, paths that lead to no number, or mistakes in the files that it names.
    """
    found = resolved_of(file)
    workload = workload_of(file.workload, found.models[file.workload.model])
    _refuse_idle_tier(file, workload.model)
    case = _case(file.design, workload, hardware_of(file, found.hardware))
    planned = file.design.system is None
    names = file.design.memory if planned else file.design.system
    study = file if isinstance(file, StudyFile) else None
    region = Region(
        case=case,
        categories=names.names if names is not None else (),
        variables=_variables(file.design),
        kind="memory" if planned else "system",
    )
    case = with_drafter(case, file.workload.model, file.drafter, file.numbers, found, file.name)
    region = dataclasses.replace(region, case=case)
    stated = stated_in(file.numbers, case, file.name)
    region = with_stated(region, stated) if stated else region
    _refuse_contradictions(region, file)
    _refuse_lengths(region, stated, study, file.name)
    region = dataclasses.replace(region, case=_with_quality(region, file))
    return Problem(
        region=region,
        criterion=None if study is None else criterion_of(study.objective),
        limits=(*limits_of(case), *map(limit_of, [] if study is None else study.constraints)),
        source=carrying(_with_request(file, stated, case), found),
    )


def problems_of(file: DesignFile) -> tuple[Problem, ...]:
    """A study, as a problem for each structure that its systems have.

    Each states the whole study as what it was read from.

    Raises:
        InputError: see `problem_of`.
    """
    found = resolved_of(file)
    groups = structures_of(file, found.hardware)
    if len(groups) < 2:
        return (problem_of(file),)
    problems = [problem_of(_with_systems(file, Names(names))) for names in groups]
    return tuple(
        dataclasses.replace(it, source=carrying(_with_systems(it.file, file.design.system), found))
        for it in problems
    )


def _with_systems(file: DesignFile, names: Names | None) -> DesignFile:
    """The file with other systems."""
    return file.model_copy(update={"design": file.design.model_copy(update={"system": names})})


def _with_request(file: DesignFile, stated: tuple[Stated, ...], case: Case) -> DesignFile:
    """The file whose workload says what of the request its numbers fix by path."""
    names = ("context", "weight_bits", "kv_bits", *(it.removeprefix("request.") for it in LENGTHS))
    paths = {f"request.{name}": name for name in names}
    fixed = {
        paths[it.path]: it.grid.value for it in stated if it.path in paths and not it.grid.free
    }
    if not fixed:
        return file
    # Bits of attention may follow from those of the cache; the numbers leave them as they were.
    fixed["attention_bits"] = float(case.request.attention_bits)
    lengths = {"isl": file.workload.isl, "osl": file.workload.osl, **fixed}
    if lengths["isl"] is not None and lengths["osl"] is not None:
        fixed["context"] = float(mean_context(lengths["isl"], lengths["osl"]))
    return file.model_copy(update={"workload": file.workload.model_copy(update=fixed)})


def criterion_of(table: ObjectiveTable) -> Criterion:
    """What is best, as a file states it."""
    return criterion_named(
        table.quantity, NAMED[table.quantity], maximise=table.maximise is not None
    )


def limit_of(table: ConstraintTable) -> Limit:
    """A limit, as a file states it."""
    asked = NAMED[table.quantity]
    return Limit(table.quantity, table.at_least is not None, table.limit, asked.unit, asked.of)


def _case(table: DesignTable, workload: Workload, system: System | PlannedSystem) -> Case:
    """The design at the first values of its variables."""

    def first(grid: Grid | None) -> float | None:
        return None if grid is None else grid.values[0]

    return Case(
        system=system,
        mapping=Mapping(
            **{name: getattr(table, name).values[0] for name in ("tp", "cp", "pp", "ep")},
            shared_expert_ranks=first(table.shared_expert_ranks),
        ),
        batch=table.batch.values[0],
        model=workload.model,
        request=workload.request,
        assumptions=workload.assumptions(system.network),
        attention=AttentionChoice(
            table.attention.values, table.attention.values[0], first(table.attention_ranks)
        ),
        chips=first(table.chips),
        clock=table.clock.values[0],
    )


def _variables(table: DesignTable) -> tuple[Variable, ...]:
    grids = {name: getattr(table, name) for name in PATHS}
    return tuple(
        Variable(name, PATHS[name], grid)
        for name, grid in grids.items()
        if grid is not None and grid.free
    )


def _with_quality(region: Region, file: DesignFile) -> Case:
    """The case with what its levers cost in quality, as the file says.

    Raises:
        InputError: a lever that leads nowhere, or may be set beyond what is stated; or quality is
            limited, and the file says nothing of it.
    """
    case, table = region.case, file.quality
    asked = isinstance(file, StudyFile) and QUALITY in (
        file.objective.quantity,
        *(it.quantity for it in file.constraints),
    )
    if table is None:
        if asked:
            message = (
                "is required where quality_loss is limited: state the unit, and for each lever"
                " settings and losses"
            )
            raise InputError(file.name, [Mistake("quality", message)])
        return case
    known = (*region.paths, *absent_paths(case))
    grids = {it.path: it.grid.values for it in region.variables}
    losses, mistakes = {}, []
    for written, it in table.losses.items():
        place = f"quality.losses.{written}"
        try:
            path = found_path(written.removeprefix("design."), known)
        except ValueError as error:
            mistakes.append(Mistake(place, str(error)))
            continue
        losses[path] = (it.settings, it.losses)
        at = grids.get(path, tuple(map(float, jnp.ravel(region.numbers.get(path, jnp.zeros(0))))))
        if at and not it.settings[0] <= min(at) <= max(at) <= it.settings[-1]:
            message = (
                f"is stated from {it.settings[0]:g} to {it.settings[-1]:g}, and the design may have"
                f" {min(at):g} to {max(at):g}"
            )
            mistakes.append(Mistake(place, message))
    if mistakes:
        raise InputError(file.name, mistakes)
    return dataclasses.replace(case, quality=quality_of(losses, table.unit))


def _refuse_contradictions(region: Region, file: DesignFile) -> None:
    """Refuse levers that contradict what else a design says."""
    levers = region.case.algorithm
    if levers is None or levers.overlap is None:
        return
    most = {it.path: it.grid.values[-1] for it in region.variables}
    halves = most.get("algorithm.overlap.micro_batches", float(levers.overlap.micro_batches))
    users = most.get("batch", float(jnp.max(region.case.batch)))
    if halves > 1 and users < 2:
        message = f"two halves of a batch need two users at least, and the batch is {users:g}"
        raise InputError(file.name, [Mistake("algorithm.overlap.micro_batches", message)])


def _refuse_lengths(
    region: Region, stated: tuple[Stated, ...], study: StudyFile | None, source: str
) -> None:
    """Refuse lengths of requests that contradict each other, or what is asked of none."""
    contradiction, mistakes = contradiction_of_lengths(region.case), []
    if contradiction is not None:
        mistakes.append(Mistake(*contradiction))
    if region.case.lengths is not None and "request.context" in {it.path for it in stated}:
        message = "contexts follow from isl and osl; leave it out"
        mistakes.append(Mistake("request.context", message))
    if study is not None:
        asked = [("objective", study.objective.quantity)]
        asked += [(f"constraints.{row}", it.quantity) for row, it in enumerate(study.constraints)]
        mistakes += [
            Mistake(path, message)
            for path, name in asked
            if (message := lacking_requests(name, region.case)) is not None
        ]
    if mistakes:
        raise InputError(source, mistakes)


def _refuse_idle_tier(file: DesignFile, model: Model) -> None:
    """Refuse a tier in which experts alone may lie, for a model that has none."""
    holds = file.design.tier_holds
    if holds is None or holds.names != ("experts",) or float(least_experts(model)) > 1:
        return
    message = (
        f"names experts alone and {file.workload.model} has none, so that the tier holds nothing;"
        " name cache or weights too, or leave the tier out"
    )
    raise InputError(file.name, [Mistake("design.tier_holds", message)])
