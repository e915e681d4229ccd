"""Models as tables: what each consists of, and what was read from a config."""

import json
from collections import Counter
from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from liminal_jax.workload.counts import Counts, counts
from liminal_jax.workload.huggingface import ReadReport, Row, Use
from liminal_jax.workload.spec import ModelSpec

_WIDTH = 24
"""Columns for a value of a config: longer ones are cut, the file has them in full."""


def billions(number: int) -> str:
    """A number of parameters as people say it.

    Examples:
        >>> billions(8_030_261_248)
        '8.03 B'
    """
    return f"{number / 1e9:,.2f} B" if number < 1e11 else f"{number / 1e9:,.1f} B"


def pattern(spec: ModelSpec) -> str:
    """The layers of a model in words.

    Examples:
        >>> from liminal_jax.data.models import load_model_spec
        >>> pattern(load_model_spec("gpt-oss-20b"))
        '12 sliding 128 + 12 full; MoE 4/32'
    """
    mixers = [(it.attention, it.count) for it in spec.layers]
    blocks = [(it.feedforward, it.count) for it in spec.layers]
    tallies = (
        _tally((part.label(), count) for part, count in parts if part is not None)
        for parts in (mixers, blocks)
    )
    return "; ".join(tally for tally in tallies if tally)


def models_table(specs: Iterable[ModelSpec]) -> Table:
    """One line a model: its parameters, its cache and its layers."""
    table = Table(box=None, pad_edge=False)
    table.add_column("name", no_wrap=True)
    for heading in ("total", "active", "KV B/token", "unwindowed", "layers"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("pattern", overflow="fold")
    for spec in specs:
        tally = counts(spec)
        table.add_row(
            spec.name,
            billions(tally.total),
            billions(tally.active_without_input_embedding),
            f"{tally.kv_elements_per_token_growing:,}",
            f"{tally.kv_elements_per_token_all_layers:,}",
            str(sum(group.count for group in spec.layers)),
            pattern(spec),
        )
    return table


def models_legend() -> Text:
    """What the columns of `models_table` mean."""
    return Text(
        "active: without the input embedding. KV B/token: cache that one more token adds, 8-bit;\n"
        "unwindowed: the same if every layer kept every token.",
        style="dim",
    )


def model_view(spec: ModelSpec) -> RenderableType:
    """One model: its source, its groups of layers and its counts."""
    table = Table(box=None, pad_edge=False)
    table.add_column("layers", justify="right", no_wrap=True)
    table.add_column("attention")
    table.add_column("feed-forward")
    for group in spec.layers:
        parts = (group.attention, group.feedforward)
        table.add_row(str(group.count), *("-" if it is None else it.words() for it in parts))
    embedding = "tied with the head" if spec.tied else "and a head of its own"
    streams = "" if spec.streams == 1 else f" in {spec.streams} residual streams"
    return Group(
        Text(spec.name, style="bold"),
        Text(spec.source),
        Text(f"width {spec.hidden:,}{streams}, vocabulary {spec.vocabulary:,} {embedding}"),
        Text(),
        table,
        Text(),
        counts_table(counts(spec)),
    )


def counts_table(tally: Counts) -> Table:
    """The counts of a model, exactly."""
    table = Table(box=None, pad_edge=False)
    table.add_column("count", no_wrap=True)
    table.add_column("elements", justify="right", no_wrap=True)
    for name, value in tally._asdict().items():
        table.add_row(name.replace("_", " "), f"{value:,}")
    return table


def report_view(report: ReadReport) -> RenderableType:
    """What was read from a config, what was defaulted, and what was ignored and why."""
    parts: list[RenderableType] = [Text(f"{report.source}, read as {report.family}"), Text()]
    headings = {Use.READ: "read as", Use.DEFAULT: "default for", Use.IGNORED: "why ignored"}
    for use, heading in headings.items():
        if rows := report.having(use):
            parts += [_rows_table(rows, use.value, heading), Text()]
    return Group(*parts)


def _rows_table(rows: Iterable[Row], title: str, heading: str) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(title, no_wrap=True, min_width=30)
    table.add_column("value", no_wrap=True, min_width=_WIDTH)
    table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(Text(row.field), Text(_cut(row.value)), Text(row.note))
    return table


def _cut(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."


def _tally(kinds: Iterable[tuple[str, int]]) -> str:
    """Kinds with their numbers of layers; the number alone is left out for a single kind."""
    numbers: Counter[str] = Counter()
    for kind, number in kinds:
        numbers[kind] += number
    if len(numbers) == 1:
        return next(iter(numbers))
    return " + ".join(f"{number} {kind}" for kind, number in numbers.items())
