"""What lies between the values of ranges: the relaxed optimum, its multipliers, and the snap."""

from collections.abc import Iterator, Mapping
from typing import Any

from liminal_jax.results.page import Cell, Line, Section, known, section, sentences, table
from liminal_jax.results.question import asked
from liminal_jax.results.values import amount, design_rows, named
from liminal_jax.results.words import design_word

_ENDS = {"limit": "limit", "low": "lower end of the range", "high": "upper end of the range"}


def continuum(record: Mapping[str, Any]) -> Section:
    """What lies between the values of ranges; nothing where there are none.

    Args:
        record: The object of `liminal optimize --json`.
    """
    it = record.get("continuum")
    title = "between the steps of ranges"
    if it is None:
        return section(title)
    said = f"Relaxed, degrees, stacks and dies held: {it['relaxed']['reason']}."
    return section(
        title,
        table(_reached(record, it)),
        sentences([said]),
        table(design_rows(it["relaxed"]["design"], "continuum.relaxed.design")),
        table(_multipliers(it), ("worth of", "", "multiplier")),
    )


def _reached(record: Mapping[str, Any], it: Mapping[str, Any]) -> Iterator[Line]:
    name = asked(record)
    yield "the best of the steps", named(name, "continuum.first", it["first"])
    relaxed = named(name, "continuum.relaxed.value", it["relaxed"]["value"])
    yield "relaxed optimum, on the soft model: no bound", relaxed
    snapped: Cell = "breaks a limit"
    if it["snapped"] is not None:
        snapped = named(name, "continuum.snapped", it["snapped"])
    yield "snapped to what can be built", snapped
    yield "the answer", named(name, "objective.value", record["objective"]["value"])
    residual = it["kkt_residual"]
    yield (
        "KKT residual, 0 at an optimum",
        known(f"{residual:.1e}", "continuum.kkt_residual", residual),
    )
    yield "designs of finer grids", amount("continuum.designs", it["designs"])


def _multipliers(it: Mapping[str, Any]) -> Iterator[Line]:
    for row, each in enumerate(it["multipliers"]):
        value = known(f"{each['value']:.4g}", f"continuum.multipliers.{row}.value", each["value"])
        yield design_word(each["name"]), _ENDS[each["end"]], value
