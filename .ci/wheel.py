"""Checks a wheel: all files of the package, every row of data among them, and nothing else.

python .ci/wheel.py WHEEL
"""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

LARGEST = 2_500_000
"""Bytes that a wheel may take: twice the 1.2 MB of 0.2.0."""


def problems(files: set[str], package: set[str], size: int) -> list[str]:
    """What is wrong with a wheel of some files, whose package should have others.

    Args:
        files: Paths in the wheel.
        package: Paths of the package, from the root of the repository.
        size: Bytes of the wheel.
    """
    own = {it for it in files if ".dist-info/" not in it}
    found = [f"{it} is missing" for it in sorted(package - own)]
    found += [f"{it} does not belong into it" for it in sorted(own - package)]
    if not any(it.endswith("/licenses/LICENSE") for it in files):
        found.append("the licence is missing")
    if size > LARGEST:
        found.append(f"it has {size:,} bytes, more than {LARGEST:,}")
    return found


def main(wheel: Path) -> int:
    """Print what is wrong with a wheel; exit code 1 where anything is."""
    listed = ["git", "-C", str(ROOT), "ls-files", "liminal_jax"]
    package = subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split()
    with zipfile.ZipFile(wheel) as archive:
        files = set(archive.namelist())
    found = problems(files, set(package), wheel.stat().st_size)
    print("\n".join(found) or f"{wheel.name}: {len(files)} files", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
