"""What a pool does for requests: pass prompts, decode, or decode one part of the model."""

import dataclasses
from abc import abstractmethod
from typing import NamedTuple

import equinox as eqx
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar, as_leaf, optional_leaf
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.hardware.network import AbstractPhysical
from liminal_jax.performance.crossing import cache_sent, tokens_sent
from liminal_jax.performance.design import Design
from liminal_jax.performance.prediction import Prediction
from liminal_jax.performance.predictor import Turns, predict, predict_prompts, predict_turns
from liminal_jax.study.case import Case
from liminal_jax.study.pools.requests import Pace, Requests
from liminal_jax.study.quantities import Fleet


class Load(NamedTuple):
    """What the rate of requests makes of a pool.

    Attributes:
        case: The pool, with as many instances as are bought.
        fleet: What is predicted of it.
        times: Its own times, by the names of totals [s].
        use: How far limits of the rate and the pace are used, by name: above 1 they are exceeded.
    """

    case: Case
    fleet: Fleet
    times: dict[str, Scalar]
    use: dict[str, Scalar]


class AbstractDuty(eqx.Module):
    """What a pool does."""

    @property
    @abstractmethod
    def limits(self) -> tuple[str, ...]:
        """Names of the limits of the rate and the pace."""

    @abstractmethod
    def load(
        self, case: Case, requests: Requests, pace: Pace, relaxation: AbstractRelaxation
    ) -> Load:
        """What the rate of requests makes of a pool.

        Args:
            case: The pool.
            requests: What is served.
            pace: At which pace.
            relaxation: How kinks are read.
        """


class Prefill(AbstractDuty):
    """It passes prompts, a micro-batch of them at a time, and sends their caches away.

    References:
        Zhong et al. (2024), DistServe, arXiv:2401.09670.
    """

    @property
    @override
    def limits(self) -> tuple[str, ...]:
        return ("requests", "cache_network")

    @override
    def load(
        self, case: Case, requests: Requests, pace: Pace, relaxation: AbstractRelaxation
    ) -> Load:
        design, laws = case.design(relaxation), case.laws(relaxation)
        instance = predict_prompts(design, case.model, case.request, requests.isl, laws)
        needed = pace.rate * requests.isl / instance.stps
        case, fleet = _bought(case, instance, needed, relaxation)
        caches = cache_sent(case.model, case.request, design.mapping, design.batch, laws)
        crossing = _network(design).crossing_time(caches, relaxation)
        sent = pace.rate / fleet.replicas / design.batch
        return Load(
            case,
            fleet,
            {"prefill_time": instance.step_time, "cache_out_time": crossing},
            {"requests": needed / fleet.replicas, "cache_network": sent * crossing},
        )


class Decode(AbstractDuty):
    """It decodes answers with the whole model.

    Attributes:
        prompt: Tokens whose cache arrives for each request; none where no pool passes prompts.
    """

    prompt: Leaf | None = eqx.field(converter=optional_leaf, default=None)

    @property
    @override
    def limits(self) -> tuple[str, ...]:
        return ("requests", *_arriving(self.prompt))

    @override
    def load(
        self, case: Case, requests: Requests, pace: Pace, relaxation: AbstractRelaxation
    ) -> Load:
        design, laws = case.design(relaxation), case.laws(relaxation)
        instance = predict(design, case.model, case.request, laws)
        needed = pace.rate * requests.later() / instance.stps
        case, fleet = _bought(case, instance, needed, relaxation)
        time = instance.step_time / instance.tokens_per_step
        arrival = _arrival(self.prompt, case, design, pace.rate / fleet.replicas, relaxation)
        return Load(
            case,
            fleet,
            {"decode_time": time, **arrival.times},
            {"requests": needed / fleet.replicas, **arrival.use},
        )


class Attention(AbstractDuty):
    """It decodes with the mixers, and takes turns with a pool that has the feed-forward blocks.

    Attributes:
        prompt: Tokens whose cache arrives for each request; none where no pool passes prompts.
        joints: Layers between whose parts tokens cross.
    """

    prompt: Leaf | None = eqx.field(converter=optional_leaf)
    joints: Leaf = eqx.field(converter=as_leaf)

    @property
    @override
    def limits(self) -> tuple[str, ...]:
        return (*_TURNS, *_arriving(self.prompt))

    @override
    def load(
        self, case: Case, requests: Requests, pace: Pace, relaxation: AbstractRelaxation
    ) -> Load:
        turn = _turn(case, requests, pace, self.joints, relaxation)
        rate = pace.rate / turn.fleet.replicas
        arrival = _arrival(self.prompt, turn.case, turn.design, rate, relaxation)
        times = {"attention_time": turn.busy, "tokens_out_time": turn.crossing}
        return Load(turn.case, turn.fleet, times | arrival.times, turn.use | arrival.use)


