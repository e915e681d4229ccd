"""A front on one screen: what was asked, the designs in a table, and what is proven."""

from collections.abc import Sequence
from string import ascii_uppercase

import numpy as np
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from liminal_jax._display import plain
from liminal_jax.mapping.attention import attention_name
from liminal_jax.optimization.pareto.pareto_search import FrontAnswer, FrontPoint
from liminal_jax.optimization.pareto.record import file_name
from liminal_jax.study.problem import Criterion
from liminal_jax.study.quantities import QUANTITIES
from liminal_jax.view.answer import asked, section

MOST_ROWS = 20
"""Points that a screen shows, knees apart; the files hold all."""

_COLUMNS = {
    "stacks": ("stacks", 1.0),
    "dies": ("dies", 1.0),
    "compute_area": ("cores\n[mm2]", 1e6),
    "sram": ("SRAM\n[MB]", 1e-6),
    "link_bandwidth": ("links\n[GB/s]", 1e-9),
    "tier_units": ("tier\nunits", 1.0),
    "domain": ("domain", 1.0),
    "chips": ("chips", 1.0),
    "clock": ("clock", 1.0),
    "tp": ("TP", 1.0),
    "cp": ("CP", 1.0),
    "pp": ("PP", 1.0),
    "ep": ("EP", 1.0),
    "attention": ("attention", 1.0),
    "attention_ranks": ("attention\nranks", 1.0),
    "shared_expert_ranks": ("shared\nexpert ranks", 1.0),
    "batch": ("batch", 1.0),
}
"""Heading of each variable, and what its value in SI is multiplied by."""

_UNITS = {"USD": ("USD", 1.0), "W": ("kW", 1e-3), "m2": ("mm2", 1e6), "s": ("ms", 1e3)}
"""Units in which tables and axes show quantities; others as they are."""


def shown_unit(name: str) -> tuple[str, float]:
    """The unit in which a quantity is shown, and what its value in SI is multiplied by.

    Examples:
        >>> shown_unit("power")
        ('kW', 0.001)
    """
    unit = QUANTITIES[name].unit
    return _UNITS.get(unit, (unit, 1.0))


def _shown(variable: str, value: float) -> str:
    if variable == "attention":
        return attention_name(value)
    return plain(value * _COLUMNS[variable][1], 4)


def thinned(points: Sequence[FrontPoint], most: int) -> list[int]:
    """Numbers of some points, spread evenly over the logarithm of the first objective."""
    if len(points) <= most:
        return list(range(len(points)))
    places = np.log([it.objectives[0] for it in points])
    wanted = np.linspace(places[0], places[-1], most)
    return sorted({int(np.argmin(np.abs(places - it))) for it in wanted})


def knee_letters(answer: FrontAnswer) -> dict[int, str]:
    """Numbers of the points that are knees, and the letter of each."""
    return dict(zip(answer.knees, ascii_uppercase, strict=False))


def _heading(objective: Criterion) -> str:
    """The words of a quantity, apart so that they may wrap, and its unit."""
    unit, _ = shown_unit(objective.name)
    words = objective.name.replace("_", " ")
    return f"{words}\n[{unit}]" if unit else words


def _table(answer: FrontAnswer, rows: list[int]) -> Table:
    variables = [it.name for it in answer.problem.variables]
    letters = knee_letters(answer)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("point", justify="right")
    for objective in answer.objectives:
        table.add_column(_heading(objective), justify="right", style="bold")
    table.add_column(answer.problem.region.kind, no_wrap=True)
    for name in variables:
        table.add_column(_COLUMNS[name][0], justify="right")
    table.add_column("")
    for row in rows:
        point = answer.points[row]
        table.add_row(
            str(row + 1),
            *(
                plain(value * shown_unit(objective.name)[1], 4)
                for value, objective in zip(point.objectives, answer.objectives, strict=True)
            ),
            point.solution.category,
            *(_shown(name, point.solution.values[name]) for name in variables),
            f"knee {letters[row]}" if row in letters else "",
        )
    return table


def _points(answer: FrontAnswer) -> Group:
    rows = sorted({*thinned(answer.points, MOST_ROWS), *answer.knees})
    parts: list[RenderableType] = [_table(answer, rows)]
    if len(rows) < len(answer.points):
        left = f"{len(rows)} of {len(answer.points):,} points; the files of the run hold all"
        parts += ["", Text(left)]
    return Group(*parts)


def front_view(answer: FrontAnswer, folder: str) -> RenderableType:
    """The screen that `liminal pareto` prints."""
    parts: list[RenderableType] = [asked(answer.problem, *answer.objectives), ""]
    done = f"{answer.seconds:.1f} s; written to {folder}"
    if not answer.feasible:
        verdict = (
            "no design meets every limit"
            if answer.certificate.complete
            else "no design was found that meets every limit"
        )
        parts.append(Text(verdict, style="bold"))
        parts += [Padding(sentence, (0, 0, 0, 2)) for sentence in answer.reasons]
        return Group(*parts, "", Text(done))
    parts.append(_points(answer))
    parts.append(section("certificate", Group(*map(Text, answer.reasons))))
    first = answer.knees[0] if answer.knees else 0
    parts += ["", Text(done), Text(f"next: liminal predict -c {folder}/{file_name(first)}")]
    return Group(*parts)
