"""What a sweep will take, before it is begun: points, bytes, and about how long."""

import time
from dataclasses import dataclass

import jax
import numpy as np
from typing_extensions import override

from liminal_jax.sweeps.keeping import KeepingWorker
from liminal_jax.sweeps.plan import Plan
from liminal_jax.sweeps.reducing import ReducingWorker, empty_state
from liminal_jax.sweeps.run import Listener, Worker, devices
from liminal_jax.sweeps.store import Sink, data_bytes

TRIED = 8
"""Runs of each device that are timed."""


@dataclass(frozen=True)
class Estimate:
    """What a sweep will take.

    Attributes:
        points: Points of all cases.
        cases: Computations, each compiled by itself.
        devices: Devices of this process.
        disk: Bytes of the data; 0 for a sweep that reduces.
        compiling: Seconds until the first case is compiled [s].
        rate: Points a second, of this process.
        seconds: All of it [s].
    """

    points: int
    cases: int
    devices: int
    disk: int
    compiling: float
    rate: float
    seconds: float


class _Nowhere(Sink):
    """Takes numbers that nobody keeps, in place of a file."""

    @override
    def write(self, column: int, first: int, values: np.ndarray) -> None:
        pass

    @override
    def settle(self) -> None:
        pass


def estimated(plan: Plan) -> Estimate:
    """Compile the first case, and time a few runs of it that leave nothing behind."""
    state, mesh = empty_state(plan), devices()

    def nothing() -> None:
        """Nothing is saved."""

    worker: Worker
    if plan.asked.keep:
        worker = KeepingWorker(plan, state, mesh, nothing, _Nowhere())
    else:
        worker = ReducingWorker(plan, state, mesh, nothing)
    each = worker.most() * mesh.size
    start = time.perf_counter()
    worker.work(((0, 1),), Listener())
    compiled = time.perf_counter()
    last = min(TRIED * each, plan.blocks)
    worker.work(((min(1, last - 1), last),), Listener())
    rate = last * plan.points.block / max(time.perf_counter() - compiled, 1e-9)
    compiling = compiled - start
    return Estimate(
        points=plan.size,
        cases=len(plan.choices),
        devices=jax.local_device_count(),
        disk=data_bytes(plan) if plan.asked.keep else 0,
        compiling=compiling,
        rate=rate,
        seconds=compiling * len(plan.choices) + plan.size / rate,
    )
