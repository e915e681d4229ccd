"""How the results of `talk_revisited` are told and drawn."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import RenderableType
from rich.table import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GIB = 2.0**30
"""Bytes of a GiB."""

GB = 1e9

OLD, NEW, TODAY = "C0", "C3", "C2"
"""Colours: the talk's models as the talk counts them and as they are, and today's."""

WAYS = ("talk", "recounted", "model")


def summary(results: Mapping[str, Any]) -> dict[str, Any]:
    """Whether each claim holds, by population in the order of the verdicts."""
    claims: dict[str, list[bool]] = {}
    for verdict in results["verdicts"]:
        claims.setdefault(verdict["claim"], []).append(verdict["holds"])
    return {"populations": _populations(results), "holds": claims}


def _populations(results: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(verdict["population"] for verdict in results["verdicts"]))


def _table(headings: Sequence[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1), collapse_padding=True)
    table.add_column("model", no_wrap=True)
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


def _shown(value: float | None) -> str:
    """A throughput as the slides print it; a dash where the model does not fit.

    Examples:
        >>> _shown(None), _shown(381.4), _shown(2149.0), _shown(26040.0)
        ('-', '381', '2.1K', '26K')
    """
    if value is None:
        return "-"
    if value < 1000:
        return f"{value:.0f}"
    return f"{value / 1000:.1f}K" if value < 10e3 else f"{value / 1000:.0f}K"


def _columns(results: Mapping[str, Any]) -> list[str]:
    pairs = zip(results["contexts"], results["users"], strict=True)
    return [f"{context // 1024}K\nx{users}" for context, users in pairs]


def _memory_then(results: Mapping[str, Any]) -> Table:
    columns = [column.split("\n") for column in _columns(results)]
    table = _table([f"{top} {low}\n{what}" for top, low in columns for what in ("talk", "as is")])
    for name, row in results["then"]["memory"].items():
        pairs = zip(row["talk"], row["recounted"], strict=True)
        texts = [f"{held / GIB:,.0f}" for pair in pairs for held in pair]
        table.add_row(name, *texts)
    return table


def _memory_now(results: Mapping[str, Any]) -> Table:
    table = _table(_columns(results))
    for name, row in results["now"]["memory"].items():
        table.add_row(name, *(f"{held / GIB:,.1f}" for held in row["recounted"]))
    return table


def _scale_then(results: Mapping[str, Any]) -> Table:
    ranks = results["ranks"]
    groups = [(kind, place) for kind in ("utps", "stps") for place in range(len(ranks))]
    short = {"talk": "talk", "recounted": "rec.", "model": "model"}
    table = _table(
        [
            f"{kind.upper()}\nTP{ranks[place]}\n{short[way]}"
            for kind, place in groups
            for way in WAYS
        ]
    )
    for name, row in results["then"]["scale"].items():
        texts = [_shown(row[way][kind][place]) for kind, place in groups for way in WAYS]
        table.add_row(name, *texts)
    return table


def _scale_now(results: Mapping[str, Any]) -> Table:
    ranks = results["ranks"]
    kinds = {
        "UTPS\nrec.": ("recounted", "utps"),
        "UTPS\nmodel": ("model", "utps"),
        "STPS\nrec.": ("recounted", "stps"),
        "UTPS\nthere": ("recounted", "left"),
        "users\n": ("recounted", "users"),
    }
    groups = [(kind, place) for kind in kinds for place in range(len(ranks))]
    table = _table([f"TP{ranks[place]}\n{kind}" for kind, place in groups])
    for name, row in results["now"]["scale"].items():
        cells = [row[kinds[kind][0]][kinds[kind][1]][place] for kind, place in groups]
        table.add_row(name, *map(_shown, cells))
    return table


def _told(results: Mapping[str, Any]) -> Iterator[str]:
    for population in _populations(results):
        yield f"Of {population}:"
        for verdict in results["verdicts"]:
            if verdict["population"] == population:
                word = "holds" if verdict["holds"] else "does not hold"
                yield f"  {verdict['claim']}: {word}; {verdict['sentence']}."


def report(results: Mapping[str, Any]) -> list[RenderableType]:
    """Both tables, old beside new, those of today's models, and the verdicts."""
    return [
        "Memory held by the talk's models [GiB]: in its accounting, and as they are",
        _memory_then(results),
        "Throughput of the talk's models at 128K [1/s]: in its accounting, recounted as they are"
        " with the talk's collectives, and with those that the mapping needs",
        _scale_then(results),
        "Memory held by today's hybrids and sparse models [GiB]",
        _memory_now(results),
        "Throughput of today's hybrids and sparse models at 128K [1/s], and the largest batch",
        _scale_now(results),
        *_told(results),
        "At least: for every model of more than 100e9 parameters. Up to, give: for some model."
        " Reach: for more than half of them. GB of a claim are 1e9 bytes.",
        f"Source: {results['source']}.",
    ]


