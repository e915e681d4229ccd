"""One instance of a design: its time, memory, power and money."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from liminal_jax.view.report.parts import (
    PALETTE,
    drawing,
    listing,
    number,
    paragraph,
    section,
    table,
    text,
)
from liminal_jax.view.report.values import amount, design_rows, named, seconds, share, size

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

WORKLOAD_WORDS = {
    "model": "model",
    "context": "tokens of context",
    "weight_bits": "bits of a weight",
    "kv_bits": "bits of a cache element",
    "kv_format": "format of cached latents",
    "accounting": "accounting",
}
"""What each number of a workload is."""


def answer(record: Mapping[str, Any]) -> str:
    """The answer in one line."""
    utps, stps = named("utps", "utps", record["utps"]), named("stps", "stps", record["stps"])
    fit = "" if record["fits"] else "; the design does not fit in memory"
    return f"{utps} for each user, {stps} for all{fit}"


def sections(record: Mapping[str, Any], path: str = "", title: str = "the design") -> list[str]:
    """What there is to say of a prediction.

    Args:
        record: Its record.
        path: Where it stands in the record of the run, with a point at the end.
        title: Which design it is.
    """
    return [
        _design(record, path, title),
        section(
            "where the time goes",
            drawing(times(record), "the parts of a step"),
            table(_time_rows(record, path)),
        ),
        section(
            "memory, power and money",
            table(_resource_rows(record, path)),
            drawing(_shares(record), "shares of power and of capital", 300),
        ),
        _gains(record, path),
        section("what the numbers rest on", listing(record["basis"])),
    ]


def again(record: Mapping[str, Any]) -> list[str]:
    """The command that predicts finished hardware once more; none for anything else.

    Examples:
        >>> design = {"system": "h200", "tp": 8.0, "batch": 4.0}
        >>> " ".join(again({"workload": {"model": "a"}, "design": design, "assumptions": {}}))
        'liminal predict --model a --system h200 --tp 8 --batch-size 4'
    """
    design = record.get("design") or {}
    if "system" not in design or "chips" in design or record["assumptions"]:
        return []
    words = ["liminal", "predict"]
    for name, value in {**record["workload"], **design}.items():
        flag = "batch_size" if name == "batch" else name
        words += [f"--{flag.replace('_', '-')}", f"{value:.12g}" if _is_number(value) else value]
    return words


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


def _design(record: Mapping[str, Any], path: str, title: str) -> str:
    """What is predicted, as a table that can be read aloud; nothing where the run tells it."""
    if "design" not in record:
        return ""
    rows = design_rows(record["design"], f"{path}design")
    work = record["workload"]
    rows += [
        (
            label,
            amount(f"{path}workload.{key}", work[key])
            if _is_number(work[key])
            else text(work[key]),
        )
        for key, label in WORKLOAD_WORDS.items()
    ]
    return section(title, table(rows))


def _gains(record: Mapping[str, Any], path: str) -> str:
    """What more of each resource would buy; nothing where that was not asked."""
    gains = {name: it for name, it in (record.get("gains") or {}).items() if it}
    if not gains:
        return ""
    rows = [
        (text(name.replace("_", " ")), number(f"{it:+.3f} %", f"{path}gains.{name}", it))
        for name, it in sorted(gains.items(), key=lambda pair: -abs(pair[1]))
    ]
    told = paragraph(
        "Per cent of tokens a second for one per cent more of each, everything else held: the"
        " gradient at this design. For the batch, of all users together."
    )
    return section("what more of each would buy", told, table(rows))


def _time_rows(record: Mapping[str, Any], path: str) -> list[tuple[str, str]]:
    rows = [
        (name, seconds(f"{path}{key}", record[key]))
        for name, key in (
            ("one step", "step_time"),
            ("memory", "memory_time"),
            ("compute", "compute_time"),
            ("waiting for other chips", "exposed_time"),
        )
    ]
    used = share(f"{path}tensor_utilisation", record["tensor_utilisation"])
    bottleneck = text(record["bottleneck"].replace("_", " "))
    return [*rows, ("tensor units at work", used), ("what limits it", bottleneck)]


def _resource_rows(record: Mapping[str, Any], path: str) -> list[tuple[str, str]]:
    held, capacity = (record[it] for it in ("memory_required", "memory_capacity"))
    return [
        ("memory that is needed", size(f"{path}memory_required", held)),
        ("memory that there is", size(f"{path}memory_capacity", capacity)),
        ("of the fullest chip", share(f"{path}memory_fill", record["memory_fill"])),
        ("chips of an instance", amount(f"{path}chips", record["chips"])),
        ("users of an instance", amount(f"{path}users", record["users"])),
        *(
            (name, named(key, f"{path}{key}", record[key]))
            for name, key in (
                ("power", "power"),
                ("power of a chip", "chip_power"),
                ("power of a chip at full use", "chip_tdp"),
                ("power with all chips at full use", "power_provisioned"),
                ("capital", "capital_cost"),
                ("energy for a token, at the wall", "energy_per_token"),
                ("money for a million tokens", "usd_per_million_tokens"),
            )
        ),
    ]


def times(record: Mapping[str, Any]) -> "Figure":
    """Memory and compute beside each other, and the waiting after the longer of both.

    Args:
        record: Times of a step by the names that predictions have for them [s].
    """
    from plotly import graph_objects

    memory, compute = record["memory_time"], record["compute_time"]
    both = max(memory, compute)
    bars = [
        ("memory", 0.0, memory, PALETTE[0]),
        ("compute", 0.0, compute, PALETTE[1]),
        ("waiting", both, record["exposed_time"], PALETTE[5]),
    ]
    figure = graph_objects.Figure()
    for name, base, length, colour in bars:
        figure.add_bar(
            y=[name],
            x=[1e3 * length],
            base=[1e3 * base],
            orientation="h",
            marker_color=colour,
            hovertemplate=f"{name}: %{{x:.4g}} ms<extra></extra>",
        )
    figure.update_layout(showlegend=False, yaxis={"autorange": "reversed"})
    figure.update_xaxes(title="milliseconds into the step")
    return figure


def _shares(record: Mapping[str, Any]) -> "Figure":
    """A stacked bar each for power and for capital."""
    from plotly import graph_objects

    figure = graph_objects.Figure()
    totals = {"power": record["power"], "capital": record["capital_cost"]}
    shares = {"power": record["power_shares"], "capital": record["capital_shares"]}
    for name in dict.fromkeys(name for parts in shares.values() for name in parts):
        values = [
            100 * (parts.get(name) or 0.0) / totals[kind] if totals[kind] else 0.0
            for kind, parts in shares.items()
        ]
        figure.add_bar(
            y=list(shares),
            x=values,
            name=name.replace("_", " "),
            orientation="h",
            hovertemplate=f"{name}: %{{x:.3g}} % of %{{y}}<extra></extra>",
        )
    figure.update_layout(barmode="stack", legend={"orientation": "h", "y": -0.4})
    figure.update_xaxes(title="per cent")
    return figure
