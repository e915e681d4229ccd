"""A prediction on one screen."""

import math

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from liminal_jax._display import dollars, gibibytes, per_cent, plain, with_prefix
from liminal_jax.performance.prediction import BOTTLENECKS
from liminal_jax.study.file import DesignFile
from liminal_jax.study.predicted import Predicted

_BAR = 40
_STEP = 0.1
"""Share by which each resource grows in the table of gains."""

_RESOURCES = {
    "memory_bandwidth": "memory bandwidth",
    "sram_bandwidth": "SRAM bandwidth",
    "capacity_tier_bandwidth": "capacity tier bandwidth",
    "tensor_rate": "tensor rate",
    "vector_rate": "vector rate",
    "network": "network speed",
    "tensor_parallelism": "chips per stage (tp)",
    "batch": "users per batch (STPS)",
    "context": "context",
}


def hardware_name(file: DesignFile) -> str:
    """The hardware of a design in a few words."""
    design = file.design
    if design.system is not None:
        return design.system.names[0]
    memories = [names.names[0] for names in (design.memory, design.tier) if names is not None]
    return f"planned {' and '.join(memories)} chip"


def _title(answer: Predicted) -> Text:
    file, design = answer.file, answer.file.design
    degrees = [
        f"{name.upper()}{grid.value:g}"
        for name in ("tp", "cp", "pp", "ep")
        if (grid := getattr(design, name)).value > 1
    ]
    chips = float(answer.prediction.chips)
    where = f"{chips:g} x {hardware_name(file)}"
    work = file.workload
    title = Text.assemble(
        (work.model, "bold"), " on ", (where, "bold"), f" {' '.join(degrees)}".rstrip()
    )
    users = float(answer.prediction.users)
    title.append(
        f"\n{users:,.0f} user{'s' if users != 1 else ''}, context {work.context:,.0f},"
        f" {work.weight_bits:g}-bit weights, {work.kv_bits:g}-bit KV, accounting {work.accounting}"
    )
    return title


def _fleet(answer: Predicted) -> Text:
    """All instances of a design that has chips for several; nothing for one."""
    it, chips = answer.prediction, answer.file.design.chips
    instances = 1 if chips is None else math.floor(chips.value / float(it.chips))
    if instances < 2 or chips is None:
        return Text("")
    share = chips.value / float(it.chips)
    return Text(
        f"one of {instances} instances on {chips.value:g} chips; all of them:"
        f" STPS {plain(instances * float(it.stps), 5)},"
        f" {with_prefix(share * float(it.power.total()), 'W')} IT,"
        f" {dollars(share * float(it.capital.total()))} of capital\n"
    )


def _speed(answer: Predicted) -> Text:
    it = answer.prediction
    return Text.assemble(
        ("UTPS ", "bold"),
        f"{plain(float(it.utps), 4)} tokens/s a user    ",
        ("STPS ", "bold"),
        f"{plain(float(it.stps), 4)} tokens/s    ",
        ("step ", "bold"),
        with_prefix(float(it.step_time), "s"),
    )


def _split(answer: Predicted) -> Table:
    """Each share of the step with a bar; compute and memory overlap, waiting adds to them."""
    it = answer.prediction
    step = float(it.step_time)
    table = Table.grid(padding=(0, 2))
    bottleneck = BOTTLENECKS[int(it.bottleneck)]
    rows = (
        ("memory", it.memory_time, "memory_bandwidth"),
        ("compute", it.compute_time, "compute"),
        ("waiting", it.exposed_time, "synchronisation"),
    )
    for label, time, limit in rows:
        share = float(time) / step
        table.add_row(
            label,
            with_prefix(float(time), "s"),
            per_cent(share),
            "█" * max(round(share * _BAR), 1 if share > 0 else 0),
            "bottleneck" if limit == bottleneck else "",
        )
    return table


