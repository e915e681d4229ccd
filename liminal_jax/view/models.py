"""Models as tables: what each consists of, and what was read from a config."""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from liminal_jax._display import plain
from liminal_jax.workload.reading.report import ReadReport, Row, Use
from liminal_jax.workload.summary import Counts, Summary

_WIDTH = 24
"""Columns for a value of a config: longer ones are cut, the file has them in full."""

_CONVENTIONS = {
    "total": "all parameters",
    "total_without_embeddings": "all without embedding and head",
    "active": "active",
    "active_without_input_embedding": "active without input embedding",
    "active_without_embeddings": "active without embedding and head",
}
"""Counts that are published as the parameters of a model, and their names."""

_WITH_TOWERS = "all parameters and towers that are not read"

_TOLERANCE = 0.01
"""Relative difference up to which a count fits a published figure, which is rounded."""


def billions(number: int) -> str:
    """A number of parameters as people say it.

    Examples:
        >>> billions(8_030_261_248)
        '8.03 B'
    """
    return f"{number / 1e9:,.2f} B" if number < 1e11 else f"{number / 1e9:,.1f} B"


def pattern(model: Summary) -> str:
    """The layers of a model in words.

    Examples:
        >>> from liminal_jax.data.summaries import load_summary
        >>> pattern(load_summary("gpt-oss-20b"))
        '12 sliding 128 + 12 full; MoE 4/32'
    """
    mixers = [(it.attention, it.number) for it in model.layers]
    blocks = [(it.feedforward, it.number) for it in model.layers]
    tallies = (
        _tally((part.label, count) for part, count in parts if part is not None)
        for parts in (mixers, blocks)
    )
    return "; ".join(statistics for statistics in tallies if statistics)


def models_table(models: Iterable[Summary]) -> Table:
    """One line a model: its parameters, its cache and its layers."""
    table = Table(box=None, pad_edge=False)
    table.add_column("name", no_wrap=True)
    for heading in ("total", "active", "KV B/token", "unwindowed", "layers"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("pattern", overflow="fold")
    for model in models:
        statistics = model.counts
        table.add_row(
            model.name,
            billions(statistics.total),
            billions(statistics.active_without_input_embedding),
            f"{statistics.kv_elements_per_token_growing:,}",
            f"{statistics.kv_elements_per_token_all_layers:,}",
            str(sum(group.number for group in model.layers)),
            pattern(model),
        )
    return table


def models_legend() -> Text:
    """What the columns of `models_table` mean."""
    return Text(
        "active: without the input embedding. KV B/token: cache that one more token adds, 8-bit;\n"
        "unwindowed: the same if every layer kept every token.",
        style="dim",
    )


def model_view(model: Summary) -> RenderableType:
    """One model: its source, its groups of layers and its counts."""
    table = Table(box=None, pad_edge=False)
    table.add_column("layers", justify="right", no_wrap=True)
    table.add_column("attention")
    table.add_column("feed-forward")
    for group in model.layers:
        parts = (group.attention, group.feedforward)
        table.add_row(str(group.number), *("-" if it is None else it.words for it in parts))
    embedding = "tied with the head" if model.tied else "and a head of its own"
    streams = "" if model.streams == 1 else f" in {model.streams} residual streams"
    return Group(
        Text(model.name, style="bold"),
        Text(model.source),
        Text(f"width {model.hidden:,}{streams}, vocabulary {model.vocabulary:,} {embedding}"),
        Text(),
        table,
        Text(),
        counts_table(model.counts),
    )


def counts_table(statistics: Counts) -> Table:
    """The counts of a model, exactly."""
    table = Table(box=None, pad_edge=False)
    table.add_column("count", no_wrap=True)
    table.add_column("elements", justify="right", no_wrap=True)
    for name, value in statistics._asdict().items():
        table.add_row(name.replace("_", " "), f"{value:,}")
    return table


class Fit(NamedTuple):
    """A convention of counting beside an expected number.

    Attributes:
        convention: A field of `Counts`, or `total_with_towers`.
        counted: The parameters by that convention.
        difference: By how much they exceed the expected number, relative to it.
        towers: Of them, those of towers, which are known roughly.
    """

    convention: str
    counted: int
    difference: float
    towers: int = 0

    def holds(self) -> bool:
        """Whether the two agree within 1 %, or within what towers hold."""
        return abs(self.difference) <= max(_TOLERANCE, self._slack())

    def _slack(self) -> float:
        return (1 + self.difference) * self.towers / self.counted

    def words(self) -> str:
        """The convention in words."""
        if self.towers:
            return f"{_WITH_TOWERS} ({plain(self.towers / 1e9, 2)} B by their config)"
        return _CONVENTIONS[self.convention]


class Expectation(NamedTuple):
    """An expected number of parameters beside those counted.

    Attributes:
        number: The expected number.
        fits: The conventions, the nearest first.
    """

    number: float
    fits: tuple[Fit, ...]

    def fitting(self) -> bool:
        """Whether any convention fits."""
        return self.fits[0].holds()

    def record(self) -> dict[str, Any]:
        """The same as plain values, with the name of the convention that fits best, or none."""
        return {
            "parameters": self.number,
            "fits": self.fits[0].convention if self.fitting() else None,
            "differences": {fit.convention: fit.difference for fit in self.fits},
        }

    def sentence(self) -> str:
        """Which convention fits, and how well."""
        best = self.fits[0]
        words, difference = best.words(), _signed_per_cent(best.difference)
        expected = f"{plain(self.number / 1e9, 4)} B expected"
        if self.fitting():
            return f"{expected}: fits {words}, {difference}"
        return (
            f"{expected}: fits no convention within 1 %; nearest {words}, {difference}"
            " (vision towers and multi-token-prediction heads are never read)"
        )


def expectation(statistics: Counts, number: float, towers: int = 0) -> Expectation:
    """How an expected number of parameters compares with each convention of counting.

    Args:
        statistics: The counts of the text model.
        number: The expected number.
        towers: About what towers beside the text model hold. The page of a multimodal model counts
            them: its number fits where it exceeds the text model's by up to twice as much.

    Examples:
        >>> from liminal_jax.data.summaries import load_summary
        >>> expectation(load_summary("deepseek-v3").counts, 671e9).sentence()
        '671 B expected: fits all parameters, +0.00 %'
    """
    table = statistics._asdict()
    fits = [
        Fit(name, table[name], (table[name] - number) / number)
        for solution, name in enumerate(_CONVENTIONS)
        if table[name] not in [table[earlier] for earlier in list(_CONVENTIONS)[:solution]]
    ]
    if towers:
        whole = statistics.total + towers
        fits.append(Fit("total_with_towers", whole, (whole - number) / number, towers))
    nearest = sorted(fits, key=lambda fit: (not fit.holds(), abs(fit.difference)))
    return Expectation(number, tuple(nearest))


def expectation_view(expected: Expectation) -> RenderableType:
    """The conventions of counting beside an expected number, and which of them it fits."""
    table = Table(box=None, pad_edge=False)
    table.add_column("counted as", no_wrap=True)
    for heading in ("parameters", "against expected", "fits"):
        table.add_column(heading, justify="right", no_wrap=True)
    for fit in expected.fits:
        difference, verdict = _signed_per_cent(fit.difference), "yes" if fit.holds() else "no"
        table.add_row(fit.words(), f"{fit.counted:,}", difference, verdict)
    return Group(Text(), table)


def _signed_per_cent(share: float) -> str:
    return f"{100 * share:+.2f} %"


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
