"""The worker of a sweep that keeps every point: devices evaluate, a thread writes."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh
from typing_extensions import override

from liminal_jax.sweeps.checkpoint import State
from liminal_jax.sweeps.kernel import Keeper, Run, on_all
from liminal_jax.sweeps.plan import GRID, Plan
from liminal_jax.sweeps.run import UNDER_WAY, BlockRange, Worker
from liminal_jax.sweeps.store import Sink, columns_of

BYTES_OF_A_RUN = 1 << 25
"""Bytes of the results of one run on a device."""


class KeepingWorker(Worker):
    """Writes the outputs of all points."""

    def __init__(self, plan: Plan, state: State, mesh: Mesh, save: Callable[[], None], store: Sink):
        """As any worker; `store` receives the outputs."""
        super().__init__(plan, state, mesh, save)
        self._store = store
        self._writer = ThreadPoolExecutor(1)
        self._writes: deque[Future[None]] = deque()

    @override
    def most(self) -> int:
        points, columns = self.plan.points, len(columns_of(self.plan))
        block = points.block * columns * points.float_type.itemsize
        return max(1, min(BYTES_OF_A_RUN // block, points.places))

    @override
    def compiled(self, case: int) -> Callable[..., Any]:
        plan = self.plan
        keeper = Keeper(
            points=plan.points,
            program=plan.programs[case],
            inputs=0 if plan.spec.kind == GRID else len(plan.axes),
            kinds=tuple(it.kind for it in columns_of(plan)),
        )
        return on_all(keeper.columns, self._mesh, shared=0)

    @override
    def called(self, call: Callable[..., Any], run: Run, given: Any) -> Any:
        return call(run, given)

    @override
    def taken(self, group: list[BlockRange], answer: Any) -> list[int]:
        jax.block_until_ready(answer)
        while len(self._writes) >= UNDER_WAY:
            self._writes.popleft().result()
        self._writes.append(self._writer.submit(self._write, group, answer))
        return [it.blocks for it in group]

    def _write(self, group: list[BlockRange], answer: list[jax.Array]) -> None:
        for device, block_range in enumerate(group):
            for column, array in enumerate(answer):
                blocks = np.asarray(array.addressable_shards[device].data)[0]
                self._write_blocks(block_range, column, blocks[: block_range.blocks])

    def _write_blocks(self, block_range: BlockRange, column: int, blocks: np.ndarray) -> None:
        points, (case, piece, first, count) = self.plan.points, block_range
        start = case * points.size
        if points.pieces == 1:
            # Blocks lie one after the other; only the last one of a sample is cut short.
            numbers = blocks.reshape(-1)[: self._points(block_range)]
            self._store.write(column, start + int(points.first_index(piece, first)), numbers)
            return
        for number in range(count):
            length = points.length(piece, first + number)
            place = start + int(points.first_index(piece, first + number))
            self._store.write(column, place, blocks[number, :length])

    @override
    def flush(self) -> None:
        while self._writes:
            self._writes.popleft().result()
        self._store.flush()
