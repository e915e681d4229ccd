"""Several processes that share a sweep: who is who, what they tell each other, who has died.

Each does blocks of its own on its own devices and needs the others only at the beginning and at the
end. That one has died is seen by its pulse, a file in the run folder that every process renews:
then the others end with a sentence, and the sweep can be resumed.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np
from jax.experimental import multihost_utils

PULSE = 2.0
"""Seconds between two beats."""

PATIENCE = 20.0
"""Seconds without a beat after which a process is taken for dead."""

LONGEST_SILENCE = 45
"""Seconds after which JAX itself gives a process up, where its pulse cannot be seen."""


EPITAPH = (
    "process {rank} of {count} has ended before the sweep did; what is done is on the disk: run the"
    " same command with --resume"
)
"""Said for a process that cannot do so itself, such as one that JAX aborts when the first dies."""

_SAY_UNLESS_TOLD = "import sys; sys.stdin.read() or sys.stderr.write(sys.argv[1] + chr(10))"


@dataclass(frozen=True)
class Group:
    """The processes of a sweep.

    Attributes:
        rank: Number of this one.
        count: How many there are.
    """

    rank: int
    count: int

    @property
    def first(self) -> bool:
        """Whether this is the one that makes the folder and writes the outcome."""
        return self.rank == 0

    def gathered(self, content: bytes) -> list[bytes]:
        """What each process has to say, in order of their numbers."""
        if self.count == 1:
            return [content]
        lengths = multihost_utils.process_allgather(np.asarray([len(content)]))
        lengths = np.asarray(lengths).reshape(-1)
        padded = np.zeros(int(lengths.max()), np.uint8)
        padded[: len(content)] = np.frombuffer(content, np.uint8)
        rows = np.asarray(multihost_utils.process_allgather(padded)).reshape(self.count, -1)
        return [row[:length].tobytes() for row, length in zip(rows, lengths, strict=True)]

    def told(self, content: bytes) -> bytes:
        """What the first process has to say."""
        return self.gathered(content if self.first else b"")[0]


ALONE = Group(rank=0, count=1)
"""A single process."""


def joined(coordinator: str | None, count: int | None, rank: int | None) -> Group:
    """Join the processes of this sweep; JAX finds them by itself under SLURM and the like.

    Args:
        coordinator: HOST:PORT of the first process, where JAX cannot know.
        count: How many processes there are, likewise.
        rank: Number of this one, likewise.
    """
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.distributed.initialize(coordinator, count, rank, heartbeat_timeout_seconds=LONGEST_SILENCE)
    return Group(jax.process_index(), jax.process_count())


class Watch:
    """Shows that this process lives, and ends it when another one dies."""

    def __init__(self, group: Group, folder: Path, died: Callable[[int], None] | None = None):
        """Begin; nothing is done where there is one process.

        Args:
            group: The processes.
            folder: That of the run.
            died: What to do when one has died; by default this process ends with a sentence.
        """
        self._group, self._folder = group, folder
        self._died = died or self._end
        self._over = threading.Event()
        self._epitaph: subprocess.Popen[bytes] | None = None
        self._threads = [
            threading.Thread(target=it, daemon=True) for it in (self._beat, self._look)
        ]

    def __enter__(self) -> "Watch":
        """Begin to beat and to look."""
        if self._group.count > 1:
            words = EPITAPH.format(rank=self._group.rank, count=self._group.count)
            program = [sys.executable, "-SEc", _SAY_UNLESS_TOLD, words]
            self._epitaph = subprocess.Popen(program, stdin=subprocess.PIPE)
            for thread in self._threads:
                thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._over.set()
        self._hush()

    def _hush(self) -> None:
        """Nothing need be said at the end of this process."""
        if self._epitaph is not None:
            self._epitaph.communicate(b"no need")

    def _pulse(self, rank: int) -> Path:
        return self._folder / f".pulse-{rank}"

    def _beat(self) -> None:
        number = 0
        while not self._over.wait(PULSE if number else 0):
            number += 1
            self._pulse(self._group.rank).write_text(f"{os.getpid()} {number}")

    def _look(self) -> None:
        heard = {rank: ("", time.monotonic()) for rank in range(self._group.count)}
        while not self._over.wait(PULSE):
            for rank, (last, since) in heard.items():
                beat = _read(self._pulse(rank))
                if beat != last:
                    heard[rank] = beat, time.monotonic()
                elif time.monotonic() - since > PATIENCE:
                    self._died(rank)
                    return

    def _end(self, rank: int) -> None:
        sys.stderr.write(
            f"process {rank} of {self._group.count} has not been heard of for {PATIENCE:.0f} s, so"
            " this one ends too; what is done is on the disk: run the same command with --resume\n"
        )
        sys.stderr.flush()
        self._hush()
        # An exit in order would wait for the dead process at JAX's barrier.
        os._exit(1)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
