"""How sure an answer is when numbers are drawn from their ranges: who wins, at what regret, why."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from liminal_jax._display import per_cent
from liminal_jax.results.beside import predicted_sections, prediction_beside
from liminal_jax.results.breaches import BREACHES, breach_rows
from liminal_jax.results.page import (
    PALETTE,
    Cell,
    Figure,
    Line,
    Number,
    Page,
    Section,
    Sentences,
    known,
    section,
    sentences,
    table,
)
from liminal_jax.results.question import about, asked, asked_word, how_sure
from liminal_jax.results.values import amount, design_rows, named, share
from liminal_jax.results.words import asked_words, constraint_word, sampled_words
from liminal_jax.study.quantities import NAMED

_MOST_INFLUENCES = 15
_MOST_BREACHES = 3

_SINGLED_OUT = {
    "nominal": "best with the nominal numbers",
    "robust": "least expected regret",
    "cautious": "least worst regret",
}
"""What each design that was singled out is, by the name of its file."""

_QUANTILES = ("", "5 % of samples", "50 %", "95 %", "nominal")
"""Heads of the table of what is reached."""

_CORRELATIONS = ("rank correlation of", "with the best")
"""Heads of the table of influences."""


def page(record: Mapping[str, Any]) -> Page:
    """The page of an uncertainty analysis.

    Args:
        record: The object of `liminal uncertainty --json`.
    """
    it = record["certificate"]
    sections = (
        section(
            f"who wins, and with what {asked_word(record)}",
            table(_wins_of(record), ("", "wins", "feasible")),
            _intervals(record),
            table(_reached(record), _QUANTILES),
            sentences(_beyond(record)),
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


def in_samples(record: Mapping[str, Any] | None, base: str) -> Section:
    """How an optimum fares when numbers are drawn from their ranges, in short.

    Args:
        record: The record of an analysis of the same study; none where there is none.
        base: Where it stands in the record of the run, with a point at the end.
    """
    title = "when numbers are drawn from their ranges"
    if record is None:
        return section(title)
    answer = (*_answer(record, base), f". {_drawn(record)}.")
    return section(
        title,
        Sentences((answer, *_kept(record, base))),
        _intervals(record),
        table(_reached(record, base), _QUANTILES),
        sentences(_beyond(record)),
        _influences(record),
        table((_influence(record, row, base) for row in _felt(record)), _CORRELATIONS),
        sentences(_chance(record)),
    )


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


def _answer(record: Mapping[str, Any], base: str = "") -> Line:
    if not record["feasible"]:
        return ("no design meets every limit with the nominal numbers",)
    first = _ranked(record)[0]
    it = record["categories"][first]
    return (
        f"{asked_words([record['objective']])}: ",
        named(asked(record), f"{base}objective.value", record["objective"]["value"]),
        f" with the nominal numbers; {it['category']} is best in ",
        share(f"{base}categories.{first}.wins", it["wins"]),
        " of the samples",
    )


def _kept(record: Mapping[str, Any], base: str) -> Iterator[Line]:
    """How often designs meet the limits: the nominal one, and the one of least regret."""
    trial, robust = record["nominal"], record["robust"]
    if trial is None:
        return
    meets = share(f"{base}nominal.meets", trial["meets"])
    broken: Line = ()
    for row, it in enumerate(trial["breaches"][:_MOST_BREACHES]):
        often = share(f"{base}nominal.breaches.{row}.share", it["share"])
        starts = ", that on" if broken else "; it breaks the limit on"
        broken += (f"{starts} {constraint_word(it['constraint'])} in ", often)
    more = len(trial["breaches"]) - _MOST_BREACHES
    others = f", and {more} more" if more > 0 else ""
    yield "The design meets every limit in ", meets, " of the samples", *broken, f"{others}."
    if robust is not None and robust["design"] != trial["design"]:
        middle = named(
            asked(record), f"{base}robust.objective.median", robust["objective"]["median"]
        )
        meets = share(f"{base}robust.meets", robust["meets"])
        yield (
            "The design of least expected regret meets them in ",
            meets,
            ", with ",
            middle,
            " in half.",
        )


def _beyond(record: Mapping[str, Any]) -> Iterator[str]:
    """A warning where the nominal numbers promise more than nearly all samples."""
    value, spread = record["objective"]["value"], record["optimum"]
    if value is None or spread is None:
        return
    most = "maximise" in record["objective"]
    if value > spread["high"] if most else value < spread["low"]:
        yield "The best with the nominal numbers is better than the best in 95 % of the samples."


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


def _reached(record: Mapping[str, Any], base: str = "") -> Iterator[Line]:
    """The best objective of each category over the samples."""
    for row in _ranked(record):
        it, path = record["categories"][row], f"{base}categories.{row}"
        thought = _thought(record, f"{path}.thought", it["thought"])
        yield it["category"], *_spread(record, f"{path}.objective", it["objective"]), thought
    thought = _thought(record, f"{base}objective.value", record["objective"]["value"])
    yield "best of all", *_spread(record, f"{base}optimum", record["optimum"]), thought


def _intervals(record: Mapping[str, Any]) -> Figure:
    """The best objective of each category: an interval of the samples, and what was thought."""
    rows = [record["categories"][row] for row in _ranked(record)]
    spreads = [(it["category"], it["objective"]) for it in rows if it["objective"] is not None]
    thoughts = [(it["category"], it["thought"]) for it in rows if it["thought"] is not None]
    bars = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [x for _, it in spreads for x in (it["low"], it["high"], None)],
        "y": [y for name, _ in spreads for y in (name, name, None)],
        "line": {"color": PALETTE[0], "width": 10},
        "marker": {"symbol": "square", "size": 10},
        "name": "5 to 95 % of the samples",
    }
    marks = [
        _marks("median", [(name, it["median"]) for name, it in spreads], "circle", PALETTE[1]),
        _marks("nominal numbers", thoughts, "diamond", PALETTE[5]),
    ]
    name = asked(record)
    unit = f" [{NAMED[name].unit}]" if name in NAMED and NAMED[name].unit else ""
    layout = {
        "legend": {"orientation": "h", "y": 1.2},
        "xaxis": {
            "title": {"text": f"{asked_word(record)}{unit}"},
            "type": "log",
        },
        "yaxis": {
            "automargin": True,
            "categoryorder": "array",
            "categoryarray": [it["category"] for it in reversed(rows)],
        },
    }
    label = "what the best of each kind reaches in the samples, and with the nominal numbers"
    traces = (bars, *marks) if spreads else ()
    return Figure(traces, layout, label, 160 + 40 * len(rows))


def _marks(
    name: str, points: Sequence[tuple[str, Number]], symbol: str, colour: str
) -> Mapping[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [value for _, value in points],
        "y": [category for category, _ in points],
        "marker": {"symbol": symbol, "size": 11, "color": colour},
        "name": name,
    }


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
    breaches = table(breach_rows(record, name), BREACHES)
    return section(title, sentences(note), table(rows), breaches)


def _trial(record: Mapping[str, Any], name: str) -> Iterator[Line]:
    it = record[name]
    spread = _spread(record, f"{name}.objective", it["objective"])
    for quantile, value in zip(("5 %", "50 %", "95 %"), spread, strict=True):
        yield f"{asked_word(record)}, {quantile} of the samples", value
    yield "samples in which it meets the limits", share(f"{name}.meets", it["meets"])
    fresh = share(f"{name}.meets_fresh", it["meets_fresh"])
    yield f"of {record['fresh_samples']:,} fresh samples", fresh
    if it["regret"] is None:
        yield "regret", "none to speak of: it breaks a limit in every sample"
        return
    for key, when in (("mean", "in the mean"), ("median", "in half"), ("worst", "at worst")):
        yield f"regret {when}, of the best", share(f"{name}.regret.{key}", it["regret"][key])


def _decides(record: Mapping[str, Any]) -> Section:
    return section(
        "what decides",
        _influences(record),
        table(
            (
                (*_influence(record, at), _wins(it))
                for at, it in enumerate(record["influences"][:_MOST_INFLUENCES])
            ),
            (*_CORRELATIONS, "with who wins"),
        ),
        sentences(_chance(record)),
    )


def _influence(record: Mapping[str, Any], row: int, base: str = "") -> Line:
    it = record["influences"][row]
    path = f"{base}influences.{row}.optimum"
    return sampled_words(it["number"]), _correlation(path, it["optimum"])


def _felt(record: Mapping[str, Any]) -> list[int]:
    """Rows of the influences on the best objective that are no chance."""
    return [
        row
        for row, it in enumerate(record["influences"][:_MOST_INFLUENCES])
        if it["optimum"] is not None and abs(it["optimum"]) >= record["chance"]
    ]


def _chance(record: Mapping[str, Any]) -> Iterator[str]:
    """From where on a correlation says something."""
    if record["influences"]:
        limit = f"{record['chance']:.2f}"
        yield f"A rank correlation below {limit} either way may be chance, and is not drawn."


def _correlation(path: str, value: Number | None) -> Cell:
    return "unknown" if value is None else known(f"{value:+.2f}", path, value)


def _wins(it: Mapping[str, Any]) -> str:
    """The category whose wins go most with the number."""
    found = {name: value for name, value in it["wins"].items() if value is not None}
    if not found:
        return "unknown"
    name = max(found, key=lambda name: abs(found[name]))
    return f"{found[name]:+.2f} {name}"


def _influences(record: Mapping[str, Any]) -> Figure:
    """Rank correlations that are no chance."""
    rows = [record["influences"][row] for row in _felt(record)]
    trace = {
        "type": "bar",
        "y": [sampled_words(it["number"]) for it in rows],
        "x": [it["optimum"] for it in rows],
        "orientation": "h",
        "marker": {"color": [PALETTE[0] if it["optimum"] > 0 else PALETTE[5] for it in rows]},
    }
    layout = {
        "yaxis": {"autorange": "reversed", "automargin": True},
        "xaxis": {"title": {"text": "rank correlation with the optimum"}, "range": [-1, 1]},
    }
    height = 120 + 26 * len(rows)
    return Figure((trace,) if rows else (), layout, "influence of each number", height)
