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

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

import liminal_jax as ll
from experiments.claims import judged, listed, summary, verdict
from experiments.roots import crossing, or_none
from experiments.runner import Experiment, main
from experiments.synchronisation_view import plot, report
from experiments.talk_setting import (
    CHIPS,
    CONTEXT,
    TIB,
    at_bandwidth,
    at_latency,
    model_names,
    stacked,
    step,
    talk_chips,
    talk_models,
)

BASE = "HBM3"
"""The chip over which a gain is told."""

FASTER = ("HBM4", "3D-DRAM")
"""Chips of more bandwidth that the claims are held against: DRAM that can hold the models."""

HALF = 0.5
"""Share of a step beyond which collectives dominate it."""

LOST = 1.25
"""Factor of speed below which the gain from bandwidth is called lost."""

DEMANDED, TOO_LONG = 1e-6, 2.5e-6
"""What a collective is said to have to take at most, and what loses the gain [s]."""

SHORT, LONG = 50e-9, 10e-6
"""Latencies of the map [s]."""

LEAST, MOST = 1e-12, 1.0
"""Latencies between which roots are sought [s]."""

NARROW, WIDE = 1 * TIB, 5000 * TIB
"""Bandwidths of the map [B/s]."""


@dataclass(frozen=True)
class Config:
    """What is computed.

    Attributes:
        models: Printed names of the models.
        ranks: Numbers of chips, in tensor parallelism; the map is drawn for the last.
        mapped: The model of the map.
        points: Points of each axis of the map.
    """

    models: tuple[str, ...]
    ranks: tuple[int, ...]
    mapped: str
    points: int


def exposed_share(
    system: ll.System, model: ll.Model, ranks: jax.Array, latency: jax.Array
) -> jax.Array:
    """Share of a step spent waiting for collectives of some latency [s]."""
    whole = step(at_latency(system, latency), model, ranks=ranks)
    return whole.exposed_time / whole.step_time


def gain(
    chips: tuple[ll.System, ll.System], model: ll.Model, ranks: jax.Array, latency: jax.Array
) -> jax.Array:
    """Speed of the first chip over that of the second, with collectives of one latency [s]."""
    first, second = (step(at_latency(it, latency), model, ranks=ranks) for it in chips)
    return first.utps / second.utps


def _largest(excess: Callable[[jax.Array], jax.Array]) -> jax.Array:
    """The latency at which an excess is used up [s]."""
    return crossing(excess, LEAST, MOST)


@eqx.filter_jit
def dominating(systems: ll.System, model: ll.Model, ranks: jax.Array) -> jax.Array:
    """Latency at which collectives take half of the step, for each chip of a stack [s]."""
    return jax.vmap(
        lambda it: _largest(lambda latency: HALF - exposed_share(it, model, ranks, latency))
    )(systems)


@eqx.filter_jit
def losing(systems: ll.System, base: ll.System, model: ll.Model, ranks: jax.Array) -> jax.Array:
    """Latency at which the gain over a base is lost, for each chip of a stack [s]."""
    return jax.vmap(
        lambda it: _largest(lambda latency: gain((it, base), model, ranks, latency) - LOST)
    )(systems)


@eqx.filter_jit
def _gains(
    systems: ll.System, base: ll.System, model: ll.Model, ranks: jax.Array, latencies: jax.Array
) -> jax.Array:
    """Gains over a base, a row for each chip of a stack, a column for each latency."""
    return jax.vmap(
        lambda it: jax.vmap(lambda latency: gain((it, base), model, ranks, latency))(latencies)
    )(systems)


@eqx.filter_jit
def _edge(system: ll.System, model: ll.Model, ranks: jax.Array, bandwidths: jax.Array) -> jax.Array:
    """Latency at which collectives begin to dominate, for each bandwidth [s]."""
    return jax.vmap(
        lambda bandwidth: _largest(
            lambda latency: (
                HALF - exposed_share(at_bandwidth(system, bandwidth), model, ranks, latency)
            )
        )
    )(bandwidths)


@eqx.filter_jit
def _map(
    system: ll.System,
    model: ll.Model,
    ranks: jax.Array,
    bandwidths: jax.Array,
    latencies: jax.Array,
) -> jax.Array:
    """Share of collectives, a row for each latency, a column for each bandwidth."""

    def share(latency: jax.Array, bandwidth: jax.Array) -> jax.Array:
        return exposed_share(at_bandwidth(system, bandwidth), model, ranks, latency)

    rows = jax.vmap(share, in_axes=(None, 0))
    return jax.vmap(rows, in_axes=(0, None))(latencies, bandwidths)


