"""Communication of chips in a layer, and its exposed time."""

from abc import abstractmethod
from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._once import once
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.hardware.network import AbstractNetwork
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.routing import AbstractRouting, BalancedRouting, RandomRouting
from liminal_jax.mapping.sharing import (
    MixerSharing,
    Sharing,
    head_division,
    mixer_sharing,
    stage_sharing,
)
from liminal_jax.workload.block import Block
from liminal_jax.workload.chunk import Prompts
from liminal_jax.workload.feedforward.base import AbstractMixture
from liminal_jax.workload.mixer.base import AbstractMixer
from liminal_jax.workload.model import Layers
from liminal_jax.workload.request import Request

MAXIMUM_AND_SUM = 2
"""Softmax statistics that ranks holding parts of a sequence exchange for each head."""


class Communication(eqx.Module):
    """Time of some collectives among the fullest ranks, and what the mean chip sends in them.

    Attributes:
        time: Time exposed [s].
        sent: Bytes sent by one chip [B].
    """

    time: Leaf = eqx.field(converter=as_leaf)
    sent: Leaf = eqx.field(converter=as_leaf)

    def __sub__(self, other: "Communication") -> "Communication":
        """The one without the other."""
        return Communication(time=self.time - other.time, sent=self.sent - other.sent)

    def __add__(self, other: "Communication") -> "Communication":
        """One after the other."""
        return Communication(time=self.time + other.time, sent=self.sent + other.sent)

    def scaled(self, count: Scalar) -> "Communication":
        """The same communication, `count` times."""
        return Communication(time=self.time * count, sent=self.sent * count)


class Tokens(eqx.Module):
    """The tokens of one micro-batch, as they travel between chips.

    Attributes:
        batch: Users that decode.
        hidden: Width of the residual stream.
        request: Precision of what is exchanged.
        streams: Residual streams, all of which pass from stage to stage.
        prompts: Prompts of which chunks pass in the same step, if any.
        block: Tokens of each user that decodes, where it is not a single one.
    """

    batch: Leaf = eqx.field(converter=as_leaf)
    hidden: Leaf = eqx.field(converter=as_leaf)
    request: Request
    streams: Leaf = eqx.field(converter=as_leaf, default=1)
    prompts: Prompts | None = None
    block: Block | None = None

    def decoding(self) -> Scalar:
        """Tokens of decoding users."""
        return self.batch if self.block is None else self.batch * self.block.tokens

    def count(self) -> Scalar:
        """Tokens of decoding users and of prompts together."""
        decoding = self.decoding()
        return decoding if self.prompts is None else decoding + self.prompts.tokens()

    def message(self, elements: Scalar) -> Scalar:
        """Bytes of some elements of every token [B]."""
        return self.request.message_bytes(self.count() * elements)

    def decode_message(self, elements: Scalar) -> Scalar:
        """Bytes of some elements of every token that decodes [B]."""
        return self.request.message_bytes(self.decoding() * elements)


class Message(NamedTuple):
    """The message of each chip in one collective.

    Attributes:
        fullest: Bytes of the fullest ranks, which set the time [B].
        mean: Bytes of the mean rank, which draws the power of the mean [B].
    """

    fullest: Scalar
    mean: Scalar


class AbstractCollectives(eqx.Module):
    """Which collectives a layer needs."""

    @abstractmethod
    def layer(
        self,
        layers: Layers,
        tokens: Tokens,
        mapping: Mapping,
        network: AbstractNetwork,
        relaxation: AbstractRelaxation,
    ) -> Communication:
        """The communication of one layer."""

    def reduction(
        self,
        tokens: Tokens,
        mapping: Mapping,
        network: AbstractNetwork,
        relaxation: AbstractRelaxation,
    ) -> Communication:
        """The sum that follows a mixer, or a dense block, of a layer."""
        return _residual_reduced(tokens, mapping, network, relaxation)

    def sharing(self, users: Scalar, mapping: Mapping, relaxation: AbstractRelaxation) -> Sharing:
        """Memory and work of ranks beyond an equal share; none where division is ideal."""
        del users, mapping, relaxation
        return Sharing()

    def mixer_sharing(
        self, mixer: AbstractMixer, mapping: Mapping, relaxation: AbstractRelaxation
    ) -> MixerSharing:
        """The parts of a mixer that ranks copy; none where division is ideal."""
        del mixer, mapping, relaxation
        return MixerSharing()

    def routing_of(self) -> AbstractRouting:
        """How tokens fall on the ranks that hold experts."""
        return BalancedRouting()

    def pipeline(
        self,
        tokens: Tokens,
        mapping: Mapping,
        network: AbstractNetwork,
        relaxation: AbstractRelaxation,
    ) -> Communication:
        """The communication between all stages: T_PP P, none for a single stage."""
        users = self.sharing(tokens.batch, mapping, relaxation).users
        message = tokens.message(tokens.streams * tokens.hidden) / mapping.stage_chips()
        time = network.send_time(users * message, mapping.chips(), relaxation)
        staged = relaxation.exceeds(mapping.pp, 1.0) * mapping.pp
        return Communication(time=time, sent=message).scaled(staged)


