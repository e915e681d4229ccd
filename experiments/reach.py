"""What would 10,000, 50,000 and 100,000 tokens a second for a user take, with every lever at once?

The claims, as published: established technologies reach 5,000 tokens a second for a user; 10,000
needs advances of algorithms, smaller models or shorter contexts; 50,000 and 100,000 need new
algorithms and flexible hardware: caching, prefetching, synchronisation (Sankaralingam, IET REACH,
2025, slides and abstract).

One user of each of the talk's models on the planned chips, context and limits of the built-in
study. From the fastest design of its lattice, which is proven, levers of hardware and algorithm
move within the ranges that are published for each, by the least sum of their moves in logarithms:
once all of them, and once those alone that leave results as they are. What does not reach a speed
is bounded: no setting of the levers beats the least that each part of a step can take. Starts are
chosen for the waits that there are, 3 us a collective: another start may lead further, so that a
bound speaks of its own start alone.
"""

from collections.abc import Iterable
from functools import partial
from typing import Any

from rich.console import RenderableType

import liminal_jax as ll
from experiments import drawing as draw
from experiments.claims import Claim, Record, listed
from experiments.drawing import short
from experiments.nested import column, each, numbered
from experiments.runner import Experiment, main
from experiments.tables import Column, Table
from liminal_jax.optimization.reach.reach import Reach, reached
from liminal_jax.optimization.reach.start import start_of

TARGETS = (10000.0, 50000.0, 100000.0)  # speeds of the claims [1/s]
ESTABLISHED = 5000.0  # what established technologies reach, as published [1/s]
GROUPS = {"all levers": (), "lossless levers": ("lossless",)}  # which levers move
HARDWARE = "system."  # how paths of levers of hardware begin


def _row(found: Reach) -> Record:
    """What a table and a figure need of an answer."""
    return {
        "reachable": found.reachable,
        "utps": float(found.prediction.utps),
        "distance": found.distance,
        "bound": found.floor.utps,
        "alone": {it.lever.path: it.alone.utps for it in found.moves},
        "moves": {
            it.lever.path: {
                "label": it.lever.label,
                "from": it.lever.start,
                "to": it.to,
                "contribution": it.contribution,
                "quality": it.quality,
            }
            for it in found.moves
            if it.moves
        },
        "proofs": list(found.proofs),
    }


def _model(system: str | None, targets: tuple[float, ...], model: str) -> Record:
    start = start_of(model, system, None)
    groups = each(
        lambda levers, target: _row(reached(start, target, levers)), GROUPS, numbered(targets)
    )
    before = float(start.case.fleet(ll.Exact()).instance.utps)
    return {"start": start.note, "from": before, "groups": groups}


REACHES = Claim(
    "{group} within their published ranges reach {target:,.0f} UTPS",
    bool,
    "{yes} of {count} models: {far}; proven out of reach from there: {proven}",
)
BOTH = Claim(
    "{target:,.0f} UTPS takes hardware and algorithm at once",
    bool,
    "so it is for {held:names} of the {count} models that reach it",
)
WITHOUT = Claim(
    f"without levers {ESTABLISHED:,.0f} UTPS are out of reach of planned chips",
    lambda speed: speed < ESTABLISHED,
    "the fastest of the lattice, collectives of 3 us and operations of 1 us: {all}",
)


def _reaches(rows: Record, target: str, group: str) -> dict[str, Any]:
    """Which models reach a speed, how far each is from it, and which provably cannot."""
    found = column(rows, "groups", group, target)
    far = [
        f"{model} "
        + (f"distance {it['distance']:.2f}" if it["reachable"] else f"{it['utps']:,.0f} at most")
        for model, it in found.items()
    ]
    proven = [model for model, it in found.items() if it["bound"] < float(target)]
    words = {"group": group, "target": float(target), "far": listed(far), "proven": listed(proven)}
    return REACHES.of(column(found, "reachable"), also={"proven": proven}, **words)


def _no_single(rows: Record, target: str) -> dict[str, Any]:
    """Whether any lever alone is enough."""
    alone = column(rows, "groups", "all levers", target, "alone")
    best = {model: max(speeds, key=speeds.__getitem__) for model, speeds in alone.items()}
    speeds = {model: alone[model][path] for model, path in best.items()}
    far = listed([f"{model} {speeds[model]:,.0f} by {path}" for model, path in best.items()])
    claim = Claim(
        f"no single lever reaches {float(target):,.0f} UTPS",
        lambda speed: speed < float(target),
        "the most that one gives: {far}",
    )
    return claim.of(speeds, far=far)


