"""The kernel of a device over a run of blocks: evaluate, filter, count; or evaluate and return.

Blocks are small enough for all intermediate results to stay in the cache of a processor; on a GPU
one block fills the device. A run ends with its last block, or when the buffer for blocks with
selected points is full; then the host merges and calls again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from liminal_jax.sweeps.goal import Goal, Reduction
from liminal_jax.sweeps.grid import GridPoints
from liminal_jax.sweeps.histogram import BINS, binned
from liminal_jax.sweeps.program import Program
from liminal_jax.sweeps.sample import LatinPoints, SobolPoints

Points = GridPoints | SobolPoints | LatinPoints

Drawn = dict[int, Array]
"""Values of the sampled axes in one block, by the number of the axis."""

WIDE = {"xla_cpu_prefer_vector_width": 512}
"""XLA's default of 256 bits leaves a third of the speed of AVX-512 unused here."""


class Run(NamedTuple):
    """Blocks for one device.

    Attributes:
        piece: Their piece.
        first: Place of the first.
        blocks: Number of blocks.
    """

    piece: Array
    first: Array
    blocks: Array


class Passed(eqx.Module):
    """The points of a run selected by the filters.

    Attributes:
        done: Number of blocks evaluated.
        feasible: Number of feasible points in them.
        blocks: Number of blocks with selected points.
        places: Places of these blocks.
        counts: Number of selected points in each.
        positions: Positions of these points in their block.
        gains: Scores of these points, by goal.
    """

    done: Array
    feasible: Array
    blocks: Array
    places: Array
    counts: Array
    positions: Array
    scores: Array


@dataclass(frozen=True)
class Reducer:
    """The kernel of a sweep that reduces.

    Attributes:
        points: The points.
        program: Program of the goals' outputs, then feasibility, then the outputs of histograms.
        goals: The goals.
        reductions: The reductions.
        category: The axis whose values are the categories; None where there is none.
        counted: Number of outputs with histograms.
        room: Blocks with selected points that a run can return.
    """

    points: Points
    program: Program
    goals: tuple[Goal, ...]
    reductions: tuple[Reduction, ...]
    category: int | None
    counted: int
    room: int

    def passed(
        self, run: Run, given: Array, counts: Array, filters: Sequence[Any]
    ) -> tuple[Passed, Array]:
        """Evaluate a run.

        Args:
            run: The blocks.
            given: Input of each block.
            counts: Histograms so far.
            filters: Filter of each reduction.

        Returns:
            The selected points, and the histograms with the run added.
        """
        stages = _Stages(self.points, self.program, run, given)
        kind = self.points.float_type
        none = Passed(
            done=jnp.asarray(0),
            feasible=jnp.asarray(0),
            blocks=jnp.asarray(0),
            places=jnp.zeros(self.room, int),
            counts=jnp.zeros(self.room, int),
            positions=jnp.zeros((self.room, self.points.block), jnp.int32),
            scores=jnp.zeros((self.room, len(self.goals), self.points.block), kind),
        )

        def unfinished(state: tuple[Passed, Array, Drawn]) -> Array:
            return (state[0].done < run.blocks) & (state[0].blocks < self.room)

        def evaluated(state: tuple[Passed, Array, Drawn]) -> tuple[Passed, Array, Drawn]:
            passed, counts, drawn = state
            number = passed.done
            results = stages.at(number, drawn)
            feasible = stages.valid(number) & (results[len(self.goals)] > 0)
            scores = jnp.stack(
                [
                    jnp.where(feasible, goal.sign * result, -jnp.inf)
                    for goal, result in zip(self.goals, results, strict=False)
                ]
            )
            # Most blocks of a study with limits have no feasible point. A branch also makes XLA
            # evaluate its operands once; without it every comparison of a filter repeats them.
            through = jax.lax.cond(
                jnp.any(feasible),
                lambda it: self._through(filters, it, stages, number),
                lambda it: jnp.zeros(it.shape[1:], bool),
                scores,
            )
            counted = results[len(self.goals) + 1 :]
            counts = _counted(counts, counted, feasible)
            passed = jax.lax.cond(
                jnp.any(through),
                _noted,
                lambda it, *_: it,
                passed,
                through,
                scores,
                run.first + number,
            )
            whole = passed.feasible + jnp.sum(feasible)
            passed = eqx.tree_at(lambda it: (it.done, it.feasible), passed, (number + 1, whole))
            return passed, counts, stages.drawn(number + 1)

        first = (none, counts, stages.drawn(jnp.asarray(0)))
        passed, counts, _ = jax.lax.while_loop(unfinished, evaluated, first)
        return passed, counts

    def _through(
        self, filters: Sequence[Any], scores: Array, stages: "_Stages", number: Array
    ) -> Array:
        groups = stages.category(self.category, number)
        first = stages.first_index(number)
        through = jnp.zeros(self.points.block, bool)
        for reduction, filter_ in zip(self.reductions, filters, strict=True):
            through |= reduction.passed(filter_, scores, groups, first)
        return through


