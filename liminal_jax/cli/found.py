"""The result of a search for the command line, of a study or a portfolio."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from liminal_jax.results.page import Page

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Found(NamedTuple):
    """A result in its forms of output.

    Attributes:
        feasible: Whether every limit is met.
        designs: Texts of design files by their names.
        record: The object that is printed as JSON.
        page: The page that terminals and HTML draw.
        best: Name of the best design file; empty where there is none.
        figure: Makes the figure of the search; None where there is none to make.
    """

    feasible: bool
    designs: dict[str, str]
    record: dict[str, Any]
    page: Page
    best: str
    figure: "Callable[[], Figure] | None" = None
