"""Traces of requests: how many tokens their prompts and answers have."""

import csv
import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict

from liminal_jax._files import InputError, Problem, did_you_mean, unreadable
from liminal_jax.data.files import data_tables
from liminal_jax.data.validation import validated

FOLDER = Path(__file__).parent / "traces"

PROMPT = (
    "input_tokens",
    "prompt_tokens",
    "ContextTokens",
    "Request tokens",
    "input_length",
    "prompt_len",
    "num_prefill_tokens",
    "isl",
)
"""Columns of the tokens of a prompt, as traces call them: Azure's, BurstGPT's, Mooncake's, ..."""

ANSWER = (
    "output_tokens",
    "completion_tokens",
    "GeneratedTokens",
    "Response tokens",
    "output_length",
    "output_len",
    "num_decode_tokens",
    "osl",
)
"""Columns of the tokens of an answer."""

COUNT = ("count", "weight", "requests")
"""Columns that say how often a row counts; once where there is none."""


class Trace(NamedTuple):
    """Requests, one or several alike in each row.

    Attributes:
        prompts: Tokens of the prompt.
        answers: Tokens of the answer.
        counts: Requests of these lengths.
    """

    prompts: Float[np.ndarray, " rows"]
    answers: Float[np.ndarray, " rows"]
    counts: Float[np.ndarray, " rows"]

    def mean_context(self) -> float:
        """Mean context of a step that decodes, over all steps.

        Examples:
            >>> Trace(np.array([0.0, 10.0]), np.array([2.0, 6.0]), np.ones(2)).mean_context()
            10.0
        """
        tokens = self.counts * self.answers
        return float(tokens @ (self.prompts + self.answers / 2) / tokens.sum())


class TraceRow(BaseModel):
    """Where a trace that comes with the package is from.

    Attributes:
        about: What was recorded.
        requests: Requests in it.
        source: The publication.
        where: Where it lies.
        licence: On which terms.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    about: str
    requests: int
    source: str
    where: str
    licence: str


@cache
def trace_rows() -> dict[str, TraceRow]:
    """The traces that come with the package, by name.

    Examples:
        >>> trace_rows()["azure-conversation"].requests
        19366
    """
    tables = data_tables("traces.toml")
    return {name: validated(TraceRow, it, f"traces.toml: {name}") for name, it in tables.items()}


def shipped_trace(name: str) -> Trace:
    """A trace that comes with the package.

    Raises:
        InputError: there is none of this name.

    Examples:
        >>> trace = shipped_trace("azure-conversation")
        >>> round(float(trace.counts @ trace.answers / trace.counts.sum()))
        211
    """
    if name not in trace_rows():
        hint = did_you_mean(name, trace_rows()) or f"; there are {', '.join(trace_rows())}"
        raise InputError("", [Problem("", f"there is no trace {name!r}{hint}")])
    return read_trace(FOLDER / f"{name}.csv")


def read_trace(path: Path | str) -> Trace:
    """The trace in a file: comma-separated values with a header, or JSON objects, one a line.

    Times of arrival are not read: requests do not wait in a queue.

    Raises:
        InputError: the file cannot be read, lacks a column, has fewer than two requests, or states
            a length that is no number of at least one token.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(_objects(file) if path.suffix == ".jsonl" else csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error, json.JSONDecodeError) as error:
        raise InputError(str(path), [Problem("", unreadable(error))]) from None
    columns = dict.fromkeys(str(name) for row in rows for name in row)
    prompt, answer, count = (_column(columns, it) for it in (PROMPT, ANSWER, COUNT))
    problems = [
        Problem(
            "", f"has no column of {what}: it has {', '.join(columns) or 'none'}; name one {one}"
        )
        for what, found, one in (
            ("tokens of the prompt", prompt, " or ".join(PROMPT)),
            ("tokens of the answer", answer, " or ".join(ANSWER)),
        )
        if found is None
    ]
    if not problems and len(rows) < 2:
        problems = [Problem("", f"a trace needs two requests at least, this one has {len(rows)}")]
    if problems:
        raise InputError(str(path), problems)
    prompts, answers = (_numbers(rows, it) for it in (prompt, answer))
    counts = np.ones(len(rows)) if count is None else _numbers(rows, count)
    wrong = [
        _wrong(what, column, found, found < least, rule)
        for what, column, found, least, rule in (
            ("a prompt", prompt, prompts, 1.0, "must have one token at least"),
            (
                "an answer",
                answer,
                answers,
                1.0,
                "must have one token at least; leave out requests that failed",
            ),
            ("a row", count, counts, np.nextafter(0.0, 1.0), "must count more than 0"),
        )
    ]
    found = [it for it in wrong if it is not None]
    if found:
        raise InputError(str(path), found)
    return Trace(prompts, answers, counts)


def _objects(lines: Iterable[str]) -> Iterable[dict[str, Any]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        found = json.loads(line)
        if not isinstance(found, dict):
            raise json.JSONDecodeError(f"line {number} is no object", line, 0)
        yield found


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _column(columns: Iterable[str], names: tuple[str, ...]) -> str | None:
    """The first of some columns that has one of some names, whatever its case and its spaces."""
    known = {_plain(it) for it in names}
    return next((it for it in columns if _plain(it) in known), None)


def _numbers(rows: list[dict[str, Any]], column: str | None) -> Float[np.ndarray, " rows"]:
    """A column; NaN where it holds no finite number."""
    return np.asarray([_number(row.get(str(column))) for row in rows])


def _number(cell: Any) -> float:
    try:
        found = float(cell)
    except (TypeError, ValueError):
        return np.nan
    return found if np.isfinite(found) else np.nan


def _wrong(
    what: str, column: str | None, found: np.ndarray, low: np.ndarray, rule: str
) -> Problem | None:
    """What is wrong with a column, if anything: how often, and where first."""
    bad = np.flatnonzero(low | np.isnan(found))
    if not len(bad):
        return None
    first = bad[0]
    value = "no number" if np.isnan(found[first]) else f"{found[first]:g}"
    rows = "1 row breaks" if len(bad) == 1 else f"{len(bad):,} rows break"
    return Problem(str(column), f"{what} {rule}; {rows} this, first request {first + 1}: {value}")
