"""The cost of a sweep before it starts: points, bytes, and an estimate of the time."""

import time
from dataclasses import dataclass

import jax
import numpy as np
from typing_extensions import override

from liminal_jax.sweeps.keeping import KeepingWorker
from liminal_jax.sweeps.plan import Plan
from liminal_jax.sweeps.reducing import ReducingWorker, empty_state
from liminal_jax.sweeps.run import SweepProgress, Worker, devices
from liminal_jax.sweeps.store import Sink, data_bytes

TRIED = 8
"""Timed runs of each device."""


@dataclass(frozen=True)
class Estimate:
    """The cost of a sweep.

    Attributes:
        points: Number of points of all cases.
        cases: Number of cases, each compiled by itself.
        devices: Number of devices of this process.
        disk: Size of the data; 0 for a sweep that reduces [B].
        compiling: Time to compile the first case [s].
        rate: Points per second of this process [1/s].
        seconds: Total time [s].
    """

    points: int
    cases: int
    devices: int
    disk: int
    compiling: float
    rate: float
    seconds: float


class _Nowhere(Sink):
    """A sink that discards its numbers."""

    @override
    def write(self, column: int, first: int, values: np.ndarray) -> None:
        pass

    @override
    def flush(self) -> None:
        pass


def estimated(plan: Plan) -> Estimate:
    """The estimate, from compiling the first case and timing a few runs of it without output."""
    state, mesh = empty_state(plan), devices()

    def nothing() -> None:
        """Nothing is saved."""

    worker: Worker
    if plan.spec.keep:
        worker = KeepingWorker(plan, state, mesh, nothing, _Nowhere())
    else:
        worker = ReducingWorker(plan, state, mesh, nothing)
    each = worker.most() * mesh.size
    start = time.perf_counter()
    worker.work(((0, 1),), SweepProgress())
    compiled = time.perf_counter()
    last = min(TRIED * each, plan.blocks)
    worker.work(((min(1, last - 1), last),), SweepProgress())
    rate = last * plan.points.block / max(time.perf_counter() - compiled, 1e-9)
    compiling = compiled - start
    return Estimate(
        points=plan.size,
        cases=len(plan.choices),
        devices=jax.local_device_count(),
        disk=data_bytes(plan) if plan.spec.keep else 0,
        compiling=compiling,
        rate=rate,
        seconds=compiling * len(plan.choices) + plan.size / rate,
    )
