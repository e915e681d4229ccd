"""What numbers and limits are worth: prices first, then numbers, then how the design moves.

The record that is drawn is made by `liminal_jax.optimization.sensitivity.result`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from liminal_jax._display import per_cent, plain
from liminal_jax.results.beside import predicted_pictures, predicted_tables, prediction_beside
from liminal_jax.results.page import (
    PALETTE,
    Cell,
    Figure,
    Line,
    Page,
    Section,
    known,
    section,
    sentences,
    table,
)
from liminal_jax.results.question import about, asked, asked_word, how_sure
from liminal_jax.results.values import named, of_design
from liminal_jax.results.words import asked_words, design_word, number_words

_MOST_MOVES = 6
_FELT = 0.05
"""Per cent of a variable for one per cent of a number below which the move is not told."""


def page(record: Mapping[str, Any]) -> Page:
    """The page of a sensitivity analysis.

    Args:
        record: The object of `liminal sensitivity --json`.
    """
    sections = (
        *predicted_pictures(record),
        section(
            "the best design", table(_designs(record), ("", "proven best", "with its sizes free"))
        ),
        section(
            "what limits are worth", sentences(it["sentence"] for it in record["shadow_prices"])
        ),
        solved_again(record),
        section("how the sizes move when a number grows by 1 %", table(_moves(record))),
        how_sure(record),
        *predicted_tables(record, "the best design"),
    )
    return Page(record["name"], about(record), _answer(record), sections)


def solved_again(record: Mapping[str, Any], base: str = "") -> Section:
    """What becomes of the best design as one number at a time changes; nothing without a design.

    Args:
        record: The record of the analysis.
        base: Where it stands in the record of the run, with a point at the end.
    """
    change = f"{plain(100 * record['change'])} %"
    return section(
        f"what numbers are worth, solved again with {change} less and more",
        _tornado(record),
        table(_bars(record, base), ("number", "value", "1 % more", "less", "more", "on the way")),
    )


def whole(record: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The record with what its design does."""
    return prediction_beside(record, folder / "design.toml")


def _answer(record: Mapping[str, Any]) -> Line:
    wanted = asked_words([record["objective"]])
    if record["relaxed"]["value"] is None:
        return (f"{wanted}: nothing can be told of what numbers are worth",)
    value = named(asked(record), "best.value", record["best"]["value"])
    freed = named(asked(record), "relaxed.value", record["relaxed"]["value"])
    return (f"{wanted}: ", value, ", and ", freed, " with its sizes free")


def _designs(record: Mapping[str, Any]) -> Iterator[Line]:
    """The best design beside the one whose sizes are real numbers; nothing where there is none."""
    best, relaxed = record["best"]["design"], record["relaxed"]["design"]
    if relaxed is None:
        return
    for name, value in best.items():
        yield (
            design_word(name),
            of_design(name, value, f"best.design.{name}"),
            of_design(name, relaxed[name], f"relaxed.design.{name}"),
        )


def _bars(record: Mapping[str, Any], base: str) -> Iterator[Line]:
    elasticities = {it["parameter"]: at for at, it in enumerate(record["elasticities"])}
    drawn = _drawn(record)
    others = (row for row in range(len(record["tornado"])) if row not in drawn)
    for row in (*drawn, *others):
        bar = record["tornado"][row]
        at = elasticities.get(bar["parameter"])
        slope = 0.0 if at is None else record["elasticities"][at]["elasticity"]
        more = f"{slope:+.2f} %"
        yield (
            bar["label"],
            bar["value"],
            more if at is None else known(more, f"{base}elasticities.{at}.elasticity", slope),
            _end(record, row, "low", base),
            _end(record, row, "high", base),
            _on_the_way(bar),
        )


def _drawn(record: Mapping[str, Any]) -> list[int]:
    """Rows that have a bar; one that no design can do with less of, nor with more, has none."""
    return [
        row
        for row, bar in enumerate(record["tornado"])
        if bar["low"] is not None or bar["high"] is not None
    ]


def _end(record: Mapping[str, Any], row: int, side: str, base: str) -> Cell:
    value = record["tornado"][row][side]
    if value is None:
        return "none"
    change = per_cent(value / record["relaxed"]["value"] - 1, signed=True)
    return known(change, f"{base}tornado.{row}.{side}", value)


def _on_the_way(bar: Mapping[str, Any]) -> str:
    changes = bar["active_set_changes"]
    sides = (("less", "low"), ("more", "high"))
    return "; ".join(f"{word}: {', '.join(changes[side])}" for word, side in sides if changes[side])


def _moves(record: Mapping[str, Any]) -> Iterator[Line]:
    for it in record["elasticities"][:_MOST_MOVES]:
        moved = record["moves"].get(it["parameter"], {})
        felt = [(name, by) for name, by in moved.items() if by is not None and abs(by) >= _FELT]
        told = ", ".join(
            f"{design_word(name)} {by:+.2f} %"
            for name, by in sorted(felt, key=lambda pair: -abs(pair[1]))
        )
        # Records written before 0.2 have no labels.
        yield it.get("label") or number_words(it["parameter"]), told or "nothing moves"


def _tornado(record: Mapping[str, Any]) -> Figure:
    base = record["relaxed"]["value"]
    bars = [record["tornado"][row] for row in _drawn(record)]
    traces = tuple(
        {
            "type": "bar",
            "y": [f"{it['label']} ({it['value']})" for it in bars],
            "x": [None if it[side] is None else 100 * (it[side] / base - 1) for it in bars],
            "customdata": ["; ".join(it["active_set_changes"][side]) for it in bars],
            "orientation": "h",
            "name": name,
            "marker": {"color": colour},
            "hovertemplate": "%{x:+.2f} %<br>%{customdata}<extra></extra>",
        }
        for side, name, colour in (("low", "less", PALETTE[0]), ("high", "more", PALETTE[1]))
    )
    layout = {
        "barmode": "group",
        "legend": {"orientation": "h", "y": 1.08},
        "yaxis": {"autorange": "reversed", "automargin": True},
        "xaxis": {"title": {"text": f"change of {asked_word(record)} [%]"}},
    }
    return Figure(traces if bars else (), layout, "the tornado", 130 + 34 * len(bars))