def _names(results: Mapping[str, Any]) -> list[str]:
    return [*results["then"]["memory"], *results["now"]["memory"]]


def _pair(axes: "Axes", place: int, old: float | None, new: float | None) -> None:
    """A model of the talk: from the old number to the new one."""
    if old is not None and new is not None:
        axes.plot([old, new], [place, place], color="0.6", linewidth=1.2, zorder=2)
    if old is not None:
        axes.plot(old, place, "o", color=OLD, markerfacecolor="white", zorder=3)
    if new is not None:
        axes.plot(new, place, "o", color=NEW, markersize=4, zorder=4)


def _points(results: Mapping[str, Any], quantity: str) -> Iterator[tuple[str, Any, Any]]:
    """Model, old and new number of the last column of a quantity; no old one for today's."""
    for part in ("then", "now"):
        for name, ways in results[part]["scale" if quantity != "memory" else "memory"].items():
            last = {
                way: values[-1] if quantity == "memory" else values[quantity][-1]
                for way, values in ways.items()
            }
            yield name, last.get("talk"), last["recounted"]


def _panel(axes: "Axes", results: Mapping[str, Any], quantity: str, unit: float) -> None:
    names, today = _names(results), results["now"]["memory"]
    for name, old, new in _points(results, quantity):
        place = names.index(name)
        if name in today:
            if new is not None:
                axes.plot(new / unit, place, "s", color=TODAY, markersize=5)
        else:
            _pair(axes, place, *(None if value is None else value / unit for value in (old, new)))
    axes.axhline(len(results["then"]["memory"]) - 0.5, color="0.8", linewidth=0.8)
    axes.set(xscale="log", ylim=(len(names) - 0.5, -0.5))


def _claim(axes: "Axes", value: float, text: str, side: str) -> None:
    """A number of the talk, as a line named at the top."""
    axes.axvline(value, color="black", linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    axes.annotate(
        text,
        (value, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(-2 if side == "right" else 2, 3),
        textcoords="offset points",
        ha=side,
        fontsize=7,
    )


def plot(results: Mapping[str, Any]) -> "Figure":
    """Memory, UTPS and STPS of each model, old and new, with what the talk concludes."""
    from matplotlib.figure import Figure

    names = _names(results)
    figure = Figure(figsize=(12, 2.0 + 0.24 * len(names)))
    memory, utps, stps = figure.subplots(1, 3, sharey=True)
    _panel(memory, results, "memory", GB)
    memory.set_xlabel("memory held, 32 users at 128K [GB]")
    _claim(memory, 482, "482 GB", "right")
    _claim(memory, 1100, "1.1 TB", "left")
    _panel(utps, results, "utps", 1.0)
    utps.set_xlabel("tokens a second, one user at 128K, 128 chips [1/s]")
    _claim(utps, 2000, "2,000", "right")
    _claim(utps, 5000, "5,000", "left")
    _panel(stps, results, "stps", 1.0)
    stps.set_xlabel("tokens a second, all users at 128K, 128 chips [1/s]")
    _claim(stps, 100e3, "100,000", "right")
    memory.set_yticks(range(len(names)), names)
    figure.suptitle("The talk's conclusions (dashed), its models and today's on xPU-HBM3")
    _legend(figure)
    return figure


def _legend(figure: "Figure") -> None:
    from matplotlib.lines import Line2D

    figure.legend(
        handles=[
            Line2D([], [], linestyle="none", color=color, marker=marker, label=label, mfc=fill)
            for color, marker, label, fill in (
                (OLD, "o", "as the talk counts", "white"),
                (NEW, "o", "as the model is", NEW),
                (TODAY, "s", "today's hybrid or sparse model", TODAY),
            )
        ],
        loc="outside lower center",
        ncols=3,
    )
