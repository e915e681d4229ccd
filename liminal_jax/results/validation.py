"""How far predictions are from measurements: by way of predicting, by group, and where beyond."""

from collections.abc import Iterator, Mapping
from typing import Any

from liminal_jax._display import with_prefix
from liminal_jax.results.page import (
    Cell,
    Line,
    Listing,
    Page,
    Section,
    Sentences,
    known,
    listing,
    section,
    sentences,
    table,
)
from liminal_jax.results.skipped import skipped
from liminal_jax.results.values import share

_SCHEMES = {
    "ideal": "bare bound",
    "one_number": "bound times one number, fitted here",
    "as_is": "calibration as it is",
    "by_cell": "cell left out",
    "by_chip": "chip left out",
    "by_model": "model left out",
}
"""How rows were predicted, by the key of the record."""

_SHARES = {"bias": "bias", "within_10": "in 10 %", "within_25": "in 25 %"}
"""Scores besides the error, and their heads."""

_HEADING = ("rows", "MAPE", *_SHARES.values(), "rank")

_LEGEND = (
    "MAPE: mean absolute error of predicted times",
    "bias: mean error, below 0 where times are predicted too short",
    "in 10 %, in 25 %: share of rows whose error is no larger",
    "rank: Kendall's correlation, 1 where the order is right",
)

_MOST_BEYOND = 8
"""Rows beyond the bound that are named."""


def page(record: Mapping[str, Any]) -> Page:
    """The page of a validation.

    Args:
        record: The object of `liminal validate --json`.
    """
    return Page(
        f"{record['rows']} rows against calibration {record['calibration']}",
        (f"Judged by {record['basis']}.",),
        _answer(record),
        (
            section(
                "averaged over sources",
                table(_schemes(record, "schemes"), ("", *_HEADING[1:])),
                sentences(_LEGEND),
            ),
            *(
                section(f"by {group}", _scored(it, f"groups.{group}"))
                for group, it in record["groups"].items()
            ),
            *_served(record),
            *_first_tokens(record),
            section("rows quicker than hardware allows", sentences(_beyond(record["above_bound"]))),
            section("how sure that is", table(_coverage(record)), Sentences((_noise(record),))),
            section("engines at large were taken", sentences(_unmeasured(record))),
            skipped("rows skipped", record["skipped_rows"]),
        ),
    )


def _answer(record: Mapping[str, Any]) -> Line:
    if record["macro_mape"] is None:
        return ("decode is not scored",)
    error = share("macro_mape", record["macro_mape"])
    return "mean error ", error, ", averaged over sources"


def _scores(it: Mapping[str, Any], mape: str, path: str) -> Iterator[Cell]:
    """The scores of some rows in the order of their heads.

    Args:
        it: The scores.
        mape: Key of the mean absolute error.
        path: Where they stand in the record.
    """
    for key in (mape, *_SHARES):
        yield share(f"{path}.{key}", it[key])
    rank = it["rank_correlation"]
    yield known("" if rank is None else f"{rank:.2f}", f"{path}.rank_correlation", rank)


def _scored(groups: Mapping[str, Mapping[str, Any]], path: str) -> Listing:
    """Groups of rows with their numbers and scores.

    Args:
        groups: The scores by the name of the group.
        path: Where they stand in the record.
    """
    rows = (
        (
            name,
            known(f"{it['rows']}", f"{path}.{name}.rows", it["rows"]),
            *_scores(it, "mape", f"{path}.{name}"),
        )
        for name, it in groups.items()
    )
    return listing(rows, ("", *_HEADING))


def _schemes(record: Mapping[str, Any], key: str) -> Iterator[Line]:
    for name, it in record.get(key, {}).items():
        yield _SCHEMES[name], *_scores(it, "macro_mape", f"{key}.{name}")


def _served(record: Mapping[str, Any]) -> Iterator[Section]:
    """Rows in whose time prompts have a part."""
    it = record["served"]
    if it is None:
        return
    sources, path = it["by_source"], "served.by_source"
    ideal = (
        (
            name,
            share(f"{path}.{name}.ideal_mape", each["ideal_mape"]),
            known(f"{each['beyond_bound']}", f"{path}.{name}.beyond_bound", each["beyond_bound"]),
        )
        for name, each in sources.items()
    )
    yield section(
        "prompts in the time: calibration as it is, static or continuous batching",
        _scored(sources, path),
        listing(ideal, ("", "bound's MAPE", "beyond the bound")),
        Sentences(tuple(_served_lines(it))),
    )


def _served_lines(it: Mapping[str, Any]) -> Iterator[Line]:
    if it["rows"]:
        error = share("served.macro_mape", it["macro_mape"])
        yield f"{it['rows']} rows: MAPE ", error, ", averaged over sources."
    if most := it["maxima"]:
        path = "served.maxima"
        yield (
            f"{most['rows']} maxima for untold users: at the middle ",
            share(f"{path}.reached_of_bound", most["reached_of_bound"]),
            " of the bound is reached, and ",
            share(f"{path}.reached_of_calibrated", most["reached_of_calibrated"]),
            f" of the calibrated rate; beyond the bound: {most['beyond_bound']}.",
        )


def _first_tokens(record: Mapping[str, Any]) -> Iterator[Section]:
    """Times to the first token, where the file tells them."""
    title = f"{record.get('ttft_rows')} times to the first token"
    yield section(title, table(_schemes(record, "ttft_schemes"), ("", *_HEADING[1:])))
    yield skipped("times to the first token not scored", record.get("ttft_skipped_rows", ()))


def _beyond(rows: list[Mapping[str, Any]]) -> Iterator[str]:
    if not rows:
        yield "No row is quicker than the bound of the best mapping on its chips."
        return
    yield f"{len(rows)} rows are quicker than the bound of the best mapping on their chips."
    for it in rows[:_MOST_BEYOND]:
        times = (with_prefix(it[key], "s") for key in ("measured", "bound"))
        where = f"line {it['line']} ({it['source']}, {it['model']})"
        yield f"{where}: {' below '.join(times)}"


def _coverage(record: Mapping[str, Any]) -> Iterator[Line]:
    for name, it in record["coverage"].items():
        yield f"90 % intervals cover, {_SCHEMES[name]}", share(f"coverage.{name}", it)


def _noise(record: Mapping[str, Any]) -> Line:
    floor = record["noise_floor"]
    return (
        "Noise of the data: median ",
        share("noise_floor.median", floor["median"]),
        ", 90th percentile ",
        share("noise_floor.p90", floor["p90"]),
        " between captures of one configuration.",
    )


def _unmeasured(record: Mapping[str, Any]) -> Iterator[str]:
    """Engines of which the calibration knows nothing."""
    for engine in record["unmeasured_engines"]:
        yield f"no measurement of {engine} is in the calibration"
