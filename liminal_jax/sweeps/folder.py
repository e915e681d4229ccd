"""The run folder of a sweep."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from liminal_jax._files import InputError, Problem
from liminal_jax.study.folder import new_folder, provenance
from liminal_jax.sweeps.checkpoint import resumed, write_whole
from liminal_jax.sweeps.plan import Plan
from liminal_jax.sweeps.reducing import empty_state
from liminal_jax.sweeps.store import create

MANIFEST, RESULT = "manifest.json", "result.json"

BEGUN = ".begun"
"""Marks a folder that is being created and can be deleted without loss."""


def new_folder_of(plan: Plan, output: str | None, overwrite: Any) -> Path:
    """Create the folder of a new sweep.

    Raises:
        InputError: the folder holds something, cannot be made, or there is no room for the data.
    """
    folder = new_folder(plan.file.name, output, overwrite)
    origin = provenance(plan.spec.seed)
    try:
        (folder / BEGUN).touch()
        write_whole(folder / "provenance.json", _text(origin))
        if plan.spec.keep:
            create(folder, plan, {**origin, "manifest": json.dumps(plan.manifest())})
        resumed(folder, empty_state(plan))
        # The manifest comes last: a folder that has one has all the rest.
        write_whole(folder / MANIFEST, _text(plan.manifest()))
        (folder / BEGUN).unlink()
    except OSError as error:
        raise unwritable(folder, error) from None
    return folder


def complete(folder: Path) -> bool:
    """Whether a sweep is complete."""
    return (folder / RESULT).is_file()


def unwritable(folder: Path, error: OSError) -> InputError:
    """The error message where the disk cannot be written."""
    reason = error.strerror or str(error)
    problem = f"cannot be written: {reason}; what is done so far is kept, continue with --resume"
    return InputError(str(folder), [Problem("", problem)])


def _text(record: Mapping[str, Any]) -> bytes:
    return (json.dumps(record, indent=2) + "\n").encode()
