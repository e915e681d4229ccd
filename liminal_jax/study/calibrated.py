"""A design file as a calibration predicts it, with an interval."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from liminal_jax._arrays import Leaf, as_leaf
from liminal_jax._files import InputError, Problem, did_you_mean
from liminal_jax._smooth import Exact
from liminal_jax.calibration.fitted import TERMS, Fitted
from liminal_jax.calibration.prompts import FirstToken, Load, PromptLosses
from liminal_jax.calibration.terms import Terms
from liminal_jax.data.calibrations import DEFAULT, Calibration, load_calibration
from liminal_jax.data.names import chip_family, dated, engine_named, system_named
from liminal_jax.mapping.attention import attention_name
from liminal_jax.performance.design import Design
from liminal_jax.performance.filled import filled_design
from liminal_jax.performance.step_terms import step_terms
from liminal_jax.study.case import Case
from liminal_jax.study.file import DesignFile
from liminal_jax.study.lengths import RequestLengths
from liminal_jax.study.problem import exact_system
from liminal_jax.study.read import problem_of
from liminal_jax.workload.chunk import Chunk, Prompts
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request


@dataclass(frozen=True)
class CalibratedStep:
    """What a calibration says of a design.

    Attributes:
        calibration: Its name.
        engine: The engine, None for a typical one.
        release: When its release was out, in years; None for the newest that was measured.
        attention: How ranks share attention.
        family: The family of the chip, None where it was not measured.
        step_time: Time of one token [s].
        low: Lower end of the 90 % interval of that time [s].
        high: Upper end [s].
        stps: Tokens a second of the instance [1/s].
        ttft: Time to the first token of prompts of the lengths asked for, while the other users
            decode; None without lengths, or where the calibration has no losses of prompts [s].
    """

    calibration: str
    engine: str | None
    release: float | None
    attention: str
    family: str | None
    step_time: float
    low: float
    high: float
    stps: float
    ttft: float | None = None

    def record(self) -> dict[str, Any]:
        """As `--json` prints it: times in seconds, and tokens a second of one user."""
        return {
            "calibration": self.calibration,
            "engine": self.engine,
            **({} if self.release is None else {"release": self.release}),
            "attention": self.attention,
            "family": self.family,
            "utps": 1 / self.step_time,
            "stps": self.stps,
            "step_time": self.step_time,
            "low": self.low,
            "high": self.high,
            "utps_low": 1 / self.high,
            "utps_high": 1 / self.low,
            **({} if self.ttft is None else {"ttft": self.ttft}),
        }


def _family(file: DesignFile) -> str | None:
    """The family of a design's chip; of one that was not measured, its maker may have been."""
    if file.design.system is None:
        return None
    name = system_named(file.design.system.names[0])
    return None if name is None else chip_family(name)


class Engine(NamedTuple):
    """An engine, and one of its releases.

    Attributes:
        name: The name that a calibration has for it; None for a typical engine.
        release: When the release was out, in years; None for the newest that was measured.
    """

    name: str | None = None
    release: float | None = None


TYPICAL = Engine()


def engine_of(asked: str | None, calibration: Calibration) -> Engine:
    """An engine by name, in any case, with a release or its date after a colon, where one is asked.

    Raises:
        InputError: the calibration does not know the engine, or nobody when the release was out.
    """
    if asked is None:
        return TYPICAL
    text, _, release = asked.partition(":")
    name = _engine_named(text, calibration)
    if not release:
        return Engine(name)
    if (when := dated(name, release)) is not None:
        return Engine(name, when)
    problem = f"when {name} {release} was out is not known; give its month, as {name}:2025-02"
    raise InputError("liminal predict", [Problem("--engine", problem)])


def _engine_named(name: str, calibration: Calibration) -> str:
    known = {it.lower(): it for it in calibration.groups("engine")}
    if (found := known.get(engine_named(name).lower())) is not None:
        return found
    hint = did_you_mean(name, known.values()) or f"; there are {', '.join(known.values())}"
    raise InputError("liminal predict", [Problem("--engine", f"no engine {name!r} there{hint}")])


