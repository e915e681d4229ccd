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
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float
from rich.console import RenderableType

import liminal_jax as ll
from experiments import drawing as draw
from experiments import talk_setting as talk
from experiments.claims import Claim, Record, listed
from experiments.drawing import short, times
from experiments.nested import arrays, column, each, first_of, plain
from experiments.roots import crossing
from experiments.runner import Experiment, main
from experiments.tables import Column, Table

ESTABLISHED = ("HBM3", "HBM4")  # memories that ship
BASE = "HBM4"  # the chip that is improved
REACHED, WANTED = 5000.0, 10000.0  # speeds of the claims [1/s]
TARGETS = (10000.0, 50000.0, 100000.0)  # speeds to which the shortest ways are found [1/s]
MEANS = ("bandwidth", "latency", "layers", "context")  # what may change
HELPS = jnp.asarray([1.0, -1.0, -1.0, -1.0])  # the sign of the change that helps
FARTHEST = 1e6  # largest factor that is tried

STEPS, DAMPING, BLUR = 200, 0.5, 0.02
"""Of the shortest way: steps, of which a few tens are enough but at kinks; the share of each that
is taken, against zigzag where memory and arithmetic change places; the relaxation of kinks."""


class Start(eqx.Module):
    """From where things are improved: chips of a system, their number, a model, a context."""

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
    memory = start.system.chip.memory.bandwidth * bandwidth
    network = jax.tree.map(lambda it: it * latency, start.system.network)
    system = eqx.tree_at(
        lambda it: (it.chip.memory.bandwidth, it.network), start.system, (memory, network)
    )
    counts = [group.count * layers for group in start.model.layers]
    model = eqx.tree_at(lambda it: [group.count for group in it.layers], start.model, counts)
    laws = dataclasses.replace(talk.TALK, relaxation=relaxation)
    context *= start.context
    return jnp.log(talk.step(system, model, ranks=start.ranks, context=context, laws=laws).utps)


@eqx.filter_jit
def alone(start: Start, target: jax.Array) -> jax.Array:
    """Factor by which each of the means must help for a speed [1/s]; NaN where none suffices."""

    def factor(direction: jax.Array) -> jax.Array:
        return crossing(lambda it: _lacking(start, target, jnp.log(it) * direction), 1.0, FARTHEST)

    return jax.vmap(factor)(jnp.diag(HELPS))


def _lacking(start: Start, target: jax.Array, change: jax.Array) -> jax.Array:
    """Logarithm by which a speed is missed with some change."""
    return jnp.log(target) - changed_speed(start, change, ll.Exact())


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
    length = crossing(lambda it: _lacking(start, target, it * way), 0.1, 10.0)
    return jnp.exp(length * way * HELPS)


@eqx.filter_jit
def _speeds(systems: ll.System, model: ll.Model, ranks: jax.Array, context: float) -> jax.Array:
    """UTPS of one user on each chip of a stack, by number of chips; none where it does not fit."""

    def speed(system: ll.System, count: jax.Array) -> jax.Array:
        it = talk.step(system, model, ranks=count, context=context)
        return jnp.where(it.fits, it.utps, -jnp.inf)

    return talk.over_all(speed, systems, ranks)


def _most(chips: dict[str, ll.System], model: ll.Model, ranks: Any, context: float) -> Record:
    """The fastest number of chips that holds the model and one user, by chip."""
    found = _speeds(talk.stacked(chips.values()), model, jnp.asarray(ranks, float), context)
    return {
        name: {"utps": float(speeds.max()), "chips": ranks[int(speeds.argmax())]}
        if bool(jnp.isfinite(speeds.max()))
        else None
        for name, speeds in zip(chips, found, strict=True)
    }


def _named(factors: jax.Array) -> dict[str, float | None]:
    return plain(dict(zip(MEANS, factors, strict=True)))


