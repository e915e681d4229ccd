"""What chips exchange in a layer, and how long they wait for it."""

from abc import abstractmethod

import equinox as eqx

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.hardware.network import AbstractNetwork
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.workload.feedforward.base import AbstractMixture
from liminal_jax.workload.mixer.base import AbstractMixer
from liminal_jax.workload.model import Layers
from liminal_jax.workload.request import Request

MAXIMUM_AND_SUM = 2
"""Softmax statistics that ranks holding parts of a sequence exchange for each head."""


class Exchanged(eqx.Module):
    """Time of some collectives, and the bytes that one chip sends in them.

    Attributes:
        time: Time exposed [s].
        sent: Bytes sent by one chip [B].
    """

    time: Leaf = eqx.field(converter=as_leaf)
    sent: Leaf = eqx.field(converter=as_leaf)

    def __add__(self, other: "Exchanged") -> "Exchanged":
        """One after the other."""
        return Exchanged(time=self.time + other.time, sent=self.sent + other.sent)

    def scaled(self, count: Scalar) -> "Exchanged":
        """So many of them."""
        return Exchanged(time=self.time * count, sent=self.sent * count)


class Tokens(eqx.Module):
    """The tokens of one micro-batch, as they travel between chips.

    Attributes:
        batch: Tokens, one for each user.
        hidden: Width of the residual stream.
        request: Precision of what is exchanged.
        streams: Residual streams, all of which pass from stage to stage.
    """

    batch: Leaf = eqx.field(converter=as_leaf)
    hidden: Leaf = eqx.field(converter=as_leaf)
    request: Request
    streams: Leaf = eqx.field(converter=as_leaf, default=1)

    def message(self, elements: Scalar) -> Scalar:
        """Bytes of so many elements a token [B]."""
        return self.request.message_bytes(self.batch * elements)


class AbstractExchange(eqx.Module):
    """Which collectives a layer needs."""

    @abstractmethod
    def layer(
        self,
        layers: Layers,
        tokens: Tokens,
        mapping: Mapping,
        network: AbstractNetwork,
        relaxation: AbstractRelaxation,
    ) -> Exchanged:
        """What one layer exchanges."""

    def served(self, batch: Scalar, mapping: Mapping) -> Scalar:
        """Users of a micro-batch that one scheduler serves."""
        del mapping
        return batch

    def weight_copies(self, mapping: Mapping) -> Scalar:
        """Ranks of a stage that read the same weights, those of routed experts apart."""
        del mapping
        return 1.0

    def cache_copies(
        self, mixer: AbstractMixer, mapping: Mapping, relaxation: AbstractRelaxation
    ) -> Scalar:
        """Cache that the fullest rank reads over an equal share of it."""
        del mixer, mapping, relaxation
        return 1.0

    def pipeline(
        self,
        tokens: Tokens,
        mapping: Mapping,
        network: AbstractNetwork,
        relaxation: AbstractRelaxation,
    ) -> Exchanged:
        """What passing through all stages exchanges: T_PP P, none for a single stage."""
        message = tokens.message(tokens.streams * tokens.hidden) / mapping.stage_chips()
        time = network.send_time(message, mapping.chips(), relaxation)
        staged = relaxation.exceeds(mapping.pp, 1.0) * mapping.pp
        return Exchanged(time=time, sent=message).scaled(staged)


def _all_reduced(
    message: Scalar, chips: Scalar, network: AbstractNetwork, relaxation: AbstractRelaxation
) -> Exchanged:
    time = network.all_reduce_time(message, chips, relaxation)
    return Exchanged(time=time, sent=2 * message * (chips - 1) / chips)


def _residual_reduced(
    tokens: Tokens, mapping: Mapping, network: AbstractNetwork, relaxation: AbstractRelaxation
) -> Exchanged:
    """One sum of the residual stream over all ranks of a stage."""
    residual = tokens.message(tokens.hidden)
    return _all_reduced(residual, mapping.stage_chips(), network, relaxation)


def _all_to_all(
    message: Scalar, chips: Scalar, network: AbstractNetwork, relaxation: AbstractRelaxation
) -> Exchanged:
    time = network.all_to_all_time(message, chips, relaxation)
    return Exchanged(time=time, sent=message * (chips - 1) / chips)


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


