"""What bad input gets: every mistake of a file at once, each with its place and its remedy."""

import difflib
import tomllib
from collections.abc import Iterable
from typing import NamedTuple


class Problem(NamedTuple):
    """One mistake: where it stands (dotted path, may be empty) and what to do about it."""

    path: str
    message: str


class InputError(Exception):
    """Raised for input that a user must mend; the command line answers it with exit code 2.

    Attributes:
        source: The file or flag that holds the mistakes, as the user named it.
        problems: All mistakes found there.
    """

    def __init__(self, source: str, problems: Iterable[Problem]):
        self.source = source
        self.problems = tuple(problems)
        super().__init__("\n".join(self.lines()))

    def lines(self) -> list[str]:
        """One line per mistake: `source: dotted.path: message`."""
        return [
            ": ".join(part for part in (self.source, problem.path, problem.message) if part)
            for problem in self.problems
        ]


def unreadable(error: Exception) -> str:
    """Why a file cannot be read, and what to do about it.

    Examples:
        >>> unreadable(FileNotFoundError(2, "No such file or directory"))
        'cannot be read: No such file or directory; check the path'
        >>> unreadable(UnicodeDecodeError("utf-8", b"?", 0, 1, "invalid start byte"))
        'is not UTF-8 text; save it as UTF-8'
        >>> unreadable(tomllib.TOMLDecodeError("Invalid value (at line 1, column 5)"))
        'is not valid TOML: Invalid value (at line 1, column 5); mend it there'
    """
    if isinstance(error, UnicodeDecodeError):
        return "is not UTF-8 text; save it as UTF-8"
    if isinstance(error, tomllib.TOMLDecodeError):
        return f"is not valid TOML: {error}; mend it there"
    if isinstance(error, IsADirectoryError):
        return "is a folder; name a file in it"
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror or error}; check the path"
    return f"cannot be read: {error}; mend it there"


def unwritable(error: OSError) -> str:
    """Why a file or folder cannot be written, and what to do about it.

    Examples:
        >>> unwritable(PermissionError(13, "Permission denied"))
        'cannot be written: Permission denied; choose another place'
    """
    return f"cannot be written: {error.strerror or error}; choose another place"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A suggestion to append to a message, or an empty string.

    Examples:
        >>> did_you_mean("bandwith", ["bandwidth", "capacity"])
        "; did you mean 'bandwidth'?"
    """
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


_BINARY = (
    (b"SQLite format 3", "an SQLite database"),
    (b"PK\x03\x04", "a zip archive or a spreadsheet"),
    (b"\x1f\x8b", "compressed with gzip"),
    (b"PAR1", "a Parquet file"),
    (b"GGUF", "a model's weights (GGUF)"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"\x80\x04", "a Python pickle"),
    (b"\xff\xfe", "text in UTF-16, not in UTF-8"),
    (b"\xfe\xff", "text in UTF-16, not in UTF-8"),
)
"""First bytes of files that are no text, and what they are."""


def binary(head: bytes, wanted: str) -> str:
    """What is wrong with a file by its first bytes, and what to give; empty where they are text.

    Examples:
        >>> binary(b"GGUF", "a config.json")
        "is a model's weights (GGUF): give a config.json"
        >>> binary(b"{}", "a config.json")
        ''
    """
    found = (name for mark, name in _BINARY if head.startswith(mark))
    name = next(found, "no text" if b"\x00" in head else "")
    return f"is {name}: give {wanted}" if name else ""
