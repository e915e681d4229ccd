"""The work of one process: its blocks, on all its devices, and the state on the disk.

Two runs are in flight at a time, so that devices compute while the host merges or writes. The state
is saved every few seconds; runs that were in flight at a kill are repeated.
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

from liminal_jax.sweeps.checkpoint import State, write_whole
from liminal_jax.sweeps.intervals import Intervals, covered, union
from liminal_jax.sweeps.kernel import Run, spread, stacked
from liminal_jax.sweeps.plan import Plan

UNDER_WAY = 2
"""Runs in flight at a time."""

BETWEEN_SAVES = 5.0
"""Seconds between two saves of the state."""


class SweepProgress:
    """Callbacks of a sweep; these do nothing."""

    def began(self, points: int, before: int) -> None:
        """The sweep starts: points that this process will evaluate, and points done before."""

    def compiling(self, label: str) -> None:
        """A case starts, and its program is compiled."""

    def advanced(self, points: int) -> None:
        """Further points are done."""


class BlockRange(NamedTuple):
    """A range of blocks of one piece of one case."""

    case: int
    piece: int
    first: int
    blocks: int


def devices() -> Mesh:
    """All devices of this process."""
    return Mesh(np.array(jax.local_devices()), ("devices",))


def block_ranges(intervals: Intervals, plan: Plan, most: int) -> Iterator[BlockRange]:
    """Intervals of blocks as ranges within a piece, none longer than a run."""
    places = plan.points.places
    for first, last in intervals:
        while first < last:
            part, place = divmod(first, places)
            case, piece = divmod(part, plan.points.pieces)
            count = min(last - first, places - place, most)
            yield BlockRange(case, piece, place, count)
            first += count


class BlockQueue:
    """A queue of block ranges: made lazily, and put back where they were not done."""

    def __init__(self, upcoming: Iterator[BlockRange]):
        self._upcoming = upcoming
        self._returned: deque[BlockRange] = deque()

    def next(self) -> BlockRange | None:
        """The next range, which stays in the queue."""
        if not self._returned:
            self._returned.extend(itertools.islice(self._upcoming, 1))
        return self._returned[0] if self._returned else None

    def taken(self, case: int, most: int) -> list[BlockRange]:
        """The next ranges of a case, removed from the queue."""
        group: list[BlockRange] = []
        while (
            len(group) < most
            and (block_range := self.next()) is not None
            and block_range.case == case
        ):
            group.append(self._returned.popleft())
        return group

    def put_back(self, block_ranges: Sequence[BlockRange]) -> None:
        """Put ranges back at the front."""
        self._returned.extendleft(reversed(block_ranges))


def _not_compiled(*_: Any) -> Any:
    raise RuntimeError("no case has begun")


class Worker(ABC):
    """Evaluates blocks.

    Attributes:
        plan: The plan.
        state: The state.
    """

    def __init__(self, plan: Plan, state: State, mesh: Mesh, save: Callable[[], None]):
        """Set up, with nothing in flight.

        Args:
            plan: The plan.
            state: The state; updated in place.
            mesh: The devices.
            save: Saves the state.
        """
        self.plan, self.state = plan, state
        self._mesh, self._save = mesh, save
        self._case = -1
        self._call: Callable[..., Any] = _not_compiled
        self._under_way: deque[tuple[list[BlockRange], Any]] = deque()
        self._saved = time.monotonic()

    def work(self, intervals: Intervals, progress: SweepProgress) -> None:
        """Evaluate some blocks.

        Raises:
            OSError: the disk is full, or the folder gone.
        """
        left = BlockQueue(block_ranges(intervals, self.plan, self.most()))
        while left.next() is not None or self._under_way:
            self._start(left, progress)
            self._finish(left, progress)
            if time.monotonic() - self._saved > BETWEEN_SAVES:
                while self._under_way:
                    self._finish(left, progress)
                self.save()
        self.save()

    def save(self) -> None:
        """Save the state."""
        self.flush()
        self._save()
        self._saved = time.monotonic()

    def _start(self, left: BlockQueue, progress: SweepProgress) -> None:
        """Dispatch runs until enough are in flight."""
        while len(self._under_way) < UNDER_WAY and (block_range := left.next()) is not None:
            if block_range.case != self._case:
                if self._under_way:
                    return
                progress.compiling(self.plan.cases[block_range.case].label)
                self._call, self._case = self.compiled(block_range.case), block_range.case
            group = left.taken(self._case, self._mesh.size)
            self._under_way.append((group, self._called(group)))

    def _called(self, group: list[BlockRange]) -> Any:
        points, most = self.plan.points, self.most()
        idle = [BlockRange(self._case, 0, 0, 0)] * (self._mesh.size - len(group))
        padded = [*group, *idle]
        run = stacked([(it.piece, it.first, it.blocks) for it in padded])
        given = np.stack([points.given(it.first, most) for it in padded])
        return self.called(self._call, spread(run, self._mesh), spread(given, self._mesh))

    def _finish(self, left: BlockQueue, progress: SweepProgress) -> None:
        """Wait for the oldest run, and put back the blocks of it that were not done."""
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
        progress.advanced(sum(map(self._points, done)))
        self._mark(done)

    def _mark(self, done: Sequence[BlockRange]) -> None:
        intervals = [(self._block(it), self._block(it) + it.blocks) for it in done]
        self.state.done = union([*self.state.done, *intervals])

    def _block(self, block_range: BlockRange) -> int:
        points = self.plan.points
        return (
            block_range.case * points.pieces + block_range.piece
        ) * points.places + block_range.first

    def _points(self, block_range: BlockRange) -> int:
        """Number of points of a range; all blocks but the last of a sample are equally long."""
        points, (_, piece, first, count) = self.plan.points, block_range
        if not count:
            return 0
        last = points.length(piece, first + count - 1)
        return (count - 1) * points.length(piece, first) + last

    @abstractmethod
    def most(self) -> int:
        """Largest number of blocks of a run."""

    @abstractmethod
    def compiled(self, case: int) -> Callable[..., Any]:
        """The compiled kernel of a case."""

    @abstractmethod
    def called(self, call: Callable[..., Any], run: Run, given: Any) -> Any:
        """Dispatch one run on each device."""

    @abstractmethod
    def taken(self, group: list[BlockRange], answer: Any) -> list[int]:
        """Merge the results of a run; returns the number of blocks done of each range."""

    @abstractmethod
    def flush(self) -> None:
        """Complete the state of the blocks that are done."""


def saver(folder: Path, name: str, state: State) -> Callable[[], None]:
    """A function that saves a state to a file of a folder."""
    return lambda: write_whole(folder / name, state.packed())


def points_of_blocks(plan: Plan, intervals: Intervals) -> int:
    """Approximate number of points of some blocks, without those past the ends of axes."""
    blocks = plan.blocks * len(plan.choices)
    return round(plan.size * (covered(intervals) / blocks))
