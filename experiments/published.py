"""The published tables, as printed, and the rules by which a computed cell matches one."""

from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

THOUSAND = 1000.0  # what the K of a printed cell stands for
ABSENT = "-"  # how a cell is printed for a model that does not fit


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MemoryRow(_Record):
    """One model of the memory table; `printed` in GiB, by column."""

    model: str
    printed: tuple[str, ...]


class MemoryTable(_Record):
    """The talk's memory table; a column is a context [tokens] and a number of users."""

    source: str
    note: str
    contexts: tuple[int, ...]
    users: tuple[int, ...]
    rows: dict[str, MemoryRow]


class PaperMemory(_Record):
    """The paper's example of what one model holds; `printed` in GiB."""

    source: str
    model: str
    parameters: float
    context: int
    users: int
    printed: str


class ScaleRow(_Record):
    """One model of the system table [1/s], by degree of tensor parallelism."""

    model: str
    utps: tuple[str, ...]
    stps: tuple[str, ...]
    bracket: tuple[str, ...]


class ScaleTable(_Record):
    """The talk's system table."""

    source: str
    note: str
    system: str
    context: int
    ranks: tuple[int, ...]
    rows: dict[str, ScaleRow]


class PaperScaleRow(_Record):
    """UTPS at one degree of tensor parallelism, by context; the latency [s] is per collective."""

    ranks: int
    latency: float
    printed: tuple[str, ...]


class PaperScale(_Record):
    """The paper's throughput of one model."""

    source: str
    note: str
    system: str
    model: str
    parameters: float
    collectives: int
    contexts: tuple[int, ...]
    rows: tuple[PaperScaleRow, ...]


class Published(_Record):
    """Everything that the experiments compare with."""

    memory: MemoryTable
    paper_memory: PaperMemory
    scale: ScaleTable
    paper_scale: PaperScale


@cache
def load_published() -> Published:
    """The published tables.

    Raises:
        pydantic.ValidationError: For a data file that misses or adds a field.
    """
    text = Path(__file__).with_name("published_talk.json").read_text(encoding="utf-8")
    return Published.model_validate_json(text)


def printed_value(printed: str) -> float | None:
    """The number that a cell shows; none for a dash.

    Examples:
        >>> printed_value("2.1K"), printed_value("381"), printed_value("-")
        (2100.0, 381.0, None)
    """
    if printed == ABSENT:
        return None
    if printed.endswith("K"):
        return round(float(printed[:-1]) * THOUSAND, 6)
    return float(printed)


def printed_unit(printed: str) -> float:
    """One unit of the last digit that a cell shows.

    Examples:
        >>> printed_unit("2.1K"), printed_unit("26K"), printed_unit("381")
        (100.0, 1000.0, 1.0)
    """
    digits = printed.removesuffix("K")
    decimals = len(digits.partition(".")[2])
    return (THOUSAND if printed.endswith("K") else 1.0) / 10**decimals


def matches_rounded(computed: float | None, printed: str) -> bool:
    """Whether a cell may be the computed number, rounded: off by half its last digit at most.

    Examples:
        >>> matches_rounded(14.5, "14"), matches_rounded(14.6, "14"), matches_rounded(None, "-")
        (True, False, True)
    """
    value = printed_value(printed)
    if computed is None or value is None:
        return computed is None and value is None
    return abs(computed - value) <= printed_unit(printed) / 2


def deviation(computed: float | None, printed: str) -> float | None:
    """Share by which a computed number exceeds a cell; none without either.

    Examples:
        >>> deviation(110.0, "100")
        0.1
    """
    value = printed_value(printed)
    return None if computed is None or value is None else (computed - value) / value
