"""What a step waits for: collectives of each layer, stages, dies, operators that depend on others.

Times are those of the fullest group, bytes sent those of the mean one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from experiments.hand.layers import Layer, Paper
from experiments.hand.links import Network, one_shot, two_shots
from experiments.hand.ranks import Degrees, heads_of
from experiments.hand.work import Request

MAXIMUM_AND_SUM = 2
"""Softmax statistics merged for each head of a split sequence."""

Rows = Mapping[str, Any]


@dataclass(frozen=True)
class Collective:
    """One collective of a layer.

    Attributes:
        name: What it is for.
        kind: all-reduce or all-to-all.
        ranks: Chips that take part.
        message: Bytes of each chip, of the fullest group [B].
        mean: The same of the mean group [B].
        count: How many there are in a layer.
    """

    name: str
    kind: str
    ranks: float
    message: float
    mean: float
    count: int = 1

    def time(self, network: Network) -> float:
        """How long one takes [s]."""
        run = network.all_reduce if self.kind == "all-reduce" else network.all_to_all
        return run(self.message, self.ranks)

    def sent(self) -> float:
        """Bytes that a chip sends in one: twice (n - 1)/n of a sum, once of an all-to-all [B]."""
        if self.ranks <= 1:
            return 0.0
        once = self.mean * (self.ranks - 1) / self.ranks
        return 2 * once if self.kind == "all-reduce" else once


class Summed(NamedTuple):
    """Elements that the dies of a chip sum: of the fullest one, and of the mean one."""

    fullest: float
    mean: float


@dataclass(frozen=True)
class Widths:
    """Bytes of an element, and users of a group, fullest and mean."""

    degrees: Degrees
    ask: Request

    def message(self, name: str, kind: str, over: float, group: int, elements: float) -> Collective:
        """A collective in which each user of a group of ranks gives so many elements."""
        element = self.ask.message_bits / 8 * elements
        fullest, mean = self.degrees.fullest(group), self.degrees.mean(group)
        return Collective(name, kind, over, fullest * element, mean * element)


def _sequence(layer: Layer, degrees: Degrees, widths: Widths) -> list[Collective]:
    """Queries to all that hold a part of the sequence, and their sums merged."""
    mixer, heads = layer.mixer, heads_of(layer.mixer, degrees)
    if not heads.split:
        return []
    g, each = degrees.group, mixer.heads / heads.over
    parts = g / heads.over
    merged = each * (mixer.output + MAXIMUM_AND_SUM)
    return [
        widths.message("queries", "all-to-all", parts, g, each * mixer.query),
        widths.message("merge of sums", "all-to-all", parts, g, merged),
    ]


def _experts(layer: Layer, hidden: int, degrees: Degrees, widths: Widths) -> list[Collective]:
    """Tokens to their experts and back, sums within an expert, and of a shared one."""
    block, g, ep = layer.block, degrees.group, degrees.ep
    if degrees.summed:
        return [widths.message("sum of experts", "all-reduce", g, g, hidden)]
    routed = hidden * block.top_k / g
    there = widths.message("dispatch", "all-to-all", ep, g, routed)
    back = widths.message("combine", "all-to-all", ep, g, routed)
    share = min(1.0, block.top_k / ep)
    ranks = degrees.ranks
    within = widths.message("sum within experts", "all-reduce", ranks / ep, ranks, hidden * share)
    found = [there, back, within]
    if block.shared and ep > 1:
        s = degrees.sharing
        found.append(widths.message("sum of shared expert", "all-reduce", s, s, hidden))
    return found


def collectives(layer: Layer, model: Paper, degrees: Degrees, ask: Request) -> list[Collective]:
    """Those of one layer, as the mapping needs them."""
    widths, g = Widths(degrees, ask), degrees.group
    summed = widths.message("sum after mixer", "all-reduce", g, g, model.hidden)
    found = [summed, *_sequence(layer, degrees, widths)]
    if layer.block.experts:
        found += _experts(layer, model.hidden, degrees, widths)
    else:
        found.append(widths.message("sum after block", "all-reduce", g, g, model.hidden))
    return [it for it in found if it.ranks > 1]


def counted_collectives(
    layer: Layer, model: Paper, degrees: Degrees, ask: Request, count: int
) -> list[Collective]:
    """The talk's count, or a stated one: sums of the residual stream over all ranks of a stage.

    Two for the parts of a layer, one more for experts, two more beyond the KV heads.
    """
    mixer = layer.mixer
    split = degrees.tp > mixer.cached or degrees.cp > 1
    number = count or 2 + (layer.block.experts > 0) + 2 * split
    ranks = degrees.ranks
    message = degrees.batch * model.hidden * ask.message_bits / 8
    return [Collective("sum of residual", "all-reduce", ranks, message, message, number)]


def operations(layer: Layer, execution: Rows) -> float:
    """Operators of a layer that each wait for the one before."""
    kind = "mixture" if layer.block.experts else "dense"
    return execution["mixer_operations"] + execution[f"{kind}_operations"]


def die_sums(layer: Layer, hidden: int, degrees: Degrees, crowding: float) -> list[Summed]:
    """Elements that the dies of a chip sum in one layer.

    The users of a group after the mixer and after a dense block. After experts: the tokens that
    come to those of the chip, `crowding` times as many on the busiest as on the mean one; and the
    users of a shared expert.
    """
    g, s, block = degrees.group, degrees.sharing, layer.block
    users = Summed(degrees.fullest(g) * hidden, degrees.mean(g) * hidden)
    if not block.experts or degrees.summed:
        return [users, users]
    come = degrees.batch * min(1.0, block.top_k / degrees.ep) * hidden
    found = [users, Summed(crowding * come, come)]
    if block.shared and degrees.ep > 1:
        found.append(Summed(degrees.fullest(s) * hidden, degrees.mean(s) * hidden))
    return found


def die_sum_time(message: float, dies: int, execution: Rows) -> float:
    """Time of a sum over the dies of a package, all of which work on every layer [s]."""
    if dies == 1 or "die_link_bandwidth" not in execution:
        return 0.0
    w, a = execution["die_link_bandwidth"], execution["die_link_latency"]
    return min(one_shot(message, dies, w, a), two_shots(message, dies, w, a))


def die_sum_energy(message: float, dies: int, execution: Rows) -> float:
    """Its energy: a reduce-scatter and an all-gather send 2 (D - 1) m in all [J]."""
    return execution.get("die_link_energy", 0.0) * 2 * (dies - 1) * message
