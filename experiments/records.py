"""Do the fastest systems of today stay below their bounds, and how near do they come?

The claim: no published rate of one user is above the ideal bound of the system that it was reached
on, and wafers, chips of SRAM and GPUs come in the order that was measured.

Each record is modelled at its own settings. The bound: peak rates, every number at the better end
of its published range, even parts, the better of two ways to divide attention, all levers off but
the tokens of a step, which are drafted for nothing and touch no further experts; 6.3 tokens, the
most that is published, where speculation is not stated. Near the ideal: a persistent kernel, whose
operators wait for each other, that reaches 0.8 of the bandwidth, and collectives of 4 us on GPUs;
sums over the mesh of a wafer; transfers set in advance on chips of SRAM, in the time that their
system's file has (`liminal_jax/data/executions/near-ideal-*.toml`). A record that leaves out a fact
is not modelled, and the fact is named. `--records FILE` takes others, in the same columns.
"""

import dataclasses
import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.console import RenderableType
from scipy.stats import rankdata
from typing_extensions import override

import liminal_jax as ll
from experiments import drawing as draw
from experiments.claims import Claim, Record, judged, verdict
from experiments.rated_systems import at_best, kind_of, near_ideal
from experiments.rates import Rate, load_rates
from experiments.runner import Experiment, main
from experiments.tables import Column, Table
from liminal_jax._arrays import Scalar, as_leaf
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.algorithm.drafter import AbstractDrafter
from liminal_jax.data.names import model_named, system_named
from liminal_jax.workload.block import Block

WAYS = (ll.CopiedHeads(), ll.SplitSequence())
"""How attention may be divided over ranks; the faster one that fits counts."""


