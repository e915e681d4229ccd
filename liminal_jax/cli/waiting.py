"""What a command without stages tells while it works: words, on a terminal with the time so far."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from liminal_jax.view.console import messages

SOON = 2.0
"""Seconds that nothing is said of in a pipe."""


@contextmanager
def waiting(words: str) -> Iterator[None]:
    """Words with the time so far on a terminal; in a pipe the words, unless it is soon over."""
    console = messages()
    if not console.is_terminal:
        late = threading.Timer(SOON, console.print, [words])
        late.daemon = True
        late.start()
        try:
            yield
        finally:
            late.cancel()
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    ) as shown:
        shown.add_task(words, total=None)
        yield
