"""Files of studies of a trace: requests of many lengths in the place of one context."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, InstanceOf, field_validator, model_validator

from liminal_jax._files import InputError, did_you_mean
from liminal_jax.data.traces import Trace, read_trace, shipped_trace
from liminal_jax.study.contradictions import side_contradiction
from liminal_jax.study.domain import in_si
from liminal_jax.study.file import (
    ConstraintTable,
    DesignFile,
    ObjectiveTable,
    StudyFile,
    carrying,
    resolved_of,
)
from liminal_jax.study.requests.quantities import (
    OF_A_CHIP,
    OF_A_REQUEST,
    OF_ALL,
    OF_THE_FLEET,
    STPS,
    more_is_better,
)


class _Table(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, arbitrary_types_allowed=True
    )


OBJECTIVES = (STPS, *OF_ALL)
"""Quantities that can decide."""

MOST_CLASSES = 4096
"""More classes are a slip of the pen: every choice of every class is evaluated."""


def _known(name: str, names: tuple[str, ...]) -> str:
    if name not in names:
        hint = did_you_mean(name, names) or f"; there are {', '.join(names)}"
        raise ValueError(f"there is no quantity {name!r} of a trace{hint}")
    return name


class TraceTable(_Table):
    """Which requests are served.

    Attributes:
        name: A trace that comes with the package.
        file: Path of one's own: a table with a header, or JSON objects, one a line.
        classes: Classes of requests, each with a mapping and a batch of its own.
        rate: Requests a second. Instances are whole then; where it is left out, a fleet is taken to
            be large, and numbers of it depend on its size.
        requests: The requests that were read.
    """

    name: str | None = None
    file: str | None = None
    classes: int = Field(default=32, ge=1, le=MOST_CLASSES, strict=True)
    rate: float | None = None
    requests: InstanceOf[Trace] = Field(exclude=True)

    @model_validator(mode="before")
    @classmethod
    def _is_read(cls, table: Any) -> Any:
        if not isinstance(table, dict) or isinstance(table.get("requests"), Trace):
            return table
        if "requests" in table:
            raise ValueError("has no field 'requests': name a trace, or the file of one")
        return {**table, "requests": opened(table)}

    @field_validator("rate", mode="before")
    @classmethod
    def _in_si(cls, value: Any) -> float | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError(f"must be requests a second, got {value!r}")
        rate = in_si(value, "1/s")
        if not rate > 0:
            raise ValueError(f"must be greater than 0, got {value!r}")
        return rate


def opened(table: dict[str, Any]) -> Trace:
    """The trace that a table names.

    Raises:
        ValueError: there is none, or it has mistakes; all of them.
    """
    message = side_contradiction(table, "name", "file")
    if message is not None:
        raise ValueError(message)
    name, file = table.get("name"), table.get("file")
    try:
        return read_trace(Path(str(file))) if name is None else shipped_trace(str(name))
    except InputError as error:
        raise ValueError("; ".join(error.lines())) from None


class RequestsObjectiveTable(ObjectiveTable):
    """What is best of all requests together."""

    @field_validator("maximise", "minimise")
    @classmethod
    def _exists(cls, value: str | None) -> str | None:
        return None if value is None else _known(value, OBJECTIVES)

    @model_validator(mode="after")
    def _is_on_its_side(self) -> "RequestsObjectiveTable":
        if more_is_better(self.quantity) != (self.maximise is not None):
            wanted = "maximise" if more_is_better(self.quantity) else "minimise"
            raise ValueError(f"{self.quantity} can only be what a trace should {wanted}")
        return self


class RequestsConstraintTable(ConstraintTable):
    """A limit on a quantity: for all requests, or for so many per cent of them.

    Attributes:
        percentile: Per cent of the requests for which it must hold; all where left out.
    """

    known: ClassVar[Mapping[str, Any]] = {**OF_A_REQUEST, **OF_A_CHIP, **OF_ALL}

    percentile: float | None = Field(default=None, strict=True)

    @field_validator("quantity")
    @classmethod
    def _exists(cls, value: str) -> str:
        return _known(value, tuple(cls.known))

    @field_validator("percentile")
    @classmethod
    def _is_a_share(cls, value: float | None, info: Any) -> float | None:
        if value is None:
            return None
        if not 0 < value <= 100:
            raise ValueError(f"must be above 0 and at most 100 per cent, got {value:g}")
        quantity = info.data.get("quantity")
        if quantity is not None and quantity not in OF_A_REQUEST:
            known = ", ".join(OF_A_REQUEST)
            raise ValueError(f"{quantity} is not one of each request; percentiles are of {known}")
        return value

    @model_validator(mode="after")
    def _is_on_its_side(self) -> "RequestsConstraintTable":
        if more_is_better(self.quantity) != (self.at_least is not None):
            wanted = "at_least" if more_is_better(self.quantity) else "at_most"
            raise ValueError(f"{self.quantity} of a trace takes {wanted} only")
        return self

    @property
    def of_part(self) -> bool:
        """Whether some requests may break it."""
        return self.percentile is not None and self.percentile < 100


def refuse_no_fleet(
    rate: float | None,
    objective: RequestsObjectiveTable,
    constraints: tuple[RequestsConstraintTable, ...],
) -> None:
    """Refuse questions about a fleet where nothing says how large it is.

    Raises:
        ValueError: what is missing.
    """
    limited = {it.quantity for it in constraints if it.quantity in OF_THE_FLEET}
    asked = objective.quantity
    if asked == STPS and (rate is not None or not limited):
        raise ValueError(
            f"'stps' is as much as limits on {', '.join(OF_THE_FLEET)} allow: state one at least,"
            " and no rate"
        )
    if asked != STPS and rate is None and (limited or asked in OF_THE_FLEET):
        name = asked if asked in OF_THE_FLEET else min(limited)
        raise ValueError(
            f"{name} depends on how many requests come: state the rate, or maximise 'stps'"
        )


class RequestsQuestion(NamedTuple):
    """What is asked of some designs.

    Attributes:
        name: How results call it.
        trace: The requests.
        classes: Classes of them.
        rate: Requests a second, if they are stated.
        objective: What is best.
        constraints: Limits.
    """

    name: str
    trace: Trace
    classes: int
    rate: float | None
    objective: RequestsObjectiveTable
    constraints: tuple[RequestsConstraintTable, ...]


class RequestsFile(DesignFile):
    """A question: the best hardware for the requests of a trace, with a mapping for each class.

    The context of the workload is the mean one of the trace.

    Attributes:
        trace: The requests.
        objective: What is best.
        constraints: Limits.
    """

    trace: TraceTable
    objective: RequestsObjectiveTable
    constraints: tuple[RequestsConstraintTable, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _has_contexts(cls, tables: Any) -> Any:
        """The trace is read first, as the workload takes its context from it."""
        if not isinstance(tables, dict):
            return tables
        workload, trace = tables.get("workload"), tables.get("trace")
        if not isinstance(workload, dict) or not isinstance(trace, dict) or "requests" in trace:
            return tables
        context = 1.0
        with suppress(ValueError):  # Mistakes of the trace are told where it is validated.
            requests = opened(trace)
            trace, context = {**trace, "requests": requests}, requests.mean_context()
        return {**tables, "trace": trace, "workload": {"context": context, **workload}}

    @model_validator(mode="after")
    def _has_a_fleet(self) -> "RequestsFile":
        refuse_no_fleet(self.trace.rate, self.objective, self.constraints)
        return self

    @property
    def question(self) -> RequestsQuestion:
        """What is asked of the designs."""
        asked = (self.objective, self.constraints)
        trace = self.trace
        return RequestsQuestion(self.name, trace.requests, trace.classes, trace.rate, *asked)

    def one(self) -> StudyFile:
        """The same designs for the mean context alone."""
        study = StudyFile(
            **{name: getattr(self, name) for name in DesignFile.model_fields},
            objective=ObjectiveTable(maximise="stps"),
        )
        return carrying(study, resolved_of(self))
