"""The one place where a file of measurements is opened: which tool wrote it, and its rows."""

import csv
import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from liminal_jax._files import InputError, Problem, binary, unreadable
from liminal_jax.fit.formats import (
    columns,
    genai_perf,
    inferencex,
    llama_bench,
    others,
    sglang,
    vllm,
)
from liminal_jax.fit.formats.asked import check_complete, check_names, said_columns, stated
from liminal_jax.fit.formats.given import Given
from liminal_jax.fit.formats.row import Refusal, Row
from liminal_jax.fit.formats.values import Record, negative

Reader = Callable[[Record, int], Row | Refusal]

_JSON: tuple[tuple[Callable[[Record], bool], Reader], ...] = (
    (inferencex.reads, inferencex.row),
    (sglang.reads_serving, sglang.serving_row),
    (sglang.reads_one_batch, sglang.one_batch_row),
    (vllm.reads, vllm.row),
    (llama_bench.reads, llama_bench.row),
    (genai_perf.reads, genai_perf.row),
)
"""Which records are of which tool, the narrowest description first."""

_WRAPPERS = ("data", "results", "rows", "items", "benchmarks")
"""Keys under which others keep lists of records."""

_READ = (
    "vllm bench serve, SGLang bench_serving and bench_one_batch, llama-bench, genai-perf, aiperf,"
    " InferenceX, and the columns that `liminal calibrate --help-all` lists"
)
_SUFFIXES = (".json", ".jsonl", ".csv", ".md", ".txt")

NO_FILES = f"holds no files of measurements ({', '.join(_SUFFIXES)}); name another"
"""What is wrong with a folder of other things."""


def _reader(record: Record) -> Reader | None:
    """What reads a record, if a tool wrote it; the heading of a table stands for its entries."""
    return next((row for reads, row in _JSON if reads(record)), None)


def read_rows(path: Path | str, given: Given | None = None) -> tuple[list[Row], list[Refusal]]:
    """The rows of a file or of a folder of results, and the parts that are none.

    Args:
        path: A file that one of the tools wrote, or in our columns; or a folder of such files.
        given: What the user says of all its rows.

    Raises:
        InputError: nothing can be read, or no row says all that a prediction needs.
    """
    given = Given() if given is None else given
    check_names(given)
    source = str(path)
    found, ours = _folder(Path(path), given) if Path(path).is_dir() else _file(Path(path), given)
    rows = stated([it for it in found if isinstance(it, Row)], given, source)
    refused = [it for it in found if isinstance(it, Refusal)]
    if not ours:
        if not rows:
            raise InputError(source, [Problem(f"record {it.line}", it.reason) for it in refused]
                             or [Problem("", "holds no measurements")])  # fmt: skip
        check_complete(rows, source)
        rows = [_all_chips(it) for it in rows]
    return rows, refused


def _all_chips(row: Row) -> Row:
    """A row with as many chips as its ranks, where a tool does not tell them."""
    if row.num_gpus is not None or row.tp is None:
        return row
    return dataclasses.replace(row, num_gpus=row.tp * (row.pp or 1.0))


def _folder(folder: Path, given: Given) -> tuple[list[Row | Refusal], bool]:
    """Rows of every file of a folder of results; what cannot be read is said."""
    found: list[Row | Refusal] = []
    paths = sorted(it for it in folder.rglob("*") if it.suffix in _SUFFIXES)
    problems: list[Problem] = []
    for path in paths:
        try:
            each, _ = _file(path, given)
        except InputError as error:
            problems += [Problem(path.name, it.message) for it in error.problems]
            found.append(Refusal(1, f"{path.name}: {error.problems[0].message}"))
            continue
        for it in each:
            if isinstance(it, Row):
                found.append(dataclasses.replace(it, source_path=path.name))
            else:
                found.append(Refusal(it.line, f"{path.name}: {it.reason}"))
    if not any(isinstance(it, Row) for it in found):
        raise InputError(str(folder), problems or [Problem("", NO_FILES)])
    return found, False


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(str(path), [Problem("", unreadable(error))]) from None
    if wrong := binary(data[:512], "what a benchmark wrote as text in UTF-8, or a table in CSV"):
        raise InputError(str(path), [Problem("", wrong)])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(str(path), [Problem("", unreadable(error))]) from None


