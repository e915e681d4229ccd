"""What it takes to reach a speed: which levers move how far, and why none does alone."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from liminal_jax._display import plain
from liminal_jax.results.page import (
    PALETTE,
    Cell,
    Figure,
    Line,
    Page,
    known,
    section,
    sentences,
    table,
)
from liminal_jax.results.prediction import sections
from liminal_jax.results.values import named, of_design, seconds
from liminal_jax.results.words import quantity, workload_words

SPEED = "utps"
"""What is to be reached."""


def page(record: Mapping[str, Any]) -> Page:
    """The page of a reach.

    Args:
        record: The object of `liminal reach --json`.
    """
    heading = ("lever", "from", "to", "alone it gives", "share of the gain", "quality")
    return Page(
        f"{quantity(SPEED, record['target'], '1/s')} for one user",
        _about(record),
        _answer(record),
        (
            section(
                "what moves, in the order of what it is worth",
                _waterfall(record),
                table(_moves(record), heading),
            ),
            section("how far that is", table(_distance(record))),
            section("what is proven", sentences(record["proofs"])),
            section("why one lever alone does not reach it", table(_alone(record))),
            *sections(record["prediction"], "prediction.", "the design that follows"),
            section(
                "how long it took", table([("time taken", seconds("seconds", record["seconds"]))])
            ),
        ),
    )


def _about(record: Mapping[str, Any]) -> tuple[str, ...]:
    work = workload_words(record["workload"])
    return (f"The least change for {work}, from {record['from']['note']}.",)


def _taken(record: Mapping[str, Any]) -> Line:
    return "time taken", seconds("seconds", record["seconds"])


def _answer(record: Mapping[str, Any]) -> Line:
    before = named(SPEED, f"from.{SPEED}", record["from"][SPEED])
    after = named(SPEED, f"prediction.{SPEED}", record["prediction"][SPEED])
    moved = sum(1 for it in record["levers"] if _moves_at(it))
    if not record["reachable"]:
        return ("not reached: from ", before, " to ", after, " at most was found")
    if not moved:
        return ("reached already: ", before)
    return ("from ", before, " to ", after, f" with {moved} levers")


def _moves_at(it: Mapping[str, Any]) -> bool:
    return it["from"] != it["to"]


def _moves(record: Mapping[str, Any]) -> Iterator[Line]:
    gain = sum(it["contribution"] for it in record["levers"])
    for row, it in enumerate(record["levers"]):
        if _moves_at(it):
            share = known(
                f"{100 * it['contribution'] / gain:.0f} %",
                f"levers.{row}.contribution",
                it["contribution"],
            )
            yield (
                it["label"],
                of_design(it["path"], it["from"], f"levers.{row}.from"),
                of_design(it["path"], it["to"], f"levers.{row}.to"),
                _speed(record, row),
                share,
                it["quality"],
            )


def _speed(record: Mapping[str, Any], row: int) -> Cell:
    return named(SPEED, f"levers.{row}.alone.{SPEED}", record["levers"][row]["alone"][SPEED])


def _distance(record: Mapping[str, Any]) -> Iterator[Line]:
    yield (
        "distance, in whole ranges of levers",
        known(plain(record["distance"]), "distance", record["distance"]),
    )
    yield "no setting of the levers beats", named(SPEED, f"bound.{SPEED}", record["bound"][SPEED])
    yield "contributions", record["method"]


def _alone(record: Mapping[str, Any]) -> Iterator[Line]:
    for row, it in enumerate(record["levers"]):
        if it["alone"]["proof"] and it["alone"][SPEED] > record["from"][SPEED] * (1 + 1e-9):
            yield it["label"], _speed(record, row), it["alone"]["proof"]


def steps(record: Mapping[str, Any]) -> Sequence[tuple[str, float, float]]:
    """Each lever that moves, with the speeds before and after it, as a waterfall has them."""
    here, found = record["from"][SPEED], []
    for it in record["levers"]:
        if _moves_at(it):
            there = here * math.exp(it["contribution"])
            found.append((it["label"], here, there))
            here = there
    return found


def _waterfall(record: Mapping[str, Any]) -> Figure:
    rows = steps(record)
    trace = {
        "type": "bar",
        "orientation": "h",
        "y": [label for label, _, _ in rows],
        "base": [min(before, after) for _, before, after in rows],
        "x": [abs(after - before) for _, before, after in rows],
        "marker": {"color": [PALETTE[2] if b > a else PALETTE[5] for _, a, b in rows]},
        "hovertemplate": "%{y}<extra></extra>",
    }
    layout = {
        "yaxis": {"autorange": "reversed", "automargin": True},
        "xaxis": {"type": "log", "title": {"text": "tokens a second of one user"}},
        "showlegend": False,
    }
    return Figure((trace,) if rows else (), layout, "the waterfall", 130 + 34 * len(rows))
