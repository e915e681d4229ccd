"""Calibrations and their errors on the screen."""

from collections import Counter
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from liminal_jax._display import per_cent, plain
from liminal_jax.calibration.fitted import TERMS
from liminal_jax.fit.calibrate import Calibrated, Measured, Validation
from liminal_jax.fit.scores import macro_scores

_MOST_REASONS = 12
_SCHEMES = {
    "ideal": "bare bound",
    "one_number": "bound times one number, fitted here",
    "as_is": "calibration as it is",
    "by_cell": "cell left out",
    "by_chip": "chip left out",
    "by_model": "model left out",
}


def _share(value: float | None) -> str:
    return "-" if value is None else per_cent(value)


def _skipped(measured: Measured) -> list[Text]:
    reasons = Counter(reason for _, reason in measured.skipped)
    lines = [Text(f"{len(measured.skipped)} rows skipped", style="bold")] if reasons else []
    lines += [Text(f"  {count} x {reason}") for reason, count in reasons.most_common(_MOST_REASONS)]
    return lines


def calibrated_view(found: Calibrated, path: str) -> RenderableType:
    """What was learned, how surely, and what was not."""
    it, batch = found.calibration, found.measured.batch
    table = Table("loss", "typical", "factor either way", "of its prior spread", box=None)
    fitted = it.fitted()
    left = {addend.term: addend.spread for addend in it.addends if addend.level == "all"}
    for term in TERMS:
        spread = left[term] * it.priors[term].all
        table.add_row(
            term, plain(float(getattr(fitted, term))), f"{2.718281828**spread:.2f}",
            per_cent(left[term]),
        )  # fmt: skip
    fit = macro_scores(batch, found.fit.predicted)["macro_mape"]
    by_cell = macro_scores(batch, found.by_cell)["macro_mape"]
    unlearned = ", ".join(found.unlearned()) or "none"
    return Group(
        Text(f"{path}: {it.rows} rows of {len(it.sources)} sources", style="bold"),
        Text(f"error {per_cent(fit)}, cells left out {per_cent(by_cell)} (mean over sources)"),
        "",
        table,
        "",
        Text(f"not pinned by these data, the prior decides: {unlearned}"),
        *([Text(f"{len(found.measured.served)} rows with prompts in their time are not fitted to")]
          if found.measured.served else []),
        *_skipped(found.measured),
    )  # fmt: skip


def _row(table: Table, label: str, it: dict[str, Any], mape: str, *more: str) -> None:
    rank = it["rank_correlation"]
    table.add_row(
        label,
        str(it.get("rows", "")),
        _share(it[mape]),
        _share(it["bias"]),
        _share(it["within_10"]),
        _share(it["within_25"]),
        "-" if rank is None else f"{rank:.2f}",
        *more,
    )


def _served(it: dict[str, Any]) -> list[RenderableType]:
    """Rows in whose time prompts have a part."""
    headings = ("", "rows", "MAPE", "bias", "within 10 %", "within 25 %", "rank")
    table = Table(
        *headings, "bound's MAPE", "beyond bound", box=None, title_justify="left",
        title="prompts in the time: calibration as it is, static or continuous batching",
    )  # fmt: skip
    for source, each in it["by_source"].items():
        _row(table, source, each, "mape", _share(each["ideal_mape"]), str(each["beyond_bound"]))
    parts: list[RenderableType] = []
    if it["rows"]:
        parts = [table, Text(f"{it['rows']} rows: MAPE {_share(it['macro_mape'])} over sources")]
    if most := it["maxima"]:
        parts += [
            Text(f"{most['rows']} maxima for untold users: at the middle"
                 f" {per_cent(most['reached_of_bound'])} of the bound is reached, and"
                 f" {per_cent(most['reached_of_calibrated'])} of the calibrated rate;"
                 f" beyond the bound: {most['beyond_bound']}")
        ]  # fmt: skip
    return parts


def _above_bound(rows: list[dict[str, Any]]) -> list[Text]:
    """How many rows are quicker than hardware allows, and where."""
    if not rows:
        return [Text("no row is quicker than the bound of the best mapping on its chips")]
    where = ", ".join(f"{it['line']} ({it['source']}, {it['model']})" for it in rows[:8])
    return [
        Text(
            f"{len(rows)} rows are quicker than the bound of the best mapping on their chips; lines"
            f" {where}"
        )
    ]


_FIRST_TOKEN = {
    "ideal": "first token: bare bound",
    "as_is": "first token: calibration as it is",
    "by_cell": "first token: cell left out",
}


def _first_tokens(record: dict[str, Any]) -> list[RenderableType]:
    """Times to the first token, where the file tells them."""
    if "ttft_rows" not in record:
        return []
    reasons = Counter(it["reason"] for it in record["ttft_skipped_rows"])
    left_out = [Text(f"  {count} x {why}") for why, count in reasons.most_common(_MOST_REASONS)]
    table = Table(
        "", "MAPE", "bias", "within 10 %", "within 25 %", box=None, title_justify="left",
        title=f"{record['ttft_rows']} times to the first token",
    )  # fmt: skip
    for name, it in record["ttft_schemes"].items():
        shares = (it[key] for key in ("macro_mape", "bias", "within_10", "within_25"))
        table.add_row(_FIRST_TOKEN[name], *map(_share, shares))
    heading = f"{sum(reasons.values())} times to the first token not scored"
    return [table, *([Text(heading, style="bold"), *left_out] if reasons else [])]


def _unmeasured(engines: list[str]) -> list[Text]:
    """Engines of which the calibration knows nothing."""
    if not engines:
        return []
    named = ", ".join(engines)
    return [Text(f"no measurement of {named} is in the calibration: engines at large were taken")]


def validation_view(found: Validation) -> RenderableType:
    """Errors, averaged over sources and of each group."""
    record = found.record
    headings = ("", "rows", "MAPE", "bias", "within 10 %", "within 25 %", "rank")
    schemes = Table(*headings, box=None, title="averaged over sources", title_justify="left")
    for name, it in record["schemes"].items():
        _row(schemes, _SCHEMES[name], it, "macro_mape")
    tables = []
    for group, each in record["groups"].items():
        table = Table(*headings, box=None, title=f"by {group}", title_justify="left")
        for label, it in each.items():
            _row(table, label, it, "mape")
        tables.append(table)
    floor = record["noise_floor"]
    coverage = ", ".join(f"{_SCHEMES[k]} {per_cent(v)}" for k, v in record["coverage"].items())
    return Group(
        Text(f"{record['rows']} rows against calibration {record['calibration']}", style="bold"),
        Text(f"judged by {record['basis']}"),
        schemes,
        *tables,
        *(_served(record["served"]) if record["served"] else []),
        *_first_tokens(record),
        *_above_bound(record["above_bound"]),
        *_unmeasured(record["unmeasured_engines"]),
        *([Text(f"90 % intervals cover: {coverage}")] if coverage else []),
        Text(f"noise of the data: median {per_cent(floor['median'])}, 90th percentile"
             f" {per_cent(floor['p90'])} between captures of one configuration"),
        *_skipped(found.measured),
    )  # fmt: skip
