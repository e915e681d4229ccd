"""The outputs of a sweep: quantities of the whole system, and of one instance."""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp

from liminal_jax._arrays import Scalar
from liminal_jax._files import did_you_mean
from liminal_jax.performance.prediction import BOTTLENECKS
from liminal_jax.study.problem import FEASIBLE
from liminal_jax.study.quantities import INSTANCE, QUANTITIES, Fleet


class Output(NamedTuple):
    """An output of every point.

    Attributes:
        unit: Its unit in SI; empty for ratios and counts.
        about: Its label.
        of: The output as a function of the whole system and of the utilisation of each limit.
    """

    unit: str
    about: str
    of: Callable[[Fleet, list[Scalar]], Scalar]


def _feasible(fleet: Fleet, ratios: list[Scalar]) -> Scalar:
    """1 where every limit holds."""
    del fleet
    feasible = jnp.asarray(True)
    for ratio in ratios:
        feasible &= jnp.asarray(ratio <= 1 + FEASIBLE)
    return jnp.where(feasible, 1.0, 0.0)


_INSTANCE = tuple(name for name in INSTANCE if name not in QUANTITIES)
"""Outputs that belong to one instance."""


def _of_instance(name: str) -> Output:
    stated = INSTANCE[name]
    return Output(stated.unit, stated.label, lambda fleet, _: getattr(fleet.instance, name))


OUTPUTS = {
    **{
        name: Output(it.unit, it.about, lambda fleet, _, it=it: it.of(fleet))
        for name, it in QUANTITIES.items()
    },
    "replicas": Output("", "instances", lambda it, _: it.replicas),
    **{name: _of_instance(name) for name in _INSTANCE},
    "bottleneck": Output("", ", ".join(BOTTLENECKS), lambda it, _: it.instance.bottleneck),
    "fits": Output(
        "", "1 where the fullest chip holds its part", lambda it, _: it.instance.fits * 1.0
    ),
    "feasible": Output("", "1 where every limit holds", _feasible),
}
"""Every output by its name."""

SMALL = ("bottleneck", "fits", "feasible")
"""Outputs that are small integers, stored as one byte each."""


def check_output(name: str) -> None:
    """Refuse a name that is no output.

    Raises:
        ValueError: there is no such output.
    """
    if name not in OUTPUTS:
        hint = did_you_mean(name, OUTPUTS) or f"; there are {', '.join(OUTPUTS)}"
        raise ValueError(f"there is no output {name!r}{hint}")
