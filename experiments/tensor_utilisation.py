"""How far are the tensor units from their limit when few users are served?

The claim, as published: compute is far from the limit at low batch, where the tensor units are used
to one per cent at most (Sankaralingam, IET REACH, 2025).

The share of a step in which the tensor units would be busy at their peak rate, in the talk's
accounting, over users, at two contexts, on 8 and on 128 of the paper's chips; and the users from
which it exceeds one per cent, by bisection on the exact model, users being real numbers. Latent
attention is charged with its projections multiplied out, as the talk charges it, so that its work
grows with the context many times faster than what it reads.
"""

from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from rich.console import RenderableType

import liminal_jax as ll
from experiments import drawing as draw
from experiments import talk_setting as talk
from experiments.claims import Claim, Record, listed
from experiments.roots import crossing, or_none
from experiments.runner import Experiment, main
from experiments.tables import Column, Table

CLAIMED = 0.01  # utilisation that is said not to be exceeded
MOST_USERS = 4096  # users up to which a curve is drawn


@dataclass(frozen=True)
class Config:
    """Models by their printed names, the paper's chips, numbers of them, contexts [tokens], points.

    The points are those of a curve.
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
        it = talk.step(system, model, ranks=ranks, batch=batch, context=context)
        return it.tensor_utilisation

    # Below one user it was exceeded from the start.
    return jax.vmap(used)(users), crossing(lambda it: CLAIMED - used(it), 1e-3, 1e6)


def _cell(system: ll.System, model: ll.Model, ranks: int, context: int, users: jax.Array) -> Record:
    chips, tokens = jnp.asarray(float(ranks)), jnp.asarray(float(context))
    curve, limit = utilisation(system, model, chips, tokens, users)
    return {"utilisation": curve.tolist(), "exceeded_from": or_none(limit)}


USED = Claim(
    "at low batch tensor units are used to 1 % at most, {context} tokens",
    lambda share: share <= CLAIMED,
    "one user stays within it in {yes} of {count} cases; the most is {most} ({most_of}); models"
    " that exceed it somewhere: {above}. Ideal times: real steps take longer and use less",
    "{:.1%}",
)


def _verdict(cells: Record, context: str) -> dict[str, Any]:
    """The claim at one context, for a single user on every chip and number of them."""
    single = {
        f"{model}, {ranks} {chip}": cell["utilisation"][0]
        for model, by_chip in cells.items()
        for chip, by_ranks in by_chip.items()
        for ranks, cell in by_ranks.items()
    }
    above = sorted({name.split(",")[0] for name, it in single.items() if not USED.holds(it)})
    return USED.of(single, context=context, above=listed(above))


def verdicts(rows: Record) -> list[dict[str, Any]]:
    """The claim by context."""
    return [_verdict(cells, context) for context, cells in rows.items()]


def run(config: Config) -> dict[str, Any]:
    """Curves and crossings by context, model, chip and number of chips; and the verdicts."""
    users = jnp.geomspace(1.0, MOST_USERS, config.points)
    chips, models = talk.talk_chips(config.chips), talk.talk_models(config.models)
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
    return {"claimed": CLAIMED, "users": users.tolist(), "rows": rows, "verdicts": verdicts(rows)}


def _percent(share: float) -> str:
    """A share in three digits at most.

    Examples:
        >>> _percent(0.3361), _percent(0.0674), _percent(0.0004)
        ('34%', '6.7%', '0.04%')
    """
    if share >= 0.1:
        return f"{share:.0%}"
    return f"{share:.1%}" if share >= 0.01 else f"{share:.2%}"


def _users(users: float | None) -> str:
    return "-" if users is None else "one" if users < 1 else f"{users:,.0f}"


def report(results: Record) -> list[RenderableType]:
    """Utilisation of a single user, and the users from which it exceeds the claim."""
    by_chip = draw.first_of(draw.first_of(results["rows"]))
    places = [(chip, ranks) for chip, by_ranks in by_chip.items() for ranks in by_ranks]
    single = [
        Column(f"{chip}\n{ranks}", (chip, ranks), lambda it: _percent(it["utilisation"][0]))
        for chip, ranks in places
    ]
    exceeded = Column("1 %\nfrom", (*places[0], "exceeded_from"), _users)
    title = "Utilisation of the tensor units by one user, {group} tokens, by chip and number of"
    title += " chips; last, users from which the first column exceeds 1 %"
    return Table("model", [*single, exceeded]).each(title, results["rows"])


def _first(results: Record, context: str) -> tuple[str, str, dict[str, Record]]:
    """The chip and the number of chips that are drawn, and the cells of the models there."""
    rows = results["rows"][context]
    chip, by_ranks = next(iter(draw.first_of(rows).items()))
    ranks = next(iter(by_ranks))
    return chip, ranks, {model: row[chip][ranks] for model, row in rows.items()}


def plot(results: Record) -> draw.Figure:
    """Utilisation over users of each model on the first chip and number of chips."""
    users, contexts = results["users"], list(results["rows"])
    size = (5.8 * len(contexts), 4.4)
    figure, (panels,) = draw.sheet(1, len(contexts), size, width=draw.BESIDE, sharey=True)
    ends, shades = [], draw.colours(results["rows"][contexts[0]])
    for axes, context in zip(panels, contexts, strict=True):
        chip, ranks, cells = _first(results, context)
        shares = {it: (users, [100 * u for u in cell["utilisation"]]) for it, cell in cells.items()}
        limits = {"xlim": (1, users[-1]), "title": f"{context} tokens"}
        ends.append((axes, draw.lines(axes, shares, shades, xlabel="users at once", **limits)))
        draw.plain_logs(axes)
        draw.mark_y(axes, 100 * CLAIMED, "claim: 1 %", -9)
        figure.suptitle(f"Tensor utilisation on {ranks} xPU-{chip}, with memory for all users")
    panels[0].set_ylabel("tensor units busy at peak [% of the step]")
    draw.name_lines(figure, ends, shades)
    return figure


FULL = Config(
    models=talk.model_names(),
    chips=tuple(talk.CHIPS),
    ranks=(8, 128),
    contexts=(4096, 131072),
    points=61,
)
SMOKE = Config(
    models=("Llama3-70B",), chips=("HBM3",), ranks=(8,), contexts=(4096, 131072), points=7
)
EXPERIMENT = Experiment("tensor_utilisation", __doc__, FULL, SMOKE, run, plot, report)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
