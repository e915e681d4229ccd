"""An experiment: its question, its verdicts, its figures, its numbers."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from liminal_jax.view.report.parts import section, table, text

HOLDS = "holds"
"""What experiments say of a claim that holds without limits."""


def answer(record: Mapping[str, Any]) -> str:
    """The answer in one line."""
    verdicts = record.get("verdicts") or []
    if not verdicts:
        return "Results of an experiment"
    held = sum(it["verdict"] == HOLDS for it in verdicts)
    return f"{held} of {len(verdicts)} claims hold without limits"


def sections(record: Mapping[str, Any], folder: Path) -> list[str]:
    """What there is to say of it.

    Args:
        record: Its results.
        folder: Its folder, with its figures.
    """
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    rows = [(text(key), text(json.dumps(value))) for key, value in settings.items()]
    return [
        section("verdicts", table([_verdict(it) for it in record.get("verdicts") or []])),
        *(section(it.stem.replace("_", " "), _picture(it)) for it in sorted(folder.glob("*.png"))),
        section("settings", table(rows)),
    ]


def _verdict(it: Mapping[str, Any]) -> tuple[str, str, str]:
    return text(it["claim"]), text(it["verdict"]), text(it["sentence"])


def _picture(path: Path) -> str:
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return f'<img src="data:image/png;base64,{data}" alt="{text(path.stem)}">'
