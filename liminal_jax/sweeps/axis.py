"""The axes of a sweep: as text, and as values.

tp=1,2,4,8                                       a list
context=8192:131072:5:log                        five values between two ends
system.chip.memory.bandwidth=1e12:30e12:64:log   the same; units may be written, "1 TB/s"
batch=1:512:log                                  two ends, to draw samples between
model=deepseek-v3,llama-3-70b                    names
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from liminal_jax._files import did_you_mean
from liminal_jax.study.domain import Grid, grid_of
from liminal_jax.sweeps.leaves import NAMES, Leaf, found_path

SCALES = ("linear", "log")


@dataclass(frozen=True)
class Names:
    """An axis of names, each of which changes the structure of the computation.

    Attributes:
        path: `model`, `accounting`, `system`, `memory`, `process` or `attention`.
        choices: The names.
    """

    path: str
    choices: tuple[str, ...]


@dataclass(frozen=True)
class Axis:
    """An axis of numbers.

    Attributes:
        path: Path of the number.
        unit: Its unit in SI.
        values: Its values, ascending; the two ends of a continuous axis.
        drawn: Whether it is continuous, to be sampled between its ends.
        logarithmic: Whether it is sampled uniformly in logarithms.
        whole: Whether samples are rounded to whole numbers.
    """

    path: str
    unit: str
    values: tuple[float, ...]
    drawn: bool = False
    logarithmic: bool = False
    whole: bool = False

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the greatest value."""
        return self.values[0], self.values[-1]


def split_axis(text: str) -> tuple[str, str]:
    """Path and values of an axis as text.

    Raises:
        ValueError: there is no path or no value.
    """
    path, equals, values = text.partition("=")
    if not equals or not path.strip():
        raise ValueError(f"{text!r} must be PATH=VALUES, such as tp=1,2,4,8")
    if not values.strip():
        raise ValueError(f"{text!r} is empty: give values, such as tp=1,2,4,8")
    return path.strip(), values.strip()


def parsed_axis(text: str, leaves: Mapping[str, Leaf], *, sampled: bool) -> Axis | Names:
    """An axis from its text.

    Args:
        text: One of the forms of the module docstring.
        leaves: The numbers that can vary.
        sampled: Whether points are sampled, so that two ends are enough.

    Raises:
        ValueError: the text is no axis, or its numbers are out of range.
    """
    written, values = split_axis(text)
    path = found_path(written, leaves)
    if path in NAMES:
        return Names(path, tuple(dict.fromkeys(_listed(values, written))))
    leaf = leaves[path]
    try:
        axis = _drawn(leaf, values) if sampled and ":" in values else None
        axis = axis or _of_grid(leaf, _grid(leaf, values), sampled)
    except ValueError as error:
        raise ValueError(f"{written}: {error}") from None
    return axis


def _listed(values: str, written: str) -> list[str]:
    items = [item.strip() for item in values.split(",")]
    if not all(items):
        raise ValueError(f"{written}: a value is missing in {values!r}")
    return items


def _grid(leaf: Leaf, values: str) -> Grid:
    """The values of a list, or of a range with a count."""
    if ":" not in values:
        return grid_of({"choices": list(_listed(values, "list"))}, leaf.stated)
    parts = [part.strip() for part in values.split(":")]
    if len(parts) not in (3, 4):
        raise ValueError(
            f"must be LOW:HIGH:COUNT or LOW:HIGH:COUNT:log, got {values!r};"
            " LOW:HIGH alone needs --sample"
        )
    low, high, count = parts[:3]
    if not count.isdigit():
        raise ValueError(f"the third part is how many values, a whole number, got {count!r}")
    scale = parts[3] if len(parts) == 4 else "linear"
    if int(count) == 1:
        return grid_of(low, leaf.stated)
    return grid_of({"min": low, "max": high, "num": int(count), "scale": scale}, leaf.stated)


def _drawn(leaf: Leaf, values: str) -> Axis | None:
    """A continuous axis; None where the text gives a count of values."""
    parts = [part.strip() for part in values.split(":")]
    if len(parts) not in (2, 3) or (len(parts) == 3 and parts[2].isdigit()):
        return None
    scale = parts[2] if len(parts) == 3 else "linear"
    if scale not in SCALES:
        hint = did_you_mean(scale, SCALES)
        raise ValueError(f"must be LOW:HIGH or LOW:HIGH:log, got {values!r}{hint}")
    grid_of({"min": parts[0], "max": parts[1], "num": 2, "scale": scale}, leaf.stated)
    low, high = (grid_of(part, leaf.stated).value for part in parts[:2])
    return Axis(
        leaf.path, leaf.stated.dimension, (low, high), True, scale == "log", leaf.stated.whole
    )


def _of_grid(leaf: Leaf, grid: Grid, sampled: bool) -> Axis:
    if not sampled:
        return Axis(leaf.path, leaf.stated.dimension, grid.values)
    return Axis(leaf.path, leaf.stated.dimension, grid.values, logarithmic=grid.logarithmic)


def axis_of_grid(path: str, unit: str, grid: Grid) -> Axis:
    """The axis of a free variable of a study."""
    return Axis(path, unit, grid.values)


def points_of(axes: tuple[Axis, ...]) -> int:
    """Number of points of the grid over some axes."""
    return math.prod(len(axis.values) for axis in axes)
