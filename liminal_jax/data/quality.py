"""What levers that can cost quality were measured to cost: published numbers, and no others.

A cost holds for the model, the setting and the test of its row. There is no law that carries it
over to another model: larger models lose more perplexity to few bits and less accuracy, and what
does not show on short tests shows on long ones.
"""

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from liminal_jax._files import InputError, Problem, did_you_mean
from liminal_jax.data.tables import Grade, read_table

FILE = Path(__file__).parent / "quality.csv"

_Text = Annotated[str, Field(min_length=1)]
_Size = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Change = Annotated[float, Field(allow_inf_nan=False)]

QualityUnit = Literal["points", "relative", "nat/token"]
"""Points of a score of 100, parts of the score without the lever, or loss in nats."""


class PublishedCost(BaseModel):
    """What one setting of a lever did to one model on one test.

    Attributes:
        lever: The lever.
        setting: How it was set.
        model: The model; empty where the source does not name it.
        size: Parameters of the model in 1e9, if known.
        test: What was measured.
        change: How the result changed. A score falls and a loss rises where quality is lost.
        unit: Of the change.
        source: Where it is published.
        grade: How good the source is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    lever: _Text
    setting: _Text
    model: str = ""
    size: _Size | None = None
    test: _Text
    change: _Change
    unit: QualityUnit
    source: _Text
    grade: Grade

    @property
    def loss(self) -> float:
        """The change as a loss: above zero where quality is lost, whatever is measured."""
        return self.change if self.unit == "nat/token" else 0.0 - self.change


@cache
def published_costs() -> tuple[PublishedCost, ...]:
    """Every published cost that comes with the package, see `PublishedCost`."""
    return read_table(FILE, PublishedCost)


def costs_of(lever: str, model: str | None = None) -> tuple[PublishedCost, ...]:
    """Published costs of one lever; none where nothing is published for a model.

    Args:
        lever: Name of the lever, as in the file.
        model: Name of a model, as in the file; those of every model where it is left out.

    Raises:
        InputError: no lever of the file has that name.

    Examples:
        >>> (cost,) = costs_of("relaxed acceptance")
        >>> cost.model, cost.test, cost.change, cost.unit
        ('DeepSeek-R1', 'MMLU-Pro', -2.8, 'points')
    """
    known = {it.lever for it in published_costs()}
    if lever not in known:
        message = f"no cost is published for {lever!r}{did_you_mean(lever, known)}"
        raise InputError(FILE.name, [Problem("lever", message)])
    return tuple(it for it in published_costs() if it.lever == lever and model in (None, it.model))
