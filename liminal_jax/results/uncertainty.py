"""How sure an answer is when numbers are drawn from their ranges: who wins, at what regret, why."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from liminal_jax._display import per_cent
from liminal_jax.results.beside import predicted_sections, prediction_beside
from liminal_jax.results.page import (
    PALETTE,
    Cell,
    Figure,
    Line,
    Number,
    Page,
    Section,
    known,
    section,
    sentences,
    table,
    text_of,
)
from liminal_jax.results.question import about, asked, how_sure
from liminal_jax.results.values import amount, design_rows, named, share
from liminal_jax.results.words import asked_words

_MOST_INFLUENCES = 15
_MOST_BREACHES = 4

_SINGLED_OUT = {
    "nominal": "best with the nominal numbers",
    "robust": "least expected regret",
    "cautious": "least worst regret",
}
"""What each design that was singled out is, by the name of its file."""


def page(record: Mapping[str, Any]) -> Page:
    """The page of an uncertainty analysis.

    Args:
        record: The object of `liminal uncertainty --json`.
    """
    it = record["certificate"]
    sections = (
        section(
            f"who wins, and with what {asked(record)}",
            table(_wins_of(record), ("", "wins", "feasible")),
            table(_reached(record), ("", "5 % of samples", "50 %", "95 %", "nominal")),
        ),
        *(_singled_out(record, name) for name in _SINGLED_OUT),
        _decides(record),
        *predicted_sections(record, "the nominal design"),
        how_sure(
            record,
            ("samples", amount("samples", float(record["samples"]))),
            ("of them with a proven best design", amount("certificate.proven", it["proven"])),
            ("designs of the lattice", amount("certificate.lattice", it["lattice"])),
            (
                "designs tried under every sample, of which robust and cautious are the best",
                amount("certificate.candidates", it["candidates"]),
            ),
        ),
    )
    return Page(record["name"], (*about(record), f"{_drawn(record)}."), _answer(record), sections)


def in_samples(record: Mapping[str, Any] | None) -> Section:
    """How an optimum fares when numbers are drawn from their ranges, in short.

    Args:
        record: The record of an analysis of the same study; none where there is none.
    """
    title = "when numbers are drawn from their ranges"
    if record is None:
        return section(title)
    said = f"{text_of(_answer(record))}. {_drawn(record)}."
    return section(title, sentences([said]), _influences(record["influences"][:_MOST_INFLUENCES]))


def whole(record: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The record with what the design does that is best with the numbers as they are thought."""
    return prediction_beside(record, folder / "designs" / "nominal.toml")


def _drawn(record: Mapping[str, Any]) -> str:
    return (
        f"{len(record['numbers'])} numbers with a range, drawn {record['samples']:,} times at once"
    )


def _ranked(record: Mapping[str, Any]) -> list[int]:
    """Places of the categories, from the one that does best to the one that does worst."""
    sign = 1.0 if "maximise" in record["objective"] else -1.0

    def order(row: int) -> tuple[float, float]:
        it = record["categories"][row]
        spread = it["objective"]
        return -it["wins"], math.inf if spread is None else -sign * spread["median"]

    return sorted(range(len(record["categories"])), key=order)


def _answer(record: Mapping[str, Any]) -> Line:
    if not record["feasible"]:
        return ("no design meets every limit with the nominal numbers",)
    first = _ranked(record)[0]
    it = record["categories"][first]
    return (
        f"{asked_words([record['objective']])}: ",
        named(asked(record), "objective.value", record["objective"]["value"]),
        f" with the nominal numbers; {it['category']} is best in ",
        share(f"categories.{first}.wins", it["wins"]),
        " of the samples",
    )


def _spread(record: Mapping[str, Any], path: str, it: Mapping[str, Any] | None) -> Line:
    """Three quantiles of the objective."""
    if it is None:
        return "never", "never", "never"
    return tuple(
        named(asked(record), f"{path}.{key}", it[key]) for key in ("low", "median", "high")
    )


def _thought(record: Mapping[str, Any], path: str, value: Number | None) -> Cell:
    return "never" if value is None else named(asked(record), path, value)


def _wins_of(record: Mapping[str, Any]) -> Iterator[Line]:
    for row in _ranked(record):
        it, path = record["categories"][row], f"categories.{row}"
        feasible = share(f"{path}.feasible", it["feasible"])
        yield it["category"], share(f"{path}.wins", it["wins"]), feasible
    yield "best of all", "", share("solvable", record["solvable"])


