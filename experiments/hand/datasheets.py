"""Rows of data sheets as plain numbers: a value times its unit, and NaN for what nobody published.

A row is `{ value = 3.35, unit = "TB/s" }` or `{ unknown = "reason" }`; a design may also say
`"3.35 TB/s"`, or a bare number in SI.
"""

import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[2] / "liminal_jax" / "data"
"""Where the data files are."""

K, M, G, T, P = 1e3, 1e6, 1e9, 1e12, 1e15
KI, MI, GI, TI = 2.0**10, 2.0**20, 2.0**30, 2.0**40
MM2 = 1e-6
"""A square millimetre [m^2]."""
PICO_BIT = 8e-12
"""A picojoule a bit, for each byte [J/B]."""

UNITS = {
    "": 1.0,
    "1/cm2": 1e4,
    "1/mm2": 1 / MM2,
    "1/ps": 1e12,
    "MB": M,
    "GB": G,
    "MiB": MI,
    "GiB": GI,
    "MB/mm2": M / MM2,
    "MiB/mm2": MI / MM2,
    "Gibit/mm2": GI / 8 / MM2,
    "GB/s": G,
    "TB/s": T,
    "TiB/s": TI,
    "GB/s/mm2": G / MM2,
    "TB/s/GB": T / G,
    "TFLOP/s": T,
    "PFLOP/s": P,
    "TFLOP/s/mm2": T / MM2,
    "W": 1.0,
    "W/mm2": 1 / MM2,
    "W*s/GB": 1 / G,
    "W*s/TB": 1 / T,
    "J/B": 1.0,
    "pJ/B": 1e-12,
    "pJ/bit": PICO_BIT,
    "pJ/FLOP": 1e-12,
    "s": 1.0,
    "us": 1e-6,
    "ns": 1e-9,
    "year": 365.25 * 24 * 3600,
    "mm": 1e-3,
    "mm2": MM2,
    "mm*s/GB": 1e-3 / G,
    "mm2*s/GB": MM2 / G,
    "USD": 1.0,
    "USD/W": 1.0,
    "USD/GB": 1 / G,
    "USD/GiB": 1 / GI,
    "USD/mm2": 1 / MM2,
    "USD/kWh": 1 / 3.6e6,
    "USD*s/GB": 1 / G,
}
"""What one of each unit is in SI."""


def number(row: Any) -> float:
    """A row in SI.

    Examples:
        >>> number({"value": 2, "unit": "TB/s"}), number("1 us"), number(3)
        (2000000000000.0, 1e-06, 3.0)
    """
    if isinstance(row, str):
        value, _, unit = row.partition(" ")
        return float(value) * UNITS[unit]
    if isinstance(row, Mapping):
        return math.nan if "unknown" in row else row["value"] * UNITS[row.get("unit", "")]
    return float(row)


def rows(table: Mapping[str, Any]) -> dict[str, Any]:
    """A table with numbers in SI; words and inner tables stay."""
    return {name: _plain(name, it) for name, it in table.items()}


def _plain(name: str, it: Any) -> Any:
    if isinstance(it, Mapping) and not {"value", "unknown"} & set(it):
        return rows(it)
    return it if name in WORDS else number(it)


WORDS = {
    *("name", "title", "vendor", "status", "about", "place"),
    *("process", "technology", "topology", "holds"),
}
"""Keys whose values are words."""


def sheet(file: str | Path, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A data file in SI, with some rows replaced.

    Args:
        file: Relative to the data files, or a path of its own.
        changes: Rows that take the place of the file's.
    """
    table = tomllib.loads((DATA / file).read_text(encoding="utf-8"))
    return rows({**table, **(changes or {})})
