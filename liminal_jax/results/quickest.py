"""Which of some designs is the quickest, and how far the others are behind, in one line."""

from collections.abc import Mapping, Sequence
from typing import Any

from liminal_jax._display import plain
from liminal_jax.results.page import Line, known
from liminal_jax.results.reasons import compared


def quickest(sides: Sequence[Mapping[str, Any]]) -> Line:
    """All designs by their speed for a user; those that do not fit have none.

    Args:
        sides: Names and predictions, as `sides` of a comparison.
    """
    speeds = {at: it["prediction"]["utps"] for at, it in enumerate(sides) if _judged(it)}
    unfit = [it["name"] for it in sides if _unfit(it)]
    unknown = [it["name"] for at, it in enumerate(sides) if not (at in speeds or _unfit(it))]
    rest = [
        *([f"{_listed(unfit)} {'does' if len(unfit) == 1 else 'do'} not fit"] if unfit else []),
        *([f"the speed of {_listed(unknown)} is unknown"] if unknown else []),
    ]
    if not speeds:
        return (f"{'; '.join(rest)}.",)
    first, *others = sorted(speeds, key=lambda it: -speeds[it])
    behind = ", ".join(
        f"{sides[it]['name']} {compared(speeds[it] / speeds[first], '', 'slower', 'as quick')}"
        for it in others
    )
    told = "; ".join(filter(None, (behind, *rest)))
    speed = f"{plain(speeds[first], 4)} tokens/s"
    return (
        f"{sides[first]['name']} is the quickest of {len(sides)}, with ",
        known(speed, f"sides.{first}.prediction.utps", speeds[first]),
        f" for a user: {told}.",
    )


def _unfit(side: Mapping[str, Any]) -> bool:
    return not side["prediction"]["fits"]


def _judged(side: Mapping[str, Any]) -> bool:
    return bool(side["prediction"]["utps"]) and not _unfit(side)


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
