"""The talk's two tables, for a model in any accounting: what users hold, and how fast they are."""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

import liminal_jax as ll
from experiments.listed import in_numpy
from experiments.published import load_published

TALK = ll.Assumptions(collectives=ll.TalkCollectives())
"""The talk's counts of collectives."""

LARGE = 100e9  # parameters beyond which a model is called large; the slides do not say from which
UTPS, STPS = (2000, 5000), 100_000  # what one user and all users of 128 chips are said to get [1/s]
TOLERANCE = 0.02  # share by which a throughput may differ from the printed one


def reached(utps: float) -> bool:
    """Whether a user gets what is said of 128 chips [1/s], to within the tolerance."""
    return UTPS[0] * (1 - TOLERANCE) <= utps <= UTPS[1] * (1 + TOLERANCE)


def talk_chip() -> ll.System:
    """The chip of the talk's own tables."""
    return ll.load_system(load_published().scale.system)


class Counted(eqx.Module):
    """A model in one accounting, with 8-bit weights and cache, on some chips."""

    model: ll.Model
    assumptions: ll.Assumptions = TALK
    system: ll.System = eqx.field(default_factory=talk_chip)
    attention_bits: int = eqx.field(default=8, static=True)

    @in_numpy
    def _predicted(self, *columns: jax.Array) -> ll.Prediction:
        def prediction(tp: jax.Array, context: jax.Array, batch: jax.Array) -> ll.Prediction:
            design = ll.Design(self.system, ll.Mapping(tp=tp), ll.Placement(), batch)
            request = ll.Request(context, attention_bits=self.attention_bits)
            return ll.predict(design, self.model, request, self.assumptions)

        return jax.vmap(prediction)(*columns)

    def predictions(self, ranks: Any, contexts: Any, users: Any) -> ll.Prediction:
        """For each degree of tensor parallelism, context and number of users; or one for all."""
        columns = (jnp.asarray(it, float) for it in (ranks, contexts, users))
        return self._predicted(*jnp.broadcast_arrays(*columns))


def held(counted: Counted, contexts: Sequence[int], users: Sequence[int]) -> dict[str, list[float]]:
    """What some users with some contexts hold, split into weights and cache [B]."""
    cells = counted.predictions(1.0, contexts, users)
    weights = cells.parameters_total  # one byte each
    parts = {"total": cells.memory_required, "weights": weights}
    parts["cache"] = cells.memory_required - weights
    return {name: it.tolist() for name, it in parts.items()}


def largest_batch(alone: ll.Prediction) -> jax.Array:
    """Users whose caches fill what the weights leave; below 1 where not even one fits.

    Args:
        alone: Predictions for a single user, of 8-bit weights.
    """
    weights = alone.parameters_total
    return jnp.floor((alone.memory_capacity - weights) / (alone.memory_required - weights))


def scale(counted: Counted, users: jax.Array | None = None) -> dict[str, list[float | None]]:
    """Rates of the system table by its degrees of parallelism; none where not one user fits.

    Args:
        counted: What is served.
        users: The largest batches, where they are not those that follow.

    Returns:
        UTPS of a single user, STPS of the largest batch, UTPS `left` there, and its users.
    """
    table = load_published().scale
    alone = counted.predictions(table.ranks, table.context, 1.0)
    users = largest_batch(alone) if users is None else users
    full = counted.predictions(table.ranks, table.context, jnp.maximum(users, 1.0))
    columns = {"utps": alone.utps, "stps": full.stps, "left": full.utps, "users": users}
    return {
        name: [it if most >= 1 else None for it, most in zip(values.tolist(), users, strict=True)]
        for name, values in columns.items()
    }
