"""Which of the four limits binds: capacity, bandwidth, compute or synchronisation?

The claim, as published: language models stress capacity, bandwidth, compute and collective
communication of the hardware (Sankaralingam, IET REACH, 2025).

Models in the talk's accounting on 128 of each of the paper's chips, over users and context. The
limit is the one with the largest share of the step's gradient: the elasticity of step time in the
inverse bandwidth, in the inverse tensor rate and in the latency of a collective, which add up to
one; where the chips do not hold model and users, it is capacity. Batch, context and chip decide,
and so do the fitted latencies.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

import liminal_jax as ll
from experiments.limits_view import plot, report
from experiments.runner import Experiment, main
from experiments.talk_setting import CHIPS, stacked, step, talk_chips, talk_models
from experiments.verdicts import FAILS, HOLDS, LIMITED, listed, summary, verdict

LIMITS = ("bandwidth", "compute", "synchronisation", "capacity")
"""The four limits, the first three in the order of the gradient's shares."""

NOTICED = 0.01
"""Share of all places of a map at which a limit has to bind to count as one."""


@dataclass(frozen=True)
class Config:
    """What is computed.

    Attributes:
        models: Printed names of the models.
        ranks: Chips, in tensor parallelism.
        users: Users at once.
        contexts: Contexts [tokens].
    """

    models: tuple[str, ...]
    ranks: int
    users: tuple[int, ...]
    contexts: tuple[int, ...]


def _log_time(
    change: Float[Array, " limits"],
    system: ll.System,
    model: ll.Model,
    ranks: jax.Array,
    users: jax.Array,
    context: jax.Array,
) -> tuple[jax.Array, jax.Array]:
    """Logarithm of step time with each resource worse by a logarithm; and whether all fits."""
    slower = jnp.exp(change)
    chip = eqx.tree_at(
        lambda it: (it.memory.bandwidth, it.tensor.bits_8),
        system.chip,
        (
            system.chip.memory.bandwidth / slower[0],
            # Other rates are unknown: NaN would leak from them into the gradient.
            system.chip.tensor.bits_8 / slower[1],
        ),
    )
    network = jax.tree.map(lambda it: it * slower[2], system.network)
    worse = eqx.tree_at(lambda it: (it.chip, it.network), system, (chip, network))
    found = step(worse, model, ranks=ranks, batch=users, context=context)
    return jnp.log(found.step_time), found.fits


@eqx.filter_jit
def shares(
    systems: ll.System,
    model: ll.Model,
    ranks: jax.Array,
    users: jax.Array,
    contexts: jax.Array,
) -> tuple[jax.Array, jax.Array]:
    """Shares of bandwidth, compute and synchronisation, and whether all fits.

    Args:
        systems: Chips, stacked.
        model: What they serve.
        ranks: How many of them.
        users: Users at once.
        contexts: Contexts [tokens].

    Returns:
        Shares by chip, context and users, one entry a limit; and whether all fits there.
    """
    slope = jax.grad(_log_time, has_aux=True)

    def one(system: ll.System, context: jax.Array, batch: jax.Array) -> tuple[jax.Array, jax.Array]:
        return slope(jnp.zeros(3), system, model, ranks, batch, context)

    over_users = jax.vmap(one, in_axes=(None, None, 0))
    over_contexts = jax.vmap(over_users, in_axes=(None, 0, None))
    return jax.vmap(over_contexts, in_axes=(0, None, None))(systems, contexts, users)


def binding(found: np.ndarray, fits: np.ndarray) -> np.ndarray:
    """Index of the limit that binds.

    Examples:
        >>> binding(np.array([[0.2, 0.0, 0.8], [0.6, 0.0, 0.4]]), np.array([True, False])).tolist()
        [2, 3]
    """
    return np.where(fits, np.argmax(found, axis=-1), LIMITS.index("capacity"))


def _stressed(maps: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Whether every limit binds somewhere."""
    places = np.concatenate(
        [np.ravel(cell["limit"]) for chips in maps.values() for cell in chips.values()]
    )
    parts = {name: float(np.mean(places == index)) for index, name in enumerate(LIMITS)}
    seen = [name for name, part in parts.items() if part >= NOTICED]
    return verdict(
        "models stress capacity, bandwidth, compute and synchronisation",
        HOLDS if len(seen) == len(LIMITS) else LIMITED if len(seen) > 1 else FAILS,
        parts,
        "of all places of the maps "
        + listed([f"{part:.0%} are bound by {name}" for name, part in parts.items()])
        + "; the latencies of the talk, and the users and contexts that were drawn, decide this",
    )


def _single_user(maps: Mapping[str, Mapping[str, Any]], chips: tuple[str, ...]) -> dict[str, Any]:
    """What binds a single user, by chip."""
    told: list[str] = []
    numbers: dict[str, dict[str, int]] = {}
    for chip in chips:
        found = [it for model in maps.values() for it in np.asarray(model[chip]["limit"])[:, 0]]
        counts = {name: int(np.sum(np.asarray(found) == i)) for i, name in enumerate(LIMITS)}
        numbers[chip] = counts
        most = max(counts, key=counts.__getitem__)
        told.append(f"{chip}: {most} in {counts[most]} of {len(found)}")
    computes = [f"{chip} {it['compute']}" for chip, it in numbers.items()]
    waits = all(it["bandwidth"] + it["synchronisation"] >= it["compute"] for it in numbers.values())
    return verdict(
        "compute is not what binds a single user",
        HOLDS if not any(it["compute"] for it in numbers.values()) else LIMITED if waits else FAILS,
        numbers,
        f"over models and contexts, most often {listed(told)}; compute in {listed(computes)}",
    )


def verdicts(maps: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The claims against the maps."""
    return [_stressed(maps), _single_user(maps, tuple(next(iter(maps.values()))))]


def run(config: Config) -> dict[str, Any]:
    """Limit and shares at every place, by model and chip, and the verdicts."""
    chips = talk_chips(CHIPS)
    axes = (jnp.asarray(it, float) for it in (config.ranks, config.users, config.contexts))
    ranks, users, contexts = axes
    maps: dict[str, dict[str, Any]] = {}
    for name, model in talk_models(config.models).items():
        found, fits = shares(stacked(chips.values()), model, ranks, users, contexts)
        limit = binding(np.asarray(found), np.asarray(fits))
        maps[name] = {
            chip: {
                "limit": limit[row].tolist(),
                "share": np.asarray(found[row]).max(axis=-1).tolist(),
                "shares": np.asarray(found[row]).tolist(),
            }
            for row, chip in enumerate(chips)
        }
    return {
        "limits": LIMITS,
        "ranks": config.ranks,
        "users": config.users,
        "contexts": config.contexts,
        "maps": maps,
        "verdicts": verdicts(maps),
    }


EXPERIMENT = Experiment(
    name="limits",
    question=__doc__,
    full=Config(
        models=("Llama3-70B", "Llama3-405B", "DeepSeekV3", "GPT-OSS-120B"),
        ranks=128,
        users=tuple(2**it for it in range(13)),
        contexts=tuple(1024 * 2**it for it in range(11)),
    ),
    smoke=Config(models=("Llama3-70B",), ranks=128, users=(1, 64, 4096), contexts=(4096, 131072)),
    run=run,
    plot=plot,
    report=report,
    summary=summary,
)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
