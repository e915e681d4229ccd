"""A traced function as a list of operations: to read, to keep, and to evaluate without compiling.

A chain of thousands of operations on a few numbers takes seconds to trace and longer to compile,
and a fraction of a second to evaluate in NumPy. So what is asked only some dozens of times is not
compiled; and the list, unlike a trace of JAX, is kept between processes, as programs are.
"""

import io
import pickle
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, wraps
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, ParamSpec, TypeAlias, TypeVar, cast

import equinox as eqx
import jax
import numpy as np
from jax.core import Tracer
from jax.extend.core import JaxprEqn, Literal, Primitive, primitives
from typing_extensions import override

from liminal_jax._kept import Call, apart, together, write
from liminal_jax._once import evaluation
from liminal_jax._primitives import SEVERAL, Number, Operation, in_numpy

Inputs = ParamSpec("Inputs")
Output = TypeVar("Output")

_CALLS = ("closed_call", "core_call", "custom_jvp_call", "custom_vjp_call", "jit", "pjit", "remat2")
"""Primitives that call a function once."""

_SAME = ("copy", "copy_p", "stop_gradient")
"""Primitives whose result is their operand."""

_ALSO_CALLED = {"add_any": "add"}
"""Primitives equal to another one: derivatives are summed by a separate primitive."""

_KNOWN = {
    it.name: it for it in map(primitives.__dict__.get, dir(primitives)) if isinstance(it, Primitive)
}


class Equation(NamedTuple):
    """One operation.

    Attributes:
        name: Name of the primitive.
        parameters: Its static parameters.
        operands: Places of its operands.
        results: Places of its results.
        kind: Kind of the first operand, as NumPy has it; empty where there is none.
        primitive: The primitive, where only JAX computes it.
    """

    name: str
    parameters: dict[str, Any]
    operands: tuple[int, ...]
    results: tuple[int, ...]
    kind: str
    primitive: Any

    def of(self, *operands: Number) -> list[Number]:
        """Its results."""
        found = self.operation()(*operands)
        return [*found] if self.several else [found]

    @property
    def several(self) -> bool:
        """Whether it gives a list of results, and not a single one."""
        return self.name in SEVERAL if self.primitive is None else self.primitive.multiple_results

    def operation(self) -> Operation:
        """From operands to the result, or to a list of them; in NumPy where it is known there."""
        primitive, parameters = self.primitive, self.parameters
        if primitive is not None:

            def by_jax(*operands: Number) -> Any:
                return jax.tree.map(np.asarray, primitive.bind(*operands, **parameters))

            return by_jax
        run = in_numpy(self.name, parameters, self.kind, len(self.operands))
        if run is None:
            raise NotImplementedError(self.name)
        return run


@dataclass(frozen=True)
class Traced:
    """A function as a list of operations on numbered places.

    Attributes:
        equations: The operations, operands first.
        constants: Values of places that no operation computes.
        inputs: Places of the arguments.
        outputs: Places of the results.
        result: The result of the function, with numbers of the outputs in the places of arrays and
            numbers, and what of it is neither.
    """

    equations: tuple[Equation, ...]
    constants: dict[int, np.ndarray]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    result: tuple[Any, Any]

    @cached_property
    def run(self) -> Callable[..., list[np.ndarray]]:
        """The function of all its arguments, in NumPy."""
        return self.given(())

    def evaluated(self, leaves: Sequence[Any]) -> Any:
        """The result of the function of some arrays, as JAX has it.

        Args:
            leaves: The arrays of the arguments.
        """
        # Else what JAX computes would go into a trace that the caller is in the middle of.
        with jax.ensure_compile_time_eval():
            found = jax.device_put(self.run(*map(np.asarray, leaves)))
        return together(found, *self.result)

    def given(self, values: Sequence[Any]) -> Callable[..., list[np.ndarray]]:
        """The function of its last arguments, in NumPy.

        What depends on the first arguments alone is computed here, once.

        Args:
            values: The first arguments.
        """
        first, last = self.inputs[: len(values)], self.inputs[len(values) :]
        known: dict[int, Any] = dict(self.constants)
        known.update(zip(first, map(np.asarray, values), strict=True))
        steps: list[_Step] = []
        for equation in self.equations:
            results = equation.results if equation.several else equation.results[0]
            step = equation.operation(), equation.operands, results
            if known.keys() >= set(equation.operands):
                with np.errstate(all="ignore"):
                    _run([step], known)
            else:
                steps.append(step)

        def of_last(*arguments: np.ndarray) -> list[np.ndarray]:
            found = {**known, **dict(zip(last, arguments, strict=True))}
            with np.errstate(all="ignore"):
                _run(steps, found)
            return [np.asarray(found[it]) for it in self.outputs]

        return of_last


