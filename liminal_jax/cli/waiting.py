"""What a command without stages shows while it works: words and the time so far."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from liminal_jax.view.console import messages


def waiting(words: str) -> AbstractContextManager[Any]:
    """Words with the time so far on a terminal; nothing in a pipe, since it is soon over."""
    console = messages()
    if not console.is_terminal:
        return nullcontext()
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    shown = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )
    shown.add_task(words, total=None)
    return shown
