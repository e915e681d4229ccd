"""Run folders: what was asked, what was found, and how to find it again."""

import json
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax

from liminal_jax import __version__
from liminal_jax._files import InputError, Problem, unwritable

_MARK = "provenance.json"
"""A file of every run; only folders that hold it are ever replaced."""


def new_folder(name: str, output: str | None, overwrite: Any) -> Path:
    """Make a folder for a run: the one asked for, or the first free runs/NAME-K.

    Args:
        name: Name of the study.
        output: Folder asked for, if any.
        overwrite: Whether one that holds something may be emptied.

    Raises:
        InputError: the folder holds something, or cannot be made.
    """
    folder = Path(output) if output is not None else _first_free(Path("runs"), name)
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            if not overwrite:
                problem = "exists and is not empty; choose another, or give --overwrite"
                raise InputError(str(folder), [Problem("", problem)])
            if folder.is_dir() and not (folder / _MARK).exists():
                problem = f"holds no run (there is no {_MARK} in it), so it is not replaced"
                raise InputError(str(folder), [Problem("", problem)])
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(str(folder), [Problem("", unwritable(error))]) from None
    return folder


def _first_free(parent: Path, name: str) -> Path:
    number = 1
    while (parent / f"{name}-{number}").exists():
        number += 1
    return parent / f"{name}-{number}"


def _commit() -> str | None:
    """The commit of the checkout that the package lies in, if it does."""
    git = [
        "git",
        "-C",
        str(Path(__file__).parent),
        "describe",
        "--always",
        "--dirty",
        "--abbrev=40",
    ]
    try:
        answer = subprocess.run(git, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()


def provenance(seed: int | None) -> dict[str, Any]:
    """Where and with what a result was computed; without a seed where nothing is drawn."""
    device = jax.devices()[0]
    return {
        "liminal_jax": __version__,
        "commit": _commit(),
        "command": sys.argv,
        "seed": seed,
        "utc": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "python": platform.python_version(),
        "jax": jax.__version__,
        "device": f"{device.platform} {device.device_kind}",
        "float64": bool(jax.config.read("jax_enable_x64")),
    }


def write_run(folder: Path, texts: Mapping[str, str], objects: Mapping[str, Any]) -> None:
    """Write the files of a run, in folders where names have them: texts, and objects as JSON."""
    written = {name: json.dumps(record, indent=2) + "\n" for name, record in objects.items()}
    for name, text in {**texts, **written}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
