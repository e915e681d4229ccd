"""A design file as a calibration predicts it, with an interval."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from liminal_jax._files import InputError, Problem, did_you_mean
from liminal_jax._smooth import Exact
from liminal_jax.calibration.fitted import TERMS, Fitted
from liminal_jax.calibration.terms import Terms
from liminal_jax.data.calibrations import Calibration
from liminal_jax.data.names import chip_family, engine_named, system_named
from liminal_jax.mapping.attention import (
    AbstractAttentionMapping,
    CopiedHeads,
    DataParallel,
)
from liminal_jax.performance.filled import filled_design
from liminal_jax.performance.step_terms import step_terms
from liminal_jax.study.file import DesignFile
from liminal_jax.study.problem import exact_system
from liminal_jax.study.read import problem_of


@dataclass(frozen=True)
class CalibratedStep:
    """What a calibration says of a design.

    Attributes:
        calibration: Its name.
        engine: The engine, None for a typical one.
        family: The family of the chip, None where it was not measured.
        step_time: Time of one token [s].
        low: Lower end of the 90 % interval of that time [s].
        high: Upper end [s].
        stps: Tokens a second of the instance [1/s].
    """

    calibration: str
    engine: str | None
    family: str | None
    step_time: float
    low: float
    high: float
    stps: float

    def record(self) -> dict[str, Any]:
        """As `--json` prints it: times in seconds, and tokens a second of one user."""
        return {
            "calibration": self.calibration,
            "engine": self.engine,
            "family": self.family,
            "utps": 1 / self.step_time,
            "stps": self.stps,
            "step_time": self.step_time,
            "low": self.low,
            "high": self.high,
            "utps_low": 1 / self.high,
            "utps_high": 1 / self.low,
        }


def _family(file: DesignFile, calibration: Calibration) -> str | None:
    """The family of a design's chip where the calibration has measured it."""
    if file.design.system is None:
        return None
    name = system_named(file.design.system.names[0])
    family = None if name is None else chip_family(name)
    return family if family in calibration.groups("family") else None


def _engine(name: str | None, calibration: Calibration) -> str | None:
    if name is None:
        return None
    known = {it.lower(): it for it in calibration.groups("engine")}
    if (found := known.get(engine_named(name).lower())) is not None:
        return found
    hint = did_you_mean(name, known.values()) or f"; there are {', '.join(known.values())}"
    raise InputError("liminal predict", [Problem("--engine", f"no engine {name!r} there{hint}")])


@eqx.filter_jit
def _step(fitted: Fitted, terms: Terms) -> tuple[jax.Array, Fitted]:
    """The time, and the change of its logarithm for each logarithm of a loss."""
    time = jnp.asarray(fitted.time(terms))
    slopes = jax.grad(lambda it: jnp.log(it.time(terms)))(fitted)
    return time, jax.tree.map(lambda slope, value: slope * value, slopes, fitted)


def calibrated_step(
    file: DesignFile, calibration: Calibration, engine: str | None = None
) -> CalibratedStep:
    """Time of a token as a calibration predicts it, for a file that `predicted` accepts.

    Ranks share the heads of all users, as those of the engines measured do; where experts are
    spread, they may attend to users of their own instead: the quicker of the two is told.

    Raises:
        InputError: the calibration does not know the engine.
    """
    engine, family = _engine(engine, calibration), _family(file, calibration)
    problem = problem_of(file)
    case = problem.first()
    system, mapping, batch = exact_system(case), case.mapped(), case.batch
    model, request, laws = case.model, case.request, case.laws(Exact())
    ways: list[AbstractAttentionMapping] = [mapping.attention]
    if file.workload.accounting == "model" and float(mapping.cp) == 1:
        ways = [CopiedHeads()]
        if float(mapping.ep) > 1 and float(batch) >= float(mapping.tp):
            ways.append(DataParallel())
    fitted = calibration.fitted(engine, family)
    steps = []
    for way in ways:
        shared = dataclasses.replace(mapping, attention=way)
        design = filled_design(system, shared, batch, model, request, laws)
        steps.append(_step(fitted, step_terms(design, model, request, laws)))
    time, slopes = min(steps, key=lambda it: float(it[0]))
    by_term = {term: float(getattr(slopes, term)) for term in TERMS}
    width = np.exp(calibration.interval * calibration.spread(by_term, engine, family))
    step = float(time)
    return CalibratedStep(
        calibration=calibration.name,
        engine=engine,
        family=family,
        step_time=step,
        low=float(step / width),
        high=float(step * width),
        stps=float(mapping.pp * batch) / step,
    )
