"""Files of studies and designs: one schema, read once, every mistake at once.

A design is a study in which nothing is free and nothing is asked: `liminal optimize` writes what
it finds in the form that `liminal predict -c` reads.
"""

import math
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal, Optional, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    create_model,
    field_validator,
    model_validator,
)

from liminal_jax._files import InputError, Problem, did_you_mean, unreadable
from liminal_jax.algorithm.drafter import DRAFTERS
from liminal_jax.data.catalogue import (
    capacity_technology_names,
    process_names,
    system_names,
    technology_names,
)
from liminal_jax.data.chip import kinds_of_data
from liminal_jax.data.models import model_names
from liminal_jax.data.published_bits import PUBLISHED, published_bits
from liminal_jax.data.validation import validated
from liminal_jax.hardware.plan import ChipPlan
from liminal_jax.mapping.attention import ATTENTION_MAPPINGS
from liminal_jax.study.absent import ALGORITHM, DRAFTER
from liminal_jax.study.clock import checked_clock
from liminal_jax.study.contradictions import (
    contradictions,
    hardware_contradiction,
    model_label,
    side_contradiction,
    system_paths,
)
from liminal_jax.study.domain import (
    Grid,
    Names,
    Numbers,
    Several,
    by_path,
    category,
    coded,
    in_si,
    numeric,
    several,
)
from liminal_jax.study.quality import StatedLoss
from liminal_jax.study.quantities import NAMED
from liminal_jax.study.resolved import OWN_FILE, Named, Resolved, named_in, resolution, resolved
from liminal_jax.study.variables import PATHS, VARIABLES
from liminal_jax.workload.request import mean_context


class _Table(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, arbitrary_types_allowed=True
    )


TIER = "technology of capacity tiers"
"""What names a capacity tier, in messages."""


BLOCKED_BITS = 8
"""Bits of a cache whose latents are in blocked FP8."""


_FREE_BY_PATH = ("isl", "osl", "prefix_hit_rate", "context", "weight_bits", "kv_bits")
"""Numbers of a workload that a study may leave free among the numbers of its design."""


def _refuse_free_numbers(table: dict[str, Any]) -> None:
    free = [name for name in _FREE_BY_PATH if isinstance(table.get(name), dict | list)]
    if free:
        raise ValueError(
            f"{free[0]} must be a number here; where it is free, state one and give its domain to"
            f' "request.{free[0]}" in [design.numbers]'
        )


def with_mean_context(table: Any) -> Any:
    """The table of a workload with the context that follows from the lengths of its requests.

    Raises:
        ValueError: a number is free, one of both lengths is missing, or the context is another one.
    """
    if not isinstance(table, dict):
        return table
    _refuse_free_numbers(table)
    stated = [name for name in ("isl", "osl") if table.get(name) is not None]
    if len(stated) == 1 or (table.get("prefix_hit_rate") is not None and not stated):
        raise ValueError("isl and osl go together: tokens of a prompt, and of its answer")
    lengths = [table[name] for name in stated]
    if not lengths or not all(type(it) in (int, float) for it in lengths):
        return table
    context = float(mean_context(*lengths))
    if table.get("context", context) != context:
        message = f"context follows from isl and osl, {context:g}; leave it out"
        raise ValueError(f"{message}, got {table['context']!r}")
    return {**table, "context": context}


