"""The studies that come with the package, and what each asks in words; it loads no JAX."""

import tomllib
from pathlib import Path

STUDIES = Path(__file__).parent.parent / "data" / "studies"


def study_names() -> tuple[str, ...]:
    """Names of the studies that come with the package."""
    return tuple(sorted(path.stem for path in STUDIES.glob("*.toml")))


BOUNDED: frozenset[str] = frozenset({"three-pools-for-long-prompts", "which-layers-at-four-bits"})
"""Studies whose search ends with a gap; all others are proven."""


def study_class(name: str) -> str:
    """What the certificate of a bundled study says: `proven`, or `bounded` where a gap is left."""
    return "bounded" if name in BOUNDED else "proven"


def study_abouts() -> dict[str, str]:
    """Why someone would ask each of them, by name.

    Examples:
        >>> study_abouts()["deepseek-v3-128k"].split(" for ")[0]
        'Which chip, and how many,'
    """
    files = {name: STUDIES / f"{name}.toml" for name in study_names()}
    tables = {name: tomllib.loads(it.read_text(encoding="utf-8")) for name, it in files.items()}
    return {name: table["about"] for name, table in tables.items()}
