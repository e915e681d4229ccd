"""Markdown, written."""

from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The folder of the repository."""


def block(language: str, text: str) -> str:
    """A block of code."""
    fence = "````" if "```" in text else "```"
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def table(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    r"""A table; empty cells stay empty.

    Examples:
        >>> print(table(["a", "b"], [[1, "x|y"]]))
        | a | b |
        |---|---|
        | 1 | x\|y |
    """
    lines = [heading, *rows]
    shown = [f"| {' | '.join(_cell(it) for it in line)} |" for line in lines]
    return "\n".join([shown[0], "|" + "---|" * len(heading), *shown[1:]])


def _cell(value: object) -> str:
    return " ".join(str(value).replace("|", "\\|").split())
