"""Designs compared: what `liminal compare` answers."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
from typing_extensions import override

from liminal_jax.results.comparison import page
from liminal_jax.results.page import Page
from liminal_jax.results.reasons import differences
from liminal_jax.results.told import Told
from liminal_jax.study.kind import kind_record
from liminal_jax.study.predicted import record_of
from liminal_jax.study.sides import Common, Side, sides


@dataclass(frozen=True, repr=False)
class Comparison(Told):
    """Two or more designs side by side.

    Attributes:
        sides: The designs, predicted; the first is what the others are compared with.
    """

    sides: list[Side]

    @override
    def to_dict(self) -> dict[str, Any]:
        return self._record

    @cached_property
    def _record(self) -> dict[str, Any]:
        with jax.enable_x64(True):
            found = [(it, record_of(it.answer)) for it in self.sides]
        (first, base), *others = found
        return {
            **kind_record("comparison"),
            "sides": [
                {"name": it.name, "about": it.about, "prediction": record} for it, record in found
            ],
            "differences": [
                {
                    "name": it.name,
                    "than": first.name,
                    "differences": [
                        why._asdict() for why in differences(base, record, (first.name, it.name))
                    ],
                }
                for it, record in others
            ],
        }

    @override
    def page(self) -> Page:
        return page(self.to_dict())


def compare(
    *items: str,
    model: str | None = None,
    system: str | None = None,
    context: float | int | None = None,
    batch: float | int | None = None,
    tp: float | int | None = None,
    cp: float | int | None = None,
    pp: float | int | None = None,
    ep: float | int | None = None,
) -> Comparison:
    """Designs side by side: pictures, time, limits, cost, and why they differ.

    Args:
        items: Two or more of: the folder of a run, a design file, a system, a model.
        model: What systems run; the model of the first run or design where left out.
        system: What models run on; the hardware of the first run or design where left out.
        context: Tokens of a user's context.
        batch: Users of systems and models.
        tp: Tensor-parallel ranks of systems and models; those of the first run or design where
            left out, and without one the fewest that hold the model.
        cp: Context-parallel ranks.
        pp: Pipeline stages.
        ep: Expert-parallel ranks.

    Raises:
        InputError: what is missing or cannot be read.
    """
    degrees = {"batch": batch, "tp": tp, "cp": cp, "pp": pp, "ep": ep}
    common = Common(
        model=model,
        system=system,
        context=None if context is None else float(context),
        stated={name: float(it) for name, it in degrees.items() if it is not None},
    )
    with jax.enable_x64(True):
        return Comparison(sides(items, common))