class WorkloadTable(_Table):
    """What is computed.

    Attributes:
        model: A bundled model, or a path to a config.json or model file.
        context: Tokens of a user's context; the mean one of decode, isl + osl/2, where lengths of
            requests are stated.
        isl: Tokens of a prompt, where whole requests are served; decode alone where left out.
        osl: Tokens of an answer; goes with `isl`.
        prefix_hit_rate: Share of a prompt whose cache there is already.
        weight_bits: Bits of a weight; `published` takes those of the checkpoint, with those of
            experts and of embedding and head.
        kv_bits: Bits of a cache element.
        kv_format: How latents are cached: `plain`, with `kv_bits` an element, or `blocked-fp8`,
            with scales and a rotary key of 16 bits, for `kv_bits` 8.
        attention_bits: Bits of attention's operands; 16 where left out, and under the accounting
            `talk` those of the cache, 8 at least.
        routing: How tokens choose experts: `random`, evenly and independently, or `balanced`.
        accounting: `model` counts everything, `talk` as the published tables do.
    """

    model: str
    context: float = Field(ge=1, allow_inf_nan=False, strict=True)
    isl: float | None = Field(default=None, ge=1, allow_inf_nan=False, strict=True)
    osl: float | None = Field(default=None, ge=1, allow_inf_nan=False, strict=True)
    prefix_hit_rate: float | None = Field(default=None, ge=0, le=1, strict=True)
    weight_bits: float = Field(default=8.0, gt=0, le=32, strict=True)
    kv_bits: float = Field(default=8.0, gt=0, le=32, strict=True)
    kv_format: Literal["plain", "blocked-fp8"] = "plain"
    attention_bits: float | None = Field(default=None, gt=0, le=32, strict=True)
    routing: Literal["random", "balanced"] = "random"
    accounting: Literal["model", "talk"] = "model"

    @model_validator(mode="before")
    @classmethod
    def _has_context(cls, table: Any) -> Any:
        return with_mean_context(table)

    @field_validator("kv_format")
    @classmethod
    def _has_8_bits(cls, value: str, info: Any) -> str:
        bits = info.data.get("kv_bits", BLOCKED_BITS)
        if value != "plain" and bits != BLOCKED_BITS:
            raise ValueError(f"{value!r} has latents of {BLOCKED_BITS} bits, kv_bits is {bits:g}")
        return value


_NUMBERS: dict[str, Any] = {
    it: (Optional[Annotated[Grid, numeric(VARIABLES[it])]], None)  # noqa: UP045
    for it in ChipPlan.__dataclass_fields__
}

_PlanTable = create_model("_PlanTable", __base__=_Table, **_NUMBERS)
"""What an architect chooses of a chip, by the names that it has in a `ChipPlan`."""


class DesignTable(_PlanTable):
    """The design: for each variable a value or a domain.

    Either `system` names finished hardware, or `memory`, `process` and the numbers of a `ChipPlan`
    plan a chip, which may have a `tier` too.

    Attributes:
        system: Name of a system or path to its file.
        memory: Memory technology, or path to its file.
        process: Silicon process, or path to its file.
        tier: Technology of a capacity tier, or path to its file: memory beyond the main memory;
            none where left out.
        tier_holds: Kinds of data that may lie in it, where main memory cannot hold them; all where
            left out.
        domain: Chips that the scale-up network joins.
        chips: Chips of the whole system; as many as one instance needs where left out.
        clock: Clock of the chips over the nominal one; the voltage follows.
        tp: Tensor-parallel ranks.
        cp: Context-parallel ranks.
        pp: Pipeline stages.
        ep: Expert-parallel ranks.
        attention: How the ranks of a stage share attention.
        attention_ranks: Ranks that share one user's attention; all of a stage where left out, and
            1 for data-parallel attention.
        shared_expert_ranks: Ranks over which a shared expert is split; those that share a user's
            attention where left out.
        batch: Users in one micro-batch.
        numbers: Any other numbers of hardware, request or model, by the path that they have in
            Python, such as `"system.chip.memory.bandwidth"` or `kv_bits`: in place of those of the
            data files and of the workload.
    """

    system: Annotated[Names, category(system_names, "system", (OWN_FILE,))] | None = None
    memory: (
        Annotated[Names, category(technology_names, "memory technology", (OWN_FILE,))] | None
    ) = None
    process: Annotated[Names, category(process_names, "process", (OWN_FILE,))] | None = None
    tier: Annotated[Names, category(capacity_technology_names, TIER, (OWN_FILE,))] | None = None
    tier_holds: Annotated[Several, several(kinds_of_data)] | None = None
    domain: Annotated[Grid, numeric(VARIABLES["domain"])] | None = None
    chips: Annotated[Grid, numeric(VARIABLES["chips"])] | None = None
    clock: Annotated[Grid, numeric(VARIABLES["clock"]), AfterValidator(checked_clock)] = Grid(
        (1.0,), logarithmic=False
    )
    tp: Annotated[Grid, numeric(VARIABLES["tp"])] = Grid((1.0,), logarithmic=False)
    cp: Annotated[Grid, numeric(VARIABLES["cp"])] = Grid((1.0,), logarithmic=False)
    pp: Annotated[Grid, numeric(VARIABLES["pp"])] = Grid((1.0,), logarithmic=False)
    ep: Annotated[Grid, numeric(VARIABLES["ep"])] = Grid((1.0,), logarithmic=False)
    attention: Annotated[Grid, coded(tuple(ATTENTION_MAPPINGS), "attention mapping")] = Grid(
        (0.0,), logarithmic=False
    )
    attention_ranks: Annotated[Grid, numeric(VARIABLES["attention_ranks"])] | None = None
    shared_expert_ranks: Annotated[Grid, numeric(VARIABLES["shared_expert_ranks"])] | None = None
    batch: Annotated[Grid, numeric(VARIABLES["batch"])] = Grid((1.0,), logarithmic=False)
    numbers: Annotated[Numbers, by_path()] = Numbers({})

    @field_validator("process", "tier")
    @classmethod
    def _is_single(cls, value: Names | None) -> Names | None:
        if value is not None and value.free:
            raise ValueError(f"one at a time; run a study for each of {', '.join(value.names)}")
        return value

    @model_validator(mode="after")
    def _is_one_or_the_other(self) -> "DesignTable":
        message = hardware_contradiction([name for name, value in self if value is not None])
        if message is not None:
            raise ValueError(message)
        return self


