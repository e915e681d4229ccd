"""The conclusions of the talk that its two tables carry, held against computed tables.

A GB of a claim is read as 1e9 bytes, the reading that is kinder to it. What must be at least so
much must be so for every large model, of more than 100e9 parameters: four of the talk's own models
are smaller, and need less in its own table. What can be needed or given must be so for some model;
what is reached, for most of them.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from experiments.claims import FAILS, HOLDS, Claim, Record, listed
from experiments.talk_tables import LARGE, STPS, UTPS, reached

ONE_USER, ALL_USERS = 0, 3  # columns of the memory table: one user at 4K, and 32 users at 128K


def _gigabytes(held: float) -> str:
    return f"{held / 1e9:,.0f} GB"


def _needs(words: str, limit: float) -> Claim:
    """A claim that every large model holds so much [B]."""
    return Claim(
        words,
        lambda held: held >= limit,
        "of {count} large models {least_of} holds least, {least}; below the claim:"
        " {others:names}. {less} of {small} smaller ones hold less",
        _gigabytes,
    )


NEEDS = {
    ONE_USER: _needs("at least 100 GB, one user at 4K", 100e9),
    ALL_USERS: _needs("at least 482 GB, 32 users at 128K", 482e9),
}
UP_TO = Claim(
    "up to 1.1 TB and beyond, 32 users at 128K",
    lambda held: held >= 1100e9,
    "{most_of} holds most, {most}; so much: {held:names}",
    _gigabytes,
)
REACHES = Claim(
    "128 chips reach 2,000 to 5,000 UTPS",
    reached,
    "{yes} of {count} models do; {least_of} reaches {least} and {most_of} {most}; below: {slow};"
    " beyond: {fast}",
)
EXCEEDS = Claim(
    "128 chips give more than 100,000 STPS",
    lambda stps: stps > STPS,
    "{most_of} gives most, {most}; so much: {held:names}",
)


def _most(cases: Iterable[bool]) -> bool:
    found = list(cases)
    return 2 * sum(found) > len(found)


def _found(parameters: Record, table: Record, way: str) -> Iterator[tuple[Any, ...]]:
    """Each claim with its numbers, of how many of them it must hold, and what else is told."""
    held = {
        at: {name: row[way][at] for name, row in table["memory"].items()}
        for at in (ONE_USER, ALL_USERS)
    }
    for at, claim in NEEDS.items():
        large = {name: it for name, it in held[at].items() if parameters[name] > LARGE}
        small = {name: it for name, it in held[at].items() if name not in large}
        less = sum(not claim.holds(it) for it in small.values())
        yield claim, large, all, {"also": held[at], "less": less, "small": len(small)}
    yield UP_TO, held[ALL_USERS], any, {}
    # At 128 chips, of the models that fit there.
    utps, stps = (
        {name: it for name, row in table["scale"].items() if (it := row[way][kind][1]) is not None}
        for kind in ("utps", "stps")
    )
    outside = {name: it for name, it in utps.items() if not REACHES.holds(it)}
    slow = listed([name for name, it in outside.items() if it < UTPS[0]])
    fast = listed([name for name, it in outside.items() if it > UTPS[1]])
    yield REACHES, utps, _most, {"slow": slow, "fast": fast}
    yield EXCEEDS, stps, any, {}


def verdicts(population: str, table: Record, way: str) -> list[dict[str, Any]]:
    """Each claim against the tables of some models, counted in one way.

    Args:
        population: Which models, in words.
        table: Their parameters, memory [B] and throughput [1/s].
        way: The accounting whose columns are read.

    Returns:
        For each claim the claim, whether it holds, the numbers by model, and a sentence.
    """
    found = []
    for claim, numbers, rule, words in _found(table["parameters"], table, way):
        holds = rule(claim.holds(it) for it in numbers.values())
        told = claim.of(numbers, **words)
        judged = {"verdict": HOLDS if holds else FAILS, "holds": holds}
        found.append({"population": population, **told, **judged})
    return found