def _residual(tokens: Tokens, imbalance: Scalar, groups: Scalar) -> Message:
    """The residual stream of the users of a group."""
    residual = tokens.message(tokens.hidden)
    return Message(fullest=residual * (imbalance / groups), mean=residual / groups)


def _all_reduced(
    message: Message, chips: Scalar, network: AbstractNetwork, relaxation: AbstractRelaxation
) -> Communication:
    time = network.all_reduce_time(message.fullest, chips, relaxation)
    return Communication(time=time, sent=2 * message.mean * (chips - 1) / chips)


def _residual_reduced(
    tokens: Tokens, mapping: Mapping, network: AbstractNetwork, relaxation: AbstractRelaxation
) -> Communication:
    """One sum of the residual stream over all ranks of a stage."""
    residual = tokens.message(tokens.hidden)
    message = Message(fullest=residual, mean=residual)
    return _all_reduced(message, mapping.stage_chips(), network, relaxation)


def _all_to_all(
    message: Message, chips: Scalar, network: AbstractNetwork, relaxation: AbstractRelaxation
) -> Communication:
    time = network.all_to_all_time(message.fullest, chips, relaxation)
    return Communication(time=time, sent=message.mean * (chips - 1) / chips)


def _splits_sequence(
    mixer: AbstractMixer | None, mapping: Mapping, relaxation: AbstractRelaxation
) -> Scalar:
    """1 where ranks hold parts of a sequence: beyond the KV heads, or by context parallelism.

    0 where nothing is kept of the tokens: a state divides over heads and channels instead.
    """
    heads = None if mixer is None else mixer.cache_heads()
    if heads is None:
        return 0.0
    within_heads = 1 - relaxation.exceeds(mapping.tp, heads)
    return 1 - within_heads * (1 - relaxation.exceeds(mapping.cp, 1.0))


