"""Objectives and limits as a user gives them in Python: names, or functions of the prediction."""

import math
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import jax
import jax.numpy as jnp

from liminal_jax._arrays import Scalar
from liminal_jax._files import InputError, did_you_mean
from liminal_jax._files import Problem as Mistake
from liminal_jax.study.domain import in_si
from liminal_jax.study.problem import Criterion, Limit, criterion_named
from liminal_jax.study.quantities import NAMED, Asked, Fleet

Function: TypeAlias = Callable[[Fleet], Scalar]
"""A function of the prediction of the whole system."""


@dataclass(frozen=True)
class FunctionCriterion(Criterion):
    """A function that is best where it is largest or least; it may have any sign.

    The score is asinh(f / scale): the logarithm of f up to a constant where f is large against the
    scale, and defined where f is 0 or negative too.

    Attributes:
        scale: What is small for it.
    """

    scale: float = 1.0

    def score(self, fleet: Fleet) -> Scalar:
        """The score, of which more is better."""
        value = jnp.arcsinh(self.of(fleet) / self.scale)
        return value if self.maximise else -value

    def value(self, score: float) -> float:
        """The objective of a score."""
        return self.scale * math.sinh(score if self.maximise else -score)


@dataclass(frozen=True)
class FunctionLimit(Limit):
    """A function that must not be above 0.

    Attributes:
        scale: What is usual for it.
    """

    scale: float = 1.0

    def ratio(self, fleet: Fleet, used: Mapping[str, Scalar]) -> Scalar:
        """How far it is exceeded: exp(asinh(g / scale)), which is 1 where g is 0."""
        del used
        if self.of is None:
            raise TypeError("a limit of a function has one")
        return jnp.exp(jnp.arcsinh(self.of(fleet) / self.scale))

    def value(self, violation: float) -> float:
        """The value of the function, given the logarithm of the ratio."""
        return self.scale * math.sinh(violation)


@dataclass(frozen=True)
class Bound:
    """A limit on a quantity, see `at_most` and `at_least`."""

    name: str
    least: bool
    value: int | float | str
    percentile: int | float | None = None


def at_most(name: str, value: int | float | str, *, percentile: int | float | None = None) -> Bound:
    """A quantity must not be above a value.

    Args:
        name: A number of the prediction of the whole system, such as "power".
        value: In SI, or with a unit, such as "120 kW".
        percentile: Of the requests of `ll.Requests`, per cent for which it must hold; all where
            left out.
    """
    return Bound(name, least=False, value=value, percentile=percentile)


def at_least(
    name: str, value: int | float | str, *, percentile: int | float | None = None
) -> Bound:
    """A quantity must not be below a value, see `at_most`."""
    return Bound(name, least=True, value=value, percentile=percentile)


def quantity_named(name: str) -> Asked:
    """A number of the prediction of the whole system, or of one instance, by name.

    Raises:
        ValueError: there is none.
    """
    name = "capital_cost" if name == "capital" else name
    if name in NAMED:
        return NAMED[name]
    hint = did_you_mean(name, NAMED) or f"; there are {', '.join(NAMED)}"
    raise ValueError(f"there is no quantity {name!r}{hint}")


def criterion(
    what: str | Function | Criterion, example: Callable[[], Fleet], *, maximise: bool
) -> Criterion:
    """What is best.

    Args:
        what: A name, or a function of the prediction of the whole system.
        example: A prediction to try a function on, worked out where there is one.
        maximise: Whether more of it is better.

    Raises:
        InputError: there is no such quantity, or what is wrong with the function.
    """
    if isinstance(what, Criterion):
        return what
    path = "maximise" if maximise else "minimise"
    if isinstance(what, str):
        asked = _named(what, path)
        return criterion_named(what, asked, maximise=maximise)
    value = _tried(what, example(), path)
    small = 1e-9 * abs(value) if value and math.isfinite(value) else 1e-9
    return FunctionCriterion(_name(what, "objective"), "", what, maximise, small)


def limit(what: Bound | Function | Limit, example: Callable[[], Fleet]) -> Limit:
    """A limit of a study.

    Args:
        what: What `at_most` or `at_least` make, or a function that must not be above 0.
        example: A prediction to try a function on, worked out where there is one.

    Raises:
        InputError: there is no such quantity, or what is wrong with the function or the value.
    """
    if isinstance(what, Limit):
        return what
    if isinstance(what, Bound):
        if what.percentile is not None:
            message = "percentiles are of many requests; state them in ll.Requests.on"
            raise InputError("limits", [Mistake(what.name, message)])
        asked = _named(what.name, "limits")
        try:
            bound = in_si(what.value, asked.unit)
        except ValueError as error:
            raise InputError("limits", [Mistake(what.name, str(error))]) from None
        if not bound > 0:
            message = f"must be greater than 0, got {what.value!r}; state others as a function"
            raise InputError("limits", [Mistake(what.name, message)])
        return Limit(what.name, what.least, bound, asked.unit, asked.of)
    value = _tried(what, example(), "limits")
    usual = abs(value) if value and math.isfinite(value) else 1.0
    return FunctionLimit(_name(what, "limit"), False, 0.0, "", what, usual)


def limits(
    them: Iterable[Bound | Function | Limit], example: Callable[[], Fleet]
) -> tuple[Limit, ...]:
    """Limits of a study, those of one name numbered."""
    found, names = [], []
    for it in them:
        one = limit(it, example)
        names.append(one.name)
        again = names.count(one.name)
        if isinstance(one, FunctionLimit) and again > 1:
            one = replace(one, name=f"{one.name}-{again}")
        found.append(one)
    return tuple(found)


def _name(function: Function, otherwise: str) -> str:
    name = getattr(function, "__name__", otherwise)
    return otherwise if name == "<lambda>" else name


def _named(name: str, path: str) -> Asked:
    try:
        return quantity_named(name)
    except ValueError as error:
        raise InputError(path, [Mistake("", str(error))]) from None


def _tried(function: Function, fleet: Fleet, path: str) -> float:
    """The value of a function of a prediction, traced first as a search traces it.

    Raises:
        InputError: it cannot be traced, or is no number.
    """
    name = _name(function, "the function")
    try:
        traced = jax.eval_shape(function, fleet)
    except (jax.errors.TracerBoolConversionError, jax.errors.ConcretizationTypeError) as error:
        message = (
            f"{name} decides by the value of a number that is traced{_line(function, error)}; write"
            " jnp.where(condition, one, other) instead of if, and jnp functions instead of math"
        )
        raise InputError(path, [Mistake("", message)]) from None
    except (AttributeError, TypeError) as error:
        missing = getattr(error, "name", None)
        hint = did_you_mean(missing, NAMED) if isinstance(missing, str) else ""
        message = f"{name} fails{_line(function, error)}: {error}{hint}"
        raise InputError(path, [Mistake("", message)]) from None
    if getattr(traced, "shape", None) != ():
        shape = getattr(traced, "shape", type(traced).__name__)
        message = f"{name} must return one number, got {shape}"
        raise InputError(path, [Mistake("", message)])
    return float(function(fleet))


def _line(function: Function, error: Exception) -> str:
    """Where in its own file a function failed."""
    code = getattr(function, "__code__", None)
    lines = [
        it.lineno
        for it in traceback.extract_tb(error.__traceback__)
        if code is not None and it.filename == code.co_filename
    ]
    return f" (line {lines[-1]} of {code.co_filename})" if code and lines else ""
