"""The page and the picture of `accuracy`, from its record alone."""

from collections.abc import Mapping, Sequence

import numpy as np

from experiments import drawing as draw
from experiments.claims import Record
from experiments.tables import Column, Table

WAYS = {
    "ideal": "the bare bound",
    "one_number": "the bound times one number, fitted to these rows",
    "by_cell": "calibrated, its cell left out",
    "by_chip": "calibrated, its chip left out",
    "by_model": "calibrated, its model left out",
    "fitted": "calibrated, fitted to all",
}
"""How rows are predicted, in the order of the table."""

TARGETS = {"by_cell": 0.09, "by_chip": 0.13, "by_model": 0.13, "first_token": 0.25}
"""Errors that the project asks of itself."""

INTERVAL = (0.87, 0.93)  # share of rows that 90 % intervals should cover

FIRST_TOKEN = {
    "ideal": "the bare bound",
    "by_cell": "calibrated, its cell left out",
    "as_is": "calibrated, fitted to all",
}
"""How times to the first token are predicted."""


def percent(share: float) -> str:
    """A share as per cent.

    Examples:
        >>> percent(0.1117)
        '11.2 %'
    """
    return f"{100 * share:.1f} %"


def _errors(errors: Record, names: Mapping[str, str], targets: Record) -> str:
    asked = Column("asked", lambda name: percent(targets[name]) if name in targets else "")
    columns = [Column("error", lambda name: percent(errors[name])), asked]
    known = [(told, name) for name, told in names.items() if name in errors]
    return Table("", columns).markdown(known)


def _group(rows: Sequence[Record], kind: str) -> str:
    columns = [
        Column("rows", "rows"),
        Column("error", "error", percent),
        Column(f"error, {kind} left out", "own_error", percent),
        Column("predicted / measured, middle row", "middle", "{:.2f}"),
        Column("80 % of rows", lambda it: f"{it['low']:.2f} to {it['high']:.2f}"),
    ]
    return Table(kind, columns).markdown([(it["name"], it) for it in rows])


SOURCES = Table("source", [Column("error, its cell left out", lambda it: it, percent)])

CASES = Table(
    "asked",
    [
        Column("right", "right", align="left"),
        Column("says", "says", align="left"),
        Column("holds", lambda it: "yes" if it["holds"] else "**no**", align="left"),
    ],
)


def _shortfalls(record: Record) -> list[str]:
    """A sentence for each target that is missed."""
    errors, coverage = record["decode"]["errors"], record["decode"]["coverage"]
    found = [
        f"Decode, {WAYS[name].removeprefix('calibrated, ')}: {percent(errors[name])} where"
        f" {percent(TARGETS[name])} is asked."
        for name in ("by_cell", "by_chip", "by_model")
        if name in errors and errors[name] > TARGETS[name]
    ]
    found += [
        f"90 % intervals, {WAYS[name].removeprefix('calibrated, ')}: they cover {percent(it)}."
        for name, it in coverage.items()
        if not INTERVAL[0] <= it <= INTERVAL[1]
    ]
    first = record["first_token"]
    if first and first["errors"]["by_cell"] > TARGETS["first_token"]:
        found.append(
            f"Time to the first token, its cell left out: {percent(first['errors']['by_cell'])}"
            f" where {percent(TARGETS['first_token'])} is asked."
        )
    wrong = [it["asked"] for it in record["cases"] if not it["holds"]]
    return [*found, *(f"Answered wrongly still: {it}." for it in wrong)]


def page(record: Record) -> str:
    """The whole page."""
    decode, first = record["decode"], record["first_token"]
    coverage = ", ".join(
        f"{percent(it)} with the {name.removeprefix('by_')} left out"
        for name, it in decode["coverage"].items()
    )
    parts = [
        "# Accuracy",
        "`python -m experiments.accuracy` writes this page, its picture and its"
        f" [record](accuracy.json); last at commit {record['commit']}. {record['remark']}An error"
        " is the mean absolute error of a predicted time, averaged over sources, so that none"
        " decides by its size. A row is never predicted by a fit that has seen it: its cell"
        " (source, model, chip, count, bits, engine), its chip or its model is left out.",
        "## Time of a token",
        f"{decode['rows']} rows of nearly pure decode, {decode['cells']} cells,"
        f" {len(decode['sources'])} public sources.",
        _errors(decode["errors"], WAYS, TARGETS),
        f"90 % intervals cover {coverage}.",
        "![predicted over measured time of a token, by chip and by model](accuracy.png)",
        "The dot is the middle row, the bar holds 80 % of the rows; each row's cell is left out.",
        "### By chip",
        _group(decode["groups"]["chip"], "chip"),
        "### By model",
        _group(decode["groups"]["model"], "model"),
        "### By source",
        SOURCES.markdown(decode["sources"]),
    ]
    if first:
        parts += [
            "## Time to the first token",
            f"{first['rows']} medians of requests that did not queue,"
            f" {len(first['sources'])} public sources.",
            _errors(first["errors"], FIRST_TOKEN, {"by_cell": TARGETS["first_token"]}),
            SOURCES.markdown(first["sources"]),
        ]
    parts += [
        "## What people asked",
        "Reports of people who tried this and like tools, asked again. The right values were"
        " derived twice, in closed form and by other code.",
        CASES.markdown([(it["asked"], it) for it in record["cases"]]),
        "The commands, each with `liminal` before it:",
        "```text\n" + "\n".join(dict.fromkeys(it["command"] for it in record["cases"])) + "\n```",
        "## Where it falls short",
        "\n".join(f"* {it}" for it in _shortfalls(record)) or "Nothing above misses its target.",
        "`liminal_jax/fit/README.md` says why, and what was tried.",
    ]
    return "\n\n".join(parts) + "\n"


def _panel(axes: draw.Axes, rows: Sequence[Record], kind: str) -> None:
    places = np.arange(len(rows))[::-1]
    low, middle, high = (np.array([it[key] for it in rows]) for key in ("low", "middle", "high"))
    axes.axvline(1, color="0.4", linewidth=0.9, zorder=0)
    axes.axvspan(1 / 1.1, 1.1, color="0.5", alpha=0.13, linewidth=0, zorder=0)
    axes.hlines(places, low, high, color="C0", linewidth=2.2, alpha=0.55)
    axes.plot(middle, places, "o", color="C0", markersize=4.5)
    names = [f"{it['name']}  ({it['rows']})" for it in rows]
    axes.set_yticks(places, names, fontsize=7.5)
    axes.set(xscale="log", xlim=(0.4, 2.5), ylim=(-0.8, len(rows) - 0.2), title=f"by {kind} (rows)")
    ticks = [0.5, 0.67, 0.8, 1, 1.25, 1.5, 2]
    axes.set_xticks(ticks, [f"{it:g}" for it in ticks])
    axes.minorticks_off()
    axes.set_xlabel("predicted / measured time of a token")
    axes.grid(visible=True, axis="x", color="0.9", linewidth=0.6)


def plot(record: Record) -> draw.Figure:
    """Predicted over measured time of a token, by chip and by model: middle and 80 % of rows."""
    groups = record["decode"]["groups"]
    tallest = max(map(len, groups.values()))
    figure, (panels,) = draw.sheet(1, len(groups), (10, 1.2 + 0.2 * tallest))
    for axes, (kind, rows) in zip(panels, groups.items(), strict=True):
        _panel(axes, rows, kind)
    figure.suptitle("Each row predicted without its cell; the grey band is 10 % either way")
    return figure
