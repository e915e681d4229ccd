"""How far a sweep has come, and what it found so far: one file, replaced as a whole."""

import os
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from liminal_jax.sweeps.goal import Reduction, Rows
from liminal_jax.sweeps.spans import Spans, united


@dataclass
class State:
    """What is known of the blocks that are done.

    Attributes:
        reductions: What is kept of their points.
        counts: Histograms, a row for each output.
        feasible: How many of their points keep every limit.
        done: Which blocks.
    """

    reductions: tuple[Reduction, ...]
    counts: np.ndarray
    feasible: int = 0
    done: Spans = field(default=())

    def packed(self) -> bytes:
        """As bytes, equal where all that is known is equal."""
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
        """Merge what another process, or an earlier run, knows of blocks of its own."""
        with np.load(BytesIO(packed)) as arrays:
            self.done = united([*self.done, *map(tuple, arrays["done"].tolist())])
            self.feasible += int(arrays["feasible"])
            self.counts = self.counts + arrays["counts"]
            for number, reduction in enumerate(self.reductions):
                rows = Rows(*(arrays[f"{name}_{number}"] for name in Rows._fields))
                reduction.merge(rows)


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file as a whole: whoever reads it sees the old content or the new."""
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def resumed(folder: Path, state: State) -> int:
    """Merge what earlier runs have left into one file, and begin a new generation of files.

    A generation is a file of all that was known before it, and one for each process since. It
    counts from the moment its first file is there, so that a kill at any time leaves one whole
    generation, in which every block is counted once.

    Args:
        folder: That of the sweep.
        state: What the earlier runs know is merged into it.

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


def settled(folder: Path, generation: int) -> Spans:
    """Blocks that were done before a generation."""
    with np.load(folder / f"base-{generation}.npz") as arrays:
        return united(map(tuple, arrays["done"].tolist()))
