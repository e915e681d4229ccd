"""Results that print themselves: the page of their record, as text and as HTML."""

import io
from abc import ABC, abstractmethod
from typing import Any

from rich.console import Console

from liminal_jax.results.html import fragment
from liminal_jax.results.page import Page
from liminal_jax.results.terminal import terminal

_WIDTH = 100


def text(page: Page) -> str:
    """A page as text.

    Args:
        page: The page.
    """
    written = io.StringIO()
    # In a notebook rich would show the page there and then, and return nothing.
    console = Console(
        file=written, width=_WIDTH, highlight=False, markup=False, force_jupyter=False
    )
    console.print(terminal(page))
    return "\n".join(it.rstrip() for it in written.getvalue().splitlines())


class Told(ABC):
    """A result with a record, and a page that tells it."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """The record that the command line prints as JSON, in SI units and USD."""

    @abstractmethod
    def page(self) -> Page:
        """The page about it."""

    def report(self) -> str:
        """Its page as text."""
        return text(self.page())

    def __repr__(self) -> str:
        """The same."""
        return self.report()

    def _repr_html_(self) -> str:
        return fragment(self.page())
