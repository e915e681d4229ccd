"""What is said of a claim, computed from numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

HOLDS, LIMITED, FAILS = "holds", "holds with these limits", "does not hold"
"""The three verdicts."""


def judged(cases: Mapping[str, bool]) -> str:
    """The verdict on a claim about several cases.

    Examples:
        >>> judged({"a": True, "b": True}), judged({"a": True, "b": False}), judged({"a": False})
        ('holds', 'holds with these limits', 'does not hold')
    """
    if all(cases.values()):
        return HOLDS
    return LIMITED if any(cases.values()) else FAILS


def verdict(
    claim: str, judgement: str, numbers: Mapping[str, Any], sentence: str
) -> dict[str, Any]:
    """A claim, what is said of it, the numbers behind it, and a sentence that tells them."""
    return {
        "claim": claim,
        "verdict": judgement,
        "numbers": dict(numbers),
        "sentence": sentence,
    }


def listed(names: Sequence[str]) -> str:
    """Names in a sentence.

    Examples:
        >>> listed(["a", "b"]), listed([])
        ('a, b', 'none')
    """
    return ", ".join(names) if names else "none"


def told(results: Mapping[str, Any]) -> list[RenderableType]:
    """Every verdict of saved results, as text."""
    return [
        Text(f"{it['claim']}: {it['verdict']}.\n  {it['sentence']}.\n")
        for it in results["verdicts"]
    ]


def summary(results: Mapping[str, Any]) -> dict[str, Any]:
    """Every verdict by its claim, for the last line."""
    return {it["claim"]: it["verdict"] for it in results["verdicts"]}
