"""Files of questions: one of their tables tells which kind of question a file asks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from liminal_jax._files import InputError, Problem, did_you_mean
from liminal_jax.study.bundled import STUDIES, study_names
from liminal_jax.study.coupled import AbstractCoupled
from liminal_jax.study.file import (
    DesignFile,
    PortfolioFile,
    StudyFile,
    beside,
    checked,
    tables_at,
)
from liminal_jax.study.layers.file import LayersFile, layers_problem_of
from liminal_jax.study.pools.file import PoolsFile
from liminal_jax.study.pools.read import pools_of
from liminal_jax.study.requests.file import RequestsFile
from liminal_jax.study.requests.problem import requests_of

QuestionFile: TypeAlias = StudyFile | PortfolioFile | LayersFile | RequestsFile | PoolsFile
"""A file that asks for the best design."""

KINDS: dict[str, type[QuestionFile]] = {
    "workloads": PortfolioFile,
    "per_layer": LayersFile,
    "trace": RequestsFile,
    "pools": PoolsFile,
}
"""What reads a file, by the table that tells its kind; a file with none is a `StudyFile`."""

BUILDERS: dict[type[QuestionFile], Callable[[Any], AbstractCoupled]] = {
    LayersFile: layers_problem_of,
    RequestsFile: requests_of,
    PoolsFile: pools_of,
}
"""What makes a problem of many members of a file, by what reads it."""


def load_question(name_or_path: str) -> QuestionFile:
    """A study that comes with the package, by name, or a user's own, by path.

    Raises:
        InputError: there is no such file, or it has mistakes; all of them.
    """
    if name_or_path in study_names():
        path = STUDIES / f"{name_or_path}.toml"
        return _question(tables_at(path), f"studies/{path.name}")
    path = Path(name_or_path)
    if not path.is_file():
        hint = did_you_mean(name_or_path, study_names())
        known = hint or "; `liminal studies` lists those there are, or give the path of a file"
        raise InputError("", [Problem("", f"there is no study {name_or_path!r}{known}")])
    return _question(beside(tables_at(path), path), str(path))


def _question(tables: dict[str, Any], source: str) -> QuestionFile:
    found = [name for name in KINDS if name in tables]
    if len(found) > 1:
        message = f"give one of {' and '.join(map(repr, found))}: each is a question of its own"
        raise InputError(source, [Problem(found[0], message)])
    return checked(KINDS[found[0]] if found else StudyFile, tables, source)


def load_study(name_or_path: str) -> StudyFile:
    """A study of one workload.

    Raises:
        InputError: see `load_question`; or it is a question of another kind.
    """
    return _of_one_workload(load_question(name_or_path), name_or_path)


def _of_one_workload(file: QuestionFile, source: str) -> StudyFile:
    if type(file) is StudyFile:
        return file
    (table,) = (name for name, kind in KINDS.items() if type(file) is kind)
    message = f"one workload is wanted here; only 'liminal optimize' takes {table!r}"
    raise InputError(source, [Problem(table, message)])


def load_space(name_or_path: str) -> DesignFile:
    """A study of one workload, or a design in which variables may be free.

    Raises:
        InputError: see `load_study`.
    """
    path = Path(name_or_path)
    if name_or_path in study_names() or not path.is_file():
        return load_study(name_or_path)
    tables = tables_at(path)
    if "objective" in tables or not KINDS.keys().isdisjoint(tables):
        return _of_one_workload(_question(beside(tables, path), str(path)), name_or_path)
    return checked(DesignFile, beside(tables, path), name_or_path)