class Experts(AbstractDuty):
    """It decodes with the feed-forward blocks, and takes turns with a pool that has the mixers.

    Tokens cross once each way; the pool itself sends them on to the chips with their experts.

    Attributes:
        joints: Layers between whose parts tokens cross.
    """

    joints: Leaf = eqx.field(converter=as_leaf)

    @property
    @override
    def limits(self) -> tuple[str, ...]:
        return _TURNS

    @override
    def load(
        self, case: Case, requests: Requests, pace: Pace, relaxation: AbstractRelaxation
    ) -> Load:
        turn = _turn(case, requests, pace, self.joints, relaxation)
        times = {"experts_time": turn.busy, "tokens_in_time": turn.crossing}
        return Load(turn.case, turn.fleet, times, turn.use)


_TURNS = ("requests", "pace", "token_network")


class _Turn(NamedTuple):
    """What a pool with one part does.

    Attributes:
        case: The pool, with as many instances as are bought.
        design: One instance, with the users of one micro-batch.
        fleet: What is predicted of it.
        busy: Its own time for one micro-batch [s].
        crossing: Time of the messages of one micro-batch there and back, all layers [s].
        use: How far limits are used.
    """

    case: Case
    design: Design
    fleet: Fleet
    busy: Scalar
    crossing: Scalar
    use: dict[str, Scalar]


def _turn(
    case: Case, requests: Requests, pace: Pace, joints: Scalar, relaxation: AbstractRelaxation
) -> _Turn:
    laws = case.laws(relaxation)
    design = Design(
        case.built(relaxation), case.mapped(), case.placement, case.batch, case.algorithm
    )
    found: Turns = predict_turns(
        design, case.model, case.request, pace.micro_batches, pace.tpot, laws
    )
    # Little's law: so many users are in flight at the rate, each for its whole answer.
    needed = pace.rate * requests.later() / found.prediction.stps
    case, fleet = _bought(case, found.prediction, needed, relaxation)
    message = tokens_sent(case.model, case.request, design.mapping, design.batch, laws)
    once = joints * _network(design).crossing_time(message, relaxation)
    use = {
        "requests": needed / fleet.replicas,
        "pace": pace.micro_batches * found.busy / pace.tpot,
        "token_network": pace.micro_batches * once / pace.tpot,
    }
    return _Turn(case, design, fleet, found.busy, 2 * once, use)


class _Arrival(NamedTuple):
    """How caches of prompts arrive."""

    times: dict[str, Scalar]
    use: dict[str, Scalar]


def _arriving(prompt: Leaf | None) -> tuple[str, ...]:
    return () if prompt is None else ("cache_network",)


def _arrival(
    prompt: Leaf | None,
    case: Case,
    design: Design,
    rate: Scalar,
    relaxation: AbstractRelaxation,
) -> _Arrival:
    """How caches arrive at an instance at some rate [1/s].

    One of them arrives at the chips that share its user's attention. All chips are as busy.
    """
    if prompt is None:
        return _Arrival({}, {})
    laws = case.laws(relaxation)
    request = eqx.tree_at(lambda it: it.context, case.request, prompt)

    def crossing(users: Scalar) -> Scalar:
        held = cache_sent(case.model, request, design.mapping, users, laws)
        return _network(design).crossing_time(held, relaxation)

    share = rate / design.batch * crossing(design.batch)
    return _Arrival({"cache_in_time": crossing(as_leaf(1.0))}, {"cache_network": share})


def _bought(
    case: Case, instance: Prediction, needed: Scalar, relaxation: AbstractRelaxation
) -> tuple[Case, Fleet]:
    """The pool with as many instances as its chips make, or else as the rate needs."""
    if case.chips is None:
        # What is rounded up counts instances, of which there may be a part where sizes are free.
        whole = -relaxation.floor(-needed)
        case = dataclasses.replace(case, replicas=relaxation.maximum(whole, 1.0))
    return case, case.whole(instance, relaxation)


def _network(design: Design) -> AbstractPhysical:
    """What joins the instances.

    Raises:
        TypeError: nothing does.
    """
    network = design.system.network
    if not isinstance(network, AbstractPhysical):
        raise TypeError("no network joins the instances of this system")
    return network
