"""Runs `liminal sweep` again and again in processes that are killed.

    python lives.py DELAY,DELAY,... -- ARGUMENTS

Everything is imported once; each life is a fork, killed so many seconds after it has begun, and the
last one is left to finish. What is known is put on the disk after every run of blocks, and runs are
short, so that the kills come at all places.
"""

import os
import signal
import sys
import time

import jax

from liminal_jax.cli.main import main
from liminal_jax.sweep import run

run.BETWEEN_SAVES = 0.02
run.POINTS_OF_A_RUN = 1 << 14
run.BYTES_OF_A_RUN = 1 << 16


def live(arguments: list[str]) -> int:
    """One life: the number of its process."""
    child = os.fork()
    if child == 0:
        os._exit(main(arguments))
    return child


def lives(delays: list[float], arguments: list[str]) -> int:
    """All of them; the exit code of the last."""
    for delay in delays:
        child = live(arguments)
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    _, status = os.waitpid(live(arguments), 0)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    assert not jax._src.xla_bridge.backends_are_initialized()
    marked = sys.argv.index("--")
    delays = [float(it) for it in sys.argv[1].split(",") if it]
    sys.exit(lives(delays, sys.argv[marked + 1 :]))
