"""Data files with some of their numbers changed by a study."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from liminal_jax._files import InputError, Problem
from liminal_jax.data.build import MARGINS
from liminal_jax.data.parts import FacilityFile
from liminal_jax.data.validation import validated

Record = TypeVar("Record", bound=BaseModel)

PRICES = frozenset({"selling_multiple", "design_cost", *MARGINS})
"""Assumptions of a study that say what all chips sell for, also those whose price is known."""


def changed(
    record: type[Record], tables: Mapping[str, Any], changes: Mapping[str, Any], path: str
) -> Record:
    """A data file of the package with some numbers changed.

    Args:
        record: What the file holds.
        tables: What it says.
        changes: Fields and what they become.
        path: Where they stand, for messages.

    Raises:
        InputError: with every mistake in the changes.
    """
    contradictions = _price_contradictions(changes, path) if record is FacilityFile else []
    try:
        found = validated(record, {**tables, **changes}, "")
    except InputError as error:
        problems = [
            Problem(f"{path}.{problem.path}" if problem.path else path, problem.message)
            for problem in error.problems
        ]
        raise InputError("", [*problems, *contradictions]) from None
    if contradictions:
        raise InputError("", contradictions)
    return found


def _price_contradictions(changes: Mapping[str, Any], path: str) -> list[Problem]:
    """Margins beside the one multiple that replaces them; half of a share of one-time cost."""
    problems = []
    margins = [name for name in MARGINS if name in changes]
    if "selling_multiple" in changes and margins:
        message = (
            f"is one multiple for all parts of a chip and contradicts {' and '.join(margins)};"
            " state either the multiple or the margins"
        )
        problems.append(Problem(f"{path}.selling_multiple", message))
    for name, other in (("volume", "design_cost"), ("design_cost", "volume")):
        if name in changes and other not in changes:
            problems.append(Problem(f"{path}.{name}", f"says nothing without {other}; state both"))
    return problems
