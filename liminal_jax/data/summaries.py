"""Summaries of the bundled models, from a table kept beside them, so that lists need no JAX.

The table follows from the model files and the classes. Write it again when either changes:

    python -m liminal_jax.data.summaries
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from liminal_jax.workload.summary import Counts, LayerSummary, PartSummary, Summary

TABLE = Path(__file__).parent / "models" / "summaries.json"
"""One line a model, so that a change shows as the lines of the models that it is about."""


@cache
def bundled_summaries() -> dict[str, Summary]:
    """The summary of every bundled model, by name in alphabetical order."""
    rows = [_summary(row) for row in json.loads(TABLE.read_text(encoding="utf-8"))]
    return {row.name: row for row in rows}


def load_summary(name_or_path: str) -> Summary:
    """The summary of a model: from the table where it is bundled, else worked out.

    Args:
        name_or_path: As in `load_model_spec`.

    Raises:
        InputError: For an unknown name, or with every mistake of the file.

    Examples:
        >>> load_summary("llama-3-8b").counts.total
        8030261248
    """
    if name_or_path in bundled_summaries():
        return bundled_summaries()[name_or_path]
    from liminal_jax.data.models import load_model_spec
    from liminal_jax.workload.summarised import summarised

    return summarised(load_model_spec(name_or_path))


def table_text() -> str:
    """The table as it follows from the model files and the classes."""
    from liminal_jax.data.models import load_model_spec, model_names
    from liminal_jax.workload.summarised import summarised

    rows = [_row(summarised(load_model_spec(name))) for name in model_names()]
    return "[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n"


def _row(summary: Summary) -> dict[str, Any]:
    layers = [
        [it.number, *(None if part is None else list(part) for part in it[1:])]
        for it in summary.layers
    ]
    return {**summary._asdict(), "layers": layers, "counts": summary.counts._asdict()}


def _summary(row: dict[str, Any]) -> Summary:
    layers = tuple(
        LayerSummary(number, *(None if part is None else PartSummary(*part) for part in parts))
        for number, *parts in row["layers"]
    )
    return Summary(**{**row, "layers": layers, "counts": Counts(**row["counts"])})


if __name__ == "__main__":
    TABLE.write_text(table_text(), encoding="utf-8")