def _row(
    chips: dict[str, ll.System], ranks: tuple[int, ...], context: float, model: ll.Model
) -> Record:
    """The most of each chip, and what the wanted speeds need where they are out of its reach."""
    most = _most(chips, model, ranks, context)
    base = most[BASE]
    if base["utps"] >= WANTED:
        return {"most": most}
    start = Start(chips[BASE], model, jnp.asarray(float(base["chips"])), jnp.asarray(context))
    ways = each(lambda it: _named(together(start, it)), arrays(TARGETS))
    return {"most": most, "alone": _named(alone(start, jnp.asarray(WANTED))), "together": ways}


REACHES = Claim(
    "established technologies reach 5,000 UTPS, {context} tokens",
    lambda speed: speed >= REACHED,
    "{yes} of {count} models do with HBM3 or HBM4 and up to 128 chips: {all}. One user, on the"
    " talk's latencies of a collective",
)
BEYOND = Claim(
    "10,000 UTPS is beyond established technologies, {context} tokens",
    lambda speed: speed < WANTED,
    "reached by {others:names}. Of the {short} models short of it with HBM4, one change alone is"
    " enough, however large, on as many chips: {enough}",
)
HARDWARE = Claim(
    "more bandwidth alone does not lead to 10,000 UTPS, {context} tokens",
    bool,
    "true of {yes} of {count} models; 100,000 needs, by the shortest way, better by: {ways}",
)


def _short(rows: Record) -> Record:
    """The models that are short of the wanted speed."""
    return {model: row for model, row in rows.items() if "alone" in row}


def _verdicts(context: str, rows: Record) -> list[dict[str, Any]]:
    speeds = {
        model: max(most[name]["utps"] for name in ESTABLISHED if most[name])
        for model, most in column(rows, "most").items()
    }
    short = _short(rows)
    needs = {means: column(short, "alone", means) for means in MEANS}
    enough = {
        it: [name for name, by in need.items() if by is not None] for it, need in needs.items()
    }
    far = column(short, "together", f"{TARGETS[-1]:g}")
    ways = [
        f"{model} " + ", ".join(f"{means} {it[means]:.1f}x" for means in MEANS)
        for model, it in far.items()
        if None not in it.values()
    ]
    counts = listed([f"{means} for {len(models)}" for means, models in enough.items()])
    words = {"short": len(short), "enough": counts, "ways": "; ".join(ways) or "nothing found"}
    stuck = {model: it is None for model, it in needs["bandwidth"].items()}
    return [
        REACHES.of(speeds, context=context),
        BEYOND.of(speeds, also={"enough": enough}, context=context, **words),
        HARDWARE.of(stuck, also={"far": far}, context=context, **words),
    ]


def verdicts(rows: Record) -> list[dict[str, Any]]:
    """The claims, by context."""
    return [it for context, by_model in rows.items() for it in _verdicts(context, by_model)]


def run(
    models: tuple[str, ...] = talk.model_names(),
    contexts: tuple[int, ...] = (4096, 131072),
    ranks: tuple[int, ...] = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128),
) -> dict[str, Any]:
    """The most of each chip, what more needs, and the verdicts.

    Models go by their printed names; ranks are the numbers of chips that are tried.
    """
    row = partial(_row, talk.talk_chips(talk.CHIPS), ranks)
    rows = each(row, {draw.tokens(it): float(it) for it in contexts}, talk.talk_models(models))
    asked = {"chips": list(talk.CHIPS), "means": MEANS, "reached": REACHED, "wanted": WANTED}
    return {**asked, "rows": rows, "verdicts": verdicts(rows)}


BETTER = ("more\nbandwidth", "shorter\nlatency", "fewer\nlayers", "shorter\ncontext")
"""How each of the means helps."""

MOST = Table(
    "model",
    [
        Column(it, ("most", it), lambda it: f"{short(it['utps'])} on {it['chips']}" if it else "-")
        for it in talk.CHIPS
    ],
)
NEEDS = Table(
    "model",
    [
        *(
            Column(better, ("alone", it), lambda it: times(it) if it else "never")
            for it, better in zip(MEANS, BETTER, strict=True)
        ),
        *(Column(f"10,000\n{it}", ("together", f"{WANTED:g}", it), times) for it in MEANS),
    ],
)