def _reached(record: Mapping[str, Any]) -> Iterator[Line]:
    """The best objective of each category over the samples."""
    for row in _ranked(record):
        it, path = record["categories"][row], f"categories.{row}"
        thought = _thought(record, f"{path}.thought", it["thought"])
        yield it["category"], *_spread(record, f"{path}.objective", it["objective"]), thought
    thought = _thought(record, "objective.value", record["objective"]["value"])
    yield "best of all", *_spread(record, "optimum", record["optimum"]), thought


def _singled_out(record: Mapping[str, Any], name: str) -> Section:
    title = f"{name}: {_SINGLED_OUT[name]}"
    if name != "nominal":
        reliability = per_cent(record["reliability"])
        title += f" among the designs that meet the limits in {reliability} of the samples"
    trial = record[name]
    if trial is None:
        return section(title, sentences(["none: no design ever meets the limits"]))
    same = next(it for it in _SINGLED_OUT if record[it] and record[it]["design"] == trial["design"])
    if same != name:
        return section(title, sentences([f"the same design as {same}, above"]))
    short = name != "nominal" and trial["meets"] < record["reliability"]
    note = ["no design that was tried is so reliable; this comes nearest"] if short else []
    rows = [*design_rows(trial["design"], f"{name}.design"), *_trial(record, name)]
    return section(title, sentences(note), table(rows))


def _trial(record: Mapping[str, Any], name: str) -> Iterator[Line]:
    it = record[name]
    spread = _spread(record, f"{name}.objective", it["objective"])
    for quantile, value in zip(("5 %", "50 %", "95 %"), spread, strict=True):
        yield f"{asked(record)}, {quantile} of the samples", value
    yield "samples in which it meets the limits", share(f"{name}.meets", it["meets"])
    fresh = share(f"{name}.meets_fresh", it["meets_fresh"])
    yield f"of {record['fresh_samples']:,} fresh samples", fresh
    for row, breach in enumerate(it["breaches"][:_MOST_BREACHES]):
        often = share(f"{name}.breaches.{row}.share", breach["share"])
        yield f"breaks {breach['constraint']}, by {per_cent(breach['typical'])}, in", often
    more = len(it["breaches"]) - _MOST_BREACHES
    if more > 0:
        yield "other limits that it breaks", str(more)
    if it["regret"] is None:
        yield "regret", "none to speak of: it breaks a limit in every sample"
        return
    for key, when in (("mean", "in the mean"), ("median", "in half"), ("worst", "at worst")):
        yield f"regret {when}, of the best", share(f"{name}.regret.{key}", it["regret"][key])


def _decides(record: Mapping[str, Any]) -> Section:
    rows = record["influences"][:_MOST_INFLUENCES]
    chance = f"Below {record['chance']:.2f} either way a rank correlation may be chance."
    return section(
        "what decides",
        _influences(rows),
        table(
            (
                (it["number"], _correlation(f"influences.{at}.optimum", it["optimum"]), _wins(it))
                for at, it in enumerate(rows)
            ),
            ("rank correlation of", "with the best", "with who wins"),
        ),
        sentences([chance] if rows else []),
    )


def _correlation(path: str, value: Number | None) -> Cell:
    return "unknown" if value is None else known(f"{value:+.2f}", path, value)


def _wins(it: Mapping[str, Any]) -> str:
    """The category whose wins go most with the number."""
    found = {name: value for name, value in it["wins"].items() if value is not None}
    if not found:
        return "unknown"
    name = max(found, key=lambda name: abs(found[name]))
    return f"{found[name]:+.2f} {name}"


def _influences(rows: list[Mapping[str, Any]]) -> Figure:
    values = [it["optimum"] for it in rows]
    trace = {
        "type": "bar",
        "y": [it["number"] for it in rows],
        "x": values,
        "orientation": "h",
        "marker": {"color": [PALETTE[0] if (it or 0) > 0 else PALETTE[5] for it in values]},
    }
    layout = {
        "yaxis": {"autorange": "reversed", "automargin": True},
        "xaxis": {"title": {"text": "rank correlation with the optimum"}, "range": [-1, 1]},
    }
    height = 120 + 26 * len(rows)
    return Figure((trace,) if rows else (), layout, "influence of each number", height)
