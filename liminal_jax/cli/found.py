"""What a search hands to the command line, whatever was asked."""

from typing import Any, NamedTuple

from rich.console import RenderableType


class Found(NamedTuple):
    """An answer in the forms in which it leaves the program.

    Attributes:
        feasible: Whether every limit is met.
        designs: Texts of design files by their names.
        record: The object that is printed as JSON.
        view: The screen.
    """

    feasible: bool
    designs: dict[str, str]
    record: dict[str, Any]
    view: RenderableType