class LossTable(_Table):
    """What one lever costs in quality.

    Attributes:
        settings: Values of its number, ascending, in SI.
        losses: The loss at each; on lines between them.
    """

    settings: list[float] = Field(min_length=2)
    losses: list[float] = Field(min_length=2)

    @model_validator(mode="after")
    def _belong_together(self) -> "LossTable":
        StatedLoss("losses", self.settings, self.losses)
        return self


class QualityTable(_Table):
    """What levers cost in quality, as the study says: a limit on `quality_loss` needs it.

    Attributes:
        unit: What is lost, in words.
        losses: The loss of each lever, by its path.
    """

    unit: str = Field(min_length=1)
    losses: dict[str, LossTable] = Field(min_length=1)


class AssumptionsTable(_Table):
    """Numbers that the answer hangs on, where they differ from the package's data files.

    Each table takes the fields of the data file that it is named after.

    Attributes:
        facility: Selling multiple, prices and powers around the chip.
        packaging: Interposer, bonding, assembly.
        network: Latency, efficiency and scale-out of a planned chip's network.
        process: The silicon process.
        memory: Memory technologies, each in a table of its name.
        tier: The technology of the capacity tier.
        execution: How far the use of a chip falls short of its peaks; `base` names the file.
    """

    facility: dict[str, Any] = {}
    packaging: dict[str, Any] = {}
    network: dict[str, Any] = {}
    process: dict[str, Any] = {}
    memory: dict[str, dict[str, Any]] = {}
    tier: dict[str, Any] = {}
    execution: dict[str, Any] = {}


class ObjectiveTable(_Table):
    """What is best: the most of one quantity or the least of another.

    Attributes:
        known: The quantities that there are, by name.
        maximise: The quantity of which the most is best.
        minimise: The quantity of which the least is best.
    """

    known: ClassVar[Mapping[str, Any]] = NAMED

    maximise: str | None = None
    minimise: str | None = None

    @field_validator("maximise", "minimise")
    @classmethod
    def _exists(cls, value: str | None) -> str | None:
        return None if value is None else _quantity(value, cls.known)

    @model_validator(mode="after")
    def _is_one(self) -> "ObjectiveTable":
        given = self.model_dump(exclude_none=True)
        message = side_contradiction(given, "maximise", "minimise")
        if message is not None:
            raise ValueError(message)
        return self

    @property
    def quantity(self) -> str:
        """The quantity that decides."""
        return self.maximise or self.minimise or ""


def _quantity(name: str, known: Mapping[str, Any]) -> str:
    if name not in known:
        hint = did_you_mean(name, known) or f"; there are {', '.join(known)}"
        raise ValueError(f"there is no quantity {name!r}{hint}")
    return name


_SIDES = ("at_least", "at_most")


