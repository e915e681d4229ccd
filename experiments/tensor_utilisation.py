"""How far are the tensor units from their limit when few users are served?

The claim, as published: compute is far from the limit at low batch, where the tensor units are used
to one per cent at most (Sankaralingam, IET REACH, 2025).

The share of a step in which the tensor units would be busy at their peak rate, in the talk's
accounting, over users, at two contexts, on 8 and on 128 of the paper's chips; and the users from
which it exceeds one per cent, by bisection on the exact model, users being real numbers. Latent
attention is charged with its projections multiplied out, as the talk charges it, so that its work
grows with the context many times faster than what it reads.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

import liminal_jax as ll
from experiments.claims import judged, listed, summary, verdict
from experiments.roots import crossing, or_none
from experiments.runner import Experiment, main
from experiments.talk_setting import CHIPS, model_names, step, talk_chips, talk_models
from experiments.tensor_utilisation_view import plot, report

CLAIMED = 0.01
"""Utilisation that is said not to be exceeded."""

MOST_USERS = 4096
"""Users up to which a curve is drawn."""

LEAST_USERS = 1e-3
"""Users from which on the crossing is sought; below one, it was exceeded from the start."""


@dataclass(frozen=True)
class Config:
    """What is computed.

    Attributes:
        models: Printed names of the models.
        chips: The paper's chips, by memory.
        ranks: Numbers of chips, in tensor parallelism.
        contexts: Contexts [tokens].
        points: Points of a curve.
    """

    models: tuple[str, ...]
    chips: tuple[str, ...]
    ranks: tuple[int, ...]
    contexts: tuple[int, ...]
    points: int


@eqx.filter_jit
def utilisation(
    system: ll.System, model: ll.Model, ranks: jax.Array, context: jax.Array, users: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Utilisation of the tensor units for some numbers of users, and the users of the claim."""

    def used(batch: jax.Array) -> jax.Array:
        it = step(system, model, ranks=ranks, batch=batch, context=context)
        return it.tensor_utilisation

    return jax.vmap(used)(users), crossing(lambda it: CLAIMED - used(it), LEAST_USERS, 1e6)


def _cell(
    system: ll.System, model: ll.Model, ranks: int, context: int, users: jax.Array
) -> dict[str, Any]:
    chips, tokens = jnp.asarray(float(ranks)), jnp.asarray(float(context))
    curve, limit = utilisation(system, model, chips, tokens, users)
    return {"utilisation": curve.tolist(), "exceeded_from": or_none(limit)}


def _verdict(cells: Mapping[str, Any], context: str) -> dict[str, Any]:
    """The claim at one context, for a single user on every chip and number of them."""
    single = {
        f"{model}, {ranks} {chip}": cell["utilisation"][0]
        for model, by_chip in cells.items()
        for chip, by_ranks in by_chip.items()
        for ranks, cell in by_ranks.items()
    }
    cases = {name: share <= CLAIMED for name, share in single.items()}
    above = sorted({name.split(",")[0] for name, within in cases.items() if not within})
    most = max(single, key=single.__getitem__)
    return verdict(
        f"at low batch tensor units are used to 1 % at most, {context} tokens",
        judged(cases),
        single,
        f"one user stays within it in {sum(cases.values())} of {len(cases)} cases; the most is"
        f" {single[most]:.1%} ({most}); models that exceed it somewhere: {listed(above)}. Ideal"
        " times: real steps take longer and use less",
    )


def verdicts(rows: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The claim by context."""
    return [_verdict(cells, context) for context, cells in rows.items()]


def run(config: Config) -> dict[str, Any]:
    """Curves and crossings by context, model, chip and number of chips; and the verdicts."""
    users = jnp.geomspace(1.0, MOST_USERS, config.points)
    chips, models = talk_chips(config.chips), talk_models(config.models)
    rows = {
        f"{context // 1024}K": {
            name: {
                chip: {
                    str(ranks): _cell(system, model, ranks, context, users)
                    for ranks in config.ranks
                }
                for chip, system in chips.items()
            }
            for name, model in models.items()
        }
        for context in config.contexts
    }
    return {
        "claimed": CLAIMED,
        "users": users.tolist(),
        "rows": rows,
        "verdicts": verdicts(rows),
    }


EXPERIMENT = Experiment(
    name="tensor_utilisation",
    question=__doc__,
    full=Config(
        models=model_names(),
        chips=tuple(CHIPS),
        ranks=(8, 128),
        contexts=(4096, 131072),
        points=61,
    ),
    smoke=Config(
        models=("Llama3-70B",),
        chips=("HBM3",),
        ranks=(8,),
        contexts=(4096, 131072),
        points=7,
    ),
    run=run,
    plot=plot,
    report=report,
    summary=summary,
)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
