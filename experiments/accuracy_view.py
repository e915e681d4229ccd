"""The page and the picture of `accuracy`, from its record alone."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

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

INTERVAL = (0.87, 0.93)
"""Share of rows that 90 % intervals should cover."""

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


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown; all columns but the first stand at the right.

    Examples:
        >>> print(table(["a", "b"], [["x", "1"]]))
        | a | b |
        |---|---:|
        | x | 1 |
    """
    lines = [head, *rows]
    written = ["| " + " | ".join(cells) + " |" for cells in lines]
    rule = "|---|" + "---:|" * (len(head) - 1)
    return "\n".join([written[0], rule, *written[1:]])


def _errors(
    errors: Mapping[str, float], names: Mapping[str, str], targets: Mapping[str, float]
) -> str:
    rows = [
        [told, percent(errors[name]), percent(targets[name]) if name in targets else ""]
        for name, told in names.items()
        if name in errors
    ]
    return table(["", "error", "asked"], rows)


def _group(rows: Sequence[Mapping[str, Any]], kind: str) -> str:
    cells = [
        [
            it["name"],
            str(it["rows"]),
            percent(it["error"]),
            percent(it["own_error"]),
            f"{it['middle']:.2f}",
            f"{it['low']:.2f} to {it['high']:.2f}",
        ]
        for it in rows
    ]
    middle = "predicted / measured, middle row"
    head = [kind, "rows", "error", f"error, {kind} left out", middle, "80 % of rows"]
    return table(head, cells)


def _shortfalls(record: Mapping[str, Any]) -> list[str]:
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


def _case(it: Mapping[str, Any]) -> list[str]:
    return [it["asked"], it["right"], it["says"], "yes" if it["holds"] else "**no**"]


def page(record: Mapping[str, Any]) -> str:
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
        table(
            ["source", "error, its cell left out"],
            [[name, percent(it)] for name, it in decode["sources"].items()],
        ),
    ]
    if first:
        parts += [
            "## Time to the first token",
            f"{first['rows']} medians of requests that did not queue,"
            f" {len(first['sources'])} public sources.",
            _errors(first["errors"], FIRST_TOKEN, {"by_cell": TARGETS["first_token"]}),
            table(
                ["source", "error, its cell left out"],
                [[name, percent(it)] for name, it in first["sources"].items()],
            ),
        ]
    parts += [
        "## What people asked",
        "Reports of people who tried this and like tools, asked again. The right values were"
        " derived twice, in closed form and by other code.",
        table(["asked", "right", "says", "holds"], [_case(it) for it in record["cases"]]).replace(
            "---:|", "---|"
        ),
        "The commands, each with `liminal` before it:",
        "```text\n" + "\n".join(dict.fromkeys(it["command"] for it in record["cases"])) + "\n```",
        "## Where it falls short",
        "\n".join(f"* {it}" for it in _shortfalls(record)) or "Nothing above misses its target.",
        "`liminal_jax/fit/README.md` says why, and what was tried.",
    ]
    return "\n\n".join(parts) + "\n"


def _panel(axes: "Axes", rows: Sequence[Mapping[str, Any]], kind: str) -> None:
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


def plot(record: Mapping[str, Any]) -> "Figure":
    """Predicted over measured time of a token, by chip and by model: middle and 80 % of rows."""
    from matplotlib.figure import Figure

    groups = record["decode"]["groups"]
    tallest = max(map(len, groups.values()))
    figure = Figure(figsize=(10, 1.2 + 0.2 * tallest), layout="constrained")
    panels = figure.subplots(1, len(groups))
    for axes, (kind, rows) in zip(panels, groups.items(), strict=True):
        _panel(axes, rows, kind)
    figure.suptitle("Each row predicted without its cell; the grey band is 10 % either way")
    return figure
