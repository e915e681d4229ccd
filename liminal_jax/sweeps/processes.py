"""The processes of a distributed sweep: ranks, collectives, and detection of failures.

Each process evaluates its own blocks on its own devices and needs the others only at the beginning
and at the end. JAX detects the failure of a process by the heartbeats of its coordination service
and ends the others; their state is on the disk, and the sweep can be resumed.
"""

import subprocess
import sys
from dataclasses import dataclass

import jax
import numpy as np
from jax.experimental import multihost_utils

HEARTBEAT_TIMEOUT = 20
"""Seconds without a heartbeat after which JAX takes a process for dead and ends the others."""

FAILURE_MESSAGE = (
    "process {rank} of {count} has ended before the sweep did; what is done is on the disk: run the"
    " same command with --resume"
)
"""Message of a process that JAX ends: it aborts, and cannot print anything itself."""

_PRINT_UNLESS_DISMISSED = "import sys; sys.stdin.read() or sys.stderr.write(sys.argv[1] + chr(10))"


@dataclass(frozen=True)
class Group:
    """The processes of a sweep.

    Attributes:
        rank: Rank of this process.
        count: Number of processes.
    """

    rank: int
    count: int

    @property
    def first(self) -> bool:
        """Whether this is the process that makes the folder and writes the result."""
        return self.rank == 0

    def gather(self, content: bytes) -> list[bytes]:
        """The content of every process, in the order of ranks."""
        if self.count == 1:
            return [content]
        lengths = multihost_utils.process_allgather(np.asarray([len(content)]))
        lengths = np.asarray(lengths).reshape(-1)
        padded = np.zeros(int(lengths.max()), np.uint8)
        padded[: len(content)] = np.frombuffer(content, np.uint8)
        rows = np.asarray(multihost_utils.process_allgather(padded)).reshape(self.count, -1)
        return [row[:length].tobytes() for row, length in zip(rows, lengths, strict=True)]

    def broadcast(self, content: bytes) -> bytes:
        """The content of the first process."""
        return self.gather(content if self.first else b"")[0]


ALONE = Group(rank=0, count=1)
"""A single process."""


def joined(coordinator: str | None, count: int | None, rank: int | None) -> Group:
    """Join the processes of a sweep; under SLURM and similar schedulers JAX finds them by itself.

    Args:
        coordinator: HOST:PORT of the first process; None under a scheduler.
        count: Number of processes; None under a scheduler.
        rank: Rank of this process; None under a scheduler.
    """
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.distributed.initialize(
        coordinator, count, rank, heartbeat_timeout_seconds=HEARTBEAT_TIMEOUT
    )
    return Group(jax.process_index(), jax.process_count())


class FailureMessenger:
    """Prints how to resume if this process is ended early, as JAX does when another one dies.

    A child process prints the message: it reads from a pipe, and at the end of the pipe without a
    word this process is known to have died.
    """

    def __init__(self, group: Group):
        """Set up; with a single process nothing is printed, since it reports its own errors."""
        self._group = group
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "FailureMessenger":
        """Start the child."""
        if self._group.count > 1:
            words = FAILURE_MESSAGE.format(rank=self._group.rank, count=self._group.count)
            program = [sys.executable, "-SEc", _PRINT_UNLESS_DISMISSED, words]
            self._child = subprocess.Popen(program, stdin=subprocess.PIPE)
        return self

    def __exit__(self, *_: object) -> None:
        """Let the child end without a message."""
        if self._child is not None:
            self._child.communicate(b"no need")
