"""Runs `liminal sweep` again and again in processes that are killed.

    python -m tests.sweeps.lives DELAY,DELAY,... -- ARGUMENTS

Everything is imported once; each life is a fork, killed so many seconds after it has first put
what it knows on the disk, and the last one is left to finish. A negative delay counts from the
beginning of the life. Saves are frequent and runs of blocks short, so that the kills come at all
places.
"""

import os
import select
import signal
import sys
import time

import liminal_jax.cli.optimize
import liminal_jax.cli.sweep
import liminal_jax.optimization.answer  # noqa: F401
from liminal_jax.cli.main import main
from liminal_jax.sweeps import keeping, reducing, run

run.BETWEEN_SAVES = 0.02
reducing.POINTS_OF_A_RUN = 1 << 14
keeping.BYTES_OF_A_RUN = 1 << 16

LONGEST = 60.0
"""Seconds that a life may take until then."""


def live(arguments: list[str], save_pipe: int) -> int:
    """One life: the number of its process, which tells a pipe of each time it has saved."""
    child = os.fork()
    if child:
        return child
    save = run.Worker.save

    def save_and_signal(worker: run.Worker) -> None:
        save(worker)
        os.write(save_pipe, b".")

    run.Worker.save = save_and_signal
    os._exit(main(arguments))


def lives(delays: list[float], arguments: list[str]) -> int:
    """All of them; the exit code of the last."""
    for delay in delays:
        heard, save_pipe = os.pipe()
        child = live(arguments, save_pipe)
        os.close(save_pipe)
        if delay >= 0:
            select.select([heard], [], [], LONGEST)
        time.sleep(abs(delay))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(heard)
    heard, save_pipe = os.pipe()
    _, status = os.waitpid(live(arguments, save_pipe), 0)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    marked = sys.argv.index("--")
    moments = [float(it) for it in sys.argv[1].split(",") if it]
    sys.exit(lives(moments, sys.argv[marked + 1 :]))
