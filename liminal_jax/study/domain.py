"""Where a variable of a study may lie: one value, or a grid of them."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from liminal_jax._files import did_you_mean
from liminal_jax._units import parse_quantity


@dataclass(frozen=True)
class Grid:
    """The values that a variable may take, ascending, in SI.

    Attributes:
        values: At least one.
        logarithmic: Whether equal ratios, not equal differences, count as equal steps.
    """

    values: tuple[float, ...]
    logarithmic: bool

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


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Choices(_Table):
    choices: list[float | str] = Field(min_length=1)


class _Steps(_Table):
    min: float | str
    max: float | str
    step: float | str


class _Spaced(_Table):
    min: float | str
    max: float | str
    num: int = Field(ge=2)
    scale: str = "linear"


_FORMS = (
    "a value, { choices = [...] }, { min, max, step }"
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
        number = parse_quantity(value, self.unit) if isinstance(value, str) else float(value)
        if not math.isfinite(number):
            raise ValueError(f"must be a finite number, got {value!r}")
        if self.whole and number != round(number):
            raise ValueError(f"must be a whole number, got {value!r}")
        if number < self.least:
            raise ValueError(f"must be at least {self.least:g}, got {value!r}")
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
        return self._stepped(_parsed(_Steps, value))

    def _bounds(self, table: _Steps | _Spaced) -> tuple[float, float]:
        low, high = self.number(table.min), self.number(table.max)
        if low > high:
            raise ValueError(f"min {table.min!r} is above max {table.max!r}; exchange them")
        return low, high

    def _stepped(self, table: _Steps) -> Grid:
        low, high = self._bounds(table)
        step = self.number(table.step)
        if step <= 0:
            raise ValueError(f"step must be greater than 0, got {table.step!r}")
        count = math.floor((high - low) / step * (1 + 1e-12)) + 1
        return Grid(tuple(low + step * k for k in range(count)), logarithmic=False)

    def _spaced(self, table: _Spaced) -> Grid:
        low, high = self._bounds(table)
        if table.scale not in ("linear", "log"):
            hint = did_you_mean(table.scale, ("linear", "log"))
            raise ValueError(f"scale must be 'linear' or 'log', got {table.scale!r}{hint}")
        logarithmic = table.scale == "log"
        if logarithmic and low <= 0:
            raise ValueError(f"a log scale needs a min above 0, got {table.min!r}")
        spaced = (np.geomspace if logarithmic else np.linspace)(low, high, table.num)
        values = np.unique(np.round(spaced) if self.whole else spaced)
        return Grid(tuple(float(value) for value in values), logarithmic=logarithmic)


def _parsed(table: type[_Table], value: dict[str, Any]) -> Any:
    try:
        return table.model_validate(value)
    except ValidationError as error:
        fields = ", ".join(str(part["loc"][0]) for part in error.errors())
        raise ValueError(f"must be {_FORMS}; mind {fields}") from None


def numeric(unit: str = "", *, whole: bool = False, least: float = 0.0) -> BeforeValidator:
    """A pydantic validator that reads a domain of numbers with a dimension."""
    return BeforeValidator(_Reader(unit, whole, least).grid)


def category(known: Callable[[], tuple[str, ...]], kind: str) -> BeforeValidator:
    """A pydantic validator that reads a name, or a table of names, out of those known.

    Args:
        known: Names that exist; paths to files are accepted too.
        kind: What the names stand for, in messages.
    """

    def names(value: Any) -> Names:
        if isinstance(value, Names):
            return value
        items = value.get("choices") if isinstance(value, dict) else [value]
        if not isinstance(items, list) or not items or not all(map(_is_text, items)):
            raise ValueError(f"must be a {kind} or {{ choices = [...] }} of them, got {value!r}")
        unknown = [item for item in items if item not in known() and not item.endswith(".toml")]
        if unknown:
            hint = did_you_mean(unknown[0], known()) or f"; there are {', '.join(known())}"
            raise ValueError(f"there is no {kind} {unknown[0]!r}{hint}")
        return Names(tuple(dict.fromkeys(items)))

    return BeforeValidator(names)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
