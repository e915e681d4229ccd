"""Does the model draw the frontier of throughput for each GPU over interactivity as measured?

The claim under test: LIMINAL bounds what engines reach and, with named losses, predicts it. Curves
of gpt-oss-120B and DeepSeek-R1 on chips that ship, ideal and calibrated (typical engine, 90 %
interval), stand against measured runs. Where prompts share the chips, a point is held against
serving (`ll.serve`: the bound is the best of three ways of sharing, the calibrated curve is
continuous batching); where chips only decode, against decode alone; a maximum whose users are not
told, against the top of a curve.

Measured rows are those that come with the package, of permissive licences: three of DeepSeek-R1,
and eight maxima. `--measured FILE` takes others, in the columns of `liminal calibrate --help-all`.

Lengths are 0.9 of their nominal, as InferenceX draws them; 8-bit cache; no speculative decoding, no
queueing. The calibration was fitted to decode alone: where prompts pass, its losses are taken
beyond what was measured, and points of cells that it was fitted to are counted.
"""

from collections.abc import Sequence
from typing import Any

from rich.console import RenderableType

import liminal_jax as ll
from experiments import drawing as draw
from experiments.claims import Record
from experiments.frontier_verdicts import middle_ratio, scores, verdicts
from experiments.lattices import user_counts
from experiments.measured import Measurements, Point, load_points, scored, setups
from experiments.runner import Experiment, main
from experiments.served import POOL, SERVED, Workload
from experiments.served_curves import curves
from experiments.tables import Column, Table

CHIPS = {
    "h100": "H100",
    "h200": "H200",
    "mi300x": "MI300X",
    "b200": "B200",
    "gb200": "GB200",
    "mi355x": "MI355X",
}
"""Systems, and their titles."""

MODELS = {"deepseek-r1": (8, 4), "gpt-oss-120b": (4,)}
"""Models, and the bits of their weights as published and as chips with 4-bit units hold them."""

SHORT = (1, 1)
"""Nominal tokens in and out [K] of the workload that is drawn of every chip, measured or not."""


def _native(chip: str, bits: float) -> bool:
    """Whether a chip multiplies faster with so few bits than with more, or bits are 8."""
    tensor = ll.load_system(chip).chip.tensor
    return bits >= 8 or float(tensor.at(bits)) > float(tensor.at(8))


def _asked(model: str, chips: Sequence[str], points: Sequence[Point]) -> list[tuple[str, Workload]]:
    """Chips and workloads of a model: those measured, and of all chips 1K tokens in and out."""
    bits = MODELS[model]
    drawn = {
        (chip, Workload(model, *SHORT, it))
        for chip in chips
        for it in bits
        if len(bits) == 1 or _native(chip, it)
    }
    return list(drawn | {(it.chip, it.workload) for it in points})


def _entry(
    chip: str, workload: Workload, kind: str, users: Sequence[int], points: Sequence[Point]
) -> dict[str, Any]:
    """The curves of one kind, and what was measured of them."""
    found = curves(chip, workload, users, kind, setups(points))
    empty = len(found["bound"]["speed"]) == 0
    records = [] if empty else [{**it.record(), **scored(found, it)} for it in points]
    return {
        "chip": chip,
        "title": CHIPS[chip],
        "model": workload.model,
        "isl": workload.isl,
        "osl": workload.osl,
        "weight_bits": workload.weight_bits,
        "kind": kind,
        **found,
        "points": records,
        "ratio": middle_ratio(records),
    }


def entries(
    models: Sequence[str], chips: Sequence[str], users: Sequence[int], measurements: Measurements
) -> list[dict[str, Any]]:
    """Curves and points of every chip and workload, a kind each."""
    found = []
    for model in models:
        mine = [it for it in measurements.points if it.workload.model == model]
        for chip, workload in _asked(model, chips, mine):
            here = [it for it in mine if (it.chip, it.workload) == (chip, workload)]
            pool = [it for it in here if it.kind == POOL]
            others = [it for it in here if it.kind != POOL]
            if others or not pool or (workload.isl, workload.osl) == SHORT:
                found.append(_entry(chip, workload, SERVED, users, others))
            if pool:
                found.append(_entry(chip, workload, POOL, users, pool))
    order = {name: place for place, name in enumerate((*models, *chips, SERVED, POOL))}
    return sorted(
        found,
        key=lambda it: (order[it["model"]], it["isl"], it["osl"], order[it["kind"]],
                        order[it["chip"]], -it["weight_bits"]),
    )  # fmt: skip


def run(
    models: tuple[str, ...] = tuple(MODELS),
    chips: tuple[str, ...] = tuple(CHIPS),
    users: tuple[int, ...] = user_counts(16384, 80),
    measured: str | None = None,
) -> dict[str, Any]:
    """Curves, measurements and verdicts.

    Users are those of an instance that are tried; measurements are those that come with the package
    where there is no file.
    """
    measurements = load_points(measured, models, chips)
    found = entries(models, chips, users, measurements)
    known = {it.workload.model for it in measurements.points}
    return {
        "chips": [CHIPS[chip] for chip in chips],
        "files": measurements.files,
        "unused": measurements.unused,
        "unmeasured": [model for model in models if model not in known],
        "entries": found,
        "scores": scores(found),
        "verdicts": verdicts(found),
    }


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.0f} %"


TABLE = Table(
    "chip",
    [
        Column("points", "points"),
        Column("best", "front"),
        Column("throughput", "ratio", "{:.2f}"),
        Column("speed", "speed_ratio", "{:.2f}"),
        Column("own", "own", "{:.2f}"),
        Column("error", "own_error", _percent),
        Column("beyond", "beyond"),
        Column("inside", "inside", _percent),
        Column("fitted", "fitted"),
    ],
)


