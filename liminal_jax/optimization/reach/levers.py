"""The levers of a case: where each stands, how far it may move, and how far it has moved."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from liminal_jax._files import InputError, did_you_mean
from liminal_jax._files import Problem as Mistake
from liminal_jax.algorithm.drafter import DRAFTERS
from liminal_jax.data.drafters import published_drafters
from liminal_jax.data.formats import number_formats
from liminal_jax.data.levers import LeverRange, lever_ranges
from liminal_jax.hardware.network import FullMesh, Switched
from liminal_jax.hardware.planned import PlannedSystem
from liminal_jax.study.absent import DRAFTS, absent_paths, drafting_with, present
from liminal_jax.study.case import Case
from liminal_jax.study.region import Region, paths_of
from liminal_jax.study.variables import FOLLOWING, PATHS, stated_at
from liminal_jax.workload.blocked_fp8 import is_blocked

POINTS = 17
"""Values at which a lever is tried, evenly between the ends of its range in its own measure."""

FACTS = (
    "algorithm.speculation.fresh",
    "algorithm.expert_cache.lasting",
    "algorithm.parallel.tokens_per_pass",
    "algorithm.attention.window",
)
"""Numbers that nobody chooses, or that do nothing without one that has no range."""

ACCEPTANCE, DECAY = "algorithm.speculation.acceptance", "algorithm.speculation.decay"
"""What becomes of drafts."""

_OFF = {"algorithm.expert_cache.one_user": 0.0, "algorithm.expert_cache.lasting": 0.0}
"""Values that leave a lever out where those that it has once it is there do not."""

_BITS = ("request.weight_bits", "request.kv_bits")
_OPERATIONS = "_operations"
_LATENCY = "system.network.latency"


@dataclass(frozen=True)
class Lever:
    """One number that may move.

    Attributes:
        path: Its path in a case.
        label: What it is, in words.
        lever: The lever that it belongs to.
        quality: `lossless`, or `costs` where results may change.
        source: Where its range is published.
        grade: How good that source is.
        start: Where it stands, in SI.
        values: The values that are tried, ascending, the start among them. They end where the
            published range ends, or the start where that lies outside.
        whole: Whether only these values make sense.
        offset: What is added before logarithms are taken: nothing, but for a range that begins at
            0 its usual value, so that the first steps from 0 are counted evenly.
    """

    path: str
    label: str
    lever: str
    quality: str
    source: str
    grade: str
    start: float
    values: tuple[float, ...]
    whole: bool
    offset: float

    @property
    def least(self) -> float:
        """The lower end."""
        return self.values[0]

    @property
    def most(self) -> float:
        """The upper end."""
        return self.values[-1]

    def place(self, value: float) -> float:
        """Where a value lies in the range: 0 at the lower end, 1 at the upper one.

        Equal ratios are equal steps, `offset` being added: log((x + o)/(low + o)) over
        log((high + o)/(low + o)).
        """
        base = self.least + self.offset
        return math.log((value + self.offset) / base) / math.log((self.most + self.offset) / base)

    def at(self, place: Float[np.ndarray, "..."] | float) -> Float[np.ndarray, "..."]:
        """The value at a place, see `place`."""
        base = self.least + self.offset
        ratio = (self.most + self.offset) / base
        value = base * ratio ** np.asarray(place) - self.offset
        return np.asarray(np.clip(value, self.least, self.most))

    def nearest(self, value: float) -> float:
        """The value that makes sense and is nearest in the lever's own measure."""
        if not self.whole:
            return value
        return min(self.values, key=lambda it: abs(self.place(it) - self.place(value)))


def distance(levers: Sequence[Lever], values: Mapping[str, float]) -> float:
    """How far levers have moved: the sum of their moves, each a share of its own range.

    A move from `from` to `to` counts |log((to + o)/(from + o))| over the log width of the range,
    so that 1 is the whole of one range; see `Lever.place` for the offset o.

    Args:
        levers: The levers.
        values: Their values by path, in SI; where they start where left out.
    """
    return sum(abs(it.place(values.get(it.path, it.start)) - it.place(it.start)) for it in levers)


def with_levers(case: Case, model: str) -> Case:
    """A case in which every lever that has a range is there, and off.

    Drafts come as is published for the model, or as they usually do.

    Args:
        case: The case.
        model: The name of its model.
    """
    row = published_drafters().get(model)
    absent = absent_paths(case)
    if DRAFTS in absent:
        case = drafting_with(case, DRAFTERS[row.kind if row is not None else "recurrent-head"]())
    numbers: dict[str, float] = {}
    if row is not None and DRAFTS in absent:
        numbers |= {ACCEPTANCE: row.acceptance, DECAY: row.decay}
    for it in lever_ranges():
        if it.path in absent and it.path not in FACTS:
            case = present(case, it.path)
    numbers |= {path: it for path, it in _OFF.items() if path in absent and path in paths_of(case)}
    return moved(case, numbers)