def measured_engine(name: str) -> str | None:
    """The engine of the package's own calibration that a name stands for; None for any other."""
    known = {it.lower(): it for it in load_calibration(DEFAULT).groups("engine")}
    return known.get(engine_named(name).lower())


@eqx.filter_jit
def _step(fitted: Fitted, terms: Terms) -> tuple[jax.Array, Fitted]:
    """The time, and the change of its logarithm for each logarithm of a loss."""
    time = jnp.asarray(fitted.time(terms))
    slopes = jax.grad(lambda it: jnp.log(it.time(terms)))(fitted)
    return time, jax.tree.map(lambda slope, value: slope * value, slopes, fitted)


@eqx.filter_jit
def _first_token(
    losses: PromptLosses,
    design: Design,
    model: Model,
    request: Request,
    lengths: Float[Array, "2"],
    step: Leaf,
) -> jax.Array:
    """Time to the first token of requests whose lengths vary, in a closed loop [s]."""
    isl, osl = lengths
    idle = eqx.tree_at(lambda it: it.batch, design, jnp.zeros_like(design.batch))
    prompts = Prompts(count=1, chunk=Chunk(tokens=isl))
    load = Load(
        users=design.batch,
        rate=0,
        answer=jnp.maximum(osl - 1, 1) * step,
        step=step,
        others=jnp.where(design.batch > 1, 1.0, 0.0),
        alike=0,
    )
    return jnp.asarray(
        losses.time(FirstToken(step_terms(idle, model, request, prompts=prompts), load))
    )


def filled_case(file: DesignFile) -> tuple[Design, Case]:
    """A design with its memories filled, and what goes with it."""
    case = problem_of(file).first()
    laws = case.laws(Exact())
    given = (exact_system(case), case.mapped(), case.batch, case.model, case.decoding, laws)
    return filled_design(*given), case


def step_time_of(file: DesignFile, calibration: Calibration, engine: Engine = TYPICAL) -> float:
    """Time of a token alone as a calibration predicts it [s].

    Args:
        file: The design.
        calibration: The calibration.
        engine: The engine.
    """
    design, case = filled_case(file)
    fitted = calibration.fitted(engine.name, _family(file), engine.release)
    terms = step_terms(design, case.model, case.decoding, case.laws(Exact()))
    return float(_step(fitted, terms)[0])


def calibrated_step(
    file: DesignFile,
    calibration: Calibration,
    engine: Engine = TYPICAL,
    lengths: RequestLengths | None = None,
) -> CalibratedStep:
    """Time of a token as a calibration predicts it, for a file that `predicted` accepts.

    Ranks share attention as the file says; `engine_attention` has it as engines do.
    """
    (name, release), family = engine, _family(file)
    design, case = filled_case(file)
    model, request, mapping = case.model, case.decoding, design.mapping
    fitted = calibration.fitted(name, family, release)
    time, slopes = _step(fitted, step_terms(design, model, request, case.laws(Exact())))
    by_term = {term: float(getattr(slopes, term)) for term in TERMS}
    width = np.exp(calibration.interval * calibration.spread(by_term, name, family, release))
    step = float(time)
    ttft = None
    if lengths is not None and calibration.prompts is not None:
        losses = calibration.prompts.losses(name, family)
        tokens = jnp.asarray([lengths.isl, lengths.osl], float)
        ttft = float(_first_token(losses, design, model, request, tokens, as_leaf(time)))
    return CalibratedStep(
        calibration=calibration.name,
        engine=name,
        release=release,
        attention=attention_name(file.design.attention.value),
        family=family if family in calibration.groups("family") else None,
        step_time=step,
        low=float(step / width),
        high=float(step * width),
        stps=float(mapping.pp * case.batch) / step,
        ttft=ttft,
    )
