"""The state of a sweep, blocks done and results so far: one file, replaced atomically."""

import os
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from liminal_jax.sweeps.goal import Reduction, Rows
from liminal_jax.sweeps.intervals import Intervals, union


@dataclass
class State:
    """The results of the blocks that are done.

    Attributes:
        reductions: The reductions.
        counts: Histograms, a row for each output.
        feasible: Number of feasible points.
        done: The blocks.
    """

    reductions: tuple[Reduction, ...]
    counts: np.ndarray
    feasible: int = 0
    done: Intervals = field(default=())

    def packed(self) -> bytes:
        """The state as bytes; equal states have equal bytes."""
        arrays: dict[str, Any] = {
            "done": np.asarray(self.done, np.int64).reshape(-1, 2),
            "feasible": np.asarray(self.feasible),
            "counts": self.counts,
        }
        for number, reduction in enumerate(self.reductions):
            for name, array in reduction.rows._asdict().items():
                arrays[f"{name}_{number}"] = array
        buffer = BytesIO()
        np.savez(buffer, **arrays)
        return buffer.getvalue()

    def absorb(self, packed: bytes) -> None:
        """Merge the state of another process, or of an earlier run, over other blocks."""
        with np.load(BytesIO(packed)) as arrays:
            self.done = union([*self.done, *map(tuple, arrays["done"].tolist())])
            self.feasible += int(arrays["feasible"])
            self.counts = self.counts + arrays["counts"]
            for number, reduction in enumerate(self.reductions):
                rows = Rows(*(arrays[f"{name}_{number}"] for name in Rows._fields))
                reduction.merge(rows)


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file atomically: a reader sees the old content or the new."""
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def resumed(folder: Path, state: State) -> int:
    """Merge the states that earlier runs have left into one file, and start a new generation.

    A generation is a base file with everything known before it, and one state file for each process
    since. It is valid from the moment its base file exists, so a kill at any time leaves one
    complete generation, in which every block counts once.

    Args:
        folder: The run folder.
        state: The states of earlier runs are merged into it.

    Returns:
        The new generation.
    """
    bases = sorted(int(it.stem.removeprefix("base-")) for it in folder.glob("base-*.npz"))
    last = bases[-1] if bases else 0
    for file in [*folder.glob(f"base-{last}.npz"), *sorted(folder.glob(f"state-{last}-*.npz"))]:
        state.absorb(file.read_bytes())
    write_whole(folder / f"base-{last + 1}.npz", state.packed())
    for generation in range(last + 1):
        for file in [
            *folder.glob(f"base-{generation}.npz"),
            *folder.glob(f"state-{generation}-*.npz"),
        ]:
            file.unlink(missing_ok=True)
    return last + 1


def blocks_done_before(folder: Path, generation: int) -> Intervals:
    """Blocks that were done before a generation."""
    with np.load(folder / f"base-{generation}.npz") as arrays:
        return union(map(tuple, arrays["done"].tolist()))
