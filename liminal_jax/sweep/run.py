"""The work of one process: all blocks that it is given, on all its devices, and to the disk.

Two runs are under way at a time, so that devices compute while the host merges or writes. What is
known is put on the disk every few seconds, as a whole; what was under way at a kill is done again.
"""

import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh

from liminal_jax.sweep.goal import Best, Front, Reduction, Rows
from liminal_jax.sweep.histogram import BINS
from liminal_jax.sweep.kernel import Keeper, Reducer, Run, on_all, spread, stacked
from liminal_jax.sweep.plan import GRID, Plan
from liminal_jax.sweep.spans import Spans, covered, united
from liminal_jax.sweep.state import State, write_whole
from liminal_jax.sweep.store import Sink, columns_of

UNDER_WAY = 2
"""Runs that are under way at a time."""

BETWEEN_SAVES = 5.0
"""Seconds after which what is known is put on the disk."""

POINTS_OF_A_RUN = 1 << 20
"""Points that a device evaluates at a time, while nothing comes through: some 20 ms on a core."""

BYTES_OF_A_RUN = 1 << 25
"""Bytes that a device hands over at a time, where all is kept."""

ROOM = 8
"""Blocks in which something came through that a run hands over."""


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


def empty_state(plan: Plan) -> State:
    """What is known before the first block."""
    return State(_reductions(plan), np.zeros((len(plan.asked.histograms), BINS), np.int64))


def _reductions(plan: Plan) -> tuple[Reduction, ...]:
    goals = plan.asked.goals
    if not goals:
        return ()
    kept: list[Reduction] = [Best((0,), Rows.none(1), count=plan.asked.top)]
    if len(goals) > 1:
        kept.append(Front(tuple(range(len(goals))), Rows.none(len(goals))))
    if plan.by:
        kept.append(_by(plan))
    return tuple(kept)


def _by(plan: Plan) -> Best:
    """The best of each category."""
    for names in plan.names:
        if names.path == plan.by:
            bases = tuple(names.choices.index(it[plan.by]) for it in plan.choices)
            return Best((0,), Rows.none(1), bases=bases)
    axis = next(it for it in plan.axes if it.path == plan.by)
    return Best((0,), Rows.none(1), groups=len(axis.values))


def category(plan: Plan) -> int | None:
    """Place of the axis by which categories go within a case."""
    paths = [axis.path for axis in plan.axes]
    return paths.index(plan.by) if plan.by in paths else None


def stretches(spans: Spans, plan: Plan, most: int) -> deque[Stretch]:
    """Runs of blocks as stretches within a piece, none longer than what is evaluated at a time."""
    places, found = plan.points.places, deque[Stretch]()
    for first, last in spans:
        while first < last:
            part, place = divmod(first, places)
            case, piece = divmod(part, plan.points.pieces)
            count = min(last - first, places - place, most)
            found.append(Stretch(case, piece, place, count))
            first += count
    return found


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
        left = stretches(spans, self.plan, self.most())
        while left or self._under_way:
            self._start(left, listener)
            done, rest = self._finished()
            left.extendleft(reversed(rest))
            listener.advanced(sum(map(self._points, done)))
            self._mark(done)
            if time.monotonic() - self._saved > BETWEEN_SAVES:
                while self._under_way:
                    done, rest = self._finished()
                    left.extendleft(reversed(rest))
                    listener.advanced(sum(map(self._points, done)))
                    self._mark(done)
                self.save()
        self.save()

    def save(self) -> None:
        """Put what is known on the disk."""
        self.settle()
        self._save()
        self._saved = time.monotonic()

    def _start(self, left: deque[Stretch], listener: Listener) -> None:
        """Set devices to work, until enough is under way."""
        while left and len(self._under_way) < UNDER_WAY:
            case = left[0].case
            if case != self._case:
                if self._under_way:
                    return
                listener.compiling(self.plan.cases[case].label)
                self._call, self._case = self.compiled(case), case
            group: list[Stretch] = []
            while left and len(group) < self._mesh.size and left[0].case == case:
                group.append(left.popleft())
            self._under_way.append((group, self._called(group)))

    def _called(self, group: list[Stretch]) -> Any:
        points, most = self.plan.points, self.most()
        idle = [Stretch(self._case, 0, 0, 0)] * (self._mesh.size - len(group))
        padded = [*group, *idle]
        run = stacked([(it.piece, it.first, it.blocks) for it in padded])
        given = np.stack([points.given(it.first, most) for it in padded])
        return self.called(self._call, spread(run, self._mesh), spread(given, self._mesh))

    def _finished(self) -> tuple[list[Stretch], list[Stretch]]:
        """Wait for what began first: what was done of it, and what was not."""
        group, answer = self._under_way.popleft()
        counts = self.taken(group, answer)
        pairs = list(zip(group, counts, strict=True))
        done = [it._replace(blocks=count) for it, count in pairs]
        rest = [
            it._replace(first=it.first + count, blocks=it.blocks - count)
            for it, count in pairs
            if count < it.blocks
        ]
        return done, rest

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


