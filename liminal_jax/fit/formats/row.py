"""One measurement, whichever file it came from."""

from dataclasses import dataclass, fields

METRICS = (
    "tpot_ms",
    "itl_ms",
    "utps",
    "output_tps_total",
    "output_tps_per_gpu",
    "e2e_latency_s",
)
PURE = ("pure", "near", "")
"""Purities of decode; rows that do not say are taken at their word."""
MIXED = "mixed"
"""Purity of rows in whose time prompts have a part."""
MOST = "max-load"
"""Purity of rows that tell the most tokens a second that are reached, for untold users."""
QUEUED = "queue"
"""Purity of rows whose requests waited for a place, so that the users at once are not known."""
NEARLY_PURE = 8.0
"""Tokens of an answer over those of its prompt from which prompts take a few per cent of the time.
"""


@dataclass(frozen=True)
class Row:
    """One measurement as its file states it; None where a number is blank.

    Attributes:
        line: Where it stands: a line of text, or the place of a record in JSON.
        metric: What `value` is of decoding; blank where the row tells of prompts alone.
        ttft_ms_median: Median time to the first token [ms].
        ttft_ms_mean: Mean of it [ms]; holds the burst at the start of a benchmark.
        request_rate: Requests a second where they come by themselves; blank in a closed loop.
        queueing: `yes` where requests waited for a place among those that decode.
    """

    line: int
    model: str = ""
    params_note: str = ""
    weight_bits: float | None = None
    kv_bits: float | None = None
    gpu: str = ""
    num_gpus: float | None = None
    tp: float | None = None
    pp: float | None = None
    ep: float | None = None
    batch_or_concurrency: float | None = None
    isl: float | None = None
    osl: float | None = None
    metric: str = ""
    value: float | None = None
    engine: str = ""
    engine_version: str = ""
    source_repo_or_url: str = ""
    source_path: str = ""
    note: str = ""
    source_id: str = ""
    arch: str = ""
    decode_purity: str = ""
    ttft_ms_median: float | None = None
    ttft_ms_mean: float | None = None
    request_rate: float | None = None
    queueing: str = ""

    def ttft_ms(self) -> float | None:
        """Time to the first token [ms]: the median where it is told, else the mean."""
        return self.ttft_ms_mean if self.ttft_ms_median is None else self.ttft_ms_median


NUMBERS = tuple(f.name for f in fields(Row) if f.type == float | None)
TEXTS = tuple(f.name for f in fields(Row) if f.name not in (*NUMBERS, "line"))


@dataclass(frozen=True)
class Refusal:
    """A part of the file that is no row, and why."""

    line: int
    reason: str


def purity(isl: float, osl: float, users: float, stalls: bool = True) -> str:
    """How much of prompts there is in the time of a token.

    Args:
        isl: Tokens of a prompt.
        osl: Tokens of an answer.
        users: Requests at once.
        stalls: Whether steps that also pass prompts count; a median of gaps between tokens leaves
            them out where they are fewer than half, since a prompt comes in users/osl of the steps.

    Examples:
        >>> purity(1024.0, 1024.0, 1.0), purity(128.0, 2048.0, 32.0), purity(1024.0, 1024.0, 32.0)
        ('pure', 'near', 'mixed')
    """
    if users <= 1:
        return PURE[0]
    if osl >= NEARLY_PURE * isl or (not stalls and users < osl / 2):
        return PURE[1]
    return MIXED
