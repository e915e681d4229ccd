"""What measurements say of the model's frontiers: bounded, predicted, in the right order."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from experiments.measured import MOST, best
from experiments.served import POOL, SERVED, throughput_at
from experiments.verdicts import judged, verdict

NEAR = 0.25
"""How far the median of measured over calibrated may be from one to count as predicted."""


def _name(entry: Mapping[str, Any]) -> str:
    return f"{entry['title']} {entry['weight_bits']:g}-bit"


def _middle(ratios: Sequence[float | None]) -> float | None:
    """Median; none, which stands for beyond the curve, counts as large."""
    middle = float(np.median([np.inf if it is None else it for it in ratios] or [np.inf]))
    return middle if np.isfinite(middle) else None


def middle_ratio(points: Sequence[Mapping[str, Any]]) -> float | None:
    """Median of measured over calibrated throughput, over the points that none other beats."""
    return _middle([it["ratio"] for it in best(points)])


def scores(entries: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """For each chip and kind, what was measured against what was predicted.

    Returns:
        By title and kind: `points`, `front` (those that no other of their set-up beats), and of
        the front the median `ratio` of measured to calibrated throughput at equal speed, the
        number `beyond` the calibrated curve's fastest, and the share `inside` the 90 % interval;
        of all points `fitted`, those of cells that the calibration was fitted to.
    """
    found: dict[str, list[Mapping[str, Any]]] = {}
    numbers: dict[str, int] = {}
    fitted: dict[str, int] = {}
    for entry in entries:
        for kind in (SERVED, POOL, MOST):
            points = [it for it in entry["points"] if it["kind"] == kind]
            if not points:
                continue
            name = f"{entry['title']} {kind}"
            front = points if kind == MOST else best(points)
            found.setdefault(name, []).extend(front)
            numbers[name] = numbers.get(name, 0) + len(points)
            fitted[name] = fitted.get(name, 0) + sum(it["fitted"] for it in points)
    return {
        name: {
            "points": numbers[name],
            "fitted": fitted[name],
            "front": len(front),
            "ratio": _middle([it["ratio"] for it in front]),
            "beyond": sum(it["ratio"] is None for it in front),
            "inside": float(np.mean([_inside(it) for it in front])),
        }
        for name, front in found.items()
    }


def _inside(point: Mapping[str, Any]) -> bool:
    """Whether a measurement lies within the calibrated 90 % interval."""
    low, high = point["over_low"], point["over_high"]
    return (low is None or low >= 1) and high is not None and high <= 1


def _above(point: Mapping[str, Any]) -> bool:
    """Whether a measurement lies above the bound, or beyond its fastest."""
    return point["of_bound"] is None or point["of_bound"] > 1


def _bounded(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Whether measurements stay under the bound."""
    points = [it for entry in entries for it in entry["points"]]
    known = [it for it in points if not it["at_most"]]
    above = [it for it in known if _above(it)]
    waiting = [it for it in points if it["at_most"]]
    waiting_above = sum(_above(it) for it in waiting)
    highest = max((it["of_bound"] for it in known if it["of_bound"] is not None), default=None)
    told = "" if highest is None else f"; the nearest reaches {highest:.2f} of it"
    return verdict(
        "no measured point lies above the ideal bound",
        judged({str(place): not _above(it) for place, it in enumerate(known)}),
        {"points": len(known), "above": len(above), "of_bound_highest": highest,
         "points_at_most": len(waiting), "at_most_above": waiting_above},
        f"{len(above)} of {len(known)} points lie above it{told}. Of {len(waiting)} more the"
        " throughput is an upper limit, reckoned from users of whom some wait:"
        f" {waiting_above} of these lie above",
    )  # fmt: skip


def _predicted(found: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Whether the calibrated frontier is where engines are."""
    cases = {
        name: it["ratio"] is not None and abs(it["ratio"] - 1) <= NEAR for name, it in found.items()
    }
    told = [
        f"{name} {'beyond' if it['ratio'] is None else format(it['ratio'], '.2f')}"
        f" ({it['front']} of {it['points']} points, {100 * it['inside']:.0f} % inside)"
        for name, it in found.items()
    ]
    fitted, points = (sum(it[name] for it in found.values()) for name in ("fitted", "points"))
    return verdict(
        f"at equal interactivity the calibrated frontier is within {100 * NEAR:.0f} % of measured",
        judged(cases),
        found,
        "median of measured over calibrated throughput of a chip, over the points that no other of"
        " their set-up beats, and how many lie inside the 90 % interval: " + "; ".join(told)
        + f". {fitted} of all {points} points are of cells to whose decode it was fitted",
    )  # fmt: skip


def _pairs(entries: Sequence[Mapping[str, Any]]) -> list[tuple[str, bool]]:
    """Pairs of chips at a measured speed, and whether the calibrated order is the measured one.

    A point of one frontier is held against the other's, straight in logarithms between points.
    """
    found = []
    for first, second in combinations(entries, 2):
        alike = all(first[it] == second[it] for it in ("model", "isl", "osl", "kind"))
        if not alike or _name(first) == _name(second):
            continue
        for mine, other in ((first, second), (second, first)):
            theirs = best(other["points"])
            if not theirs:
                continue
            front = {name: [it[name] for it in theirs] for name in ("speed", "throughput")}
            for point in best(mine["points"]):
                if not front["speed"][-1] <= point["speed"] <= front["speed"][0]:
                    continue
                measured = point["throughput"] / (throughput_at(front, point["speed"]) or np.nan)
                ours, its = (
                    throughput_at(it["calibrated"], point["speed"]) or 0.0 for it in (mine, other)
                )
                if ours != its:
                    found.append(
                        (f"{_name(mine)} and {_name(other)}", (measured > 1) == (ours > its))
                    )
    return found


def _ordered(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Whether the model tells which chip gives more."""
    pairs = _pairs(entries)
    agreeing = sum(it for _, it in pairs)
    tau = 2 * agreeing / len(pairs) - 1
    wrong: dict[str, int] = {}
    for name, agrees in pairs:
        if not agrees:
            wrong[name] = wrong.get(name, 0) + 1
    most = sorted(wrong.items(), key=lambda it: -it[1])[:4]
    told = "".join(f"; {name} differ {count} times" for name, count in most)
    return verdict(
        "at equal interactivity the model orders the chips as measured",
        judged({str(place): agrees for place, (_, agrees) in enumerate(pairs)}),
        {"pairs": len(pairs), "agreeing": agreeing, "kendall_tau": tau, "differing": wrong},
        f"{agreeing} of {len(pairs)} pairs at a measured speed, Kendall's tau {tau:.2f}{told}",
    )


def verdicts(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What measurements say of the curves; nothing where there are none."""
    found = scores(entries)
    told = [_bounded(entries), _predicted(found)] if found else []
    return [*told, _ordered(entries)] if _pairs(entries) else told