def report(results: Record) -> list[RenderableType]:
    """The most of each chip, and what more needs, by context."""
    most = "Most UTPS of one user [1/s] and the chips it takes, {group} tokens"
    needs = f"What {WANTED:,.0f} UTPS need from HBM4 on, {{group}} tokens: each alone, then all"
    needs += " together by the shortest way"
    parts: list[RenderableType] = []
    for context, rows in results["rows"].items():
        parts += [*MOST.each(most, {context: rows}), *NEEDS.each(needs, {context: _short(rows)})]
    return parts


CHIP_STYLES: dict[str, Record] = {
    name: {"linestyle": "", "marker": mark, "color": draw.CHIP_COLOURS[name]}
    for name, mark in zip(talk.CHIPS, "os^Dv", strict=True)
}


def _draw_most(axes: draw.Axes, rows: Record, context: str) -> None:
    """The most of each chip, a line for each model."""
    for place, row in enumerate(rows.values()):
        speeds = {name: it["utps"] for name, it in row["most"].items() if it}
        axes.plot([min(speeds.values()), max(speeds.values())], [place] * 2, color="0.8", zorder=1)
        for name, speed in speeds.items():
            draw.dot(axes, (speed, place), CHIP_STYLES[name])
    for speed in (REACHED, WANTED):
        draw.mark_x(axes, speed, f"{speed:,.0f}", zorder=1)
    axes.set(xscale="log", xlabel="most tokens a second of one user [1/s]")
    axes.set_title(f"{context} tokens", pad=14)
    draw.name_rows(axes, list(rows))


def _draw_needs(axes: draw.Axes, rows: Record) -> None:
    """Factors that the wanted speed needs: alone, and together."""
    from matplotlib import colormaps
    from matplotlib.colors import LogNorm

    shade = LogNorm(1, 300)
    for place, row in enumerate(rows.values()):
        ways = (row.get("alone"), row.get("together", {}).get(f"{WANTED:g}"))
        for at, it in enumerate((way or {}).get(name) for way in ways for name in MEANS):
            text = times(it) if it else "never" if ways[0] else "reached"
            back = colormaps["Blues"](shade(it)) if it else "white"
            axes.barh(place, 1, left=at - 0.5, height=1, color=back)
            colour = "white" if it and it > 30 else "black"
            axes.text(at, place, text, ha="center", va="center", fontsize=6.5, color=colour)
    axes.axvline(len(MEANS) - 0.5, color="white", linewidth=4)
    axes.set_xticks(range(2 * len(MEANS)), [*BETTER] * 2, fontsize=6.5)
    axes.set_xlim(-0.5, 2 * len(MEANS) - 0.5)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    for place, title in ((0.0, "10,000 from HBM4: each alone"), (0.5, "all together")):
        axes.text(place, 1.06, title, transform=axes.transAxes, fontsize=9, fontweight="bold")


def plot(results: Record) -> draw.Figure:
    """The most of each chip, and what 10,000 tokens a second need, by context."""
    rows = results["rows"]
    size = (12.0, 0.6 + len(rows) * (1.2 + 0.24 * len(first_of(rows))))
    figure, panels = draw.sheet(len(rows), 2, size, sharey="row", width_ratios=(1, 1.25))
    for (left, right), (context, by_model) in zip(panels, rows.items(), strict=True):
        _draw_most(left, by_model, context)
        _draw_needs(right, by_model)
    draw.legend(figure, CHIP_STYLES, loc="outside lower left", ncols=len(CHIP_STYLES))
    figure.suptitle("How fast one user can be served by up to 128 chips, and what more would need")
    return figure


SMOKE = {"models": ("Llama3-70B",), "contexts": (131072,), "ranks": (8, 32, 64, 128)}
EXPERIMENT = Experiment("plateau", __doc__, run, SMOKE, plot, report)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
