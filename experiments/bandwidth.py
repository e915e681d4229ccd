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

from collections.abc import Mapping
from dataclasses import dataclass
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
from experiments.roots import crossing, or_none
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


@dataclass(frozen=True)
class Config:
    """Models by their printed names, numbers of chips in tensor parallelism, points of a curve."""

    models: tuple[str, ...]
    ranks: tuple[int, ...]
    points: int


def log_speed(
    log_bandwidth: jax.Array, system: ll.System, model: ll.Model, ranks: jax.Array
) -> jax.Array:
    """Logarithm of UTPS over the logarithm of bandwidth, so that its slope is an elasticity."""
    at = talk.at_bandwidth(system, jnp.exp(log_bandwidth))
    return jnp.log(talk.step(at, model, ranks=ranks).utps)


@eqx.filter_jit
def _curve(
    bandwidths: jax.Array, system: ll.System, model: ll.Model, ranks: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """UTPS [1/s] and its elasticity at some bandwidths [B/s]."""
    both = jax.value_and_grad(log_speed)
    speed, slope = jax.vmap(lambda it: both(jnp.log(it), system, model, ranks))(bandwidths)
    return jnp.exp(speed), slope


@eqx.filter_jit
def knee(system: ll.System, model: ll.Model, ranks: jax.Array) -> jax.Array:
    """Bandwidth at which its elasticity falls to the share that still pays [B/s]."""
    slope = jax.grad(log_speed)
    return crossing(
        lambda it: slope(jnp.log(it), system, model, ranks) - PAYING, NARROW / 1e3, WIDE * 1e3
    )


@eqx.filter_jit
def _step(system: ll.System, model: ll.Model, ranks: jax.Array) -> ll.Prediction:
    return talk.step(system, model, ranks=ranks)


def _row(model: ll.Model, ranks: int, chips: Mapping[str, ll.System], points: int) -> Record:
    """One model on some chips of each bandwidth."""
    system, count = chips[BASE], jnp.asarray(float(ranks))
    axis = jnp.geomspace(NARROW, WIDE, points)
    speed, slope = _curve(axis, system, model, count)
    base = float(system.chip.memory.bandwidth)
    named = {name: float(chip.chip.memory.bandwidth) for name, chip in chips.items()}
    named |= {"8x": FACTOR * base, "unbounded": 1e6 * base}
    speeds, _ = _curve(jnp.asarray(list(named.values())), system, model, count)
    at = dict(zip(named, speeds.tolist(), strict=True))
    exposed = float(_step(system, model, count).exposed_time)
    return {
        "bandwidth": axis.tolist(),
        "utps": speed.tolist(),
        "elasticity": slope.tolist(),
        "knee": or_none(knee(system, model, count)),
        "at": at,
        "gain": {name: value / at[BASE] for name, value in at.items()},
        "fits": {name: bool(_step(chip, model, count).fits) for name, chip in chips.items()},
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


def _dominates(rows: Record, ranks: str) -> dict[str, Any]:
    """At the largest bandwidth that is not a whole wafer's."""
    knees = [row[ranks]["knee"] for row in rows.values() if row[ranks]["knee"] is not None]
    ends = (f"{edge(knees) / TIB:,.0f}" for edge in (min, max) if knees)
    paid = f"{' to '.join(ends)} TiB/s a chip" if knees else "nowhere"
    shares = {model: row[ranks]["waiting"]["SRAM"] for model, row in rows.items()}
    return DOMINATES.of(shares, also={"knees": knees}, ranks=ranks, paid=paid)


def verdicts(rows: Record) -> list[dict[str, Any]]:
    """The claims against the curves of some models."""
    ranks = list(draw.first_of(rows))
    gains = {
        f"{model}, {count} chips": row["gain"]["8x"]
        for model, by_ranks in rows.items()
        for count, row in by_ranks.items()
    }
    doubled = {
        count: {model: row[count]["gain"]["3D-DRAM"] for model, row in rows.items()}
        for count in ranks
    }
    return [
        *(DOUBLES.of(gains, ranks=count) for count, gains in doubled.items()),
        *(_dominates(rows, count) for count in ranks),
        EIGHTFOLD.of(gains),
    ]


def run(config: Config) -> dict[str, Any]:
    """Every curve with its knee, and the verdicts."""
    chips = talk.talk_chips(CHIPS)
    rows = {
        name: {str(ranks): _row(model, ranks, chips, config.points) for ranks in config.ranks}
        for name, model in talk.talk_models(config.models).items()
    }
    real = {name: ll.load_system(system) for name, system in REAL.items()}
    return {
        "context": CONTEXT,
        "paying": PAYING,
        **{
            kind: {name: float(it.chip.memory.bandwidth) for name, it in systems.items()}
            for kind, systems in (("paper", chips), ("real", real))
        },
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


def _by_ranks(results: Record) -> dict[str, Record]:
    """Rows of the models, by number of chips."""
    rows = results["rows"]
    return {it: {name: row[it] for name, row in rows.items()} for it in draw.first_of(rows)}


def report(results: Record) -> list[RenderableType]:
    """Speed at each bandwidth."""
    title = f"UTPS of one user at {CONTEXT:,} tokens [1/s], {{group}} chips: xPU-HBM3"
    title += " with the bandwidth of"
    return [
        *SPEEDS.each(title, _by_ranks(results)),
        "* those chips would not hold the model; bandwidth alone is taken from them.",
        f"Pays until: {0.1:.0%} more bandwidth buys {0.1 * PAYING:.0%}.\n",
    ]


def _panel(axes: draw.Axes, results: Record, ranks: str, rows: Record) -> draw.Ends:
    shades = draw.colours(rows)
    speeds = np.concatenate([row["utps"] for row in rows.values()])
    ends = draw.lines(
        axes,
        {name: (np.divide(it["bandwidth"], TIB), it["utps"]) for name, it in rows.items()},
        shades,
        xlim=(NARROW / TIB, WIDE / TIB),
        ylim=(speeds.min() * 0.8, speeds.max() * (speeds.max() / speeds.min()) ** 0.22),
        xlabel="memory bandwidth of a chip [TiB/s]",
        title=f"{ranks} chips",
    )
    draw.plain_logs(axes)
    for name, row in rows.items():
        if row["knee"] is not None:
            speed = np.interp(np.log(row["knee"]), np.log(row["bandwidth"]), row["utps"])
            draw.dot(axes, (row["knee"] / TIB, speed), {"marker": "o", "color": shades[name]})
    for top, weight, kind in ((0.985, "bold", "paper"), (0.915, "normal", "real")):
        for place, (name, bandwidth) in enumerate(results[kind].items()):
            axes.axvline(bandwidth / TIB, color="0.75", linewidth=0.7, zorder=0)
            draw.note(
                axes,
                name,
                (bandwidth / TIB, top - 0.03 * (place % 2)),
                xycoords=("data", "axes fraction"),
                fontweight=weight,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
            )
    return ends


def plot(results: Record) -> draw.Figure:
    """UTPS over bandwidth of each model, with chips and the ends of what pays marked."""
    by_ranks = _by_ranks(results)
    figure, (panels,) = draw.sheet(1, len(by_ranks), (6.4 * len(by_ranks), 4.6), width=draw.BESIDE)
    ends = [
        (axes, _panel(axes, results, ranks, rows))
        for axes, (ranks, rows) in zip(panels, by_ranks.items(), strict=True)
    ]
    panels[0].set_ylabel("tokens a second of one user [1/s]")
    figure.suptitle(
        "More bandwidth, all else held, at 128K tokens: dots mark where 10 % more buys 1 %"
        " (bold: the paper's chips)"
    )
    draw.name_lines(figure, ends, draw.colours(results["rows"]))
    return figure


FULL = Config(models=talk.model_names(), ranks=(8, 128), points=97)
SMOKE = Config(models=("Llama3-70B",), ranks=(8, 128), points=9)
EXPERIMENT = Experiment("bandwidth", __doc__, FULL, SMOKE, run, plot, report)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
