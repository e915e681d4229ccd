"""One piece of hardware for several workloads: the chip, each workload on it, and what it costs."""

from collections.abc import Iterator, Mapping
from typing import Any

from liminal_jax._display import per_cent, plain
from liminal_jax.drawing.gauges import Gauge, gauges_sheet
from liminal_jax.drawing.package import package_sheet
from liminal_jax.results.binding import HEADING, binding_rows
from liminal_jax.results.page import (
    Cell,
    Drawings,
    Figure,
    Line,
    Number,
    Page,
    known,
    section,
    sentences,
    table,
)
from liminal_jax.results.pictures import gauges_of
from liminal_jax.results.question import about, asked, asked_word, how_sure
from liminal_jax.results.values import design_rows, named, of_design, seconds, share
from liminal_jax.results.words import asked_words, constraint_word, design_word

_TIMES = ("step_time", "memory_time", "compute_time", "exposed_time")
_MOST_CROSSED = 13
"""Columns that a table of chips and workloads may have; wider ones are a figure alone."""

_DEGREES = ("tp", "cp", "pp", "ep")


def page(record: Mapping[str, Any]) -> Page:
    """The page of hardware that workloads share.

    Args:
        record: The object of `liminal optimize --json` for several workloads.
    """
    name = asked_word(record)
    alone = _hardware(record)
    crossed = ("chip of", *record["cross"])
    work = (
        f"The weighted geometric mean over {len(record['workloads'])} workloads on one chip; the"
        " limits hold for each."
    )
    sections = (
        section(
            "why no chip was found", sentences([] if record["feasible"] else record["reasons"])
        ),
        section("the chip", table(design_rows(record["design"] or {})), _package(record)),
        section(
            "why: the tightest limit of each workload, and what sharing costs it", _gauges(record)
        ),
        section(
            "each workload on it",
            table(
                _workloads(record),
                ("workload", name, "of its own chip's", "UTPS", "instances", "what binds"),
            ),
        ),
        section(
            "where the time of each workload goes",
            table(
                _times(record),
                ("workload", "one step", "memory", "compute", "waiting", "bottleneck"),
            ),
        ),
        section("what binds it", table(binding_rows(record), HEADING)),
        section(
            "the best chip for each alone",
            table(_alone(record), ("workload", name, *map(design_word, alone))),
        ),
        section(
            "these chips used for every workload, as a share of its best",
            _cross(record),
            table(_cross_rows(record) if len(crossed) <= _MOST_CROSSED else (), crossed),
        ),
        how_sure(record),
    )
    return Page(record["name"], (*about(record), work), _answer(record), sections)


def _answer(record: Mapping[str, Any]) -> Line:
    if not record["feasible"]:
        found = "serves" if record["certificate"]["complete"] else "was found that serves"
        return (f"no chip {found} every workload",)
    return (
        f"{asked_words([record['objective']])}: ",
        named(asked(record), "objective.value", record["objective"]["value"]),
        ", ",
        share("share_of_own", record["share_of_own"]),
        " of what chips of their own would give",
    )


def _package(record: Mapping[str, Any]) -> Drawings:
    """The package of the chip; older records hold none."""
    chip = record.get("chip")
    return Drawings((package_sheet(chip["package"]).svg(),) if chip else ())


def _gauges(record: Mapping[str, Any]) -> Drawings:
    """The tightest limit of each workload, and its share of what its own chip would give."""
    limits = record.get("constraints") or ()
    tightest, shares = [], []
    for it in record["workloads"]:
        if it["prediction"] is None:
            continue
        found = gauges_of(it["prediction"], limits, it["totals"])
        if found:
            first = max(found, key=lambda gauge: gauge.used)
            tightest.append(first._replace(name=f"{it['name']}: {first.name}"))
        told = f"{per_cent(it['share_of_own'])} of {asked_word(record)} with a chip of its own"
        shares.append(Gauge(it["name"], told, it["share_of_own"]))
    sheets = (
        [gauges_sheet(tightest, title="The tightest limit of each workload")] if tightest else []
    )
    if shares:
        sheets.append(gauges_sheet(shares, "shares", "What the common chip leaves of each"))
    return Drawings(tuple(it.svg() for it in sheets))


