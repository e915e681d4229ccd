"""What does a larger system get, for one user and for all of them?

The claim, as published: well tuned systems of 128 chips reach 2,000 to 5,000 tokens a second for
one user, and more than 100,000 for all users together (Sankaralingam, IET REACH, 2025).

The talk's table is predicted on its own chip, xPU-HBM3, in its accounting: UTPS of a single user,
and STPS with the UTPS that is left at the largest batch that fits, all at 128K tokens of context.
A throughput matches within 2 %, a UTPS in brackets if it is the predicted number rounded, and a
dash if the model does not fit. The number of collectives in a layer and their two latencies are
not on the slides: they were fitted to this very table, so that the matches show that the equations
hold together, not that they foretell. The older figures of the paper stand apart. Between the two
columns of the table the whole curve is drawn: from one user to as many as fit, on 8 to 128 chips.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import liminal_jax as ll
from experiments.claims import judged, listed, verdict
from experiments.published import (
    ScaleRow,
    ScaleTable,
    deviation,
    load_published,
    matches_rounded,
    printed_value,
)
from experiments.runner import Experiment, main
from experiments.system_scale_view import plot, report, summary

TOLERANCE = 0.02
"""Share by which a throughput may differ from the printed one."""

UTPS = (2000, 5000)
"""What a single user is said to get from 128 chips [1/s]."""

STPS = 100_000
"""What all users together are said to get from them [1/s]."""


@dataclass(frozen=True)
class Config:
    """Which rows of the table are computed, and how finely the curves of the figure are drawn.

    Attributes:
        models: Printed names of the models.
        ranks: Numbers of chips of the curves, in tensor parallelism.
        batches: Batches from a single user to the largest that fits.
    """

    models: tuple[str, ...]
    ranks: tuple[int, ...]
    batches: int


@eqx.filter_jit
def _predictions(
    system: ll.System,
    model: ll.Model,
    request: ll.Request,
    assumptions: ll.Assumptions,
    ranks: jax.Array,
    batches: jax.Array,
) -> ll.Prediction:
    """Predictions for each pair of a degree of tensor parallelism and a batch."""

    def prediction(tp: jax.Array, batch: jax.Array) -> ll.Prediction:
        design = ll.Design(system, ll.Mapping(tp=tp), ll.Placement(), batch)
        return ll.predict(design, model, request, assumptions)

    return jax.vmap(prediction)(ranks, batches)


def _where_present(parts: Sequence[Any], name: str) -> list[jax.Array]:
    """An attribute of those parts that have it."""
    return [getattr(part, name) for part in parts if hasattr(part, name)]


def _without_shared_experts(model: ll.Model) -> ll.Model:
    """A model whose shared experts are neither read nor computed."""

    def shared(tree: ll.Model) -> list[jax.Array]:
        blocks = [layers.feedforward for layers in tree.layers]
        return _where_present(blocks, "shared_intermediate")

    return eqx.tree_at(shared, model, replace_fn=jnp.zeros_like)


def _with_one_latent_head(model: ll.Model) -> ll.Model:
    """A model whose latent attention splits the sequence from two ranks on."""

    def ranks(tree: ll.Model) -> list[jax.Array]:
        kinds = [layers.attention for layers in tree.layers]
        return _where_present(kinds, "cache_ranks")

    return eqx.tree_at(ranks, model, replace_fn=jnp.ones_like)


def _largest_batch(alone: ll.Prediction) -> jax.Array:
    """Users whose caches fill what the weights leave; below 1 where not even one fits.

    Args:
        alone: Predictions for a single user, of 8-bit weights.
    """
    weights = alone.parameters_total
    return jnp.floor((alone.memory_capacity - weights) / (alone.memory_required - weights))


def _or_none(values: jax.Array, fits: jax.Array) -> list[float | None]:
    return [
        value if fit else None for value, fit in zip(values.tolist(), fits.tolist(), strict=True)
    ]


def _matches_closely(computed: float | None, printed: str) -> bool:
    off = deviation(computed, printed)
    return matches_rounded(computed, printed) if off is None else abs(off) <= TOLERANCE


def _compared(
    computed: Sequence[float | None],
    printed: Sequence[str],
    matches: Callable[[float | None, str], bool],
) -> dict[str, Any]:
    """Some cells of a row beside what is printed there."""
    pairs = list(zip(computed, printed, strict=True))
    return {
        "computed": list(computed),
        "printed": list(printed),
        "printed_value": [printed_value(cell) for cell in printed],
        "deviation": [deviation(value, cell) for value, cell in pairs],
        "matched": [matches(value, cell) for value, cell in pairs],
    }


@dataclass(frozen=True)
class _Asked:
    """What the cells of the table have in common."""

    system: ll.System
    request: ll.Request
    ranks: jax.Array

    def on(self, ranks: jax.Array) -> "_Asked":
        """The same of other numbers of chips."""
        return _Asked(self.system, self.request, ranks)

    def predictions(self, model: ll.Model, batches: jax.Array) -> ll.Prediction:
        """One for each degree of tensor parallelism and its batch, in the talk's accounting."""
        talk = ll.Assumptions(collectives=ll.TalkCollectives())
        return _predictions(self.system, model, self.request, talk, self.ranks, batches)