class LayerCollectives(AbstractCollectives):
    """The collectives that the mapping needs, see `AbstractAttentionMapping`.

    A sum over a group after the mixer, and one after a dense block, of those that a layer has. In a
    mixture of experts dispatch and combine (all-to-all) take the place of the latter, but for the
    ranks that share one expert: the two halves of the former stand around them, tokens being
    scattered before and gathered after. Where every rank holds every token instead, the outputs of
    experts are summed. A shared expert that is split over ranks needs a sum of its own, which joins
    the one of the experts where there is one. Where a sequence is split, ranks gather queries
    before they attend; after it they merge weighted sums, packed together with their softmax
    statistics.

    Attributes:
        routing: How tokens fall on the ranks that hold experts.
    """

    routing: AbstractRouting = eqx.field(default_factory=RandomRouting)

    def routing_of(self) -> AbstractRouting:
        """As stated."""
        return self.routing

    def sharing(self, users: Scalar, mapping: Mapping, relaxation: AbstractRelaxation) -> Sharing:
        """As the mapping has it."""
        return stage_sharing(users, mapping, relaxation)

    def mixer_sharing(
        self, mixer: AbstractMixer, mapping: Mapping, relaxation: AbstractRelaxation
    ) -> MixerSharing:
        """As the mapping has it."""
        return mixer_sharing(mixer, mapping, relaxation)

    @override
    def layer(
        self,
        layers: Layers,
        tokens: Tokens,
        mapping: Mapping,
        network: AbstractNetwork,
        relaxation: AbstractRelaxation,
    ) -> Communication:
        place = (tokens, mapping, network, relaxation)
        reduced = self.reduction(*place)
        exchanged = Communication(time=0.0, sent=0.0)
        if layers.attention is not None:
            exchanged = exchanged + reduced + self._sequence(layers.attention, *place)
        if isinstance(layers.feedforward, AbstractMixture):
            return exchanged + self._experts(layers.feedforward, *place)
        return exchanged if layers.feedforward is None else exchanged + reduced

    @once
    @override
    def reduction(
        self,
        tokens: Tokens,
        mapping: Mapping,
        network: AbstractNetwork,
        relaxation: AbstractRelaxation,
    ) -> Communication:
        """A sum of the residual stream of its users over the fullest group."""
        sharing = self.sharing(tokens.batch, mapping, relaxation)
        message = _residual(tokens, sharing.users, sharing.copies)
        return _all_reduced(message, mapping.attention_ranks(), network, relaxation)

    def _sequence(
        self,
        mixer: AbstractMixer,
        tokens: Tokens,
        mapping: Mapping,
        network: AbstractNetwork,
        relaxation: AbstractRelaxation,
    ) -> Communication:
        """Queries and merge among the ranks that hold parts of the same sequence.

        Tokens of prompts are attended to in the same way, or by heads on ranks that gather the
        cache of earlier tokens, whichever is faster.
        """
        if mixer.cache_heads() is None:
            return Communication(time=0.0, sent=0.0)
        sharing = self.sharing(tokens.batch, mapping, relaxation)
        division = head_division(mixer, mapping, relaxation)
        parts = mapping.attention_ranks() / division.head_ranks
        heads = mixer.heads / division.head_ranks
        queries = heads * mixer.query_width() + mixer.index_query_width()
        sums = heads * (mixer.output_width() + MAXIMUM_AND_SUM)

        def own(all_groups: Scalar) -> Message:
            fullest = sharing.users / sharing.copies * all_groups
            return Message(fullest=fullest, mean=all_groups / sharing.copies)

        def merged(of_all: Callable[[Scalar], Scalar]) -> Communication:
            there = _all_to_all(own(of_all(queries)), parts, network, relaxation)
            return there + _all_to_all(own(of_all(sums)), parts, network, relaxation)

        exchanged = merged(tokens.message)
        if tokens.prompts is not None:
            past = mixer.cache(tokens.prompts.chunk.past, relaxation) / division.head_ranks
            cached = tokens.request.cache_bytes(tokens.prompts.count * past) / sharing.copies
            decoding = jnp.where(tokens.batch > 0, 1.0, 0.0)
            past_of_all = Message(fullest=cached, mean=cached)
            by_heads = merged(tokens.decode_message).scaled(decoding) + _all_to_all(
                past_of_all, parts, network, relaxation
            )
            exchanged = jax.tree.map(relaxation.minimum, exchanged, by_heads)
        return exchanged.scaled(division.sequence_split)

    def _experts(
        self,
        mixture: AbstractMixture,
        tokens: Tokens,
        mapping: Mapping,
        network: AbstractNetwork,
        relaxation: AbstractRelaxation,
    ) -> Communication:
        """Dispatch and combine, or a sum, and the sum of shared experts."""
        ranks, sharing = mapping.stage_chips(), self.sharing(tokens.batch, mapping, relaxation)
        width = mixture.routed_width(tokens.hidden)
        of_all = tokens.message(width * mixture.top_k)
        routed = Message(fullest=sharing.users * of_all / ranks, mean=of_all / ranks)
        there = _all_to_all(routed, mapping.ep, network, relaxation)
        back = _all_to_all(routed, mapping.ep, network, relaxation)
        share = relaxation.share(mixture.top_k / mapping.ep)
        part = tokens.message(width * share)
        within = _all_reduced(
            Message(fullest=part, mean=part), ranks / mapping.ep, network, relaxation
        )
        summed_apart = _residual(tokens, sharing.shared_users, sharing.shared_copies)
        shared = _all_reduced(summed_apart, mapping.shared_ranks(), network, relaxation)
        # Where no expert is spread, the outputs of shared ones join the sum of the others.
        apart = mixture.shared_blocks() * relaxation.exceeds(mapping.ep, 1.0)
        dispatched = there + back + within + shared.scaled(apart)
        reduction = mapping.attention.expert_reduction(ranks, relaxation)
        summed = self.reduction(tokens, mapping, network, relaxation)
        return dispatched.scaled(1 - reduction) + summed.scaled(reduction)


class TalkCollectives(AbstractCollectives):
    """The counts that reproduce the talk's tables.

    One collective for each part of a layer, one more in a mixture of experts, two more where the
    ranks exceed the KV heads. The counts were fitted to the system table together with the two
    latencies of `FittedLatency`; the slides print neither.
    """

    @override
    def layer(
        self,
        layers: Layers,
        tokens: Tokens,
        mapping: Mapping,
        network: AbstractNetwork,
        relaxation: AbstractRelaxation,
    ) -> Communication:
        each = _residual_reduced(tokens, mapping, network, relaxation)
        mixture = 1 if isinstance(layers.feedforward, AbstractMixture) else 0
        split = _splits_sequence(layers.attention, mapping, relaxation)
        return each.scaled(layers.parts() + mixture + 2 * split)


class CountedCollectives(AbstractCollectives):
    """So many collectives in every layer.

    Attributes:
        collectives: Collectives a layer.
    """

    collectives: Leaf = eqx.field(converter=as_leaf)

    @override
    def layer(
        self,
        layers: Layers,
        tokens: Tokens,
        mapping: Mapping,
        network: AbstractNetwork,
        relaxation: AbstractRelaxation,
    ) -> Communication:
        del layers
        each = _residual_reduced(tokens, mapping, network, relaxation)
        return each.scaled(self.collectives)
