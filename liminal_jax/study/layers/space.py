"""What each layer chooses, as a user states it in Python: beside a space of designs."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax

from liminal_jax._files import InputError, did_you_mean
from liminal_jax._files import Problem as Mistake
from liminal_jax.data.validation import validated
from liminal_jax.study.asked import Bound, criterion
from liminal_jax.study.asked import limits as limits_of_user
from liminal_jax.study.layers.build import Asked, LossStated, layers_problem
from liminal_jax.study.layers.loss import Combination, LossFunction
from liminal_jax.study.layers.problem import LayersProblem
from liminal_jax.study.layers.table import LossRow, rows_at
from liminal_jax.study.layers.variables import CHOOSABLE, layer_grid
from liminal_jax.study.quantities import Fleet
from liminal_jax.study.space import Space, with_precision

SOURCE = "PerLayer"
"""What messages call it."""


class PerLayer:
    """Designs in which each layer of the model chooses for itself, beside what all share.

    Attributes:
        space: The designs; what is free in it all layers share.
        asked: What each layer chooses, and what it loses.
    """

    def __init__(
        self,
        space: Space,
        free: Mapping[str, Any],
        *,
        loss: LossFunction | Sequence[Mapping[str, Any]] | str | Path | None = None,
        unit: str = "",
        over_layers: Combination | None = None,
    ):
        """State what each layer chooses.

        Args:
            space: The designs. Bits of its request are those of embedding and head, and of all
                that layers do not choose.
            free: Values of `weight_bits`, `kv_bits`, `window`, `sram`, `sram_experts` and
                `sram_cache`: a value or a sequence. Bits may be names of number formats, a window
                of 0 or `full` is the whole context, and the others are shares in SRAM, where
                nothing lies that is left out.
            loss: What layers lose of the model's quality: a function of the bits of weights and of
                the cache, and of the windows, each an array over layers, that returns the loss of
                each layer and can be differentiated by JAX; or a table, as the path of a file of
                comma-separated values or as rows, see `LossRow`. A limit on `quality_loss` needs
                it; nothing is assumed.
            unit: What is lost, in words.
            over_layers: Loss of the model from those of its layers, convex and never falling; their
                sum where left out.

        Raises:
            InputError: everything that is wrong with names and values, or with the table.
        """
        mistakes, grids = [], {}
        for name, values in free.items():
            try:
                if name not in CHOOSABLE:
                    hint = did_you_mean(name, CHOOSABLE) or f"; there are {', '.join(CHOOSABLE)}"
                    raise ValueError(f"is nothing that a layer chooses{hint}")
                grids[name] = layer_grid(name, values)
            except ValueError as error:
                mistakes.append(Mistake(name, str(error)))
        if len(space.regions) > 1:
            message = "has alternatives of several structures; take one of them with only(...)"
            mistakes.append(Mistake("space", message))
        if mistakes:
            raise InputError(SOURCE, mistakes)
        ordered = {name: grids[name] for name in CHOOSABLE if name in grids}
        stated = (
            None if loss is None else LossStated(_rows(loss), unit, "loss", over_layers=over_layers)
        )
        self.space, self.asked = space, Asked(ordered, stated)

    def problem(
        self,
        *,
        maximise: str | None = None,
        minimise: str | None = None,
        limits: Iterable[Bound] = (),
    ) -> LayersProblem:
        """The problem, given what is best and what is limited.

        Args:
            maximise: What there should be most of: `utps`, `stps`, `stps_per_watt` or
                `stps_per_usd`.
            minimise: What there should be least of, such as `usd_per_million_tokens`.
            limits: `ll.at_most` and `ll.at_least`, on the same, on `quality_loss`, and on what
                layers do not change, such as `capital_cost` and `power_provisioned`.

        Raises:
            InputError: see `layers_problem`; or there is not one objective.
        """
        goals = [(it, more) for it, more in ((maximise, True), (minimise, False)) if it is not None]
        if len(goals) != 1:
            message = f"give one of maximise and minimise, got {len(goals)}"
            raise InputError(SOURCE, [Mistake("objective", message)])
        ((name, more),) = goals
        with jax.enable_x64(True):
            space = with_precision(self.space)
            (region,) = space.regions
            best = criterion(name, _no_example, maximise=more)
            asked = limits_of_user(limits, _no_example)
            return layers_problem(SOURCE, region, best, asked, self.asked)


def _no_example() -> Fleet:
    """Quantities are asked for by name alone, which needs no prediction to try them on."""
    message = "functions of the prediction cannot be asked for layer by layer; name a quantity"
    raise InputError(SOURCE, [Mistake("objective", message)])


def _rows(
    loss: LossFunction | Sequence[Mapping[str, Any]] | str | Path,
) -> LossFunction | Sequence[LossRow]:
    """The rows of a table; a function as it is."""
    if callable(loss):
        return loss
    if isinstance(loss, str | Path):
        return rows_at(loss)
    return [
        validated(LossRow, dict(it), f"{SOURCE}: loss: row {row}") for row, it in enumerate(loss, 1)
    ]
