"""Number formats by name: bits of an element, and of the scales that blocks of them share."""

from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from liminal_jax._files import InputError, Problem, did_you_mean
from liminal_jax.data.tables import Grade, read_table
from liminal_jax.laws.precision import effective_bits

FILE = Path(__file__).parent / "formats.csv"

_Text = Annotated[str, Field(min_length=1)]
_Some = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Bits = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class NumberFormat(BaseModel):
    """A format in which weights, caches or activations are stored.

    Attributes:
        name: Its name, in lower case.
        element: Bits of one number.
        block: Numbers that share a scale.
        scale: Bits of the scale.
        zero: Bits of the zero point; 0 where the format is symmetric.
        source: Where it is described.
        grade: How good the source is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    name: _Text
    element: _Some
    block: _Some
    scale: _Bits
    zero: _Bits
    source: _Text
    grade: Grade

    @property
    def bits(self) -> float:
        """Bits of a number, its share of scale and zero included."""
        return float(
            effective_bits(element=self.element, block=self.block, scale=self.scale, zero=self.zero)
        )


@cache
def number_formats() -> dict[str, NumberFormat]:
    """Every format that the package knows, by name."""
    return {it.name: it for it in read_table(FILE, NumberFormat)}


def format_named(name: str) -> NumberFormat:
    """The format of a name, upper or lower case.

    Raises:
        InputError: there is no such format.

    Examples:
        >>> format_named("MXFP4").bits, format_named("nvfp4").bits
        (4.25, 4.5)
    """
    known = number_formats()
    if name.lower() not in known:
        message = f"there is no format {name!r}{did_you_mean(name.lower(), known)}"
        raise InputError(FILE.name, [Problem("name", message)])
    return known[name.lower()]
