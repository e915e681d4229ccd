"""Programs that are kept between processes, so that none need be traced again.

JAX keeps what it compiled, but finds it by the traced program, and tracing takes longer than all
else of a prediction. Here a program is found by what it is traced from: the code of this package
and of JAX, the machine, and the structure of the arguments. What is loaded is what was compiled, so
numbers are the same to the last bit. It lies in a folder of JAX's own cache, where that is on;
like that cache it holds code, and is as safe as the folder that it lies in.
"""

import hashlib
import io
import os
import pickle
import platform
import secrets
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial, wraps
from importlib.metadata import version
from pathlib import Path
from threading import get_ident
from types import FunctionType
from typing import Any, ParamSpec, TypeVar, cast

import equinox as eqx
import jax
import numpy as np
from jax.core import AbstractValue, Tracer
from jax.experimental.serialize_executable import deserialize_and_load, serialize
from typing_extensions import override

from liminal_jax._once import evaluation

Inputs = ParamSpec("Inputs")
Output = TypeVar("Output")
Program = Callable[[list[Any]], Any]
"""From the arrays of the arguments to the result."""

FOLDER = "programs"
"""Where programs lie in the folder of JAX's compilation cache."""

COVERED = frozenset({"liminal_jax", "jax", "jaxlib", "equinox", "numpy", "optax"})
"""Packages whose code a program may depend on: their versions are known, or their files."""

MOST = 1_000
"""Programs and traces that are kept; beyond them the oldest go. One takes an eighth of a megabyte
on average."""


def kept(
    function: Callable[Inputs, Output], compiler_options: dict[str, Any] | None = None
) -> Callable[Inputs, Output]:
    """A function of pytrees compiled as a whole, once for each structure of its arguments.

    Args:
        function: A pure function at the top of a module; it depends on its arguments and on code.
        compiler_options: Options of XLA.
    """
    options: Any = {} if compiler_options is None else {"compiler_options": compiler_options}
    plain = eqx.filter_jit(function, **options)
    programs: dict[bytes, Program] = {}

    @wraps(function)
    def call(*args: Inputs.args, **kwargs: Inputs.kwargs) -> Output:
        if not jax.config.values["jax_compilation_cache_dir"]:
            return cast("Output", plain(*args, **kwargs))
        given = Call.of(function, args, kwargs, options)
        path = given.file("program")
        if given.key is None or path is None or not _at_first_device(given.leaves):
            return cast("Output", plain(*args, **kwargs))
        if given.key not in programs:
            programs[given.key] = _loaded(path) or _compiled(path, given, options)
        return programs[given.key](given.leaves)

    return call


