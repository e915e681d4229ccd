"""A second process, which compares chips while this one searches.

Python runs one thread at a time, and a search of some seconds is all Python: on a second core, a
process of its own takes from it what does not rest on the design that is found. It imports while
this one does, and is then given the study. Where there is no second core, or where that process
ends without an answer, this one works everything out itself.
"""

import gc
import os
import pickle
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from liminal_jax.cli.runtime import prepare_jax, usable_cores

if TYPE_CHECKING:
    from liminal_jax.study.file import DesignFile


ROOM = 1 << 20
"""Bytes that wait in a pipe, where the system lets one say: more than a study, which is given while
the other process still imports."""


def worthwhile() -> bool:
    """Whether a core is free, and JAX is yet to be imported: else little is left to share."""
    return "jax" not in sys.modules and usable_cores() > 1


class Beside:
    """The second process, where one is worthwhile."""

    def __init__(self) -> None:
        """Start it."""
        self._process: subprocess.Popen[bytes] | None = None
        if not worthwhile():
            return
        # A session of its own: Ctrl-C is for this process, which ends the other.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            pipesize=ROOM,
            env={**os.environ, "JAX_PLATFORMS": "cpu"},
        )

    def give(self, study: "DesignFile") -> None:
        """Give it a study, as it was read."""
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):
                pickle.dump(study, self._process.stdin)
                self._process.stdin.close()

    def take(self) -> Any:
        """Its next answer; None where it gives no more."""
        if self._process is None or self._process.stdout is None:
            return None
        with suppress(EOFError, OSError, pickle.UnpicklingError):
            return pickle.load(self._process.stdout)

    def close(self) -> None:
        """End it, whatever it does."""
        if self._process is not None:
            with suppress(OSError), self._process:  # it may not have read all that it was given
                self._process.kill()
            self._process = None


def _work() -> None:
    """What the second process does: read a study, and answer in the order in which it is asked."""
    from liminal_jax.cli.main import NEW_OBJECTS

    gc.set_threshold(NEW_OBJECTS)
    prepare_jax()
    from liminal_jax.optimization.answer import Comparisons
    from liminal_jax.study.read import problem_of

    compared = Comparisons(problem_of(pickle.load(sys.stdin.buffer)))
    for answer in (compared.existing, compared.best_under_less):
        pickle.dump(answer(), sys.stdout.buffer)
        sys.stdout.flush()


if __name__ == "__main__":
    _work()
