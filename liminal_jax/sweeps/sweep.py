"""A sweep from its plan to its record, by one process or several."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from liminal_jax._files import InputError, Problem
from liminal_jax.study.file import DesignFile
from liminal_jax.sweeps.checkpoint import State, blocks_done_before, write_whole
from liminal_jax.sweeps.folder import RESULT, complete, new_folder_of, unwritable
from liminal_jax.sweeps.intervals import missing, share
from liminal_jax.sweeps.keeping import KeepingWorker
from liminal_jax.sweeps.plan import Plan, SweepSpec, sweep_plan
from liminal_jax.sweeps.processes import ALONE, FailureMessenger, Group
from liminal_jax.sweeps.record import sweep_record
from liminal_jax.sweeps.reducing import ReducingWorker, empty_state
from liminal_jax.sweeps.resume import resumed_folder_of
from liminal_jax.sweeps.run import SweepProgress, Worker, devices, points_of_blocks, saver
from liminal_jax.sweeps.store import PARTIAL, Store, finish


@dataclass(frozen=True)
class SweepFolder:
    """The folder of a sweep.

    Attributes:
        folder: The folder.
        generation: Generation of its state files.
    """

    folder: Path
    generation: int


def open_sweep(
    plan: Plan, output: str | None, overwrite: Any, resume: Any, group: Group
) -> SweepFolder:
    """Start a sweep or resume it: the first process makes the folder and broadcasts its path.

    Args:
        plan: The plan.
        output: Path of the folder; None for the first free one.
        overwrite: Whether a folder with another run may be emptied.
        resume: Whether to resume the sweep in the folder; an empty folder starts a new one.
        group: The processes.

    Raises:
        InputError: the folder cannot be made or resumed; raised in every process.
    """
    message: dict[str, Any] = {}
    if group.first:
        try:
            folder = _folder(plan, output, overwrite, resume)
            message = {"folder": str(folder.resolve()), "generation": _generation(folder)}
        except InputError as error:
            message = {"source": error.source, "problems": [list(it) for it in error.problems]}
    received = json.loads(group.broadcast(json.dumps(message).encode()))
    if "problems" in received:
        raise InputError(received["source"], [Problem(*it) for it in received["problems"]])
    return SweepFolder(Path(received["folder"]), received["generation"])


def _folder(plan: Plan, output: str | None, overwrite: Any, resume: Any) -> Path:
    there = Path(output) if output is not None else None
    if resume and there is not None and there.is_dir() and any(there.iterdir()):
        return resumed_folder_of(plan, there)
    return new_folder_of(plan, output, overwrite)


def _generation(folder: Path) -> int:
    bases = (int(it.stem.removeprefix("base-")) for it in folder.glob("base-*.npz"))
    return max(bases, default=0)


def run_plan(
    plan: Plan, where: SweepFolder, group: Group, progress: SweepProgress
) -> dict[str, Any]:
    """Run what is left of a sweep.

    Returns:
        Its record.

    Raises:
        InputError: the disk is full, or the folder unavailable.
    """
    folder = where.folder
    if complete(folder):
        return json.loads((folder / RESULT).read_text(encoding="utf-8"))
    try:
        with FailureMessenger(group):
            return _swept(plan, where, group, progress)
    except OSError as error:
        raise unwritable(folder, error) from None


def run_sweep(
    file: DesignFile,
    spec: SweepSpec,
    output: str | None = None,
    progress: SweepProgress | None = None,
) -> dict[str, Any]:
    """Sweep a study or design on all devices of this process.

    Args:
        file: A study or design file.
        spec: The specification of the sweep.
        output: Folder to write; by default the first free runs/NAME-K.
        progress: Callbacks.

    Returns:
        The record, as `liminal sweep --json` prints it; kept outputs are in the folder.

    Raises:
        InputError: all mistakes in the specification, or the folder cannot be written.
    """
    plan = sweep_plan(file, spec, file.name)
    where = open_sweep(plan, output, overwrite=None, resume=None, group=ALONE)
    return run_plan(plan, where, ALONE, progress or SweepProgress())


def _swept(plan: Plan, where: SweepFolder, group: Group, progress: SweepProgress) -> dict[str, Any]:
    folder, generation = where.folder, where.generation
    base = empty_state(plan)
    base.absorb((folder / f"base-{generation}.npz").read_bytes())
    done = blocks_done_before(folder, generation)
    left = missing(done, plan.blocks * len(plan.choices))
    own = share(left, group.rank, group.count)
    progress.began(points_of_blocks(plan, own), points_of_blocks(plan, done))
    state = _after(plan, base)
    if own:
        worker = _worker(plan, state, folder, f"state-{generation}-{group.rank}.npz")
        worker.work(own, progress)
    for packed in group.gather(state.packed()):
        base.absorb(packed)
    record = sweep_record(plan, base)
    if group.first:
        if plan.spec.keep and (folder / PARTIAL).exists():
            finish(folder)
        write_whole(folder / RESULT, (json.dumps(record, indent=2) + "\n").encode())
        for file in [*folder.glob("base-*.npz"), *folder.glob("state-*.npz")]:
            file.unlink()
        for file in folder.glob(".*.draft"):
            file.unlink()
    return record


def _after(plan: Plan, base: State) -> State:
    """A state without blocks, whose filters start from the points of another."""
    state = empty_state(plan)
    for mine, known in zip(state.reductions, base.reductions, strict=True):
        mine.rows = known.rows
    return state


def _worker(plan: Plan, state: State, folder: Path, name: str) -> Worker:
    save, mesh = saver(folder, name, state), devices()
    if plan.spec.keep:
        return KeepingWorker(plan, state, mesh, save, Store(folder, plan))
    return ReducingWorker(plan, state, mesh, save)
