"""Models as tables: what each consists of, and what was read from a config."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from liminal_jax._smooth import Exact
from liminal_jax.view.numbers import plain, with_prefix
from liminal_jax.workload.counts import Counts, counts
from liminal_jax.workload.huggingface import ReadReport, Row, Use
from liminal_jax.workload.mixer.base import AbstractMixer
from liminal_jax.workload.request import Request
from liminal_jax.workload.spec import ModelSpec

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

_TOLERANCE = 0.01
"""Relative difference up to which a count fits a published figure, which is rounded."""

_CONTEXTS = {"4K": 4096, "128K": 131_072, "1M": 1_048_576}
"""Contexts at which models are compared [tokens]."""


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


class Fit(NamedTuple):
    """A convention of counting beside an expected number.

    Attributes:
        convention: A field of `Counts`.
        counted: The parameters by that convention.
        difference: By how much they exceed the expected number, relative to it.
    """

    convention: str
    counted: int
    difference: float

    def holds(self) -> bool:
        """Whether the two agree within 1 %."""
        return abs(self.difference) <= _TOLERANCE


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
        words, difference = _CONVENTIONS[best.convention], _signed_per_cent(best.difference)
        expected = f"{plain(self.number / 1e9, 4)} B expected"
        if self.fitting():
            return f"{expected}: fits {words}, {difference}"
        return (
            f"{expected}: fits no convention within 1 %; nearest {words}, {difference}"
            " (vision towers and multi-token-prediction heads are never counted)"
        )


def expectation(tally: Counts, number: float) -> Expectation:
    """How an expected number of parameters compares with each convention of counting.

    Examples:
        >>> from liminal_jax.data.models import load_model_spec
        >>> expectation(counts(load_model_spec("deepseek-v3")), 671e9).sentence()
        '671 B expected: fits all parameters, +0.00 %'
    """
    table = tally._asdict()
    fits = [
        Fit(name, table[name], (table[name] - number) / number)
        for place, name in enumerate(_CONVENTIONS)
        if table[name] not in [table[earlier] for earlier in list(_CONVENTIONS)[:place]]
    ]
    return Expectation(number, tuple(sorted(fits, key=lambda fit: abs(fit.difference))))


def expectation_view(expected: Expectation) -> RenderableType:
    """The conventions of counting beside an expected number, and which of them it fits."""
    table = Table(box=None, pad_edge=False)
    table.add_column("counted as", no_wrap=True)
    for heading in ("parameters", "against expected", "fits"):
        table.add_column(heading, justify="right", no_wrap=True)
    for fit in expected.fits:
        difference, verdict = _signed_per_cent(fit.difference), "yes" if fit.holds() else "no"
        table.add_row(_CONVENTIONS[fit.convention], f"{fit.counted:,}", difference, verdict)
    return Group(Text(), table)


def traits(spec: ModelSpec) -> dict[str, Any]:
    """What a model has, keeps and reads, as plain values; bytes with 8-bit weights and cache.

    `held` is what one user's context occupies, `read` what one token reads and writes; the keys
    of both are contexts in tokens. States have 32 bits, as in `Request`.

    Examples:
        >>> from liminal_jax.data.models import load_model_spec
        >>> traits(load_model_spec("llama-3-8b"))["kv_bytes_held"][4096] == 4096 * 65536
        True
    """
    tally = counts(spec)
    request = Request(context=0)
    exact = Exact()

    def by_context(elements: Callable[[AbstractMixer, int], Any]) -> dict[int, int]:
        return {
            context: _whole(request.cache_bytes(_over_layers(spec, elements, context)))
            for context in _CONTEXTS.values()
        }

    return {
        "name": spec.name,
        "parameters_total": tally.total,
        "parameters_active": tally.active_without_input_embedding,
        "layers": sum(group.count for group in spec.layers),
        "pattern": pattern(spec),
        "weight_bytes_read": _whole(request.weight_bytes(tally.active_without_input_embedding)),
        "kv_bytes_per_token": _whole(request.cache_bytes(tally.kv_elements_per_token_growing)),
        "kv_bytes_held": by_context(lambda mixer, tokens: mixer.cache(tokens, exact)),
        "kv_bytes_read": by_context(lambda mixer, tokens: mixer.traffic(tokens, exact)),
        "index_bytes_per_token": _whole(request.cache_bytes(tally.index_key_elements_per_token)),
        "index_bytes_read": by_context(lambda mixer, tokens: mixer.index_traffic(tokens, exact)),
        "state_bytes": _whole(request.state_bytes(tally.state_elements_per_sequence)),
    }


def comparison_table(first: ModelSpec, second: ModelSpec) -> RenderableType:
    """Two models side by side, and the second over the first."""
    ours, theirs = traits(first), traits(second)
    table = Table(box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    for spec in (first, second):
        table.add_column(spec.name, justify="right", overflow="fold")
    table.add_column("ratio", justify="right", no_wrap=True)
    for heading, shown, value in _compared():
        one, other = value(ours), value(theirs)
        ratio = f"{plain(other / one)} x" if one and other else "-"
        table.add_row(heading, shown(one), shown(other), ratio)
    layers = [Text(f"{it['name']}: {it['pattern']}") for it in (ours, theirs)]
    legend = (
        "8-bit weights and cache, 32-bit states. Held: by the context of one user; read: for one\n"
        "token of one user alone. Active: without the input embedding. Ratio: second over first."
    )
    return Group(table, Text(), *layers, Text(), Text(legend, style="dim"))


_Line = tuple[str, Callable[[int], str], Callable[[dict[str, Any]], int]]


def _compared() -> list[_Line]:
    """The lines of a comparison: heading, how a value is shown, and the value of some traits."""
    lines: list[_Line] = [
        ("parameters", billions, lambda it: it["parameters_total"]),
        ("active", billions, lambda it: it["parameters_active"]),
        ("layers", str, lambda it: it["layers"]),
        ("weights read", _bytes, lambda it: it["weight_bytes_read"]),
        ("KV for one more token", _bytes, lambda it: it["kv_bytes_per_token"]),
    ]
    for key, heading in (
        ("kv_bytes_held", "KV held at"),
        ("kv_bytes_read", "KV read at"),
        ("index_bytes_read", "index read at"),
    ):
        lines += [
            (f"{heading} {name}", _bytes, lambda it, key=key, context=context: it[key][context])
            for name, context in _CONTEXTS.items()
        ]
    lines.append(("index for one more token", _bytes, lambda it: it["index_bytes_per_token"]))
    lines.append(("state held", _bytes, lambda it: it["state_bytes"]))
    return lines


def _over_layers(
    spec: ModelSpec, elements: Callable[[AbstractMixer, int], Any], context: int
) -> float:
    """Elements of all layers that have a mixer, at a context."""
    return sum(
        group.count * float(elements(group.attention.arrays(), context))
        for group in spec.layers
        if group.attention is not None
    )


def _whole(value: Any) -> int:
    return round(float(value))


def _bytes(value: int) -> str:
    return with_prefix(float(value), "B", 4) if value else "-"


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
