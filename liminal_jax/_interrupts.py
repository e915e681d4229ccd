"""Ctrl-C while a thread starts.

A thread whose start is interrupted is known to nobody: it is not waited for, and where the process
ends meanwhile, it ends with an abort.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread


@contextmanager
def uninterrupted() -> Iterator[None]:
    """A block that Ctrl-C interrupts at its end."""
    if current_thread() is not main_thread():
        # Python interrupts the main thread alone.
        yield
        return
    came = False

    def remember(*_: object) -> None:
        nonlocal came
        came = True

    before = signal.signal(signal.SIGINT, remember)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came:
            signal.raise_signal(signal.SIGINT)
