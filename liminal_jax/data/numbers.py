"""A number with its origin: what a data file says about one quantity, checked and put into SI.

A row of a data file is `{ value = 3.35, unit = "TB/s", source = "...", kind = "datasheet" }`, with
`at`, `low`, `high` and `note` where there is more to say, or `{ unknown = "reason" }`. A user's own
file may also say `"3.35 TB/s"` or a bare number in SI.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from liminal_jax._units import parse_quantity, to_si

GIVEN_SOURCE = "the file itself"

_Finite = Annotated[float, Field(strict=True, allow_inf_nan=False)]
_Reason = Annotated[str, Field(min_length=1)]


class Number(BaseModel):
    """One quantity in SI, with its origin.

    Attributes:
        value: The value in SI, or None where it is unknown.
        printed: The value as its source prints it, with its unit.
        unit: The unit of `printed`; for a given quantity, the SI unit of its field.
        source: Identifier of an entry of sources.toml, or where a user's file says it is from.
        kind: How good it is: datasheet, paper, measured, derived, assumed, fitted, given, unknown.
        at: Page, table or section of the source, may be empty.
        low: Lower end of the published or plausible range in SI, if there is one.
        high: Upper end in SI, if there is one.
        note: What a reader should know: the derivation, or the reason of an assumption.
        unknown: Why there is no value; empty where there is one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    value: float | None
    printed: str
    unit: str
    source: str
    kind: str
    at: str = ""
    low: float | None = None
    high: float | None = None
    note: str = ""
    unknown: str = ""


class _Row(BaseModel):
    """A row of a data file before its unit is read."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    value: _Finite | None = None
    unit: str = ""
    source: _Reason | None = None
    kind: Literal["datasheet", "paper", "measured", "derived", "assumed", "fitted"] | None = None
    at: str = ""
    low: _Finite | None = None
    high: _Finite | None = None
    note: str = ""
    unknown: _Reason | None = None

    @model_validator(mode="after")
    def _complete(self) -> "_Row":
        """Demand a whole row: either a reason alone, or value, source and kind."""
        if self.unknown is not None:
            if self.model_fields_set != {"unknown"}:
                raise ValueError("an unknown number has a reason only; drop the other keys")
            return self
        missing = [name for name in ("value", "source", "kind") if getattr(self, name) is None]
        if missing:
            raise ValueError(
                f"a number needs value, source and kind; {' and '.join(missing)} missing "
                '(or say { unknown = "reason" })'
            )
        if self.kind in ("derived", "assumed", "fitted") and not self.note:
            raise ValueError(f"a number of kind {self.kind!r} needs a note that gives the reason")
        return self


@dataclass(frozen=True)
class Quantity:
    """Marks a `Number` field with its dimension: `Annotated[Number, Quantity("B/s")]`.

    Attributes:
        unit: The SI unit of the field; input in any other unit of that dimension is converted.
    """

    unit: str

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """The validator that pydantic runs on such a field."""
        return core_schema.no_info_wrap_validator_function(
            self._number,
            handler.generate_schema(_Row),
            serialization=core_schema.plain_serializer_function_ser_schema(Number.model_dump),
        )

    def _number(self, raw: Any, row_of: Callable[[Any], _Row]) -> Number:
        """Read whatever a file may say: a row, a quantity in one string, a bare SI number."""
        if isinstance(raw, Number):
            return raw
        if isinstance(raw, str):
            return self._given(parse_quantity(raw, self.unit), raw)
        if isinstance(raw, int | float) and not isinstance(raw, bool):
            return self._given(float(raw), f"{raw:g} {self.unit}".strip())
        row = row_of(raw)
        if row.value is None:
            return Number(
                value=None,
                printed=printed(None, ""),
                unit=self.unit,
                source="",
                kind="unknown",
                unknown=row.unknown or "",
            )
        return self._sourced(row, row.value)

    def _given(self, value: float, printed: str) -> Number:
        """A number that a user's file states on its own authority."""
        return Number(
            value=value, printed=printed, unit=self.unit, source=GIVEN_SOURCE, kind="given"
        )

    def _sourced(self, row: _Row, value: float) -> Number:
        """Convert a row with a value to SI."""
        low = value if row.low is None else row.low
        high = value if row.high is None else row.high
        if not low <= value <= high:
            raise ValueError(f"{value:g} lies outside its range, {low:g} to {high:g}")
        return Number(
            value=to_si(value, row.unit, self.unit),
            printed=printed(value, row.unit),
            unit=row.unit,
            source=row.source or "",
            kind=row.kind or "",
            at=row.at,
            low=None if row.low is None else to_si(row.low, row.unit, self.unit),
            high=None if row.high is None else to_si(row.high, row.unit, self.unit),
            note=row.note,
        )


def printed(value: float | int | None, unit: str) -> str:
    """A number as its source prints it.

    Args:
        value: The value; none where it is unknown.
        unit: Its unit there.
    """
    return "unknown" if value is None else f"{value:.15g} {unit}".strip()


def _ends(number: Number) -> list[float]:
    """Value and ends of the range, those that are known."""
    return [it for it in (number.value, number.low, number.high) if it is not None]


def _said(number: Number) -> str:
    """What a number is printed as, with its range in SI if it has one."""
    low, high = (number.value if it is None else it for it in (number.low, number.high))
    return number.printed if low == high else f"{number.printed} ({low:g} to {high:g})"


def _positive(number: Number) -> Number:
    if any(it <= 0 for it in _ends(number)):
        raise ValueError(f"must be above zero, not {_said(number)}")
    return number


def _of_a_tier(number: Number) -> Number:
    if any(it <= 0 for it in _ends(number)):
        raise ValueError(
            f"a tier of {_said(number)} holds or delivers nothing; leave its table out, or state"
            " a number above zero"
        )
    return number


def _not_negative(number: Number) -> Number:
    if any(it < 0 for it in _ends(number)):
        raise ValueError(f"must not be below zero, not {_said(number)}")
    return number


def _fraction(number: Number) -> Number:
    if not all(0 <= it <= 1 for it in _ends(number)):
        raise ValueError(f"must lie between 0 and 1, not at {_said(number)}")
    return number


def _below_one(number: Number) -> Number:
    if any(it >= 1 for it in _ends(number)):
        raise ValueError(f"must leave something, so lie below 1, not at {_said(number)}")
    return number


def _known(number: Number) -> Number:
    if number.value is None:
        raise ValueError(f"may not be unknown ({number.unknown})")
    return number


POSITIVE = AfterValidator(_positive)
"""Beside a `Quantity`: the value, where known, and its range are above zero."""

HOLDS_SOMETHING = AfterValidator(_of_a_tier)
"""Beside a `Quantity` of a memory that a file may leave out: the value is above zero."""

NOT_NEGATIVE = AfterValidator(_not_negative)
"""Beside a `Quantity`: the value, where known, and its range are zero or above."""

FRACTION = AfterValidator(_fraction)
"""Beside a `Quantity`: the value, where known, and its range lie between 0 and 1."""

BELOW_ONE = AfterValidator(_below_one)
"""Beside `FRACTION`: the value, where known, and its range lie below 1."""

KNOWN = AfterValidator(_known)
"""Beside a `Quantity`: there is a value."""
