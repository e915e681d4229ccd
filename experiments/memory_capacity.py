"""How much memory does decode need?

The claim, as published: inference needs at least 100 GB of memory; 32 users at 128K tokens need
482 GB at least for large models, and up to 1.1 TB and more (Sankaralingam, IET REACH, 2025).

Every cell of the talk's table is predicted from the bundled model files in the talk's accounting
(transformer layers only, the full context in every layer, 8 bits for weights and cache). A cell
matches if it may be the predicted number rounded: three cells are exact halves. The paper's
example of 881 GiB, which counts the parameters in the model's name, stands apart. A question
of ours beside the claim: where cache dominates and where weights do, over users and context.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

import liminal_jax as ll
from experiments.claims import judged, listed, verdict
from experiments.memory_capacity_view import GIB, plot, report, summary
from experiments.published import load_published, matches_rounded
from experiments.runner import Experiment, main
from experiments.talk_setting import CONTEXT

SYSTEM = "xpu-hbm3"
"""On which chips the prediction is made; what is held does not depend on them."""

LEAST = 100.0
"""What inference is said to need [GiB]."""

LARGE = 100e9
"""Parameters from which a model is called large here; the slides do not say from which."""

MANY = 32
"""Users of whom the claim speaks."""

LEAST_OF_LARGE = 482.0
"""What large models are said to need for them at 128K tokens [GiB]."""

CONTEXTS = (1 << 10, 1 << 20)
"""Ends of the contexts over which cache and weights are compared [tokens]."""


@dataclass(frozen=True)
class Config:
    """What is computed.

    Attributes:
        models: Rows of the table, by their printed names.
        points: Contexts at which cache and weights are compared.
    """

    models: tuple[str, ...]
    points: int


@eqx.filter_jit
def _predictions(model: ll.Model, contexts: jax.Array, users: jax.Array) -> ll.Prediction:
    """Predictions for some users with some contexts."""
    system = ll.load_system(SYSTEM)

    def prediction(context: jax.Array, batch: jax.Array) -> ll.Prediction:
        design = ll.Design(system, ll.Mapping(), ll.Placement(), batch)
        return ll.predict(design, model, ll.Request(context, attention_bits=8))

    return jax.vmap(prediction)(contexts, users)


def _held(model: ll.Model, contexts: Sequence[int], users: Sequence[int]) -> dict[str, list[float]]:
    """What some users with some contexts hold, split into weights and cache [B]."""
    cells = _predictions(model, jnp.asarray(contexts, float), jnp.asarray(users, float))
    weights = cells.parameters_total  # one byte each
    return {
        "total": cells.memory_required.tolist(),
        "weights": weights.tolist(),
        "cache": (cells.memory_required - weights).tolist(),
    }


def _nominal(model: ll.Model, parameters: float) -> ll.Model:
    """A model in the talk's accounting, with the parameters in its name."""
    counted = ll.predict(
        ll.Design(ll.load_system(SYSTEM), ll.Mapping(), ll.Placement(), 1),
        model,
        ll.Request(1, attention_bits=8),
    ).parameters_total
    return ll.with_parameters(model, parameters, counted)


def _row(name: str, contexts: Sequence[int]) -> dict[str, Any]:
    """One model: the cells of the table, and where cache and weights are equal."""
    table = load_published().memory
    model = ll.talk_model(ll.load_model(table.rows[name].model))
    printed, cells = table.rows[name].printed, len(table.users)
    alone = [*contexts, CONTEXT]
    held = _held(model, [*table.contexts, *alone], [*table.users, *(1 for _ in alone)])
    # Users whose caches take as much as the weights.
    *even, at_talk = (
        weights / cache
        for weights, cache in zip(held["weights"][cells:], held["cache"][cells:], strict=True)
    )
    return {
        **{part: sizes[:cells] for part, sizes in held.items()},
        "printed": printed,
        "matched": [
            matches_rounded(total / GIB, it)
            for total, it in zip(held["total"][:cells], printed, strict=True)
        ],
        "even": even,
        "even_at_talk": at_talk,
    }


def _example() -> dict[str, Any]:
    """The paper's example [B]."""
    paper = load_published().paper_memory
    model = _nominal(ll.talk_model(ll.load_model(paper.model)), paper.parameters)
    total = _held(model, [paper.context], [paper.users])["total"][0]
    matched = matches_rounded(total / GIB, paper.printed)
    return {**paper.model_dump(), "total": total, "matched": matched}


def _needs(rows: Mapping[str, Any]) -> dict[str, Any]:
    """Whether one user at 128K needs what inference is said to need at least."""
    alone = load_published().memory.users.index(1, 2)
    sizes = {name: row["total"][alone] / GIB for name, row in rows.items()}
    cases = {name: size >= LEAST for name, size in sizes.items()}
    return verdict(
        f"inference needs {LEAST:.0f} GB at least",
        judged(cases),
        sizes,
        f"{sum(cases.values())} of {len(cases)} models do for one user at 128K tokens, with 8 bits"
        f" for weights and cache; with less: "
        f"{listed([f'{name} {sizes[name]:.0f}' for name, it in cases.items() if not it])} GiB",
    )


def _many(rows: Mapping[str, Any]) -> dict[str, Any]:
    """Whether 32 users of large models need what is said."""
    sizes = {
        name: row["total"][-1] / GIB for name, row in rows.items() if row["weights"][-1] >= LARGE
    }
    # Rounded as the slides print it, which is where the number is from.
    cases = {name: round(size) >= LEAST_OF_LARGE for name, size in sizes.items()}
    most = max(sizes, key=sizes.__getitem__)
    return verdict(
        f"{MANY} users at 128K need {LEAST_OF_LARGE:.0f} GB at least for large models",
        judged(cases),
        sizes,
        f"{sum(cases.values())} of {len(cases)} models of more than {LARGE / 1e9:.0f}e9 parameters"
        f" do, up to {sizes[most]:,.0f} GiB ({most}); with less: "
        f"{listed([f'{name} {sizes[name]:.0f} GiB' for name, it in cases.items() if not it])}",
    )


def _dominates(rows: Mapping[str, Any]) -> dict[str, Any]:
    """Whether the cache of 32 users at 128K is more than the weights."""
    even = {name: row["even_at_talk"] for name, row in rows.items()}
    cases = {name: users < MANY for name, users in even.items()}
    weights = [f"{name} (from {even[name]:.0f})" for name, it in cases.items() if not it]
    return verdict(
        f"{MANY} users at 128K hold more cache than weights",
        judged(cases),
        even,
        f"{sum(cases.values())} of {len(cases)} models do, the first from"
        f" {min(even.values()):.1f} users ({min(even, key=even.__getitem__)}); weights dominate"
        f" until more users come for {listed(weights)}",
    )


def run(config: Config) -> dict[str, Any]:
    """Every cell of the table, the paper's example, and where cache and weights are equal."""
    table = load_published().memory
    contexts = [round(it) for it in jnp.geomspace(*CONTEXTS, config.points).tolist()]
    rows = {name: _row(name, contexts) for name in config.models}
    return {
        "source": table.source,
        "contexts": table.contexts,
        "users": table.users,
        "even_contexts": contexts,
        "rows": rows,
        "example": _example(),
        "verdicts": [_needs(rows), _many(rows), _dominates(rows)],
    }


EXPERIMENT = Experiment(
    name="memory_capacity",
    question=__doc__,
    full=Config(models=tuple(load_published().memory.rows), points=41),
    smoke=Config(models=("Llama3-8B", "Llama3-405B", "DeepSeekV3"), points=3),
    run=run,
    plot=plot,
    report=report,
    summary=summary,
)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
