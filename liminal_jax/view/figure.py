"""Figures as files, all in one style."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from liminal_jax._files import InputError, Problem

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STYLE = Path(__file__).with_name("style.mplstyle")
"""How every figure looks."""


def check_matplotlib(command: str) -> None:
    """Refuse to go on where figures cannot be drawn.

    Args:
        command: The command that draws them, for the message.

    Raises:
        InputError: Matplotlib is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        problem = "draws figures with matplotlib, which is missing: pip install 'liminal-jax[plot]'"
        raise InputError(command, [Problem("", problem)])


def drawn(figure: Callable[[], "Figure"], folder: Path, name: str) -> tuple[Path, ...]:
    """Draw a figure as PNG and PDF into the figures of a run.

    Args:
        figure: Makes the figure; called with the style set.
        folder: Folder of the run.
        name: Name of the files.

    Returns:
        The files written.
    """
    from matplotlib import style

    (folder / "figures").mkdir(exist_ok=True)
    files = tuple(folder / "figures" / f"{name}.{kind}" for kind in ("png", "pdf"))
    with style.context(STYLE):
        made = figure()
        for file in files:
            made.savefig(file)
    return files
