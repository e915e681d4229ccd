"""The work of one process: all blocks that it is given, on all its devices, and to the disk.

Two runs are under way at a time, so that devices compute while the host merges or writes. What is
known is put on the disk every few seconds, as a whole; what was under way at a kill is done again.
"""

import itertools
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh

from liminal_jax.sweeps.kernel import Run, spread, stacked
from liminal_jax.sweeps.plan import Plan
from liminal_jax.sweeps.spans import Spans, covered, united
from liminal_jax.sweeps.state import State, write_whole

UNDER_WAY = 2
"""Runs that are under way at a time."""

BETWEEN_SAVES = 5.0
"""Seconds after which what is known is put on the disk."""


class Listener:
    """Told how a sweep goes; by default it says nothing."""

    def began(self, points: int, before: int) -> None:
        """So many points are to be done by this process, and so many were before."""

    def compiling(self, label: str) -> None:
        """A case begins, and its computation is compiled."""

    def advanced(self, points: int) -> None:
        """So many more points are done."""


class Stretch(NamedTuple):
    """Blocks of one piece of one case."""

    case: int
    piece: int
    first: int
    blocks: int


def devices() -> Mesh:
    """All devices of this process."""
    return Mesh(np.array(jax.local_devices()), ("devices",))


def stretches(spans: Spans, plan: Plan, most: int) -> Iterator[Stretch]:
    """Runs of blocks as stretches within a piece, none longer than what is evaluated at a time."""
    places = plan.points.places
    for first, last in spans:
        while first < last:
            part, place = divmod(first, places)
            case, piece = divmod(part, plan.points.pieces)
            count = min(last - first, places - place, most)
            yield Stretch(case, piece, place, count)
            first += count


class Left:
    """What is left to do: made as it is taken, and taken back where it was not done."""

    def __init__(self, upcoming: Iterator[Stretch]):
        self._upcoming = upcoming
        self._returned: deque[Stretch] = deque()

    def next(self) -> Stretch | None:
        """What comes next; it stays."""
        if not self._returned:
            self._returned.extend(itertools.islice(self._upcoming, 1))
        return self._returned[0] if self._returned else None

    def taken(self, case: int, most: int) -> list[Stretch]:
        """The next few of a case."""
        group: list[Stretch] = []
        while len(group) < most and (stretch := self.next()) is not None and stretch.case == case:
            group.append(self._returned.popleft())
        return group

    def put_back(self, stretches: Sequence[Stretch]) -> None:
        """What was not done comes first."""
        self._returned.extendleft(reversed(stretches))


def _not_compiled(*_: Any) -> Any:
    raise RuntimeError("no case has begun")


class Worker(ABC):
    """Does blocks.

    Attributes:
        plan: The sweep.
        state: What is known.
    """

    def __init__(self, plan: Plan, state: State, mesh: Mesh, save: Callable[[], None]):
        """Begin with nothing under way.

        Args:
            plan: The sweep.
            state: What is known; it grows.
            mesh: The devices.
            save: Puts the state on the disk.
        """
        self.plan, self.state = plan, state
        self._mesh, self._save = mesh, save
        self._case = -1
        self._call: Callable[..., Any] = _not_compiled
        self._under_way: deque[tuple[list[Stretch], Any]] = deque()
        self._saved = time.monotonic()

    def work(self, spans: Spans, listener: Listener) -> None:
        """Do some blocks.

        Raises:
            OSError: the disk is full, or the folder gone.
        """
        left = Left(stretches(spans, self.plan, self.most()))
        while left.next() is not None or self._under_way:
            self._start(left, listener)
            self._finish(left, listener)
            if time.monotonic() - self._saved > BETWEEN_SAVES:
                while self._under_way:
                    self._finish(left, listener)
                self.save()
        self.save()

    def save(self) -> None:
        """Put what is known on the disk."""
        self.settle()
        self._save()
        self._saved = time.monotonic()

    def _start(self, left: Left, listener: Listener) -> None:
        """Set devices to work, until enough is under way."""
        while len(self._under_way) < UNDER_WAY and (stretch := left.next()) is not None:
            if stretch.case != self._case:
                if self._under_way:
                    return
                listener.compiling(self.plan.cases[stretch.case].label)
                self._call, self._case = self.compiled(stretch.case), stretch.case
            group = left.taken(self._case, self._mesh.size)
            self._under_way.append((group, self._called(group)))

    def _called(self, group: list[Stretch]) -> Any:
        points, most = self.plan.points, self.most()
        idle = [Stretch(self._case, 0, 0, 0)] * (self._mesh.size - len(group))
        padded = [*group, *idle]
        run = stacked([(it.piece, it.first, it.blocks) for it in padded])
        given = np.stack([points.given(it.first, most) for it in padded])
        return self.called(self._call, spread(run, self._mesh), spread(given, self._mesh))

    def _finish(self, left: Left, listener: Listener) -> None:
        """Wait for what began first, and take back what was not done of it."""
        group, answer = self._under_way.popleft()
        pairs = list(zip(group, self.taken(group, answer), strict=True))
        done = [it._replace(blocks=count) for it, count in pairs]
        left.put_back(
            [
                it._replace(first=it.first + count, blocks=it.blocks - count)
                for it, count in pairs
                if count < it.blocks
            ]
        )
        listener.advanced(sum(map(self._points, done)))
        self._mark(done)

    def _mark(self, done: Sequence[Stretch]) -> None:
        spans = [(self._block(it), self._block(it) + it.blocks) for it in done]
        self.state.done = united([*self.state.done, *spans])

    def _block(self, stretch: Stretch) -> int:
        points = self.plan.points
        return (stretch.case * points.pieces + stretch.piece) * points.places + stretch.first

    def _points(self, stretch: Stretch) -> int:
        """Points of a stretch; its blocks are alike but for the last one of a sample."""
        points, (_, piece, first, count) = self.plan.points, stretch
        if not count:
            return 0
        last = points.length(piece, first + count - 1)
        return (count - 1) * points.length(piece, first) + last

    @abstractmethod
    def most(self) -> int:
        """Blocks of a run at most."""

    @abstractmethod
    def compiled(self, case: int) -> Callable[..., Any]:
        """What devices do in a case."""

    @abstractmethod
    def called(self, call: Callable[..., Any], run: Run, given: Any) -> Any:
        """Set devices to work on a run each."""

    @abstractmethod
    def taken(self, group: list[Stretch], answer: Any) -> list[int]:
        """Take what devices found, and say how many blocks of each stretch they have done."""

    @abstractmethod
    def settle(self) -> None:
        """Bring together what is known of the blocks that are done."""


def saver(folder: Path, name: str, state: State) -> Callable[[], None]:
    """Puts a state into a file of a folder."""
    return lambda: write_whole(folder / name, state.packed())


def points_of_blocks(plan: Plan, spans: Spans) -> int:
    """About how many points some blocks have; those past the ends of axes are not counted."""
    blocks = plan.blocks * len(plan.choices)
    return round(plan.size * (covered(spans) / blocks))
