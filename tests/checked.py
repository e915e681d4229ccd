"""Types and shapes, checked at the first calls of each function in each file of tests.

Some functions are called a million times by one test: to check every call takes twice as long as
all else. What is looked at are the modules that tell shapes of arrays; pyright checks the rest.
"""

import re
import sys
from contextlib import suppress
from pathlib import Path

from beartype import beartype
from jaxtyping import install_import_hook

ROOT = Path(__file__).parent.parent

PACKAGES = (
    "bounds",
    "fit",
    "hardware",
    "laws",
    "mapping",
    "optimization",
    "performance",
    "sweeps",
)
"""Those that compute; others read files, and show what was found."""

CALLS = 200
"""Calls of a function that are checked in a file of tests."""

_DONE = []
"""Functions that have been called often enough."""


def check_shapes():
    """Check calls of what is imported from now on, where its module tells shapes."""
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for package in PACKAGES
        for path in (ROOT / "liminal_jax" / package).rglob("*.py")
        if re.search(r"from jaxtyping |_arrays import .*(Leaf|Scalar)", path.read_text())
    ]
    install_import_hook(modules, "tests.checked.checked")


def checked(function):
    """The function that jaxtyping calls to check a call of another one, for `CALLS` times."""
    check, calls = beartype(function), 0

    def counted(*args, **kwargs):
        nonlocal calls
        calls += 1
        if calls >= CALLS:
            calls = 0
            # The caller is jaxtyping's wrapper, which checks nothing where the function says so.
            with suppress(KeyError, AttributeError):
                of = sys._getframe(1).f_locals["fn"]
                of.__no_type_check__ = True
                _DONE.append(of)
        return check(*args, **kwargs)

    return counted


def check_again():
    """Check the first calls of every function once more."""
    for function in _DONE:
        function.__dict__.pop("__no_type_check__", None)
    _DONE.clear()
