"""Which conclusions of the talk stand when its models, and today's, are counted as they are?

The claims, as published: inference systems must have at least 100 GB of memory; 32 users at 128K
need at least 482 GB, and up to 1.1 TB and beyond; well tuned systems of 128 chips reach 2,000 to
5,000 tokens a second for one user; large memory gives more than 100,000 tokens a second for all
users together (Sankaralingam, IET REACH, 2025).

The talk's memory table and system table are computed again on its own chip, xPU-HBM3, three times:
`talk`, in its accounting (layers only, the whole context in every layer, latent attention
multiplied out); `recounted`, with windows, chunks, embedding and head as the models have them but
the talk's collectives; `model`, with the collectives that the mapping needs instead. Then hybrids
and sparse models of 2025 and 2026 take the place of 2024's, counted in the last two ways. Verdicts
rest on the second: the latencies of a collective were fitted to the talk's own table together with
its counts, and say little beside others. Weights, cache and index take 8 bits an element, recurrent
states 32.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

import liminal_jax as ll
from experiments.published import load_published
from experiments.runner import Experiment, main
from experiments.talk_claims import verdicts
from experiments.talk_revisited_view import plot, report, summary

HYBRIDS_AND_SPARSE = (
    "qwen3.5-27b",
    "qwen3.5-35b-a3b",
    "qwen3.5-397b-a17b",
    "kimi-linear-48b-a3b",
    "nemotron-3-nano-30b-a3b",
    "nemotron-3-ultra-550b-a55b",
    "minimax-m3",
    "deepseek-v3.2",
    "deepseek-v4-pro",
    "glm-5.2",
)
"""Models that read less of the past than full attention does."""


@dataclass(frozen=True)
class Config:
    """Which models are computed.

    Attributes:
        talk: Printed names of the talk's models.
        today: Bundled names of today's models.
    """

    talk: tuple[str, ...]
    today: tuple[str, ...]


@eqx.filter_jit
def _predictions(
    system: ll.System,
    model: ll.Model,
    assumptions: ll.Assumptions,
    attention_bits: int,
    ranks: jax.Array,
    contexts: jax.Array,
    users: jax.Array,
) -> ll.Prediction:
    """Predictions for each triple of a degree of tensor parallelism, a context and users."""

    def prediction(tp: jax.Array, context: jax.Array, batch: jax.Array) -> ll.Prediction:
        design = ll.Design(system, ll.Mapping(tp=tp), ll.Placement(), batch)
        request = ll.Request(context, attention_bits=attention_bits)
        return ll.predict(design, model, request, assumptions)

    return jax.vmap(prediction)(ranks, contexts, users)


@dataclass(frozen=True)
class _Counted:
    """A model in one accounting, on the talk's chip."""

    model: ll.Model
    assumptions: ll.Assumptions
    attention_bits: int

    def predictions(
        self, ranks: Sequence[float], contexts: Sequence[float], users: Sequence[float]
    ) -> ll.Prediction:
        """One prediction for each entry of the three."""
        system = ll.load_system(load_published().scale.system)
        axes = (jnp.asarray(axis, float) for axis in (ranks, contexts, users))
        return _predictions(system, self.model, self.assumptions, self.attention_bits, *axes)


def _columns(counted: _Counted) -> dict[str, Any]:
    """What the users of each column of the memory table hold [B], and the parameters."""
    table = load_published().memory
    ones = [1.0] * len(table.users)
    predictions = counted.predictions(ones, table.contexts, table.users)
    return {
        "held": predictions.memory_required.tolist(),
        "parameters": float(predictions.parameters_total[0]),
    }


def _scale(counted: _Counted) -> dict[str, list[float | None]]:
    """Throughput [1/s] of a single user and at the largest batch, and that batch, by degree.

    None where not even a single user fits.
    """
    table = load_published().scale
    contexts = [table.context] * len(table.ranks)
    alone = counted.predictions(table.ranks, contexts, [1.0] * len(table.ranks))
    weights = alone.parameters_total  # one byte each
    users = jnp.floor((alone.memory_capacity - weights) / (alone.memory_required - weights))
    full = counted.predictions(table.ranks, contexts, jnp.maximum(users, 1.0).tolist())
    columns = {"utps": alone.utps, "stps": full.stps, "left": full.utps, "users": users}
    return {
        name: [
            value if most >= 1 else None
            for value, most in zip(values.tolist(), users.tolist(), strict=True)
        ]
        for name, values in columns.items()
    }


def _ways(model: ll.Model) -> dict[str, _Counted]:
    """A model of the talk, counted in each way."""
    talk = ll.Assumptions(collectives=ll.TalkCollectives())
    return {
        "talk": _Counted(ll.talk_model(model), talk, 8),
        "recounted": _Counted(model, talk, 8),
        "model": _Counted(model, ll.Assumptions(), 16),
    }


def _as_is(model: ll.Model) -> dict[str, _Counted]:
    """A model of today, for which the talk has no count but of collectives."""
    return {
        "recounted": _Counted(model, ll.Assumptions(collectives=ll.TalkCollectives()), 8),
        "model": _Counted(model, ll.Assumptions(), 16),
    }


def _table(
    memory: Mapping[str, Mapping[str, _Counted]], scale: Mapping[str, Mapping[str, _Counted]]
) -> dict[str, Any]:
    """Both tables of some models, each counted in some ways; and their parameters."""
    columns = {
        name: {way: _columns(counted) for way, counted in ways.items()}
        for name, ways in memory.items()
    }
    return {
        "parameters": {name: ways["recounted"]["parameters"] for name, ways in columns.items()},
        "memory": {
            name: {way: column["held"] for way, column in ways.items()}
            for name, ways in columns.items()
        },
        "scale": {
            name: {way: _scale(counted) for way, counted in ways.items()}
            for name, ways in scale.items()
        },
    }


def run(config: Config) -> dict[str, Any]:
    """Both tables, of the talk's models in three ways and of today's, and the verdicts."""
    published = load_published()
    rows = published.memory.rows
    talk = {name: _ways(ll.load_model(rows[name].model)) for name in config.talk}
    today = {name: _as_is(ll.load_model(name)) for name in config.today}
    then = _table(talk, {name: talk[name] for name in talk if name in published.scale.rows})
    now = _table(today, today)
    return {
        "source": published.scale.source,
        "contexts": published.memory.contexts,
        "users": published.memory.users,
        "ranks": published.scale.ranks,
        "then": then,
        "now": now,
        "verdicts": [
            *verdicts("the talk's models, as the talk counts them", then, "talk"),
            *verdicts("the talk's models, as they are", then, "recounted"),
            *verdicts("hybrids and sparse models of today", now, "recounted"),
        ],
    }


EXPERIMENT = Experiment(
    name="talk_revisited",
    question=__doc__,
    full=Config(talk=tuple(load_published().memory.rows), today=HYBRIDS_AND_SPARSE),
    smoke=Config(talk=("Llama3-8B", "GPT-OSS-120B"), today=("qwen3.5-35b-a3b", "deepseek-v3.2")),
    run=run,
    plot=plot,
    report=report,
    summary=summary,
)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
