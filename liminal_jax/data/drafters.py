"""Published drafters: what proposes drafts for a model, and how often they are accepted."""

from functools import cache
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from liminal_jax.data.files import data_tables
from liminal_jax.data.validation import validated

_Share = Annotated[float, Field(gt=0, le=1)]


class DrafterRow(BaseModel):
    """A published drafter.

    Attributes:
        models: The bundled models that it drafts for.
        kind: How it proposes: one draft in a pass, or all of them.
        name: What it is called.
        acceptance: Chance that its first draft is accepted.
        decay: Factor on that chance from one draft to the next.
        source: Where the numbers come from.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    models: tuple[str, ...]
    kind: Literal["recurrent-head", "block"]
    name: str
    acceptance: _Share
    decay: _Share
    source: str


class _Rows(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    drafter: tuple[DrafterRow, ...]


@cache
def published_drafters() -> dict[str, DrafterRow]:
    """The drafter of each model that has a published one, by the name of the model."""
    rows = validated(_Rows, data_tables("drafters.toml"), "drafters.toml").drafter
    return {model: row for row in rows for model in row.models}
