"""What a run leaves behind: a folder, the results, and how they came about."""

import json
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import liminal_jax as ll

ROOT = Path(__file__).resolve().parent.parent
"""The folder that holds the experiments, a checkout or not."""


def next_folder(name: str) -> Path:
    """The first of `runs/NAME-1`, `runs/NAME-2`, ... that does not exist."""
    folders = (Path("runs") / f"{name}-{number}" for number in count(1))
    return next(folder for folder in folders if not folder.exists())


def check_unused(folder: Path) -> None:
    """Refuse a folder in which something lies already.

    Raises:
        FileExistsError: The folder is a file, or is not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} exists already; name another folder or add --overwrite")


def save(path: Path, record: Mapping[str, Any]) -> None:
    """Write a record as JSON; arrays become lists, dataclasses objects.

    Raises:
        ValueError: For a number that is not finite, which JSON cannot hold.
    """

    def plain(it: Any) -> Any:
        return it.tolist() if isinstance(it, np.ndarray) else asdict(it)

    text = json.dumps(record, indent=1, allow_nan=False, default=plain)
    path.write_text(text + "\n", encoding="utf-8")


def load_record(path: Path) -> dict[str, Any]:
    """A record that `save` has written."""
    return json.loads(path.read_text(encoding="utf-8"))


def _git(*arguments: str) -> str | None:
    try:
        answer = subprocess.run(
            ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


def provenance(seconds: float) -> dict[str, Any]:
    """With what, where and when results were computed.

    Args:
        seconds: Time that it took [s].

    Returns:
        Versions, device and command line; commit and changes are none outside a checkout.
    """
    changes = _git("status", "--porcelain")
    return {
        "version": ll.__version__,
        "commit": _git("rev-parse", "HEAD"),
        "changed": None if changes is None else bool(changes),
        "python": platform.python_version(),
        "jax": jax.__version__,
        "device": jax.devices()[0].device_kind,
        "x64": bool(jnp.result_type(float) == jnp.float64),
        "command": sys.argv,
        "utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
    }