def moved(case: Case, numbers: Mapping[str, float | Array]) -> Case:
    """A case with some of its numbers changed, by path."""
    known = {path: jnp.asarray(value) for path, value in numbers.items()}
    return Region(case, (), (), "").with_numbers(known).case


def levers_of(case: Case, asked: Sequence[str] = ()) -> tuple[Lever, ...]:
    """The levers of a case that have a published range.

    Args:
        case: A case in which they are there, from `with_levers`.
        asked: Which of them: paths, or the end of one, names of levers, or `lossless`, `hardware`,
            `algorithm`; all where left out.

    Raises:
        InputError: nothing has such a name, or what has it is no lever of this design.
    """
    numbers = Region(case, (), (), "").numbers
    known = {
        it.path: it
        for it in lever_ranges()
        if it.path in numbers
        and it.path not in FACTS
        and np.isfinite(float(numbers[it.path]))
        and _applies(it.path, case)
    }
    chosen = list(known)
    if asked:
        chosen = _chosen(asked, known)
    return tuple(_lever(known[path], float(numbers[path])) for path in known if path in chosen)


def _applies(path: str, case: Case) -> bool:
    """Whether the range of a number speaks of this design."""
    if path == FOLLOWING and isinstance(case.system, PlannedSystem):
        return False
    if path == _LATENCY:
        return isinstance(case.system.network, Switched | FullMesh)
    return not (path == "request.kv_bits" and is_blocked(case.model))


_GROUPS = {
    "lossless": lambda it: it.quality == "lossless",
    "hardware": lambda it: not it.path.startswith(("algorithm.", "request.")),
    "algorithm": lambda it: it.path.startswith(("algorithm.", "request.")),
}


def _chosen(asked: Sequence[str], known: Mapping[str, LeverRange]) -> list[str]:
    found: list[str] = []
    mistakes = []
    everything = {it.path: it for it in lever_ranges() if it.path}
    for name in asked:
        fits = [path for path, it in known.items() if _means(name, it)]
        if fits:
            found += fits
            continue
        if any(_means(name, it) for it in everything.values()):
            mistakes.append(Mistake("levers", f"{name!r} is no lever of this design; leave it out"))
            continue
        words = dict.fromkeys([*_GROUPS, *(word for it in known.values() for word in _words(it))])
        short = dict.fromkeys([*_GROUPS, *(it.lever for it in known.values())])
        hint = did_you_mean(name, words) or f"; there are {', '.join(short)}"
        mistakes.append(Mistake("levers", f"there is no lever {name!r}{hint}"))
    if mistakes:
        raise InputError("reach", mistakes)
    return found


def _words(it: LeverRange) -> tuple[str, ...]:
    """What a lever may be called."""
    parts = it.path.split(".")
    ends = [".".join(parts[place:]) for place in range(len(parts))]
    short = [name for name, path in PATHS.items() if path == it.path]
    return (*ends, *short, it.lever, it.parameter)


def _means(name: str, it: LeverRange) -> bool:
    return (name in _GROUPS and _GROUPS[name](it)) or name in _words(it)


def _lever(row: LeverRange, start: float) -> Lever:
    low, usual, high = row.si
    low, high = min(low, start), max(high, start)
    offset = 0.0 if low > 0 else usual or high
    whole = stated_at(row.path).whole or row.path in _BITS or row.path.endswith(_OPERATIONS)
    bare = Lever(
        path=row.path,
        label=row.label,
        lever=row.lever,
        quality=row.quality,
        source=row.source,
        grade=row.grade,
        start=start,
        values=(low, high),
        whole=whole,
        offset=offset,
    )
    inner = _whole(row.path, low, high) if whole else bare.at(np.linspace(0, 1, POINTS)[1:-1])
    values = sorted({low, start, high, *(float(it) for it in np.asarray(inner))})
    return Lever(**{**bare.__dict__, "values": tuple(values)})


def _whole(path: str, low: float, high: float) -> list[float]:
    """The values that make sense where not all do."""
    if path in _BITS:
        bits = sorted({it.bits for it in number_formats().values()})
        return [it for it in bits if low <= it <= high]
    if path == PATHS["tp"]:
        powers = [2.0**it for it in range(64)]
        return [it for it in powers if low <= it <= high]
    return [float(it) for it in range(math.ceil(low), math.floor(high) + 1)]
