"""From designs and what layers choose to the problem."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from liminal_jax._files import InputError
from liminal_jax._files import Problem as Mistake
from liminal_jax.performance.layer_load import LOADS
from liminal_jax.study.domain import Grid
from liminal_jax.study.layers.allowed import refused_parts, refused_quantities
from liminal_jax.study.layers.checked import NAMES, PLACE, checked_combination, checked_loss
from liminal_jax.study.layers.loss import AbstractLoss, Combination, LossFunction
from liminal_jax.study.layers.problem import LOSS, SRAM, LayerKind, LayersProblem, Shared
from liminal_jax.study.layers.table import LossRow, table_loss
from liminal_jax.study.layers.variables import CHOOSABLE, windows_within
from liminal_jax.study.problem import Criterion, Limit, limits_of
from liminal_jax.study.region import Region, Variable
from liminal_jax.workload.model import Model

HOSTS = "Hosts draw their full power whatever the chips do, so that the energy of layers adds up."


@dataclass(frozen=True)
class LossStated:
    """What layers lose, as the user says.

    Attributes:
        of: A function of all layers, or the rows of a table.
        unit: What is lost, in words.
        source: Where the numbers are from, if the user says so.
        place: Where it is stated, for messages.
        over_layers: How losses of layers combine; they add up where left out.
    """

    of: LossFunction | Sequence[LossRow]
    unit: str
    place: str
    source: str = ""
    over_layers: Combination | None = None


@dataclass(frozen=True)
class Asked:
    """What a study of layers asks beside a space of designs.

    Attributes:
        grids: Values of what each layer chooses, by name; one value fixes it for all.
        loss: What layers lose, if the user says so.
    """

    grids: Mapping[str, Grid]
    loss: LossStated | None


def layers_problem(
    name: str,
    region: Region,
    criterion: Criterion,
    limits: Sequence[Limit],
    asked: Asked,
) -> LayersProblem:
    """The problem.

    Args:
        name: How results call it.
        region: Designs between which all layers together choose.
        criterion: What is best.
        limits: What the user limits.
        asked: What each layer chooses, and what it loses.

    Raises:
        InputError: every mistake: quantities that cannot be asked for layer by layer, parts of a
            design that are not counted so, and what is wrong with the losses.
    """
    mistakes = refused_quantities(criterion, limits, stated_loss=asked.loss is not None)
    paths = [CHOOSABLE[it].path for it in asked.grids]
    mistakes += refused_parts(region, [it.name for it in limits], paths)
    if not any(it.free for it in asked.grids.values()):
        some = ", ".join(CHOOSABLE)
        mistakes.append(Mistake("per_layer", f"nothing is free; give several values of {some}"))
    if mistakes:
        raise InputError(name, mistakes)
    context = float(jnp.ravel(region.case.request.context)[0])
    grids, told = dict(asked.grids), []
    if "window" in grids:
        grids["window"], told = windows_within(grids["window"], context)
    counts = _counts(region.case.model)
    shared = Shared(region.case, region.categories or ("design",), region.variables, region.kind)
    loss, combination = _loss(name, asked.loss, _values(grids, region), sum(counts), context)
    apart = combination is not None
    variables = tuple(Variable(it, CHOOSABLE[it].path, at) for it, at in grids.items() if at.free)
    groups, first = [], 0
    for row, count in enumerate(counts):
        groups.append(
            LayerKind(
                members=tuple(f"layer {first + at}" for at in range(count)),
                categories=("layer",),
                variables=variables,
                shared=shared,
                row=row,
                first=first,
                layers=sum(counts),
                fixed=tuple((it, at.value) for it, at in grids.items() if not at.free),
                loss=None if loss is None else loss.of_layers(first, count),
                apart=apart,
            )
        )
        first += count
    lost = [f"{LOSS} of layer {it}" for it in range(first)] if apart else [LOSS]
    sram = Limit(SRAM, at_least=False, bound=1.0, unit="")
    return LayersProblem(
        name=name,
        goal=criterion.name,
        unit=criterion.unit,
        maximise=criterion.maximise,
        groups=tuple(groups),
        categories=shared.categories,
        variables=shared.variables,
        totals=(*LOADS, *(lost if loss is not None else ())),
        limits=(*limits_of(region.case), sram, *limits),
        criterion=criterion,
        shared=shared,
        combination=combination,
        notes=(*_notes(region, counts, asked.loss), *told),
    )


def _notes(region: Region, counts: Sequence[int], loss: LossStated | None) -> list[str]:
    """What the answer rests on, in a sentence each."""
    request, ends = region.case.request, np.cumsum(counts)
    kinds = [f"{end - count} to {end - 1}" for count, end in zip(counts, ends, strict=True)]
    bits = request.weight_bits if request.table_bits is None else request.table_bits
    notes = [
        "Hosts draw their full power whatever the chips do, so that the energy of layers adds up.",
        f"Embedding and head have {float(jnp.ravel(bits)[0]):g} bits and lie in main memory.",
    ]
    if len(counts) > 1:
        notes.append(f"Layers are numbered kind after kind: {', '.join(kinds)}.")
    if loss is not None:
        combined = "add up" if loss.over_layers is None else "combine as the user says"
        unit = f", in {loss.unit}" if loss.unit else ""
        notes.append(f"Losses of layers {combined}{unit}.")
        notes += [f"Losses: {' '.join(loss.source.split())}"] if loss.source else []
    return notes


def _counts(model: Model) -> list[int]:
    """Layers of each kind."""
    return [round(float(jnp.ravel(it.count)[0])) for it in model.layers]


def _values(grids: Mapping[str, Grid], region: Region) -> dict[str, tuple[float, ...]]:
    """Values of the numbers that a loss may depend on; those of the request where not chosen."""
    request = region.case.request
    shared = {
        "weight_bits": request.weight_bits,
        "kv_bits": request.kv_bits,
        "window": request.context,
    }
    free = {it.path: it.grid.values for it in region.variables}
    found = {}
    for name in NAMES:
        if name in grids:
            found[name] = grids[name].values
        else:
            own = tuple(sorted(set(map(float, jnp.ravel(shared[name])))))
            found[name] = free.get(CHOOSABLE[name].path, own)
    return found


def _loss(
    name: str,
    stated: LossStated | None,
    values: Mapping[str, Sequence[float]],
    layers: int,
    context: float,
) -> tuple[AbstractLoss | None, Combination | None]:
    """What layers lose, and how it combines.

    Raises:
        InputError: what is wrong with it.
    """
    if stated is None:
        return None, None
    try:
        if callable(stated.of):
            loss = checked_loss(stated.of, values, layers)
        else:
            loss = table_loss(stated.of, values, layers, context)
        over = stated.over_layers
        return loss, None if over is None else checked_combination(over, layers)
    except InputError as error:
        raise InputError(name, [_placed(it, stated) for it in error.problems]) from None


def _placed(mistake: Mistake, stated: LossStated) -> Mistake:
    """A mistake of the losses at the place where they are stated."""
    path = "" if callable(stated.of) and mistake.path == PLACE else mistake.path
    return mistake._replace(path=".".join(filter(None, (stated.place, path))))
