"""Types and shapes, checked at the first calls of each function in each file of tests.

Some functions are called a million times by one test: to check every call takes twice as long as
all else.
"""

import sys
from contextlib import suppress

from beartype import beartype

CALLS = 200
"""Calls of a function that are checked in a file of tests."""

_DONE = []
"""Functions that have been called often enough."""


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
