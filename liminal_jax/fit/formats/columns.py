"""Measurements in columns of our own, which `liminal calibrate --help-all` tells."""

import csv
import math
from collections.abc import Iterable, Mapping

from liminal_jax._files import InputError, Problem, did_you_mean
from liminal_jax.fit.formats.row import METRICS, NUMBERS, TEXTS, Refusal, Row, purity

REQUIRED = (
    "model",
    "gpu",
    "num_gpus",
    "tp",
    "batch_or_concurrency",
    "weight_bits",
    "isl",
    "osl",
    "metric",
    "value",
    "engine",
    "source_id",
)
FIRST_TOKEN = ("ttft_ms_median", "ttft_ms_mean")
"""Columns of the time to the first token; a file that has one of them need not have the next."""
_OF_DECODE = ("metric", "value")
_TOKEN_TIMES = ("tpot_ms_median", "tpot_ms_mean", "itl_ms_median")
"""Columns that tell the time of a token where there is no metric, the first told of them."""
_OWN = ("model", "gpu", "engine", "metric", "source_id")
"""Columns that hardly any other kind of table has, of which ours has some."""


def is_ours(header: Iterable[str]) -> bool:
    """Whether a heading is meant to be ours."""
    return len(set(_OWN) & set(header)) >= 2


def check_columns(header: Iterable[str], stated: Iterable[str], source: str) -> None:
    """Refuse a heading that lacks columns which no flag states.

    Raises:
        InputError: with every missing column.
    """
    present = [name for name in header if name]
    told = {*present, *stated}
    if told & set(FIRST_TOKEN):
        told.update(_OF_DECODE)
    missing = [name for name in REQUIRED if name not in told]
    if missing:
        others = [name for name in present if name not in REQUIRED]
        listed = "; `liminal calibrate --help-all` lists the columns"
        hints = {name: did_you_mean(name, others) or listed for name in missing}
        raise InputError(
            source, [Problem(name, f"is a missing column{hint}") for name, hint in hints.items()]
        )


def rows_of(entries: Iterable[tuple[int, Mapping[str, str | None]]]) -> list[Row | Refusal]:
    """The row of each line, or why it is none."""
    found: list[Row | Refusal] = []
    seen: dict[tuple[object, ...], int] = {}
    for line, entry in entries:
        told = {name: entry.get(name) or "" for name in (*NUMBERS, *TEXTS)}
        told["source_repo_or_url"] = told["source_repo_or_url"] or entry.get("source_repo") or ""
        row = _row(line, told | _token_time(entry))
        if isinstance(row, Row):
            key = tuple(getattr(row, name) for name in (*NUMBERS, *TEXTS))
            first = seen.setdefault(key, line)
            if first != line:
                row = Refusal(line, f"is the same as line {first}")
        found.append(row)
    return found


def _token_time(entry: Mapping[str, str | None]) -> dict[str, str]:
    """Metric, value and purity where a line tells the time of a token in a column of its own."""
    told = [name for name in _TOKEN_TIMES if (entry.get(name) or "").strip()]
    if (entry.get("metric") or "").strip() or not told:
        return {}
    found = {"metric": "tpot_ms", "value": entry[told[0]] or ""}
    if (entry.get("decode_purity") or "").strip():
        return found
    if (entry.get("queueing") or "").strip() == "yes":
        return found | {"decode_purity": "queue"}
    try:
        users, isl, osl = (
            float(entry.get(name) or "") for name in ("batch_or_concurrency", "isl", "osl")
        )
    except ValueError:
        return found
    return found | {"decode_purity": purity(isl, osl, users)}


def _row(line: int, entry: dict[str, str]) -> Row | Refusal:
    numbers: dict[str, float | None] = {}
    problems = []
    for name in NUMBERS:
        text = entry[name].strip()
        try:
            number = float(text) if text else None
        except ValueError:
            problems.append(f"{name}: {text!r} is not a number")
            continue
        least = 0.0 if name in ("isl", "osl") else math.ulp(0.0)
        if number is not None and not least <= number < math.inf:
            problems.append(f"{name}: {text} is impossible")
        numbers[name] = number
    metric = entry["metric"].strip()
    alone = not metric and any(numbers.get(name) is not None for name in FIRST_TOKEN)
    if metric not in METRICS and not alone:
        problems.append(f"metric: {metric!r} is unknown{did_you_mean(metric, METRICS)}")
    if entry["value"].strip() == "" and not alone:
        problems.append("value: is blank")
    if problems:
        return Refusal(line, "; ".join(problems))
    texts = {name: entry[name].strip() for name in TEXTS}
    return Row(line=line, **numbers, **texts)  # pyright: ignore[reportArgumentType]


def entries_of(lines: list[str]) -> tuple[list[str], list[tuple[int, dict[str, str | None]]]]:
    """Heading, and line and fields of each entry of a table with commas.

    Raises:
        csv.Error: quotes do not close, or the like.
    """
    reader = csv.DictReader(lines)
    header = [name for name in reader.fieldnames or [] if name]
    return header, [(reader.line_num, entry) for entry in reader]