_Step: TypeAlias = tuple[Operation, tuple[int, ...], int | tuple[int, ...]]
"""What is computed, of which places, and where the result goes, or the results."""


def _run(steps: Iterable[_Step], known: dict[int, Any]) -> None:
    """Compute the results of some operations."""
    for operation, operands, results in steps:
        found = operation(*[known[it] for it in operands])
        if isinstance(results, int):
            known[results] = found
        else:
            known.update(zip(results, found, strict=True))


def traced(function: Callable[..., Any], *arguments: Any, whole: tuple[str, ...] = ()) -> Traced:
    """The operations from the arrays of the arguments to those of the result, in their orders.

    Args:
        function: A pure function at the top of a module; it depends on its arguments and on code.
        arguments: Pytrees of arrays, and of anything else that the function depends on.
        whole: Names of functions that are operations here, and not what they do; such a list is to
            be read, and not to be evaluated.
    """
    return _remembered(Call.of(function, arguments, options={"whole": whole}), whole)


def _remembered(call: Call, whole: tuple[str, ...]) -> Traced:
    """The trace of a call, from this process or another one where it is known there."""
    if call.key is None:
        return _flat(call, whole)
    if call.key not in _TRACED:
        path = call.file("trace")
        known = None if path is None else _loaded(path)
        _TRACED[call.key] = known or _written(path, _flat(call, whole))
    return _TRACED[call.key]


_TRACED: dict[bytes, Traced] = {}


def listed(function: Callable[Inputs, Output]) -> Callable[Inputs, Output]:
    """A function of pytrees that is evaluated as a list of operations, and never compiled.

    For what is asked some dozens of times: a prediction takes seconds to compile, or a fifth of one
    where JAX dispatches each operation, and some milliseconds so. Where it is itself traced, or
    depends on functions of a user, it is the function as it stands.

    Args:
        function: A pure function at the top of a module; it depends on its arguments and on code.
    """
    plain = evaluation(function)

    @wraps(function)
    def call(*args: Inputs.args, **kwargs: Inputs.kwargs) -> Output:
        if any(isinstance(it, Tracer) for it in jax.tree.leaves((args, kwargs))):
            return plain(*args, **kwargs)
        given = Call.of(function, args, kwargs)
        if given.key is None:
            return plain(*args, **kwargs)
        return cast("Output", _remembered(given, ()).evaluated(given.leaves))

    return call


def _flat(call: Call, whole: tuple[str, ...]) -> Traced:
    """The trace of a call."""
    skeleton: list[Any] = []

    def arrays_of(leaves: list[Any]) -> list[Any]:
        found, skeleton[:] = apart(call.of_leaves(leaves), eqx.is_array_like)
        return found

    closed = jax.make_jaxpr(arrays_of)(call.leaves)
    places, rest = skeleton
    flattening = _Flattening(whole)
    inputs = [flattening.place() for _ in closed.jaxpr.invars]
    outputs = flattening.run(closed, inputs)
    return Traced(
        equations=tuple(_needed(flattening.equations, outputs)),
        constants=flattening.constants,
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        result=(places, rest),
    )


