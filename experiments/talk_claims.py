"""The conclusions of the talk that its two tables carry, held against computed tables.

A GB of a claim is read as 1e9 bytes, the reading that is kinder to it. What must be at least so
much must be so for every large model, of more than 100e9 parameters: four of the talk's own models
are smaller, and need less in its own table. What can be needed or
given must be so for some model; what is reached, for most of them.
"""

from collections.abc import Mapping
from typing import Any

LARGE = 100e9
"""Parameters beyond which a model is called large."""

GB = 1e9

ONE_USER, ALL_USERS = 0, 3
"""Columns of the memory table: one user at 4K tokens, and 32 users at 128K."""

FAR = 1
"""Column of the system table: 128 chips."""

UTPS_RANGE = (2000.0, 5000.0)
"""Tokens a second of one user that 128 chips are said to reach [1/s]."""

TOLERANCE = 0.02
"""Share by which a UTPS may lie outside that range: within it the talk's table is reproduced."""

STPS_FLOOR = 100e3
"""Tokens a second of all users together that are said to be exceeded [1/s]."""


def _smallest(values: Mapping[str, float]) -> str:
    return min(values, key=values.__getitem__)


def _largest(values: Mapping[str, float]) -> str:
    return max(values, key=values.__getitem__)


def _listed(names: list[str]) -> str:
    return ", ".join(names) if names else "none"


def _needs_at_least(
    claim: str, limit: float, held: Mapping[str, float], parameters: Mapping[str, float]
) -> dict[str, Any]:
    """A claim that every large model holds so much [B]."""
    large = {name: value for name, value in held.items() if parameters[name] > LARGE}
    below = [name for name, value in large.items() if value < limit]
    small = [value for name, value in held.items() if name not in large]
    least = _smallest(large)
    less = sum(value < limit for value in small)
    return {
        "claim": claim,
        "holds": not below,
        "numbers": dict(held),
        "sentence": (
            f"of {len(large)} large models {least} holds least, {large[least] / GB:,.0f} GB; below"
            f" the claim: {_listed(below)}. {less} of {len(small)} smaller ones hold less"
        ),
    }


def _needs_up_to(claim: str, limit: float, held: Mapping[str, float]) -> dict[str, Any]:
    """A claim that some model holds so much [B]."""
    most = _largest(held)
    above = [name for name, value in held.items() if value >= limit]
    return {
        "claim": claim,
        "holds": bool(above),
        "numbers": dict(held),
        "sentence": f"{most} holds most, {held[most] / GB:,.0f} GB; so much: {_listed(above)}",
    }


def _reaches(utps: Mapping[str, float]) -> dict[str, Any]:
    low, high = UTPS_RANGE[0] * (1 - TOLERANCE), UTPS_RANGE[1] * (1 + TOLERANCE)
    slow = [name for name, value in utps.items() if value < low]
    fast = [name for name, value in utps.items() if value > high]
    within = len(utps) - len(slow) - len(fast)
    first, last = _largest(utps), _smallest(utps)
    return {
        "claim": "128 chips reach 2,000 to 5,000 UTPS",
        "holds": 2 * within > len(utps),
        "numbers": dict(utps),
        "sentence": (
            f"{within} of {len(utps)} models do; {last} reaches {utps[last]:,.0f} and {first}"
            f" {utps[first]:,.0f}; below: {_listed(slow)}; beyond: {_listed(fast)}"
        ),
    }


def _exceeds(stps: Mapping[str, float]) -> dict[str, Any]:
    above = [name for name, value in stps.items() if value > STPS_FLOOR]
    most = _largest(stps)
    return {
        "claim": "128 chips give more than 100,000 STPS",
        "holds": bool(above),
        "numbers": dict(stps),
        "sentence": f"{most} gives most, {stps[most]:,.0f}; so much: {_listed(above)}",
    }


def _column(scale: Mapping[str, Any], way: str, quantity: str) -> dict[str, float]:
    """A quantity at 128 chips, of the models that fit there."""
    values = {name: row[way][quantity][FAR] for name, row in scale.items()}
    return {name: value for name, value in values.items() if value is not None}


def verdicts(population: str, table: Mapping[str, Any], way: str) -> list[dict[str, Any]]:
    """Each claim against the tables of some models, counted in one way.

    Args:
        population: Which models, in words.
        table: Their parameters, memory [B] and throughput [1/s].
        way: The accounting whose columns are read.

    Returns:
        For each claim the claim, whether it holds, the numbers by model, and a sentence.
    """
    parameters = table["parameters"]
    alone, together = (
        {name: row[way][column] for name, row in table["memory"].items()}
        for column in (ONE_USER, ALL_USERS)
    )
    found = [
        _needs_at_least("at least 100 GB, one user at 4K", 100 * GB, alone, parameters),
        _needs_at_least("at least 482 GB, 32 users at 128K", 482 * GB, together, parameters),
        _needs_up_to("up to 1.1 TB and beyond, 32 users at 128K", 1100 * GB, together),
        _reaches(_column(table["scale"], way, "utps")),
        _exceeds(_column(table["scale"], way, "stps")),
    ]
    return [{"population": population, **verdict} for verdict in found]
