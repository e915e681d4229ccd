"""The Pareto front of a space, from Python."""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from jaxtyping import Float

from liminal_jax.optimization.optimum import at_precision, problems_of
from liminal_jax.optimization.pareto.knees import knees
from liminal_jax.optimization.pareto.pareto_search import (
    FrontAnswer,
    FrontCertificate,
    FrontPoint,
)
from liminal_jax.optimization.pareto.pareto_search import pareto as front_of
from liminal_jax.optimization.pareto.record import (
    front_record,
    merged_certificate,
    merged_record,
)
from liminal_jax.optimization.pareto.separate_fronts import SeparateFront, compared_fronts
from liminal_jax.optimization.search.progress import Progress
from liminal_jax.optimization.search.solution import case_at
from liminal_jax.performance.design import Design
from liminal_jax.results.words import choice_words, quantity, quantity_word
from liminal_jax.study.asked import Bound, Function
from liminal_jax.study.problem import LEAST, Criterion, Limit, Problem, exact_design
from liminal_jax.study.space import Space, with_precision
from liminal_jax.study.write import written

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True)
class ParetoFront:
    """The nondominated designs of a space, from the worst to the best in the first objective.

    Attributes:
        objectives: The objectives.
        values: Value of each objective for each design, in SI.
        chosen: Values of the free variables of each design in SI, and its alternative.
        certificates: What is proven, for each structure of the space.
        reasons: Messages: what is proven, and why.
        fronts: The front of each structure of the space.
        kept: Number of the front of each design, and of its point in it.
    """

    objectives: tuple[Criterion, ...]
    values: Float[np.ndarray, "points objectives"]
    chosen: list[dict[str, float | str]]
    certificates: list[FrontCertificate]
    reasons: list[str]
    fronts: list[FrontAnswer]
    kept: list[tuple[int, int]]

    @cached_property
    def designs(self) -> list[Design]:
        """The designs, at the precision that JAX has when they are first asked for."""
        with jax.enable_x64(True):
            places = zip((row for row, _ in self.kept), self.points, strict=True)
            cases = [case_at(self.fronts[row].problem, it.solution) for row, it in places]
            found = [exact_design(it) for it in cases]
        return [at_precision(it) for it in found]

    @property
    def points(self) -> list[FrontPoint]:
        """The points, in the order of the designs."""
        return [self.fronts[row].points[at] for row, at in self.kept]

    @property
    def knees(self) -> list[int]:
        """Numbers of the points that are knees."""
        return self.fronts[0].knees if len(self.fronts) == 1 else knees(self._scores())

    @property
    def certificate(self) -> FrontCertificate:
        """What is proven of all structures."""
        return merged_certificate(self.certificates)

    @property
    def problem(self) -> Problem:
        """What was asked, of the first structure."""
        return self.fronts[0].problem

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the alternatives of all structures."""
        return tuple(name for it in self.fronts for name in it.problem.categories)

    @cached_property
    def compared(self) -> tuple[list[SeparateFront], list[SeparateFront]]:
        """The fronts of the single alternatives, and of chips that exist.

        Worked out when they are first asked for, which can take as long as the front.
        """
        with jax.enable_x64(True):
            return compared_fronts(self.fronts)

    @property
    def complete(self) -> bool:
        """Whether the proof is complete for every structure."""
        return all(it.complete for it in self.certificates)

    def to_xarray(self) -> "xarray.Dataset":
        """Objectives and free variables over the points."""
        import xarray

        columns = {it.name: self.values[:, axis] for axis, it in enumerate(self.objectives)}
        names = dict.fromkeys(name for it in self.chosen for name in it)
        columns |= {name: [it.get(name, np.nan) for it in self.chosen] for name in names}
        return xarray.Dataset({name: ("point", column) for name, column in columns.items()})

    def to_dict(self) -> dict[str, Any]:
        """The object of `liminal pareto --json`, in SI units and USD.

        It has the fronts of the single alternatives and of existing chips too, which are worked out
        when they are asked for. A space that was written in Python has no file, so `design` of a
        point holds what was free in it, and there are no files of designs.
        """
        kinds, existing = self.compared
        with jax.enable_x64(True):
            if len(self.fronts) == 1:
                return front_record(self.fronts[0], kinds, existing)
            return merged_record(self.fronts, self.kept, self.knees, self.reasons, kinds)

    def _scores(self) -> np.ndarray:
        """Each objective as knees see it, more of which is better."""
        signs = [1.0 if it.maximise else -1.0 for it in self.objectives]
        # The logarithm up to a constant, and defined for functions of any sign too.
        return np.asarray(signs)[:, None] * np.arcsinh(self.values.T / LEAST)

    def _lines(self) -> list[list[str]]:
        heads = [quantity_word(it.name) for it in self.objectives]
        rows = [
            [
                *(
                    quantity(it.name, at, it.unit)
                    for at, it in zip(row, self.objectives, strict=True)
                ),
                ", ".join(choice_words(*it) for it in chosen.items()),
            ]
            for row, chosen in zip(self.values.tolist(), self.chosen, strict=True)
        ]
        return [[*heads, "design"], *rows]

    def __repr__(self) -> str:
        """A line for each point."""
        lines = self._lines()
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        )

    def _repr_html_(self) -> str:
        head, *rows = self._lines()
        cells = [("th", head), *(("td", row) for row in rows)]
        body = "".join(
            f"<tr>{''.join(f'<{tag}>{html.escape(it)}</{tag}>' for it in row)}</tr>"
            for tag, row in cells
        )
        return f"<table>{body}</table>"


def pareto(
    space: Space,
    *,
    maximise: Sequence[str | Function] = (),
    minimise: Sequence[str | Function] = (),
    limits: Iterable[Bound | Function | Limit] = (),
    epsilon: float = 0.0,
    seconds: float = 300.0,
) -> ParetoFront:
    """The nondominated designs of a space, with the proof that none is missing.

    Args:
        space: The designs.
        maximise: Objectives to maximise: names or functions, two or three with those of
            `minimise`.
        minimise: Objectives to minimise.
        limits: `ll.at_most`, `ll.at_least`, or functions g with g(prediction) <= 0.
        epsilon: Above 0 fewer points suffice: every feasible design beats some point by no more
            than this share in any objective.
        seconds: Wall time after which the proof stops, for each structure of the space [s].

    Raises:
        InputError: what is wrong with objectives or limits.
    """
    asked = [(it, True) for it in maximise] + [(it, False) for it in minimise]
    with jax.enable_x64(True):
        problems, criteria = problems_of(with_precision(space), asked, limits)
        return pareto_over(problems, criteria, epsilon, seconds)


def pareto_over(
    problems: Sequence[Problem],
    objectives: Sequence[Criterion],
    epsilon: float,
    seconds: float,
    progress: Progress | None = None,
) -> ParetoFront:
    """The Pareto front of problems that ask the same, each of designs of one structure.

    Args:
        problems: The problems, in float64.
        objectives: Two or three.
        epsilon: Share by which a design may beat its nearest point.
        seconds: Wall time after which the proof of each stops [s].
        progress: Callbacks.
    """
    fronts = [front_of(it, objectives, epsilon, seconds, progress) for it in problems]
    places = [(row, at) for row, front in enumerate(fronts) for at in range(len(front.points))]
    points = [fronts[row].points[at] for row, at in places]
    values = np.asarray([it.objectives for it in points]).reshape(len(points), len(objectives))
    order = list(range(len(points)))
    if len(fronts) > 1:
        signs = np.asarray([1.0 if it.maximise else -1.0 for it in objectives])
        kept = _nondominated(values * signs).tolist()
        order = sorted(kept, key=lambda it: values[it, 0] * signs[0])
    several = sum(len(it.categories) for it in problems) > 1
    return ParetoFront(
        objectives=tuple(objectives),
        values=values[order],
        chosen=[
            _chosen(fronts[places[it][0]].problem, points[it], several=several) for it in order
        ],
        certificates=[it.certificate for it in fronts],
        reasons=_reasons(fronts, len(order)),
        fronts=fronts,
        kept=[places[it] for it in order],
    )


def _reasons(fronts: Sequence[FrontAnswer], kept: int) -> list[str]:
    """What is proven of each structure, and how many of their points are left of all."""
    if len(fronts) == 1:
        return fronts[0].reasons
    found = sum(len(it.points) for it in fronts)
    left = f"{kept:,} of the {found:,} points of {len(fronts)} structures are dominated by no other"
    each = [f"{', '.join(it.problem.categories)}: {told}" for it in fronts for told in it.reasons]
    return [left, *each] if found else each


def _chosen(problem: Problem, point: FrontPoint, *, several: bool) -> dict[str, float | str]:
    name = {problem.region.kind: point.solution.category} if several else {}
    return {**name, **written(point.solution.values)}


def _nondominated(scores: Float[np.ndarray, "points objectives"]) -> np.ndarray:
    """Rows that no other row dominates; more is better."""
    no_worse = np.all(scores[None] >= scores[:, None], axis=2)
    better = np.any(scores[None] > scores[:, None], axis=2)
    return np.flatnonzero(~np.any(no_worse & better, axis=1))
