"""Files of studies of pools."""

from collections.abc import Collection, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from liminal_jax._files import did_you_mean
from liminal_jax.study.domain import Grid, numeric
from liminal_jax.study.file import (
    AssumptionsTable,
    ConstraintTable,
    NamedFile,
    ObjectiveTable,
    WorkloadTable,
)
from liminal_jax.study.pools.quantities import DUTIES, QUANTITIES, Asked
from liminal_jax.study.pools.requests import SHARED

TURNS = ("attention", "experts")
"""Pools that decode together, each with a part of the model."""

_ONE = Grid((1.0,), logarithmic=False)


class RequestsTable(BaseModel):
    """What is served, and at which pace; each of the latter a value or a domain.

    Attributes:
        isl: Tokens of a prompt.
        osl: Tokens of an answer.
        rate: Requests a second.
        tpot: Time of a token, where attention and experts are apart.
        micro_batches: Micro-batches in flight between them.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, arbitrary_types_allowed=True
    )

    isl: int = Field(ge=1, strict=True)
    osl: int = Field(ge=1, strict=True)
    rate: Annotated[Grid, numeric(SHARED["rate"])]
    tpot: Annotated[Grid, numeric(SHARED["tpot"])] | None = None
    micro_batches: Annotated[Grid, numeric(SHARED["micro_batches"])] = _ONE

    def mean_context(self) -> float:
        """Mean context of a user's decode steps, as `Lengths` has it."""
        return self.isl + self.osl / 2


def _better(name: str, side: str, known: Mapping[str, Asked], *, more: bool) -> None:
    """Refuse the side of a quantity on which pools cannot be bounded."""
    if known[name].more != more:
        other = {
            "maximise": "minimise",
            "minimise": "maximise",
            "at_least": "at_most",
            "at_most": "at_least",
        }
        raise ValueError(f"{name} is better where it is {_way(more)}: state {other[side]}")


def _way(more: bool) -> str:
    return "less" if more else "more"


class PoolsObjectiveTable(ObjectiveTable):
    """What is best of all pools together."""

    known: ClassVar[Mapping[str, Any]] = QUANTITIES

    @model_validator(mode="after")
    def _is_on_its_side(self) -> "PoolsObjectiveTable":
        _better(
            self.quantity,
            "maximise" if self.maximise else "minimise",
            QUANTITIES,
            more=self.maximise is not None,
        )
        return self


class PoolsConstraintTable(ConstraintTable):
    """A limit on a quantity of all pools together."""

    known: ClassVar[Mapping[str, Any]] = QUANTITIES

    @model_validator(mode="after")
    def _is_on_its_side(self) -> "PoolsConstraintTable":
        least = self.at_least is not None
        _better(self.quantity, "at_least" if least else "at_most", QUANTITIES, more=least)
        return self


def serve_together(pools: Collection[str]) -> None:
    """Refuse pools that do not serve requests together.

    Raises:
        ValueError: there is no such kind, two of them decode, or none does.
    """
    for name in pools:
        if name not in DUTIES:
            hint = did_you_mean(name, DUTIES) or f"; there are {', '.join(DUTIES)}"
            raise ValueError(f"there is no kind of pool {name!r}{hint}")
    parts = [it for it in TURNS if it in pools]
    if "decode" in pools and parts:
        raise ValueError(
            f"'decode' and {' and '.join(map(repr, parts))} both decode: give decode, or"
            " attention and experts"
        )
    if len(parts) == 1:
        missing = next(it for it in TURNS if it not in pools)
        raise ValueError(f"{parts[0]!r} has a part of the model: give {missing!r} too")
    if "decode" not in pools and not parts:
        raise ValueError("no pool decodes: give decode, or attention and experts")


class PoolsFile(NamedFile):
    """A question: the best pools of chips for some requests.

    Attributes:
        workload: What is computed, as in a study; the context follows from the requests.
        requests: What is served.
        pools: The design of each pool, with the fields of the design of a study, by what the pool
            does: `prefill`, and `decode` or both `attention` and `experts`.
        objective: What is best.
        constraints: Limits of all pools together.
        assumptions: Numbers in place of those of the data files.
    """

    workload: dict[str, Any]
    requests: RequestsTable
    pools: dict[str, dict[str, Any]]
    objective: PoolsObjectiveTable
    constraints: list[PoolsConstraintTable] = Field(default_factory=list)
    assumptions: AssumptionsTable = AssumptionsTable()

    @field_validator("workload")
    @classmethod
    def _has_no_context(cls, workload: dict[str, Any]) -> dict[str, Any]:
        for name in ("context", "isl", "osl", "prefix_hit_rate"):
            if name in workload:
                message = "follows from requests.isl and requests.osl; leave it out"
                raise ValueError(f"{name} {message}")
        bits = {it: WorkloadTable.model_fields[it].default for it in ("weight_bits", "kv_bits")}
        return bits | workload

    @field_validator("pools")
    @classmethod
    def _serve_together(cls, pools: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        serve_together(pools)
        return pools

    @model_validator(mode="after")
    def _has_a_pace(self) -> "PoolsFile":
        apart = set(TURNS) <= set(self.pools)
        if apart and self.requests.tpot is None:
            raise ValueError(
                "requests.tpot is required with attention and experts apart: the time of a token,"
                " a value or a domain"
            )
        if not apart and self.requests.tpot is not None:
            raise ValueError(
                "requests.tpot is the time of a token where attention and experts are apart; leave"
                " it out, and limit tpot or utps"
            )
        if not apart and self.requests.micro_batches != _ONE:
            raise ValueError(
                "requests.micro_batches take turns where attention and experts are apart; leave it"
                " out"
            )
        return self