def _file(path: Path, given: Given) -> tuple[list[Row | Refusal], bool]:
    """Rows of one file, and whether they are in our columns."""
    text = _text(path)
    start = text.lstrip()
    if not start:
        raise InputError(str(path), [Problem("", "is empty")])
    if start[0] in "{[":
        return _of_json(text, str(path)), False
    return _of_lines(text.splitlines(), given, str(path))


def _of_lines(lines: list[str], given: Given, source: str) -> tuple[list[Row | Refusal], bool]:
    """Rows of a table, and whether they are in our columns."""
    first = next(line for line in lines if line.strip())
    if any(llama_bench.reads_table(line) for line in lines):
        records = llama_bench.table_records(lines)
        return [llama_bench.row(record, line) for line, record in records], False
    if genai_perf.reads_heading(first):
        return [genai_perf.row(genai_perf.table_record(lines), 1)], False
    kind = others.separator_kind(first) or others.printed_kind(lines)
    try:
        header, entries = columns.entries_of(lines)
    except csv.Error as error:
        raise InputError(source, [Problem("", unreadable(error))]) from None
    if (reader := _reader(dict.fromkeys(header))) is not None:
        return [reader(entry, line) for line, entry in entries], False
    if kind := kind or others.header_kind(header):
        raise InputError(source, [Problem("", kind if "separate" in kind else f"is {kind}")])
    if not columns.is_ours(header) and len(header) < 2:
        raise InputError(source, [Problem("", f"is no table; read are {_READ}")])
    columns.check_columns(header, said_columns(given), source)
    return columns.rows_of(entries), True


def _of_json(text: str, source: str) -> list[Row | Refusal]:
    """Rows of JSON: one value, several after each other, or one a line."""
    records, broken = _records(text)
    found: list[Row | Refusal] = []
    unknown: list[tuple[int, str]] = []
    for line, record in records:
        reader = _reader(record)
        if reader is not None and (below := negative(record)):
            found.append(Refusal(line, f"{below} is impossible"))
        elif reader is None:
            unknown.append((line, others.record_kind(record)))
        else:
            found.append(reader(record, line))
    if not any(isinstance(it, Row) for it in found) and (broken or unknown):
        raise InputError(source, [Problem("", _refusal(broken, unknown))])
    found += [Refusal(line, f"is {kind or 'no record of a tool that is read'}")
              for line, kind in unknown]  # fmt: skip
    return [*found, *([Refusal(*broken)] if broken else [])]


def _refusal(broken: tuple[int, str] | None, unknown: Sequence[tuple[int, str]]) -> str:
    kinds = [kind for _, kind in unknown if kind]
    if kinds:
        return f"is {kinds[0]}"
    if broken:
        return f"{broken[1]}, line {broken[0]}"
    return f"is JSON, but of no tool that is read; read are {_READ}"


def _records(text: str) -> tuple[list[tuple[int, dict[str, Any]]], tuple[int, str] | None]:
    """Place and content of each record, and where and why reading stopped, if it did."""
    decoder = json.JSONDecoder()
    found: list[tuple[int, dict[str, Any]]] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        while text[at] in " \t\r\n,":
            at += 1
        line = text.count("\n", 0, at) + 1
        try:
            value, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            return found, (error.lineno, _broken(error, end, text[at:]))
        except RecursionError:
            return found, (line, "is JSON nested too deep to be a result")
        found += _flat(value, line)
    return found, None


def _broken(error: json.JSONDecodeError, end: int, record: str) -> str:
    if '"traceEvents"' in record[:4096]:
        return "is a truncated trace of the profiler"
    ends = error.pos >= end - 1 or "Unterminated" in error.msg
    return (
        "is truncated JSON: it ends in the middle of a record"
        if ends
        else (f"is no JSON: {error.msg}")
    )


def _flat(value: Any, line: int) -> list[tuple[int, dict[str, Any]]]:
    """Records of a value: itself, those of a list, or those that a dump joins."""
    if isinstance(value, dict):
        if inferencex.reads_dump(value):
            return list(enumerate(inferencex.joined(value), 1))
        return _unwrapped(value) or [(line, value)]
    if isinstance(value, list):
        return [(at, it) for at, it in enumerate(value, 1) if isinstance(it, dict)]
    return []


def _unwrapped(value: dict[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    """Records of a list that a value wraps, where a tool wrote them."""
    if _reader(value) is not None:
        return []
    for name in _WRAPPERS:
        items = value.get(name)
        if isinstance(items, list):
            records = [(at, it) for at, it in enumerate(items, 1) if isinstance(it, dict)]
            if any(_reader(it) is not None for _, it in records):
                return records
    return []
