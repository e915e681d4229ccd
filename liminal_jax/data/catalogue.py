"""Names of the hardware that comes with the package, and the file of each; needs no JAX."""

from functools import cache
from pathlib import Path

from liminal_jax._files import InputError, Problem, did_you_mean

DATA = Path(__file__).parent


@cache
def _names(folder: str) -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in (DATA / folder).glob("*.toml")))


def system_names() -> tuple[str, ...]:
    """Names of the systems that come with the package."""
    return _names("systems")


def measured_system_names() -> tuple[str, ...]:
    """Names of further systems: chips of measurements, which no search of the market tries."""
    return _names("systems/measured")


def technology_names() -> tuple[str, ...]:
    """Names of the memory technologies that come with the package."""
    return _names("technologies")


def capacity_technology_names() -> tuple[str, ...]:
    """Names of the technologies of capacity tiers that come with the package."""
    return _names("technologies/capacity")


def process_names() -> tuple[str, ...]:
    """Names of the silicon processes that come with the package."""
    return _names("processes")


IDEAL = "ideal"
"""The way of using a chip that reaches its peaks: LIMINAL's bound."""


def execution_names() -> tuple[str, ...]:
    """Names of the ways of using a chip that come with the package."""
    return _names("executions")


def missing(folder: str, name: str) -> str:
    """Why a name leads nowhere; empty where it leads to a file.

    Args:
        folder: The folder of the package's data in which such files lie.
        name: The name, or the path of a user's own file.
    """
    if name in _names(folder) or Path(name).is_file():
        return ""
    if folder == "systems" and name in measured_system_names():
        return ""
    if name.endswith(".toml"):
        return f"there is no file {name!r}; check the path, or name a bundled one"
    kind = {
        "systems": "system",
        "technologies": "memory technology",
        "technologies/capacity": "technology of capacity tiers",
        "processes": "process",
    }
    suggestion = did_you_mean(name, _names(folder))
    known = "" if suggestion else f"; there are {', '.join(_names(folder))}"
    return f"there is no {kind[folder]} {name!r}{suggestion or known}"


def path_of(folder: str, name: str) -> Path:
    """The file of a name among those of a folder of the package, or of a path.

    Raises:
        InputError: there is none.
    """
    problem = missing(folder, name)
    if problem:
        raise InputError("", [Problem("", problem)])
    if folder == "systems" and name in measured_system_names():
        return DATA / folder / "measured" / f"{name}.toml"
    return DATA / folder / f"{name}.toml" if name in _names(folder) else Path(name)
