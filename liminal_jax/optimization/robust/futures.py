"""A problem under many samples of its uncertain numbers at once, as one problem for gradients.

A measure over samples is a function of the score under each, and the violation that a share of the
samples stays below one of the violations under each. So the gradient of both is a weighted sum of
the gradients of single samples, the weights those of the measure there: values of all starts under
all samples come first, then the weights, then one pass back.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from liminal_jax._compile import unfused
from liminal_jax._devices import by_blocks
from liminal_jax._smooth import Free
from liminal_jax.optimization.robust.measure import AbstractMeasure, harrell_davis
from liminal_jax.optimization.search.augmented_lagrangian import augmented
from liminal_jax.optimization.search.descents import Evaluated, Lagrangian
from liminal_jax.optimization.search.soft_model import soft_model
from liminal_jax.optimization.search.unit_hypercube import unit_hypercube_of
from liminal_jax.study.problem import Outcome, Problem
from liminal_jax.study.uncertain import Sampled
from liminal_jax.sweeps.in_numpy import InNumpy


@dataclass(frozen=True)
class Futures:
    """A problem that is judged by a measure over samples, its limits by a share of them.

    Attributes:
        problem: The problem.
        parts: What is sampled, stacked by sample.
        measure: What counts of the objective.
        reliability: Share of the samples in which every limit has to hold.
    """

    problem: Problem
    parts: Sampled
    measure: AbstractMeasure
    reliability: float

    @property
    def samples(self) -> int:
        """Number of samples."""
        return len(jax.tree.leaves(self.parts)[0])

    def judged(
        self,
        score: Float[Array, " samples"],
        violation: Float[Array, "samples limits"],
        temperature: Array,
    ) -> Outcome:
        """Measure, and for each limit the violation that the share of the samples stays below.

        Each limit is read by itself: it holds in the share if the quantile of its violation is at
        most 0. That all hold at once in the share is asked of the designs that this leads to.

        Args:
            score: Score under each sample.
            violation: Log violation of each limit under each sample.
            temperature: Of the relaxation.
        """
        return Outcome(
            self.measure.smooth(score, self.problem.maximises, temperature),
            harrell_davis(violation, self.reliability),
        )

    def each(self) -> Problem:
        """The problem with an alternative for each sample of each category, samples first."""
        count, region = self.samples, self.problem.region
        rows = len(region.categories)

        def tiled(leaf: Array) -> Array:
            whole = np.asarray(leaf)
            return jnp.asarray(np.tile(whole, count) if whole.ndim else whole)

        def flat(leaf: Array) -> Array:
            stacked = np.asarray(leaf)
            if stacked.ndim == 1:
                stacked = np.broadcast_to(stacked[:, None], (count, rows))
            return jnp.asarray(stacked.ravel())

        case = dataclasses.replace(
            jax.tree.map(tiled, region.case),
            system=jax.tree.map(flat, self.parts.system),
            algorithm=jax.tree.map(flat, self.parts.algorithm),
        )
        names = tuple(f"{name} {number}" for number in range(count) for name in region.categories)
        return dataclasses.replace(
            self.problem, region=dataclasses.replace(region, case=case, categories=names)
        )


def listed_futures(futures: Futures, category: Int[np.ndarray, " starts"]) -> Lagrangian:
    """The augmented Lagrangian over all samples, by the list of the soft model in NumPy.

    Args:
        futures: A problem under many samples.
        category: Category of each start.

    Raises:
        NotImplementedError: an objective or a limit has an operation that is not known to lists.
    """
    problem = futures.problem
    model, box = soft_model(futures.each()), unit_hypercube_of(problem)
    run, weigh = InNumpy(model.program, model.stages()), _weights(futures)
    starts, samples, limits = len(category), futures.samples, model.limits
    first = model.variables + 1
    places = category[:, None] + np.arange(samples) * len(problem.categories)
    run.given({first + number: row[places.ravel()] for number, row in enumerate(model.rows)}, 0)

    def at(
        unit: np.ndarray, multipliers: np.ndarray, weight: float, temperature: float
    ) -> Evaluated:
        point, stretch = box.stretched(unit)
        columns = dict(enumerate(np.repeat(point.T, samples, axis=1)))
        run.given({**columns, model.variables: np.asarray(temperature)}, 1)
        values = _by_start(run.outputs(0, 1 + limits), starts, samples)
        outcome, weights = weigh(values, multipliers, weight, temperature)
        rows = np.asarray(weights).reshape(starts * samples, 1 + limits).T
        run.given({model.known + number: row for number, row in enumerate(rows)}, 2)
        slopes = _by_start(run.outputs(1 + limits), starts, samples).sum(axis=1)
        return Evaluated(np.asarray(outcome.score), np.asarray(outcome.violation), slopes * stretch)

    return at


def _by_start(rows: list[np.ndarray], starts: int, samples: int) -> np.ndarray:
    """Results as an array of starts, samples, results."""
    found = np.empty((len(rows), starts * samples))
    for number, row in enumerate(rows):
        found[number] = row
    return found.T.reshape(starts, samples, len(rows))


def _weights(futures: Futures) -> Callable[..., tuple[Outcome, Array]]:
    """The outcome of each start, and the gradient of its Lagrangian along the values it has."""

    def of_one(
        values: Array, multipliers: Array, weight: Array, temperature: Array
    ) -> tuple[Array, Outcome]:
        outcome = futures.judged(values[:, 0], values[:, 1:], temperature)
        return augmented(outcome, multipliers, weight), outcome

    def weigh(*arguments: Array) -> tuple[Outcome, Array]:
        slopes, outcome = jax.grad(of_one, has_aux=True)(*arguments)
        return outcome, slopes

    return jax.jit(jax.vmap(weigh, (0, 0, None, None)))


def compiled_futures(
    futures: Futures, category: Int[np.ndarray, " starts"], block: int
) -> Lagrangian:
    """The same, compiled by JAX: for objectives and limits that are not known to lists.

    Args:
        futures: A problem under many samples.
        category: Category of each start.
        block: Starts of a block; blocks go round the devices.
    """
    problem, box = futures.problem, unit_hypercube_of(futures.problem)

    def of_one(
        unit: Array,
        multipliers: Array,
        category: Array,
        parts: Sampled,
        weight: Array,
        temperature: Array,
    ) -> tuple[Array, Outcome]:
        point, relaxation = box.values(unit), Free(temperature)
        every = jax.vmap(lambda it: it.of(problem).outcome(point, category, relaxation))(parts)
        outcome = futures.judged(every.score, every.violation, temperature)
        return augmented(outcome, multipliers, weight), outcome

    slope = jax.vmap(jax.grad(of_one, has_aux=True), (0, 0, 0, None, None, None))
    compiled = unfused(lambda it: slope(*it))

    def at(
        unit: np.ndarray, multipliers: np.ndarray, weight: float, temperature: float
    ) -> Evaluated:
        same = futures.parts, np.asarray(weight), np.asarray(temperature)
        rows = [slice(begin, begin + block) for begin in range(0, len(unit), block)]
        blocks = [(unit[it], multipliers[it], category[it], *same) for it in rows]
        found = [
            (outcome.score, outcome.violation, gradient)
            for gradient, outcome in by_blocks(compiled, blocks)
        ]
        return Evaluated(*(np.concatenate(each) for each in zip(*found, strict=True)))

    return at
