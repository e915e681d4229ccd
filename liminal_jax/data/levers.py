"""Levers of hardware and algorithm: how far each was moved, and whether quality pays for it."""

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from liminal_jax._units import parse_unit
from liminal_jax.data.tables import Grade, read_table

FILE = Path(__file__).parent / "levers.csv"

_Text = Annotated[str, Field(min_length=1)]
_Finite = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class LeverRange(BaseModel):
    """The range of one number of a lever.

    Attributes:
        lever: The lever; several numbers may belong to one.
        parameter: The number, as the law that takes it calls it.
        path: Its path in the case of a study; empty where no such number is there.
        label: What it is, in words.
        low: Least value that is published or plausible, in `unit`.
        value: Usual value where the lever is used, in `unit`.
        high: Largest value, in `unit`.
        unit: Unit of the three as printed; empty for a number without one.
        quality: `lossless` where results stay as they are but for rounding, else `costs`: what it
            costs is published for some models (`liminal_jax.data.quality`), or unknown.
        source: Where the range is published.
        grade: How good the source is.
        note: What a reader should know.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    lever: _Text
    parameter: _Text
    path: str = ""
    label: _Text
    low: _Finite
    value: _Finite
    high: _Finite
    unit: str = ""
    quality: Literal["lossless", "costs"]
    source: _Text
    grade: Grade
    note: str = ""

    @field_validator("unit")
    @classmethod
    def _known(cls, unit: str) -> str:
        parse_unit(unit)
        return unit

    @model_validator(mode="after")
    def _ordered(self) -> "LeverRange":
        if not self.low <= self.value <= self.high or self.low == self.high:
            raise ValueError(
                f"{self.value:g} must lie in a range, not in that from {self.low:g} to"
                f" {self.high:g}"
            )
        return self

    @property
    def si(self) -> tuple[float, float, float]:
        """Least, usual and largest value in SI."""
        scale = parse_unit(self.unit).scale
        return self.low * scale, self.value * scale, self.high * scale


@cache
def lever_ranges() -> tuple[LeverRange, ...]:
    """The range of every number of every lever, see `LeverRange`.

    Examples:
        >>> (first,) = (it for it in lever_ranges() if it.parameter == "acceptance")
        >>> first.low, first.value, first.high, first.quality
        (0.64, 0.82, 0.93, 'lossless')
    """
    return read_table(FILE, LeverRange)
