"""The best design of many members: what they share, what each chose, how sure, and how found."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from liminal_jax._display import in_units, plain
from liminal_jax.drawing.gauges import Gauge, gauges_sheet
from liminal_jax.drawing.package import package_sheet, scale_of
from liminal_jax.drawing.svg import captioned
from liminal_jax.results.binding import HEADING, binding_rows
from liminal_jax.results.page import (
    PALETTE,
    Cell,
    Drawings,
    Figure,
    Line,
    Page,
    known,
    section,
    sentences,
    table,
)
from liminal_jax.results.question import about, asked, asked_word, how_sure
from liminal_jax.results.values import amount, design_rows, of_design, share
from liminal_jax.results.words import asked_words, design_word, quantity, quantity_word
from liminal_jax.study.quantities import NAMED

LEAST_WORTH = 1e-6
"""Per cent of the objective below which 1 % more of a limit is worth nothing."""

_UNITS = {
    **{name: it.unit for name, it in NAMED.items()},
    **dict.fromkeys(("wall_power",), "W"),
    **dict.fromkeys(("energy", "moving"), "J"),
    **dict.fromkeys(("main", "sram", "held"), "B"),
    **dict.fromkeys(("compute", "memory", "separate", "tensor", "chip_time"), "s"),
    **dict.fromkeys(("prefill_time", "decode_time", "attention_time", "experts_time"), "s"),
    **dict.fromkeys(("cache_in_time", "cache_out_time", "tokens_in_time", "tokens_out_time"), "s"),
    "price": "USD",
    "spending": "USD/s",
}
"""Units of totals."""

_CLOSE = 1e-9
"""Gaps below this are shown as none."""


def page(record: Mapping[str, Any]) -> Page:
    """The page of the best design of many members.

    Args:
        record: The object of `liminal optimize --json` for such a problem.
    """
    bound = "what binds it" if record["feasible"] else "what is exceeded"
    names = _names(record)
    sections = (
        section(
            "why no design was found", sentences([] if record["feasible"] else record["reasons"])
        ),
        section("what all share", table(design_rows(record["design"])), _packages(record)),
        section(
            "what each chose",
            *_figures(record, names),
            table(_chosen(record, names), ("", *map(_word, names))),
        ),
        section("why: how far limits are used", _gauges(record)),
        section(bound, table(binding_rows(record), HEADING)),
        section("what would change the answer", sentences(_worth(record))),
        how_sure(record, *_proof(record)),
        section(
            "how it was found",
            table(_stages(record), ("", "objective", "from the answer")),
            _closing(record),
        ),
        section("what that comes to", table(_totals(record))),
        section("what this rests on", sentences(record["basis"])),
    )
    return Page(record["name"], (*_about(record), *_within(record)), _answer(record), sections)


def _about(record: Mapping[str, Any]) -> tuple[str, ...]:
    return about({**record, "objective": _goal(record), "constraints": ()})


def _within(record: Mapping[str, Any]) -> Iterator[str]:
    """The limits that the question sets, in one sentence."""
    if record["limits"]:
        words = (
            f"{quantity_word(it['name'])} {'at least' if it['at_least'] else 'at most'}"
            f" {quantity(it['name'], float(it['bound']), it['unit'])}"
            for it in record["limits"]
        )
        yield f"Within: {'; '.join(words)}."


def _value(record: Mapping[str, Any], path: str, value: float | None) -> Cell:
    unit = record["objective"]["unit"]
    words = "" if value is None else quantity(asked(record), float(value), unit)
    return known(words, path, value)


def _answer(record: Mapping[str, Any]) -> Line:
    count, variables = len(record["members"]), record["variables"]
    found: Line = (
        f"{asked_words([_goal(record)])}: ",
        _value(record, "objective.value", record["objective"]["value"]),
        f", {variables} variables of {count} members and of what they share",
    )
    if record["feasible"]:
        return found
    proven = record["certificate"]["method"] == "bound"
    verdict = "no design meets every limit" if proven else "no design was found within all limits"
    return (f"{verdict}; the nearest: ", *found)


def _goal(record: Mapping[str, Any]) -> dict[str, str]:
    sides = ("maximise", "minimise")
    return {side: record["objective"][side] for side in sides if side in record["objective"]}


def _word(name: str) -> str:
    return "" if name == "choice" else design_word(name)


def _names(record: Mapping[str, Any]) -> list[str]:
    """Everything that some member chooses."""
    return [*dict.fromkeys(key for it in record["members"] for key in it if key != "name")]


def _chosen(record: Mapping[str, Any], names: Sequence[str]) -> Iterator[Line]:
    """A row for each run of members that chose alike."""
    every = list(enumerate(record["members"]))

    def choice(it: tuple[int, Mapping[str, Any]]) -> tuple[Any, ...]:
        return tuple(it[1].get(name) for name in names)

    for _, run in itertools.groupby(every, choice):
        rows = list(run)
        (first, it), (_, last) = rows[0], rows[-1]
        name = it["name"] if len(rows) == 1 else f"{it['name']} to {last['name']}"
        yield (
            name,
            *(
                of_design(key, it[key], f"members.{first}.{key}") if key in it else ""
                for key in names
            ),
        )


_FEWEST = 8
"""Members from which on their choices are drawn."""


def _figures(record: Mapping[str, Any], names: Sequence[str]) -> Iterator[Figure]:
    """What members chose, one number below the other, in their order."""
    members = record["members"]
    drawn = [
        name for name in names if name != "choice" and len({it.get(name) for it in members}) > 1
    ]
    if len(members) < _FEWEST or not drawn:
        return
    last = "y" if len(drawn) == 1 else f"y{len(drawn)}"
    across = {"type": "category", "anchor": last, "automargin": True}
    traces, layout = [], {"showlegend": False, "xaxis": across}
    for row, name in enumerate(drawn):
        axis = "y" if row == 0 else f"y{row + 1}"
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "line": {"shape": "hvh", "color": PALETTE[row % len(PALETTE)]},
                "x": [it["name"] for it in members],
                "y": [it.get(name) for it in members],
                "yaxis": axis,
                "name": _word(name),
            }
        )
        top, height = 1 - row / len(drawn), 0.85 / len(drawn)
        layout["yaxis" if row == 0 else f"yaxis{row + 1}"] = {
            "domain": [top - height, top],
            "title": {"text": _word(name)},
            "automargin": True,
        }
    yield Figure(tuple(traces), layout, "what each member chose", 160 * len(drawn) + 100)


def _worth(record: Mapping[str, Any]) -> Iterator[str]:
    """Shadow prices in words."""
    does = "raises" if record["objective"].get("maximise") else "lowers"
    wanted = asked_word(record)
    for name, it in record["multipliers"].items():
        if it is not None and it > LEAST_WORTH:
            yield f"1 % more room for {quantity_word(name)} {does} {wanted} by {plain(it)} %."


def _packages(record: Mapping[str, Any]) -> Drawings:
    """The package of each kind of chip, at one scale; older records hold none."""
    found = record.get("chips") or []
    if not found:
        return Drawings(())
    scale = scale_of([it["package"] for it in found])
    drawn = ((it["name"], package_sheet(it["package"], scale=scale).svg()) for it in found)
    return Drawings(tuple(captioned(name, svg) if name else svg for name, svg in drawn))


def _gauges(record: Mapping[str, Any]) -> Drawings:
    """A gauge for each limit on all together, the tightest first."""
    found = [_gauge(it) for it in record["limits"] if it.get("used")]
    return Drawings((gauges_sheet(found).svg(),) if found else ())


def _gauge(it: Mapping[str, Any]) -> Gauge:
    side, bound, used = "at least" if it["at_least"] else "at most", it["bound"], it["used"]
    value, limit = (
        quantity(it["name"], float(at), it["unit"])
        for at in (bound / used if it["at_least"] else bound * used, bound)
    )
    name = NAMED[it["name"]].about if it["name"] in NAMED else quantity_word(it["name"])
    return Gauge(name, f"{value}, {side} {limit}", used)


def _totals(record: Mapping[str, Any]) -> Iterator[Line]:
    """What all members come to, each in the unit that people use for it."""
    for name, value in record["totals"].items():
        words = "" if value is None else in_units(float(value), _UNITS.get(name, ""))
        yield quantity_word(name), known(words, f"totals.{name}", value)


def _closing(record: Mapping[str, Any]) -> Figure:
    """The best design known, second by second, and the bound that was proven in the end."""
    power = 1.0 if record["objective"].get("maximise") else -1.0
    rows = [it for it in record["closing"] if it[1] is not None]
    seconds, bound = [it[0] for it in rows], record["certificate"]["bound"]
    known_ = {"x": seconds, "y": [math.exp(power * it[1]) for it in rows], "name": "best known"}
    traces = [{**known_, "line": {"shape": "hv", "color": PALETTE[2]}}]
    if bound is not None and rows:
        ends = [min(seconds), max(seconds)]
        line = {"color": PALETTE[5], "dash": "dash"}
        traces.append({"x": ends, "y": [bound, bound], "name": "proven bound", "line": line})
    layout = {
        "xaxis": {"title": {"text": "seconds of the search"}},
        "yaxis": {"title": {"text": asked_word(record)}, "type": "log"},
    }
    drawn = tuple({"type": "scatter", "mode": "lines", **it} for it in traces)
    label = "the best design known as the search went on, and the bound that was proven"
    return Figure(drawn if len(rows) > 1 else (), layout, label)


def _stages(record: Mapping[str, Any]) -> Iterator[Line]:
    relaxed, snapped = record["relaxed"], record["snapped"]
    endings = ", ".join(f"{count} {name}" for name, count in relaxed["terminations"].items())
    yield (
        f"relaxed optimum of {relaxed['starts']} starts ({endings})",
        _value(record, "relaxed.value", relaxed["value"]),
        share("relaxed.relative_gap", relaxed["relative_gap"]),
    )
    within = "" if snapped["feasible"] else ", outside the limits"
    yield (
        f"snapped to the grid{within}",
        _value(record, "snapped.value", snapped["value"]),
        share("snapped.relative_gap", snapped["relative_gap"]),
    )
    value = record["objective"]["value"]
    yield "polished on the exact model", _value(record, "objective.value", value), ""


def _count(number: int) -> str:
    """A number that may be too large for a float.

    Examples:
        >>> _count(12_000), _count(23 * 10**400)
        ('12,000', '2.3e401')
    """
    digits = str(number)
    return f"{number:,}" if len(digits) < 16 else f"{digits[0]}.{digits[1]}e{len(digits) - 1}"


def _proof(record: Mapping[str, Any]) -> Iterator[Line]:
    it = record["certificate"]
    digits = str(it["lattice"])
    size = (
        f"{it['lattice']:,}" if len(digits) < 16 else f"{digits[0]}.{digits[1]}e{len(digits) - 1}"
    )
    yield "designs of the grid", known(size, "certificate.lattice", it["lattice"])
    gap = it["relative_gap"]
    if gap is not None and gap < _CLOSE:
        yield "gap that is left", known("0: no design is better", "certificate.relative_gap", gap)
    else:
        yield "gap that is left", share("certificate.relative_gap", gap)
    yield (
        "combinations of what all share that were bounded",
        amount("certificate.evaluated", it["evaluated"]),
    )