def _row(model: ll.Model, ranks: int, chips: Mapping[str, ll.System]) -> dict[str, Any]:
    """The two latencies of one model on each chip, and what gain is left at the claimed ones."""
    count, systems = jnp.asarray(float(ranks)), stacked(chips.values())
    claimed = jnp.asarray([DEMANDED, TOO_LONG])
    dominates = dominating(systems, model, count)
    loses = losing(systems, chips[BASE], model, count)
    gains = _gains(systems, chips[BASE], model, count, claimed)
    return {
        name: {
            "dominates": or_none(dominates[place]),
            "loses": or_none(loses[place]),
            "gain": {"demanded": float(gains[place, 0]), "too_long": float(gains[place, 1])},
        }
        for place, name in enumerate(chips)
    }


def _cases(rows: Mapping[str, Any], ranks: str) -> dict[str, Mapping[str, Any]]:
    """Cells of the chips that the claims are about."""
    return {
        f"{model} on {chip}": by_ranks[ranks][chip]
        for model, by_ranks in rows.items()
        for chip in FASTER
    }


def _demands(rows: Mapping[str, Any], ranks: str) -> dict[str, Any]:
    latencies = {name: cell["dominates"] for name, cell in _cases(rows, ranks).items()}
    cases = {name: it <= DEMANDED for name, it in latencies.items()}
    patient = [f"{name} {latencies[name] * 1e6:.1f} us" for name, it in cases.items() if not it]
    ordered = sorted(latencies.values())
    return verdict(
        f"exposed collectives must take about 1 us or less, {ranks} chips",
        judged(cases),
        latencies,
        f"collectives take half of the step from {ordered[0] * 1e6:.2g} to"
        f" {ordered[-1] * 1e6:.2g} us, {ordered[len(ordered) // 2] * 1e6:.2g} us in the middle of"
        f" {len(cases)} cases; {len(patient)} bear more than 1 us: {listed(patient)}",
    )


def _loses(rows: Mapping[str, Any], ranks: str) -> dict[str, Any]:
    cells = _cases(rows, ranks)
    gains = {name: cell["gain"]["too_long"] for name, cell in cells.items()}
    cases = {name: it <= LOST for name, it in gains.items()}
    kept = [f"{name} {gains[name]:.1f}x" for name, it in cases.items() if not it]
    return verdict(
        f"above 2.5 us the gain from bandwidth is lost, {ranks} chips",
        judged(cases),
        {**gains, "loses": {name: cell["loses"] for name, cell in cells.items()}},
        f"with collectives of 2.5 us {sum(cases.values())} of {len(cases)} cases are at most"
        f" {LOST}x faster than {BASE} with the same; a gain is left to {listed(kept)}. One user; a"
        " larger batch reads more between two collectives and bears more",
    )


def verdicts(rows: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The claims, for each number of chips."""
    return [
        found
        for ranks in next(iter(rows.values()))
        for found in (_demands(rows, ranks), _loses(rows, ranks))
    ]


def run(config: Config) -> dict[str, Any]:
    """Both latencies of each model and chip, the map of one model, and the edges of all."""
    chips, models = talk_chips(CHIPS), talk_models(config.models)
    base, most = chips[BASE], jnp.asarray(float(config.ranks[-1]))
    bandwidths = jnp.geomspace(NARROW, WIDE, config.points)
    latencies = jnp.geomspace(SHORT, LONG, config.points)
    rows = {
        name: {str(ranks): _row(model, ranks, chips) for ranks in config.ranks}
        for name, model in models.items()
    }
    return {
        "context": CONTEXT,
        "lost": LOST,
        "claimed": {"demanded": DEMANDED, "too_long": TOO_LONG},
        "bandwidths": bandwidths.tolist(),
        "latencies": latencies.tolist(),
        "ranks": config.ranks[-1],
        "chips": {name: float(chip.chip.memory.bandwidth) for name, chip in chips.items()},
        "mapped": config.mapped,
        "map": _map(base, models[config.mapped], most, bandwidths, latencies).tolist(),
        "edges": {
            name: _edge(base, model, most, bandwidths).tolist() for name, model in models.items()
        },
        "rows": rows,
        "verdicts": verdicts(rows),
    }


EXPERIMENT = Experiment(
    name="synchronisation",
    question=__doc__,
    full=Config(models=model_names(), ranks=(8, 128), mapped="Llama3-405B", points=61),
    smoke=Config(models=("Llama3-70B",), ranks=(8, 128), mapped="Llama3-70B", points=5),
    run=run,
    plot=plot,
    report=report,
    summary=summary,
)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