class _Flattening:
    """Replaces calls of functions by what they do, and does the same only once.

    Attributes:
        equations: The operations so far.
        constants: Values of places that no operation computes.
    """

    def __init__(self, whole: tuple[str, ...]):
        self._whole = whole
        self.equations: list[Equation] = []
        self.constants: dict[int, np.ndarray] = {}
        self._places = count()
        self._done: dict[tuple, tuple[int, ...]] = {}
        self._constants: dict[tuple, int] = {}

    def place(self) -> int:
        """A new place."""
        return next(self._places)

    def constant(self, value: Any, dtype: Any = None) -> int:
        """The place of a constant."""
        array = np.asarray(value, dtype)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            self._constants[key] = self.place()
            self.constants[self._constants[key]] = array
        return self._constants[key]

    def run(self, function: Any, operands: Sequence[int]) -> list[int]:
        """Places of the results of a function, given those of its operands."""
        # Before JAX 0.12 a Jaxpr has its constants in an object around it, if it has any.
        jaxpr = getattr(function, "jaxpr", function)
        known: dict[Any, int] = dict(zip(jaxpr.invars, operands, strict=True))
        constants = getattr(function, "consts", ())
        known.update(zip(jaxpr.constvars, map(self.constant, constants), strict=True))

        def read(variable: Any) -> int:
            if isinstance(variable, Literal):
                return self.constant(variable.val, getattr(variable.aval, "dtype", None))
            return known[variable]

        for equation in jaxpr.eqns:
            results = self._equation(equation, [*map(read, equation.invars)])
            known.update(zip(equation.outvars, results, strict=True))
        return [*map(read, jaxpr.outvars)]

    def _equation(self, equation: JaxprEqn, operands: list[int]) -> Sequence[int]:
        primitive, parameters = equation.primitive, equation.params
        name = _ALSO_CALLED.get(primitive.name, primitive.name)
        if parameters.get("name") in self._whole:
            name, parameters = parameters["name"], {}
        elif primitive.name in _CALLS:
            return self.run(parameters.get("jaxpr", parameters.get("call_jaxpr")), operands)
        if primitive.name in _SAME:
            return operands
        key = (name, repr(sorted(parameters.items())), *operands)
        if key not in self._done:
            first = equation.invars[0].aval if operands else None
            kind = getattr(getattr(first, "dtype", None), "kind", "")
            by_numpy = in_numpy(name, parameters, kind, len(operands))
            self._done[key] = tuple(self.place() for _ in equation.outvars)
            self.equations.append(
                Equation(
                    name=name,
                    parameters=parameters,
                    operands=tuple(operands),
                    results=self._done[key],
                    kind=kind,
                    primitive=None if by_numpy or name in self._whole else primitive,
                )
            )
        return self._done[key]


def _needed(equations: Sequence[Equation], outputs: Iterable[int]) -> list[Equation]:
    """The operations that the results depend on, in order."""
    wanted, kept = {*outputs}, []
    for equation in reversed(equations):
        if not wanted.isdisjoint(equation.results):
            wanted |= {*equation.operands}
            kept.append(equation)
    return kept[::-1]


class _Pickler(pickle.Pickler):
    """Writes primitives by their names."""

    @override
    def persistent_id(self, obj: Any) -> str | None:
        named = isinstance(obj, Primitive) and _KNOWN.get(obj.name) is obj
        return obj.name if named else None


class _Unpickler(pickle.Unpickler):
    """Reads what `_Pickler` wrote."""

    @override
    def persistent_load(self, pid: str) -> Primitive:
        return _KNOWN[pid]


def _loaded(path: Path) -> Traced | None:
    """A trace that was written down; none where there is none that can be read."""
    try:
        return _Unpickler(io.BytesIO(path.read_bytes())).load()
    except Exception:
        # Whatever ails a file of a cache, the function is traced again.
        return None


def _written(path: Path | None, trace: Traced) -> Traced:
    """A trace, written down where it can be."""
    if path is None:
        return trace
    content = io.BytesIO()
    # A loop holds a trace of JAX, which cannot be written.
    with suppress(Exception):
        _Pickler(content).dump(trace)
        write(path, content.getvalue())
    return trace
