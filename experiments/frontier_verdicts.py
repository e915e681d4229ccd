"""What measurements say of the model's frontiers: bounded, predicted, in the right order."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from experiments.claims import Record, judged, verdict
from experiments.lattices import throughput_at
from experiments.measured import MOST, best
from experiments.served import POOL, SERVED

NEAR = 0.25  # how far the median of measured over calibrated may be from one to count as predicted


def _name(entry: Record) -> str:
    return f"{entry['title']} {entry['weight_bits']:g}-bit"


def _middle(ratios: Sequence[float | None]) -> float | None:
    """Median; none, which stands for beyond the curve, counts as large."""
    middle = float(np.median([np.inf if it is None else it for it in ratios] or [np.inf]))
    return middle if np.isfinite(middle) else None


def middle_ratio(points: Sequence[Record]) -> float | None:
    """Median of measured over calibrated throughput, over the points that none other beats."""
    return _middle([it["ratio"] for it in best(points)])


def scores(entries: Sequence[Record]) -> dict[str, dict[str, Any]]:
    """For each chip and kind, what was measured against the calibrated curve of its set-ups.

    Returns:
        By title and kind: `points`, of those of cells that the calibration was fitted to
        (`fitted`), and `front`, those that no other of their workload beats. Of the front: medians
        of measured over calibrated throughput at equal speed (`ratio`) and of speed at equal
        throughput (`speed_ratio`), none beyond the curve, and of speed at the same set-up and users
        with the losses of its engine (`own`, over all points, and the mean absolute error of the
        time of a token there, `own_error`); how many are `beyond` its fastest; the share `inside`
        the 90 % interval.
    """
    groups: dict[str, list[list[Record]]] = {}
    for entry in entries:
        for kind in (SERVED, POOL, MOST):
            points = [it for it in entry["points"] if it["kind"] == kind]
            if points:
                groups.setdefault(f"{entry['title']} {kind}", []).append(points)
    return {name: _score(workloads) for name, workloads in groups.items()}


def _error(points: Sequence[Record]) -> float:
    """Mean absolute error of the time of a token at the own set-up of each."""
    return float(np.mean([abs(it["own"] - 1) for it in points]))


def _score(workloads: Sequence[Sequence[Record]]) -> dict[str, Any]:
    points = [it for each in workloads for it in each]
    maxima = points[0]["kind"] == MOST
    front = points if maxima else [it for each in workloads for it in best(each)]
    return {
        "points": len(points),
        "fitted": sum(it["fitted"] for it in points),
        "front": len(front),
        "ratio": _middle([it["ratio"] for it in front]),
        "speed_ratio": None if maxima else _middle([it["speed_ratio"] for it in front]),
        "own": None if maxima else _middle([it["own"] for it in points]),
        "own_error": None if maxima else _error(points),
        "beyond": sum(it["ratio"] is None for it in front),
        "inside": float(np.mean([_inside(it) for it in front])),
    }


def _inside(point: Record) -> bool:
    """Whether a measurement lies within the calibrated 90 % interval."""
    low, high = point["over_low"], point["over_high"]
    return (low is None or low >= 1) and high is not None and high <= 1


def _above(point: Record) -> bool:
    """Whether a measurement lies above the bound, or beyond its fastest."""
    return point["of_bound"] is None or point["of_bound"] > 1


def bounded(entries: Sequence[Record]) -> dict[str, Any]:
    """Whether measurements stay under the bound."""
    points = [it for entry in entries for it in entry["points"]]
    waiting = [it for it in points if it["at_most"]]
    above, waiting_above = sum(map(_above, points)), sum(map(_above, waiting))
    highest = max((it["of_bound"] for it in points if it["of_bound"] is not None), default=0.0)
    told = f"{above} of {len(points)} points lie above it; the highest reaches {highest:.2f} of it"
    if waiting:
        told += (
            f". Of {len(waiting)} of them the throughput is an upper limit, reckoned from users of"
            f" whom some wait: {waiting_above} of these lie above"
        )
    return verdict(
        "no measured point lies above the ideal bound",
        judged({str(place): not _above(it) for place, it in enumerate(points)}),
        {
            "points": len(points),
            "above": above,
            "of_bound_highest": highest,
            "points_at_most": len(waiting),
            "at_most_above": waiting_above,
        },
        told,
    )


def _predicted(
    found: Mapping[str, Record], name: str, claim: str, told: str, number: str
) -> dict[str, Any]:
    """Whether the median of one ratio is near one for every chip and kind."""
    ratios = {group: it[name] for group, it in found.items()}
    cases = {group: ratio is not None and abs(ratio - 1) <= NEAR for group, ratio in ratios.items()}
    numbers = [
        f"{group} {'beyond' if it[name] is None else format(it[name], '.2f')} ({it[number]})"
        for group, it in found.items()
    ]
    return verdict(claim, judged(cases), ratios, f"{told}: {'; '.join(numbers)}")


def _throughputs(found: Mapping[str, Record]) -> dict[str, Any]:
    inside = sum(it["inside"] * it["front"] for it in found.values())
    front, points, fitted = (
        sum(it[name] for it in found.values()) for name in ("front", "points", "fitted")
    )
    return _predicted(
        found,
        "ratio",
        f"at equal interactivity throughput is within {100 * NEAR:.0f} % of the calibrated curve",
        f"{inside:.0f} of {front} points are inside its 90 % interval; {fitted} of all {points} are"
        " of cells to whose decode it was fitted. Median of measured over calibrated, of as many"
        " points that no other of their workload beats",
        "front",
    )


def _speeds(found: Mapping[str, Record]) -> dict[str, Any]:
    return _predicted(
        {name: it for name, it in found.items() if not name.endswith(MOST)},
        "speed_ratio",
        f"at equal throughput interactivity is within {100 * NEAR:.0f} % of the calibrated curve",
        "curves are steep, so that a small miss in speed is a large one in throughput; median of"
        " measured over calibrated speed, of as many points",
        "front",
    )


def _pairs(entries: Sequence[Record]) -> list[tuple[str, bool]]:
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
                    throughput_at(it["tried"], point["speed"]) or 0.0 for it in (mine, other)
                )
                if ours != its:
                    pair = f"{_name(first)} and {_name(second)}"
                    found.append((pair, (measured > 1) == (ours > its)))
    return found


def _set_ups(found: Mapping[str, Record], entries: Sequence[Record]) -> dict[str, Any]:
    """Whether single set-ups run as calibrated, with the losses of their engine."""
    points = [it for entry in entries for it in entry["points"]]
    new = [it for it in points if it["own"] is not None and not it["fitted"]]
    mine = {name: it for name, it in found.items() if not name.endswith(MOST)}
    errors = "; ".join(f"{name} {100 * it['own_error']:.0f} %" for name, it in mine.items())
    if new:
        errors += f"; of the {len(new)} points of cells that it was not fitted to"
        errors += f" {100 * _error(new):.0f} %"
    return _predicted(
        mine,
        "own",
        f"set-up by set-up interactivity is within {100 * NEAR:.0f} % of the calibrated one",
        f"mean absolute error of the time of a token {errors}. Median of measured over calibrated"
        " speed of the same chips and users, with the losses of their engine, over all points",
        "points",
    )


def _ordered(entries: Sequence[Record]) -> dict[str, Any]:
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


def verdicts(entries: Sequence[Record]) -> list[dict[str, Any]]:
    """What measurements say of the curves; nothing where there are none."""
    found = scores(entries)
    told = [bounded(entries), _throughputs(found)] if found else []
    told += (
        [_speeds(found), _set_ups(found, entries)]
        if any(it["speed_ratio"] for it in found.values())
        else []
    )
    return [*told, _ordered(entries)] if _pairs(entries) else told