class _Given(AbstractDrafter):
    """Drafts that cost no time: no bound may count what a drafter could save."""

    @override
    def proposing(self, model: ll.Model) -> ll.Model:
        last = dataclasses.replace(model.layers[-1], count=as_leaf(1.0))
        return dataclasses.replace(model, layers=(last,), tables=None)

    @override
    def stored(self, model: ll.Model) -> ll.Model:
        return dataclasses.replace(model, layers=(), tables=None)

    @override
    def passes(self, drafts: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        del drafts, relaxation
        return 0.0

    @override
    def block(self, drafts: Scalar, relaxation: AbstractRelaxation) -> Block | None:
        del drafts, relaxation
        return None


def speed(system: ll.System, rate: Rate, fresh: float) -> float | None:
    """Tokens a second of one user [1/s]; none where the model does not fit.

    Args:
        system: The system.
        rate: A record that lacks nothing.
        fresh: Share of the new experts of independent tokens that drafts touch.
    """
    given = rate.model_dump()
    drafts = {"drafts": rate.tokens() - 1, "acceptance": 1, "decay": 1, "fresh": fresh}
    speculation = ll.Speculation(**drafts, drafter=_Given())
    algorithm = ll.Algorithm(speculation=speculation) if rate.tokens() > 1 else None
    model = ll.load_model(model_named(given["model_id"]) or "")
    request = ll.Request(given["context_tokens"], given["weight_bits"], given["kv_bits"])
    laws = ll.Assumptions(division=ll.EvenParts())
    found = []
    for way in WAYS:
        mapping = ll.Mapping(tp=given["tp"], pp=given["pp"], attention=way)
        design = ll.Design(system, mapping, batch=1, algorithm=algorithm)
        # One user, where a step of all stages has one for each.
        alone = dataclasses.replace(design, batch=1 / given["pp"])
        if bool(ll.predict(alone, model, request, laws).fits):
            found.append(float(ll.predict(design, model, request, laws).utps))
    return max(found, default=None)


def modelled(rate: Rate) -> dict[str, Any]:
    """A record beside its bound and what is near it; or the facts that are missing."""
    about = {"name": rate.name, "model": rate.model, "source": rate.source}
    missing = rate.missing()
    if missing:
        return {**about, "missing": missing}
    system = system_named(rate.system or "") or ""
    bound, near = speed(at_best(system), rate, 0.0), speed(near_ideal(system), rate, 0.59)
    if bound is None or near is None:
        chips = f"{(rate.tp or 1) * (rate.pp or 1):g} {system}"
        return {**about, "missing": [f"where the model lay: it does not fit {chips}"]}
    if not (math.isfinite(bound) and math.isfinite(near)):
        return {**about, "missing": [f"a rate or a bandwidth of {system} that nobody publishes"]}
    return {
        **about,
        "kind": kind_of(system),
        "system": system,
        "tokens": rate.tokens(),
        "stated": rate.tokens_per_step is not None or rate.tokens() == 1,
        "measured": rate.tokens_per_s_user,
        "near": near,
        "bound": bound,
    }


BOUNDED = Claim(
    "no record is above its bound",
    lambda share: share <= 1,
    "{yes} of {count} are below, at {middle:.0%} of it in the median and {most} at most; above:"
    " {others:names}",
    "{:.0%}",
)


def _bounded(rows: Sequence[Record]) -> dict[str, Any]:
    shares = {f"{it['name']}, {it['model']}": it["measured"] / it["bound"] for it in rows}
    return BOUNDED.of(shares, middle=np.median(list(shares.values())))


def _ordered(rows: Sequence[Record]) -> dict[str, Any]:
    """Whether the fastest record of each kind of system is where it was measured."""
    fastest = {it["kind"]: it for it in sorted(rows, key=lambda it: it["measured"])}
    order = sorted(fastest, key=lambda kind: -fastest[kind]["measured"])
    cases = {
        f"{fast} before {slow}": fastest[fast]["near"] > fastest[slow]["near"]
        for fast, slow in itertools.pairwise(order)
    }
    told = [f"{it} {fastest[it]['measured']:,.0f}, {fastest[it]['near']:,.0f}" for it in order]
    return verdict(
        "the fastest of wafers, SRAM chips and GPUs come in the order that was measured",
        judged(cases),
        {kind: {"measured": it["measured"], "near": it["near"]} for kind, it in fastest.items()},
        f"tokens a second, measured and near the ideal: {'; '.join(told)}",
    )


def run(records: str | None = None, first: int | None = None) -> dict[str, Any]:
    """Every record, modelled or with what it lacks, and the verdicts.

    Records are those that come along where there is no file; all of them where no number is given.
    """
    rows = [modelled(it) for it in load_rates(records)[:first]]
    known = [it for it in rows if "bound" in it]
    return {"rows": rows, "verdicts": [_bounded(known), _ordered(known)] if known else []}


def summary(results: Record) -> dict[str, Any]:
    """Counts of rows, and how those that are modelled lie to what is near the ideal.

    Returns:
        The median of measured over near-ideal rates, and Spearman's rank correlation of the two.
    """
    known = [it for it in results["rows"] if "bound" in it]
    measured, near = ([it[key] for it in known] for key in ("measured", "near"))
    ranks = [rankdata(it) for it in (measured, near)]
    varied = all(np.ptp(it) > 0 for it in ranks if len(it)) and len(known) > 1
    return {
        "rows": len(results["rows"]),
        "modelled": len(known),
        "above_bound": sum(it["measured"] > it["bound"] for it in known),
        "median_ratio": float(np.median(np.divide(measured, near))) if known else None,
        "rank_correlation": float(np.corrcoef(ranks)[0, 1]) if varied else None,
    }


COLOURS = {"wafer": "C1", "SRAM": "C3", "GPU": "C0"}  # colours by kind of system


def _named(it: Record, most: int) -> str:
    return f"{it['name']}: {it['model']}"[:most]


def _tokens(it: Record) -> str:
    return f"{'' if it['stated'] else 'at most '}{it['tokens']:.3g}"


TABLE = Table(
    "record",
    [
        Column("a step", _tokens),
        *(Column(key, key, "{:,.0f}") for key in ("measured", "near", "bound")),
        Column("of bound", lambda it: it["measured"] / it["bound"], "{:.1%}"),
    ],
)


def report(results: Record) -> list[RenderableType]:
    """Measured rates beside what is near the ideal and the bound, and what is missing."""
    known = [it for it in results["rows"] if "bound" in it]
    lacking: dict[str, list[str]] = {}
    for it in results["rows"]:
        if "missing" in it:
            lacking.setdefault(", ".join(it["missing"]), []).append(_named(it, 1000))
    ordered = sorted(known, key=lambda it: -it["measured"])
    return [
        "Tokens a second of one user [1/s]: measured, near the ideal, and the bound; tokens a step",
        TABLE.of([(_named(it, 44), it) for it in ordered]),
        *(f"Not modelled for want of {facts}: {'; '.join(its)}" for facts, its in lacking.items()),
        "",
    ]


def _names(axes: draw.Axes, rows: Sequence[Record]) -> None:
    """Each record by name in a column beside the points, moved apart where they are near."""
    tops = [axes.transData.transform((1, it["measured"]))[1] for it in rows]
    places = draw.spread(tops, 13.0 * axes.figure.dpi / 100)
    back = axes.transAxes.inverted()
    for it, place in zip(rows, places, strict=True):
        axes.annotate(
            _named(it, 52),
            (it["bound"], it["measured"]),
            xytext=(1.03, back.transform((0, place))[1]),
            textcoords="axes fraction",
            va="center",
            fontsize=6.5,
            color=COLOURS[it["kind"]],
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": "0.7", "linewidth": 0.4},
        )


def plot(results: Record) -> draw.Figure:
    """Measured over bound, with the line that no record may cross."""
    figure, ((axes,),) = draw.sheet(1, 1, (7.4, 4.6))
    rows = [it for it in results["rows"] if "bound" in it]
    for it in rows:
        colour, height = COLOURS[it["kind"]], it["measured"]
        axes.plot([it["near"], it["bound"]], [height, height], color=colour, linewidth=0.6)
        axes.plot(it["near"], height, "|", color=colour, markersize=6)
        axes.plot(it["bound"], height, "o", color=colour, markersize=4)
    axes.set(
        xlabel="bound (dot) and near ideal (tick), tokens a second of one user [1/s]",
        ylabel="measured [1/s]",
    )
    draw.plain_logs(axes)
    low, high = (edge((it["measured"] for it in rows), default=1.0) for edge in (min, max))
    line = (0.7 * low, 1.5 * high)
    axes.plot(line, line, color="0.3", linewidth=1)
    axes.fill_betweenx(line, [1e-9, 1e-9], line, color="0.95", zorder=0)
    axes.set_xlim(left=0.5 * min((it["near"] for it in rows), default=1.0))
    axes.set_ylim(line)
    words = {"above the bound": ((0.02, 0.94), "0.3")}
    words |= {it: ((0.4 + 0.12 * at, 1.02), COLOURS[it]) for at, it in enumerate(COLOURS)}
    for text, (place, colour) in words.items():
        draw.note(axes, text, place, xycoords="axes fraction", ha="left", color=colour)
    figure.draw_without_rendering()
    _names(axes, rows)
    return figure


SMOKE = {"first": 4}
EXPERIMENT = Experiment("records", __doc__, run, SMOKE, plot, report, summary)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
