"""How far are the tensor units from their limit when few users are served?

The claim, as published: compute is far from the limit at low batch, where the tensor units are used
to one per cent at most (Sankaralingam, IET REACH, 2025).

The share of a step in which the tensor units would be busy at their peak rate, in the talk's
accounting, over users, at two contexts, on 8 and on 128 of the paper's chips; and the users from
which it exceeds one per cent, by bisection on the exact model, users being real numbers. Latent
attention is charged with its projections multiplied out, as the talk charges it, so that its work
grows with the context many times faster than what it reads.
"""

from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from rich.console import RenderableType

import liminal_jax as ll
from experiments import drawing as draw
from experiments import talk_setting as talk
from experiments.claims import Claim, Record, listed
from experiments.nested import arrays, column, each, first_of, flat, plain
from experiments.roots import crossing
from experiments.runner import Experiment, main
from experiments.tables import Column, Table

CLAIMED = 0.01  # utilisation that is said not to be exceeded
MOST_USERS = 4096  # users up to which a curve is drawn


@eqx.filter_jit
def _cell(
    users: jax.Array, context: jax.Array, model: ll.Model, system: ll.System, ranks: jax.Array
) -> dict[str, jax.Array]:
    """Utilisation of the tensor units for some numbers of users, and the users of the claim."""

    def used(batch: jax.Array) -> jax.Array:
        it = talk.step(system, model, ranks=ranks, batch=batch, context=context)
        return it.tensor_utilisation

    # Below one user it was exceeded from the start.
    limit = crossing(lambda it: CLAIMED - used(it), 1e-3, 1e6)
    return {"utilisation": jax.vmap(used)(users), "exceeded_from": limit}


USED = Claim(
    "at low batch tensor units are used to 1 % at most, {context} tokens",
    lambda share: share <= CLAIMED,
    "one user stays within it in {yes} of {count} cases; the most is {most} ({most_of}); models"
    " that exceed it somewhere: {above}. Ideal times: real steps take longer and use less",
    "{:.1%}",
)


def verdicts(rows: Record) -> list[dict[str, Any]]:
    """The claim by context, for a single user on every chip and number of them."""
    found = []
    for context, cells in rows.items():
        single = column(flat(cells, "{0}, {2} {1}"), "utilisation", 0)
        above = sorted({name.split(",")[0] for name, it in single.items() if not USED.holds(it)})
        found.append(USED.of(single, context=context, above=listed(above)))
    return found


def run(
    models: tuple[str, ...] = talk.model_names(),
    chips: tuple[str, ...] = tuple(talk.CHIPS),
    ranks: tuple[int, ...] = (8, 128),
    contexts: tuple[int, ...] = (4096, 131072),
    points: int = 61,
) -> dict[str, Any]:
    """Curves and crossings by context [tokens], model, chip and number of chips; and the verdicts.

    Models and chips go by their printed names; points are those of a curve.
    """
    users = jnp.geomspace(1.0, MOST_USERS, points)
    tokens = {draw.tokens(it): jnp.asarray(float(it)) for it in contexts}
    axes = (tokens, talk.talk_models(models), talk.talk_chips(chips), arrays(ranks))
    rows = plain(each(partial(_cell, users), *axes))
    return {"claimed": CLAIMED, "users": users.tolist(), "rows": rows, "verdicts": verdicts(rows)}


def _percent(share: float) -> str:
    """A share in three digits at most.

    Examples:
        >>> _percent(0.3361), _percent(0.0674), _percent(0.0004)
        ('34%', '6.7%', '0.04%')
    """
    return f"{share:.0%}" if share >= 0.1 else f"{share:.1%}" if share >= 0.01 else f"{share:.2%}"


def _users(users: float | None) -> str:
    return "-" if users is None else "one" if users < 1 else f"{users:,.0f}"


def report(results: Record) -> list[RenderableType]:
    """Utilisation of a single user, and the users from which it exceeds the claim."""
    by_chip = first_of(first_of(results["rows"]))
    places = [(chip, ranks) for chip, by_ranks in by_chip.items() for ranks in by_ranks]
    single = [
        Column(f"{chip}\n{ranks}", (chip, ranks), lambda it: _percent(it["utilisation"][0]))
        for chip, ranks in places
    ]
    exceeded = Column("1 %\nfrom", (*places[0], "exceeded_from"), _users)
    title = "Utilisation of the tensor units by one user, {group} tokens, by chip and number of"
    title += " chips; last, users from which the first column exceeds 1 %"
    return Table("model", [*single, exceeded]).each(title, results["rows"])


def _panel(axes: draw.Axes, cells: Record, users: list[float]) -> draw.Ends:
    """Utilisation over users of each model."""
    shares = {it: (users, [100 * u for u in cell["utilisation"]]) for it, cell in cells.items()}
    limits = {"xlim": (1, users[-1]), "xlabel": "users at once"}
    ends = draw.lines(axes, shares, draw.colours(cells), **limits)
    draw.plain_logs(axes)
    draw.mark_y(axes, 100 * CLAIMED, "claim: 1 %", -9)
    return ends


def plot(results: Record) -> draw.Figure:
    """Utilisation over users of each model on the first chip and number of chips."""
    by_model = first_of(results["rows"])
    chip, by_ranks = next(iter(first_of(by_model).items()))
    ranks = next(iter(by_ranks))
    groups = {
        f"{context} tokens": column(rows, chip, ranks) for context, rows in results["rows"].items()
    }
    return draw.panels(
        groups,
        lambda axes, cells: _panel(axes, cells, results["users"]),
        (5.8 * len(groups), 4.4),
        width=draw.BESIDE,
        title=f"Tensor utilisation on {ranks} xPU-{chip}, with memory for all users",
        ylabel="tensor units busy at peak [% of the step]",
        shades=draw.colours(by_model),
        sharey=True,
    )


SMOKE = {"models": ("Llama3-70B",), "chips": ("HBM3",), "ranks": (8,), "points": 7}
EXPERIMENT = Experiment("tensor_utilisation", __doc__, run, SMOKE, plot, report)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
