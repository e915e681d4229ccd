"""Memory and work of ranks beyond an equal share: copies of weights, and whole users."""

import equinox as eqx
import jax.numpy as jnp

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._once import once
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.mapping.attention import CachedHeads, HeadDivision
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.workload.mixer.base import AbstractMixer


class MixerSharing(eqx.Module):
    """Work of the ranks of a stage for one mixer, over the work of a single copy.

    Attributes:
        cache_copies: Cache that the fullest rank holds over an equal share of its group's.
        key_copies: Copies of the projections of keys and values in a group.
        down_copies: Copies of the down-projections in a group.
        head_padding: Query heads that are computed over those that there are.
    """

    cache_copies: Leaf = eqx.field(converter=as_leaf, default=1)
    key_copies: Leaf = eqx.field(converter=as_leaf, default=1)
    down_copies: Leaf = eqx.field(converter=as_leaf, default=1)
    head_padding: Leaf = eqx.field(converter=as_leaf, default=1)

    @once
    def weights(self, mixer: AbstractMixer, hidden: Scalar) -> Scalar:
        """Elements of a mixer's matrices that a group holds, copies counted."""
        return (
            self.head_padding * mixer.weights(hidden)
            + (self.key_copies - 1) * mixer.key_value_weights(hidden)
            + (self.down_copies - 1) * mixer.down_weights(hidden)
        )


class Sharing(eqx.Module):
    """Memory and work of the ranks of a stage, over those of a single copy.

    Attributes:
        copies: Copies of weights outside the experts: groups that attend to different users.
        users: Users of the fullest group over those of the mean group.
        shared_copies: Copies of shared experts.
        shared_users: Users of the fullest ranks that share one over those of the mean.
    """

    copies: Leaf = eqx.field(converter=as_leaf, default=1)
    users: Leaf = eqx.field(converter=as_leaf, default=1)
    shared_copies: Leaf = eqx.field(converter=as_leaf, default=1)
    shared_users: Leaf = eqx.field(converter=as_leaf, default=1)

    def balanced(self) -> "Sharing":
        """The same for the mean rank, which draws the power of the mean."""
        return Sharing(copies=self.copies, shared_copies=self.shared_copies)


def _fullest(users: Scalar, groups: Scalar, relaxation: AbstractRelaxation) -> Scalar:
    """Users of the fullest group over those of the mean group; 1 where there are none.

    One group has all users, also where their mean number is no whole one.
    """
    some = jnp.where(users > 0, users, groups)
    over = relaxation.largest_part(some / groups) * groups / some - 1
    return 1 + relaxation.exceeds(groups, 1.0) * over


@once
def stage_sharing(users: Scalar, mapping: Mapping, relaxation: AbstractRelaxation) -> Sharing:
    """How the ranks of a stage share the users of a micro-batch."""
    ranks = mapping.stage_chips()
    groups, shared_groups = ranks / mapping.attention_ranks(), ranks / mapping.shared_ranks()
    return Sharing(
        copies=groups,
        users=_fullest(users, groups, relaxation),
        shared_copies=shared_groups,
        shared_users=_fullest(users, shared_groups, relaxation),
    )


@once
def head_division(
    mixer: AbstractMixer, mapping: Mapping, relaxation: AbstractRelaxation
) -> HeadDivision:
    """How a group divides a mixer; a state divides over heads and channels always."""
    cached = mixer.cache_heads()
    if cached is None:
        return HeadDivision()
    heads, group = CachedHeads(mixer.heads, cached), mapping.attention_ranks()
    return mapping.attention.division(heads, mapping.tp, group, relaxation)


@once
def mixer_sharing(
    mixer: AbstractMixer, mapping: Mapping, relaxation: AbstractRelaxation
) -> MixerSharing:
    """The parts of a mixer that a group copies.

    A rank with a KV head or a copy of one needs that head's projections. Low-rank projections
    serve all heads, and every rank of a group computes them: that is less than to gather what each
    rank would compute of them.
    """
    division = head_division(mixer, mapping, relaxation)
    return MixerSharing(
        cache_copies=division.cache_copies,
        key_copies=division.cache_copies,
        down_copies=mapping.attention_ranks(),
        head_padding=division.head_padding,
    )
