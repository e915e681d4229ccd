"""What numbers are worth on one screen: prices first, then numbers, then how the design moves."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from liminal_jax._display import per_cent, plain
from liminal_jax.optimization.sensitivity.analysis import SensitivityAnalysis
from liminal_jax.optimization.sensitivity.tornado import Bar, End
from liminal_jax.study.quantities import QUANTITIES
from liminal_jax.view.answer import asked, quantity, section, words
from liminal_jax.view.sensitivity_words import label, limit_amount, price_sentence, variable

_MOST_MOVES = 6
_FELT = 0.05
"""Per cent of a variable for one per cent of a number below which the move is not told."""


def sensitivity_view(found: SensitivityAnalysis, top: int, folder: str) -> RenderableType:
    """The screen that `liminal sensitivity` prints.

    Args:
        found: What numbers are worth.
        top: How many numbers are shown.
        folder: Folder of the run.
    """
    problem = found.problem
    heading = asked(problem)
    if found.relaxed is None:
        failed = Text("nothing can be told of what numbers are worth", style="bold")
        reasons = (Text(f"  {it}") for it in found.reasons)
        return Group(heading, "", failed, *reasons, "", Text(_footer(found, folder)))
    unit = QUANTITIES[problem.asked].unit
    proven, freed = (
        f"{problem.asked} {quantity(problem.asked, it.objective, unit)} with"
        f" {words(it.solution.values)}"
        for it in (found.best, found.relaxed)
    )
    change = f"{plain(100 * found.change)} %"
    parts: list[RenderableType] = [
        heading,
        "",
        Text.assemble(
            ("best design: ", "bold"), f"{found.best.solution.category}, {problem.asked} {proven}"
        ),
        Text.assemble(("with its sizes free: ", "bold"), f"{problem.asked} {freed}"),
        *(Text(f"  {it}") for it in found.reasons),
        section("what limits are worth", _prices(found)),
        section(
            f"what numbers are worth, solved again with {change} less and more",
            _bars(found, found.relaxed.objective, top),
        ),
        section("how the sizes move when a number grows by 1 %", _moves(found)),
        "",
        Text(_footer(found, folder)),
    ]
    return Group(*parts)


def _footer(found: SensitivityAnalysis, folder: str) -> str:
    stages = ", ".join(f"{name} {value:.1f}" for name, value in found.seconds.items())
    return f"{sum(found.seconds.values()):.1f} s ({stages}); written to {folder}"


def _prices(found: SensitivityAnalysis) -> Group:
    return Group(*(price_sentence(found.problem, it) for it in found.shadow_prices))


def _bars(found: SensitivityAnalysis, base: float, top: int) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("number", overflow="fold")
    table.add_column("value", no_wrap=True, justify="right")
    for heading in ("1 % more", "less", "more"):
        table.add_column(heading, no_wrap=True, justify="right")
    table.add_column("on the way", overflow="fold")
    elasticities = {it.parameter: it.elasticity for it in found.elasticities}
    for bar in found.bars[:top]:
        table.add_row(
            label(found.problem, bar.parameter, found.best.solution.category),
            limit_amount(bar.parameter, bar.value, bar.unit),
            f"{elasticities.get(bar.parameter, 0.0):+.2f} %",
            _end(base, bar.low),
            _end(base, bar.high),
            _notes(bar),
        )
    return table


def _end(base: float, end: End) -> str:
    if end.objective is None:
        return "none"
    return per_cent(end.objective / base - 1, signed=True)


def _notes(bar: Bar) -> str:
    sides = (("less", bar.low), ("more", bar.high))
    return "; ".join(f"{side}: {it}" for side, end in sides for it in end.active_set_changes)


def _moves(found: SensitivityAnalysis) -> Group:
    lines = []
    for it in found.elasticities[:_MOST_MOVES]:
        moved = found.moves.get(it.parameter, {})
        rows = sorted(
            ((name, by) for name, by in moved.items() if by is not None and abs(by) >= _FELT),
            key=lambda row: -abs(row[1]),
        )
        told = ", ".join(f"{variable(name)} {by:+.2f} %" for name, by in rows)
        head = label(found.problem, it.parameter, found.best.solution.category)
        lines.append(Text.assemble((head, "bold"), f": {told or 'nothing moves'}"))
    return Group(*lines)
