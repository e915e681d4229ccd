"""Several processes that share a sweep: who is who, what they tell each other, who has died.

Each does blocks of its own on its own devices and needs the others only at the beginning and at the
end. That one has died JAX sees by the heartbeats of its coordination service, and ends the others;
what they have done is on the disk, and the sweep can be resumed.
"""

import subprocess
import sys
from dataclasses import dataclass

import jax
import numpy as np
from jax.experimental import multihost_utils

SILENCE = 20
"""Seconds without a heartbeat after which JAX takes a process for dead and ends the others."""

LAST_WORDS = (
    "process {rank} of {count} has ended before the sweep did; what is done is on the disk: run the"
    " same command with --resume"
)
"""Said for a process that JAX ends: it aborts, and can say nothing itself."""

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
    jax.distributed.initialize(coordinator, count, rank, heartbeat_timeout_seconds=SILENCE)
    return Group(jax.process_index(), jax.process_count())


class LastWords:
    """Says how to go on if this process is ended before its time, as JAX does when another dies.

    A process of its own says it: it waits for a word of this one, and hears the end of it instead.
    """

    def __init__(self, group: Group):
        """Nothing will be said where there is one process, which is master of its own end."""
        self._group = group
        self._speaker: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "LastWords":
        """Start to wait."""
        if self._group.count > 1:
            words = LAST_WORDS.format(rank=self._group.rank, count=self._group.count)
            program = [sys.executable, "-SEc", _SAY_UNLESS_TOLD, words]
            self._speaker = subprocess.Popen(program, stdin=subprocess.PIPE)
        return self

    def __exit__(self, *_: object) -> None:
        """Say nothing."""
        if self._speaker is not None:
            self._speaker.communicate(b"no need")
