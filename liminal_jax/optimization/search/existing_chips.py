"""The best designs with systems that exist, under the limits of a study."""

from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from liminal_jax.data.build import chip_cost, estimated_cost, system_of
from liminal_jax.data.catalogue import system_names
from liminal_jax.data.chip import ChipFile
from liminal_jax.data.library import Library, library_of
from liminal_jax.data.parts import load_facility_file
from liminal_jax.data.systems import load_system_file
from liminal_jax.hardware.chip import ChipCost
from liminal_jax.hardware.system import System
from liminal_jax.optimization.search.certificate import bounded_problem_of, proven
from liminal_jax.optimization.search.solution import solution_at
from liminal_jax.study.contradictions import PLANNED
from liminal_jax.study.domain import Grid, Names
from liminal_jax.study.file import StudyFile
from liminal_jax.study.numbers import outside_hardware
from liminal_jax.study.problem import Problem
from liminal_jax.study.read import problem_of

FINE_BATCHES = 48
"""Number of batch sizes between the least and the largest of the study, in equal ratios."""


@dataclass(frozen=True)
class Existing:
    """The best design with one existing system.

    Attributes:
        system: Name of the system.
        title: Its title.
        objective: Objective of the best design, in SI; None where no design meets the limits.
        values: Values of its free variables in SI; empty where no design meets the limits.
        missing: Names of the unpublished numbers without which it cannot be evaluated.
        infeasibility: Why there is no design, where no number is missing.
    """

    system: str
    title: str
    objective: float | None
    values: dict[str, float]
    missing: tuple[str, ...]
    infeasibility: str | None = None


def _missing(system: System) -> tuple[str, ...]:
    """Names of the numbers that some quantity needs and that a system lacks."""
    needed = {
        "8-bit tensor rate": system.chip.tensor.bits_8,
        "manufacturing cost": system.chip.cost.total(),
        "power": jax.tree.leaves(system.chip.power)[0],
    }
    return tuple(name for name, value in needed.items() if bool(np.isnan(np.asarray(value))))


def _systems() -> dict[str, System]:
    """The systems that exist, by name."""
    files = [load_system_file(name) for name in system_names()]
    names = [file.name for file in files if file.status != "hypothetical"]
    library = library_of(names, load_facility_file())
    return {name: system_of(library, name) for name in names}


def _finely(batch: Grid) -> Grid:
    if not batch.free:
        return batch
    spaced = np.geomspace(batch.values[0], batch.values[-1], FINE_BATCHES)
    values = sorted({*np.round(spaced).tolist(), *batch.values})
    return Grid(tuple(values), logarithmic=True)


def _study_with(study: StudyFile, names: tuple[str, ...]) -> StudyFile:
    """The study with existing systems in place of the planned chip, and finer batches."""
    plan = dict.fromkeys(PLANNED)
    numbers = study.design.numbers
    if numbers.stated:
        numbers = outside_hardware(numbers, problem_of(study).region.case)
    own = {"system": Names(names), "batch": _finely(study.design.batch), "numbers": numbers}
    table = study.design.model_copy(update={**plan, **own})
    return study.model_copy(update={"design": table})


def _groups(study: StudyFile, systems: dict[str, System]) -> list[Problem]:
    """One problem for each group of systems whose networks and power follow the same laws."""
    kinds: dict[object, list[str]] = {}
    for name, system in systems.items():
        kinds.setdefault(jax.tree.structure(system), []).append(name)
    return [_cheaply(problem_of(_study_with(study, tuple(group)))) for group in kinds.values()]


def _cheaply(problem: Problem) -> Problem:
    """The problem with each chip at the lower of its published cost and that of the cost laws.

    A planned chip is priced by the cost laws, which lie below most published estimates of existing
    chips; existing chips get the same terms.
    """
    library = library_of(problem.categories, load_facility_file())
    chips = [library.system[name].chip for name in problem.categories]
    costs = jax.tree.map(lambda *parts: jnp.stack(parts), *(_lower(it, library) for it in chips))
    system = problem.region.case.system
    return problem.with_system(eqx.tree_at(lambda it: it.chip.cost, system, costs))


def _lower(chip: ChipFile, library: Library) -> ChipCost:
    """The lower of the published cost of a chip and that of the cost laws."""
    published, estimated = chip_cost(chip, library), estimated_cost(chip, library)
    return estimated if float(estimated.total()) < float(published.total()) else published


def existing_problems(study: StudyFile) -> list[Problem]:
    """The study over the systems that ship, without those that lack numbers."""
    return _groups(study, {name: it for name, it in _systems().items() if not _missing(it)})


def best_existing(study: StudyFile) -> list[Existing]:
    """The best design of each system that ships, the best first; infeasible systems last.

    The best of each is proven, over the study's chips and degrees and finer batches.

    Args:
        study: A study; its limits, objective and assumptions apply.
    """
    systems = _systems()
    title = {name: load_system_file(name).title for name in systems}
    missing = {name: _missing(it) for name, it in systems.items()}
    found = [Existing(name, title[name], None, {}, it) for name, it in missing.items() if it]
    known = {name: it for name, it in systems.items() if not missing[name]}
    maximise = study.objective.maximise is not None
    for problem in _groups(study, known):
        proof = proven(bounded_problem_of(problem), [])
        for row, name in enumerate(problem.categories):
            score = float(proof.scores[row])
            infeasibility = proof.infeasibility(row)
            if infeasibility is not None:
                found.append(Existing(name, title[name], None, {}, (), infeasibility))
                continue
            values = solution_at(problem, proof.indices[row]).values
            objective = problem.objective(score)
            found.append(Existing(name, title[name], objective, values, ()))
    order = {True: -1.0, False: 1.0}[maximise]
    return sorted(
        found,
        key=lambda it: (it.objective is None, bool(it.missing), order * (it.objective or 0.0)),
    )
