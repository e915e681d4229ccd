"""One instance of a design: its speed, its time, memory, power and money, and what more would buy.

The record is the object of `liminal predict --json`; other results hold the same keys where they
tell of the design that they found.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from liminal_jax._display import in_units, plain
from liminal_jax._quantity import part_label, quantities_of
from liminal_jax.performance.memory_footprint import MemoryFootprint
from liminal_jax.performance.prediction import CapitalShares, PowerShares, Prediction
from liminal_jax.results.calibrated import reached
from liminal_jax.results.page import (
    PALETTE,
    Figure,
    Line,
    Page,
    Section,
    known,
    section,
    sentences,
    table,
)
from liminal_jax.results.pictures import chip_and_system, reasons, what_lies_where
from liminal_jax.results.values import (
    LEVER_HEADING,
    amount,
    found_rows,
    lever_rows,
    named,
    seconds,
    share,
    size,
)
from liminal_jax.results.words import quantity, workload_words
from liminal_jax.study.quantities import INSTANCE, QUANTITIES
from liminal_jax.workload.request import prefill_tokens

_WORKLOAD = {
    "model": "model",
    "context": "tokens of context",
    "weight_bits": "bits of a weight",
    "kv_bits": "bits of a cache element",
    "kv_format": "format of cached latents",
    "accounting": "accounting",
}
"""What each number of a workload is."""

TIMES = {name: it.label for name, it in INSTANCE.items() if it.unit == "s"}
"""Parts of a step."""

_FOOTPRINT = quantities_of(MemoryFootprint)
"""Parts of the memory footprint."""

_SHARES = {
    "power": ("power_shares", quantities_of(PowerShares)),
    "capital_cost": ("capital_shares", quantities_of(CapitalShares)),
}
"""Wholes whose parts a record has, and what the parts are."""

_WHOLES = {
    "power": part_label(Prediction, "power"),
    "capital_cost": part_label(Prediction, "capital"),
}

MONEY_AND_POWER = {
    **_WHOLES,
    **{name: it.label for name, it in INSTANCE.items() if it.unit in ("W", "W/m2", "J", "USD")},
}

_IN_OTHER_WORDS = frozenset(
    {
        "utps",
        "stps",
        "tokens_per_step",
        "memory_required",
        "memory_capacity",
        "memory_fill",
        "capacity_tier_fill",
        "tensor_utilisation",
        "chips",
        "users",
    }
)
"""Numbers that a line or a table of their own tells."""

_OTHERS = {
    name: it
    for name, it in INSTANCE.items()
    if name not in _IN_OTHER_WORDS.union(TIMES, MONEY_AND_POWER)
}

WAITED = {
    "memory_bandwidth": "memory",
    "compute": "arithmetic",
    "synchronisation": "other chips",
    "capacity": "memory that is too small",
}
"""What a step waits for, by its bottleneck."""

ENDS = {True: "yes", False: "DOES NOT FIT"}
"""Whether a design fits."""

_OF_PROMPTS = {
    "energy_per_token": "prompt_energy_share",
    "usd_per_million_tokens": "prompt_cost_share",
}
"""Shares that prompts take where whole requests are predicted."""

_WAYS = {
    "static": "static batches",
    "continuous": "continuous batching",
    "disaggregated": "disaggregated pools",
}


def page(record: Mapping[str, Any]) -> Page:
    """The page of a prediction.

    Args:
        record: Its record.
    """
    users = record["users"]
    work = record["workload"]
    served = workload_words(work, record["design"].get("numbers"))
    about = (
        f"{users:,.0f} user{'' if users == 1 else 's'}, {served}, accounting {work['accounting']}"
    )
    return Page(_title(record), (about,), answer(record), sections(record))


def answer(record: Mapping[str, Any]) -> Line:
    """The speed in one line."""
    fits = "" if record["fits"] else "; the design DOES NOT FIT in memory"
    return (
        "UTPS ",
        named("utps", "utps", record["utps"]),
        " for each user, STPS ",
        named("stps", "stps", record["stps"]),
        " for all, in steps of ",
        seconds("step_time", record["step_time"]),
        f" that wait for {WAITED[record['bottleneck']]}",
        fits,
    )


def sections(
    record: Mapping[str, Any], path: str = "", title: str = "the design"
) -> tuple[Section, ...]:
    """What there is to say of a prediction.

    Args:
        record: Its record.
        path: Where it stands in the record of the run, with a point at the end.
        title: Which design it is.
    """
    return (*drawn(record), *tables(record, path, title))


def drawn(record: Mapping[str, Any]) -> tuple[Section, ...]:
    """Its chip, why it is as quick as it is, and what engines reach.

    Args:
        record: Its record.
    """
    return (
        section("the chip", chip_and_system(record)),
        reasons(record, record.get("hardware")),
        reached(record, record["utps"]),
    )


def tables(record: Mapping[str, Any], path: str, title: str) -> tuple[Section, ...]:
    """Its numbers, with what the chip stands in.

    Args:
        record: Its record.
        path: Where it stands in the record of the run, with a point at the end.
        title: Which design it is.
    """
    return (
        what_lies_where(record),
        time_of_a_step(record, path),
        memory(record, path),
        section("power and money", _shares(record), table(_resource_rows(record, path))),
        section("all instances of the design", table(_fleet_rows(record))),
        _serving(record, path),
        _gains(record, path),
        other_numbers(record, path),
        section(title, table(_design_rows(record, path))),
        section("levers of software", table(lever_rows(record), LEVER_HEADING)),
        basis(record),
    )


def time_of_a_step(record: Mapping[str, Any], path: str) -> Section:
    """What a step is made of."""
    return section("where the time goes", times(record), table(_time_rows(record, path)))


def memory(record: Mapping[str, Any], path: str) -> Section:
    """What the memory of an instance holds, and whether there is enough."""
    return section("memory", table(_memory_rows(record, path)))


def other_numbers(record: Mapping[str, Any], path: str) -> Section:
    """Numbers of an instance that no other table tells."""
    rows = (
        (it.label, named(name, f"{path}{name}", record[name]))
        for name, it in _OTHERS.items()
        if name in record
    )
    return section("other numbers of an instance", table(rows))


def basis(record: Mapping[str, Any]) -> Section:
    """What the numbers rest on."""
    return section("basis: what the numbers rest on", sentences(record["basis"]))


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


def times(record: Mapping[str, Any]) -> Figure:
    """Memory and compute beside each other, and the waiting after the longer of both.

    Args:
        record: Times of a step by the names that predictions have for them [s].
    """
    reading, computing = record["memory_time"], record["compute_time"]
    bars = (
        ("memory", 0.0, reading, PALETTE[0]),
        ("compute", 0.0, computing, PALETTE[1]),
        ("waiting", max(reading, computing), record["exposed_time"], PALETTE[5]),
    )
    traces = tuple(
        {
            "type": "bar",
            "y": [name],
            "x": [1e3 * length],
            "base": [1e3 * base],
            "orientation": "h",
            "marker": {"color": colour},
            "hovertemplate": f"{name}: %{{x:.4g}} ms<extra></extra>",
        }
        for name, base, length, colour in bars
    )
    layout = {
        "showlegend": False,
        "yaxis": {"autorange": "reversed"},
        "xaxis": {"title": {"text": "milliseconds into the step"}},
    }
    return Figure(traces, layout, "the parts of a step")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


def _title(record: Mapping[str, Any]) -> str:
    """The model, and what it runs on."""
    design = record["design"]
    memories = [design[it] for it in ("memory", "tier") if it in design]
    hardware = design.get("system") or f"planned {' and '.join(memories)} chip"
    degrees = [
        f" {name.upper()}{design[name]:g}"
        for name in ("tp", "cp", "pp", "ep")
        if design.get(name, 1) > 1
    ]
    chips = record["chips"]
    return f"{record['workload']['model']} on {chips:g} x {hardware}{''.join(degrees)}"


def _time_rows(record: Mapping[str, Any], path: str) -> Iterator[Line]:
    for key, name in ((key, name) for key, name in TIMES.items() if key in record):
        of_step = plain(100 * record[key] / record["step_time"]) + " % of the step"
        shown = seconds(f"{path}{key}", record[key])
        yield name, shown, "" if key == "step_time" else of_step
    if record.get("tokens_per_step", 1.0) != 1.0:
        gained = amount(f"{path}tokens_per_step", record["tokens_per_step"])
        yield "tokens of a user by a step", gained, ""
    used = share(f"{path}tensor_utilisation", record["tensor_utilisation"])
    yield "tensor units at work", used, ""
    yield "bottleneck", record["bottleneck"].replace("_", " "), ""


def _memory_rows(record: Mapping[str, Any], path: str) -> Iterator[Line]:
    yield "memory that is needed", size(f"{path}memory_required", record["memory_required"])
    held = record.get("memory_footprint") or {}
    for key, it in _FOOTPRINT.items():
        if held.get(key):
            yield f"of it: {it.label}", size(f"{path}memory_footprint.{key}", held[key])
    yield "memory that there is", size(f"{path}memory_capacity", record["memory_capacity"])
    yield "of the fullest chip", share(f"{path}memory_fill", record["memory_fill"])
    if record.get("capacity_tier_fill"):
        filled = share(f"{path}capacity_tier_fill", record["capacity_tier_fill"])
        yield "of the capacity tier", filled
    yield "fits", ENDS[record["fits"]]


def _resource_rows(record: Mapping[str, Any], path: str) -> Iterator[Line]:
    yield "chips of an instance", amount(f"{path}chips", record["chips"])
    yield "users of an instance", amount(f"{path}users", record["users"])
    for key, name in MONEY_AND_POWER.items():
        if key in record:
            yield name, named(key, f"{path}{key}", record[key])
        if (of_prompts := _OF_PROMPTS.get(key, "")) in record:
            yield "of it: prompts", share(f"{path}{of_prompts}", record[of_prompts])
    for shares, parts in _SHARES.values():
        for part, it in parts.items():
            if value := record[shares].get(part):
                yield it.label, known(in_units(value, it.unit), f"{path}{shares}.{part}", value)


def _fleet_rows(record: Mapping[str, Any]) -> Iterator[Line]:
    """All instances of a design that has chips for several; nothing for one."""
    bought = (record.get("design") or {}).get("chips")
    instances = 1 if bought is None else math.floor(bought / record["chips"])
    if bought is None or instances < 2:
        return
    yield "instances", f"{instances:,} on {bought:,.0f} chips"
    yield "STPS", quantity("stps", instances * record["stps"], "1/s")
    for key in ("power", "capital_cost"):
        if record[key] is not None:
            total = record[key] * bought / record["chips"]
            yield QUANTITIES[key].about, quantity(key, total, QUANTITIES[key].unit)


def _serving(record: Mapping[str, Any], path: str) -> Section:
    """Each way of serving requests in a row; nothing where their lengths are not given."""
    found = record.get("serving")
    if not found:
        return section("requests")
    isl, osl, chunk = found["isl"], found["osl"], found["chunk"]
    hit = found.get("prefix_hit_rate") or 0.0
    whole = chunk == prefill_tokens(isl, hit)
    chunks = "whole prompts" if whole else f"chunks of {chunk:,}"
    cached = f", {hit:.0%} cached" if hit else ""
    rows = (
        (
            label,
            *(
                seconds(f"{path}serving.{way}.{key}", found[way][key])
                for key in ("ttft", "tpot", "e2e")
            ),
            *(
                amount(f"{path}serving.{way}.{key}", found[way][key])
                for key in ("tokens_per_second_per_chip", "users")
            ),
            share(f"{path}serving.{way}.prefill_share", found[way]["prefill_share"]),
        )
        for way, label in _WAYS.items()
    )
    heading = ("", "TTFT", "TPOT", "end to end", "output tokens/s a chip", "users", "prefill")
    title = f"requests of {isl:,.0f} + {osl:,.0f} tokens{cached}, {chunks}"
    return section(title, table(rows, heading))


def _gains(record: Mapping[str, Any], path: str) -> Section:
    """What more of each resource would buy; nothing where that was not asked."""
    gains = {name: it for name, it in (record.get("gains") or {}).items() if it}
    rows = [
        (name.replace("_", " "), known(f"{it:+.3f} %", f"{path}gains.{name}", it))
        for name, it in sorted(gains.items(), key=lambda pair: -abs(pair[1]))
    ]
    told = (
        "Per cent of tokens a second for one per cent more of each, everything else held: the"
        " gradient at this design. For the batch, of all users together."
    )
    return section("what more of each would buy", sentences([told] if rows else []), table(rows))


def _design_rows(record: Mapping[str, Any], path: str) -> Iterator[Line]:
    """What is predicted; nothing where the run tells it."""
    if "design" not in record:
        return
    yield from found_rows(record, path)
    work = record["workload"]
    for key, label in _WORKLOAD.items():
        it = work[key]
        yield label, amount(f"{path}workload.{key}", it) if _is_number(it) else it


def _shares(record: Mapping[str, Any]) -> Figure:
    """A stacked bar each for power and for capital."""
    totals = {"power": record["power"], "capital": record["capital_cost"]}
    shares = {"power": record["power_shares"], "capital": record["capital_shares"]}
    traces = tuple(
        {
            "type": "bar",
            "y": list(shares),
            "x": [
                100 * (parts.get(name) or 0.0) / totals[kind] if totals[kind] else 0.0
                for kind, parts in shares.items()
            ],
            "name": name.replace("_", " "),
            "orientation": "h",
            "hovertemplate": f"{name}: %{{x:.3g}} % of %{{y}}<extra></extra>",
        }
        for name in dict.fromkeys(name for parts in shares.values() for name in parts)
    )
    layout = {
        "barmode": "stack",
        "legend": {"orientation": "h", "y": -0.4},
        "xaxis": {"title": {"text": "per cent"}},
    }
    return Figure(traces, layout, "shares of power and of capital", 300)
