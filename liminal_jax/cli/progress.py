"""Progress of a search on standard error: a bar on a terminal, a line for each stage in a pipe."""

from types import TracebackType

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from liminal_jax.design.search import Progress as Listener
from liminal_jax.view.console import messages


class ProgressBar(Listener):
    """Shows the stages of a search."""

    def __init__(self) -> None:
        console = messages()
        self._console = console
        self._task: TaskID | None = None
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> "ProgressBar":
        """Begin to show."""
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Clear what was shown."""
        self._bar.stop()

    def stage(self, name: str, total: int | None = None) -> None:
        """See `Listener`."""
        if not self._console.is_terminal:
            self._console.print(name if total is None else f"{name}: {total:,} designs")
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(name, total=total)

    def advance(self, designs: int) -> None:
        """See `Listener`."""
        if self._task is not None:
            self._bar.advance(self._task, designs)
