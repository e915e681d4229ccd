"""The command line as tests call it: in this process, or in one of its own."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from liminal_jax.cli.main import main

ROOT = Path(__file__).parent.parent.parent
PROGRAM = "from liminal_jax.cli.main import run; run()"


def exit_code(arguments: Sequence[str]) -> int:
    """What a shell would see."""
    try:
        return main(arguments)
    except SystemExit as stop:
        return int(stop.code or 0)


def command(
    arguments: Sequence[str], folder: Path, program: str = PROGRAM, **environment: str
) -> subprocess.CompletedProcess[str]:
    """A process of its own, its output piped."""
    cache = {"XDG_CACHE_HOME": str(folder / "cache")}
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **cache, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
