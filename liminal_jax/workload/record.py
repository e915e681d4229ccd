"""The kind of record that a model file consists of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(gt=0)]
"""A whole number of things of which there must be some."""

MaybeNone = Annotated[int, Field(ge=0)]
"""A whole number of things of which there may be none."""


class Spec(BaseModel):
    """A record that is immutable and refuses fields it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True, strict=True)