def _fit(answer: Predicted) -> Text:
    it, held = answer.prediction, answer.held
    verdict = (
        f"fits, {per_cent(float(it.memory_fill))} of the fullest chip"
        if bool(it.fits)
        else f"DOES NOT FIT: the fullest chip needs {float(it.memory_fill):.2f} times its memory"
    )
    parts = ", ".join(
        f"{label} {gibibytes(float(value))}"
        for label, value in (
            ("weights", held.weights + held.tables),
            ("experts", held.experts),
            ("KV", held.cache),
            ("index", held.index),
            ("states", held.state),
        )
        if float(value) > 0
    )
    if float(it.capacity_tier_fill) > 0:
        parts += f"\ncapacity tier {per_cent(float(it.capacity_tier_fill))} full"
    required, capacity = gibibytes(float(it.memory_required)), gibibytes(float(it.memory_capacity))
    return Text(f"{required} of {capacity}: {verdict}\n{parts}")


def _power(answer: Predicted) -> str:
    it = answer.prediction
    if math.isnan(float(it.chip_power)):
        return "unknown; see below"
    shares = it.power
    return (
        f"{with_prefix(float(shares.total()), 'W')} IT"
        f" (chips {with_prefix(float(shares.chips), 'W')},"
        f" host {with_prefix(float(shares.host), 'W')},"
        f" network {with_prefix(float(shares.network), 'W')});"
        f" {with_prefix(float(it.chip_power), 'W')} a chip,"
        f" {with_prefix(float(it.chip_tdp), 'W')} at full use;"
        f" {with_prefix(float(it.energy_per_token), 'J')} a token at the wall"
    )


def _cost(answer: Predicted) -> str:
    it = answer.prediction
    if math.isnan(float(it.capital.total())):
        return "unknown; see below"
    return (
        f"{dollars(float(it.capital.total()))} of capital"
        f" (chips {dollars(float(it.capital.chips))});"
        f" {plain(float(it.usd_per_million_tokens))} USD for a million tokens"
    )


def _gains(answer: Predicted) -> Table:
    table = Table.grid(padding=(0, 2))
    cells = []
    for name, label in _RESOURCES.items():
        gain = float(getattr(answer.gains, name)) * _STEP
        if abs(gain) >= 0.0005:
            cells.append(f"{label} {per_cent(gain, signed=True)}")
    for first in range(0, len(cells), 3):
        table.add_row(*cells[first : first + 3])
    return table


_WAYS = {
    "static": "static batches",
    "continuous": "continuous batching",
    "disaggregated": "disaggregated pools",
}


def _serving(answer: Predicted) -> list[RenderableType]:
    """Each way of serving requests in a row; nothing where their lengths are not given."""
    if answer.served is None:
        return []
    lengths, serving = answer.served.lengths, answer.served.serving
    chunk = "whole prompts" if lengths.chunk is None else f"chunks of {lengths.chunk:,}"
    title = f"requests of {lengths.isl:,} + {lengths.osl:,} tokens, {chunk}"
    table = Table.grid(padding=(0, 2))
    table.add_row("", "TTFT", "TPOT", "end to end", "tokens/s a chip", "decoding", "prefill")
    for name, label in _WAYS.items():
        way = getattr(serving, name)
        table.add_row(
            label,
            *(with_prefix(float(time), "s") for time in (way.ttft, way.tpot, way.e2e)),
            plain(float(way.tokens_per_second_per_chip), 4),
            f"{plain(float(way.users), 4)} users",
            per_cent(float(way.prefill_share)),
        )
    return [Text(title, style="bold"), table, ""]


def prediction_view(answer: Predicted) -> RenderableType:
    """The screen that `liminal predict` prints."""
    it = answer.prediction
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_row("memory", _fit(answer))
    table.add_row("power", _power(answer))
    table.add_row("cost", _cost(answer))
    table.add_row("tensor use", per_cent(float(it.tensor_utilisation)))
    return Group(
        _title(answer),
        _fleet(answer),
        _speed(answer),
        Padding(_split(answer), (1, 0)),
        table,
        "",
        *_serving(answer),
        Text("+10 % of each would change tokens/s by (gradient at this design)", style="bold"),
        _gains(answer),
        "",
        Text("basis", style="bold"),
        *(Padding(sentence, (0, 0, 0, 2)) for sentence in answer.basis),
    )
