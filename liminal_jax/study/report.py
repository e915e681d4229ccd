"""Results as plain data, for `--json` and run folders; unknown numbers are null."""

import math
from typing import Any

import jax
import numpy as np

from liminal_jax._quantity import quantities_of
from liminal_jax.performance.gains import Gains
from liminal_jax.performance.prediction import BOTTLENECKS, Prediction


def number(value: Any) -> float | None:
    """A scalar as JSON has it; NaN and infinity are null."""
    plain = float(np.asarray(value))
    return plain if math.isfinite(plain) else None


def numbers(module: Any) -> dict[str, float | None]:
    """The scalar leaves of a flat pytree by name."""
    return {name: number(getattr(module, name)) for name in module.__dataclass_fields__}


def prediction_record(prediction: Prediction, basis: list[str]) -> dict[str, Any]:
    """A prediction of one instance: SI units and USD, stable keys."""
    return {
        **{name: number(getattr(prediction, name)) for name in quantities_of(Prediction)},
        "fits": bool(prediction.fits),
        "bottleneck": BOTTLENECKS[int(prediction.bottleneck)],
        "power": number(prediction.power.total()),
        "power_shares": numbers(prediction.power),
        "capital_cost": number(prediction.capital.total()),
        "capital_shares": numbers(prediction.capital),
        "basis": basis,
    }


def gains_record(gains: Gains) -> dict[str, float | None]:
    """Elasticities of tokens a second by resource."""
    return numbers(jax.tree.map(np.asarray, gains))
