"""What was asked, why, and within which limits; and how long the answer took."""

from collections.abc import Iterator, Mapping
from typing import Any

from liminal_jax.results.page import Line, Section, section, sentences, table
from liminal_jax.results.values import seconds
from liminal_jax.results.words import (
    asked_words,
    explained,
    limit_words,
    quantity_word,
    workload_words,
)


def asked(record: Mapping[str, Any]) -> str:
    """The quantity that decides."""
    return next(value for key, value in record["objective"].items() if key != "value")


def asked_word(record: Mapping[str, Any]) -> str:
    """What the quantity that decides is called."""
    return quantity_word(asked(record))


def about(record: Mapping[str, Any]) -> tuple[str, ...]:
    """What was asked, in a sentence each.

    Args:
        record: The record; those written before 0.2 do not tell the workload.
    """
    return tuple(_about(record))


def _about(record: Mapping[str, Any]) -> Iterator[str]:
    goal = asked_words([record["objective"]]) if record.get("objective") else ""
    work = workload_words(record["workload"]) if record.get("workload") else ""
    if goal or work:
        asked_for = " for ".join(it for it in (goal, work) if it)
        yield f"{asked_for[0].upper()}{asked_for[1:]}."
    if record.get("about"):
        yield record["about"]
    if record.get("constraints"):
        yield f"Within: {limit_words(record['constraints'])}."
    abbreviations = explained(_quantities(record))
    if abbreviations:
        yield f"{abbreviations}."


def _quantities(record: Mapping[str, Any]) -> Iterator[str]:
    """What is wanted most, and what is limited."""
    for goal in (record.get("objective") or {}, *record.get("objectives", ())):
        yield from (goal[side] for side in ("maximise", "minimise") if side in goal)
    yield from (it["quantity"] for it in record.get("constraints") or ())


def how_sure(record: Mapping[str, Any], *rows: Line) -> Section:
    """Why the answer can be trusted, and how long it took.

    Args:
        record: The record of a search.
        rows: What else is known of the proof.
    """
    taken = ((name, seconds(f"stages.{name}", value)) for name, value in record["stages"].items())
    total = ("time taken", seconds("seconds", record["seconds"]))
    return section(
        "how sure that is",
        sentences(record.get("reasons", ())),
        table([*rows, total, *((f"of it: {name}", value) for name, value in taken)]),
    )
