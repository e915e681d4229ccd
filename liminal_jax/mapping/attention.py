"""How the ranks of a stage share the attention of its users: a choice of the design.

The ranks form groups, and each group attends to users of its own. Within a group the heads of a
user, or the tokens, are divided. All weights outside the routed experts are divided over a group
and copied in every other one.
"""

from abc import abstractmethod
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from liminal_jax._arrays import Leaf, Scalar, as_leaf, optional_leaf
from liminal_jax._quantity import quantity
from liminal_jax._show import Shown
from liminal_jax._smooth import AbstractRelaxation

RANKS = quantity("", "ranks that share attention", whole=True)
"""Label of the number, wherever it is shown."""


class CachedHeads(NamedTuple):
    """Heads of a mixer that keeps a cache.

    Attributes:
        queries: Query heads.
        cached: Heads of the cache: KV heads, or one for latents.
    """

    queries: Scalar
    cached: Scalar


class HeadDivision(eqx.Module):
    """How a group divides the heads and the cache of one mixer.

    Attributes:
        head_ranks: Ranks over which KV heads are divided; the others of a group hold parts of a
            sequence or copies.
        sequence_split: 1 where ranks hold parts of a sequence, else 0.
        cache_copies: Cache that the fullest rank holds over an equal share of it.
        head_padding: Query heads that are computed over those that there are.
        head_demand: Above 1 where the degrees do not divide the query heads.
        kv_demand: Above 1 where the degrees neither divide the KV heads nor are divided by them.
    """

    head_ranks: Leaf = eqx.field(converter=as_leaf, default=1)
    sequence_split: Leaf = eqx.field(converter=as_leaf, default=0)
    cache_copies: Leaf = eqx.field(converter=as_leaf, default=1)
    head_padding: Leaf = eqx.field(converter=as_leaf, default=1)
    head_demand: Leaf = eqx.field(converter=as_leaf, default=1)
    kv_demand: Leaf = eqx.field(converter=as_leaf, default=1)


def excess(parts: Scalar, ranks: Scalar, relaxation: AbstractRelaxation) -> Scalar:
    """Parts of the fullest rank over those of the mean rank; 1 where ranks divide the parts.

    Examples:
        >>> from liminal_jax._smooth import Exact
        >>> float(excess(28.0, 8.0, Exact()))
        1.1428571428571428
    """
    return relaxation.ceil(parts / ranks) * ranks / parts


def _kv_excess(kv_heads: Scalar, ranks: Scalar, relaxation: AbstractRelaxation) -> Scalar:
    # A softened maximum would be off by more than the whole numbers that this is about.
    return excess(jnp.maximum(kv_heads, ranks), jnp.minimum(kv_heads, ranks), relaxation)


