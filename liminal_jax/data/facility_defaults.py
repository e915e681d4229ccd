"""What a system's file may leave to the facility around it; needs no JAX."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import Field

from liminal_jax.data.catalogue import DATA
from liminal_jax.data.files import tables_of

FACILITY_DEFAULTS = {
    ("chip", "idle_fraction"): "idle_fraction",
    ("network", "efficiency"): "network_efficiency",
    ("network", "scale_out_bandwidth"): "scale_out_bandwidth",
    ("network", "scale_out_latency"): "scale_out_latency",
}
"""Table and field of a file, and the field of the facility that stands for it if it is absent."""


@cache
def facility_tables() -> dict[str, Any]:
    """The rows of the facility that comes with the package, as they are written."""
    return tables_of(DATA / "facility.toml")


def with_defaults(table: str, rows: Mapping[str, Any]) -> dict[str, Any]:
    """Rows of a table of a system's file, of which some are the facility's where left out.

    Args:
        table: The table, as `FACILITY_DEFAULTS` has it.
        rows: Its rows, as `rows_of` gives them.
    """
    return {
        name: (row[0], _facility(default, row[1].description))
        if (default := FACILITY_DEFAULTS.get((table, name)))
        else row
        for name, row in rows.items()
    }


def _facility(field: str, label: str) -> Any:
    return Field(
        default_factory=lambda: facility_tables()[field], validate_default=True, description=label
    )
