"""Why one design differs from another: a sentence each, of the factor that differs most.

A quantity is a product of factors, such as a price a token of capital and of tokens; of two designs
the factor whose ratio pulls most in the direction of the difference is the reason.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from liminal_jax._display import dollars, per_cent, plain, with_prefix
from liminal_jax.results.prediction import WAITED

EQUAL = 0.005
"""Share below which two designs count as equal."""

_TOKENS = "it makes {} the tokens a second"

_PARTS = {
    "memory_time": "on memory",
    "compute_time": "on arithmetic",
    "exposed_time": "waiting for other chips",
}
"""What a step is spent on."""

Record = Mapping[str, Any]


class Difference(NamedTuple):
    """What differs between two designs, and why.

    Attributes:
        quantity: Name of what differs.
        ratio: The second over the first; none where one of them is unknown.
        sentence: What differs and why.
    """

    quantity: str
    ratio: float | None
    sentence: str


def differences(first: Record, second: Record, names: tuple[str, str]) -> list[Difference]:
    """What differs between two predictions, the speed first; of one that does not fit, only that.

    Args:
        first: A prediction.
        second: Another, which is spoken of.
        names: What both are called.
    """
    unfit = [name for it, name in zip((first, second), names, strict=True) if not it["fits"]]
    if unfit:
        told = f"{' and '.join(unfit)} {'do' if len(unfit) > 1 else 'does'} not fit"
        said = f"{told}, so that speed, energy and price cannot be compared."
        return [Difference("utps", None, said), _room(first, second, names)]
    return [
        _speed(first, second, names),
        _throughput(first, second, names),
        _room(first, second, names),
        _energy(first, second, names),
        _price(first, second, names),
    ]


def _ratio(first: Any, second: Any) -> float | None:
    return second / first if first and second else None


def times(ratio: float) -> str:
    """How many times as much.

    Examples:
        >>> times(1.84), times(0.5), times(12345.6)
        ('1.84 times', '0.5 times', '12,346 times')
    """
    return f"{plain(ratio)} times"


def _as_much(ratio: float) -> str:
    """How much as the beginning of a phrase.

    Examples:
        >>> _as_much(1.84) + " the power", _as_much(0.0588) + " the power"
        ('1.84 times the power', '5.9 % of the power')
    """
    return times(ratio) if ratio >= 1 else f"{per_cent(ratio)} of"


def _equal(ratio: float) -> bool:
    return abs(ratio - 1) < EQUAL


def compared(ratio: float, more: str, less: str, same: str) -> str:
    """A comparison, in per cent where it is less than twofold.

    Args:
        ratio: One over the other.
        more: What it is where the ratio is above 1.
        less: What it is where it is below.
        same: What both are where it is about 1.

    Examples:
        >>> [compared(it, "quicker", "slower", "as quick") for it in (0.1, 0.8, 1.0, 1.433, 3.0)]
        ['10 times slower', '20.0 % slower', 'as quick', '43.3 % quicker', '3 times quicker']
    """
    if _equal(ratio):
        return same
    words = more if ratio > 1 else less
    if 0.5 < ratio < 2:
        return f"{per_cent(abs(ratio - 1))} {words}"
    return f"{plain(max(ratio, 1 / ratio))} times {words}"


def _speed(first: Record, second: Record, names: tuple[str, str]) -> Difference:
    ratio = _ratio(first["utps"], second["utps"])
    if ratio is None:
        return Difference("utps", None, f"The speed of {names[0]} or {names[1]} is unknown.")
    word = compared(ratio, "quicker than", "slower than", "as quick as")
    values = f"{plain(second['utps'], 4)} against {plain(first['utps'], 4)} tokens/s for a user"
    why = "" if _equal(ratio) else f": {_time_reason(first, second, names[0])}"
    waits = _waits(first, second, names[0])
    return Difference("utps", ratio, f"{names[1]} is {word} {names[0]} ({values}){why}; {waits}.")


def _waits(first: Record, second: Record, other: str) -> str:
    ours, theirs = (WAITED[it["bottleneck"]] for it in (second, first))
    apart = f"it waits for {ours}, {other} for {theirs}"
    return f"both wait for {ours}" if ours == theirs else apart


def _time_reason(first: Record, second: Record, other: str) -> str:
    """The part of a step that differs most, and what that part comes from."""
    tokens = _ratio(first.get("tokens_per_step"), second.get("tokens_per_step"))
    if tokens is not None and abs(math.log(tokens)) > abs(
        math.log(second["step_time"] / first["step_time"])
    ):
        return f"a user gains {_as_much(tokens)} the tokens by a step"
    busy = [max(it["memory_time"], it["compute_time"]) for it in (first, second)]
    waited = [it["exposed_time"] for it in (first, second)]
    if abs(waited[1] - waited[0]) > abs(busy[1] - busy[0]):
        spans = f"{with_prefix(waited[1], 's')} against {with_prefix(waited[0], 's')}"
        return f"its chips wait {spans} a step for each other"
    parts = [
        "memory_time" if it["memory_time"] >= it["compute_time"] else "compute_time"
        for it in (first, second)
    ]
    if parts == ["memory_time"] * 2 and _one_memory(first) and _one_memory(second):
        speed = _ratio(_bandwidth(first), _bandwidth(second))
        return _factor(busy[1] / busy[0], speed, "memory", "streams", "bytes")
    if parts == ["compute_time"] * 2:
        speed = _ratio(_rate(first), _rate(second))
        return _factor(busy[1] / busy[0], speed, "arithmetic", "does", "operations")
    ours, theirs = map(_longest, (second, first))
    return f"of a step it spends {ours}, {other} {theirs}"


def _longest(record: Record) -> str:
    """The longest part of a step."""
    key = max(_PARTS, key=lambda it: record[it])
    return f"{with_prefix(record[key], 's')} {_PARTS[key]}"


def _factor(span: float, speed: float | None, organ: str, does: str, things: str) -> str:
    """Whether a part of a step is longer for its speed, or for what it has to do."""
    busy = f"its {organ} is busy {compared(span, 'longer', 'shorter', 'as long')} in a step"
    if speed is None:
        return busy
    work = Factor(f"its {organ} has {{}} the {things} to work on in a step", span * speed)
    quick = Factor(f"its {organ} {does} {{}} the {things} a second", speed, -1)
    return reason(span, [work, quick]) or busy


def _parts(record: Record) -> list[Mapping[str, Any]]:
    return [it for it in record["hardware"]["memory"]["parts"] if sum(it["holds"].values()) > 1.0]


def _one_memory(record: Record) -> bool:
    """Whether all data lie in one memory, so that its bandwidth alone counts."""
    return len(_parts(record)) == 1


def _bandwidth(record: Record) -> float | None:
    """Bytes/s of a stage, whose chips read at once."""
    speed = _parts(record)[0]["bandwidth"]
    return None if speed is None else speed / record["hardware"]["system"]["pp"]


def _rate(record: Record) -> float | None:
    """FLOP/s of a stage at the precision of weights."""
    bits = record["workload"]["weight_bits"]
    width = next(it for it in (4, 8, 16) if bits <= it or it == 16)
    rate = record["hardware"]["package"][f"tensor_{width}bit"]
    system = record["hardware"]["system"]
    return None if rate is None else rate * system["tp"] * system["cp"]


def _throughput(first: Record, second: Record, names: tuple[str, str]) -> Difference:
    each = [it["stps"] / it["chips"] if it["stps"] else None for it in (first, second)]
    ratio = _ratio(*each)
    if ratio is None:
        return Difference("stps_per_chip", None, "The throughput of a chip is unknown.")
    word = compared(ratio, "more tokens", "fewer tokens", "as many tokens")
    users = second["users"] / second["chips"] / (first["users"] / first["chips"])
    speed = second["utps"] / first["utps"]
    why = _because(
        ratio,
        Factor("each user is served at {} the speed", speed),
        Factor("it serves {} the users a chip", users),
    )
    values = f"{plain(each[1] or 0.0, 4)} against {plain(each[0] or 0.0, 4)} tokens/s"
    return Difference("stps_per_chip", ratio, f"A chip of {names[1]} makes {word} ({values}){why}.")


class Factor(NamedTuple):
    """Something that a quantity is proportional to.

    Attributes:
        words: What it is, with a place for how many times as much it is.
        ratio: Of the second design over the first; none where it is unknown.
        power: 1 where the quantity grows with it, -1 where it falls.
    """

    words: str
    ratio: float | None
    power: int = 1

    def pull(self) -> float:
        """Logarithm of what it multiplies the quantity by."""
        return self.power * math.log(self.ratio) if self.ratio else 0.0


def reason(ratio: float, factors: Sequence[Factor]) -> str:
    """The factor that pulls most towards a ratio; empty where none does.

    Examples:
        >>> reason(2.0, [Factor("{} the power", 3.0), Factor("{} the tokens", 1.5, -1)])
        '3 times the power'
        >>> reason(1.0, [Factor("{} the power", 3.0), Factor("{} the tokens", 3.0, -1)])
        ''
    """
    if _equal(ratio):
        return ""
    best = max(factors, key=lambda it: it.pull() * math.log(ratio))
    towards = best.pull() * math.log(ratio) > EQUAL * abs(math.log(ratio))
    return best.words.format(_as_much(best.ratio)) if towards and best.ratio else ""


def _because(ratio: float, *factors: Factor) -> str:
    found = reason(ratio, factors)
    return f": {found}" if found else ""


def _room(first: Record, second: Record, names: tuple[str, str]) -> Difference:
    ratio = _ratio(first["memory_fill"], second["memory_fill"])
    fill = second["memory_fill"]
    if ratio is None or fill is None:
        return Difference("memory_fill", None, "How full the memory is is unknown.")
    verdict = "" if second["fits"] else ", so it DOES NOT FIT"
    needs = second["memory_required"] / first["memory_required"]
    has = _ratio(first["memory_capacity"], second["memory_capacity"])
    why = _because(
        ratio,
        Factor("it has to hold {} the bytes", needs),
        Factor("all its chips have {} the memory", has, -1),
    )
    told = f"{per_cent(fill)} against {per_cent(first['memory_fill'])}"
    return Difference(
        "memory_fill", ratio, f"The fullest chip of {names[1]} is {told} full{verdict}{why}."
    )


def _energy(first: Record, second: Record, names: tuple[str, str]) -> Difference:
    ratio = _ratio(first["energy_per_token"], second["energy_per_token"])
    if ratio is None:
        return Difference("energy_per_token", None, "The energy of a token is unknown.")
    values = " against ".join(with_prefix(it["energy_per_token"], "J") for it in (second, first))
    why = _because(
        ratio,
        Factor("it draws {} the power", _ratio(first["power"], second["power"])),
        Factor(_TOKENS, second["stps"] / first["stps"], -1),
    )
    word = compared(ratio, "more energy", "less energy", "as much energy")
    return Difference(
        "energy_per_token", ratio, f"A token of {names[1]} takes {word} ({values}){why}."
    )


def _price(first: Record, second: Record, names: tuple[str, str]) -> Difference:
    key = "usd_per_million_tokens"
    ratio = _ratio(first[key], second[key])
    if ratio is None:
        return Difference(key, None, "The price of a token is unknown.")
    values = " against ".join(dollars(it[key]) for it in (second, first))
    why = _because(
        ratio,
        Factor("it costs {} the capital", _ratio(first["capital_cost"], second["capital_cost"])),
        Factor(_TOKENS, second["stps"] / first["stps"], -1),
    )
    word = compared(ratio, "more", "less", "as much")
    return Difference(key, ratio, f"A million tokens of {names[1]} cost {word} ({values}){why}.")
