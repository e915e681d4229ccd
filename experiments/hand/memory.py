"""What an instance holds, where it lies, and whether it fits."""

import math
from dataclasses import dataclass

from experiments.hand.chips import Chip
from experiments.hand.layers import Paper
from experiments.hand.memories import KINDS
from experiments.hand.ranks import Degrees, heads_of, matrices
from experiments.hand.sheet import Sheet
from experiments.hand.work import Request

SLACK = 1 + 1e-6
"""Rounding may make a sum exceed what holds it by so much."""

ORDER: tuple[str, ...] = ("weights", "kept", "experts")
"""What fills a memory first: experts last, of which a step reads those only that it touches."""


def held(
    model: Paper, degrees: Degrees, ask: Request, on: Sheet, *, even: bool
) -> dict[str, float]:
    """Bytes of an instance: its fullest ranks, times the ranks.

    Args:
        model: The model.
        degrees: How it is spread.
        ask: Precision and context.
        on: Where the terms go.
        even: Whether experts divide evenly over ranks; else whole ones do.
    """
    copies, shared_copies = degrees.ranks / degrees.group, degrees.ranks / degrees.sharing
    weights = experts = cache = state = 0.0
    for layer, count in model.layers:
        heads, block = heads_of(layer.mixer, degrees), layer.block
        attention = matrices(layer.mixer, heads) + layer.small
        of_block = (shared_copies if block.experts else copies) * block.always
        weights += count * (copies * attention + of_block)
        places = block.experts
        if block.experts and not even:
            places = math.ceil(block.experts / degrees.ep) * degrees.ep
        experts += count * places * (block.expert + block.biases)
        cache += count * heads.copies * layer.mixer.entry * layer.mixer.kept(ask.context)
        state += count * layer.mixer.state
    a_byte = ask.weight_bits / 8
    users = copies * degrees.fullest(degrees.group) * degrees.pp
    kept = on.put("cache of all users", users * cache * ask.kv_bits / 8, "B")
    kept += on.put("states of all users", users * state * ask.state_bits / 8, "B")
    tables = copies * (model.head + model.embeddings + model.end)
    return {
        "weights": on.put("weights of layers", weights * a_byte, "B", "copies counted"),
        "experts": on.put("routed experts", experts * a_byte, "B", "fullest rank x ranks"),
        "kept": kept,
        "tables": on.put("embedding and head", tables * a_byte, "B"),
    }


@dataclass(frozen=True)
class Placed:
    """Share of each kind of data in each memory.

    Attributes:
        sram: In SRAM.
        main: In main memory.
        beyond: In memory beyond it.
        fill: Bytes over what the fullest chip holds but for the reserve.
        fits: Whether every memory holds what lies there.
    """

    sram: dict[str, float]
    main: dict[str, float]
    beyond: dict[str, float]
    fill: float
    fits: bool


def _filled(
    room: float, data: dict[str, float], leaving: tuple[str, ...] = KINDS
) -> dict[str, float]:
    """Share of each kind that a memory holds: first what may not leave it, then what is read most.

    Args:
        room: Bytes that it holds.
        data: Bytes of each kind.
        leaving: Kinds that may lie elsewhere.
    """
    shares = {}
    for kind in sorted(ORDER, key=lambda it: it in leaving):
        shares[kind] = min(1.0, room / data[kind]) if data[kind] > 0 else 0.0
        room = max(room - shares[kind] * data[kind], 0.0)
    return shares


def placed(
    bytes_: dict[str, float],
    chip: Chip,
    model: Paper,
    degrees: Degrees,
    reserve: float,
    pace: float,
) -> Placed:
    """Fastest memories filled first; embedding and head stay in main memory.

    Args:
        bytes_: What an instance holds.
        chip: Its chips.
        model: The model.
        degrees: How it is spread.
        reserve: Share of main memory that is kept free.
        pace: Layers of the largest stage over those of the mean stage.
    """
    n = degrees.chips
    data = {kind: bytes_[kind] for kind in KINDS}
    # Of several stages the first holds the embedding, and the last the head.
    tables = degrees.pp / min(degrees.pp, model.tables) if model.tables else 1.0
    fixed = tables * bytes_["tables"]
    usable = n * chip.memory.capacity * (1 - reserve)
    sram = _filled(n * chip.sram.capacity / pace, data)
    outside = {kind: (1 - sram[kind]) * data[kind] for kind in KINDS}
    total = fixed + pace * sum(outside.values())
    if chip.beyond is None:
        main, none = {kind: 1 - sram[kind] for kind in KINDS}, dict.fromkeys(KINDS, 0.0)
        return Placed(sram, main, none, fill=total / usable, fits=total <= usable * SLACK)
    may = chip.beyond.holds
    kept = _filled(max(usable - fixed, 0.0) / pace, outside, may)
    away = {it: 1 - kept[it] if it in may and data[it] else 0.0 for it in KINDS}
    main = {it: (1 - sram[it]) * (1 - away[it]) for it in KINDS}
    beyond = {it: (1 - sram[it]) * away[it] for it in KINDS}
    far = n * chip.beyond.capacity
    staying = fixed + pace * sum(outside[it] for it in KINDS if it not in may)
    fill = max(total / (usable + far), staying / usable)
    in_main, in_far = (pace * sum(of[it] * data[it] for it in KINDS) for of in (main, beyond))
    fits = fill <= SLACK and fixed + in_main <= usable * SLACK and in_far <= far * SLACK
    return Placed(sram, main, beyond, fill, fits)
