"""Studies in which each layer chooses: a study with a `[per_layer]` table."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from liminal_jax._files import InputError, Problem
from liminal_jax.study.bundled import STUDIES
from liminal_jax.study.contradictions import side_contradiction
from liminal_jax.study.domain import Grid
from liminal_jax.study.file import StudyFile, carrying, resolved_of
from liminal_jax.study.layers.allowed import QUALITY
from liminal_jax.study.layers.build import Asked, LossStated, layers_problem
from liminal_jax.study.layers.problem import LayersProblem
from liminal_jax.study.layers.table import LossRow, rows_at
from liminal_jax.study.layers.variables import CHOOSABLE, chosen
from liminal_jax.study.read import limit_of, problem_of

TABLE = "per_layer"
"""The table that tells such a study."""

_LOSSES = f"{TABLE}.quality"


class _Table(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, arbitrary_types_allowed=True
    )


class LayerQualityTable(_Table):
    """What layers lose of the model's quality, as the user says.

    Attributes:
        unit: What is lost, in words.
        source: Where the numbers are from, or that they are assumed and why.
        rows: The rows of the table, see `LossRow`; or
        table: A file of comma-separated values with such rows, beside the study.
    """

    unit: str = Field(min_length=1)
    source: str = Field(min_length=1)
    rows: list[LossRow] | None = Field(default=None, min_length=1)
    table: str | None = None

    @model_validator(mode="after")
    def _is_one_or_the_other(self) -> "LayerQualityTable":
        given = {name: it for name in ("rows", "table") if (it := getattr(self, name)) is not None}
        message = side_contradiction(given, "rows", "table")
        if message is not None:
            raise ValueError(message)
        return self


class PerLayerTable(_Table):
    """What each layer chooses for itself: for each number a value or a domain.

    Attributes:
        weight_bits: Bits of its weights, or formats by name.
        kv_bits: Bits of its cache, or formats by name.
        window: Tokens that its attention sees; 0 or `full` for all of the context.
        sram: Share in SRAM of the weights that every token uses; nothing where left out.
        sram_experts: Share in SRAM of its routed experts; nothing where left out.
        sram_cache: Share in SRAM of what it keeps for users; nothing where left out.
        quality: What its choices cost; a limit on `quality_loss` needs it.
    """

    weight_bits: Annotated[Grid, chosen("weight_bits")] | None = None
    kv_bits: Annotated[Grid, chosen("kv_bits")] | None = None
    window: Annotated[Grid, chosen("window")] | None = None
    sram: Annotated[Grid, chosen("sram")] | None = None
    sram_experts: Annotated[Grid, chosen("sram_experts")] | None = None
    sram_cache: Annotated[Grid, chosen("sram_cache")] | None = None
    quality: LayerQualityTable | None = None

    def grids(self) -> dict[str, Grid]:
        """Values of what each layer chooses, by name."""
        found = {name: getattr(self, name) for name in CHOOSABLE}
        return {name: it for name, it in found.items() if it is not None}


class LayersFile(StudyFile):
    """A question: the best choices of each layer, and of what all share, under some limits.

    Attributes:
        per_layer: What each layer chooses. Bits of `[workload]` are those of embedding and head,
            and of all that layers do not choose.
    """

    per_layer: PerLayerTable


def layers_problem_of(file: LayersFile) -> LayersProblem:
    """The problem of a study in which each layer chooses.

    Raises:
        InputError: mistakes that show only here; all of them.
    """
    # What layers lose is not the loss of a lever, which a study of one design would ask for.
    kept = [it for it in file.constraints if it.quantity != QUALITY]
    plain = carrying(file.model_copy(update={"constraints": kept}), resolved_of(file))
    problem = problem_of(plain)
    return layers_problem(
        file.name,
        problem.region,
        problem.goal,
        [limit_of(it) for it in file.constraints],
        Asked(file.per_layer.grids(), _stated(file)),
    )


def _stated(file: LayersFile) -> LossStated | None:
    quality = file.per_layer.quality
    if quality is None:
        return None
    if quality.rows is not None:
        return LossStated(quality.rows, quality.unit, f"{_LOSSES}.rows", quality.source)
    path = STUDIES / str(quality.table)
    try:
        rows = rows_at(path)
    except InputError as error:
        problems = [Problem(f"{_LOSSES}.table", line) for line in error.lines()]
        raise InputError(file.name, problems) from None
    return LossStated(rows, quality.unit, f"{_LOSSES}.table", quality.source)
