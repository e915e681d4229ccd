"""How far does more memory bandwidth take a single user, and where does it stop paying?

The claims, as published: at 128K tokens of context, performance can double or triple with more
bandwidth, but synchronisation dominates at large bandwidth (Sankaralingam, IET REACH, 2025); eight
times the bandwidth buys 1.1 to 4.5 times the speed (arXiv:2507.14397).

The talk's chip, xPU-HBM3, is given other bandwidths; its arithmetic, the collectives and the number
of chips are held, and so is what fits: capacity is told apart. Bandwidths of the paper's chips and
of chips that exist are marked. The elasticity of speed in bandwidth is a gradient; more bandwidth
stops paying where it falls to a stated share. One user, in the talk's accounting; the latency of a
collective was fitted to the talk's own table.
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
from experiments.drawing import short, times
from experiments.nested import arrays, column, each, flat, plain, turned
from experiments.roots import crossing
from experiments.runner import Experiment, main
from experiments.tables import Column, Table
from experiments.talk_setting import CHIPS, CONTEXT, TIB

BASE = "HBM3"  # the chip that everything is compared with

REAL = {"H100": "h100", "B200": "b200", "Rubin": "rubin", "LP30": "groq-lp30",
        "WSE-3": "cerebras-wse-3"}  # fmt: skip
"""Chips that exist, from HBM3 to a wafer, whose bandwidth is marked."""

PAYING = 0.1  # elasticity below which bandwidth has stopped paying: ten per cent more buys one
FACTOR, PAPER = 8.0, (1.1, 4.5)  # the paper's factor of bandwidth, and what it is said to buy
NARROW, WIDE = 0.5 * TIB, 40000 * TIB  # ends of the curves and of the search for roots [B/s]


def log_speed(
    log_bandwidth: jax.Array, system: ll.System, model: ll.Model, ranks: jax.Array
) -> jax.Array:
    """Logarithm of UTPS over the logarithm of bandwidth, so that its slope is an elasticity."""
    at = talk.at_bandwidth(system, jnp.exp(log_bandwidth))
    return jnp.log(talk.step(at, model, ranks=ranks).utps)


@eqx.filter_jit
def curve(
    bandwidths: jax.Array, system: ll.System, model: ll.Model, ranks: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """UTPS [1/s] and its elasticity at some bandwidths [B/s], and where bandwidth stops paying."""

    def both(bandwidth: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jax.value_and_grad(log_speed)(jnp.log(bandwidth), system, model, ranks)

    speed, slope = jax.vmap(both)(bandwidths)
    knee = crossing(lambda it: both(it)[1] - PAYING, NARROW / 1e3, WIDE * 1e3)
    return jnp.exp(speed), slope, knee


def _row(chips: dict[str, ll.System], points: int, model: ll.Model, ranks: jax.Array) -> Record:
    """One model on so many chips of each bandwidth."""
    base, axis = chips[BASE], jnp.geomspace(NARROW, WIDE, points)
    speed, slope, knee = curve(axis, base, model, ranks)
    named = talk.bandwidths(chips)
    named |= {"8x": FACTOR * named[BASE], "unbounded": 1e6 * named[BASE]}
    speeds, *_ = curve(jnp.asarray(list(named.values())), base, model, ranks)
    at = dict(zip(named, speeds.tolist(), strict=True))
    steps = talk.steps(talk.stacked(chips.values()), model, ranks)
    exposed = float(steps.exposed_time[list(chips).index(BASE)])
    return {
        **plain({"bandwidth": axis, "utps": speed, "elasticity": slope, "knee": knee}),
        "at": at,
        "gain": {name: value / at[BASE] for name, value in at.items()},
        "fits": dict(zip(chips, steps.fits.tolist(), strict=True)),
        "waiting": {name: exposed * value for name, value in at.items()},
    }


DOUBLES = Claim(
    "performance doubles or triples with more bandwidth, {ranks} chips",
    lambda gain: gain >= 2,
    "at the bandwidth of 3D-DRAM {yes} of {count} models are at least twice as fast as with HBM3:"
    " {held}; the least gain is {least}. One user; more chips leave less to gain, as their"
    " collectives stay",
    "{:.1f}x",
)
DOMINATES = Claim(
    "synchronisation dominates at large bandwidth, {ranks} chips",
    lambda share: share > 0.5,
    "at the bandwidth of SRAM collectives take more than half of the step for {yes} of {count}"
    " models; ten per cent more bandwidth buys less than one per cent from {paid}. This rests on"
    " the fitted latency of a collective",
)
EIGHTFOLD = Claim(
    f"{FACTOR:.0f}x bandwidth buys {PAPER[0]} to {PAPER[1]}x",
    lambda gain: PAPER[0] <= round(gain, 1) <= PAPER[1],
    "{yes} of {count} cases do; least {least} ({least_of}), most {most} ({most_of}). Beyond the"
    " range, for one user: {others:names}",
    "{:.2f}x",
)


def _dominates(ranks: str, rows: Record) -> dict[str, Any]:
    """At the largest bandwidth that is not a whole wafer's."""
    knees = [it for it in column(rows, "knee").values() if it is not None]
    ends = [f"{edge(knees) / TIB:,.0f}" for edge in (min, max) if knees]
    paid = f"{' to '.join(ends)} TiB/s a chip" if knees else "nowhere"
    shares = column(rows, "waiting", "SRAM")
    return DOMINATES.of(shares, also={"knees": knees}, ranks=ranks, paid=paid)


