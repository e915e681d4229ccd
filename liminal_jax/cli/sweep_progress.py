"""Progress of a sweep on standard error: points done, rate, time left."""

import time
from types import TracebackType

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from typing_extensions import override

from liminal_jax._display import with_prefix
from liminal_jax.sweeps.run import SweepProgress
from liminal_jax.view.console import messages

FIRST_LINE = 5.0
"""Seconds before the first line in a pipe; later lines follow each time they have doubled."""


class SweepBar(SweepProgress):
    """Progress of a sweep: a bar on a terminal, lines at doubling times in a pipe."""

    def __init__(self) -> None:
        self._console = messages()
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>5.1f} %  {task.fields[rate]}"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task: TaskID | None = None
        self._done, self._total = 0, 0
        self._start, self._next = time.monotonic(), FIRST_LINE

    def __enter__(self) -> "SweepBar":
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

    @property
    def seconds(self) -> float:
        """Seconds since the first block started."""
        return time.monotonic() - self._start

    @property
    def done(self) -> int:
        """Points done since then by this process."""
        return self._done

    @override
    def began(self, points: int, before: int) -> None:
        if before:
            self._console.print(f"resumed: {before:,} points were done before")
        self._total = points
        self._task = self._bar.add_task("sweeping", total=points, rate="")
        self._start = time.monotonic()

    @override
    def compiling(self, label: str) -> None:
        if self._task is not None:
            self._bar.update(self._task, description=label)
        if not self._console.is_terminal:
            self._console.print(f"compiling {label}")

    @override
    def advanced(self, points: int) -> None:
        self._done += points
        seconds = max(self.seconds, 1e-9)
        rate = f"{with_prefix(self._done / seconds, '')} points/s"
        if self._task is not None:
            self._bar.update(self._task, completed=self._done, rate=rate)
        if not self._console.is_terminal and seconds >= self._next:
            share = self._done / max(self._total, 1)
            left = seconds * (1 / share - 1) if share else float("inf")
            self._console.print(
                f"  {seconds:.0f} s: {self._done:,} points, {share:.1%}, {rate}, {left:.0f} s left"
            )
            self._next = 2 * seconds
