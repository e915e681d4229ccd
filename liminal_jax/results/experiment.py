"""An experiment: its question, its verdicts, its figures, its numbers."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from liminal_jax.results.page import Page, Picture, section, table
from liminal_jax.results.question import about

HOLDS = "holds"
"""What experiments say of a claim that holds without limits."""


def page(record: Mapping[str, Any], folder: Path) -> Page:
    """The page of an experiment.

    Args:
        record: Its results.
        folder: Its folder, with its settings and figures.
    """
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    verdicts = record.get("verdicts") or []
    sections = (
        section("verdicts", table((it["claim"], it["verdict"], it["sentence"]) for it in verdicts)),
        *(section(it.stem.replace("_", " "), _picture(it)) for it in sorted(folder.glob("*.png"))),
        section("settings", table((key, json.dumps(value)) for key, value in settings.items())),
    )
    return Page(folder.name, about(record), (_answer(verdicts),), sections)


def _answer(verdicts: list[Mapping[str, Any]]) -> str:
    if not verdicts:
        return "results of an experiment"
    held = sum(it["verdict"] == HOLDS for it in verdicts)
    return f"{held} of {len(verdicts)} claims hold without limits"


def _picture(path: Path) -> Picture:
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return Picture(f"data:image/png;base64,{data}", path.stem)
