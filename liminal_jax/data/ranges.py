"""Numbers that are not sure: those whose row gives a range, and how they are spread over it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Float
from pydantic import BaseModel
from scipy import stats

from liminal_jax.data.facility_defaults import FACILITY_DEFAULTS
from liminal_jax.data.numbers import Number

Record = TypeVar("Record", bound=BaseModel)

CHOSEN = "assumed"
"""Kind of a number that nobody has printed: it was chosen within its range."""


@dataclass(frozen=True)
class UncertainNumber:
    """A number with a range, and how likely each part of the range is.

    A number that a source prints, or that was worked out from such, is likelier near its value than
    near the ends: its logarithm follows a triangular distribution with the mode at the value and
    the ends of the range as its ends, which is what is used where only a best estimate and two ends
    are known. A number that was assumed has no such standing: all that is known of it is its range,
    and its logarithm is spread evenly, the distribution of the largest entropy. Logarithms, because
    prices, energies and times are known by factors: half is as far as double. A range that reaches
    down to zero is taken as it is.

    Attributes:
        path: Where it stands, such as `memory.hbm4.silicon_price`.
        value: What it is thought to be, in SI.
        low: Lower end of its range, in SI.
        high: Upper end, in SI.
        kind: Its kind, see `Number`.

    References:
        JCGM 101:2008, Evaluation of measurement data, 6.4.2 (only the ends are known).
        Johnson (1997), The triangular distribution as a proxy for the beta distribution in risk
        analysis, Journal of the Royal Statistical Society D 46(3).
    """

    path: str
    value: float
    low: float
    high: float
    kind: str

    @property
    def distribution(self) -> str:
        """The name of its distribution."""
        shape = "uniform" if self.kind == CHOSEN else "triangular"
        return f"log-{shape}" if self.low > 0 else shape

    def quantile(self, share: Float[np.ndarray, " samples"]) -> Float[np.ndarray, " samples"]:
        """The value below which it lies with some probability, in SI.

        Examples:
            >>> price = UncertainNumber("price", value=2.0, low=1.0, high=4.0, kind="paper")
            >>> price.quantile(np.array([0.0, 0.5, 1.0])).round(12).tolist()
            [1.0, 2.0, 4.0]
        """
        forth, back = (np.log, np.exp) if self.low > 0 else (np.asarray, np.asarray)
        low, mode, high = forth([self.low, self.value, self.high])
        if low == high:
            return np.full(share.shape, self.value)
        if self.kind == CHOSEN:
            found = stats.uniform.ppf(share, low, high - low)
        else:
            found = stats.triang.ppf(share, (mode - low) / (high - low), low, high - low)
        return np.clip(back(found), self.low, self.high)


def _path(record: BaseModel, field: str, path: str) -> str:
    """Path of a field; of the facility's where the record left it to the facility."""
    default = FACILITY_DEFAULTS.get((path.rpartition(".")[2], field))
    if default is not None and field not in record.model_fields_set:
        return f"facility.{default}"
    return f"{path}.{field}" if path else field


def _changed(node: Any, path: str, change: Callable[[str, Number], Number]) -> Any:
    """A record with its numbers changed; what holds none that changes stays the same object."""
    if isinstance(node, Number):
        return change(path, node)
    if isinstance(node, dict):
        parts = {key: _changed(part, f"{path}.{key}", change) for key, part in node.items()}
        return parts if any(it is not node[key] for key, it in parts.items()) else node
    if isinstance(node, BaseModel):
        fields = type(node).model_fields
        parts = {it: _changed(getattr(node, it), _path(node, it, path), change) for it in fields}
        if all(it is getattr(node, name) for name, it in parts.items()):
            return node
        # What was left to the facility stays left to it.
        return type(node).model_construct(node.model_fields_set, **parts)
    return node


def uncertain_in(record: BaseModel) -> list[UncertainNumber]:
    """Every number of a record, and of the records in it, that has a range.

    Of numbers with one path the last one counts: a record that holds a facility holds it last, so
    that what a study states of it is known.
    """
    found: dict[str, UncertainNumber | None] = {}

    def take(path: str, number: Number) -> Number:
        found[path] = _uncertain(path, number)
        return number

    _changed(record, "", take)
    return [it for it in found.values() if it is not None]


def _uncertain(path: str, number: Number) -> UncertainNumber | None:
    """A number with its range; nothing where it has none."""
    if number.value is None:
        return None
    low = number.value if number.low is None else number.low
    high = number.value if number.high is None else number.high
    return UncertainNumber(path, number.value, low, high, number.kind) if low < high else None


def with_values(record: Record, values: dict[str, float]) -> Record:
    """A record with some of its numbers changed.

    Args:
        record: Files, tables, or records of such.
        values: What numbers become, by path, in SI.
    """

    def put(path: str, number: Number) -> Number:
        return number.model_copy(update={"value": values[path]}) if path in values else number

    return _changed(record, "", put)
