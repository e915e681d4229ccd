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

import liminal_jax as ll
from experiments.bandwidth_view import plot, report
from experiments.roots import crossing, or_none
from experiments.runner import Experiment, main
from experiments.talk_setting import (
    CHIPS,
    CONTEXT,
    DRAM,
    TIB,
    at_bandwidth,
    model_names,
    step,
    talk_chips,
    talk_models,
)
from experiments.verdicts import judged, listed, summary, verdict

BASE = "HBM3"
"""The chip that everything is compared with."""

REAL = {
    "H100": "h100",
    "B200": "b200",
    "Rubin": "rubin",
    "LP30": "groq-lp30",
    "WSE-3": "cerebras-wse-3",
}
"""Chips that exist, from HBM3 to a wafer, whose bandwidth is marked."""

PAYING = 0.1
"""Elasticity below which bandwidth has stopped paying: ten per cent more buys one."""

FACTOR = 8.0
"""The paper's factor of bandwidth."""

PAPER = (1.1, 4.5)
"""What it is said to buy: the least and the most."""

DOUBLE = 2.0
"""What more bandwidth is said to do to speed, at least."""

LARGE = "SRAM"
"""The chip whose bandwidth is called large: the highest that is not a whole wafer."""

NARROW, WIDE = 0.5 * TIB, 40000 * TIB
"""Bandwidths between which curves are drawn and roots are sought [B/s]."""


@dataclass(frozen=True)
class Config:
    """What is computed.

    Attributes:
        models: Printed names of the models.
        ranks: Numbers of chips, in tensor parallelism.
        points: Points of a curve.
    """

    models: tuple[str, ...]
    ranks: tuple[int, ...]
    points: int


def log_speed(
    log_bandwidth: jax.Array, system: ll.System, model: ll.Model, ranks: jax.Array
) -> jax.Array:
    """Logarithm of UTPS over the logarithm of bandwidth, so that its slope is an elasticity."""
    return jnp.log(step(at_bandwidth(system, jnp.exp(log_bandwidth)), model, ranks=ranks).utps)


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
    return step(system, model, ranks=ranks)


def _speeds(
    bandwidths: Mapping[str, float], system: ll.System, model: ll.Model, ranks: jax.Array
) -> dict[str, float]:
    speed, _ = _curve(jnp.asarray(list(bandwidths.values())), system, model, ranks)
    return dict(zip(bandwidths, speed.tolist(), strict=True))


def _row(
    model: ll.Model, ranks: int, chips: Mapping[str, ll.System], config: Config
) -> dict[str, Any]:
    """One model on some chips of each bandwidth."""
    system, count = chips[BASE], jnp.asarray(float(ranks))
    axis = jnp.geomspace(NARROW, WIDE, config.points)
    speed, slope = _curve(axis, system, model, count)
    base = float(system.chip.memory.bandwidth)
    paper = {name: float(chip.chip.memory.bandwidth) for name, chip in chips.items()}
    at = _speeds({**paper, "8x": FACTOR * base, "unbounded": 1e6 * base}, system, model, count)
    fits = {name: bool(_step(chip, model, count).fits) for name, chip in chips.items()}
    exposed = float(_step(system, model, count).exposed_time)
    return {
        "bandwidth": axis.tolist(),
        "utps": speed.tolist(),
        "elasticity": slope.tolist(),
        "knee": or_none(knee(system, model, count)),
        "at": at,
        "gain": {name: value / at[BASE] for name, value in at.items()},
        "fits": fits,
        "waiting": {name: exposed * value for name, value in at.items()},
    }


def _eightfold(rows: Mapping[str, Any]) -> dict[str, Any]:
    """The paper's range, over all models and numbers of chips."""
    gains = {
        f"{model}, {ranks} chips": row["gain"]["8x"]
        for model, by_ranks in rows.items()
        for ranks, row in by_ranks.items()
    }
    least, most = min(gains, key=gains.__getitem__), max(gains, key=gains.__getitem__)
    within = {name: PAPER[0] <= round(gain, 1) <= PAPER[1] for name, gain in gains.items()}
    return verdict(
        f"{FACTOR:.0f}x bandwidth buys {PAPER[0]} to {PAPER[1]}x",
        judged(within),
        gains,
        f"{sum(within.values())} of {len(within)} cases do; least {gains[least]:.2f}x ({least}),"
        f" most {gains[most]:.2f}x ({most}). Beyond the range, for one user: "
        f"{listed([name for name, inside in within.items() if not inside])}",
    )


def _doubles(rows: Mapping[str, Any], ranks: str) -> dict[str, Any]:
    """Whether DRAM of more bandwidth doubles speed."""
    gains = {model: row[ranks]["gain"][DRAM[-1]] for model, row in rows.items()}
    double = {model: gain >= DOUBLE for model, gain in gains.items()}
    yes = [f"{model} {gains[model]:.1f}x" for model, it in double.items() if it]
    return verdict(
        f"performance doubles or triples with more bandwidth, {ranks} chips",
        judged(double),
        gains,
        f"at the bandwidth of {DRAM[-1]} {len(yes)} of {len(gains)} models are at least twice as"
        f" fast as with {BASE}: {listed(yes)}; the least gain is {min(gains.values()):.1f}x."
        " One user; more chips leave less to gain, as their collectives stay",
    )


def _dominates(rows: Mapping[str, Any], ranks: str) -> dict[str, Any]:
    """Whether synchronisation takes more than half of a step at the bandwidth of a wafer."""
    shares = {model: row[ranks]["waiting"][LARGE] for model, row in rows.items()}
    cases = {model: share > 0.5 for model, share in shares.items()}
    knees = [row[ranks]["knee"] for row in rows.values() if row[ranks]["knee"] is not None]
    paid = (
        f"{min(knees) / TIB:,.0f} to {max(knees) / TIB:,.0f} TiB/s a chip" if knees else "nowhere"
    )
    return verdict(
        f"synchronisation dominates at large bandwidth, {ranks} chips",
        judged(cases),
        {**shares, "knees": knees},
        f"at the bandwidth of {LARGE} collectives take more than half of the step for"
        f" {sum(cases.values())} of {len(cases)} models; ten per cent more bandwidth buys less than"
        f" one per cent from {paid}. This rests on the fitted latency of a collective",
    )


def verdicts(rows: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The claims against the curves of some models."""
    ranks = list(next(iter(rows.values())))
    return [
        *(_doubles(rows, count) for count in ranks),
        *(_dominates(rows, count) for count in ranks),
        _eightfold(rows),
    ]


def run(config: Config) -> dict[str, Any]:
    """Every curve with its knee, and the verdicts."""
    chips = talk_chips(CHIPS)
    rows = {
        name: {str(ranks): _row(model, ranks, chips, config) for ranks in config.ranks}
        for name, model in talk_models(config.models).items()
    }
    return {
        "context": CONTEXT,
        "paying": PAYING,
        "paper": {name: float(chip.chip.memory.bandwidth) for name, chip in chips.items()},
        "real": {
            name: float(ll.load_system(system).chip.memory.bandwidth)
            for name, system in REAL.items()
        },
        "rows": rows,
        "verdicts": verdicts(rows),
    }


EXPERIMENT = Experiment(
    name="bandwidth",
    question=__doc__,
    full=Config(models=model_names(), ranks=(8, 128), points=97),
    smoke=Config(models=("Llama3-70B",), ranks=(8, 128), points=9),
    run=run,
    plot=plot,
    report=report,
    summary=summary,
)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
