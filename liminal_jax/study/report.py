"""Results as plain data, for `--json` and run folders; unknown numbers are null."""

from typing import Any

from liminal_jax._show import number as number
from liminal_jax._show import record
from liminal_jax.performance.gains import Gains
from liminal_jax.performance.prediction import Prediction


def numbers(module: Any) -> dict[str, float | None]:
    """The scalar leaves of a flat pytree by name."""
    return record(module)


def prediction_record(prediction: Prediction, basis: list[str]) -> dict[str, Any]:
    """A prediction of one instance, and what it rests on."""
    return {**prediction.to_dict(), "basis": basis}


def gains_record(gains: Gains) -> dict[str, float | None]:
    """Elasticities of tokens a second by resource."""
    return gains.to_dict()