@dataclass(frozen=True)
class Call:
    """A function with its arguments: numbers, and what a program of it depends on.

    Attributes:
        function: The function.
        leaves: Arrays of the arguments.
        arguments: The arguments of some arrays in their places: positional, and by name.
        key: What a program depends on beside the code; none where that is not known.
    """

    function: Callable[..., Any]
    leaves: list[Any]
    arguments: Callable[[list[Any]], tuple[tuple[Any, ...], dict[str, Any]]]
    key: bytes | None

    @staticmethod
    def of(
        function: Callable[..., Any], args: Any, kwargs: Any = None, options: Any = None
    ) -> "Call":
        """A call.

        Args:
            function: The function.
            args: Its arguments.
            kwargs: Its arguments by name.
            options: What else a program depends on.
        """
        arrays, static = eqx.partition((args, kwargs or {}), eqx.is_array)
        leaves, structure = jax.tree.flatten(arrays)

        def arguments(leaves: list[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
            return cast("Any", eqx.combine(jax.tree.unflatten(structure, leaves), static))

        key = None
        # A function within another may depend on more than its arguments.
        if "<" not in function.__qualname__:
            types = [_type(jax.typeof(it)) for it in leaves]
            asked = (jax.tree.unflatten(structure, types), static, options or {}, _setting())
            key = _key((function.__module__, function.__qualname__, asked))
        return Call(function, leaves, arguments, key)

    def of_leaves(self, leaves: list[Any]) -> Any:
        """The result of the function of other arrays."""
        args, kwargs = self.arguments(leaves)
        return evaluation(self.function)(*args, **kwargs)

    def file(self, kind: str) -> Path | None:
        """Where what is kept of it lies, by what it is; none where nothing is kept."""
        folder = jax.config.values["jax_compilation_cache_dir"]
        if not folder or self.key is None:
            return None
        content = kind.encode() + _code() + self.key
        return Path(folder) / FOLDER / hashlib.sha256(content).hexdigest()


class _Pickler(pickle.Pickler):
    """Refuses what depends on code that `_code` does not cover, such as a user's functions."""

    @override
    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, type | FunctionType):
            package = obj.__module__.partition(".")[0]
            if package not in COVERED and package not in sys.stdlib_module_names:
                raise pickle.PicklingError(f"{obj.__qualname__} may change")
        return NotImplemented


@cache
def _type(type_: AbstractValue) -> str:
    """Width, shape and the like in words, which take longer to find than a program to run."""
    return str(type_)


def _key(asked: Any) -> bytes | None:
    """What a program depends on as bytes; none where it cannot be known again."""
    content = io.BytesIO()
    try:
        _Pickler(content).dump(asked)
    except (pickle.PicklingError, AttributeError, TypeError):
        # A function without a name is not known again in another process.
        return None
    return content.getvalue()


def _at_first_device(leaves: Sequence[Any]) -> bool:
    """Whether a program for the first device can take arguments: ones with values, and there."""
    if jax.config.values["jax_default_device"] is not None:
        return False
    first = {jax.devices()[0]}
    return not any(
        isinstance(it, Tracer) or (isinstance(it, jax.Array) and it.devices() != first)
        for it in leaves
    )


def _setting() -> tuple[str, ...]:
    """What a program depends on beside code and arguments, and what may change in a process."""
    return str(jax.config.values["jax_enable_x64"]), str(jax.devices()[0])


@cache
def _code() -> bytes:
    """The machine, JAX and this package, in so far as a program depends on them."""
    files = sorted(Path(__file__).parent.rglob("*.py"))
    stamps = [(str(it), it.stat().st_mtime_ns, it.stat().st_size) for it in files]
    versions = (
        jax.__version__,
        eqx.__version__,
        np.__version__,
        *map(version, ("jaxlib", "optax")),
    )
    return pickle.dumps((stamps, versions, os.environ.get("XLA_FLAGS"), tuple(platform.uname())))


def apart(result: Any, array: Callable[[Any], bool]) -> tuple[list[Any], tuple[Any, Any]]:
    """The arrays of a result; and the result with their numbers in their places, and its rest.

    Args:
        result: A pytree.
        array: What of it is an array.
    """
    arrays, rest = eqx.partition(result, array)
    found, structure = jax.tree.flatten(arrays)
    return found, (jax.tree.unflatten(structure, range(len(found))), rest)


def together(found: Sequence[Any], places: Any, rest: Any) -> Any:
    """The result of some arrays, which stand where their numbers are: the inverse of `apart`."""
    return eqx.combine(jax.tree.map(lambda number: found[number], places), rest)


def _program(compiled: jax.stages.Compiled, places: Any, rest: Any) -> Program:
    """A compiled function of leaves, whose results are put where their numbers are."""
    return lambda leaves: together(compiled(leaves), places, rest)


def _compiled(path: Path, call: Call, options: Any) -> Program:
    """A program, compiled and written down."""
    skeleton: list[Any] = []
    leaves = call.leaves

    def flat(leaves: list[Any]) -> list[Any]:
        found, skeleton[:] = apart(call.of_leaves(leaves), eqx.is_array)
        return found

    # A name that JAX's cache does not know: what comes out of that cache cannot be written again.
    flat.__name__ = f"kept_{secrets.token_hex(8)}"
    compiled = jax.jit(flat, **options).lower(leaves).compile()
    # What cannot be written, or does not come back the same, is compiled again next time.
    with suppress(Exception):
        executable = serialize(compiled)
        again = _restored(executable)(leaves)
        if all(map(partial(np.array_equal, equal_nan=True), compiled(leaves), again)):
            write(path, pickle.dumps((*executable, *skeleton)))
    return _program(compiled, *skeleton)


def _restored(executable: Sequence[Any]) -> jax.stages.Compiled:
    """A program for the first device: JAX would take it for one of all devices."""
    return deserialize_and_load(*executable, execution_devices=jax.devices()[:1])


def _loaded(path: Path) -> Program | None:
    """A program that was written down; none where there is none that can be read."""
    try:
        *executable, results, static = pickle.loads(path.read_bytes())
        return _program(_restored(executable), results, static)
    except Exception:
        # Whatever ails a file of a cache, the program is compiled again.
        return None


def write(path: Path, content: bytes) -> None:
    """Replace a file as a whole, and drop the oldest where there are too many."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{os.getpid()}-{get_ident()}")
    draft.write_bytes(content)
    draft.replace(path)
    there = sorted(path.parent.glob("[!.]*"), key=lambda it: it.stat().st_mtime)
    for old in there[:-MOST]:
        old.unlink(missing_ok=True)
