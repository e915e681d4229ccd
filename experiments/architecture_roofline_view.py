"""How the results of `architecture_roofline` are told and drawn."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import RenderableType
from rich.table import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KINDS = {
    "weights": ("weights", "C0"),
    "experts": ("routed experts", "C5"),
    "cache": ("KV cache", "C1"),
    "index": ("index", "C3"),
    "state": ("state", "C2"),
}
"""What a step reads and writes: its name and its colour."""

GIGA = 1e9
MEGA = 1e6


def _tokens(context: int) -> str:
    """A context in words.

    Examples:
        >>> _tokens(131072), _tokens(1048576)
        ('128K', '1M')
    """
    return f"{context // 1024}K" if context < 1024**2 else f"{context // 1024**2}M"


def _short(value: float) -> str:
    """A number in three digits or so; a dash for nothing at all.

    Examples:
        >>> _short(0), _short(0.01234), _short(1.5), _short(2474.2)
        ('-', '0.012', '1.5', '2,474')
    """
    if value == 0:
        return "-"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value >= 1 else f"{value:.2g}"


def _cell(row: Mapping[str, Any], context: int, batch: int) -> Mapping[str, Any]:
    return next(
        cell for cell in row["cells"] if (cell["context"], cell["batch"]) == (context, batch)
    )


def _places(results: Mapping[str, Any]) -> list[tuple[int, int]]:
    return [(context, batch) for batch in results["batches"] for context in results["contexts"]]


def _below(results: Mapping[str, Any], system: str) -> list[bool]:
    """Whether each step is below the ridge of a chip."""
    cells = [cell for row in results["rows"].values() for cell in row["cells"]]
    return [cell["against"][system]["ridge"] < 1 for cell in cells]


def summary(results: Mapping[str, Any]) -> dict[str, Any]:
    """Models, architectures, steps, and the steps below each chip's ridge."""
    rows = results["rows"].values()
    return {
        "models": sum(len(row["models"]) for row in rows),
        "architectures": len(rows),
        "steps": sum(len(row["cells"]) for row in rows),
        "below_ridge": {name: sum(_below(results, name)) for name in results["chips"]},
    }


def _compact(headings: Sequence[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1), collapse_padding=True)
    table.add_column("model", no_wrap=True)
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


def _step_table(results: Mapping[str, Any], context: int, batch: int) -> Table:
    table = _compact(
        [
            "all\nGB",
            "weights\nGB",
            "experts\nGB",
            "KV\nGB",
            "index\nGB",
            "state\nGB",
            "tensor\nGFLOP",
            "scalar\nGFLOP",
            "tensor\nFLOP/B",
        ]
    )
    for name, row in results["rows"].items():
        cell = _cell(row, context, batch)
        amounts = [cell[kind] / GIGA for kind in ("bytes", *KINDS, "tensor", "scalar")]
        table.add_row(name, *(_short(value) for value in [*amounts, cell["intensity"]]))
    return table


def _ridge_table(results: Mapping[str, Any], system: str) -> Table:
    places = _places(results)
    table = _compact([f"{_tokens(context)}\nbatch {batch}" for context, batch in places])
    for name, row in results["rows"].items():
        cells = [_cell(row, *place)["against"][system] for place in places]
        table.add_row(name, *(f"{cell['ridge']:.1%}" for cell in cells))
    return table


def _kept_table(results: Mapping[str, Any]) -> Table:
    contexts = [_tokens(context) for context in results["contexts"]]
    headings = [f"{kind}\n{context}" for context in contexts for kind in ("KV", "index")]
    table = _compact([*headings, "state\nany"])
    for name, row in results["rows"].items():
        kept = [held[kind] / MEGA for held in row["kept"] for kind in ("cache", "index")]
        state = row["kept"][0]["state"] / MEGA
        table.add_row(name, *(_short(value) for value in [*kept, state]))
    return table


def _past_share(cell: Mapping[str, Any]) -> float:
    """Share of a step's bytes that are of the past: cache, index and state."""
    return (cell["cache"] + cell["index"] + cell["state"]) / cell["bytes"]


