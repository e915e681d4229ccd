"""The Pareto front of a space, from Python."""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from jaxtyping import Float

from liminal_jax._display import in_units
from liminal_jax.optimization.optimum import at_precision, problems_of
from liminal_jax.optimization.pareto.pareto_search import FrontAnswer, FrontCertificate
from liminal_jax.optimization.pareto.pareto_search import pareto as front_of
from liminal_jax.optimization.pareto.record import front_record, merged_record
from liminal_jax.optimization.pareto.separate_fronts import compared_fronts
from liminal_jax.optimization.search.solution import case_at
from liminal_jax.performance.design import Design
from liminal_jax.study.asked import Bound, Function
from liminal_jax.study.problem import LEAST, Criterion, Limit, exact_design
from liminal_jax.study.space import Space, with_precision
from liminal_jax.study.write import written

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True)
class ParetoFront:
    """The nondominated designs of a space, from the worst to the best in the first objective.

    Attributes:
        objectives: The objectives.
        designs: The designs.
        values: Value of each objective for each design, in SI.
        chosen: Values of the free variables of each design in SI, and its alternative.
        certificates: What is proven, for each structure of the space.
        reasons: Messages: what is proven, and why.
        fronts: The front of each structure of the space.
        kept: Number of the front of each design, and of its point in it.
    """

    objectives: tuple[Criterion, ...]
    designs: list[Design]
    values: Float[np.ndarray, "points objectives"]
    chosen: list[dict[str, float | str]]
    certificates: list[FrontCertificate]
    reasons: list[str]
    fronts: list[FrontAnswer]
    kept: list[tuple[int, int]]

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
        with jax.enable_x64(True):
            if len(self.fronts) == 1:
                (front,) = self.fronts
                return front_record(front, *compared_fronts(front))
            return merged_record(self.fronts, self.kept, self._scores())

    def _scores(self) -> np.ndarray:
        """Each objective as knees see it, more of which is better."""
        signs = [1.0 if it.maximise else -1.0 for it in self.objectives]
        # The logarithm up to a constant, and defined for functions of any sign too.
        return np.asarray(signs)[:, None] * np.arcsinh(self.values.T / LEAST)

    def _lines(self) -> list[list[str]]:
        heads = [it.name for it in self.objectives]
        rows = [
            [
                *(in_units(at, it.unit) for at, it in zip(row, self.objectives, strict=True)),
                ", ".join(f"{name} {_short(value)}" for name, value in chosen.items()),
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


def _short(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


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
        fronts = [front_of(it, criteria, epsilon, seconds) for it in problems]
        several = len(space.names) > 1
        points = [
            (point.objectives, _chosen(front, number, several=several), design, (row, number))
            for row, front in enumerate(fronts)
            for number, (point, design) in enumerate(
                zip(front.points, _designs(front), strict=True)
            )
        ]
    values = np.asarray([it[0] for it in points]).reshape(len(points), len(criteria))
    signs = np.asarray([1.0 if it.maximise else -1.0 for it in criteria])
    kept = _nondominated(values * signs) if len(fronts) > 1 else np.arange(len(points))
    order = sorted(kept.tolist(), key=lambda it: values[it, 0] * signs[0])
    return ParetoFront(
        objectives=tuple(criteria),
        designs=[at_precision(points[it][2]) for it in order],
        values=values[order],
        chosen=[points[it][1] for it in order],
        certificates=[it.certificate for it in fronts],
        reasons=[reason for it in fronts for reason in it.reasons],
        fronts=fronts,
        kept=[points[it][3] for it in order],
    )


def _chosen(front: FrontAnswer, number: int, *, several: bool) -> dict[str, float | str]:
    solution = front.points[number].solution
    name = {front.problem.region.kind: solution.category} if several else {}
    return {**name, **written(solution.values)}


def _designs(front: FrontAnswer) -> list[Design]:
    return [exact_design(case_at(front.problem, it.solution)) for it in front.points]


def _nondominated(scores: Float[np.ndarray, "points objectives"]) -> np.ndarray:
    """Rows that no other row dominates; more is better."""
    no_worse = np.all(scores[None] >= scores[:, None], axis=2)
    better = np.any(scores[None] > scores[:, None], axis=2)
    return np.flatnonzero(~np.any(no_worse & better, axis=1))