class LayerExchange(AbstractExchange):
    """The collectives that the mapping needs.

    An all-reduce after the mixer and one after the feed-forward block, of those that a layer has.
    Where experts are spread, dispatch and combine (all-to-all) take the place of the latter, but
    for the ranks that share one expert: the two halves of the former stand around them, tokens
    being scattered before and gathered after, and shared experts run where the tokens lie. Where
    a sequence is split, ranks exchange softmax statistics and merge their parts of the weighted
    sums.
    """

    def layer(
        self,
        layers: Layers,
        tokens: Tokens,
        mapping: Mapping,
        network: AbstractNetwork,
        relaxation: AbstractRelaxation,
    ) -> Exchanged:
        """See `AbstractExchange`."""
        place = (tokens, mapping, network, relaxation)
        residual = tokens.message(tokens.hidden)
        reduced = _all_reduced(residual, mapping.stage_chips(), network, relaxation)
        exchanged = Exchanged(time=0.0, sent=0.0)
        if layers.attention is not None:
            exchanged = exchanged + reduced + self._sequence(layers.attention, *place)
        if isinstance(layers.feedforward, AbstractMixture):
            return exchanged + self._experts(layers.feedforward, *place)
        return exchanged if layers.feedforward is None else exchanged + reduced

    def _sequence(
        self,
        mixer: AbstractMixer,
        tokens: Tokens,
        mapping: Mapping,
        network: AbstractNetwork,
        relaxation: AbstractRelaxation,
    ) -> Exchanged:
        """Statistics and merge among the ranks that hold parts of the same sequence."""
        cache_heads = mixer.cache_heads()
        if cache_heads is None:
            return Exchanged(time=0.0, sent=0.0)
        head_ranks = relaxation.fewest(mapping.tp, cache_heads)
        parts = mapping.stage_chips() / head_ranks
        heads = mixer.heads / head_ranks
        statistics = tokens.message(heads * MAXIMUM_AND_SUM)
        merge = tokens.message(heads * mixer.output_width())
        both = _all_to_all(statistics, parts, network, relaxation) + _all_to_all(
            merge, parts, network, relaxation
        )
        return both.scaled(_splits_sequence(mixer, mapping, relaxation))

    def _experts(
        self,
        mixture: AbstractMixture,
        tokens: Tokens,
        mapping: Mapping,
        network: AbstractNetwork,
        relaxation: AbstractRelaxation,
    ) -> Exchanged:
        """Dispatch and combine, and the sum over the ranks that share an expert."""
        ranks = mapping.stage_chips()
        width = mixture.routed_width(tokens.hidden)
        routed = tokens.message(width * mixture.top_k) / ranks
        there = _all_to_all(routed, mapping.ep, network, relaxation)
        back = _all_to_all(routed, mapping.ep, network, relaxation)
        share = relaxation.share(mixture.top_k / mapping.ep)
        within = _all_reduced(
            tokens.message(width * share), ranks / mapping.ep, network, relaxation
        )
        return there + back + within


class TalkExchange(AbstractExchange):
    """The counts that reproduce the talk's tables.

    One collective for each part of a layer, one more in a mixture of experts, two more where the
    ranks exceed the KV heads. The counts were fitted to the system table together with the two
    latencies of `FittedLatency`; the slides print neither.
    """

    def layer(
        self,
        layers: Layers,
        tokens: Tokens,
        mapping: Mapping,
        network: AbstractNetwork,
        relaxation: AbstractRelaxation,
    ) -> Exchanged:
        """See `AbstractExchange`."""
        each = _residual_reduced(tokens, mapping, network, relaxation)
        mixture = 1 if isinstance(layers.feedforward, AbstractMixture) else 0
        split = _splits_sequence(layers.attention, mapping, relaxation)
        return each.scaled(layers.parts() + mixture + 2 * split)


class CountedExchange(AbstractExchange):
    """So many collectives in every layer.

    Attributes:
        collectives: Collectives a layer.
    """

    collectives: Leaf = eqx.field(converter=as_leaf)

    def layer(
        self,
        layers: Layers,
        tokens: Tokens,
        mapping: Mapping,
        network: AbstractNetwork,
        relaxation: AbstractRelaxation,
    ) -> Exchanged:
        """See `AbstractExchange`."""
        del layers
        each = _residual_reduced(tokens, mapping, network, relaxation)
        return each.scaled(self.collectives)


class HeadsExchange(AbstractExchange):
    """The collectives of engines that split heads over all ranks, but never a sequence.

    An all-reduce after the mixer and one after the feed-forward block. Every rank holds every
    token, so spread experts need no dispatch. A rank holds whole KV heads, and where ranks exceed
    them a copy: of latents, which are one head, each rank reads all.

    Attributes:
        ranks_per_chip: Ranks on one chip, each with heads of its own.
    """

    ranks_per_chip: Leaf = eqx.field(converter=as_leaf, default=1)

    def cache_copies(
        self, mixer: AbstractMixer, mapping: Mapping, relaxation: AbstractRelaxation
    ) -> Scalar:
        """Whole heads are shared out, one at least to each rank."""
        heads = mixer.cache_heads()
        if heads is None:
            return 1.0
        ranks = mapping.stage_chips() * self.ranks_per_chip
        return relaxation.ceil(heads / ranks) * ranks / heads

    def layer(
        self,
        layers: Layers,
        tokens: Tokens,
        mapping: Mapping,
        network: AbstractNetwork,
        relaxation: AbstractRelaxation,
    ) -> Exchanged:
        """See `AbstractExchange`."""
        each = _residual_reduced(tokens, mapping, network, relaxation)
        return each.scaled(layers.parts())


class ReplicatedExchange(AbstractExchange):
    """The collectives where each rank attends to users of its own and only experts are spread.

    Engines call it data-parallel attention. Nothing is reduced after the mixer; tokens go to their
    experts and come back. All other weights, also of dense feed-forward blocks, are replicated.
    """

    def weight_copies(self, mapping: Mapping) -> Scalar:
        """Every rank has one."""
        return mapping.stage_chips()

    def served(self, batch: Scalar, mapping: Mapping) -> Scalar:
        """A rank's share of them: each has a scheduler of its own."""
        return batch / mapping.stage_chips()

    def layer(
        self,
        layers: Layers,
        tokens: Tokens,
        mapping: Mapping,
        network: AbstractNetwork,
        relaxation: AbstractRelaxation,
    ) -> Exchanged:
        """See `AbstractExchange`."""
        if not isinstance(layers.feedforward, AbstractMixture):
            return Exchanged(time=0.0, sent=0.0)
        mixture = layers.feedforward
        routed = tokens.message(mixture.routed_width(tokens.hidden) * mixture.top_k)
        routed = routed / mapping.stage_chips()
        return _all_to_all(routed, mapping.ep, network, relaxation).scaled(2.0)