class ConstraintTable(_Table):
    """A limit on a quantity: at least or at most so much.

    Attributes:
        known: The quantities that there are, by name.
        quantity: The quantity.
        at_least: The least that it may be.
        at_most: The most that it may be.
    """

    known: ClassVar[Mapping[str, Any]] = NAMED

    quantity: str
    at_least: float | None = None
    at_most: float | None = None

    @field_validator("quantity")
    @classmethod
    def _exists(cls, value: str) -> str:
        return _quantity(value, cls.known)

    @field_validator("at_least", "at_most", mode="before")
    @classmethod
    def _in_si(cls, value: Any, info: Any) -> float:
        if info.data.get("quantity") not in cls.known:
            return math.nan  # The unit is anybody's guess; the quantity's own mistake is told.
        unit = cls.known[info.data["quantity"]].unit
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError(
                f"must be a number or a quantity in {unit or 'no unit'}, got {value!r}"
            )
        number = in_si(value, unit)
        if not number > 0:
            raise ValueError(f"must be greater than 0, got {value!r}")
        return number

    @model_validator(mode="after")
    def _is_one(self) -> "ConstraintTable":
        given = self.model_dump(include=set(_SIDES), exclude_none=True)
        message = side_contradiction(given, *_SIDES)
        if message is not None:
            raise ValueError(message)
        return self

    @property
    def limit(self) -> float:
        """The bound, in SI."""
        return self.at_least if self.at_least is not None else self.at_most or 0.0


def file_name(name: str) -> str:
    """A name that files and folders can bear.

    Raises:
        ValueError: it is not lower case with hyphens.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", name):
        suggestion = re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.")
        hint = f"; did you mean {suggestion!r}?" if suggestion else ""
        raise ValueError(f"must be lower case with hyphens, got {name!r}{hint}")
    return name


class NamedFile(_Table):
    """What all files have in common.

    Attributes:
        name: Lower case with hyphens; names run folders.
        about: Why someone would ask.
    """

    name: Annotated[str, AfterValidator(file_name)] = "design"
    about: str = ""
    _resolved: Resolved | None = PrivateAttr(default=None)


class DesignFile(NamedFile):
    """A workload on a design.

    Attributes:
        workload: What is computed.
        design: What it runs on.
        algorithm: Levers of software by their paths in `ll.Algorithm`, such as `drafts` or
            `prefetch.buffer`, each a value or a domain; `drafter` names what proposes drafts.
        quality: What levers cost in quality, if the study says so.
        assumptions: Numbers in place of those of the data files.
    """

    workload: WorkloadTable
    design: DesignTable
    algorithm: Annotated[Numbers, by_path()] = Numbers({})
    quality: QualityTable | None = None
    assumptions: AssumptionsTable = AssumptionsTable()

    @field_validator("algorithm")
    @classmethod
    def _names_a_drafter(cls, table: Numbers) -> Numbers:
        drafter = table.stated.get(DRAFTER)
        if drafter is not None and not isinstance(drafter, str):
            raise ValueError(
                f"{DRAFTER} must be {', '.join(map(repr, DRAFTERS))} or a model, got {drafter!r}"
            )
        return table

    @property
    def drafter(self) -> str | None:
        """What proposes drafts, if the file says so."""
        return self.algorithm.stated.get(DRAFTER)

    @property
    def numbers(self) -> Numbers:
        """All numbers that are stated by their path."""
        levers = {
            f"{ALGORITHM}.{name}": it
            for name, it in self.algorithm.stated.items()
            if name != DRAFTER
        }
        return Numbers({**self.design.numbers.stated, **levers})


class StudyFile(DesignFile):
    """A question: the best design for a workload under some limits."""

    objective: ObjectiveTable
    constraints: list[ConstraintTable] = []


class MemberTable(WorkloadTable):
    """One of several workloads that share hardware.

    Attributes:
        name: Lower case with hyphens; names its design. That of the model where left out.
        weight: How much it counts in the mean.
        constraints: Limits that hold for it alone.
    """

    name: Annotated[str, AfterValidator(file_name)] = ""
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False, strict=True)
    constraints: list[ConstraintTable] = []

    @model_validator(mode="before")
    @classmethod
    def _is_named(cls, table: Any) -> Any:
        if not isinstance(table, dict) or "name" in table or "model" not in table:
            return table
        return {**table, "name": model_label(str(table["model"]))}

    def workload(self) -> WorkloadTable:
        """What is computed."""
        return WorkloadTable(**{name: getattr(self, name) for name in WorkloadTable.model_fields})


class PortfolioFile(NamedFile):
    """A question: the best hardware for several workloads, each with a mapping of its own.

    Attributes:
        workloads: The workloads.
        objective: Of which the weighted geometric mean over the workloads decides.
        constraints: Limits that hold for every workload.
    """

    workloads: list[MemberTable] = Field(min_length=1)
    design: DesignTable
    assumptions: AssumptionsTable = AssumptionsTable()
    objective: ObjectiveTable
    constraints: list[ConstraintTable] = []


_Record = TypeVar("_Record", bound=NamedFile)


def named_by(file: DesignFile | PortfolioFile) -> Named:
    """What a file names."""
    table, changes = file.design, file.assumptions.model_dump()
    process, tier = (None if it is None else it.names[0] for it in (table.process, table.tier))
    if isinstance(file, DesignFile):
        models = (("workload.model", file.workload.model),)
        if file.drafter not in (None, *DRAFTERS):
            models += ((f"{ALGORITHM}.{DRAFTER}", str(file.drafter)),)
    else:
        rows = enumerate(file.workloads)
        models = tuple((f"workloads.{row}.model", it.model) for row, it in rows)
    return Named(
        models=models,
        systems=() if table.system is None else table.system.names,
        memory=() if table.memory is None else table.memory.names,
        process=process,
        tier=tier,
        assumptions={name: it for name, it in changes.items() if it},
    )


def resolved_of(file: DesignFile | PortfolioFile) -> Resolved:
    """What a file names, with its files: as they were read with it, or read now if it is new.

    Raises:
        InputError: mistakes in them; all of them.
    """
    named, own = named_by(file), file._resolved
    known = None if own is None else own.only(named)
    return resolved(named, file.name) if known is None else known


def carrying(file: _Record, found: Resolved | None) -> _Record:
    """The same file with what it names."""
    own = file.model_copy()
    own._resolved = found
    return own


def tables_at(path: Path) -> dict[str, Any]:
    """The tables of a file.

    Raises:
        InputError: it cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(str(path), [Problem("", unreadable(error))]) from None


