"""The worker of a sweep that reduces: filters on devices, exact merging on the host."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh
from typing_extensions import override

from liminal_jax.sweeps.checkpoint import State
from liminal_jax.sweeps.goal import Best, ParetoFront, Reduction, Rows
from liminal_jax.sweeps.histogram import BINS
from liminal_jax.sweeps.kernel import Reducer, Run, on_all, spread
from liminal_jax.sweeps.plan import Plan
from liminal_jax.sweeps.run import BlockRange, Worker

POINTS_OF_A_RUN = 1 << 20
"""Points of one run on a device, while none is selected: some 20 ms on a core."""

ROOM = 8
"""Blocks with selected points that a run can return."""


def empty_state(plan: Plan) -> State:
    """The state before the first block."""
    return State(_reductions(plan), np.zeros((len(plan.spec.histograms), BINS), np.int64))


def _reductions(plan: Plan) -> tuple[Reduction, ...]:
    goals = plan.spec.goals
    if not goals:
        return ()
    kept: list[Reduction] = [Best((0,), Rows.none(1), count=plan.spec.top)]
    if len(goals) > 1:
        kept.append(ParetoFront(tuple(range(len(goals))), Rows.none(len(goals))))
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
    """Index of the axis whose values are the categories within a case."""
    paths = [axis.path for axis in plan.axes]
    return paths.index(plan.by) if plan.by in paths else None


class ReducingWorker(Worker):
    """Evaluates and reduces blocks."""

    @override
    def __init__(self, plan: Plan, state: State, mesh: Mesh, save: Callable[[], None]):
        super().__init__(plan, state, mesh, save)
        self._counts = self._no_counts()

    def _no_counts(self) -> Any:
        shape = (self._mesh.size, *self.state.counts.shape)
        return spread(np.zeros(shape, np.int64), self._mesh)

    @override
    def most(self) -> int:
        return max(1, min(POINTS_OF_A_RUN // self.plan.points.block, self.plan.points.places))

    @override
    def compiled(self, case: int) -> Callable[..., Any]:
        plan = self.plan
        reducer = Reducer(
            points=plan.points,
            program=plan.programs[case],
            goals=plan.spec.goals,
            reductions=self.state.reductions,
            category=category(plan),
            counted=len(plan.spec.histograms),
            room=ROOM,
        )
        return on_all(reducer.passed, self._mesh, shared=1)

    @override
    def called(self, call: Callable[..., Any], run: Run, given: Any) -> Any:
        offset = self._case * self.plan.points.size
        filters = [it.filter(self._case, offset) for it in self.state.reductions]
        passed, self._counts = call(run, given, self._counts, filters)
        return passed

    @override
    def taken(self, group: list[BlockRange], answer: Any) -> list[int]:
        done, blocks = np.asarray(answer.done), np.asarray(answer.blocks)
        self.state.feasible += int(np.asarray(answer.feasible)[: len(group)].sum())
        for device, block_range in enumerate(group):
            if blocks[device]:
                self._take(block_range, _rows_of(answer, device, int(blocks[device])))
        return [int(it) for it in done[: len(group)]]

    def _take(
        self, block_range: BlockRange, rows: list[tuple[int, np.ndarray, np.ndarray]]
    ) -> None:
        points, found = self.plan.points, Rows.none(len(self.plan.spec.goals))
        axis = category(self.plan)
        for place, positions, scores in rows:
            numbers = points.first_index(block_range.piece, place) + positions.astype(np.int64)
            groups = np.zeros(len(positions), np.int64)
            if axis is not None:
                groups = points.indices(np.asarray(numbers))[:, axis].astype(np.int64)
            numbers = numbers + block_range.case * points.size
            found = found.joined(Rows(np.asarray(numbers), scores.T.astype(float), groups))
        for reduction in self.state.reductions:
            base = 0
            if isinstance(reduction, Best) and reduction.bases:
                base = reduction.bases[block_range.case]
            own = found if self._grouped(reduction) else found._replace(groups=found.groups * 0)
            reduction.take(own._replace(groups=own.groups + base))

    @staticmethod
    def _grouped(reduction: Reduction) -> bool:
        return isinstance(reduction, Best) and reduction.groups > 1

    @override
    def flush(self) -> None:
        if self.state.counts.size:
            self.state.counts = self.state.counts + np.asarray(self._counts).sum(axis=0)
            self._counts = self._no_counts()


def _rows_of(answer: Any, device: int, blocks: int) -> list[tuple[int, np.ndarray, np.ndarray]]:
    """The selected points of one device: place of a block, positions in it, and their scores."""
    places, counts = (np.asarray(it)[device] for it in (answer.places, answer.counts))
    most = 1 << max(int(counts[:blocks].max()) - 1, 0).bit_length()
    positions, scores = (_own(it, device) for it in (answer.positions, answer.scores))
    # Only selected points are copied from the device, padded to a power of two, since each length
    # is compiled by itself.
    positions, scores = positions[0, :blocks, :most], scores[0, :blocks, :, :most]
    positions, scores = np.asarray(positions), np.asarray(scores)
    return [
        (int(places[it]), positions[it, : counts[it]], scores[it][:, : counts[it]])
        for it in range(blocks)
    ]


def _own(array: jax.Array, device: int) -> Any:
    """The part of an array on one device; without a copy where its memory is the host's."""
    part = array.addressable_shards[device].data
    on_host = next(iter(part.devices())).platform == "cpu"
    return np.asarray(part) if on_host else part
