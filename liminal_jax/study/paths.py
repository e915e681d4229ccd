"""The number or the part of a case that a user names."""

import difflib
from collections.abc import Iterable

from liminal_jax.study.variables import PATHS

NEAREST = 5
"""Names that an error suggests."""


def found_path(written: str, known: Iterable[str]) -> str:
    """The path that a user means: in full, by its short name, or with names on the way left out.

    Args:
        written: A short name such as `tp`, or names of fields joined by dots.
        known: Paths that there are.

    Raises:
        ValueError: there is none, or several; with the nearest.

    Examples:
        >>> found_path("tp", ["mapping.tp", "mapping.pp"])
        'mapping.tp'
        >>> found_path("chip.stacks", ["system.chip.plan.stacks", "system.chip.plan.dies"])
        'system.chip.plan.stacks'
    """
    paths = list(known)
    short = PATHS.get(written)
    if written in paths:
        return written
    if short in paths:
        return short
    ends = [it for it in paths if it.endswith(f".{written}")]
    fits = ends or [it for it in paths if _leaves_out(written, it)]
    if len(fits) == 1:
        return fits[0]
    if fits:
        raise ValueError(f"{written!r} may be any of {', '.join(fits[:NEAREST])}; say which")
    words = {it.rpartition(".")[2]: it for it in reversed(paths)} | {it: it for it in paths}
    names = {name: path for name, path in PATHS.items() if path in paths}
    near = difflib.get_close_matches(written, [*words, *names], NEAREST, 0.5)
    near += difflib.get_close_matches(written.rpartition(".")[2], words, NEAREST, 0.6)
    meant = list(dict.fromkeys(words.get(it, it) for it in near))[:NEAREST]
    hint = f"; did you mean {', '.join(meant)}?" if meant else ""
    raise ValueError(f"there is no number {written!r}{hint}")


def _leaves_out(written: str, path: str) -> bool:
    """Whether a path has the names of another in their order, the last one last."""
    names, parts = written.split("."), path.split(".")
    if names[-1] != parts[-1]:
        return False
    rest = iter(parts)
    return all(name in rest for name in names)
