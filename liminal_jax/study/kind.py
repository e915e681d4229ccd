"""What every record begins with; it loads no JAX."""

from typing import Any

SCHEMA = 1
"""Of all records: it grows where a key changes its meaning."""

PROVENANCE = "provenance"
"""Where a record that was printed, and stands in no folder, tells with what it was computed."""


def kind_record(kind: str) -> dict[str, Any]:
    """What a record begins with: the kind of the result, and how its keys are to be read."""
    return {"kind": kind, "schema": SCHEMA}
