"""What kind of result a record holds."""

from collections.abc import Mapping
from typing import Any

_KEYS = {
    "pareto": ("points", "knees"),
    "sensitivity": ("shadow_prices",),
    "reach": ("target", "levers"),
    "ceiling": ("technologies",),
    "uncertainty": ("samples", "influences"),
    "portfolio": ("workloads", "cross"),
    "optimum": ("prediction", "alternatives"),
    "sweep": ("axes", "points"),
    "prediction": ("step_time", "bottleneck"),
}
"""Keys that the records of a kind have, and those of no other, in order of how sure they are."""


def kind_of(record: Mapping[str, Any]) -> str:
    """The kind of a result; empty where it is none.

    Records say it. Those without `schema` were written before 0.2, and are known by their keys.

    Examples:
        >>> kind_of({"kind": "sensitivity", "schema": 1}), kind_of({"shadow_prices": []})
        ('sensitivity', 'sensitivity')
        >>> kind_of({"a": 1})
        ''
    """
    if "schema" in record:
        return record["kind"]
    return next((kind for kind, keys in _KEYS.items() if record.keys() >= set(keys)), "")