def report(results: Record) -> list[RenderableType]:
    """Measured over calibrated for each chip, and what is missing."""
    give = "give a file with --measured FILE, in the columns that `liminal calibrate --help-all`"
    return [
        "Measured over calibrated, median of the points that no other of their workload beats:"
        " throughput of a GPU at equal speed of a user, and speed at equal throughput; of all"
        " points speed at the same set-up and users with the losses of the engine (own), and the"
        " mean error of the time of a token there; how many are beyond the fastest calibrated, how"
        " many inside its 90 % interval, and points of cells that it was fitted to",
        TABLE.of(results["scores"]),
        *(f"{count} left out: {why}" for why, count in results["unused"].items()),
        *(
            f"{model}: no measured rows, the curves stand alone; {give} tells.\n"
            for model in results["unmeasured"]
        ),
    ]


def _curves(axes: draw.Axes, entry: Record, colour: str) -> None:
    """The bound, the calibrated curve, and with its interval that of what was measured, if any."""
    tried = entry["tried"]
    for kind, style, width in (("bound", ":", 1.1), ("calibrated", "--", 0.9), ("tried", "-", 1.6)):
        front = entry[kind]
        axes.plot(front["speed"], front["throughput"], style, color=colour, linewidth=width)
    main = tried if tried["speed"] else entry["calibrated"]
    around = (
        [*main["low"][axis], *reversed(main["high"][axis])] for axis in ("speed", "throughput")
    )
    axes.fill(*around, color=colour, alpha=0.13, linewidth=0)


def _points(axes: draw.Axes, entry: Record, colour: str) -> None:
    """Measured points: triangles where throughput is an upper limit, bars without a speed."""
    for it in entry["points"]:
        if it["speed"] is None:
            axes.axhline(it["throughput"], xmax=0.12, color=colour, linewidth=2.5)
        else:
            style = {"marker": "v" if it["at_most"] else "o", "color": colour, "mew": 0.3}
            draw.dot(axes, (it["speed"], it["throughput"]), style, 3.5)


COLOURS = {8: "C0", 4: "C3", 16: "C2"}  # colours of the bits of a weight


def _panel(axes: draw.Axes, entries: Sequence[Record]) -> None:
    """One chip and workload; nothing where it was not measured."""
    draw.plain_logs(axes)
    axes.set(xlim=(4.0, 1500.0), ylim=(3.0, 200e3))
    shades = [COLOURS.get(it["weight_bits"], "C5") for it in entries]
    for part in (_curves, _points):
        for entry, shade in zip(entries, shades, strict=True):
            part(axes, entry, shade)
    measured = [it for it in zip(entries, shades, strict=True) if it[0]["ratio"] is not None]
    for place, (entry, shade) in enumerate(measured):
        text = f"{entry['weight_bits']:g}-bit {entry['ratio']:.2f}"
        at = (0.04, 0.05 + 0.1 * place)
        draw.note(axes, text, at, xycoords="axes fraction", ha="left", color=shade)
    if not entries:
        draw.note(axes, "not measured", (0.5, 0.5), xycoords="axes fraction", color="0.75")


LOOKS: dict[str, Record] = {
    "8-bit weights": {"color": COLOURS[8]},
    "4-bit weights": {"color": COLOURS[4]},
    "ideal bound": {"linestyle": ":", "linewidth": 1.1},
    "calibrated, best set-up": {"linestyle": "--", "linewidth": 0.9},
    "calibrated, measured set-ups": {"linewidth": 1.6},
    "90 % interval of it": {"alpha": 0.13, "linewidth": 6},
    "measured": {"linestyle": "", "marker": "o", "markersize": 4},
    "measured, throughput at most": {"linestyle": "", "marker": "v", "markersize": 4},
    "measured maximum, speed not told": {"linewidth": 2.5},
}


def plot(results: Record) -> draw.Figure:
    """Throughput over interactivity: a column for each chip, a row for each workload and kind."""
    chips, entries = results["chips"], results["entries"]
    rows: dict[tuple[Any, ...], list[Record]] = {}
    for it in entries:
        rows.setdefault((it["model"], it["isl"], it["osl"], it["kind"]), []).append(it)
    size = (1.3 + 1.9 * len(chips), 1.3 + 1.5 * len(rows))
    figure, panels = draw.sheet(len(rows), len(chips), size, sharex=True, sharey=True)
    for line, ((model, isl, osl, kind), mine) in zip(panels, rows.items(), strict=True):
        alone = "\ndecode alone" if kind == POOL else ""
        line[0].set_ylabel(f"{model}\n{isl}K in, {osl}K out{alone}", fontsize=7)
        for chip, axes in zip(chips, line, strict=True):
            _panel(axes, [it for it in mine if it["title"] == chip])
    for chip, top in zip(chips, panels[0], strict=True):
        top.set_title(chip)
    figure.supxlabel("interactivity: tokens a second of one user [1/s]", fontsize=9)
    figure.supylabel("tokens a second of one GPU [1/s]", fontsize=9)
    title = "numbers: median of measured over calibrated throughput at equal interactivity"
    placed = {"loc": "outside upper center", "ncols": min(5, len(chips)), "fontsize": 7}
    draw.legend(figure, LOOKS, title=title, title_fontsize=8, **placed)
    return figure


SMOKE = {"models": ("deepseek-r1",), "chips": ("h200", "b200"), "users": (8, 64, 512, 4096)}
EXPERIMENT = Experiment("frontier", __doc__, run, SMOKE, plot, report)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
