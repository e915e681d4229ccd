"""Equations in the docstrings of laws, rendered where mkdocstrings shows them."""

import re
from typing import Any

import griffe

from mathematics import equations, mathml

_BLOCK = re.compile(r"(?:^    .*\n?)+", re.MULTILINE)

_SECTION = re.compile(r"^(?:Args|Returns|Raises|References|Examples):$", re.MULTILINE)


def rendered(docstring: str) -> str:
    """A docstring whose indented equations, above its sections, are MathML.

    Raises:
        ValueError: An indented block is not an equation.
    """
    section = _SECTION.search(docstring)
    end = len(docstring) if section is None else section.start()
    above = _BLOCK.sub(lambda block: _shown(block[0]), docstring[:end])
    return above + docstring[end:]


def _shown(block: str) -> str:
    shown = "".join(mathml(it) for it in equations(block))
    return f'<div class="equation">{shown}</div>\n'


class Equations(griffe.Extension):
    """Renders the equations of `liminal_jax.laws`; other docstrings stay as they are."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Render the equations of a law, or of what a file of laws says first."""
        if obj.path.startswith("liminal_jax.laws.") and obj.docstring is not None:
            obj.docstring.value = rendered(obj.docstring.value)
