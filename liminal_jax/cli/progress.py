"""Progress of a search on standard error: a bar on a terminal, a line for each stage in a pipe."""

import math
from types import TracebackType

from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from typing_extensions import override

from liminal_jax.optimization.search.branch_and_bound import Statistics
from liminal_jax.optimization.search.progress import Progress as Listener
from liminal_jax.view.console import messages

LINES = 10
"""Lines at most that a stage of many steps writes in a pipe."""

FIRST_LINE = 2.0
"""Seconds before the first line of a proof in a pipe."""


class ProgressBar(Listener):
    """Progress of a search, stage by stage."""

    def __init__(self) -> None:
        console = messages()
        self._console = console
        self._task: TaskID | None = None
        self._next = FIRST_LINE
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> "ProgressBar":
        """Start the bar."""
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Clear the bar."""
        self._bar.stop()

    @override
    def stage(self, name: str, total: int | None = None) -> None:
        if not self._console.is_terminal:
            self._console.print(name if total is None else f"{name}: {total:,} designs")
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(name, total=total, note="")
        self._next = FIRST_LINE

    @override
    def step(self, done: int, total: int, found: str = "") -> None:
        if self._task is not None:
            self._bar.update(self._task, completed=done, total=total, note=found)
        tenths = (done * LINES // total, (done - 1) * LINES // total)
        if not self._console.is_terminal and tenths[0] > tenths[1]:
            self._console.print(f"  {done:,} of {total:,}{': ' * bool(found)}{found}")

    @override
    def proven(self, statistics: Statistics, best: float | None, seconds: float) -> None:
        self._proof(statistics, "no design yet" if best is None else f"best {best:.6g}", seconds)

    @override
    def swept(self, statistics: Statistics, points: int, seconds: float) -> None:
        self._proof(statistics, f"{points:,} points" if points else "no design yet", seconds)

    def _proof(self, statistics: Statistics, known: str, seconds: float) -> None:
        gap = math.expm1(min(statistics.open_margin, 1.0))
        left = (
            "nothing left" if statistics.complete else f"gap {gap:.2%}" if gap < 1 else "gap open"
        )
        note = f"{statistics.boxes:,} boxes, {known}, {left}"
        if self._task is not None:
            self._bar.update(self._task, completed=statistics.designs, note=note)
        if not self._console.is_terminal and seconds >= self._next:
            self._console.print(
                f"  {seconds:.0f} s: {statistics.designs:.3g} designs covered, {note}"
            )
            self._next = 2 * seconds