def beside(tables: dict[str, Any], path: Path) -> dict[str, Any]:
    """The tables with paths that are relative to their file made absolute.

    A design that is found lies in another folder than its study: its paths must hold there too.
    """
    there = {**tables}
    design, workloads, trace = (tables.get(it) for it in ("design", "workloads", "trace"))
    if isinstance(trace, dict) and "file" in trace:
        there["trace"] = {**trace, "file": _found(trace["file"], path.parent)}
    layers = _table_of(tables, "per_layer")
    losses = _table_of(layers, "quality")
    if "table" in losses:
        losses["table"] = str(path.parent.resolve() / str(losses["table"]))
        there["per_layer"] = {**layers, "quality": losses}
    if "workload" in tables:
        there["workload"] = _workload_beside(tables["workload"], path.parent)
    if isinstance(workloads, list):
        there["workloads"] = [_workload_beside(it, path.parent) for it in workloads]
    if isinstance(design, dict):
        there["design"] = _design_beside(design, path.parent)
    if isinstance(tables.get("pools"), dict):
        there["pools"] = {
            name: _design_beside(it, path.parent) if isinstance(it, dict) else it
            for name, it in tables["pools"].items()
        }
    return there


def _design_beside(design: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A design with paths to systems that are relative to a folder made absolute."""
    system = design.get("system")
    if not system_paths(system):
        return design
    if isinstance(system, dict):
        choices = [_found(item, folder) for item in system["choices"]]
        return {**design, "system": {**system, "choices": choices}}
    return {**design, "system": _found(system, folder)}


def _workload_beside(workload: Any, folder: Path) -> Any:
    """A workload with a path to its model that is relative to a folder made absolute."""
    model = workload.get("model") if isinstance(workload, dict) else None
    if not isinstance(model, str) or model in model_names():
        return workload
    return {**workload, "model": _found(model, folder)}


def _found(item: Any, folder: Path) -> Any:
    """The path of a file that is relative to a folder; anything else as it is."""
    if not isinstance(item, str) or item in system_names() or not (folder / item).exists():
        return item
    return str((folder / item).resolve())


def _as_published(tables: dict[str, Any], source: str) -> dict[str, Any]:
    """The tables with the widths of the model's checkpoint where they ask for these.

    Raises:
        InputError: nothing says how it is published.
    """
    workload = tables.get("workload")
    # Of several pools each has a design, which is checked by itself.
    if "pools" in tables:
        return tables
    if not isinstance(workload, dict) or workload.get("weight_bits") != PUBLISHED:
        return tables
    try:
        found = published_bits(str(workload.get("model")))
    except InputError as error:
        problems = [Problem("workload.weight_bits", line) for line in error.lines()]
        raise InputError(source, problems) from None
    bits = {"weight_bits": found.weight_bits}
    if found.kv_bits is not None:
        bits["kv_bits"] = workload.get("kv_bits", found.kv_bits)
    numbers = {"request.table_bits": found.table_bits}
    if found.expert_bits != found.weight_bits:
        numbers["request.expert_bits"] = found.expert_bits
    return stating({**tables, "workload": {**workload, **bits}}, numbers)


def checked(record: type[_Record], tables: dict[str, Any], source: str) -> _Record:
    """The record of some tables, with the files that they name.

    Args:
        record: What is read.
        tables: The tables.
        source: Their file, for messages.

    Raises:
        InputError: mistakes in them; all of them.
    """
    tables = _as_published(tables, source)
    found, problems = resolution(named_in(tables))
    problems = [*contradictions(tables), *problems]
    # That a file has both is told among the contradictions.
    several = {key: it for key, it in tables.items() if key != "workload"}
    try:
        file = validated(record, several if "workloads" in tables else tables, source)
    except InputError as error:
        raise InputError(source, dict.fromkeys([*error.problems, *problems])) from None
    if problems:
        raise InputError(source, problems)
    return carrying(file, found)


def design_of(tables: dict[str, Any], source: str) -> DesignFile:
    """The design that some tables describe.

    Raises:
        InputError: mistakes in them; all of them.
    """
    return checked(DesignFile, tables, source)


def study_of(tables: dict[str, Any], source: str) -> StudyFile:
    """The study of one workload that some tables describe.

    Raises:
        InputError: mistakes in them; all of them.
    """
    return checked(StudyFile, tables, source)


def stating(tables: Mapping[str, Any], numbers: Mapping[str, Any]) -> dict[str, Any]:
    """The tables of a design that states some more numbers, each where files state it.

    Args:
        tables: The tables.
        numbers: Values by path, or by the name of a field of design or workload.
    """
    shorts = {path: name for name, path in PATHS.items()}
    found: dict[str, Any] = {name: _table_of(tables, name) for name in ("workload", "design")}
    by_path, levers = _table_of(found["design"], "numbers"), _table_of(tables, ALGORITHM)
    for written, value in numbers.items():
        path = written.removeprefix("design.")
        name = shorts.get(path, path.removeprefix("workload.").removeprefix("request."))
        if name in DesignTable.model_fields:
            found["design"][name] = value
        elif name in WorkloadTable.model_fields:
            found["workload"][name] = value
        elif path.startswith(f"{ALGORITHM}."):
            levers[path.removeprefix(f"{ALGORITHM}.")] = value
        else:
            by_path[path] = value
    if by_path:
        found["design"]["numbers"] = by_path
    return {**tables, **found, **({ALGORITHM: levers} if levers else {})}


def stating_number(file: DesignFile, path: str, value: float) -> DesignFile:
    """A file that states one number more, by its path."""
    if path.startswith(f"{ALGORITHM}."):
        levers = {**file.algorithm.stated, path.removeprefix(f"{ALGORITHM}."): value}
        return file.model_copy(update={ALGORITHM: Numbers(levers)})
    numbers = Numbers({**file.design.numbers.stated, path: value})
    return file.model_copy(update={"design": file.design.model_copy(update={"numbers": numbers})})


def _table_of(tables: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = tables.get(name)
    return dict(table) if isinstance(table, dict) else {}


def load_design(path: str, numbers: Mapping[str, Any] = MappingProxyType({})) -> DesignFile:
    """A design from its file.

    Args:
        path: Where it lies.
        numbers: What is stated beside it or in its place; see `stating`.

    Raises:
        InputError: no such file, mistakes in it (all of them), or a variable left free.
    """
    file = Path(path)
    tables = tables_at(file)
    if "objective" in tables:
        problem = f"is a study, which asks for a design; find one with: liminal optimize {path}"
        raise InputError(path, [Problem("", problem)])
    tables = beside(tables, file)
    design = checked(DesignFile, stating(tables, numbers) if numbers else tables, path)
    domains = {f"design.{name}": getattr(design.design, name) for name in DesignTable.model_fields}
    domains[ALGORITHM] = design.algorithm
    free = [
        Problem(path, "must be one value here; 'liminal optimize' chooses among many")
        for path, domain in domains.items()
        if domain is not None and domain.free
    ]
    if free:
        raise InputError(path, free)
    return design
