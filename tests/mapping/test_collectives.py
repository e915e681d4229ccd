"""Which collectives a layer needs: counted by a network whose every collective takes a second."""

import dataclasses

import equinox as eqx
import pytest

from liminal_jax._arrays import Scalar, as_leaf
from liminal_jax._smooth import AbstractRelaxation, Exact
from liminal_jax.hardware.fabric import Equipment
from liminal_jax.hardware.kernels import NONE, Kernels
from liminal_jax.hardware.network import AbstractNetwork
from liminal_jax.mapping.attention import DataParallel, SplitSequence
from liminal_jax.mapping.collectives import (
    AbstractCollectives,
    Communication,
    CountedCollectives,
    LayerCollectives,
    TalkCollectives,
    Tokens,
)
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.workload.feedforward.base import AbstractFeedForward
from liminal_jax.workload.feedforward.dense import Dense
from liminal_jax.workload.feedforward.mixture import Mixture
from liminal_jax.workload.mixer.base import AbstractMixer
from liminal_jax.workload.mixer.gated_delta import GatedDelta
from liminal_jax.workload.mixer.grouped_query import GroupedQuery
from liminal_jax.workload.mixer.latent import Latent
from liminal_jax.workload.model import Layers
from liminal_jax.workload.request import Request

EXACT = Exact()
GROUPED = GroupedQuery(heads=16, kv_heads=4, head_dim=2)
LATENT = Latent(heads=16, q_rank=4, kv_rank=6, nope_dim=2, rope_dim=2, value_dim=2)
LINEAR = GatedDelta(heads=4, key_heads=2, key_dim=2, value_dim=2, kernel=4)
DENSE = Dense(intermediate=4, matrices=3)
MIXTURE = Mixture(
    experts=8,
    top_k=2,
    intermediate=4,
    shared_intermediate=0,
    matrices=3,
    biased=0,
    router_outputs=8,
)
TOKENS = Tokens(batch=as_leaf(3.0), hidden=as_leaf(32.0), request=Request(context=8))


