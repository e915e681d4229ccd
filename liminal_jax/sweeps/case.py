"""One case of a sweep: a study with its names chosen and some of its numbers free."""

import hashlib
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jax.numpy as jnp
from jaxtyping import Array

from liminal_jax._arrays import Scalar
from liminal_jax._files import InputError, did_you_mean
from liminal_jax._files import Problem as Mistake
from liminal_jax._smooth import Exact
from liminal_jax.data.catalogue import process_names, system_names, technology_names
from liminal_jax.data.models import model_names
from liminal_jax.mapping.attention import ATTENTION_MAPPINGS, attention_name
from liminal_jax.study.domain import Grid
from liminal_jax.study.domain import Names as Choice
from liminal_jax.study.file import DesignFile, DesignTable
from liminal_jax.study.problem import Problem
from liminal_jax.study.read import problem_of
from liminal_jax.sweeps.axis import Axis, Names
from liminal_jax.sweeps.leaves import changed
from liminal_jax.sweeps.outputs import OUTPUTS
from liminal_jax.sweeps.program import Program, program_of

OF_WORKLOAD = ("model", "accounting")
"""Names of the workload's table in a file; the others belong to the design's table."""


@dataclass(frozen=True)
class Case:
    """A case: one structure of the computation, compiled by itself.

    Attributes:
        names: The choice of each name.
        problem: The study with these choices.
        axes: The axes of numbers.
    """

    names: dict[str, str]
    problem: Problem
    axes: tuple[Axis, ...]

    @property
    def label(self) -> str:
        """The names that were chosen, or the name of the study."""
        return ", ".join(self.names.values()) or self.problem.file.name

    def outputs_at(self, values: Mapping[str, Scalar], outputs: tuple[str, ...]) -> list[Array]:
        """Outputs at one point, in their order.

        Args:
            values: Value of each axis by path, in SI.
            outputs: Names of the outputs.
        """
        case = changed(self.problem, values)
        fleet = case.fleet(Exact())
        ratios = self.problem.ratios(case, fleet, Exact())
        return [jnp.asarray(OUTPUTS[name].of(fleet, ratios), float) for name in outputs]

    def program(self, outputs: tuple[str, ...], inner: frozenset[int]) -> Program:
        """The program of some outputs as functions of the axes.

        Args:
            outputs: Names of the outputs.
            inner: Indices of the axes that vary within a block.
        """
        paths = [axis.path for axis in self.axes]

        def at(*values: Scalar) -> list[Array]:
            return self.outputs_at(dict(zip(paths, values, strict=True)), outputs)

        return program_of(at, [axis.ends for axis in self.axes], inner)


def fingerprint(program: Program) -> str:
    """A hash of every operation and constant of a program."""
    text = repr((program.instructions, program.outputs))
    return hashlib.sha256(text.encode()).hexdigest()


def free_names(file: DesignFile) -> list[Names]:
    """Names that a file leaves free."""
    found = []
    for path in ("system", "memory"):
        choice: Choice | None = getattr(file.design, path)
        if choice is not None and choice.free:
            found.append(Names(path, choice.names))
    attention = file.design.attention
    if attention.free:
        found.append(Names("attention", tuple(map(attention_name, attention.values))))
    return found


def check_names(names: Names, file: DesignFile) -> None:
    """Refuse unknown names, and names that the file has no place for.

    Raises:
        ValueError: a name is unknown, or does not apply to the file.
    """
    planned = file.design.system is None
    if names.path == "system" and planned:
        raise ValueError("system: this study plans a chip; vary memory or process instead")
    if names.path in ("memory", "process") and not planned:
        raise ValueError(f"{names.path}: this study names finished hardware; vary system instead")
    for name in names.choices:
        known = _KNOWN[names.path]()
        if name not in known and not Path(name).is_file():
            listed = (
                f"`liminal {names.path}s` lists those there are"
                if names.path in ("model", "system")
                else f"there are {', '.join(known)}"
            )
            hint = did_you_mean(name, known) or f"; {listed}"
            raise ValueError(f"{names.path}: there is no {names.path} {name!r}{hint}")


_KNOWN: dict[str, Callable[[], Sequence[str]]] = {
    "model": model_names,
    "accounting": lambda: ("model", "talk"),
    "system": system_names,
    "memory": technology_names,
    "process": process_names,
    "attention": lambda: tuple(ATTENTION_MAPPINGS),
}


def named_file(file: DesignFile, names: Mapping[str, str]) -> DesignFile:
    """A file with names chosen."""
    workload = {path: name for path, name in names.items() if path in OF_WORKLOAD}
    design: dict[str, Choice | Grid] = {
        path: Choice((name,)) for path, name in names.items() if path not in OF_WORKLOAD
    }
    if "attention" in names:
        place = tuple(ATTENTION_MAPPINGS).index(names["attention"])
        design["attention"] = Grid((float(place),), logarithmic=False)
    return file.model_copy(
        update={
            "workload": file.workload.model_copy(update=workload),
            "design": file.design.model_copy(update=design),
        }
    )


def with_design(file: DesignFile, values: Mapping[str, float]) -> DesignFile:
    """A file with some numbers of its design fixed, whether or not it states them."""
    grids = {name: Grid((value,), logarithmic=False) for name, value in values.items()}
    return file.model_copy(update={"design": file.design.model_copy(update=grids)})


def choices_of(names: list[Names]) -> list[dict[str, str]]:
    """Every combination of names, the last varying fastest."""
    paths = [it.path for it in names]
    combinations = itertools.product(*(it.choices for it in names))
    return [dict(zip(paths, chosen, strict=True)) for chosen in combinations]


def case_of(file: DesignFile, names: Mapping[str, str], axes: tuple[Axis, ...]) -> Case:
    """The case of some names.

    Raises:
        InputError: mistakes in files that are named.
    """
    free = {axis.path: axis.values[0] for axis in axes if axis.path in DesignTable.model_fields}
    chosen = with_design(named_file(file, names), free)
    try:
        return Case(dict(names), problem_of(chosen), axes)
    except InputError as error:
        label = ", ".join(names.values())
        problems = [Mistake(it.path, f"{it.message} ({label})") for it in error.problems]
        raise InputError(error.source, problems if label else error.problems) from None
