"""Measured cases as arrays: the physical terms of each, once, and to whom it belongs."""

import dataclasses
from dataclasses import dataclass, fields
from typing import Generic, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from liminal_jax._traced import listed
from liminal_jax.calibration.terms import Terms
from liminal_jax.fit.fed import fed
from liminal_jax.fit.rows import Case, cell_of, prompts_passed
from liminal_jax.performance.design import Design
from liminal_jax.performance.predictor import predict
from liminal_jax.performance.step_terms import step_terms
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request

Stated = TypeVar("Stated")


@dataclass(frozen=True)
class Batch(Generic[Stated]):
    """Cases, one an entry.

    Attributes:
        cases: The cases.
        terms: What the time of each is made of: `Terms` of a step, or of a prompt and its load.
        ideal: The ideal bound of each [s].
        measured: Measured time of each: of one token, or to the first one [s].
    """

    cases: tuple[Case, ...]
    terms: Stated
    ideal: Float[np.ndarray, " cases"]
    measured: Float[np.ndarray, " cases"]

    def only(self, kept: np.ndarray) -> "Batch[Stated]":
        """The cases that are kept."""
        cases = tuple(it for it, keep in zip(self.cases, kept, strict=True) if keep)
        terms = jax.tree.map(lambda leaf: leaf[np.flatnonzero(kept)], self.terms)
        return Batch(cases, terms, self.ideal[kept], self.measured[kept])

    def labels(self, *names: str) -> np.ndarray:
        """For each case one label, made of some of its properties or of its row's."""
        return np.array(
            ["|".join(_text(getattr(it, name, getattr(it.row, name, ""))) for name in names)
             for it in self.cases]
        )  # fmt: skip

    def cells(self) -> np.ndarray:
        """The cell of each: what was set up once and measured at several loads."""
        return np.array([cell_of(it.row, it.weight_bits) for it in self.cases])


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


@listed
def _step(design: Design, model: Model, request: Request) -> tuple[Terms, Array]:
    """Traced once for each structure of model and system, whatever their numbers."""
    return (
        step_terms(design, model, request),
        predict(design, model, request).step_time,
    )


def batch_of(cases: list[Case]) -> Batch[Terms]:
    """The terms of each case, from the predictor.

    Where chips of their own pass prompts, the users are no more than those can feed.
    """
    if not cases:
        nothing = np.zeros(0)
        return Batch((), Terms(*[nothing] * len(fields(Terms))), nothing, nothing)
    cases = [fed(it) for it in cases]
    steps = [_step(it.design, it.model, it.request) for it in cases]
    terms = jax.tree.map(lambda *leaves: jnp.stack(leaves), *(terms for terms, _ in steps))
    prompts = jnp.asarray([prompts_passed(it.row) for it in cases])
    return Batch(
        cases=tuple(cases),
        terms=dataclasses.replace(terms, passed=prompts * terms.matrix),
        ideal=np.array([float(ideal) for _, ideal in steps]),
        measured=np.array([it.tpot for it in cases]),
    )
