"""How fast can established memory be, and what would 10,000 tokens a second for a user need?

The claims, as published: established technologies reach 5,000 tokens a second for a user; 10,000
needs advances of algorithms, smaller models or shorter contexts; 50,000 and 100,000 need new
algorithms and flexible hardware: caching, prefetching, synchronisation (Sankaralingam, IET REACH,
2025, slides and abstract).

One user, in the talk's accounting, on the paper's chips: the number of chips in tensor parallelism
that is fastest, up to 128. From the fastest with HBM4 on, and with as many chips, bandwidth, the
latency of a collective, the layers of the model and the context are changed, each alone (bisection
on the exact model; none where no factor suffices) and all together: the shortest way in logarithms
of the four, found by following the gradient of speed. What is needed depends on the fitted
latencies of a collective. A smaller model has fewer layers of the same width.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

import liminal_jax as ll
from experiments.plateau_view import plot, report
from experiments.roots import crossing, or_none
from experiments.runner import Experiment, main
from experiments.talk_setting import (
    CHIPS,
    TALK,
    model_names,
    stacked,
    step,
    talk_chips,
    talk_models,
)
from experiments.verdicts import FAILS, HOLDS, judged, listed, summary, verdict

ESTABLISHED = ("HBM3", "HBM4")
"""Memories that ship."""

BASE = "HBM4"
"""The chip that is improved."""

REACHED, WANTED = 5000.0, 10000.0
"""Speeds of the claims [1/s]."""

TARGETS = (10000.0, 50000.0, 100000.0)
"""Speeds to which the shortest ways are found [1/s]."""

MEANS = ("bandwidth", "latency", "layers", "context")
"""What may change, and the sign of the change that helps."""

HELPS = jnp.asarray([1.0, -1.0, -1.0, -1.0])

FARTHEST = 1e6
"""Largest factor that is tried."""

STEPS = 200
"""Steps of the shortest way; a few tens are enough but at kinks."""

DAMPING = 0.5
"""Share of each step that is taken, against zigzag where memory and arithmetic change places."""

BLUR = 0.02
"""Relaxation of kinks while the gradient is followed."""


@dataclass(frozen=True)
class Config:
    """What is computed.

    Attributes:
        models: Printed names of the models.
        contexts: Contexts [tokens].
        ranks: Numbers of chips that are tried.
    """

    models: tuple[str, ...]
    contexts: tuple[int, ...]
    ranks: tuple[int, ...]


class Start(eqx.Module):
    """From where things are improved.

    Attributes:
        system: The chip and its network.
        model: What it serves.
        ranks: How many chips.
        context: Context [tokens].
    """

    system: ll.System
    model: ll.Model
    ranks: jax.Array
    context: jax.Array


def changed_speed(
    start: Start, change: Float[Array, " means"], relaxation: ll.Exact | ll.Soft
) -> jax.Array:
    """Logarithm of UTPS when each of the means is changed by a logarithm, in the order of them.

    Layers are real numbers here.
    """
    bandwidth, latency, layers, context = jnp.exp(change)
    system = eqx.tree_at(
        lambda it: it.chip.memory.bandwidth, start.system, replace_fn=lambda it: it * bandwidth
    )
    network = jax.tree.map(lambda it: it * latency, system.network)
    model = eqx.tree_at(
        lambda it: [group.count for group in it.layers],
        start.model,
        replace_fn=lambda it: it * layers,
    )
    design = ll.Design(
        eqx.tree_at(lambda it: it.network, system, network),
        ll.Mapping(tp=start.ranks),
        ll.Placement(),
        1.0,
    )
    rules = dataclasses.replace(TALK, relaxation=relaxation)
    return jnp.log(
        ll.predict(design, model, ll.Request(start.context * context, attention_bits=8), rules).utps
    )


@eqx.filter_jit
def alone(start: Start, target: jax.Array) -> jax.Array:
    """Factor by which each of the means must help for a speed [1/s]; NaN where none suffices."""

    def factor(direction: jax.Array) -> jax.Array:
        def lacking(times: jax.Array) -> jax.Array:
            return jnp.log(target) - changed_speed(start, jnp.log(times) * direction, ll.Exact())

        return crossing(lacking, 1.0, FARTHEST)

    return jax.vmap(factor)(jnp.diag(HELPS))


@eqx.filter_jit
def together(start: Start, target: jax.Array) -> Float[Array, " means"]:
    """Factors by which all means must help for a speed [1/s]: the shortest way in logarithms.

    min |z|^2 with f(z) = log(target), z <- g (log(target) - f(z) + g z)/(g g) from 0 on: the point
    nearest to the start on the tangent plane of the speed, again and again. The way found is then
    lengthened or shortened until the exact model has the speed.

    References:
        Hasofer and Lind (1974), Exact and invariant second-moment code format; Rackwitz and
        Fiessler (1978), Structural reliability under combined random load sequences.
    """
    soft = ll.Soft(BLUR)
    both = jax.value_and_grad(lambda it: changed_speed(start, it, soft))

    def nearer(_: int, way: Float[Array, " means"]) -> Float[Array, " means"]:
        speed, slope = both(way)
        aim = slope * (jnp.log(target) - speed + slope @ way) / (slope @ slope)
        return way + DAMPING * (aim - way)

    way = jax.lax.fori_loop(0, STEPS, nearer, jnp.zeros(len(MEANS)))
    length = crossing(
        lambda it: jnp.log(target) - changed_speed(start, it * way, ll.Exact()), 0.1, 10.0
    )
    return jnp.exp(length * way * HELPS)


@eqx.filter_jit
def _steps(
    systems: ll.System, model: ll.Model, ranks: jax.Array, context: jax.Array
) -> ll.Prediction:
    """One user's step on each chip of a stack, by number of chips."""

    def one(system: ll.System, count: jax.Array) -> ll.Prediction:
        return step(system, model, ranks=count, context=context)

    return jax.vmap(jax.vmap(one, in_axes=(None, 0)), in_axes=(0, None))(systems, ranks)


