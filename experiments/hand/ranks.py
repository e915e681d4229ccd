"""How the ranks of a stage share the work: users, heads, sequences, experts."""

import math
from dataclasses import dataclass
from statistics import NormalDist

from experiments.hand.layers import Block, Mixer


@dataclass(frozen=True)
class Degrees:
    """Degrees of parallelism of a design.

    Attributes:
        tp: Tensor parallelism.
        cp: Context parallelism.
        pp: Pipeline stages.
        ep: Ranks over which experts are spread.
        batch: Users of a micro-batch.
        attention: split-sequence, copied-heads, padded-heads or data-parallel.
        stated: Ranks that share a user's attention, where the design states them; else 0.
        shared: Ranks over which a shared expert is split, where it states them; else 0.
        ideal: The talk's accounting on its own chips: nothing is copied, all divides evenly.
    """

    tp: int = 1
    cp: int = 1
    pp: int = 1
    ep: int = 1
    batch: int = 1
    attention: str = "split-sequence"
    stated: int = 0
    shared: int = 0
    ideal: bool = False

    @property
    def ranks(self) -> int:
        """Ranks of a stage."""
        return self.tp * self.cp

    @property
    def chips(self) -> int:
        """Chips of an instance."""
        return self.ranks * self.pp

    @property
    def group(self) -> int:
        """Ranks that share a user's attention."""
        if self.ideal:
            return self.ranks
        return 1 if self.attention == "data-parallel" else self.stated or self.ranks

    @property
    def sharing(self) -> int:
        """Ranks that share a shared expert."""
        return self.group if self.ideal else self.shared or self.group

    def fullest(self, ranks: int) -> float:
        """Users of the fullest group of so many ranks."""
        groups = self.ranks / ranks
        return self.batch if groups == 1 else math.ceil(self.batch / groups)

    def mean(self, ranks: int) -> float:
        """Users of the mean group of so many ranks."""
        return self.batch * ranks / self.ranks

    @property
    def summed(self) -> bool:
        """Whether every rank holds every token, so that outputs of experts are summed."""
        whole = self.group == self.ranks
        return self.attention in ("copied-heads", "padded-heads") and whole and not self.ideal


@dataclass(frozen=True)
class Heads:
    """How a group divides a mixer.

    Attributes:
        over: Ranks that the KV heads are divided over.
        split: Whether the others hold parts of the sequence.
        copies: Cache, and projections of keys and values, of the fullest rank over an equal share.
        padding: Query heads computed over those there are.
        down: Copies of down-projections.
    """

    over: int = 1
    split: bool = False
    copies: float = 1.0
    padding: float = 1.0
    down: int = 1


def heads_of(mixer: Mixer, degrees: Degrees) -> Heads:
    """How a group divides a mixer: KV heads first, then the sequence or copies."""
    group = degrees.group
    if degrees.ideal or not mixer.cached or degrees.attention == "data-parallel":
        return Heads()
    k = mixer.cached
    if degrees.attention == "split-sequence":
        ranks = min(degrees.tp, degrees.stated or degrees.tp)
        return Heads(min(ranks, k), split=ranks > k or group > ranks, down=group)
    copies = math.ceil(k / group) * group / k
    if degrees.attention == "copied-heads":
        return Heads(min(group, k), copies=copies, down=group)
    more, fewer = max(k, group), min(k, group)
    misaligned = more % fewer != 0
    return Heads(
        over=min(group, k),
        copies=copies + misaligned * group / k,
        padding=math.ceil(mixer.heads / group) * group / mixer.heads,
        down=group,
    )


def matrices(mixer: Mixer, heads: Heads) -> float:
    """Elements of a mixer's matrices in a group, copies counted."""
    copied = (heads.copies - 1) * mixer.key_value + (heads.down - 1) * mixer.down
    return heads.padding * mixer.weights + copied


def distinct(block: Block, tokens: float) -> float:
    """Experts that some tokens touch: E (1 - (1 - k/E)^B)."""
    return block.experts * (1 - (1 - block.top_k / block.experts) ** tokens)


def largest_normal(count: int) -> float:
    """Expected largest of some normal numbers, after Blom: Phi^-1((R - 3/8) / (R + 1/4))."""
    return NormalDist().inv_cdf((count - 3 / 8) / (count + 1 / 4))


def busiest_experts(block: Block, tokens: float, ranks: int) -> float:
    """Experts that the busiest rank reads over the mean: normal, of E/R that are read or not."""
    if block.top_k == block.experts:
        return 1.0
    missed = (1 - block.top_k / block.experts) ** tokens
    read = (1 - missed) * block.experts / ranks
    return 1 + largest_normal(ranks) * math.sqrt(read * missed) / read


def busiest_tokens(block: Block, tokens: float, ranks: int) -> float:
    """Tokens of the busiest rank over the mean: normal, k of E drawn without replacement."""
    if block.top_k == block.experts:
        return 1.0
    e, k = block.experts, block.top_k
    variance = k / ranks * (1 - 1 / ranks) * (e - k) / (e - 1)
    return 1 + largest_normal(ranks) * math.sqrt(tokens * variance) / (tokens * k / ranks)
