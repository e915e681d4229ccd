"""Where text goes: a terminal as wide as it is, or a pipe of 100 columns without colour."""

from rich.console import Console

PIPED_WIDTH = 100


def results() -> Console:
    """The console for results."""
    return _console(stderr=False)


def messages() -> Console:
    """The console for progress and messages, apart from the results."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    """Text is shown as it stands: what lies in brackets is the name of a table of a file."""
    console = Console(highlight=False, markup=False, stderr=stderr)
    if not console.is_terminal:
        console.width = PIPED_WIDTH
    return console