def _both(rows: Record, target: str) -> dict[str, Any]:
    """Whether hardware and algorithm move together where a speed is reached."""
    cases = {}
    for model, it in column(rows, "groups", "all levers", target).items():
        if it["reachable"]:
            hardware = [path.startswith(HARDWARE) for path in it["moves"]]
            cases[model] = any(hardware) and not all(hardware)
    return BOTH.of(cases, target=float(target))


def verdicts(rows: Record, targets: Iterable[str]) -> list[dict[str, Any]]:
    """The claims, by speed."""
    found = [WITHOUT.of(column(rows, "from"))]
    for target in targets:
        found += [_reaches(rows, target, group) for group in GROUPS]
        found += [_no_single(rows, target), _both(rows, target)]
    return found


MODELS = ("llama-3-70b", "llama-3-405b", "llama-4-maverick", "deepseek-v3", "kimi-k2")


def run(
    models: tuple[str, ...] = MODELS,
    targets: tuple[float, ...] = TARGETS,
    system: str | None = None,
) -> dict[str, Any]:
    """What each speed [1/s] takes for each model, and the verdicts.

    A system may take the place of the planned chips.
    """
    rows = each(partial(_model, system, targets), {it: it for it in models})
    names = list(numbered(targets))
    return {"targets": names, "rows": rows, "verdicts": verdicts(rows, names)}


def _far(it: Record) -> str:
    if it["reachable"]:
        return f"distance {it['distance']:.2f}"
    return f"{short(it['utps'])} (bound {short(it['bound'])})"


def report(results: Record) -> list[RenderableType]:
    """How far each speed is for each model."""
    parts: list[RenderableType] = []
    for group in GROUPS:
        targets = [
            Column(f"{float(it):,.0f}", ("groups", group, it), _far) for it in results["targets"]
        ]
        table = Table("model", [Column("from", "from", short), *targets])
        title = "How far tokens a second of one user are: {group}"
        parts += table.each(title, {group: results["rows"]})
    return parts


SHOWN = 7  # levers with a colour of their own; what is left is drawn as one
REST: Record = {"color": "0.75", "edgecolor": "white"}


def _largest(results: Record) -> dict[str, str]:
    """The levers that contribute most to all answers together, with their names."""
    names: dict[str, str] = {}
    sums: dict[str, float] = {}
    for row in results["rows"].values():
        for answer in (it for group in row["groups"].values() for it in group.values()):
            for path, it in answer["moves"].items():
                names[path] = it["label"]
                sums[path] = sums.get(path, 0.0) + abs(it["contribution"])
    return {path: names[path] for path in sorted(sums, key=lambda it: -sums[it])[:SHOWN]}


def plot(results: Record) -> draw.Figure:
    """What each lever contributes on the way to each speed, a panel for each group of levers."""
    bars = [(model, target) for model in results["rows"] for target in results["targets"]]
    size = (12.0, 1.4 + 0.28 * len(bars))
    figure, (panels,) = draw.sheet(1, len(GROUPS), size, sharex=True, sharey=True)
    names = _largest(results)
    styles: dict[str, Record] = {
        path: {"color": shade, "edgecolor": "white"} for path, shade in draw.colours(names).items()
    }
    for axes, group in zip(panels, GROUPS, strict=True):
        for place, (model, target) in enumerate(bars):
            answer = results["rows"][model]["groups"][group][target]
            worth = {path: it["contribution"] for path, it in answer["moves"].items()}
            parts = {path: worth.get(path, 0.0) for path in names}
            rest = sum(worth.values()) - sum(parts.values())
            end = draw.bar(axes, place, {**parts, "": rest}, {**styles, "": REST}, height=0.8)
            mark = "" if answer["reachable"] else "  not reached"
            text = f"{short(answer['utps'])}{mark}"
            draw.note(axes, text, (max(end, end - rest), place), (3, 0), ha="left", va="center")
        axes.set_title(group)
        axes.set_xlabel("logarithm of the speed gained, by Shapley value")
        axes.margins(x=0.18)
    draw.name_rows(panels[0], [f"{model}, {float(it):,.0f}" for model, it in bars], fontsize=7)
    legend = {**{names[path]: style for path, style in styles.items()}, "all other levers": REST}
    handles = [panels[0].barh([0], [0], **style, label=label) for label, style in legend.items()]
    figure.legend(handles=handles, loc="outside lower left", ncols=4, fontsize=7)
    figure.suptitle("What the levers of hardware and algorithm give one user")
    return figure


SMOKE = {"models": ("llama-3-8b",), "targets": (5000.0, 1e6), "system": "h200"}
EXPERIMENT = Experiment("reach", __doc__, run, SMOKE, plot, report)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
