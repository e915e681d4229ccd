"""What a sweep would take, on one screen."""

from rich.console import RenderableType
from rich.table import Table

from liminal_jax._display import plain, with_prefix
from liminal_jax.sweeps.estimate import Estimate
from liminal_jax.sweeps.plan import Plan


def estimate_view(plan: Plan, estimate: Estimate) -> RenderableType:
    """What a sweep would take, on one screen."""
    table = Table.grid(padding=(0, 2))
    rows = [
        ("points", f"{estimate.points:,}"),
        ("cases", f"{estimate.cases:,}, each compiled by itself"),
        ("blocks", f"{plan.blocks:,} of {plan.points.block:,} points in each case"),
        ("devices", f"{estimate.devices}"),
        (
            "on disk",
            f"{with_prefix(float(estimate.disk), 'B')}" if estimate.disk else "the outcome only",
        ),
        ("rate", f"{with_prefix(estimate.rate, '')} points/s, after {estimate.compiling:.1f} s"),
        ("about", _duration(estimate.seconds)),
    ]
    for name, value in rows:
        table.add_row(name, value)
    return table


def _duration(seconds: float) -> str:
    """A length of time in the unit that people would use.

    Examples:
        >>> _duration(7200.0)
        '2 h'
    """
    for unit, length in (("days", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length or (unit == "h" and seconds >= 2 * length):
            return f"{plain(seconds / length, 2)} {unit}"
    return f"{plain(seconds, 2)} s"