def _most(
    chips: Mapping[str, ll.System], model: ll.Model, ranks: tuple[int, ...], context: int
) -> dict[str, Any]:
    """The fastest number of chips that holds the model and one user, by chip."""
    counts = jnp.asarray(ranks, float)
    found = _steps(stacked(chips.values()), model, counts, jnp.asarray(float(context)))
    speeds = jnp.where(found.fits, found.utps, -jnp.inf)
    best = jnp.argmax(speeds, axis=1)
    return {
        name: {"utps": float(speeds[row, best[row]]), "chips": ranks[int(best[row])]}
        if bool(found.fits[row].any())
        else None
        for row, name in enumerate(chips)
    }


def _needs(start: Start) -> dict[str, Any]:
    """What the wanted speed needs of each of the means alone, and of all together."""
    single = alone(start, jnp.asarray(WANTED))
    return {
        "alone": {name: or_none(it) for name, it in zip(MEANS, single, strict=True)},
        "together": {
            f"{target:g}": {
                name: or_none(it)
                for name, it in zip(MEANS, together(start, jnp.asarray(target)), strict=True)
            }
            for target in TARGETS
        },
    }


def _row(model: ll.Model, chips: Mapping[str, ll.System], context: int, config: Config) -> Any:
    most = _most(chips, model, config.ranks, context)
    base = most[BASE]
    count = jnp.asarray(float(base["chips"]))
    start = Start(chips[BASE], model, count, jnp.asarray(float(context)))
    return {"most": most, **(_needs(start) if base["utps"] < WANTED else {})}


def _best(row: Mapping[str, Any]) -> float:
    """The fastest of established memory [1/s]."""
    return max(row["most"][name]["utps"] for name in ESTABLISHED if row["most"][name])


def _reaches(rows: Mapping[str, Any], context: str) -> dict[str, Any]:
    speeds = {model: _best(row) for model, row in rows.items()}
    cases = {model: speed >= REACHED for model, speed in speeds.items()}
    told = [f"{model} {speed:,.0f}" for model, speed in speeds.items()]
    return verdict(
        f"established technologies reach 5,000 UTPS, {context} tokens",
        judged(cases),
        speeds,
        f"{sum(cases.values())} of {len(cases)} models do with HBM3 or HBM4 and up to 128 chips:"
        f" {listed(told)}. One user, on the talk's latencies of a collective",
    )


def _plateau(rows: Mapping[str, Any], context: str) -> dict[str, Any]:
    speeds = {model: _best(row) for model, row in rows.items()}
    beyond = [model for model, speed in speeds.items() if speed >= WANTED]
    short = {model: row for model, row in rows.items() if "alone" in row}
    enough = {
        means: [model for model, row in short.items() if row["alone"][means] is not None]
        for means in MEANS
    }
    told = [f"{means} for {len(models)}" for means, models in enough.items()]
    return verdict(
        f"10,000 UTPS is beyond established technologies, {context} tokens",
        HOLDS if not beyond else judged({model: model not in beyond for model in speeds}),
        {**speeds, "enough": enough},
        f"reached by {listed(beyond)}. Of the {len(short)} models short of it with {BASE}, one"
        f" change alone is enough, however large, on as many chips: {listed(told)}",
    )


def _hardware(rows: Mapping[str, Any], context: str) -> dict[str, Any]:
    """Whether hardware alone leads to ten times the speed, or the algorithm has to give."""
    short = {model: row for model, row in rows.items() if "alone" in row}
    cases = {model: row["alone"]["bandwidth"] is None for model, row in short.items()}
    far = {model: row["together"][f"{TARGETS[-1]:g}"] for model, row in short.items()}
    told = [
        f"{model} " + ", ".join(f"{means} {it[means]:.1f}x" for means in MEANS)
        for model, it in far.items()
        if None not in it.values()
    ]
    return verdict(
        f"more bandwidth alone does not lead to 10,000 UTPS, {context} tokens",
        judged(cases) if cases else FAILS,
        {"far": far, **cases},
        f"true of {sum(cases.values())} of {len(cases)} models; 100,000 needs, by the shortest way,"
        f" better by: {'; '.join(told) or 'nothing found'}",
    )


def verdicts(rows: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The claims, by context."""
    return [
        found
        for context, by_model in rows.items()
        for found in (
            _reaches(by_model, context),
            _plateau(by_model, context),
            _hardware(by_model, context),
        )
    ]


def run(config: Config) -> dict[str, Any]:
    """The most of each chip, what more needs, and the verdicts."""
    chips, models = talk_chips(CHIPS), talk_models(config.models)
    rows = {
        f"{context // 1024}K": {
            name: _row(model, chips, context, config) for name, model in models.items()
        }
        for context in config.contexts
    }
    return {
        "chips": list(CHIPS),
        "means": MEANS,
        "reached": REACHED,
        "wanted": WANTED,
        "rows": rows,
        "verdicts": verdicts(rows),
    }


EXPERIMENT = Experiment(
    name="plateau",
    question=__doc__,
    full=Config(
        models=model_names(),
        contexts=(4096, 131072),
        ranks=(1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128),
    ),
    smoke=Config(models=("Llama3-70B",), contexts=(131072,), ranks=(8, 32, 64, 128)),
    run=run,
    plot=plot,
    report=report,
    summary=summary,
)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
