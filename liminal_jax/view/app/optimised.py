"""The best design from here: what a search makes of what is dragged."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp

from liminal_jax._arrays import Scalar
from liminal_jax._display import plain
from liminal_jax.optimization.search.best_design import Finding, Method, find
from liminal_jax.optimization.search.branch_and_bound import Budget
from liminal_jax.study.absent import lever_paths
from liminal_jax.study.domain import Grid
from liminal_jax.study.problem import Criterion, Limit, Problem, limits_of
from liminal_jax.study.quantities import Fleet
from liminal_jax.study.region import Region, Variable
from liminal_jax.study.variables import stated_at
from liminal_jax.view.app.opened import Opened
from liminal_jax.view.app.scene import (
    BATCHES,
    CATEGORY,
    EXPERT_RANKS,
    StudyScene,
    as_arrays,
    pictured,
)
from liminal_jax.view.app.sliders import doubled

SECONDS = 20.0
"""How long a search may take; what is proven by then is said."""

RANKS = tuple(doubled(1.0, 1024.0))
"""Degrees among which a search chooses."""

SLOWER = 1e-6
"""Share by which users of what is found may be slower than here: rounding."""


class Optimised(NamedTuple):
    """What a search found.

    Attributes:
        numbers: Where the sliders go, by name; none where nothing keeps every limit.
        told: What was found, and how sure it is, in a sentence.
    """

    numbers: Mapping[str, float] | None
    told: str


class Wanted(NamedTuple):
    """What is best of a design that asks for nothing itself.

    Attributes:
        of: How it follows from the prediction of the whole system.
        unit: Its unit.
        maximise: Whether more of it is better.
    """

    of: Callable[[Fleet], Scalar]
    unit: str
    maximise: bool


WANTED = {
    "a chip": Wanted(lambda it: it.stps / it.bought, "1/s", True),
    "a kilowatt": Wanted(lambda it: it.stps / it.power, "1/s/W", True),
    "a dollar": Wanted(lambda it: it.usd_per_million_tokens, "USD", False),
}
"""What may be wanted most, by what throughput is divided by."""


def optimised(opened: Opened, numbers: Mapping[str, float], wanted: str) -> Optimised:
    """The best design from some numbers.

    A study is searched over all that it leaves free, with whatever else was dragged as it is. Of a
    design the hardware stays, and what runs on it is chosen: its chips, the ranks that share
    experts, the batch, and whole levers that are dragged; no user becomes slower.

    Args:
        opened: What is open.
        numbers: What is dragged.
        wanted: What is best of a design: a key of `WANTED`.
    """
    problem = _question(opened, numbers, wanted)
    found = find(problem, method=Method.AUTO, budget=Budget(seconds=SECONDS))
    if not found.feasible:
        return Optimised(None, f"no design found from here: {'; '.join(found.reasons)}")
    return Optimised(_shown(opened, found, numbers), _sentence(found))


def _question(opened: Opened, numbers: Mapping[str, float], wanted: str) -> Problem:
    scene = opened.scene
    if isinstance(scene, StudyScene):
        region = dataclasses.replace(opened.problem.region, case=scene.start)
        free = {it.path for it in region.variables}
        stays = {it: at for it, at in numbers.items() if it in region.paths and it not in free}
        rows = {it: jnp.broadcast_to(at, jnp.shape(region.numbers[it])) for it, at in stays.items()}
        return dataclasses.replace(opened.problem, region=region.with_numbers(rows))
    case = eqx.filter_jit(type(scene).case)(scene, as_arrays(numbers))
    grids = {"mapping.tp": RANKS, "batch": BATCHES}
    if EXPERT_RANKS in {it.name for it in opened.sliders}:
        grids["mapping.ep"] = RANKS
    levers = (it for it in opened.sliders if it.name in lever_paths())
    grids |= {it.name: it.values for it in levers if stated_at(it.name).whole}
    variables = tuple(
        Variable(path, path, Grid(values, logarithmic=False)) for path, values in grids.items()
    )
    goal = WANTED[wanted]
    slowest = float(pictured(scene, numbers).now.utps) * (1 - SLOWER)
    return Problem(
        region=Region(case, ("as it is",), variables, "choice"),
        criterion=Criterion(f"tokens for {wanted}", goal.unit, goal.of, goal.maximise),
        limits=(*limits_of(case), Limit("utps", True, slowest, "1/s", lambda it: it.utps)),
    )


def _shown(opened: Opened, found: Finding, numbers: Mapping[str, float]) -> dict[str, float]:
    """What is found, by the names of what is dragged."""
    variables = found.problem.variables
    chosen = dict(zip((it.path for it in variables), found.solution.point, strict=True))
    if isinstance(opened.scene, StudyScene):
        return {**numbers, **chosen, CATEGORY: float(found.solution.row)}
    mapping = opened.scene.start.mapping
    fixed = float(mapping.cp * mapping.pp)
    return {
        **numbers,
        "chips": chosen.pop("mapping.tp") * fixed,
        EXPERT_RANKS: chosen.pop("mapping.ep", numbers[EXPERT_RANKS]),
        **chosen,
    }


def _sentence(found: Finding) -> str:
    proved, seconds = found.certificate, sum(found.seconds.values())
    many = f"{plain(float(proved.lattice))} designs in {plain(seconds, 2)} s"
    if proved.complete:
        return f"The best of {many}, proven."
    if proved.relative_gap is None:
        return f"The best that was found of {many}; nothing is proven."
    gap = f"{plain(100 * proved.relative_gap, 2)} %"
    return f"The best that was found of {many}; none is better by more than {gap}."
