"""Numbers that a study states by their path: any leaf of its case, fixed or free.

They stand in `[design.numbers]` under the paths that `Space` takes in Python. What has a field of
its own in `[design]` is stated there.
"""

import dataclasses
from typing import Any, NamedTuple

import jax.numpy as jnp

from liminal_jax._files import InputError, Problem
from liminal_jax.data.formats import number_formats
from liminal_jax.hardware.planned import PlannedSystem
from liminal_jax.hardware.system import System
from liminal_jax.study.absent import ALGORITHM, absent_paths, present
from liminal_jax.study.case import Case
from liminal_jax.study.domain import Grid, Numbers, grid_of
from liminal_jax.study.paths import found_path
from liminal_jax.study.region import Region, Variable, paths_of
from liminal_jax.study.values import is_several
from liminal_jax.study.variables import FOLLOWING, PATHS, names_of, stated_at
from liminal_jax.workload.blocked_fp8 import is_blocked

HARDWARE = "system."
"""How paths of numbers of the hardware begin."""


class Stated(NamedTuple):
    """A number that is stated by its path.

    Attributes:
        written: The path as it is written.
        path: The path in a `Case`.
        grid: Its values.
    """

    written: str
    path: str
    grid: Grid


def stated_in(numbers: Numbers, case: Case, source: str) -> tuple[Stated, ...]:
    """The numbers that a design states by path.

    Args:
        numbers: The table of the file.
        case: The design with all that goes with it.
        source: The file, for messages.

    Raises:
        InputError: with every mistake: paths that lead nowhere, values that make no sense.
    """
    found: dict[str, Stated] = {}
    mistakes = []
    for written, value in numbers.stated.items():
        try:
            one = _stated(written, value, case)
            if one.path in found:
                raise ValueError(f"is {found[one.path].written!r} again; state it once")
            if one.path in absent_paths(case):
                case = present(case, one.path)
        except ValueError as error:
            mistakes.append(Problem(place_of(written), str(error)))
            continue
        found[one.path] = one
    if mistakes:
        raise InputError(source, mistakes)
    return tuple(found.values())


def place_of(written: str) -> str:
    """Where a file states a number by its path."""
    return written if written.startswith(f"{ALGORITHM}.") else f"design.numbers.{written}"


def _stated(written: str, value: Any, case: Case) -> Stated:
    known = (*paths_of(case), *absent_paths(case))
    path = found_path(written.removeprefix("design."), known)
    own = names_of(case).get(path)
    if own is not None:
        raise ValueError(f"has a field of its own: write {own} in [design]")
    if path == FOLLOWING and isinstance(case.system, PlannedSystem):
        raise ValueError("follows from the plan: write link_bandwidth in [design]")
    if path == "request.kv_bits" and is_blocked(case.model):
        raise ValueError("is fixed by kv_format; take the format 'plain' to choose bits")
    stated = stated_at(path)
    if stated.unit == "bits":
        value = [_bits(it) for it in value] if is_several(value) else _bits(value)
    domain = {"choices": value} if is_several(value) else value
    return Stated(written, path, grid_of(domain, stated))


def _bits(value: Any) -> Any:
    """The bits of a number format, if a value names one."""
    return number_formats()[value.lower()].bits if _names_format(value) else value


def _names_format(value: Any) -> bool:
    return isinstance(value, str) and value.lower() in number_formats()


def with_stated(region: Region, stated: tuple[Stated, ...]) -> Region:
    """A region with numbers stated by path: fixed, or free beside its own variables.

    Variables of the hardware come first, as workloads that share it want them. Levers and
    precisions that the case leaves out are there once they are stated.
    """
    case = region.case
    for it in stated:
        if it.path not in paths_of(case):
            case = present(case, it.path)
    region = dataclasses.replace(region, case=case)
    numbers = {it.path: jnp.asarray(it.grid.values[0]) for it in stated}
    free = [Variable(it.written, it.path, it.grid) for it in stated if it.grid.free]
    variables = sorted((*region.variables, *free), key=lambda it: not of_hardware(it.path))
    return dataclasses.replace(region.with_numbers(numbers), variables=tuple(variables))


def of_hardware(path: str) -> bool:
    """Whether a number is one of the hardware, or of how much of it there is."""
    return path.startswith(HARDWARE) or path in (PATHS["chips"], PATHS["clock"])


def hardware_with(
    system: System | PlannedSystem, case: Case, stated: tuple[Stated, ...]
) -> System | PlannedSystem:
    """Hardware of a case with the numbers that are stated by path.

    Args:
        system: Hardware of the same structure as the case's.
        case: The case.
        stated: The numbers.
    """
    if not stated:
        return system
    region = Region(dataclasses.replace(case, system=system), (), (), "")
    return with_stated(region, stated).case.system


def outside_hardware(numbers: Numbers, case: Case) -> Numbers:
    """Those of some numbers that are not of the hardware, so that other hardware may be tried."""
    kept = {it.written for it in stated_in(numbers, case, "") if not it.path.startswith(HARDWARE)}
    return Numbers({written: it for written, it in numbers.stated.items() if written in kept})
