"""What is opened: a model on a system, or a saved design; and the numbers that it begins at."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import equinox as eqx

from liminal_jax._arrays import as_leaf
from liminal_jax._files import InputError, Problem, did_you_mean
from liminal_jax._smooth import Exact
from liminal_jax.data.build import process_of
from liminal_jax.data.parts import load_process_file
from liminal_jax.data.systems import load_system_file
from liminal_jax.hardware.power import ProvisionedPower
from liminal_jax.hardware.system import System
from liminal_jax.study.case import Case
from liminal_jax.study.degrees import degree_contradictions
from liminal_jax.study.file import DesignFile, design_of, load_design
from liminal_jax.study.predicted import unknown_speed
from liminal_jax.study.read import problem_of
from liminal_jax.view.app.base import AbstractBase, Finished, Numbers, Planned, latency_of
from liminal_jax.view.app.scene import Scene, pictured

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


@dataclass(frozen=True)
class Opened:
    """Something that was opened.

    Attributes:
        file: The design.
        scene: All that stays while numbers are dragged.
        start: The numbers that it begins at.
        notes: What has to be known of it, in sentences.
    """

    file: DesignFile
    scene: Scene
    start: Numbers
    notes: tuple[str, ...]


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
        opened = _opened(design_of(tables, COMMAND))
    except InputError as error:
        problems = [Problem(FLAGS.get(it.path, it.path), it.message) for it in error.problems]
        raise InputError(error.source, problems) from None
    start = opened.start
    for chips in (2**step for step in range(round(math.log2(MOST_CHIPS)) + 1)):
        start = eqx.tree_at(lambda it: it.chips, opened.start, as_leaf(chips))
        if pictured(opened.scene, start).now.fits:
            break
    return Opened(opened.file, opened.scene, start, opened.notes)


def open_run(path: str) -> Opened:
    """The design of a run, by its folder, or any design by its file.

    Raises:
        InputError: there is none, or it has mistakes.
    """
    return _opened(load_design(str(_design_file(Path(path)))))


def _design_file(path: Path) -> Path:
    if path.is_file():
        return path
    if not path.is_dir():
        hint = did_you_mean(path.name, [it.name for it in path.parent.glob("*")])
        message = f"is not there; give the folder of a run, or a design file{hint}"
        raise InputError(str(path), [Problem("", message)])
    if (path / DESIGN).is_file():
        return path / DESIGN
    others = sorted(str(it) for it in [*path.glob("*.toml"), *path.glob("*/*.toml")])
    remedy = f"give one of {', '.join(others[:8])}" if others else "give a run of liminal optimize"
    raise InputError(str(path), [Problem("", f"holds no {DESIGN}; {remedy}")])


def _opened(file: DesignFile) -> Opened:
    study = problem_of(file)
    contradictions = degree_contradictions(study)
    if contradictions:
        raise InputError(file.name, contradictions)
    case = study.first()
    system, mapping = case.built(Exact()), case.mapped()
    model, request = case.model, case.request
    base, notes = _base(file, case, system)
    scene = Scene(
        base=base,
        mapping=mapping,
        model=model,
        request=request,
        assumptions=case.assumptions,
    )
    start = Numbers(
        bandwidth=system.chip.memory.bandwidth,
        capacity=system.chip.memory.capacity,
        latency=latency_of(system.network),
        sram_share=base.sram_share(),
        chips=mapping.chips(),
        batch=float(file.design.batch.value),
        context=request.context,
    )
    if math.isnan(float(pictured(scene, start).now.step_time)):
        raise InputError(
            file.name, [Problem("design.system", unknown_speed(file, system, request))]
        )
    return Opened(file, scene, start, (*_instances(file, float(mapping.chips())), *notes))


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
    base = Planned(
        plan=case.system.chip.plan,
        material=case.system.chip.material,
        network=system.network,
        facility=case.system.facility,
        clock=case.clock,
        execution=case.system.execution,
    )
    return base, (note,)


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
    """What the fields of the page stand for: a run, else a model and a system.

    A file that was typed goes before the name that was picked from a list.

    Raises:
        InputError: see `open_pair` and `open_run`; or something is missing.
    """
    typed = {name: (value or "").strip() for name, value in choices.items()}
    if typed["run"]:
        return open_run(typed["run"])
    pair = {name: typed[f"{name}_file"] or typed[name] for name in ("model", "system")}
    missing = [Problem("", f"choose a {name}") for name, value in pair.items() if not value]
    if missing:
        raise InputError("", missing)
    return open_pair(**pair)
