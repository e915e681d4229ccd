"""A sweep from its plan to its outcome, by one process or several."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from liminal_jax._files import InputError, Problem
from liminal_jax.study.file import DesignFile
from liminal_jax.sweeps.folder import RESULT, begun, complete, reopened, unwritable
from liminal_jax.sweeps.keeping import KeepingWorker
from liminal_jax.sweeps.plan import Plan, Question, planned
from liminal_jax.sweeps.processes import ALONE, Group, LastWords
from liminal_jax.sweeps.record import sweep_record
from liminal_jax.sweeps.reducing import ReducingWorker, empty_state
from liminal_jax.sweeps.run import Listener, Worker, devices, points_of_blocks, saver
from liminal_jax.sweeps.spans import missing, share
from liminal_jax.sweeps.state import State, settled, write_whole
from liminal_jax.sweeps.store import PARTIAL, Store, finish


@dataclass(frozen=True)
class Where:
    """The folder of a sweep.

    Attributes:
        folder: The folder.
        generation: Of its state files.
    """

    folder: Path
    generation: int


def opened(plan: Plan, output: str | None, overwrite: Any, resume: Any, group: Group) -> Where:
    """Begin a sweep or take it up again: the first process makes the folder, all hear of it.

    Args:
        plan: The sweep.
        output: Folder asked for, if any.
        overwrite: Whether one that holds another run may be emptied.
        resume: Whether what lies in it is to be continued; where nothing does, it begins.
        group: All processes.

    Raises:
        InputError: why it cannot be; in each process.
    """
    said: dict[str, Any] = {}
    if group.first:
        try:
            folder = _folder(plan, output, overwrite, resume)
            said = {"folder": str(folder.resolve()), "generation": _generation(folder)}
        except InputError as error:
            said = {"source": error.source, "problems": [list(it) for it in error.problems]}
    heard = json.loads(group.told(json.dumps(said).encode()))
    if "problems" in heard:
        raise InputError(heard["source"], [Problem(*it) for it in heard["problems"]])
    return Where(Path(heard["folder"]), heard["generation"])


def _folder(plan: Plan, output: str | None, overwrite: Any, resume: Any) -> Path:
    there = Path(output) if output is not None else None
    if resume and there is not None and there.is_dir() and any(there.iterdir()):
        return reopened(plan, there)
    return begun(plan, output, overwrite)


def _generation(folder: Path) -> int:
    bases = (int(it.stem.removeprefix("base-")) for it in folder.glob("base-*.npz"))
    return max(bases, default=0)


def swept(plan: Plan, where: Where, group: Group, listener: Listener) -> dict[str, Any]:
    """Do what is left of a sweep.

    Returns:
        Its outcome; in the first process.

    Raises:
        InputError: the disk is full, or the folder gone.
    """
    folder = where.folder
    if complete(folder):
        return json.loads((folder / RESULT).read_text(encoding="utf-8"))
    try:
        with LastWords(group):
            return _swept(plan, where, group, listener)
    except OSError as error:
        raise unwritable(folder, error) from None


def run_sweep(
    file: DesignFile,
    question: Question,
    output: str | None = None,
    listener: Listener | None = None,
) -> dict[str, Any]:
    """Sweep a study or design on all devices of this process.

    Args:
        file: What `load_study` or `load_design` gives.
        question: What varies, and what is wanted.
        output: Folder to write; by default the first free runs/NAME-K.
        listener: Told how it goes.

    Returns:
        The outcome, as `liminal sweep --json` prints it; what is kept lies in the folder.

    Raises:
        InputError: everything that is wrong with the question, or with the folder.
    """
    plan = planned(file, question, file.name)
    where = opened(plan, output, overwrite=None, resume=None, group=ALONE)
    return swept(plan, where, ALONE, listener or Listener())


def _swept(plan: Plan, where: Where, group: Group, listener: Listener) -> dict[str, Any]:
    folder, generation = where.folder, where.generation
    base = empty_state(plan)
    base.absorb((folder / f"base-{generation}.npz").read_bytes())
    done = settled(folder, generation)
    left = missing(done, plan.blocks * len(plan.choices))
    own = share(left, group.rank, group.count)
    listener.began(points_of_blocks(plan, own), points_of_blocks(plan, done))
    state = _after(plan, base)
    if own:
        worker = _worker(plan, state, folder, f"state-{generation}-{group.rank}.npz")
        worker.work(own, listener)
    for packed in group.gathered(state.packed()):
        base.absorb(packed)
    record = sweep_record(plan, base)
    if group.first:
        if plan.asked.keep and (folder / PARTIAL).exists():
            finish(folder)
        write_whole(folder / RESULT, (json.dumps(record, indent=2) + "\n").encode())
        for file in [*folder.glob("base-*.npz"), *folder.glob("state-*.npz")]:
            file.unlink()
        for file in folder.glob(".*.draft"):
            file.unlink()
    return record


def _after(plan: Plan, base: State) -> State:
    """A state of no blocks, whose filters know what is known."""
    state = empty_state(plan)
    for mine, known in zip(state.reductions, base.reductions, strict=True):
        mine.rows = known.rows
    return state


def _worker(plan: Plan, state: State, folder: Path, name: str) -> Worker:
    save, mesh = saver(folder, name, state), devices()
    if plan.asked.keep:
        return KeepingWorker(plan, state, mesh, save, Store(folder, plan))
    return ReducingWorker(plan, state, mesh, save)
