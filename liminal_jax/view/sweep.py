"""A sweep on one screen: what was swept, the best points, the front, the spread."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from liminal_jax._display import plain, with_prefix
from liminal_jax.sweeps.estimate import Estimate
from liminal_jax.sweeps.outputs import OUTPUTS
from liminal_jax.sweeps.plan import Plan

MOST_ROWS = 20
"""Points that a screen shows; the files hold all."""

_SHOWN = {"USD": ("USD", 1.0), "W": ("kW", 1e-3), "m2": ("mm2", 1e6), "s": ("ms", 1e3)}
"""Units in which tables show outputs, and what SI is multiplied by; others as they are."""


def shown(name: str) -> tuple[str, float]:
    """The unit in which an output is shown, and what its value in SI is multiplied by.

    Examples:
        >>> shown("power")
        ('kW', 0.001)
    """
    unit = OUTPUTS[name].unit
    return _SHOWN.get(unit, (unit, 1.0))


def goal_of(goal: Mapping[str, str]) -> str:
    """The output of a goal as JSON has it."""
    (name,) = goal.values()
    return name


def _section(title: str, part: RenderableType) -> Group:
    return Group(Text(), Text(title, style="bold"), Padding(part, (0, 0, 0, 2)))


def varying(record: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names and axes that are worth a column: those that differ among some points, or all few."""
    paths = [*record["names"], *(axis["path"] for axis in record["axes"])]
    differing = [path for path in paths if len({row[path] for row in rows}) > 1]
    return differing or paths[:6]


def _points(record: dict[str, Any], rows: Sequence[dict[str, Any]]) -> Table:
    """A table of points: what tells them apart, and their goals."""
    outputs = list(dict.fromkeys([*map(goal_of, record["goals"]), "utps", "stps"]))
    units = {axis["path"]: axis["unit"] for axis in record["axes"]}
    columns = varying(record, rows)[:8]
    table = Table(box=None, pad_edge=False, header_style="dim")
    for path in columns:
        table.add_column(path.rsplit(".", 1)[-1].replace("_", " "), justify="right")
    for name in outputs:
        unit, _ = shown(name)
        words = name.replace("_", " ")
        table.add_column(f"{words}\n[{unit}]" if unit else words, justify="right")
    for row in rows[:MOST_ROWS]:
        cells = [axis_value(row[path], units.get(path, "")) for path in columns]
        table.add_row(*cells, *(_output(row, name) for name in outputs))
    return table


def axis_value(value: Any, unit: str) -> str:
    """A value of an axis in the unit that people use.

    Args:
        value: A number in SI, or a name.
        unit: Its unit in SI.
    """
    if isinstance(value, str):
        return value
    if unit == "m2":
        return f"{plain(value * 1e6, 4)} mm2"
    if unit in ("", "1/m2", "m2*s/B", "1/s"):
        return plain(value, 4) if abs(value) < 1e6 else f"{value:.4g}"
    return with_prefix(value, unit, 4)


def _output(row: dict[str, Any], name: str) -> str:
    value, (_, scale) = row["outputs"][name], shown(name)
    return "unknown" if value is None else plain(value * scale, 4)


def _shared(record: dict[str, Any], rows: Sequence[dict[str, Any]]) -> str:
    """What all of some points have in common."""
    units = {axis["path"]: axis["unit"] for axis in record["axes"]}
    paths = [*record["names"], *units]
    same = [path for path in paths if len({row[path] for row in rows}) == 1]
    if len(same) == len(paths) or not same:
        return ""
    return ", ".join(f"{path} {axis_value(rows[0][path], units.get(path, ''))}" for path in same)


def sweep_view(record: dict[str, Any], folder: str, done: int, seconds: float) -> RenderableType:
    """The screen of a sweep.

    Args:
        record: Its outcome.
        folder: Where it is written.
        done: Points evaluated by this process, just now.
        seconds: How long that took.
    """
    rate = f"; {done:,} of them just now in {seconds:.1f} s" if done else ""
    axes = ", ".join([*record["names"], *(axis["path"] for axis in record["axes"])])
    heading = Text.assemble(
        (f"{record['study']}: ", "bold"), f"{record['points']:,} points over {axes}{rate}"
    )
    parts: list[RenderableType] = [heading]
    if "outputs" in record:
        parts.append(Text(f"kept: {', '.join(record['outputs'])}"))
    else:
        parts.append(Text(f"{record['feasible']:,} keep every limit"))
    if record.get("top"):
        ((side, name),) = record["goals"][0].items()
        best = "most" if side == "maximise" else "least"
        parts.append(_section(f"{best} {name}", _points(record, record["top"])))
        common = _shared(record, record["top"])
        if common:
            parts.append(Text(f"  all with {common}", style="dim"))
    if record.get("front"):
        count = len(record["front"])
        parts.append(_section(f"front: {count:,} points", _points(record, record["front"])))
        if count > MOST_ROWS:
            parts.append(Text(f"  and {count - MOST_ROWS:,} more in result.json", style="dim"))
    if "best_by" in record:
        rows = record["best_by"]["rows"]
        parts.append(_section(f"best by {record['best_by']['axis']}", _points(record, rows)))
    if record.get("histograms"):
        parts.append(_section("spread", _spread(record)))
    return Group(*parts, Text(), Text(f"written to {folder}"))


def _spread(record: dict[str, Any]) -> Table:
    """Quantiles of the outputs that were counted."""
    first = next(iter(record["histograms"].values()))
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("share of points")
    for share in first["quantiles"]:
        table.add_column(f"{float(share):.0%}", justify="right")
    for name, histogram in record["histograms"].items():
        unit, scale = shown(name)
        values = histogram["quantiles"].values()
        cells = ["none" if it is None else plain(it * scale) for it in values]
        table.add_row(f"{name} [{unit}]" if unit else name, *cells)
    return table


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
