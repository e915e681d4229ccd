"""Requests as Python users hold them: a trace, its classes, and what is asked of a space."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
from pydantic import BaseModel, ConfigDict, Field, model_validator

from liminal_jax._files import InputError
from liminal_jax._files import Problem as Mistake
from liminal_jax.data.traces import Trace, read_trace, shipped_trace
from liminal_jax.data.validation import validated
from liminal_jax.study.asked import Bound
from liminal_jax.study.region import Region
from liminal_jax.study.requests.file import (
    MOST_CLASSES,
    RequestsConstraintTable,
    RequestsObjectiveTable,
    RequestsQuestion,
    refuse_no_fleet,
)
from liminal_jax.study.requests.problem import CONTEXT, RequestsProblem, requests_problem
from liminal_jax.study.space import Space, with_precision


@dataclass(frozen=True)
class Requests:
    """Requests of many lengths, in classes that each have a mapping and a batch of their own.

    Attributes:
        trace: The requests.
        classes: Classes.
        rate: Requests a second; instances are whole where it is stated.
    """

    trace: Trace
    classes: int = 32
    rate: float | None = None

    @classmethod
    def from_csv(
        cls, path: str | Path, *, classes: int = 32, rate: float | None = None
    ) -> "Requests":
        """The requests of a file: a table with a header, or JSON objects, one a line.

        Columns may be called as in the traces of Azure (`ContextTokens`, `GeneratedTokens`),
        BurstGPT (`Request tokens`, `Response tokens`) and Mooncake (`input_length`,
        `output_length`), or `isl` and `osl`; `count` says how often a row counts.

        Args:
            path: The file.
            classes: Classes of requests.
            rate: Requests a second.

        Raises:
            InputError: what is wrong with the file.
        """
        return cls(read_trace(path), classes, rate)

    @classmethod
    def shipped(cls, name: str, *, classes: int = 32, rate: float | None = None) -> "Requests":
        """The requests of a trace that comes with the package, such as `azure-conversation`.

        Raises:
            InputError: there is none of this name.

        Examples:
            >>> requests = Requests.shipped("mooncake-conversation")
            >>> round(requests.trace.mean_context())
            13126
        """
        return cls(shipped_trace(name), classes, rate)

    def on(
        self,
        space: Space,
        *,
        maximise: str | None = None,
        minimise: str | None = None,
        limits: Iterable[Bound] = (),
    ) -> RequestsProblem:
        """The best design for these requests: hardware of a space, mapping and batch of each class.

        Args:
            space: The designs; numbers of their hardware are shared by all classes.
            maximise: What there should be most of: `stps` within limits on chips, power or
                capital, `stps_per_chip`, `stps_per_watt` or `stps_per_usd`.
            minimise: What there should be least of: `usd_per_million_tokens`, `energy_per_token`,
                `mean_ttft`, `mean_e2e`; at a rate, `chips`, `power` or `capital_cost`.
            limits: `ll.at_most` and `ll.at_least`: on the same, on `utps`, `tpot`, `ttft` and `e2e`
                with a percentile or for all requests, on `chip_power` and the like.

        Raises:
            InputError: what is wrong with objective, limits or space.
        """
        goal = {"maximise": maximise, "minimise": minimise}
        tables = {
            "classes": self.classes,
            "objective": {side: it for side, it in goal.items() if it is not None},
            "constraints": [_table(it) for it in limits],
            **({} if self.rate is None else {"rate": self.rate}),
        }
        asked = validated(_Asked, tables, "Requests")
        with jax.enable_x64(True):
            region = _region(with_precision(space))
            question = RequestsQuestion("requests", self.trace, **dict(asked))
            return requests_problem(region, question)


class _Asked(BaseModel):
    """What is asked, as files state it."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    classes: int = Field(ge=1, le=MOST_CLASSES, strict=True)
    rate: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    objective: RequestsObjectiveTable
    constraints: tuple[RequestsConstraintTable, ...]

    @model_validator(mode="after")
    def _has_a_fleet(self) -> "_Asked":
        refuse_no_fleet(self.rate, self.objective, self.constraints)
        return self


def _table(limit: Bound) -> dict[str, Any]:
    """A limit as files state it."""
    side = "at_least" if limit.least else "at_most"
    part = {} if limit.percentile is None else {"percentile": limit.percentile}
    return {"quantity": limit.name, side: limit.value, **part}


def _region(space: Space) -> Region:
    """The designs of a space, which are of one structure and leave lengths to the requests.

    Raises:
        InputError: they are not, or do not.
    """
    if len(space.regions) != 1:
        groups = " | ".join(", ".join(it.categories) for it in space.regions)
        message = f"alternatives of different structures; take those of one with `only`: {groups}"
        raise InputError("Requests", [Mistake("space", message)])
    (region,) = space.regions
    paths = {it.path for it in region.variables}
    wrong = [
        Mistake(path, message)
        for path, message in (
            (CONTEXT, "the requests state contexts"),
            ("request.isl", "the requests state tokens of prompts"),
            ("request.osl", "the requests state tokens of answers"),
            ("chips", "how many chips there are follows from the requests"),
            ("replicas", "how many instances there are follows from the requests"),
        )
        if path in paths or (path != CONTEXT and path in region.paths)
    ]
    if wrong:
        raise InputError("Requests", wrong)
    return region
