"""Designs side by side: pictures, time, limits, cost, and why they differ."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from liminal_jax.drawing.figures import compared
from liminal_jax.drawing.svg import captioned
from liminal_jax.results.page import (
    PALETTE,
    Drawings,
    Figure,
    Line,
    Page,
    Section,
    known,
    section,
    sentences,
    table,
)
from liminal_jax.results.prediction import ENDS, MONEY_AND_POWER, TIMES
from liminal_jax.results.quickest import quickest
from liminal_jax.results.reasons import times
from liminal_jax.results.values import amount, named, of_design, seconds, share, size
from liminal_jax.results.words import design_word, workload_words


def page(record: Mapping[str, Any]) -> Page:
    """The page of a comparison.

    Args:
        record: The object of `liminal compare --json`.
    """
    names = [it["name"] for it in record["sides"]]
    told = [it["sentence"] for other in record["differences"] for it in other["differences"]]
    about = tuple(map(_about, record["sides"]))
    several = len(names) > 2
    sections = (
        _pictures(record),
        section("what differs, and why", sentences(told if several else told[1:])),
        _times(record, names),
        section("limits", table(_limits(record), ("", *names))),
        section("speed, power and money", table(_numbers(record), ("", *names))),
        section("what was chosen", table(_designs(record), ("", *names))),
        *(
            section(f"basis of {it['name']}", sentences(it["prediction"]["basis"]))
            for it in record["sides"]
        ),
    )
    return Page(
        " against ".join(names),
        about,
        quickest(record["sides"]) if several else (told[0],),
        sections,
    )


def _about(side: Mapping[str, Any]) -> str:
    """What a side serves, and what was chosen for it."""
    it = side["prediction"]
    users = f"{it['users']:,.0f} user{'' if it['users'] == 1 else 's'}"
    chosen = f" {side['about']}." if side["about"] else ""
    every = it["design"].get("chips") or it["chips"]
    part = f" One instance, {it['chips']:g} of {every:g} chips." if every > it["chips"] else ""
    return f"{side['name']}: {users}, {workload_words(it['workload'])}.{part}{chosen}"


def _pictures(record: Mapping[str, Any]) -> Section:
    """Each kind of picture in a row, at one scale, differences from the first design marked."""
    drawn = compared([it["prediction"]["hardware"] for it in record["sides"]])
    names = [it["name"] for it in record["sides"]]
    rows = (
        tuple(captioned(name, it[kind].svg()) for name, it in zip(names, drawn, strict=True))
        for kind in drawn[0]
    )
    return section("pictures", *map(Drawings, rows))


def _sides(record: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Path and prediction of each side."""
    for at, it in enumerate(record["sides"]):
        yield f"sides.{at}.prediction.", it["prediction"]


def _times(record: Mapping[str, Any], names: Sequence[str]) -> Section:
    rows = [
        (name, *(seconds(f"{path}{key}", it[key]) for path, it in _sides(record)))
        for key, name in TIMES.items()
    ]
    rows.append(("bottleneck", *(it["bottleneck"].replace("_", " ") for _, it in _sides(record))))
    return section("where the time goes", _bars(record, names), table(rows, ("", *names)))


def _bars(record: Mapping[str, Any], names: Sequence[str]) -> Figure:
    """Memory and compute beside each other, and the waiting after the longer of both."""
    traces = []
    for at, (_, it) in enumerate(_sides(record)):
        busy = max(it["memory_time"], it["compute_time"])
        for words, base, key, colour in (
            ("memory", 0.0, "memory_time", PALETTE[0]),
            ("compute", 0.0, "compute_time", PALETTE[1]),
            ("waiting", busy, "exposed_time", PALETTE[5]),
        ):
            traces.append(
                {
                    "type": "bar",
                    "y": [[names[at]], [words]],
                    "x": [1e3 * it[key]],
                    "base": [1e3 * base],
                    "orientation": "h",
                    "marker": {"color": colour},
                    "hovertemplate": f"{names[at]}, {words}: %{{x:.4g}} ms<extra></extra>",
                }
            )
    layout = {
        "showlegend": False,
        "yaxis": {"autorange": "reversed", "automargin": True},
        "xaxis": {"title": {"text": "milliseconds into the step"}},
    }
    label = f"the parts of a step of {', '.join(names)}"
    return Figure(tuple(traces), layout, label, 120 + 100 * len(names))


def _limits(record: Mapping[str, Any]) -> Iterator[Line]:
    found = list(_sides(record))
    yield (
        "of the memory of the fullest chip",
        *(share(f"{p}memory_fill", it["memory_fill"]) for p, it in found),
    )
    yield "fits", *(ENDS[it["fits"]] for _, it in found)
    for key in ("memory_required", "memory_capacity"):
        words = {"memory_required": "memory that is needed", "memory_capacity": "memory there is"}
        yield words[key], *(size(f"{path}{key}", it[key]) for path, it in found)
    for key in ("chip_power", "chip_tdp"):
        yield MONEY_AND_POWER[key], *(named(key, f"{path}{key}", it[key]) for path, it in found)


def _numbers(record: Mapping[str, Any]) -> Iterator[Line]:
    words = {"utps": "tokens/s of a user", "stps": "tokens/s of the instance"}
    for key, label in {**words, **MONEY_AND_POWER}.items():
        if key not in ("chip_power", "chip_tdp"):
            yield label, *(named(key, f"{path}{key}", it[key]) for path, it in _sides(record))
    yield (
        "chips of the instance",
        *(amount(f"{path}chips", it["chips"]) for path, it in _sides(record)),
    )
    ratios = (
        known("" if it is None else times(it), f"differences.{at}.differences.0.ratio", it)
        for at, other in enumerate(record["differences"])
        for it in [other["differences"][0]["ratio"]]
    )
    yield f"speed over that of {record['sides'][0]['name']}", times(1.0), *ratios


def _designs(record: Mapping[str, Any]) -> Iterator[Line]:
    """The values that differ."""
    found = [(path, it["design"]) for path, it in _sides(record)]
    for name in dict.fromkeys(name for _, design in found for name in design):
        values = [design.get(name) for _, design in found]
        if name != "numbers" and any(it != values[0] for it in values):
            yield (
                design_word(name),
                *(
                    "" if value is None else of_design(name, value, f"{path}design.{name}")
                    for value, (path, _) in zip(values, found, strict=True)
                ),
            )
