"""Which of the four limits binds: capacity, bandwidth, compute or synchronisation?

The claim, as published: language models stress capacity, bandwidth, compute and collective
communication of the hardware (Sankaralingam, IET REACH, 2025).

Models in the talk's accounting on 128 of each of the paper's chips, over users and context. The
limit is the one with the largest share of the step's gradient: the elasticity of step time in the
inverse bandwidth, in the inverse tensor rate and in the latency of a collective, which add up to
one; where the chips do not hold model and users, it is capacity. Batch, context and chip decide,
and so do the fitted latencies.
"""

from collections.abc import Iterable
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from rich.console import RenderableType

import liminal_jax as ll
from experiments import drawing as draw
from experiments import talk_setting as talk
from experiments.claims import FAILS, HOLDS, LIMITED, Record, listed, verdict
from experiments.nested import first_of, flat, turned
from experiments.runner import Experiment, main
from experiments.tables import Column, Table

LIMITS = {"bandwidth": "#0072B2", "compute": "#D55E00", "synchronisation": "#E69F00",
          "capacity": "#BBBBBB"}  # fmt: skip
"""The four limits, the first three in the order of the gradient's shares, and their colours."""

NOTICED = 0.01  # share of all places of a map at which a limit has to bind to count as one


@eqx.filter_jit
def shares(
    systems: ll.System, model: ll.Model, ranks: jax.Array, users: jax.Array, contexts: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Shares of bandwidth, compute and synchronisation in the gradient of the step's logarithm.

    Args:
        systems: Chips, stacked.
        model: What they serve.
        ranks: How many of them.
        users: Users at once.
        contexts: Contexts [tokens].

    Returns:
        Shares by chip, context and users, one entry a limit; and whether all fits there.
    """

    def log_time(
        change: Float[Array, " limits"], system: ll.System, context: jax.Array, batch: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        """With each resource worse by a logarithm."""
        slower = jnp.exp(change)
        worse = eqx.tree_at(
            # Other rates are unknown: NaN would leak from them into the gradient.
            lambda it: (it.chip.memory.bandwidth, it.chip.tensor.bits_8, it.network),
            system,
            (
                system.chip.memory.bandwidth / slower[0],
                system.chip.tensor.bits_8 / slower[1],
                jax.tree.map(lambda it: it * slower[2], system.network),
            ),
        )
        found = talk.step(worse, model, ranks=ranks, batch=batch, context=context)
        return jnp.log(found.step_time), found.fits

    slope = partial(jax.grad(log_time, has_aux=True), jnp.zeros(len(LIMITS) - 1))
    return talk.over_all(slope, systems, contexts, users)


def binding(found: np.ndarray, fits: np.ndarray) -> np.ndarray:
    """Index of the limit that binds.

    Examples:
        >>> binding(np.array([[0.2, 0.0, 0.8], [0.6, 0.0, 0.4]]), np.array([True, False])).tolist()
        [2, 3]
    """
    return np.where(fits, np.argmax(found, axis=-1), len(LIMITS) - 1)


def _counts(limits: Iterable[Any]) -> dict[str, int]:
    """At how many places each limit binds."""
    found = np.concatenate([np.ravel(it) for it in limits])
    return {name: int(np.sum(found == place)) for place, name in enumerate(LIMITS)}


def _stressed(maps: Record) -> dict[str, Any]:
    """Whether every limit binds somewhere."""
    counts = _counts(it["limit"] for it in flat(maps, "{0} {1}").values())
    parts = {name: count / sum(counts.values()) for name, count in counts.items()}
    seen = sum(part >= NOTICED for part in parts.values())
    return verdict(
        "models stress capacity, bandwidth, compute and synchronisation",
        HOLDS if seen == len(LIMITS) else LIMITED if seen > 1 else FAILS,
        parts,
        "of all places of the maps "
        + listed([f"{part:.0%} are bound by {name}" for name, part in parts.items()])
        + "; the latencies of the talk, and the users and contexts that were drawn, decide this",
    )


def _single_user(maps: Record) -> dict[str, Any]:
    """What binds a single user, by chip."""
    numbers = {
        chip: _counts(np.asarray(it["limit"])[:, 0] for it in cells.values())
        for chip, cells in turned(maps).items()
    }
    most = {chip: max(it, key=it.__getitem__) for chip, it in numbers.items()}
    told = [
        f"{chip}: {most[chip]} in {it[most[chip]]} of {sum(it.values())}"
        for chip, it in numbers.items()
    ]
    computes = listed([f"{chip} {it['compute']}" for chip, it in numbers.items()])
    waits = all(it["bandwidth"] + it["synchronisation"] >= it["compute"] for it in numbers.values())
    return verdict(
        "compute is not what binds a single user",
        HOLDS if not any(it["compute"] for it in numbers.values()) else LIMITED if waits else FAILS,
        numbers,
        f"over models and contexts, most often {listed(told)}; compute in {computes}",
    )


def verdicts(maps: Record) -> list[dict[str, Any]]:
    """The claims against the maps."""
    return [_stressed(maps), _single_user(maps)]


def run(
    models: tuple[str, ...] = ("Llama3-70B", "Llama3-405B", "DeepSeekV3", "GPT-OSS-120B"),
    ranks: int = 128,
    users: tuple[int, ...] = tuple(2**it for it in range(13)),
    contexts: tuple[int, ...] = tuple(1024 * 2**it for it in range(11)),
) -> dict[str, Any]:
    """Limit and shares at every place, by model and chip, and the verdicts.

    Models go by their printed names; ranks are chips in tensor parallelism, contexts in tokens.
    """
    chips = talk.talk_chips(talk.CHIPS)
    axes = [jnp.asarray(it, float) for it in (ranks, users, contexts)]
    maps: dict[str, dict[str, Any]] = {}
    for name, model in talk.talk_models(models).items():
        found, fits = map(np.asarray, shares(talk.stacked(chips.values()), model, *axes))
        columns = (chips, binding(found, fits), found.max(axis=-1), found)
        maps[name] = {
            chip: {"limit": limit.tolist(), "share": most.tolist(), "shares": parts.tolist()}
            for chip, limit, most, parts in zip(*columns, strict=True)
        }
    return {
        "limits": list(LIMITS),
        "ranks": ranks,
        "users": users,
        "contexts": contexts,
        "maps": maps,
        "verdicts": verdicts(maps),
    }


def _binds(cell: Record, row: int, column: int) -> str:
    """What binds at a place, and its share."""
    letter = ("B", "C", "S", "full")[cell["limit"][row][column]]
    return letter if letter == "full" else f"{letter} {cell['share'][row][column]:.0%}"


def report(results: Record) -> list[RenderableType]:
    """What binds at the ends and the middle of the contexts and users."""
    users, contexts = results["users"], results["contexts"]
    rows, columns = (sorted({0, len(it) // 2, len(it) - 1}) for it in (contexts, users))
    table = Table(
        "chip",
        [
            Column(
                f"{draw.tokens(contexts[row])}\n{users[column]:,}",
                lambda cell, row=row, column=column: _binds(cell, row, column),
            )
            for row in rows
            for column in columns
        ],
    )
    title = f"{{group}} on {results['ranks']} chips, by context and users: what binds and its"
    title += " share of the gradient (B bandwidth, C compute, S synchronisation)"
    return table.each(title, results["maps"])


def _panel(axes: draw.Axes, results: Record, cell: Record) -> None:
    """Colours by limit, paler where its share of the gradient is smaller; large regions named."""
    from matplotlib.colors import to_rgb

    limits, shares = np.asarray(cell["limit"]), np.asarray(cell["share"])
    weights = np.where(limits == len(LIMITS) - 1, 1.0, 0.25 + 1.125 * (shares - 1 / 3))
    full = np.asarray([to_rgb(it) for it in LIMITS.values()])[limits]
    pixels = 1 - weights[..., None] * (1 - full)
    axes.imshow(pixels.clip(0, 1), origin="lower", aspect="auto", interpolation="nearest")
    axes.grid(visible=False)
    users, contexts = results["users"], results["contexts"]
    axes.set_xticks(range(0, len(users), 4), [f"{it:,}" for it in users[::4]])
    axes.set_yticks(range(0, len(contexts), 2), [draw.tokens(it) for it in contexts[::2]])
    for index, name in enumerate(LIMITS):
        places = np.argwhere(limits == index)
        if len(places) >= 0.08 * limits.size:
            row, column = places[((places - places.mean(axis=0)) ** 2).sum(axis=1).argmin()]
            draw.note(
                axes,
                name if name != "synchronisation" else "synchron-\nisation",
                (column, row),
                va="center",
                fontsize=6.5,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.65, "pad": 0.8},
            )


def plot(results: Record) -> draw.Figure:
    """A map for each model and chip, coloured by limit."""
    maps = results["maps"]
    chips = list(first_of(maps))
    size = (2.5 * len(chips) + 0.8, 2.1 * len(maps) + 1.0)
    figure, panels = draw.sheet(len(maps), len(chips), size, sharex=True, sharey=True)
    for line, (model, cells) in zip(panels, maps.items(), strict=True):
        for axes, cell in zip(line, cells.values(), strict=True):
            _panel(axes, results, cell)
        line[0].set_ylabel(f"{model}\ncontext [tokens]")
    for top, bottom, chip in zip(panels[0], panels[-1], chips, strict=True):
        top.set_title(chip)
        bottom.set_xlabel("users at once")
    patches = {name: {"color": shade, "linewidth": 6} for name, shade in LIMITS.items()}
    draw.legend(figure, patches, loc="outside lower center", ncols=len(LIMITS))
    figure.suptitle(
        f"What binds on {results['ranks']} of the paper's chips; paler: a smaller share of the"
        " gradient"
    )
    return figure


SMOKE = {"models": ("Llama3-70B",), "users": (1, 64, 4096), "contexts": (4096, 131072)}
EXPERIMENT = Experiment("limits", __doc__, run, SMOKE, plot, report)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
