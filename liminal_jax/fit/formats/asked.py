"""Rows with what the user says of them, and the question for what nobody says."""

import dataclasses
import math
from collections.abc import Sequence

from liminal_jax._files import InputError, Problem
from liminal_jax.data.names import model_named, system_named
from liminal_jax.fit.formats.given import Given
from liminal_jax.fit.formats.row import Row

_FIELDS = {
    "model": "model",
    "system": "gpu",
    "engine": "engine",
    "tp": "tp",
    "pp": "pp",
    "ep": "ep",
    "weight_bits": "weight_bits",
    "kv_bits": "kv_bits",
    "concurrency": "batch_or_concurrency",
    "isl": "isl",
    "osl": "osl",
}
"""Flags, and the fields of a row that they state."""

_ASKED = ("model", "system", "engine", "tp", "weight_bits", "concurrency", "isl", "osl")
"""Flags without which nothing can be predicted, in the order that they are asked for."""

ALIKE = 0.1
"""Relative difference up to which a flag and a file say the same: what a file tells of users at
once, and of lengths, is a mean."""

_NAMES = ("model", "system", "engine")
"""Flags that stand above what a file says: it may name a folder or a server."""

_USUAL = {"kv_bits": "16 where left out", "ep": "1 where left out"}


def said_columns(given: Given) -> tuple[str, ...]:
    """Fields of a row that a user says."""
    return tuple(field for flag, field in _FIELDS.items() if getattr(given, flag) is not None)


def check_names(given: Given) -> None:
    """Refuse a model or a system that nobody knows.

    Raises:
        InputError: there is none of that name.
    """
    known = {"model": model_named, "system": system_named}
    problems = [
        Problem(
            f"--{kind}", f"there is no {kind} {name!r}; `liminal {kind}s` lists those there are"
        )
        for kind, named in known.items()
        if (name := getattr(given, kind)) is not None and not is_path(name) and named(name) is None
    ]
    if problems:
        raise InputError("", problems)


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def stated(rows: Sequence[Row], given: Given, source: str) -> list[Row]:
    """Rows with what the user says of all of them.

    Raises:
        InputError: a row says a number that is far from a flag's.
    """
    said = {flag: value for flag in _FIELDS if (value := getattr(given, flag)) is not None}
    contradicted = []
    for flag, value in said.items():
        if flag in _NAMES:
            continue
        told = {getattr(it, _FIELDS[flag]) for it in rows} - {None}
        if others := {it for it in told if not math.isclose(it, value, rel_tol=ALIKE)}:
            listed = ", ".join(f"{it:g}" for it in sorted(others)[:4])
            message = f"is {value:g}, but the file says {listed} itself; leave it out"
            contradicted.append(Problem(_flag(flag), message))
    if contradicted:
        raise InputError(source, contradicted)
    changes = {
        _FIELDS[flag]: value if flag in _NAMES else float(value) for flag, value in said.items()
    }
    return [dataclasses.replace(row, **changes) for row in rows]


def is_path(text: str) -> bool:
    """Whether a model or a system is named by a file of the user's own."""
    return text.endswith((".toml", ".json"))


def _lacks(row: Row) -> set[str]:
    """Flags that a row needs."""
    lacking = {flag for flag in _ASKED if getattr(row, _FIELDS[flag]) in (None, "")}
    if row.model and not is_path(row.model) and model_named(row.model) is None:
        lacking.add("model")
    if row.gpu and not is_path(row.gpu) and system_named(row.gpu) is None:
        lacking.add("system")
    if row.request_rate is not None and not row.metric:
        lacking.discard("concurrency")
    return lacking


def _asked_for(flag: str, rows: Sequence[Row]) -> str:
    """One flag to add, and why what the file says does not do."""
    said = sorted({str(getattr(it, _FIELDS[flag])) for it in rows} - {"", "None"})
    what = "NAME" if flag in _NAMES else "N"
    if flag == "model":
        what = "NAME or config.json"
    if flag == "system":
        what = "NAME or FILE.toml"
    known = f" (it says {said[0]!r}, which is not one that comes along)" if said else ""
    return f"{_flag(flag)} {what}{known}"


def check_complete(rows: Sequence[Row], source: str) -> None:
    """Ask once for all that no row says.

    Raises:
        InputError: no row says all that a prediction needs.
    """
    lacking = [_lacks(row) for row in rows]
    if not rows or not all(lacking):
        return
    wanted = set.intersection(*lacking) or set.union(*lacking)
    asked = [_asked_for(flag, rows) for flag in _ASKED if flag in wanted]
    may = [
        f"{_flag(flag)} N, {usual}"
        for flag, usual in _USUAL.items()
        if all(getattr(it, _FIELDS[flag]) is None for it in rows)
    ]
    also = f" (and {', '.join(may)})" if may else ""
    raise InputError(source, [Problem("", f"does not say all; add {', '.join(asked)}{also}")])
