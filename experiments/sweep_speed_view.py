"""How the results of `sweep_speed` are told and drawn."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import RenderableType
from rich.table import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GOALS = {
    "closed_form_ratio": 10.0,
    "gradient_ratio": 4.0,
    "disk_ratio": 0.7,
    "memory_ratio": 1.1,
    "float32_error": 1e-5,
}
"""At most so much; of `disk_ratio` at least."""

_NAMES = {
    "closed_form": "ten lines, written",
    "closed_form_consumed": "ten lines, consumed",
    "outputs": "model, 28 outputs, consumed",
    "gradient": "value and 12 slopes, consumed",
    "outputs_written": "model, 28 outputs, written",
    "copied": "28 copies, written",
    "as_traced": "model as traced, written",
}


def _rates(results: Mapping[str, Any]) -> Mapping[str, Any]:
    """Points a second at the chunk that the summary is about."""
    return next(it for it in results["speed"] if it["chunk"] == results["chunk"])


def _rate(run: Mapping[str, Any]) -> float:
    return run["points"] / run["seconds"]


def _raw(results: Mapping[str, Any]) -> float:
    """Points a second that the disk takes, of those that are kept."""
    disk = results["disk"]
    return disk["bytes"] / disk["seconds"] / disk["row"]


def summary(results: Mapping[str, Any]) -> dict[str, Any]:
    """The six figures, and what else was promised."""
    rates, sweeps = _rates(results), results["sweeps"]
    slower = min(rates["outputs"], _raw(results))
    return {
        "closed_form_ratio": rates["closed_form"] / rates["outputs"],
        "gradient_ratio": rates["outputs"] / rates["gradient"],
        "disk_ratio": _rate(sweeps["kept"]) / slower,
        "memory_ratio": sweeps["many"]["memory"] / sweeps["few"]["memory"],
        "float32_error": results["precision"]["outputs"],
        "points_per_second": _rate(sweeps["grid"]),
    }


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number else "left")
    return table


def _speeds(results: Mapping[str, Any]) -> Table:
    chunks = [f"{it['chunk']:,}" for it in results["speed"]]
    table = _table("million points/s, by points a call", *chunks)
    for name, words in _NAMES.items():
        table.add_row(words, *(f"{it[name] / 1e6:.1f}" for it in results["speed"]))
    ratios = [it["closed_form"] / it["outputs"] for it in results["speed"]]
    table.add_row("ratio to the ten lines", *(f"{it:.1f}" for it in ratios))
    consumed = [it["closed_form_consumed"] / it["outputs"] for it in results["speed"]]
    table.add_row("  both consumed", *(f"{it:.1f}" for it in consumed))
    written = [it["closed_form"] / it["outputs_written"] for it in results["speed"]]
    table.add_row("  both written", *(f"{it:.1f}" for it in written))
    copied = [it["closed_form"] / it["copied"] for it in results["speed"]]
    table.add_row("  28 copies, written", *(f"{it:.1f}" for it in copied))
    return table


def _whole(results: Mapping[str, Any]) -> Table:
    sweeps, rates = results["sweeps"], _rates(results)
    table = _table("whole sweeps", "points", "s", "million/s", "peak memory", "of what is possible")
    possible = {
        "many": _rate(sweeps["many"]) / rates["outputs"],
        "kept": summary(results)["disk_ratio"],
    }
    words = {"few": "Sobol", "many": "Sobol", "grid": "grid", "kept": "grid, kept"}
    for name, run in sweeps.items():
        share = f"{possible[name]:.0%}" if name in possible else ""
        table.add_row(
            words[name],
            f"{run['points']:,}",
            f"{run['seconds']:.1f}",
            f"{_rate(run) / 1e6:.1f}",
            f"{run['memory'] / 2**20:.0f} MiB",
            share,
        )
    return table


def _scaling(results: Mapping[str, Any]) -> Table:
    table = _table("scaling", "processes", "devices each", "points", "million/s")
    for it in results["scaling"]:
        table.add_row(
            it["kind"],
            str(it["processes"]),
            str(it["devices"]),
            f"{it['points']:,}",
            f"{_rate(it) / 1e6:.1f}",
        )
    return table


def report(results: Mapping[str, Any]) -> Sequence[RenderableType]:
    """Rates, sweeps, scaling, and the rest in words."""
    roofline, precision = results["roofline"], results["precision"]
    operations = {name: sum(it.values()) for name, it in roofline["operations"].items()}
    return (
        f"{results['cores']} cores, {results['devices']} devices; "
        f"load average {results['load'][0]:.1f} at the end of the first part",
        _speeds(results),
        f"{results['traced']:,} equations traced; {operations['outputs']} operations a point are"
        f" left for all outputs, {operations['gradient']} for value and slopes.",
        f"{roofline['arithmetic_share']:.0%} of the arithmetic that these cores reach"
        f" ({roofline['arithmetic_peak'] / 1e9:.1f} GFLOP/s), {roofline['memory_share']:.0%} of"
        f" their memory bandwidth ({roofline['memory_peak'] / 1e9:.1f} GB/s).",
        f"Single precision: {precision['outputs']:.1e} off in the outputs,"
        f" {precision['elasticities']:.1e} in elasticities, of"
        f" {precision['points']:,} points; at {precision['turned']:,} a choice turned over, and"
        f" {precision['kinks']:,} lie at a kink.",
        _whole(results),
        _scaling(results),
    )


def _by_chunk(axes: "Axes", results: Mapping[str, Any]) -> None:
    chunks = [it["chunk"] for it in results["speed"]]
    for name, words in _NAMES.items():
        if name not in ("closed_form_consumed", "copied"):
            axes.plot(chunks, [it[name] for it in results["speed"]], "o-", label=words)
    axes.set(xscale="log", yscale="log", xlabel="points a call", ylabel="points a second")
    axes.legend(frameon=False, fontsize=7)


def _by_devices(axes: "Axes", results: Mapping[str, Any]) -> None:
    for kind in ("strong", "weak"):
        for processes in sorted({it["processes"] for it in results["scaling"]}):
            rows = [
                it
                for it in results["scaling"]
                if it["kind"] == kind and it["processes"] == processes
            ]
            words = f"{kind}, {processes} process{'es' if processes > 1 else ''}"
            axes.plot([it["devices"] for it in rows], list(map(_rate, rows)), "o-", label=words)
    axes.set(xscale="log", xlabel="virtual devices of a process", ylabel="points a second")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=7)


def plot(results: Mapping[str, Any]) -> "Figure":
    """Rates over the size of a call, and over devices."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    _by_chunk(left, results)
    _by_devices(right, results)
    left.set_title("functions", loc="left", fontsize=10)
    right.set_title(f"sweeps on {results['cores']} cores", loc="left", fontsize=10)
    return figure
