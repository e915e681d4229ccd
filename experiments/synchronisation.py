"""How long may a collective take before it decides the speed?

The claims, as published: exposed collectives must take about 1 us or less; above 2.5 us the gain
from bandwidth is lost (Sankaralingam, IET REACH, 2025).

One user at 128K tokens on the paper's chips in tensor parallelism, in the talk's accounting, with
every collective taking the same time, from 50 ns to 10 us. Two latencies are found for each model
and chip, by bisection on the exact model: that at which collectives take half of the step, beyond
which they dominate; and that at which a chip of more bandwidth is no more than a stated factor
faster than xPU-HBM3 with collectives of the same latency, so that the gain from bandwidth is lost.
Both depend on the number of collectives in a layer, which was fitted to the talk's table.
"""

from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from rich.console import RenderableType

import liminal_jax as ll
from experiments import drawing as draw
from experiments import talk_setting as talk
from experiments.claims import Claim, Record
from experiments.drawing import times
from experiments.nested import arrays, column, each, flat, plain, turned
from experiments.roots import crossing
from experiments.runner import Experiment, main
from experiments.tables import Column, Table
from experiments.talk_setting import CHIPS, CONTEXT, TIB

BASE = "HBM3"  # the chip over which a gain is told
FASTER = ("HBM4", "3D-DRAM")  # chips that the claims are held against: DRAM that holds the models
HALF = 0.5  # share of a step beyond which collectives dominate it
LOST = 1.25  # factor of speed below which the gain from bandwidth is called lost
CLAIMED = {"demanded": 1e-6, "too_long": 2.5e-6}  # what a collective may take, and what is lost [s]
LATENCIES = (50e-9, 10e-6)  # of the map [s]
BANDWIDTHS = (1 * TIB, 5000 * TIB)  # of the map [B/s]


def exposed_share(
    system: ll.System, model: ll.Model, ranks: jax.Array, latency: jax.Array
) -> jax.Array:
    """Share of a step spent waiting for collectives of some latency [s]."""
    whole = talk.step(talk.at_latency(system, latency), model, ranks=ranks)
    return whole.exposed_time / whole.step_time


def _half(system: ll.System, model: ll.Model, ranks: jax.Array) -> jax.Array:
    """Latency at which collectives take half of the step [s]."""
    return crossing(lambda it: HALF - exposed_share(system, model, ranks, it), 1e-12, 1.0)


@eqx.filter_jit
def dominating(systems: ll.System, model: ll.Model, ranks: jax.Array) -> jax.Array:
    """Latency at which collectives take half of the step, for each chip of a stack [s]."""
    return jax.vmap(lambda it: _half(it, model, ranks))(systems)