class AbstractAttentionMapping(Shown):
    """How the ranks of a stage share the attention of its users."""

    @abstractmethod
    def group(self, ranks: Scalar) -> Scalar:
        """Ranks that share one user's attention, of a stage that has `ranks`."""

    @abstractmethod
    def expert_reduction(self, ranks: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """1 where every rank holds every token and outputs of experts are summed, else 0.

        Where it is 0, tokens are sent to the ranks of their experts and back.
        """

    @abstractmethod
    def division(
        self, heads: CachedHeads, tp: Scalar, group: Scalar, relaxation: AbstractRelaxation
    ) -> HeadDivision:
        """How a group divides the heads and the cache of a mixer.

        Args:
            heads: Its heads.
            tp: Tensor-parallel degree.
            group: Ranks that share one user's attention.
            relaxation: How non-smooth functions are evaluated.
        """


class SplitSequence(AbstractAttentionMapping):
    """KV heads first, and beyond them the tokens of the sequence, are divided over a group.

    The ranks that hold parts of a sequence need the queries of all its heads, and merge their
    weighted sums. No cache is copied.

    Attributes:
        ranks: Ranks that share one user's attention; all of a stage where left out.

    References:
        Bhatia et al. (2025), Helix Parallelism, arXiv:2507.07120; decode context parallelism of
        vLLM.
    """

    ranks: Leaf | None = eqx.field(converter=optional_leaf, default=None, metadata=RANKS)

    def group(self, ranks: Scalar) -> Scalar:
        """As stated."""
        return ranks if self.ranks is None else self.ranks

    def expert_reduction(self, ranks: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """0: the sum after the mixer is scattered over tokens."""
        del ranks, relaxation
        return 0.0

    def division(
        self, heads: CachedHeads, tp: Scalar, group: Scalar, relaxation: AbstractRelaxation
    ) -> HeadDivision:
        """Parts of a sequence beyond the KV heads, or by context parallelism."""
        ranks = tp if self.ranks is None else relaxation.fewest(tp, self.ranks)
        within_heads = 1 - relaxation.exceeds(ranks, heads.cached)
        return HeadDivision(
            head_ranks=relaxation.fewest(ranks, heads.cached),
            sequence_split=1 - within_heads * (1 - relaxation.exceeds(group / ranks, 1.0)),
            head_demand=excess(heads.queries, ranks, relaxation),
            kv_demand=_kv_excess(heads.cached, ranks, relaxation),
        )


class CopiedHeads(AbstractAttentionMapping):
    """Heads are divided over a group, and a rank without a KV head holds a copy of one.

    The tensor parallelism of engines: of latents, which are one head, each rank holds and reads
    all. Where a group is the whole stage every rank holds every token, so spread experts need no
    dispatch; their outputs are summed.

    Attributes:
        ranks: Ranks that share one user's attention; all of a stage where left out.
        ranks_per_chip: Ranks on one chip, each with different heads.

    References:
        Shoeybi et al. (2019), Megatron-LM, arXiv:1909.08053, for heads; vLLM and SGLang copy KV
        heads where ranks exceed them.
    """

    ranks: Leaf | None = eqx.field(converter=optional_leaf, default=None, metadata=RANKS)
    ranks_per_chip: Leaf = eqx.field(converter=as_leaf, default=1)

    def group(self, ranks: Scalar) -> Scalar:
        """As stated."""
        return ranks if self.ranks is None else self.ranks

    def expert_reduction(self, ranks: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """1 where a group is the whole stage."""
        return 1 - relaxation.exceeds(ranks, self.group(ranks))

    def division(
        self, heads: CachedHeads, tp: Scalar, group: Scalar, relaxation: AbstractRelaxation
    ) -> HeadDivision:
        """Whole heads, one at least to each rank; context parallelism divides heads, too."""
        del tp
        ranks = group * self.ranks_per_chip
        return HeadDivision(
            head_ranks=relaxation.fewest(group, heads.cached),
            cache_copies=excess(heads.cached, ranks, relaxation),
            head_demand=excess(heads.queries, group, relaxation),
            kv_demand=_kv_excess(heads.cached, group, relaxation),
        )


class PaddedHeads(AbstractAttentionMapping):
    """Copied heads where degrees do not divide the heads: ranks compute heads that are not there.

    Each rank computes as many query heads as the fullest one. Where the degrees neither divide the
    KV heads nor are divided by them, the query heads of a rank need one KV head more.

    Attributes:
        ranks: Ranks that share one user's attention; all of a stage where left out.
    """

    ranks: Leaf | None = eqx.field(converter=optional_leaf, default=None, metadata=RANKS)

    def group(self, ranks: Scalar) -> Scalar:
        """As stated."""
        return ranks if self.ranks is None else self.ranks

    def expert_reduction(self, ranks: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """1 where a group is the whole stage."""
        return CopiedHeads(self.ranks).expert_reduction(ranks, relaxation)

    def division(
        self, heads: CachedHeads, tp: Scalar, group: Scalar, relaxation: AbstractRelaxation
    ) -> HeadDivision:
        """As copied heads, with what is padded."""
        copied = CopiedHeads(self.ranks).division(heads, tp, group, relaxation)
        # Whole numbers: what the smaller of both leaves over of the larger one is 0 or at least 1.
        misaligned = relaxation.share((copied.kv_demand - 1) * jnp.maximum(heads.cached, group))
        return HeadDivision(
            head_ranks=copied.head_ranks,
            cache_copies=copied.cache_copies + misaligned * group / heads.cached,
            head_padding=copied.head_demand,
        )


class DataParallel(AbstractAttentionMapping):
    """Each rank attends to different users: groups of one rank. Only routed experts are spread.

    Engines call it data-parallel attention with expert parallelism.

    References:
        DeepSeek-AI (2024), DeepSeek-V3, arXiv:2412.19437, section 3.4.
    """

    def group(self, ranks: Scalar) -> Scalar:
        """One."""
        del ranks
        return 1.0

    def expert_reduction(self, ranks: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """0, but for a stage of one rank, which has nothing to dispatch either."""
        del ranks, relaxation
        return 0.0

    def division(
        self, heads: CachedHeads, tp: Scalar, group: Scalar, relaxation: AbstractRelaxation
    ) -> HeadDivision:
        """Nothing is divided."""
        del heads, tp, group, relaxation
        return HeadDivision()


class WeightedAttention(AbstractAttentionMapping):
    """A mean of attention mappings: of a search that chooses one of them by a weight of 1.

    Attributes:
        weights: Weight of each mapping; their sum is 1.
        options: The mappings.
    """

    weights: Leaf = eqx.field(converter=as_leaf)
    options: tuple[AbstractAttentionMapping, ...]

    def chosen(self) -> AbstractAttentionMapping:
        """The mapping of most weight; weights must be known, not traced."""
        return self.options[int(jnp.argmax(self.weights))]

    def group(self, ranks: Scalar) -> Scalar:
        """The mean."""
        return sum(
            weight * it.group(ranks) for weight, it in zip(self.weights, self.options, strict=True)
        )

    def expert_reduction(self, ranks: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """The mean."""
        return sum(
            weight * it.expert_reduction(ranks, relaxation)
            for weight, it in zip(self.weights, self.options, strict=True)
        )

    def division(
        self, heads: CachedHeads, tp: Scalar, group: Scalar, relaxation: AbstractRelaxation
    ) -> HeadDivision:
        """The mean."""
        divisions = [it.division(heads, tp, group, relaxation) for it in self.options]
        weights = list(self.weights)
        return jax.tree.map(
            lambda *leaves: sum(
                weight * leaf for weight, leaf in zip(weights, leaves, strict=True)
            ),
            *divisions,
        )


ATTENTION_MAPPINGS = {
    "split-sequence": SplitSequence,
    "copied-heads": CopiedHeads,
    "data-parallel": DataParallel,
    "padded-heads": PaddedHeads,
}
"""Attention mappings by the names that files and commands have for them."""


def attention_name(place: float) -> str:
    """The name of an attention mapping by its place among all.

    Examples:
        >>> attention_name(2.0)
        'data-parallel'
    """
    return tuple(ATTENTION_MAPPINGS)[round(place)]
