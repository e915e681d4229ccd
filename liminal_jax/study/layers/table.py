"""Tables of losses: rows of a file or of a study, read into losses of each layer."""

import itertools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import jax.numpy as jnp
import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from liminal_jax._files import InputError, Problem
from liminal_jax.data.tables import read_table
from liminal_jax.study.layers.loss import LossGrid, TableLoss
from liminal_jax.study.layers.variables import bits_of, window_of

ALL_LAYERS = "all"
"""What stands for every layer in a row."""

TOLD = 8
"""Missing rows that a message names."""

COLUMNS = {"weight_bits": "bits", "kv_bits": "kv_bits", "window": "window"}
"""Column of a table by the number of a layer that it states."""

_Bits = Annotated[float | None, BeforeValidator(bits_of), Field(gt=0, le=32)]
_Window = Annotated[float | None, BeforeValidator(window_of), Field(ge=0, allow_inf_nan=False)]
_Layer = Annotated[str, BeforeValidator(lambda it: str(it) if isinstance(it, int) else it)]


class LossRow(BaseModel):
    """The loss of some layers at some values.

    Attributes:
        layer: Number of the layer from 0, a range such as `3-60`, or `all`.
        bits: Bits of its weights, or the name of their format; left out where the row holds for
            any.
        kv_bits: The same of its cache.
        window: Tokens that it sees; 0 or `full` for all.
        loss: What that costs in quality.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    layer: _Layer
    bits: _Bits = None
    kv_bits: _Bits = None
    window: _Window = None
    loss: float = Field(allow_inf_nan=False)

    @property
    def axes(self) -> tuple[str, ...]:
        """Numbers of a layer that it states."""
        return tuple(name for name, it in COLUMNS.items() if getattr(self, it) is not None)


def rows_at(path: Path | str) -> tuple[LossRow, ...]:
    """The rows of a file of comma-separated values, whose columns are the fields of `LossRow`.

    Raises:
        InputError: the file cannot be read, has other columns, or lines that are no rows.
    """
    return read_table(path, LossRow)


def table_loss(
    rows: Sequence[LossRow],
    grids: Mapping[str, Sequence[float]],
    layers: int,
    context: float,
) -> TableLoss:
    """The losses of a table.

    Rows that state the same numbers make up a part of the loss; parts add up, so that one that
    states bits alone and another that states windows alone need no row for each pair of them.

    Args:
        rows: The rows.
        grids: Values of `weight_bits`, `kv_bits` and `window` among which layers choose.
        layers: Layers of the model.
        context: Tokens of a window that all are in.

    Raises:
        InputError: rows of layers that there are not, a row that is there twice, and rows that are
            missing: of a layer, of a value, of a number that is chosen.
    """
    mistakes: list[Problem] = []
    parts: dict[tuple[str, ...], dict[Any, float]] = {}
    for place, row in enumerate(rows, start=1):
        try:
            numbers = _layers_of(row.layer, layers)
        except ValueError as error:
            mistakes.append(Problem("layer", f"row {place} {error}"))
            continue
        cells, key = parts.setdefault(row.axes, {}), _key(row, context)
        for layer in numbers:
            if (layer, *key) in cells:
                message = f"row {place} states layer {layer} at {_words(row.axes, key)} again"
                mistakes.append(Problem("layer", message))
            cells[layer, *key] = row.loss
    free = [name for name, values in grids.items() if len(values) > 1]
    stated = {name for axes in parts for name in axes}
    mistakes += [
        Problem(COLUMNS[name], f"no row states it, and {name} is chosen; give the loss of each")
        for name in free
        if name not in stated
    ]
    found = []
    for axes, cells in parts.items():
        knots = [list(grids[name]) for name in axes]
        missing = _missing(axes, knots, cells, layers)
        mistakes += missing
        if not missing:
            found.append(_grid(axes, knots, cells, layers))
    if mistakes:
        raise InputError("", mistakes)
    return TableLoss(tuple(found))


def _layers_of(written: str, layers: int) -> range:
    """Numbers of the layers that a row speaks of.

    Raises:
        ValueError: there are none of these.
    """
    if written == ALL_LAYERS:
        return range(layers)
    found = re.fullmatch(r"(\d+)(?:-(\d+))?", written.replace(" ", ""))
    if found is None:
        raise ValueError(f"must name a layer, a range such as '3-60' or 'all', got {written!r}")
    first = int(found[1])
    last = first if found[2] is None else int(found[2])
    if not first <= last < layers:
        raise ValueError(f"names layer {written}, and the model has layers 0 to {layers - 1}")
    return range(first, last + 1)


def _key(row: LossRow, context: float) -> tuple[float, ...]:
    """The values that a row states; a window that all tokens are in is the context."""
    values = [getattr(row, COLUMNS[name]) for name in row.axes]
    return tuple(
        context if name == "window" and not 0 < it < context else float(it)
        for name, it in zip(row.axes, values, strict=True)
    )


def _words(axes: Sequence[str], key: Sequence[float]) -> str:
    named = zip(axes, key, strict=True)
    return ", ".join(f"{COLUMNS[name]} {it:g}" for name, it in named) or "any value"


def _missing(
    axes: tuple[str, ...], knots: list[list[float]], cells: Mapping[Any, float], layers: int
) -> list[Problem]:
    """Rows that are missing; of one value that no layer has, once."""
    absent: dict[tuple[float, ...], list[int]] = {}
    for key in itertools.product(*knots):
        lacking = [layer for layer in range(layers) if (layer, *key) not in cells]
        if lacking:
            absent[key] = lacking
    told = []
    for key, lacking in itertools.islice(absent.items(), TOLD):
        which = "any layer" if len(lacking) == layers else _ranges(lacking)
        told.append(Problem("loss", f"is missing for {which} at {_words(axes, key)}"))
    if len(absent) > TOLD:
        told.append(Problem("loss", f"is missing at {len(absent) - TOLD} more combinations"))
    return told


def _ranges(numbers: list[int]) -> str:
    """Layers in words: `layer 3`, or `layers 3-5, 9`."""
    groups = itertools.groupby(enumerate(numbers), key=lambda it: it[1] - it[0])
    ends = [(them[0][1], them[-1][1]) for them in (list(group) for _, group in groups)]
    words = ", ".join(f"{low}" if low == high else f"{low}-{high}" for low, high in ends)
    return f"layer{'s' if len(numbers) > 1 else ''} {words}"


def _grid(
    axes: tuple[str, ...], knots: list[list[float]], cells: Mapping[Any, float], layers: int
) -> LossGrid:
    losses = [cells[layer, *key] for layer in range(layers) for key in itertools.product(*knots)]
    shape = (layers, *(len(it) for it in knots))
    return LossGrid(
        axes=axes,
        knots=tuple(jnp.asarray(it, float) for it in knots),
        losses=jnp.asarray(np.reshape(losses, shape), float),
    )