@eqx.filter_jit
def losing(
    systems: ll.System, base: ll.System, model: ll.Model, ranks: jax.Array, latencies: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Of each chip of a stack the latency at which its gain over a base is lost [s], and its gains.

    The gain is its speed over that of the base with collectives of the same latency; the second has
    a row for each chip, a column for each latency.
    """

    def gain(system: ll.System, latency: jax.Array) -> jax.Array:
        chips = (talk.at_latency(it, latency) for it in (system, base))
        first, second = (talk.step(it, model, ranks=ranks) for it in chips)
        return first.utps / second.utps

    lost = jax.vmap(lambda it: crossing(lambda latency: gain(it, latency) - LOST, 1e-12, 1.0))
    return lost(systems), talk.over_all(gain, systems, latencies)


@eqx.filter_jit
def _edge(system: ll.System, bandwidths: jax.Array, ranks: jax.Array, model: ll.Model) -> jax.Array:
    """Latency at which collectives begin to dominate, for each bandwidth [s]."""
    return jax.vmap(lambda it: _half(talk.at_bandwidth(system, it), model, ranks))(bandwidths)


@eqx.filter_jit
def _map(system: ll.System, model: ll.Model, ranks: jax.Array, *axes: jax.Array) -> jax.Array:
    """Share of collectives, a row for each latency, a column for each bandwidth."""

    def share(latency: jax.Array, bandwidth: jax.Array) -> jax.Array:
        return exposed_share(talk.at_bandwidth(system, bandwidth), model, ranks, latency)

    return talk.over_all(share, *axes)


def _row(chips: dict[str, ll.System], model: ll.Model, ranks: jax.Array) -> Record:
    """The two latencies of one model on each chip, and what gain is left at the claimed ones."""
    systems, claimed = talk.stacked(chips.values()), jnp.asarray(list(CLAIMED.values()))
    loses, gains = losing(systems, chips[BASE], model, ranks, claimed)
    columns = (chips, dominating(systems, model, ranks), loses, gains)
    return plain(
        {
            name: {"dominates": half, "loses": lost, "gain": dict(zip(CLAIMED, gain, strict=True))}
            for name, half, lost, gain in zip(*columns, strict=True)
        }
    )


DEMANDS = Claim(
    "exposed collectives must take about 1 us or less, {ranks} chips",
    lambda latency: latency <= CLAIMED["demanded"],
    "collectives take half of the step from {ends[0]:.2g} to {ends[1]:.2g} us, {middle:.2g} us in"
    " the middle of {count} cases; {patient} bear more than 1 us: {others}",
    lambda latency: f"{latency * 1e6:.1f} us",
)
LOSES = Claim(
    "above 2.5 us the gain from bandwidth is lost, {ranks} chips",
    lambda gain: gain <= LOST,
    f"with collectives of 2.5 us {{yes}} of {{count}} cases are at most {LOST}x faster than {BASE}"
    " with the same; a gain is left to {others}. One user; a larger batch reads more between two"
    " collectives and bears more",
    "{:.1f}x",
)


def verdicts(rows: Record) -> list[dict[str, Any]]:
    """The claims, for each number of chips."""
    found = []
    for ranks, by_model in turned(rows).items():
        faster = {model: {chip: row[chip] for chip in FASTER} for model, row in by_model.items()}
        cells = flat(faster, "{0} on {1}")
        latencies = column(cells, "dominates")
        micro = sorted(it * 1e6 for it in latencies.values())
        words = {"ends": (micro[0], micro[-1]), "middle": micro[len(micro) // 2]}
        patient = sum(not DEMANDS.holds(it) for it in latencies.values())
        gains, lost = column(cells, "gain", "too_long"), {"loses": column(cells, "loses")}
        found.append(DEMANDS.of(latencies, ranks=ranks, patient=patient, **words))
        found.append(LOSES.of(gains, also=lost, ranks=ranks))
    return found


def run(
    models: tuple[str, ...] = talk.model_names(),
    ranks: tuple[int, ...] = (8, 128),
    mapped: str = "Llama3-405B",
    points: int = 61,
) -> dict[str, Any]:
    """Both latencies of each model and chip, the map of one model, and the edges of all.

    Models go by their printed names; the map is of the last number of chips.
    """
    chips, counted = talk.talk_chips(CHIPS), talk.talk_models(models)
    base, most = chips[BASE], jnp.asarray(float(ranks[-1]))
    bandwidths, latencies = (jnp.geomspace(*it, points) for it in (BANDWIDTHS, LATENCIES))
    rows = each(partial(_row, chips), counted, arrays(ranks))
    return {
        "context": CONTEXT,
        "lost": LOST,
        "claimed": CLAIMED,
        "bandwidths": bandwidths.tolist(),
        "latencies": latencies.tolist(),
        "ranks": ranks[-1],
        "chips": talk.bandwidths(chips),
        "mapped": mapped,
        "map": _map(base, counted[mapped], most, latencies, bandwidths).tolist(),
        "edges": each(lambda it: _edge(base, bandwidths, most, it).tolist(), counted),
        "rows": rows,
        "verdicts": verdicts(rows),
    }


def _micro(seconds: float | None) -> str:
    """Microseconds in two digits or so.

    Examples:
        >>> _micro(142e-6), _micro(1.44e-6), _micro(51e-9), _micro(0.4e-9), _micro(None)
        ('142', '1.4', '0.051', '<0.001', '-')
    """
    if seconds is None:
        return "-"
    micro = seconds * 1e6
    if micro < 0.001:
        return "<0.001"
    return f"{micro:,.0f}" if micro >= 10 else f"{micro:.2g}"


TABLE = Table(
    "model",
    [
        *(Column(f"half\n{it}", (it, "dominates"), _micro) for it in CHIPS),
        *(Column(f"lost\n{it}", (it, "loses"), _micro) for it in FASTER),
        *(Column(f"at 2.5\n{it}", (it, "gain", "too_long"), times) for it in FASTER),
    ],
)


def report(results: Record) -> list[RenderableType]:
    """Both latencies of each model and chip."""
    title = "Largest latency of a collective [us], one user, {group} chips: half, until collectives"
    title += f" take half of the step; lost, until the chip is {results['lost']}x as fast as HBM3;"
    title += " at 2.5, how much faster it is with collectives of 2.5 us"
    return TABLE.each(title, turned(results["rows"]))


def _frame(axes: draw.Axes, results: Record, shade: str, title: str) -> None:
    """Bandwidths of chips, and latencies of the claims."""
    axes.set(
        xlim=(BANDWIDTHS[0] / TIB, BANDWIDTHS[1] / TIB),
        ylim=(LATENCIES[0] * 1e6, LATENCIES[1] * 1e6),
        xlabel="memory bandwidth of a chip [TiB/s]",
        ylabel="latency of a collective [us]",
    )
    draw.plain_logs(axes)
    axes.set_title(title, pad=22)
    for place, (name, bandwidth) in enumerate(results["chips"].items()):
        lift = 2 + 8 * (place % 2)
        draw.mark_x(axes, bandwidth / TIB, name, lift, color=shade, linewidth=0.7, linestyle="-")
    for latency in CLAIMED.values():
        draw.mark_y(axes, latency * 1e6, f"claim: {latency * 1e6:g} us")


def _draw_map(axes: draw.Axes, results: Record) -> None:
    from matplotlib import colormaps

    levels = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
    shades = [colormaps["cividis"](level) for level in (0.0, 0.2, 0.4, 0.62, 0.8, 1.0)]
    grid = np.divide(results["bandwidths"], TIB), np.multiply(results["latencies"], 1e6)
    axes.contourf(*grid, results["map"], levels=levels, colors=shades)
    lines = axes.contour(*grid, results["map"], levels=levels[1:-1], colors="white", linewidths=0.6)
    names = ["white", "white", "white", "black", "black"]  # on dark and on light
    axes.clabel(lines, fmt=lambda level: f"{level:.0%}", fontsize=7, colors=names)
    axes.grid(visible=False)


def plot(results: Record) -> draw.Figure:
    """The share of collectives over bandwidth and latency, and where it passes a half."""
    figure, ((left, right),) = draw.sheet(1, 2, (12.4, 4.8), width=draw.BESIDE)
    _frame(left, results, "white", f"share of collectives: {results['mapped']}")
    _frame(right, results, "0.75", "above its line a model waits for collectives")
    _draw_map(left, results)
    bandwidths, shades = np.divide(results["bandwidths"], TIB), draw.colours(results["edges"])
    edges = {name: (bandwidths, np.multiply(it, 1e6)) for name, it in results["edges"].items()}
    ends = draw.lines(right, edges, shades)
    right.set_ylim(bottom=0.7 * min(end for _, end in ends.values()))
    figure.suptitle(
        f"Where collectives decide the speed: one user at 128K tokens, {results['ranks']} chips"
    )
    draw.name_lines(figure, [(right, ends)], shades)
    return figure


SMOKE = {"models": ("Llama3-70B",), "mapped": "Llama3-70B", "points": 5}
EXPERIMENT = Experiment("synchronisation", __doc__, run, SMOKE, plot, report)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