def _reached(record: Mapping[str, Any], path: str, value: Number | None) -> Cell:
    return "cannot" if value is None else named(asked(record), path, value)


def _workloads(record: Mapping[str, Any]) -> Iterator[Line]:
    for row, it in enumerate(record["workloads"]):
        if it["prediction"] is None:
            continue
        path = f"workloads.{row}"
        yield (
            it["name"],
            _reached(record, f"{path}.value", it["value"]),
            share(f"{path}.share_of_own", it["share_of_own"]),
            _utps(f"{path}.prediction.utps", it["prediction"]["utps"]),
            _instances(it),
            ", ".join(
                constraint_word(b["constraint"])
                for b in record["binding"]
                if b["workload"] == it["name"]
            ),
        )


def _utps(path: str, value: Number) -> Cell:
    return known(plain(value), path, value)


def _instances(it: Mapping[str, Any]) -> str:
    """How many instances of what degrees, those of 1 left out."""
    design = it["design"]
    degrees = [
        f"{design_word(name)}{design[name]:g}" for name in _DEGREES if design.get(name, 1) > 1
    ]
    replicas = it["totals"]["chips"] // it["prediction"]["chips"]
    return " ".join([f"{replicas:g} x", *degrees, f"batch {design['batch']:g}"])


def _times(record: Mapping[str, Any]) -> Iterator[Line]:
    """The parts of a step of each workload; nothing where none is served."""
    for row, it in enumerate(record["workloads"]):
        told = it["prediction"]
        if told is not None:
            path = f"workloads.{row}.prediction"
            parts = (seconds(f"{path}.{part}", told[part]) for part in _TIMES)
            yield it["name"], *parts, told["bottleneck"].replace("_", " ")


def _hardware(record: Mapping[str, Any]) -> list[str]:
    """What differs between the chips that are best for one workload each."""
    designs = [it["own_design"] for it in record["workloads"] if it["own_design"] is not None]
    if not designs:
        return []
    shared = designs[0].keys() if record["design"] is None else record["design"].keys()
    return [
        name
        for name in shared
        if name in ("memory", "system") or len({str(it.get(name)) for it in designs}) > 1
    ]


def _alone(record: Mapping[str, Any]) -> Iterator[Line]:
    names = _hardware(record)
    for row, it in enumerate(record["workloads"]):
        value = _reached(record, f"workloads.{row}.own_value", it["own_value"])
        yield it["name"], value, *(_own(it, f"workloads.{row}", name) for name in names)


def _own(it: Mapping[str, Any], path: str, name: str) -> Cell:
    """A value of the chip that is best for one workload."""
    value = (it["own_design"] or {}).get(name)
    return "" if value is None else of_design(name, value, f"{path}.own_design.{name}")


def _cross_rows(record: Mapping[str, Any]) -> Iterator[Line]:
    """Rows are chips, columns workloads."""
    for chip, row in record["cross"].items():
        yield (
            chip,
            *(
                "cannot"
                if row.get(work) is None
                else known(f"{row[work]:.0%}", f"cross.{chip}.{work}", row[work])
                for work in record["cross"]
            ),
        )


def _cross(record: Mapping[str, Any]) -> Figure:
    names = list(record["cross"])
    shares = [[_per_cent(record["cross"][chip].get(it)) for it in names] for chip in names]
    trace = {
        "type": "heatmap",
        "x": names,
        "y": names,
        "z": shares,
        "colorscale": "Cividis",
        "texttemplate": "%{z:.0f}",
        "xgap": 2,
        "ygap": 2,
        "colorbar": {"title": {"text": "% of its best"}},
        "hovertemplate": "chip of %{y} for %{x}: %{z:.1f} %<extra></extra>",
    }
    layout = {"yaxis": {"autorange": "reversed", "automargin": True}}
    return Figure((trace,) if names else (), layout, "chips used for other workloads", 460)


def _per_cent(share_: Number | None) -> float | None:
    return None if share_ is None else 100 * share_
