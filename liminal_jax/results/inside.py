"""Runs that lie inside the folder of an optimum, of the same study: they go onto its page."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from liminal_jax.results.kinds import kind_of

INSIDE = {"front": "pareto", "sensitivity": "sensitivity", "uncertainty": "uncertainty"}
"""Names of their folders, and what each is a run of."""


def with_runs_inside(record: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The record of an optimum with those of runs that lie inside its folder.

    Args:
        record: The record.
        folder: Its folder. Runs of another study there are left out.
    """
    found = {name: _read(folder / name / "result.json") for name in INSIDE}
    mine = {
        name: it
        for name, it in found.items()
        if kind_of(it) == INSIDE[name] and it["name"] == record["name"]
    }
    return {**record, **mine}


def _read(file: Path) -> dict[str, Any]:
    """What a run found; nothing where there is none."""
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
