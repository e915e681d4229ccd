"""What is opened: a model on a system, a saved design, or a study; and where its sliders begin."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np

from liminal_jax._files import InputError, did_you_mean
from liminal_jax._files import Problem as Mistake
from liminal_jax._smooth import Exact
from liminal_jax.data.build import process_of
from liminal_jax.data.parts import load_process_file
from liminal_jax.data.systems import load_system_file
from liminal_jax.hardware.power import ProvisionedPower
from liminal_jax.hardware.system import System
from liminal_jax.study.absent import absent_paths, lever_paths, present
from liminal_jax.study.bundled import study_names
from liminal_jax.study.case import Case
from liminal_jax.study.degrees import degree_contradictions
from liminal_jax.study.file import DesignFile, StudyFile, design_of
from liminal_jax.study.predicted import unknown_speed
from liminal_jax.study.problem import Problem
from liminal_jax.study.questions import load_space
from liminal_jax.study.read import problem_of
from liminal_jax.study.region import paths_of
from liminal_jax.study.variables import stated_at
from liminal_jax.view.app.base import AbstractBase, Finished, Planned, latency_of
from liminal_jax.view.app.scene import (
    BATCHES,
    CATEGORY,
    EXPERT_RANKS,
    AbstractScene,
    DesignScene,
    StudyScene,
    pictured,
)
from liminal_jax.view.app.sliders import (
    Slider,
    alternatives,
    instance_sliders,
    number_slider,
    study_sliders,
)
from liminal_jax.workload.feedforward.base import AbstractMixture

COMMAND = "liminal app"

DESIGN = "design.toml"
"""The design of a run."""

CONTEXT, BATCH = 8192, 16
"""What a model on a system begins at."""

MOST_CHIPS = 4096
"""Chips up to which an instance is sought that holds the model."""

SRAM_PROCESS = "n5"
"""The process whose SRAM a chip is given, where its own is not known."""

FLAGS = {"workload.model": "--model", "design.system": "--system"}
"""Flags that stand for fields of a design."""

PRECISIONS = ("request.weight_bits", "request.kv_bits", "request.expert_bits")
"""Precisions that may be dragged."""


@dataclass(frozen=True)
class Opened:
    """Something that was opened.

    Attributes:
        problem: The design, or the study.
        scene: All that stays while numbers are dragged.
        start: The numbers that it begins at, by name.
        sliders: What is dragged.
        notes: What has to be known of it, in sentences.
    """

    problem: Problem
    scene: AbstractScene
    start: Mapping[str, float]
    sliders: tuple[Slider, ...]
    notes: tuple[str, ...]

    @property
    def file(self) -> DesignFile:
        """The file of the design or the study."""
        return self.problem.file

    @property
    def levers(self) -> dict[str, str]:
        """What more can be dragged, levers of software and precisions: paths by what they are."""
        case, dragged = self.case, {it.name for it in self.sliders}
        known = {*paths_of(case), *absent_paths(case)}
        offered = (*lever_paths(), *PRECISIONS)
        return {stated_at(it).label: it for it in offered if it in known and it not in dragged}

    @property
    def case(self) -> Case:
        """The design at its start, or the case of the study."""
        return self.scene.start

    def category(self, numbers: Mapping[str, float]) -> str:
        """Memory technology or system at some numbers; empty where it has no name."""
        names = self.problem.categories
        return names[int(numbers.get(CATEGORY, 0))] if names else ""

    def with_levers(self, paths: Sequence[str]) -> "Opened":
        """The same with sliders for some more of its numbers.

        Args:
            paths: Their paths.

        Raises:
            InputError: there is no such number, or two contradict each other.
        """
        case, mistakes = self.case, []
        for path in paths:
            try:
                case = case if path in paths_of(case) else present(case, path)
            except (KeyError, ValueError) as error:
                mistakes.append(Mistake(path, str(error)))
        if mistakes:
            raise InputError(COMMAND, mistakes)
        known = dict(zip(paths_of(case), jax.tree.leaves(case), strict=True))
        added = {path: float(np.ravel(known[path])[0]) for path in paths}
        return dataclasses.replace(
            self,
            scene=dataclasses.replace(self.scene, start=case),
            start={**self.start, **added},
            sliders=(*self.sliders, *(number_slider(*it) for it in added.items())),
        )


def open_pair(model: str, system: str) -> Opened:
    """A model on the fewest chips that hold it, in powers of two.

    Args:
        model: A bundled model, or a path to a config.json or model file.
        system: A bundled system, or a path to a system file.

    Raises:
        InputError: there is no such model or system, its file has mistakes, or its speed cannot
            be known.
    """
    tables = {
        "workload": {"model": model, "context": CONTEXT},
        "design": {"system": system, "batch": BATCH},
    }
    try:
        opened = _of_design(design_of(tables, COMMAND))
    except InputError as error:
        problems = [Mistake(FLAGS.get(it.path, it.path), it.message) for it in error.problems]
        raise InputError(error.source, problems) from None
    for chips in (2**step for step in range(round(math.log2(MOST_CHIPS)) + 1)):
        opened = _begun(opened, {**opened.start, "chips": float(chips)})
        if pictured(opened.scene, opened.start).now.fits:
            break
    return opened


def open_run(name_or_path: str) -> Opened:
    """The design of a run, by its folder; any design or study by its file; a study by its name.

    Raises:
        InputError: there is none, or it has mistakes.
    """
    if name_or_path in study_names():
        return open_file(load_space(name_or_path))
    return open_file(load_space(str(_design_file(Path(name_or_path)))))


def open_file(file: DesignFile) -> Opened:
    """A design, or a study.

    Raises:
        InputError: it has mistakes, or its speed cannot be known.
    """
    return _of_study(file) if isinstance(file, StudyFile) else _of_design(file)


def _design_file(path: Path) -> Path:
    if path.is_file():
        return path
    if not path.is_dir():
        near = [it.name for it in path.parent.glob("*")]
        hint = did_you_mean(path.name, [*near, *study_names()])
        message = f"is not there; give the folder of a run, a design or a study{hint}"
        raise InputError(str(path), [Mistake("", message)])
    if (path / DESIGN).is_file():
        return path / DESIGN
    others = sorted(str(it) for it in [*path.glob("*.toml"), *path.glob("*/*.toml")])
    remedy = f"give one of {', '.join(others[:8])}" if others else "give a run of liminal optimize"
    raise InputError(str(path), [Mistake("", f"holds no {DESIGN}; {remedy}")])


def _of_study(file: StudyFile) -> Opened:
    """A study, in the middle of its grids."""
    problem = problem_of(file)
    region = problem.region
    start = {it.path: it.grid.values[len(it.grid.values) // 2] for it in region.variables}
    sliders = study_sliders(region, start)
    if len(region.categories) > 1:
        sliders = (alternatives(CATEGORY, region.kind, region.categories, 0), *sliders)
    context = "request.context"
    if context not in start:
        start[context] = float(np.ravel(region.numbers[context])[0])
        sliders = (*sliders, number_slider(context, start[context]))
    return Opened(problem, StudyScene(region.case), {CATEGORY: 0.0, **start}, sliders, ())


def _of_design(file: DesignFile) -> Opened:
    problem = problem_of(file)
    contradictions = degree_contradictions(problem)
    if contradictions:
        raise InputError(file.name, contradictions)
    case = problem.first()
    planned, mapping = case.system, case.mapping
    system = planned if isinstance(planned, System) else planned.system(Exact())
    base, notes = _base(file, case, system)
    scene = DesignScene(base=base, start=dataclasses.replace(case, system=system))
    start = {
        "bandwidth": system.chip.memory.bandwidth,
        "capacity": system.chip.memory.capacity,
        "latency": latency_of(system.network),
        "sram_share": base.sram_share(),
        "chips": mapping.chips(),
        "batch": file.design.batch.value,
        "context": case.request.context,
        EXPERT_RANKS: mapping.ep,
    }
    start = {name: float(it) for name, it in start.items()}
    notes = (*_instances(file, start["chips"]), *notes)
    opened = _begun(Opened(problem, scene, start, (), notes), start)
    if math.isnan(float(pictured(scene, start).now.step_time)):
        message = unknown_speed(file, system, case.request)
        raise InputError(file.name, [Mistake("design.system", message)])
    return opened


def _begun(opened: Opened, start: Mapping[str, float]) -> Opened:
    """A design whose sliders begin elsewhere."""
    case = opened.case
    stages = float(case.mapping.cp * case.mapping.pp)
    sliders = instance_sliders(case.system.network, stages, start, BATCHES)
    if not any(isinstance(it.feedforward, AbstractMixture) for it in case.model.layers):
        sliders = tuple(it for it in sliders if it.name != EXPERT_RANKS)
    return dataclasses.replace(opened, start=start, sliders=sliders)


def _instances(file: DesignFile, chips: float) -> list[str]:
    """What is shown of a design that has chips for several instances."""
    bought = chips if file.design.chips is None else file.design.chips.value
    count = math.floor(bought / chips)
    return [f"Shown is one of {count} instances on {bought:g} chips."] if count > 1 else []


def _base(file: DesignFile, case: Case, system: System) -> tuple[AbstractBase, tuple[str, ...]]:
    """The hardware of a design, and what has to be known of it."""
    if isinstance(case.system, System):
        return _finished(file, system)
    note = "A planned chip: its price, area and idle power follow from what is dragged."
    return Planned(case.system), (note,)


def _finished(file: DesignFile, system: System) -> tuple[AbstractBase, tuple[str, ...]]:
    (name,) = file.design.system.names if file.design.system is not None else ("",)
    process_name = load_system_file(name).chip.process or SRAM_PROCESS
    process = process_of(load_process_file(process_name))
    own = system.chip.sram
    some = float(own.capacity) > 0
    base = Finished(
        start=system,
        density=process.sram_density,
        rate=own.bandwidth / own.capacity if some else process.sram_bandwidth_per_capacity,
        energy=own.energy if some else process.sram_energy,
    )
    provisioned = isinstance(system.chip.power, ProvisionedPower)
    stays = "price and provisioned power stay as they are, whatever is dragged."
    follows = (
        "price and idle power stay as they are, whatever is dragged; the energy of what it does"
        " follows."
    )
    notes = (
        f"A finished chip: its {stays if provisioned else follows}",
        f"SRAM is that of {process_name}, and takes the room of cores on the same dies.",
    )
    return base, notes


def chosen(choices: Mapping[str, str | None]) -> Opened:
    """What the fields of the page stand for: a run or a study, else a model and a system.

    What was typed goes before what was picked from a list.

    Raises:
        InputError: see `open_pair` and `open_run`; or something is missing.
    """
    typed = {name: (value or "").strip() for name, value in choices.items()}
    if typed["run"] or typed["study"]:
        return open_run(typed["run"] or typed["study"])
    pair = {name: typed[f"{name}_file"] or typed[name] for name in ("model", "system")}
    missing = [Mistake("", f"choose a {name}") for name, value in pair.items() if not value]
    if missing:
        raise InputError("", missing)
    return open_pair(**pair)