def _noted(passed: Passed, through: Array, scores: Array, place: Array) -> Passed:
    """The buffer with the selected points of a block appended."""
    size = through.shape[0]
    (positions,) = jnp.nonzero(through, size=size, fill_value=0)
    slot = passed.blocks
    return Passed(
        done=passed.done,
        feasible=passed.feasible,
        blocks=slot + 1,
        places=passed.places.at[slot].set(place),
        counts=passed.counts.at[slot].set(jnp.sum(through)),
        positions=passed.positions.at[slot].set(positions.astype(jnp.int32)),
        scores=passed.scores.at[slot].set(scores[:, positions]),
    )


def _counted(counts: Array, results: Sequence[Array], feasible: Array) -> Array:
    """The histograms with a block added."""
    for row, result in enumerate(results):
        bins = jnp.where(feasible, binned(result), BINS)
        counts = counts.at[row, bins].add(1, mode="drop")
    return counts


class _Stages:
    """The program of a run in stages: common to all blocks, one number per block, and the rest.

    The samples of a block are computed one block ahead and pass through the state of the loop,
    which makes XLA store them; XLA for CPUs would otherwise repeat the sampling for every use.
    """

    def __init__(self, points: Points, program: Program, run: Run, given: Array):
        self._points, self._program, self._run, self._given = points, program, run, given
        self._all = frozenset(range(len(points.axes)))
        self._places = run.first + jnp.arange(given.shape[0])
        self._shared = program.worked(points.inner_inputs(run.piece), points.inner, {})
        self._single = program.worked(points.outer_inputs(self._places), points.outer, {})

    def drawn(self, number: Array) -> Drawn:
        """The samples of a block; past the last block, those of the last."""
        return self._points.drawn_inputs(self._given[number])

    def at(self, number: Array, drawn: Drawn) -> list[Array]:
        """The outputs of a block of the run."""
        single = {
            place: it[number] if jnp.ndim(it) else it
            for place, it in self._single.items()
            if place not in self._shared
        }
        results = self._program.worked(drawn, self._all, {**self._shared, **single})
        shape, kind = (self._points.block,), self._points.float_type
        return [
            jnp.broadcast_to(jnp.asarray(it, kind), shape) for it in self._program.results(results)
        ]

    def valid(self, number: Array) -> Array:
        """Which points of a block exist."""
        return self._points.valid(self._run.piece, self._places[number])

    def first_index(self, number: Array) -> Array:
        """A lower bound of the numbers of a block's points."""
        return jnp.asarray(self._points.first_index(self._run.piece, self._places[number]))

    def category(self, axis: int | None, number: Array) -> Array:
        """Categories of the points of a block."""
        points = self._points
        if axis is None or not isinstance(points, GridPoints):
            return jnp.zeros(points.block, int)
        if axis in points.outer:
            indices = points.outer_indices(self._places[number][None])[axis]
            return jnp.broadcast_to(indices[0], (points.block,))
        return points.inner_indices(self._run.piece)[axis]


@dataclass(frozen=True)
class Keeper:
    """The kernel of a sweep that keeps every point.

    Attributes:
        points: The points.
        program: Program of the outputs.
        inputs: Number of sampled axes, whose values are returned before the outputs.
        kinds: Type of each column.
    """

    points: Points
    program: Program
    inputs: int
    kinds: tuple[np.dtype, ...]

    def columns(self, run: Run, given: Array) -> list[Array]:
        """Outputs of all blocks of a run, each of shape (blocks, block)."""
        stages = _Stages(self.points, self.program, run, given)

        def evaluated(drawn: Drawn, number: Array) -> tuple[Drawn, list[Array]]:
            inputs = [drawn[axis] for axis in range(self.inputs)]
            columns = zip([*inputs, *stages.at(number, drawn)], self.kinds, strict=True)
            return stages.drawn(number + 1), [column.astype(kind) for column, kind in columns]

        first = stages.drawn(jnp.asarray(0))
        _, columns = jax.lax.scan(evaluated, first, jnp.arange(given.shape[0]))
        return columns


def on_all(function: Callable[..., Any], mesh: Mesh, shared: int) -> Callable[..., Any]:
    """A function for one device, mapped over all devices and compiled once.

    Args:
        function: Takes and returns pytrees of arrays.
        mesh: The devices.
        shared: Number of arguments, the last ones, that are the same on each device.

    Returns:
        The function of arrays with one row per device.
    """
    rows, same = PartitionSpec(mesh.axis_names[0]), PartitionSpec()

    def one(*arguments: Any) -> Any:
        own = len(arguments) - shared
        mine = [jax.tree.map(lambda it: it[0], it) for it in arguments[:own]]
        return jax.tree.map(lambda it: jnp.asarray(it)[None], function(*mine, *arguments[own:]))

    def all_(*arguments: Any) -> Any:
        own = len(arguments) - shared
        specs = (rows,) * own + (same,) * shared
        split = jax.shard_map(one, mesh=mesh, in_specs=specs, out_specs=rows, check_vma=False)
        return split(*arguments)

    on_cpu = mesh.devices.flat[0].platform == "cpu"
    return jax.jit(all_, compiler_options=WIDE if on_cpu else None)


def spread(rows: Any, mesh: Mesh) -> Any:
    """Arrays with one row per device, placed on the devices."""
    return jax.device_put(rows, NamedSharding(mesh, PartitionSpec(mesh.axis_names[0])))


def stacked(runs: Sequence[tuple[int, int, int]]) -> Run:
    """Runs of several devices as arrays."""
    return Run(*(jnp.asarray(it, int) for it in zip(*runs, strict=True)))