class ReducingWorker(Worker):
    """Keeps what the goals ask for."""

    def __init__(self, plan: Plan, state: State, mesh: Mesh, save: Callable[[], None]):
        """See `Worker`."""
        super().__init__(plan, state, mesh, save)
        self._counts = self._no_counts()

    def _no_counts(self) -> Any:
        shape = (self._mesh.size, *self.state.counts.shape)
        return spread(np.zeros(shape, np.int64), self._mesh)

    def most(self) -> int:
        """See `Worker`."""
        return max(1, min(POINTS_OF_A_RUN // self.plan.points.block, self.plan.points.places))

    def compiled(self, case: int) -> Callable[..., Any]:
        """See `Worker`."""
        plan = self.plan
        reducer = Reducer(
            points=plan.points,
            program=plan.cases[case].program(plan.outputs, plan.points.inner),
            goals=plan.asked.goals,
            reductions=self.state.reductions,
            category=category(plan),
            counted=len(plan.asked.histograms),
            blocks=self.most(),
            room=ROOM,
        )
        return on_all(reducer.passed, self._mesh, shared=1)

    def called(self, call: Callable[..., Any], run: Run, given: Any) -> Any:
        """See `Worker`."""
        offset = self._case * self.plan.points.size
        filters = [it.filter(self._case, offset) for it in self.state.reductions]
        passed, self._counts = call(run, given, self._counts, filters)
        return passed

    def taken(self, group: list[Stretch], answer: Any) -> list[int]:
        """See `Worker`."""
        done, blocks = np.asarray(answer.done), np.asarray(answer.blocks)
        self.state.feasible += int(np.asarray(answer.feasible)[: len(group)].sum())
        for device, stretch in enumerate(group):
            if blocks[device]:
                self._take(stretch, _rows_of(answer, device, int(blocks[device])))
        return [int(it) for it in done[: len(group)]]

    def _take(self, stretch: Stretch, rows: list[tuple[int, np.ndarray, np.ndarray]]) -> None:
        points, found = self.plan.points, Rows.none(len(self.plan.asked.goals))
        axis = category(self.plan)
        for place, positions, gains in rows:
            numbers = points.first_index(stretch.piece, place) + positions.astype(np.int64)
            groups = np.zeros(len(positions), np.int64)
            if axis is not None:
                groups = points.indices(np.asarray(numbers))[:, axis].astype(np.int64)
            numbers = numbers + stretch.case * points.size
            found = found.joined(Rows(np.asarray(numbers), gains.T.astype(float), groups))
        for reduction in self.state.reductions:
            base = 0
            if isinstance(reduction, Best) and reduction.bases:
                base = reduction.bases[stretch.case]
            own = found if self._grouped(reduction) else found._replace(groups=found.groups * 0)
            reduction.take(own._replace(groups=own.groups + base))

    @staticmethod
    def _grouped(reduction: Reduction) -> bool:
        return isinstance(reduction, Best) and reduction.groups > 1

    def settle(self) -> None:
        """See `Worker`."""
        if self.state.counts.size:
            self.state.counts = self.state.counts + np.asarray(self._counts).sum(axis=0)
            self._counts = self._no_counts()


def _rows_of(answer: Any, device: int, blocks: int) -> list[tuple[int, np.ndarray, np.ndarray]]:
    """What came through on one device: place of a block, positions in it, and their gains."""
    places, counts = (np.asarray(it)[device] for it in (answer.places, answer.counts))
    most = 1 << max(int(counts[:blocks].max()) - 1, 0).bit_length()
    positions, gains = (_own(it, device) for it in (answer.positions, answer.gains))
    # Only what came through is copied from the device; its length in powers of two, as each
    # length is compiled by itself.
    positions, gains = positions[0, :blocks, :most], gains[0, :blocks, :, :most]
    positions, gains = np.asarray(positions), np.asarray(gains)
    return [
        (int(places[it]), positions[it, : counts[it]], gains[it][:, : counts[it]])
        for it in range(blocks)
    ]


def _own(array: jax.Array, device: int) -> Any:
    """The part of an array on one device; as it lies in memory where that is the host's."""
    part = array.addressable_shards[device].data
    on_host = next(iter(part.devices())).platform == "cpu"
    return np.asarray(part) if on_host else part


class KeepingWorker(Worker):
    """Keeps all numbers of all points."""

    def __init__(self, plan: Plan, state: State, mesh: Mesh, save: Callable[[], None], store: Sink):
        """See `Worker`; and where the numbers go."""
        super().__init__(plan, state, mesh, save)
        self._store = store
        self._writer = ThreadPoolExecutor(1)
        self._writes: deque[Future[None]] = deque()

    def most(self) -> int:
        """See `Worker`."""
        points, columns = self.plan.points, len(columns_of(self.plan))
        block = points.block * columns * points.float_type.itemsize
        return max(1, min(BYTES_OF_A_RUN // block, points.places))

    def compiled(self, case: int) -> Callable[..., Any]:
        """See `Worker`."""
        plan = self.plan
        keeper = Keeper(
            points=plan.points,
            program=plan.cases[case].program(plan.outputs, plan.points.inner),
            inputs=0 if plan.asked.kind == GRID else len(plan.axes),
            kinds=tuple(it.kind for it in columns_of(plan)),
            blocks=self.most(),
        )
        return on_all(keeper.columns, self._mesh, shared=0)

    def called(self, call: Callable[..., Any], run: Run, given: Any) -> Any:
        """See `Worker`."""
        return call(run, given)

    def taken(self, group: list[Stretch], answer: Any) -> list[int]:
        """See `Worker`."""
        jax.block_until_ready(answer)
        while len(self._writes) >= UNDER_WAY:
            self._writes.popleft().result()
        self._writes.append(self._writer.submit(self._write, group, answer))
        return [it.blocks for it in group]

    def _write(self, group: list[Stretch], answer: list[jax.Array]) -> None:
        for device, stretch in enumerate(group):
            for column, array in enumerate(answer):
                blocks = np.asarray(array.addressable_shards[device].data)[0]
                self._write_blocks(stretch, column, blocks[: stretch.blocks])

    def _write_blocks(self, stretch: Stretch, column: int, blocks: np.ndarray) -> None:
        points, (case, piece, first, count) = self.plan.points, stretch
        start = case * points.size
        if points.pieces == 1:
            # Blocks lie one after the other; only the last one of a sample is cut short.
            numbers = blocks.reshape(-1)[: self._points(stretch)]
            self._store.write(column, start + int(points.first_index(piece, first)), numbers)
            return
        for number in range(count):
            length = points.length(piece, first + number)
            place = start + int(points.first_index(piece, first + number))
            self._store.write(column, place, blocks[number, :length])

    def settle(self) -> None:
        """See `Worker`."""
        while self._writes:
            self._writes.popleft().result()
        self._store.settle()


def saver(folder: Path, name: str, state: State) -> Callable[[], None]:
    """Puts a state into a file of a folder."""
    return lambda: write_whole(folder / name, state.packed())


def points_of_blocks(plan: Plan, spans: Spans) -> int:
    """About how many points some blocks have; those past the ends of axes are not counted."""
    blocks = plan.blocks * len(plan.choices)
    return round(plan.size * (covered(spans) / blocks))
