"""How engines share attention, for a design that does not say: in time and in memory."""

from typing import NamedTuple

import equinox as eqx
from jaxtyping import Array, Float

from liminal_jax._smooth import Exact
from liminal_jax.data.calibrations import Calibration
from liminal_jax.mapping.attention import ATTENTION_MAPPINGS, attention_name
from liminal_jax.performance.capacity import ROUNDING, memory_fill
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.memory_footprint import (
    imbalance,
    memory_footprint,
    table_crowding,
)
from liminal_jax.study.calibrated import TYPICAL, Engine, filled_case, step_time_of
from liminal_jax.study.degrees import degree_contradictions
from liminal_jax.study.domain import Grid
from liminal_jax.study.file import DesignFile
from liminal_jax.study.read import problem_of
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request

SPLIT, COPIED, APART = "split-sequence", "copied-heads", "data-parallel"
"""Attention mappings that engines have."""


class EngineAttention(NamedTuple):
    """A design with attention as an engine shares it.

    Attributes:
        file: The design.
        sentences: How attention is shared and why, and what another way would fill.
    """

    file: DesignFile
    sentences: list[str]


def engine_attention(
    file: DesignFile, calibration: Calibration, engine: Engine = TYPICAL
) -> EngineAttention:
    """A design whose ranks share attention as an engine's do, unless it says how they do.

    Engines give each rank heads, and copy those of the cache beyond the KV heads (vLLM and SGLang
    do where ranks exceed them; of latents each rank holds all). Where experts are spread over all
    ranks and there is a user for each, ranks may attend to users of their own instead: the quicker
    of both counts, of those that fit.

    Args:
        file: The design.
        calibration: What engines lose.
        engine: The engine; a typical one where left out.
    """
    who = "engines share" if engine.name is None else f"{engine.name} shares"
    mapping = problem_of(file).first().mapped()
    if file.workload.accounting == "talk":
        return EngineAttention(file, ["The talk's accounting divides attention ideally."])
    stated = "attention" in file.design.model_fields_set
    if stated or float(mapping.stage_chips()) == 1:
        return EngineAttention(file, [_stated(file, who)] if stated else [])
    if float(mapping.cp) > 1:
        told = "Context-parallel ranks hold parts of a sequence: attention is split so."
        return EngineAttention(file, [told])
    names = [COPIED]
    if float(mapping.ep) == float(mapping.stage_chips()) <= float(file.design.batch.value):
        names.append(APART)
    ways = {name: _with_attention(file, name) for name in names}
    ways = {name: it for name, it in ways.items() if not degree_contradictions(problem_of(it))}
    if not ways:
        return EngineAttention(file, [])
    fills = {name: fullest_chip(it) for name, it in ways.items()}
    fitting = [name for name in ways if fills[name] <= 1 + ROUNDING] or list(ways)
    name = min(fitting, key=lambda it: step_time_of(ways[it], calibration, engine))
    sentence = f"Attention is shared as {who} it: {name}{_why(name, fills)}, {_full(fills[name])}."
    return EngineAttention(ways[name], [sentence, *_otherwise(file, fills[name])])


def _why(name: str, fills: dict[str, float]) -> str:
    """Why one of two ways."""
    if len(fills) == 1:
        return ""
    (other,) = (it for it in fills if it != name)
    if fills[other] > 1 + ROUNDING >= fills[name]:
        return f" (with {other} the fullest chip is {fills[other]:.1%} full)"
    return f" (quicker than {other})"


def _full(fill: float) -> str:
    fits = "fits" if fill <= 1 + ROUNDING else "does not fit"
    return f"which fills {fill:.1%} of the fullest chip and {fits}"


def _stated(file: DesignFile, who: str) -> str:
    """That the design says how ranks share attention, and what engines would fill."""
    name, fill = attention_name(file.design.attention.value), fullest_chip(file)
    sentence = f"Attention is shared as stated: {name}, {_full(fill)}"
    if name == COPIED:
        return f"{sentence}."
    copied = fullest_chip(_with_attention(file, COPIED))
    return f"{sentence}. Where {who} it by heads, {COPIED} fills {copied:.1%}."


def _otherwise(file: DesignFile, fill: float) -> list[str]:
    """What a split sequence would fill, where it is less."""
    split = fullest_chip(_with_attention(file, SPLIT))
    if not split < fill * (1 - ROUNDING):
        return []
    return [
        "Engines split the sequence only where they are told to (decode context parallelism):"
        f" --attention {SPLIT} asks for it, {_full(split)}."
    ]


def _with_attention(file: DesignFile, name: str) -> DesignFile:
    """The design with another attention mapping."""
    place = Grid((float(tuple(ATTENTION_MAPPINGS).index(name)),), logarithmic=False)
    return file.model_copy(update={"design": file.design.model_copy(update={"attention": place})})


def fullest_chip(file: DesignFile) -> float:
    """Bytes over capacity of the fullest chip of a design."""
    design, case = filled_case(file)
    return float(_fill(design, case.model, case.decoding, case.laws(Exact())))


@eqx.filter_jit
def _fill(design: Design, model: Model, request: Request, laws: Assumptions) -> Float[Array, ""]:
    mapping, relaxation = design.mapping, laws.relaxation
    held = memory_footprint(model, request, mapping, design.batch, laws, design.algorithm)
    layers = imbalance(model, mapping, laws.division, relaxation)
    return memory_fill(held, design, layers, table_crowding(model, mapping, relaxation)).memory