def _cells(asked: _Asked, model: ll.Model, largest: jax.Array, row: ScaleRow) -> dict[str, Any]:
    """A row of the table: a single user, and the largest batch."""
    fits = largest >= 1
    alone = asked.predictions(model, jnp.ones_like(largest))
    full = asked.predictions(model, jnp.maximum(largest, 1.0))
    return {
        "utps": _compared(_or_none(alone.utps, fits), row.utps, _matches_closely),
        "stps": _compared(_or_none(full.stps, fits), row.stps, _matches_closely),
        "bracket": _compared(_or_none(full.utps, fits), row.bracket, matches_rounded),
    }


def _curve(
    asked: _Asked, model: ll.Model, ranks: int, users: float, count: int
) -> dict[str, Any] | None:
    """UTPS and STPS from a single user to the largest batch; none where not one fits."""
    if users < 1:
        return None
    batches = jnp.asarray(np.geomspace(1.0, users, count).round())
    points = asked.on(jnp.full_like(batches, ranks)).predictions(model, batches)
    return {
        "batch": batches.tolist(),
        "utps": points.utps.tolist(),
        "stps": points.stps.tolist(),
    }


def _curves(asked: _Asked, model: ll.Model, config: Config) -> dict[str, Any]:
    """A curve for each number of chips."""
    around = asked.on(jnp.asarray(config.ranks, float))
    largest = _largest_batch(around.predictions(model, jnp.ones_like(around.ranks))).tolist()
    return {
        str(ranks): _curve(asked, model, ranks, users, config.batches)
        for ranks, users in zip(config.ranks, largest, strict=True)
    }


def _row(asked: _Asked, row: ScaleRow, config: Config) -> dict[str, Any]:
    model = ll.talk_model(ll.load_model(row.model))
    largest = _largest_batch(asked.predictions(model, jnp.ones_like(asked.ranks)))
    supposed = _with_one_latent_head(_without_shared_experts(model))
    return {
        **_cells(asked, model, largest, row),
        "users": _or_none(largest, largest >= 1),
        "curves": _curves(asked, model, config),
        "supposed": _cells(asked, supposed, largest, row),
    }


def _table(table: ScaleTable, config: Config) -> dict[str, Any]:
    asked = _Asked(
        system=ll.load_system(table.system),
        request=ll.Request(table.context, attention_bits=8),
        ranks=jnp.asarray(table.ranks, float),
    )
    return {
        "source": table.source,
        "ranks": table.ranks,
        "rows": {name: _row(asked, table.rows[name], config) for name in config.models},
    }


