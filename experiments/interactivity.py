"""What do chips that ship give all users together, at what speed for each?

The claim, as published: a figure of throughput for each GPU over interactivity, gpt-oss-120B in
FP4, 1K tokens in and 1K out (Sankaralingam, IET REACH, 2025, after SemiAnalysis InferenceMAX); the
model should draw the same frontier. The points of that figure are not in the slides' text and no
measured rows of that model come with the package: the curves stand alone unless `--measured FILE`
gives some, in the columns of `liminal calibrate --help-all`.

Prompts share the chips. The ideal bound is the best of three ways of sharing (`ll.serve`), the
calibrated curve continuous batching by a typical engine. 4-bit weights throughout, 8-bit cache,
every rank count within the scale-up domain, experts split like the other matrices or spread over
all ranks. Queueing is left out; chips without 4-bit units multiply at their 8-bit rate. The
experiment `frontier` tells the intervals, and holds DeepSeek-R1 against measurements.
"""

from itertools import product
from typing import Any

from rich.console import RenderableType

from experiments import drawing as draw
from experiments.claims import Claim, Record
from experiments.drawing import short
from experiments.frontier_verdicts import bounded
from experiments.lattices import throughput_at, user_counts
from experiments.measured import MOST, load_points, scored, setups
from experiments.runner import Experiment, main
from experiments.served import SERVED, Workload
from experiments.served_curves import curves
from experiments.tables import Column, Table

WORKLOAD = Workload("gpt-oss-120b", isl=1, osl=1, weight_bits=4)

SYSTEMS = {"H100": "C5", "H200": "C0", "B200": "C2", "GB200": "C3", "MI355X": "C1"}
"""Systems of the figure, and their colours."""

NEWER = {"B200": "H200", "GB200": "H200", "MI355X": "H200"}
"""Chips with 4-bit units, and the one before them that they are held against."""

SPEEDS = (25.0, 50.0, 100.0, 200.0)  # at which throughputs are told [1/s]
BASES = ("bound", "calibrated")  # the curves of which claims are judged


TRADES = Claim(
    "throughput for each GPU falls more than tenfold with interactivity",
    lambda ratio: ratio > 10,
    "tokens a second of a chip at those of a user: {ends}",
)
NEWER_GIVE = Claim(
    "chips with 4-bit units give more for each GPU than H200 at equal interactivity",
    lambda ratio: ratio > 1,
    "in {yes} of {count} cases: {all}; the order at high speed hangs on the latency of a"
    " collective",
    "{:.1f}x",
)


def _trades(fronts: Record) -> dict[str, Any]:
    """Whether speed costs throughput, more than tenfold from end to end."""
    each = {f"{name} {basis}": it[basis] for name, it in fronts.items() for basis in BASES}
    ends = [
        f"{name} {it['throughput'][-1]:,.0f} at {it['speed'][-1]:,.0f}"
        f" to {it['throughput'][0]:,.0f} at {it['speed'][0]:,.0f}"
        for name, it in each.items()
    ]
    ratios = {name: it["throughput"][-1] / it["throughput"][0] for name, it in each.items()}
    return TRADES.of(ratios, ends="; ".join(ends))


def _newer(fronts: Record) -> dict[str, Any]:
    """Whether chips with 4-bit units give more at each speed than the one before."""
    ratios: dict[str, float] = {}
    for (newer, older), basis, speed in product(NEWER.items(), BASES, SPEEDS):
        if newer in fronts and older in fronts:
            new, old = (throughput_at(fronts[it][basis], speed) for it in (newer, older))
            if new is not None and old is not None:
                ratios[f"{newer} over {older} at {speed:g} ({basis})"] = new / old
    return NEWER_GIVE.of(ratios)


def verdicts(fronts: Record) -> list[dict[str, Any]]:
    """What can be said of the curves, and of measurements where there are any."""
    measured = [it for it in fronts.values() if it["points"]]
    return [_trades(fronts), _newer(fronts), *([bounded(measured)] if measured else [])]


