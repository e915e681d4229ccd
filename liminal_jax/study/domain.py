"""Where a variable of a study may lie: one value, or a grid of them."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from liminal_jax._files import InputError, did_you_mean
from liminal_jax._quantity import Quantity
from liminal_jax._units import parse_quantity
from liminal_jax.data.validation import validated

MOST_VALUES = 100_000
"""A grid of more values is a slip of the pen: it would fill the memory before it is searched."""


BETWEEN = 65
"""Values at which a range without steps is searched before what lies between them is."""

RATIO = 4.0
"""A range that spans a larger factor is searched in equal ratios."""


@dataclass(frozen=True)
class Grid:
    """The values that a variable may take, ascending, in SI.

    Attributes:
        values: At least one.
        logarithmic: Whether equal ratios, not equal differences, count as equal steps.
        between: Whether any value between the ends will do: any number, or any whole number of what
            is whole. The values are then those at which the range is searched first.
    """

    values: tuple[float, ...]
    logarithmic: bool
    between: bool = False

    @property
    def free(self) -> bool:
        """Whether there is a choice."""
        return len(self.values) > 1

    @property
    def value(self) -> float:
        """The only value.

        Raises:
            ValueError: there is a choice.
        """
        (value,) = self.values
        return value


@dataclass(frozen=True)
class Names:
    """The names among which a category is chosen."""

    names: tuple[str, ...]

    @property
    def free(self) -> bool:
        """Whether there is a choice."""
        return len(self.names) > 1


@dataclass(frozen=True)
class Several:
    """Names that hold together: there is nothing to choose among them."""

    names: tuple[str, ...]

    @property
    def free(self) -> bool:
        """Whether there is a choice: never."""
        return False


@dataclass(frozen=True)
class Numbers:
    """Numbers by path, each a value or a domain as a file has it.

    What they are is known where the design is built: only then do paths and units have a meaning.
    """

    stated: Mapping[str, Any]

    @property
    def free(self) -> bool:
        """Whether there is a choice."""
        return any(isinstance(it, list | dict) for it in self.stated.values())


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True, strict=True)


class _Choices(_Table):
    choices: list[float | str] = Field(min_length=1)


class _Steps(_Table):
    min: float | str
    max: float | str
    step: float | str


class _Ends(_Table):
    min: float | str
    max: float | str


class _Spaced(_Table):
    min: float | str
    max: float | str
    num: int = Field(ge=2, le=MOST_VALUES)
    scale: str = "linear"


_FORMS = (
    "a value, { choices = [...] }, { min, max }, { min, max, step }"
    " or { min, max, num, scale = 'linear' | 'log' }"
)


@dataclass(frozen=True)
class _Reader:
    """Reads the domain of one kind of variable.

    Attributes:
        unit: Any unit of its dimension.
        whole: Whether only whole numbers make sense.
        least: Values must not be below this.
    """

    unit: str
    whole: bool
    least: float

    def number(self, value: Any) -> float:
        """One value in SI."""
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError(f"must be {_FORMS}, got {value!r}")
        number = in_si(value, self.unit)
        if self.whole and number != round(number):
            raise ValueError(f"must be a whole number, got {_written(value)}")
        if number < self.least:
            raise ValueError(f"must be at least {self.least:g}, got {_written(value)}")
        return number

    def grid(self, value: Any) -> Grid:
        """The grid that a file describes."""
        if isinstance(value, Grid):
            return value
        if isinstance(value, list):
            raise ValueError("a bare list is no domain; write { choices = [...] }")
        if not isinstance(value, dict):
            return Grid((self.number(value),), logarithmic=False)
        if "choices" in value:
            values = [self.number(item) for item in _parsed(_Choices, value).choices]
            return Grid(tuple(sorted(set(values))), logarithmic=min(values) > 0)
        if "num" in value:
            return self._spaced(_parsed(_Spaced, value))
        if "step" in value or value.keys() - {"min", "max"}:
            return self._stepped(_parsed(_Steps, value))
        low, high = self._bounds(_parsed(_Ends, value))
        return range_between(low, high, whole=self.whole)

    def _part(self, name: str, value: float | str) -> float:
        """One number of a table, whose mistakes name it."""
        try:
            return self.number(value)
        except ValueError as error:
            raise ValueError(f"{name} {error}") from None

    def _bounds(self, table: _Ends | _Steps | _Spaced) -> tuple[float, float]:
        low, high = self._part("min", table.min), self._part("max", table.max)
        if low > high:
            raise ValueError(
                f"min {_written(table.min)} is above max {_written(table.max)}; exchange them"
            )
        return low, high

    def _stepped(self, table: _Steps) -> Grid:
        low, high = self._bounds(table)
        step = self._part("step", table.step)
        if step <= 0:
            raise ValueError(f"step must be greater than 0, got {_written(table.step)}")
        count = math.floor((high - low) / step * (1 + 1e-12)) + 1
        if count > MOST_VALUES:
            raise ValueError(f"has {count:,} values, more than {MOST_VALUES:,}; take a larger step")
        return Grid(tuple(low + step * k for k in range(count)), logarithmic=False)

    def _spaced(self, table: _Spaced) -> Grid:
        low, high = self._bounds(table)
        if table.scale not in ("linear", "log"):
            hint = did_you_mean(table.scale, ("linear", "log"))
            raise ValueError(f"scale must be 'linear' or 'log', got {table.scale!r}{hint}")
        logarithmic = table.scale == "log"
        if logarithmic and low <= 0:
            raise ValueError(f"a log scale needs a min above 0, got {_written(table.min)}")
        spaced = (np.geomspace if logarithmic else np.linspace)(low, high, table.num)
        values = np.unique(np.round(spaced) if self.whole else spaced)
        return Grid(tuple(float(value) for value in values), logarithmic=logarithmic)


def range_between(low: float, high: float, *, whole: bool) -> Grid:
    """A range, with the values at which it is searched first.

    Args:
        low: Its lower end.
        high: Its upper end.
        whole: Whether only whole numbers make sense.

    Examples:
        >>> range_between(1.0, 4.0, whole=True)
        Grid(values=(1.0, 2.0, 3.0, 4.0), logarithmic=True, between=True)
    """
    spaced = spaced_between(low, high, BETWEEN, None, whole=whole)
    return Grid(tuple(spaced.tolist()), logarithmic=low > 0, between=len(spaced) > 1)


def spaced_between(
    low: float, high: float, count: int, log: bool | None, *, whole: bool
) -> np.ndarray:
    """Values between two ends, both included.

    Args:
        low: The least.
        high: The greatest.
        count: How many; fewer where whole numbers coincide.
        log: Whether they have equal ratios; where left out, if the range spans more than `RATIO`.
        whole: Whether only whole numbers make sense.
    """
    if log is None:
        log = low > 0 and high / low > RATIO
    spaced = (np.geomspace if log else np.linspace)(low, high, count)
    # Ends stay as they were given: powers and roots would move them by rounding.
    spaced[0], spaced[-1] = low, high
    return np.unique(np.round(spaced) if whole else spaced)


def _written(value: Any) -> str:
    """A value as the file has it."""
    return f"{value:g}" if isinstance(value, float) else repr(value)


def in_si(value: int | float | str, unit: str) -> float:
    """A finite number, or a quantity in text, in SI.

    Raises:
        ValueError: it is not finite, has another dimension than `unit`, or is no number.

    Examples:
        >>> in_si("1.4 kW", "W")
        1400.0
    """
    try:
        number = parse_quantity(value, unit) if isinstance(value, str) else float(value)
    except ValueError as error:
        raise ValueError(f"{error}, got {value!r}") from None
    if not math.isfinite(number):
        raise ValueError(f"must be a finite number, got {_written(value)}")
    return number


def _parsed(table: type[_Table], value: dict[str, Any]) -> Any:
    try:
        return validated(table, value, "")
    except InputError as error:
        raise ValueError(f"must be {_FORMS}; {', '.join(error.lines())}") from None


def least_of(stated: Quantity) -> float:
    """The smallest value that makes sense; 0 where every value above it does."""
    return 1.0 if stated.least is None and stated.whole else stated.least or 0.0


def within_range(stated: Quantity, grid: Grid) -> Grid:
    """A grid, if its values make sense.

    Raises:
        ValueError: one does not.
    """
    least, most = grid.values[0], grid.values[-1]
    if most > stated.most:
        raise ValueError(f"must be at most {stated.most:g}, got {most:g}")
    if stated.least is None and least <= 0:
        raise ValueError(f"must be greater than 0, got {least:g}")
    return grid


def grid_of(value: Any, stated: Quantity) -> Grid:
    """The grid that a value or table describes, in SI.

    Args:
        value: A value or one of the tables of a study's domains.
        stated: What is described.

    Raises:
        ValueError: what it describes is no such grid.
    """
    reader = _Reader(stated.dimension, stated.whole, least_of(stated))
    return within_range(stated, reader.grid(value))


def numeric(stated: Quantity) -> BeforeValidator:
    """A pydantic validator that reads a domain of such numbers."""
    return BeforeValidator(lambda value: grid_of(value, stated))


def coded(names: tuple[str, ...], kind: str) -> BeforeValidator:
    """A pydantic validator that reads a name, or a table of names, as a grid of their places.

    Args:
        names: Names that exist.
        kind: What the names stand for, in messages.
    """

    def grid(value: Any) -> Grid:
        if isinstance(value, Grid):
            return value
        chosen = _named(value, names, kind)
        places = sorted({float(names.index(name)) for name in chosen})
        return Grid(tuple(places), logarithmic=False)

    return BeforeValidator(grid)


def _named(
    value: Any, known: tuple[str, ...], kind: str, endings: tuple[str, ...] = ()
) -> list[str]:
    """The names that a value or a table of choices holds."""
    items = value.get("choices") if isinstance(value, dict) else [value]
    if not isinstance(items, list) or not items or not all(map(_is_text, items)):
        raise ValueError(f"must be a {kind} or {{ choices = [...] }} of them, got {value!r}")
    unknown = [item for item in items if item not in known and not item.endswith(endings)]
    if unknown:
        hint = did_you_mean(unknown[0], known) or f"; there are {', '.join(known)}"
        raise ValueError(f"there is no {kind} {unknown[0]!r}{hint}")
    return items


def category(
    known: Callable[[], tuple[str, ...]], kind: str, endings: tuple[str, ...] = ()
) -> BeforeValidator:
    """A pydantic validator that reads a name, or a table of names, out of those known.

    Args:
        known: Names that exist.
        kind: What the names stand for, in messages.
        endings: How names end that are paths of files instead.
    """

    def names(value: Any) -> Names:
        if isinstance(value, Names):
            return value
        items = _named(value, known(), kind, endings)
        return Names(tuple(dict.fromkeys(items)))

    return BeforeValidator(names)


def several(checked: Callable[[tuple[str, ...]], tuple[str, ...]]) -> BeforeValidator:
    """A pydantic validator that reads a list of names that hold together.

    Args:
        checked: The names in their order, or a `ValueError` that says what is wrong with them.
    """

    def names(value: Any) -> Several:
        if isinstance(value, Several):
            return value
        if not isinstance(value, list | tuple) or not all(map(_is_text, value)):
            raise ValueError(f"must be a list of names, got {value!r}")
        return Several(checked(tuple(value)))

    return BeforeValidator(names)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def by_path() -> BeforeValidator:
    """A pydantic validator that reads a table of numbers by path."""

    def numbers(value: Any) -> Numbers:
        if isinstance(value, Numbers):
            return value
        if not isinstance(value, dict):
            raise ValueError(f"must be a table of paths and values, got {value!r}")
        return Numbers(value)

    return BeforeValidator(numbers)