def _paper() -> dict[str, Any]:
    """The paper's cells: nominal parameters, and its own collectives and latencies."""
    paper = load_published().paper_scale
    system, counted = ll.load_system(paper.system), ll.talk_model(ll.load_model(paper.model))
    assumptions = ll.Assumptions(collectives=ll.CountedCollectives(paper.collectives))
    design = ll.Design(system, ll.Mapping(), ll.Placement(), 1)
    parameters = ll.predict(design, counted, ll.Request(1, attention_bits=8)).parameters_total
    model = ll.with_parameters(counted, paper.parameters, parameters)
    cells = []
    for row in paper.rows:
        network = ll.FittedLatency(
            latency_at_8=row.latency, latency_at_128=row.latency, floor=row.latency
        )
        around = eqx.tree_at(lambda it: it.network, system, network)
        for context, printed in zip(paper.contexts, row.printed, strict=True):
            ranks = jnp.asarray([row.ranks], float)
            request = ll.Request(context, attention_bits=8)
            alone = _predictions(around, model, request, assumptions, ranks, jnp.ones(1))
            utps = float(alone.utps[0])
            cells.append(
                {
                    "ranks": row.ranks,
                    "context": context,
                    "latency": row.latency,
                    "utps": utps,
                    "printed": printed,
                    "matched": matches_rounded(utps, printed),
                }
            )
    return {"source": paper.source, "model": paper.model, "cells": cells}


def _fastest(rows: Mapping[str, Any], ranks: int) -> dict[str, Any]:
    """Whether a single user of the largest system gets what is said."""
    curves = {name: row["curves"][str(ranks)] for name, row in rows.items()}
    speeds = {name: it["utps"][0] for name, it in curves.items() if it}
    low, high = UTPS[0] * (1 - TOLERANCE), UTPS[1] * (1 + TOLERANCE)
    cases = {name: low <= it <= high for name, it in speeds.items()}
    outside = [f"{name} {speeds[name]:,.0f}" for name, it in cases.items() if not it]
    fewest = [f"{name} {_chips_for(UTPS[0], row)}" for name, row in rows.items()]
    return verdict(
        f"{ranks} chips reach {UTPS[0]:,} to {UTPS[1]:,} tokens a second for one user",
        judged(cases),
        speeds,
        f"{sum(cases.values())} of {len(cases)} models do at 128K tokens; outside:"
        f" {listed(outside)}. Chips from which one user gets {UTPS[0]:,}: {listed(fewest)}",
    )


def _chips_for(utps: float, row: Mapping[str, Any]) -> str:
    """The fewest chips whose single user gets so many tokens a second [1/s]."""
    enough = [ranks for ranks, it in row["curves"].items() if it and it["utps"][0] >= utps]
    return min(enough, key=int) if enough else f"more than {max(row['curves'], key=int)}"


def _most(rows: Mapping[str, Any], ranks: int) -> dict[str, Any]:
    """Whether all users of the largest system get what is said."""
    curves = {name: row["curves"][str(ranks)] for name, row in rows.items()}
    full = {name: it["stps"][-1] for name, it in curves.items() if it}
    left = {name: it["utps"][-1] for name, it in curves.items() if it}
    cases = {name: it > STPS for name, it in full.items()}
    return verdict(
        f"{ranks} chips reach more than {STPS:,} tokens a second for all users",
        judged(cases),
        full,
        f"{sum(cases.values())} of {len(cases)} models do at 128K tokens and the largest batch:"
        f" {listed([f'{name} {full[name]:,.0f}' for name, it in cases.items() if it])}; each user"
        f" is left with {min(left.values()):.0f} to {max(left.values()):.0f} then",
    )


def run(config: Config) -> dict[str, Any]:
    """Every cell of the table, by the rules and by the hypothesis, and the paper's cells."""
    table = _table(load_published().scale, config)
    largest = max(table["ranks"])
    return {
        "tolerance": TOLERANCE,
        "table": table,
        "paper": _paper(),
        "verdicts": [_fastest(table["rows"], largest), _most(table["rows"], largest)],
    }


EXPERIMENT = Experiment(
    name="system_scale",
    question=__doc__,
    full=Config(models=tuple(load_published().scale.rows), ranks=(8, 16, 32, 64, 128), batches=25),
    smoke=Config(models=("Llama3-70B", "Kimi-K2"), ranks=(8, 128), batches=4),
    run=run,
    plot=plot,
    report=report,
    summary=summary,
)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