def run(
    systems: tuple[str, ...] = tuple(SYSTEMS),
    users: tuple[int, ...] = user_counts(16384, 80),
    measured: str | None = None,
) -> dict[str, Any]:
    """The curves of each system, measured points, and the verdicts.

    Systems go by their titles; users are those of an instance that are tried; measurements are
    those that come with the package where there is no file.
    """
    chips = [name.lower() for name in systems]
    measurements = load_points(measured, [WORKLOAD.model], chips)
    fronts = {}
    for name, chip in zip(systems, chips, strict=True):
        points = [
            it
            for it in measurements.points
            if (it.chip, it.workload) == (chip, WORKLOAD) and it.kind in (SERVED, MOST)
        ]
        found = curves(chip, WORKLOAD, users, SERVED, setups(points))
        records = [{**it.record(), **scored(found, it)} for it in points]
        fronts[name] = {**{basis: found[basis] for basis in BASES}, "points": records}
    return {
        "model": WORKLOAD.model,
        "speeds": SPEEDS,
        "files": measurements.files,
        "fronts": fronts,
        "verdicts": verdicts(fronts),
    }


def _cell(front: Record, speed: float) -> str:
    """The best throughput at a speed, and the ranks and users that give it."""
    fast = [place for place, it in enumerate(front["speed"]) if it >= speed]
    if not fast:
        return "-"
    best = max(fast, key=lambda place: front["throughput"][place])
    spread = "e" if front["spread"][best] > 1 else ""
    ranks, users = front["ranks"][best], front["users"][best]
    return f"{short(front['throughput'][best])} ({ranks:.0f}{spread}, {users:,.0f})"


TABLE = Table(
    "system",
    [
        *(Column(f"{it:g}", "calibrated", lambda front, it=it: _cell(front, it)) for it in SPEEDS),
        Column("fastest", "calibrated", lambda front: f"{front['speed'][0]:,.0f}"),
    ],
)


def report(results: Record) -> list[RenderableType]:
    """Calibrated throughput of a chip at some speeds."""
    points = sum(len(it["points"]) for it in results["fronts"].values())
    return [
        f"Calibrated tokens a second of a chip at no less than so many for a user [1/s],"
        f" {results['model']}, 1K tokens in and 1K out; in brackets ranks (e: experts spread) and"
        f" users. Measured points beside the curves: {points}",
        TABLE.of(results["fronts"]),
    ]


def _curves(axes: draw.Axes, name: str, system: Record) -> None:
    """The bound, the calibrated curve, and measured points of one system."""
    colour = SYSTEMS[name]
    for basis, style in zip(BASES, (":", "--" if name == "GB200" else "-"), strict=True):
        width = 1 if basis == "bound" else 1.4
        front = system[basis]
        axes.plot(front["speed"], front["throughput"], style, color=colour, linewidth=width)
    for it in system["points"]:
        if it["speed"] is None:
            axes.axhline(it["throughput"], xmax=0.05, color=colour, linewidth=2.5)
        else:
            axes.plot(it["speed"], it["throughput"], "o", color=colour, markersize=4)


def plot(results: Record) -> draw.Figure:
    """Throughput of a chip over the speed of a user, for each system."""
    figure, ((axes,),) = draw.sheet(1, 1, (7.4, 5.0))
    fronts = results["fronts"]
    for name, system in fronts.items():
        _curves(axes, name, system)
    axes.set_xlabel("interactivity: tokens a second of one user [1/s]")
    axes.set_ylabel("tokens a second of one GPU [1/s]")
    draw.plain_logs(axes)
    ends = {
        name: (it["calibrated"]["speed"][0], it["calibrated"]["throughput"][0])
        for name, it in fronts.items()
    }
    axes.set_xlim(left=5)
    axes.set_ylim(bottom=0.5 * min(throughput for _, throughput in ends.values()))
    looks = {"ideal bound": {"linestyle": ":"}, "calibrated, a typical engine": {}}
    if any(it["points"] for it in fronts.values()):
        looks["measured"] = {"linestyle": "", "marker": "o"}
    draw.legend(axes, looks, loc="lower left")
    figure.suptitle(f"{results['model']}, 4-bit weights, 1K tokens in and 1K out")
    draw.name_lines(figure, [(axes, ends)], SYSTEMS)
    return figure


SMOKE = {"systems": ("H200", "B200"), "users": (1, 8, 64, 512)}
EXPERIMENT = Experiment("interactivity", __doc__, run, SMOKE, plot, report)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
