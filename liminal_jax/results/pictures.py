"""The pictures of a design on the page about it."""

from collections.abc import Mapping
from typing import Any

from liminal_jax.drawing.figures import figures
from liminal_jax.results.page import Drawings, Section, section


def pictures(record: Mapping[str, Any]) -> Section:
    """The design as pictures; nothing where the record does not hold what they show.

    Args:
        record: A record that holds `hardware`, as those of predictions and optima do from 0.2 on.
    """
    title = "the design in pictures"
    if not record.get("hardware"):
        return section(title)
    return section(title, Drawings(tuple(it.svg() for it in figures(record["hardware"]).values())))
