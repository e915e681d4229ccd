"""Where text goes: a terminal as wide as it is, or a pipe of 100 columns without colour."""

from rich.console import Console

PIPED_WIDTH = 100


def results() -> Console:
    """The console for results."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPED_WIDTH)


def messages() -> Console:
    """The console for progress and messages, apart from the results."""
    console = Console(highlight=False, stderr=True)
    if console.is_terminal:
        return console
    return Console(highlight=False, stderr=True, width=PIPED_WIDTH)
