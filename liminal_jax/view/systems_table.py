"""The systems that come with the package as a table."""

from collections.abc import Iterable

from rich.table import Table

from liminal_jax.data.system_lines import SystemLine


def systems_table(systems: Iterable[SystemLine]) -> Table:
    """One line a system: what decides decode, as the sources print it."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("name", no_wrap=True)
    for heading in ("bandwidth", "capacity", "8-bit rate"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("memory", no_wrap=True)
    table.add_column("domain", justify="right", no_wrap=True)
    table.add_column("topology", no_wrap=True)
    table.add_column("status", overflow="fold", min_width=6)
    for system in systems:
        table.add_row(*system)
    return table
