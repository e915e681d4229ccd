"""What a search hands to the command line, whatever was asked."""

from typing import Any, NamedTuple

from liminal_jax.results.page import Page


class Found(NamedTuple):
    """An answer in the forms in which it leaves the program.

    Attributes:
        feasible: Whether every limit is met.
        designs: Texts of design files by their names.
        record: The object that is printed as JSON.
        page: What is told of it.
        best: Name of the design file to go on with; empty where there is none.
    """

    feasible: bool
    designs: dict[str, str]
    record: dict[str, Any]
    page: Page
    best: str
