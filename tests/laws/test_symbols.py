"""Equations of the laws speak one language: the letters of one table, and names written out."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

from liminal_jax import laws

NAMES = sorted(it.stem for it in Path(laws.__file__).parent.glob("*.py") if it.stem != "__init__")
MODULES = {name: importlib.import_module(f"{laws.__name__}.{name}") for name in NAMES}
LAWS = {
    f"{name}.{label}": law
    for name, module in MODULES.items()
    for label, law in inspect.getmembers(module, inspect.isfunction)
    if law.__module__ == module.__name__ and not label.startswith("_")
}
SYMBOL = r"[A-Za-z]\w*"
WORDS = {"argmax", "at", "exp", "log2", "max", "min", "of", "pi", "quantile", "root", "sqrt", "sum"}
"""Functions, and what joins equations."""


def lines_of(docstring: str) -> list[str]:
    """The indented lines of a docstring before its sections."""
    return re.findall(r"^    .*", re.split(r"^Args:", docstring, flags=re.M)[0], re.M)


TABLE = {symbol for line in lines_of(inspect.getdoc(laws)) for symbol in line.split()[:1]}


def in_table(symbol: str) -> bool:
    return symbol in TABLE or symbol.startswith("T_")


def is_known(symbol: str) -> bool:
    """Whether the table has a symbol, or it is a word."""
    return in_table(symbol) or len(symbol.split("_")[0]) > 1


def test_every_law_has_a_file_of_tests() -> None:
    missing = [it for it in NAMES if not (Path(__file__).parent / f"test_{it}.py").exists()]
    assert missing == []


@pytest.mark.parametrize("name", NAMES)
def test_letters_of_a_file_are_in_the_table(name: str) -> None:
    equations = " ".join(lines_of(MODULES[name].__doc__))
    assert all(is_known(symbol) for symbol in re.findall(SYMBOL, equations))


@pytest.mark.parametrize("name", LAWS)
def test_an_equation_has_the_letters_of_the_table_and_the_names_of_arguments(name: str) -> None:
    docstring = inspect.getdoc(LAWS[name])
    lines = lines_of(docstring)
    equations = "\n".join(lines)
    results = set(re.findall(rf"({SYMBOL}) +=", equations))
    assert results
    assert all(is_known(result) for result in results)
    symbols = set(re.findall(SYMBOL, equations)) - results - WORDS
    letters = {symbol for symbol in symbols if in_table(symbol)}
    assert symbols - letters <= set(inspect.signature(LAWS[name]).parameters)
    # A letter of the table is said where its argument is described.
    prose = "\n".join(line for line in docstring.splitlines() if line not in lines)
    assert [it for it in letters if not re.search(rf"\b{it}\b", prose)] == []