def _findings(results: Mapping[str, Any]) -> Iterator[str]:
    rows = results["rows"]
    for context, batch in _places(results):
        shares = {name: _past_share(_cell(row, context, batch)) for name, row in rows.items()}
        least, most = min(shares, key=shares.__getitem__), max(shares, key=shares.__getitem__)
        mostly = sum(share < 0.5 for share in shares.values())
        low, high = (f"{shares[name]:.1%} ({name})" for name in (least, most))
        yield (
            f"{_tokens(context)}, batch {batch}: weights and experts are most of the bytes of"
            f" {mostly} of {len(rows)} architectures; cache, index and state are {low} to {high}."
        )
    for system, chip in results["chips"].items():
        below = _below(results, system)
        yield (
            f"{system}: {sum(below)} of {len(below)} steps are below its ridge of"
            f" {chip['ridge']:.0f} FLOP/B; {_nearest(results, system)}."
        )
    for row in rows.values():
        if len(row["models"]) > 1:
            yield f"One architecture: {', '.join(row['models'])}."
    for system, chip in results["chips"].items():
        if chip["vector"] is None:
            yield f"The vector rate of {system} is not published: its scalar work is left out."


def _nearest(results: Mapping[str, Any], system: str) -> str:
    cells = [
        (cell["against"][system], name, cell)
        for name, row in results["rows"].items()
        for cell in row["cells"]
    ]
    ratio, name, cell = max(cells, key=lambda it: it[0]["ridge"])
    where = f"{name} at {_tokens(cell['context'])}, batch {cell['batch']}"
    return (
        f"highest is {where}, at {ratio['ridge']:.0%} of it, where arithmetic with that of the"
        f" vector units takes {ratio['time']:.2f} of the time of memory"
    )


def report(results: Mapping[str, Any]) -> list[RenderableType]:
    """A table for each context and batch, one of what is kept, and what they show."""
    parts: list[RenderableType] = []
    for context, batch in _places(results):
        parts.append(f"Per token at {_tokens(context)} of context, batch {batch}")
        parts.append(_step_table(results, context, batch))
    for system, chip in results["chips"].items():
        parts.append(f"Intensity over the ridge of {system}, {chip['ridge']:.0f} FLOP/B at 8 bits")
        parts.append(_ridge_table(results, system))
    parts += ["Kept for one user [MB], by context", _kept_table(results)]
    return [*parts, *_findings(results)]


def _panel(axes: "Axes", results: Mapping[str, Any], context: int, batch: int) -> None:
    for place, row in enumerate(results["rows"].values()):
        cell, left = _cell(row, context, batch), 0.0
        for kind, (_, color) in KINDS.items():
            share = 100 * cell[kind] / cell["bytes"]
            axes.barh(place, share, left=left, color=color, height=0.78)
            left += share
        axes.text(101.5, place, f"{_short(cell['bytes'] / GIGA)} GB", va="center", fontsize=7)
    axes.set(xlim=(0, 122), ylim=(len(results["rows"]) - 0.4, -0.6), xticks=[0, 25, 50, 75, 100])
    axes.set_title(f"{_tokens(context)}, batch {batch}")
    axes.set_xlabel("share of bytes [%]")
    axes.grid(visible=False, axis="y")


def plot(results: Mapping[str, Any]) -> "Figure":
    """Bytes of one token by kind: their shares as bars, their sum beside the bar."""
    from matplotlib.figure import Figure

    rows, places = results["rows"], _places(results)
    names = [" =\n".join(row["models"]) for row in rows.values()]
    lines = sum(len(row["models"]) for row in rows.values())
    figure = Figure(figsize=(15, 1.6 + 0.21 * lines + 0.05 * len(rows)))
    panels = figure.subplots(1, len(places), sharey=True)
    for axes, (context, batch) in zip(panels, places, strict=True):
        _panel(axes, results, context, batch)
    panels[0].set_yticks(range(len(names)), names, fontsize=7, linespacing=0.9)
    figure.suptitle(
        "What one token reads and writes, 8-bit weights and cache, 32-bit states; its bytes at the"
        " right of each bar"
    )
    _name_the_kinds(figure)
    return figure


def _name_the_kinds(figure: "Figure") -> None:
    """Write the name of each kind in its colour, in the order of the bars."""
    from matplotlib.patches import Patch

    patches = [Patch(color=color, label=name) for name, color in KINDS.values()]
    figure.legend(handles=patches, loc="outside lower center", ncols=len(KINDS))