class OneSecond(AbstractNetwork):
    """A second for each collective among two chips or more, whatever its message."""

    kernels: Kernels = eqx.field(static=True, default=NONE)

    def all_reduce_time(
        self, message: Scalar, chips: Scalar, relaxation: AbstractRelaxation
    ) -> Scalar:
        del message
        return relaxation.exceeds(chips, 1.0)

    def all_to_all_time(
        self, message: Scalar, chips: Scalar, relaxation: AbstractRelaxation
    ) -> Scalar:
        del message
        return relaxation.exceeds(chips, 1.0)

    def send_time(self, message: Scalar, chips: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        del message, chips, relaxation
        return 1.0

    def equipment(self, chips: Scalar, relaxation: AbstractRelaxation) -> Equipment:
        del chips, relaxation
        return Equipment(links=0.0, switches=0.0, optics=0.0, scale_out=0.0)


def _layer(
    collectives: AbstractCollectives,
    attention: AbstractMixer | None,
    block: AbstractFeedForward | None,
    **degrees: int,
) -> Communication:
    layers = Layers(count=1, attention=attention, feedforward=block, norms=2, small=0)
    return collectives.layer(layers, TOKENS, Mapping(**degrees), OneSecond(), EXACT)


@pytest.mark.parametrize(
    ("attention", "block", "degrees", "collectives"),
    [
        (GROUPED, DENSE, {}, 0),
        (GROUPED, DENSE, {"tp": 4}, 2),
        (GROUPED, DENSE, {"tp": 8}, 4),  # beyond the KV heads: statistics and merge
        (GROUPED, DENSE, {"cp": 2}, 4),
        (LATENT, DENSE, {"tp": 2}, 4),  # one latent for all heads
        (GROUPED, MIXTURE, {"tp": 4}, 2),  # ranks share every expert: a sum, no dispatch
        (GROUPED, MIXTURE, {"tp": 4, "ep": 4}, 3),  # dispatch and combine, no sum
        (GROUPED, MIXTURE, {"tp": 4, "ep": 2}, 4),  # and a sum over pairs
        (LATENT, MIXTURE, {"tp": 4, "cp": 2, "ep": 8}, 5),
    ],
)
def test_collectives_of_a_layer(
    attention: AbstractMixer | None,
    block: AbstractFeedForward | None,
    degrees: dict[str, int],
    collectives: int,
) -> None:
    assert float(_layer(LayerCollectives(), attention, block, **degrees).time) == collectives


@pytest.mark.parametrize(
    ("attention", "block", "degrees", "collectives"),
    [
        (GROUPED, DENSE, {}, 0),
        (GROUPED, DENSE, {"tp": 4}, 2),
        (GROUPED, DENSE, {"tp": 5}, 4),
        (GROUPED, MIXTURE, {"tp": 4}, 3),
        (GROUPED, MIXTURE, {"tp": 8}, 5),
    ],
)
def test_collectives_that_the_talk_counts(
    attention: GroupedQuery, block: Dense | Mixture, degrees: dict[str, int], collectives: int
) -> None:
    assert float(_layer(TalkCollectives(), attention, block, **degrees).time) == collectives


def test_a_stated_number_of_collectives() -> None:
    assert float(_layer(CountedCollectives(3), GROUPED, MIXTURE, tp=8).time) == 3


def test_bytes_sent_by_one_chip() -> None:
    # residual 3 x 32 x 2 = 192 B; an all-reduce sends 2 x 3/4 of it
    assert float(_layer(LayerCollectives(), GROUPED, DENSE, tp=4).sent) == 2 * 288
    # four ranks dispatch and combine 192 x 2 / 4 B each, 3/4 of it to others
    assert float(_layer(LayerCollectives(), GROUPED, MIXTURE, tp=4, ep=4).sent) == 288 + 2 * 72
    # pairs hold parts of 4 heads: queries of 3 x 2 x 2 B a head, sums and 2 statistics of
    # 3 x (2 + 2) x 2 B, half of both sent
    assert float(_layer(LayerCollectives(), GROUPED, DENSE, tp=8).sent) == 2 * 336 + 24 + 48
    assert float(_layer(LayerCollectives(), GROUPED, DENSE).sent) == 0


def test_stages_pass_the_residual_on() -> None:
    collectives = LayerCollectives()
    one = collectives.pipeline(TOKENS, Mapping(tp=4), OneSecond(), EXACT)
    assert (float(one.time), float(one.sent)) == (0, 0)
    three = collectives.pipeline(TOKENS, Mapping(tp=4, pp=3), OneSecond(), EXACT)
    assert (float(three.time), float(three.sent)) == (3, 3 * 48)


def test_bytes_sent_are_those_of_the_mean_group() -> None:
    # three users over two groups of four ranks: two in the fullest, one and a half in the mean
    collectives, shared = LayerCollectives(), dataclasses.replace(MIXTURE, shared_intermediate=4.0)
    layers = Layers(count=1, attention=GROUPED, feedforward=shared, norms=2, small=0)
    groups = Mapping(tp=8, ep=8, attention=SplitSequence(4), shared_expert_ranks=2)
    # a sum of 96 B over four ranks, 48 B dispatched and combined over eight, a sum of 48 B over two
    sent = collectives.layer(layers, TOKENS, groups, OneSecond(), EXACT).sent
    assert float(sent) == 144 + 2 * 42 + 48
    # three users over four ranks, each with users of its own
    staged = Mapping(tp=4, pp=2, ep=4, attention=DataParallel())
    assert float(collectives.pipeline(TOKENS, staged, OneSecond(), EXACT).sent) == 2 * 48


@pytest.mark.parametrize(
    ("attention", "block", "degrees", "collectives"),
    [
        (LINEAR, DENSE, {"tp": 64}, 2),  # a state divides over channels: no sequence to split
        (LINEAR, DENSE, {"tp": 4, "cp": 2}, 2),
        (LINEAR, None, {"tp": 8}, 1),
        (GROUPED, None, {"tp": 4}, 1),
        (GROUPED, None, {"tp": 8}, 3),
        (None, DENSE, {"tp": 8}, 1),
        (None, MIXTURE, {"tp": 8, "ep": 8}, 2),
    ],
)
def test_states_and_layers_of_one_part(
    attention: AbstractMixer | None,
    block: AbstractFeedForward | None,
    degrees: dict[str, int],
    collectives: int,
) -> None:
    got = _layer(LayerCollectives(), attention, block, **degrees)
    assert float(got.time) == collectives


@pytest.mark.parametrize(
    ("attention", "block", "collectives"),
    [(LINEAR, DENSE, 2), (LINEAR, None, 1), (None, MIXTURE, 2), (GROUPED, None, 3)],
)
def test_the_talks_counts_for_layers_of_one_part(
    attention: AbstractMixer | None, block: AbstractFeedForward | None, collectives: int
) -> None:
    got = _layer(TalkCollectives(), attention, block, tp=8)
    assert float(got.time) == collectives
