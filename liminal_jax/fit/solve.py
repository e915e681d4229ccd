"""The fit: robust least squares of log residuals with priors; equal weight per source and cell.

    minimise over z:  sum_i w_i rho((log T_i(z) - log T_i) / sigma) + sum_k z_k^2

with rho the pseudo-Huber loss and z the addends of a calibration in units of their prior spread.
The priors make it hierarchical: an engine, a maker of chips or one of its families departs from the
rest only as far as its measurements pull, and older releases from the newest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import lineax as lx
import numpy as np
import optimistix as optx
from jaxtyping import Array, Float, Int

from liminal_jax._arrays import Leaf
from liminal_jax.calibration.fitted import TERMS, Fitted
from liminal_jax.calibration.terms import Terms
from liminal_jax.data.calibrations import Addend, Calibration, Level, Prior
from liminal_jax.data.names import family_vendor
from liminal_jax.fit.batch import Batch

NOISE = 0.1
"""Residual at which the loss turns from square to linear: between the noise floor's median of 1 %
and its 90th percentile of 19 %."""

FEWEST = 8
"""Rows below which a source counts less than the others, in proportion to its rows."""

STARTS = 24
"""Places where a fit sets out, the prior first and then some drawn around it.

Losses that a set-up hardly tells apart, such as times of a layer and of a step, leave several
minima; one start in four ends in the least.
"""

AROUND = 0.5
"""Spread of what is drawn, in units of the prior spread."""

STEPS = 60
"""Most steps of the solver."""

TOLERANCE = 1e-5
"""Relative change of the addends and of the sum of squares at which the solver stops."""


@dataclass(frozen=True)
class Layout:
    """Which addends there are, and which of them make up each loss of each case.

    Attributes:
        keys: Loss, level and group of each addend.
        scales: Prior spread of each.
        typical: Logarithm of the typical value of each loss.
        place: For each case, loss and level the addend's index; one past the last for none.
        times: For each case and level how often the addend counts: of releases, years.
    """

    keys: list[tuple[str, Level, str]]
    scales: Float[np.ndarray, " addends"]
    typical: Float[np.ndarray, " losses"]
    place: Int[np.ndarray, "cases losses levels"]
    times: Float[np.ndarray, "cases levels"]


def newest_of(batch: Batch[Any]) -> dict[str, float]:
    """When the newest release of each engine was out, in years, where cases tell."""
    known = [(it.engine, it.release) for it in batch.cases if it.release is not None]
    return {engine: max(when for of, when in known if of == engine) for engine, _ in sorted(known)}


def _ages(batch: Batch[Any]) -> Float[np.ndarray, " cases"]:
    """Years by which the release of each case is older than the newest of its engine."""
    newest = newest_of(batch)
    return np.array(
        [0.0 if it.release is None else newest[it.engine] - it.release for it in batch.cases]
    )


def layout_of(
    batch: Batch[Any], priors: dict[str, Prior], terms: tuple[str, ...] = TERMS
) -> Layout:
    """The addends that some cases call for: one for each loss, level and group."""
    everybody, families = np.array([""] * len(batch.cases)), batch.labels("family")
    labels: dict[Level, np.ndarray] = {
        "all": everybody,
        "engine": batch.labels("engine"),
        "vendor": np.array([family_vendor(str(it)) for it in families]),
        "family": families,
        "release": everybody,
    }
    times = np.ones((len(batch.cases), len(labels)))
    times[:, list(labels).index("release")] = _ages(batch)
    keys: list[tuple[str, Level, str]] = [
        (term, level, group)
        for level, of in labels.items()
        for group in sorted(set(of))
        for term in terms
        if getattr(priors[term], level) > 0
    ]
    index = {key: at for at, key in enumerate(keys)}
    place = [
        [[index.get((term, level, of[i]), len(keys)) for level, of in labels.items()]
         for term in terms]
        for i in range(len(batch.cases))
    ]  # fmt: skip
    return Layout(
        keys=keys,
        scales=np.array([getattr(priors[term], level) for term, level, _ in keys]),
        typical=np.log([priors[term].typical for term in terms]),
        place=np.array(place),
        times=times,
    )


def row_weights(batch: Batch, kept: np.ndarray) -> Float[np.ndarray, " cases"]:
    """Weights of rows; 0 for what is left out; their mean is near 1.

    Sources have equal weights, except that those of few rows have weights in proportion to them.
    Within a source, cells have equal weights: the rows of a cell are one set-up at several loads,
    and share most of their error.
    """
    sources = batch.labels("source")
    _, cell = np.unique(batch.cells(), return_inverse=True)
    rows = np.bincount(cell[kept], minlength=len(cell))
    weights = np.where(kept, 1 / np.maximum(rows, 1)[cell], 0.0)
    for source in set(sources):
        inside = (sources == source) & kept
        share = min(1, np.sum(inside) / FEWEST) * len(sources) / len(set(sources))
        weights[inside] *= share / max(np.sum(weights[inside]), np.finfo(float).tiny)
    return weights


@dataclass(frozen=True)
class Law:
    """How losses make up a time, and how well measurements of it are known.

    Attributes:
        losses: The class of the losses, whose `time` takes the terms of a case.
        terms: Names of its fields.
        noise: Residual at which the loss turns from square to linear.
        starts: Places where a fit sets out.
    """

    losses: type[Any]
    terms: tuple[str, ...]
    noise: float
    starts: int


DECODE = Law(Fitted, TERMS, noise=NOISE, starts=STARTS)
"""Of the time of a token."""


class _Data(eqx.Module):
    """The inputs of residuals."""

    law: Law = eqx.field(static=True)
    terms: Any
    measured: Leaf
    scales: Leaf
    typical: Leaf
    place: Int[Array, "cases losses levels"]
    times: Leaf
    weights: Leaf


def _log_losses(z: Float[Array, " addends"], data: _Data) -> Float[Array, "cases losses"]:
    scaled = jnp.append(data.scales * z, 0.0)
    return data.typical + jnp.sum(scaled[data.place] * data.times[:, None, :], axis=-1)


def _log_time(losses: Float[Array, " losses"], terms: Any, law: Law) -> Array:
    named = {term: jnp.exp(losses[at]) for at, term in enumerate(law.terms)}
    return jnp.log(law.losses(**named).time(terms))


@eqx.filter_jit
def _log_times(z: Float[Array, " addends"], data: _Data) -> Float[Array, " cases"]:
    return jax.vmap(partial(_log_time, law=data.law))(_log_losses(z, data), data.terms)


def _slopes_in_addends(
    z: Float[Array, " addends"], data: _Data
) -> tuple[Float[Array, " cases"], Float[Array, "cases addends"]]:
    """Logarithms of times, and their slopes: a case has few losses, and each few addends."""
    log_time = partial(_log_time, law=data.law)
    times, slopes = jax.vmap(jax.value_and_grad(log_time))(_log_losses(z, data), data.terms)
    rows = jnp.arange(len(times))[:, None, None]
    each = slopes[..., None] * data.times[:, None, :]
    spread = jnp.zeros((len(times), len(z) + 1)).at[rows, data.place].add(each)
    return times, spread[:, :-1] * data.scales


def _robust(misses: Float[Array, " cases"]) -> Float[Array, " cases"]:
    """The number whose square is the pseudo-Huber loss: the miss while it is small."""
    return misses * jnp.sqrt(2 / (jnp.sqrt(1 + misses**2) + 1))


def _residuals(z: Float[Array, " addends"], data: _Data) -> Float[Array, " all"]:
    """The residuals whose squares are summed.

    Their slopes are written out: derived one addend after the other, they take most of a fit.
    """
    at, slopes = jax.lax.stop_gradient(_slopes_in_addends(z, data))
    times = at + slopes @ (z - jax.lax.stop_gradient(z))
    misses = _robust((times - data.measured) / data.law.noise)
    return jnp.concatenate([jnp.sqrt(data.weights) * misses, z])


def _curvature(z: Float[Array, " addends"], data: _Data) -> Float[Array, "addends addends"]:
    """Curvature of half the cost, reweighted; the priors keep it above 1."""
    times, slopes = _slopes_in_addends(z, data)
    misses = (times - data.measured) / data.law.noise
    trust = data.weights / jnp.sqrt(1 + misses**2)
    slopes = slopes / data.law.noise
    return slopes.T @ (trust[:, None] * slopes) + jnp.eye(len(z))


@eqx.filter_jit
def _solved(z: Float[Array, " addends"], data: _Data) -> Float[Array, " addends"]:
    """By Levenberg and Marquardt.

    Normal equations are safe here: priors bound the curvature below, and factoring it costs a
    tenth of factoring the residuals' slopes.
    """
    solver = optx.LevenbergMarquardt(
        rtol=TOLERANCE, atol=TOLERANCE, linear_solver=lx.Normal(lx.Cholesky())
    )
    found = optx.least_squares(_residuals, solver, z, args=data, max_steps=STEPS, throw=False)
    return found.value


@eqx.filter_jit
def _cost(z: Float[Array, " addends"], data: _Data) -> Array:
    return jnp.sum(_residuals(z, data) ** 2)


@eqx.filter_jit
def _covariance(z: Float[Array, " addends"], data: _Data) -> Float[Array, "addends addends"]:
    return jnp.linalg.inv(_curvature(z, data))


@dataclass(frozen=True)
class Fit:
    """A solution.

    Attributes:
        layout: The addends.
        values: Their values, in units of their prior spread.
        predicted: Time of one token of each case, also of those left out [s].
    """

    layout: Layout
    values: Float[np.ndarray, " addends"]
    predicted: Float[np.ndarray, " cases"]


class Fitter:
    """Fits to parts of one batch, one after the other, compiled once."""

    def __init__(self, batch: Batch[Any], priors: dict[str, Prior], law: Law = DECODE):
        """The addends of a batch.

        Args:
            batch: All cases, also those that some fits leave out.
            priors: What is believed before, of the losses in the order of their fields.
            law: What the times are of.
        """
        self.batch, self.priors, self.law = batch, priors, law
        self.layout = layout_of(batch, priors, law.terms)

    def _data(self, kept: np.ndarray) -> _Data:
        return _Data(
            law=self.law,
            terms=self.batch.terms,
            measured=jnp.log(jnp.asarray(self.batch.measured)),
            scales=jnp.asarray(self.layout.scales),
            typical=jnp.asarray(self.layout.typical),
            place=jnp.asarray(self.layout.place),
            times=jnp.asarray(self.layout.times),
            weights=jnp.asarray(row_weights(self.batch, kept)),
        )

    def _starts(self) -> Float[np.ndarray, "starts addends"]:
        around = np.random.default_rng(0).normal(size=(self.law.starts - 1, len(self.layout.keys)))
        return np.vstack([np.zeros(len(self.layout.keys)), AROUND * around])

    def fit(self, kept: np.ndarray, start: Fit | None = None) -> Fit:
        """Fit to the cases that are kept, and predict all.

        Args:
            kept: Which cases.
            start: A fit to nearly the same cases, near which this one is.
        """
        data = self._data(kept)
        starts = self._starts() if start is None else start.values[None]
        ends = [_solved(jnp.asarray(it), data) for it in starts]
        z = min(ends, key=lambda end: float(_cost(end, data)))
        return Fit(self.layout, np.asarray(z), np.exp(np.asarray(_log_times(z, data))))

    def cost(self, fit: Fit, kept: np.ndarray) -> float:
        """The objective of a fit to the remaining cases."""
        return float(_cost(jnp.asarray(fit.values), self._data(kept)))

    def held_out(
        self, groups: np.ndarray, start: Fit, fitted: Callable[[], object] = lambda: None
    ) -> Float[np.ndarray, " cases"]:
        """Time of each case as a fit predicts it that saw nothing of its group [s].

        Args:
            groups: The group of each case; each is left out whole, and alone.
            start: A fit to all, near which the others are.
            fitted: Called after each fit.
        """
        predicted = np.full(len(groups), np.nan)
        for group in sorted(set(groups)):
            kept = groups != group
            # Addends of a group that is left out start at the prior again.
            seen = np.zeros(len(start.values) + 1, bool)
            seen[np.unique(self.layout.place[kept])] = True
            near = Fit(start.layout, np.where(seen[:-1], start.values, 0.0), start.predicted)
            predicted[~kept] = self.fit(kept, near).predicted[~kept]
            fitted()
        return predicted

    def covariance(self, fit: Fit, kept: np.ndarray) -> Float[np.ndarray, "addends addends"]:
        """Covariance of the addends, from the slopes of the residuals at the solution."""
        return np.asarray(_covariance(jnp.asarray(fit.values), self._data(kept)))


def _fitted(calibration: Calibration, batch: Batch) -> Fitted:
    """The losses of each case."""
    whose = [(it.engine, it.family, it.release) for it in batch.cases]
    known = {it: calibration.fitted(*it) for it in set(whose)}
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *(known[it] for it in whose))


@eqx.filter_jit
def _times(fitted: Fitted, terms: Terms) -> Float[Array, " cases"]:
    return jnp.asarray(jax.vmap(lambda it, of: it.time(of))(fitted, terms))


def predicted_times(calibration: Calibration, batch: Batch[Terms]) -> Float[np.ndarray, " cases"]:
    """Time of one token of each case [s]."""
    return np.asarray(_times(_fitted(calibration, batch), batch.terms))


@eqx.filter_jit
def _slopes(fitted: Fitted, terms: Terms) -> Fitted:
    """Change of the logarithm of each time for each logarithm of a loss."""
    slopes = jax.vmap(jax.grad(lambda it, of: jnp.log(it.time(of))), in_axes=(0, 0))(fitted, terms)
    return jax.tree.map(lambda slope, value: slope * value, slopes, fitted)


def _elsewhere(labels: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """For each case, whether its label also occurs in another group than its own."""
    pairs = zip(labels, groups, strict=True)
    return np.array([np.any((labels == label) & (groups != own)) for label, own in pairs])


def spreads(
    calibration: Calibration, batch: Batch, held_out: np.ndarray | None = None
) -> Float[np.ndarray, " cases"]:
    """Spread of the logarithm of each predicted time.

    Args:
        calibration: The calibration.
        batch: The cases.
        held_out: The group of each case, where it was predicted without: an engine or a family
            that occurs nowhere else is then one that was not measured.
    """
    engines, families = batch.labels("engine"), batch.labels("family")
    everywhere = np.ones(len(batch.cases), bool)
    by_engine = everywhere if held_out is None else _elsewhere(engines, held_out)
    by_family = everywhere if held_out is None else _elsewhere(families, held_out)
    known = [
        (str(engines[at]) if by_engine[at] else None, str(families[at]) if by_family[at] else None)
        for at in range(len(batch.cases))
    ]
    slopes = _slopes(_fitted(calibration, batch), batch.terms)
    by_term = {term: np.asarray(getattr(slopes, term)) for term in TERMS}
    return np.array(
        [
            calibration.spread(
                {term: float(it[at]) for term, it in by_term.items()},
                *known[at],
                release=case.release,
            )
            for at, case in enumerate(batch.cases)
        ]
    )


def addends_of(fit: Fit, covariance: Float[np.ndarray, "addends addends"]) -> list[Addend]:
    """The addends of a fit as a file states them."""
    spread = np.sqrt(np.diag(covariance))
    return [
        Addend(
            term=term,
            level=level,
            group=group,
            value=round(float(fit.values[at]), 6),
            spread=round(float(spread[at]), 4),
        )
        for at, (term, level, group) in enumerate(fit.layout.keys)
    ]


def calibration_of(fitter: Fitter, fit: Fit, name: str, about: str, noise: float) -> Calibration:
    """The file that a fit to all cases becomes; its interval is that of a normal law."""
    batch = fitter.batch
    covariance = fitter.covariance(fit, np.ones(len(batch.cases), bool))
    everyone = [at for at, (_, level, _) in enumerate(fit.layout.keys) if level == "all"]
    return Calibration(
        name=name,
        about=about,
        rows=len(batch.cases),
        sources=sorted(set(batch.labels("source"))),
        cells=sorted(set(batch.cells())),
        noise=noise,
        interval=NORMAL_90,
        priors=fitter.priors,
        addends=addends_of(fit, covariance),
        covariance=covariance[np.ix_(everyone, everyone)].round(5).tolist(),
        newest=newest_of(batch),
    )


NORMAL_90 = 1.645
"""Standard deviations either side of the mean that hold 90 % of a normal law."""
