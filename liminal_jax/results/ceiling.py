"""The most that each technology reaches for one user, and what binds there."""

from collections.abc import Iterator, Mapping
from typing import Any

from liminal_jax._display import plain, with_prefix
from liminal_jax.results.page import Cell, Line, Page, known, section, sentences, table
from liminal_jax.results.values import named, seconds
from liminal_jax.results.words import design_word, quantity

SPEED = "utps"
"""What is as large as can be."""

_SIDES = {"plain": "as it is", "levers": "lossless levers", "hardware": "shortest waits too"}
"""What stands in each part of a technology."""


def page(record: Mapping[str, Any]) -> Page:
    """The page of a ceiling.

    Args:
        record: The object of `liminal ceiling --json`.
    """
    heading = ("technology", "status", *_SIDES.values(), "what binds")
    floors = ("technology", "floor", *(f"over it, {it}" for it in _SIDES.values()))
    return Page(
        f"the most tokens a second for one user of {record['model']}",
        (f"{record['context']:,.0f} tokens of context.",),
        _answer(record),
        (
            section("the fastest of each technology", table(_speeds(record), heading)),
            section("energy of a token over its floor", table(_energies(record), floors)),
            section("speed without one lever", table(_without(record))),
            section("what this rests on", sentences(record["basis"])),
            section("how long it took", table([_taken(record)])),
        ),
    )


def _taken(record: Mapping[str, Any]) -> Line:
    return "time taken", seconds("seconds", record["seconds"])


def _answer(record: Mapping[str, Any]) -> Line:
    first = record["technologies"][0]
    side = max((it for it in _SIDES if first[it]), key=lambda it: first[it][SPEED] or 0.0)
    value = named(SPEED, f"technologies.0.{side}.{SPEED}", first[side][SPEED])
    return (f"{first['title']}: ", value)


def _peak(record: Mapping[str, Any], row: int, side: str, key: str) -> Cell:
    peak = record["technologies"][row][side]
    if peak is None:
        return ""
    path = f"technologies.{row}.{side}.{key}"
    if key == SPEED:
        return "none" if peak[key] is None else named(SPEED, path, peak[key])
    return known("" if peak[key] is None else f"{plain(peak[key])} x", path, peak[key])


def _speeds(record: Mapping[str, Any]) -> Iterator[Line]:
    for row, it in enumerate(record["technologies"]):
        speeds = [_peak(record, row, side, SPEED) for side in _SIDES]
        last = it["hardware"] or it["levers"]
        yield (it["title"], it["status"], *speeds, last["binds"])


def _energies(record: Mapping[str, Any]) -> Iterator[Line]:
    for row, it in enumerate(record["technologies"]):
        if it["floor"] is not None:
            words = with_prefix(it["floor"], "J")
            floor = known(words, f"technologies.{row}.floor", it["floor"])
            yield it["title"], floor, *(_peak(record, row, side, "above_floor") for side in _SIDES)


def _without(record: Mapping[str, Any]) -> Iterator[Line]:
    for it in record["technologies"]:
        side = "levers" if it["hardware"] is None else "hardware"
        for place, value in it[side]["without"].items():
            yield f"{it['title']}, no {design_word(place)}", quantity(SPEED, value, "1/s")
