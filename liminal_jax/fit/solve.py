"""The fit: least squares of log residuals, robust, each source counting alike, with priors.

    minimise over z:  sum_i w_i rho((log T_i(z) - log T_i) / sigma) + sum_k z_k^2

with rho the pseudo-Huber loss and z the addends of a calibration in units of their prior spread.
The priors make it hierarchical: an engine or family departs from the rest only as far as its
measurements pull.
"""

from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optimistix as optx
from jaxtyping import Array, Float, Int

from liminal_jax._arrays import Leaf
from liminal_jax.calibration.fitted import TERMS, Fitted
from liminal_jax.calibration.terms import Terms
from liminal_jax.data.calibrations import Addend, Calibration, Level, Prior
from liminal_jax.fit.batch import Batch

NOISE = 0.1
"""Residual at which the loss turns from square to linear: between the noise floor's median of 1 %
and its 90th percentile of 19 %."""

FEWEST = 8
"""Rows below which a source counts less than the others, in proportion to its rows."""

STEPS = 40
"""Most steps of the solver."""

TOLERANCE = 1e-3


@dataclass(frozen=True)
class Layout:
    """Which addends there are, and which of them make up each loss of each case.

    Attributes:
        keys: Loss, level and group of each addend.
        scales: Prior spread of each.
        typical: Logarithm of the typical value of each loss.
        place: For each case, loss and level the addend's index; one past the last for none.
    """

    keys: list[tuple[str, Level, str]]
    scales: Float[np.ndarray, " addends"]
    typical: Float[np.ndarray, " losses"]
    place: Int[np.ndarray, "cases losses levels"]


def layout_of(batch: Batch, priors: dict[str, Prior]) -> Layout:
    """The addends that some cases call for: one for each loss and all, engine and family."""
    labels: dict[Level, np.ndarray] = {
        "all": np.array([""] * len(batch.cases)),
        "engine": batch.labels("engine"),
        "family": batch.labels("family"),
    }
    keys: list[tuple[str, Level, str]] = [
        (term, level, group)
        for level, of in labels.items()
        for group in sorted(set(of))
        for term in TERMS
        if getattr(priors[term], level) > 0
    ]
    index = {key: at for at, key in enumerate(keys)}
    place = [
        [[index.get((term, level, of[i]), len(keys)) for level, of in labels.items()]
         for term in TERMS]
        for i in range(len(batch.cases))
    ]  # fmt: skip
    return Layout(
        keys=keys,
        scales=np.array([getattr(priors[term], level) for term, level, _ in keys]),
        typical=np.log([priors[term].typical for term in TERMS]),
        place=np.array(place),
    )


def source_weights(batch: Batch, kept: np.ndarray) -> Float[np.ndarray, " cases"]:
    """Weights under which each source counts alike; 0 for what is left out; their mean is near 1.

    A source of few rows counts in proportion to them.
    """
    sources = batch.labels("source")
    rows = np.array([np.sum(kept[sources == source]) for source in sources])
    alike = len(sources) / len(set(sources)) / np.maximum(rows, FEWEST)
    return np.where(kept, alike, 0.0)


class _Data(eqx.Module):
    """What residuals are made from."""

    terms: Terms
    measured: Leaf
    scales: Leaf
    typical: Leaf
    place: Int[Array, "cases losses levels"]
    weights: Leaf


def _log_times(z: Float[Array, " addends"], data: _Data) -> Float[Array, " cases"]:
    scaled = jnp.append(data.scales * z, 0.0)
    losses = jnp.exp(data.typical + jnp.sum(scaled[data.place], axis=-1))
    named = {term: losses[:, at] for at, term in enumerate(TERMS)}
    return jax.vmap(lambda fitted, terms: jnp.log(fitted.time(terms)))(Fitted(**named), data.terms)


def _robust(residual: Float[Array, " cases"]) -> Float[Array, " cases"]:
    """The number whose square is the pseudo-Huber loss: the residual while it is small."""
    return residual * jnp.sqrt(2 / (jnp.sqrt(1 + residual**2) + 1))


def _residuals(z: Float[Array, " addends"], data: _Data) -> Float[Array, " all"]:
    misses = _robust((_log_times(z, data) - data.measured) / NOISE)
    return jnp.concatenate([jnp.sqrt(data.weights) * misses, z])


