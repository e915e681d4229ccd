"""Resuming a sweep: the folder of one that was stopped, if it is the same sweep."""

import json
from pathlib import Path
from typing import Any

from liminal_jax._files import InputError, Problem
from liminal_jax.sweeps.checkpoint import resumed
from liminal_jax.sweeps.folder import BEGUN, MANIFEST, complete, new_folder_of, unwritable
from liminal_jax.sweeps.plan import Plan
from liminal_jax.sweeps.reducing import empty_state


def resumed_folder_of(plan: Plan, folder: Path) -> Path:
    """The folder of a sweep to resume.

    Raises:
        InputError: it holds no sweep or another one, or cannot be written to.
    """
    if not (folder / MANIFEST).is_file():
        if (folder / BEGUN).is_file():
            for file in sorted(folder.iterdir(), key=lambda it: it.name == BEGUN):
                file.unlink()
            return new_folder_of(plan, str(folder), overwrite=None)
        problem = f"holds no sweep (there is no {MANIFEST} in it), so there is nothing to resume"
        raise InputError(str(folder), [Problem("", problem)])
    before = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    changes = list(_changes(before, plan.manifest(), ""))
    if changes:
        remedy = Problem("", "is another sweep, and is left as it is; begin one in a new folder")
        raise InputError(str(folder), [*changes[:10], remedy])
    try:
        if not complete(folder):
            resumed(folder, empty_state(plan))
    except OSError as error:
        raise unwritable(folder, error) from None
    return folder


def _changes(before: Any, now: Any, path: str) -> Any:
    """The differences of two manifests."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in dict.fromkeys([*before, *now]):
            inner = f"{path}.{key}" if path else key
            yield from _changes(before.get(key), now.get(key), inner)
    elif before != now:
        yield Problem(path, f"was {_short(before)}, is {_short(now)}")


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