def verdicts(rows: Record) -> list[dict[str, Any]]:
    """The claims against the curves of some models."""
    by_ranks = turned(rows)
    doubled = {ranks: column(its, "gain", "3D-DRAM") for ranks, its in by_ranks.items()}
    return [
        *(DOUBLES.of(gains, ranks=ranks) for ranks, gains in doubled.items()),
        *(_dominates(ranks, its) for ranks, its in by_ranks.items()),
        EIGHTFOLD.of(column(flat(rows, "{0}, {1} chips"), "gain", "8x")),
    ]


def run(
    models: tuple[str, ...] = talk.model_names(),
    ranks: tuple[int, ...] = (8, 128),
    points: int = 97,
) -> dict[str, Any]:
    """Every curve with its knee, and the verdicts.

    Models go by their printed names; ranks are chips in tensor parallelism.
    """
    chips = talk.talk_chips(CHIPS)
    row = partial(_row, chips, points)
    rows = each(row, talk.talk_models(models), arrays(ranks))
    return {
        "context": CONTEXT,
        "paying": PAYING,
        "paper": talk.bandwidths(chips),
        "real": talk.bandwidths({name: ll.load_system(it) for name, it in REAL.items()}),
        "rows": rows,
        "verdicts": verdicts(rows),
    }


SPEEDS = Table(
    "model",
    [
        *(
            Column(it, lambda row, it=it: short(row["at"][it]) + "*" * (not row["fits"][it]))
            for it in CHIPS
        ),
        Column("8x HBM3\ngain", ("gain", "8x"), times),
        Column("unbounded\ngain", ("gain", "unbounded"), times),
        Column("pays until", lambda row: row["knee"] and row["knee"] / TIB, "{:,.0f}", "TiB/s"),
    ],
)


def report(results: Record) -> list[RenderableType]:
    """Speed at each bandwidth."""
    title = f"UTPS of one user at {CONTEXT:,} tokens [1/s], {{group}} chips: xPU-HBM3"
    return [
        *SPEEDS.each(f"{title} with the bandwidth of", turned(results["rows"])),
        "* those chips would not hold the model; bandwidth alone is taken from them.",
        f"Pays until: {0.1:.0%} more bandwidth buys {0.1 * PAYING:.0%}.\n",
    ]


def _panel(axes: draw.Axes, rows: Record, results: Record) -> draw.Ends:
    """The curves of some models, where they stop paying, and the bandwidths of chips."""
    shades, speeds = draw.colours(rows), np.concatenate(list(column(rows, "utps").values()))
    ends = draw.lines(
        axes,
        {name: (np.divide(it["bandwidth"], TIB), it["utps"]) for name, it in rows.items()},
        shades,
        xlim=(NARROW / TIB, WIDE / TIB),
        ylim=(speeds.min() * 0.8, speeds.max() * (speeds.max() / speeds.min()) ** 0.22),
        xlabel="memory bandwidth of a chip [TiB/s]",
    )
    draw.plain_logs(axes)
    for name, row in rows.items():
        if row["knee"] is not None:
            speed = np.interp(np.log(row["knee"]), np.log(row["bandwidth"]), row["utps"])
            draw.dot(axes, (row["knee"] / TIB, speed), {"marker": "o", "color": shades[name]})
    for top, weight, kind in ((0.985, "bold", "paper"), (0.915, "normal", "real")):
        for place, (name, bandwidth) in enumerate(results[kind].items()):
            axes.axvline(bandwidth / TIB, color="0.75", linewidth=0.7, zorder=0)
            at = (bandwidth / TIB, top - 0.03 * (place % 2))
            box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
            draw.note(axes, name, at, xycoords=draw.ALONG, fontweight=weight, bbox=box)
    return ends


def plot(results: Record) -> draw.Figure:
    """UTPS over bandwidth of each model, with chips and the ends of what pays marked."""
    by_ranks = {f"{ranks} chips": rows for ranks, rows in turned(results["rows"]).items()}
    return draw.panels(
        by_ranks,
        lambda axes, rows: _panel(axes, rows, results),
        (6.4 * len(by_ranks), 4.6),
        width=draw.BESIDE,
        title="More bandwidth, all else held, at 128K tokens: dots mark where 10 % more buys 1 %"
        " (bold: the paper's chips)",
        ylabel="tokens a second of one user [1/s]",
        shades=draw.colours(results["rows"]),
    )


SMOKE = {"models": ("Llama3-70B",), "points": 9}
EXPERIMENT = Experiment("bandwidth", __doc__, run, SMOKE, plot, report)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