@eqx.filter_jit
def _solved(z: Float[Array, " addends"], data: _Data) -> Float[Array, " addends"]:
    solver = optx.LevenbergMarquardt(rtol=TOLERANCE, atol=TOLERANCE)
    found = optx.least_squares(_residuals, solver, z, args=data, max_steps=STEPS, throw=False)
    return found.value


@eqx.filter_jit
def _covariance(z: Float[Array, " addends"], data: _Data) -> Float[Array, "addends addends"]:
    slopes = jax.jacfwd(_residuals)(z, data)
    return jnp.linalg.inv(slopes.T @ slopes)


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

    def __init__(self, batch: Batch, priors: dict[str, Prior]):
        """The addends of a batch.

        Args:
            batch: All cases, also those that some fits leave out.
            priors: What is believed before.
        """
        self.batch, self.priors = batch, priors
        self.layout = layout_of(batch, priors)

    def _data(self, kept: np.ndarray) -> _Data:
        return _Data(
            terms=self.batch.terms,
            measured=jnp.log(jnp.asarray(self.batch.measured)),
            scales=jnp.asarray(self.layout.scales),
            typical=jnp.asarray(self.layout.typical),
            place=jnp.asarray(self.layout.place),
            weights=jnp.asarray(source_weights(self.batch, kept)),
        )

    def fit(self, kept: np.ndarray, start: Fit | None = None) -> Fit:
        """Fit to the cases that are kept, and predict all."""
        data = self._data(kept)
        first = jnp.zeros(len(self.layout.keys)) if start is None else jnp.asarray(start.values)
        z = _solved(first, data)
        return Fit(self.layout, np.asarray(z), np.exp(np.asarray(_log_times(z, data))))

    def held_out(self, groups: np.ndarray, folds: int, start: Fit) -> Float[np.ndarray, " cases"]:
        """Time of each case as a fit predicts it that saw nothing of its group [s].

        Args:
            groups: The group of each case; groups are left out whole.
            folds: How many fits to make; groups are dealt out over them.
            start: A fit to all, near which the others are.
        """
        names = np.random.default_rng(0).permutation(sorted(set(groups)))
        fold = {name: at % folds for at, name in enumerate(names)}
        of = np.array([fold[group] for group in groups])
        predicted = np.full(len(groups), np.nan)
        for each in sorted(set(of)):
            # Addends of a group that is left out start at the prior again.
            seen = np.zeros(len(start.values) + 1, bool)
            seen[np.unique(self.layout.place[of != each])] = True
            near = Fit(start.layout, np.where(seen[:-1], start.values, 0.0), start.predicted)
            predicted[of == each] = self.fit(of != each, near).predicted[of == each]
        return predicted

    def covariance(self, fit: Fit, kept: np.ndarray) -> Float[np.ndarray, "addends addends"]:
        """Covariance of the addends, from the slopes of the residuals at the solution."""
        return np.asarray(_covariance(jnp.asarray(fit.values), self._data(kept)))


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
        calibration: What predicts.
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
    each = [calibration.fitted(it.engine, it.family) for it in batch.cases]
    slopes = _slopes(jax.tree.map(lambda *leaves: jnp.stack(leaves), *each), batch.terms)
    by_term = {term: np.asarray(getattr(slopes, term)) for term in TERMS}
    return np.array(
        [
            calibration.spread({term: float(it[at]) for term, it in by_term.items()}, *who)
            for at, who in enumerate(known)
        ]
    )


def calibration_of(fitter: Fitter, fit: Fit, name: str, about: str, noise: float) -> Calibration:
    """The file that a fit to all cases becomes; its interval is still that of a normal law."""
    batch = fitter.batch
    covariance = fitter.covariance(fit, np.ones(len(batch.cases), bool))
    spread = np.sqrt(np.diag(covariance))
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
        addends=[
            Addend(term=term, level=level, group=group, value=round(float(fit.values[at]), 6),
                   spread=round(float(spread[at]), 4))
            for at, (term, level, group) in enumerate(fit.layout.keys)
        ],
        covariance=covariance[np.ix_(everyone, everyone)].round(5).tolist(),
    )  # fmt: skip


NORMAL_90 = 1.645
"""Standard deviations either side of the mean that hold 90 % of a normal law."""
