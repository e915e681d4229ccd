"""How attention is shared: what is copied, what divides, what degrees must suit, by hand."""

import jax
import jax.numpy as jnp
import pytest

import liminal_jax as ll
from liminal_jax._smooth import Exact
from liminal_jax.hardware.network import ScaleOut, Switched
from liminal_jax.mapping.attention import WeightedAttention
from liminal_jax.mapping.collectives import LayerCollectives, Tokens
from liminal_jax.mapping.sharing import head_division, mixer_sharing, stage_sharing
from liminal_jax.workload.feedforward.mixture import Mixture
from liminal_jax.workload.mixer.gated_delta import GatedDelta
from liminal_jax.workload.mixer.grouped_query import GroupedQuery
from liminal_jax.workload.mixer.latent import Latent
from liminal_jax.workload.model import Layers

EXACT = Exact()
GROUPED = GroupedQuery(heads=16, kv_heads=4, head_dim=2)
LATENT = Latent(heads=16, q_rank=4, kv_rank=6, nope_dim=2, rope_dim=2, value_dim=2)
LINEAR = GatedDelta(heads=4, key_heads=2, key_dim=2, value_dim=2, kernel=4)
QWEN = GroupedQuery(heads=28, kv_heads=4, head_dim=128)


@pytest.mark.parametrize(
    ("mixer", "tp", "ranks_per_chip", "copies"),
    [
        (GROUPED, 1, 1, 1),
        (GROUPED, 4, 1, 1),
        (GROUPED, 8, 1, 2),
        (GROUPED, 3, 1, 1.5),
        (GROUPED, 4, 2, 2),
        (LATENT, 8, 1, 8),
        (LINEAR, 8, 1, 1),
    ],
)
def test_ranks_hold_whole_heads_and_copies_beyond_them(mixer, tp, ranks_per_chip, copies):
    copied = ll.Mapping(tp=tp, attention=ll.CopiedHeads(ranks_per_chip=ranks_per_chip))
    assert float(mixer_sharing(mixer, copied, EXACT).cache_copies) == copies
    assert float(mixer_sharing(mixer, ll.Mapping(tp=tp), EXACT).cache_copies) == 1


@pytest.mark.parametrize(
    ("users", "attention", "copies", "fullest"),
    [
        (32, ll.DataParallel(), 8, 1),
        (3, ll.DataParallel(), 8, 8 / 3),  # three ranks have a user, five wait
        (9, ll.DataParallel(), 8, 16 / 9),
        (9, ll.CopiedHeads(4), 2, 10 / 9),
        (9, ll.SplitSequence(), 1, 1),
    ],
)
def test_groups_copy_weights_and_the_fullest_sets_the_pace(users, attention, copies, fullest):
    sharing = stage_sharing(users, ll.Mapping(tp=8, ep=8, attention=attention), EXACT)
    assert float(sharing.copies) == copies
    assert float(sharing.users) == pytest.approx(fullest, rel=1e-12)


def test_a_shared_expert_is_split_over_a_group_or_whole():
    over_group = ll.Mapping(tp=8, ep=8, attention=ll.CopiedHeads(4))
    whole = ll.Mapping(tp=8, ep=8, attention=ll.CopiedHeads(4), shared_expert_ranks=1)
    assert float(stage_sharing(8.0, over_group, EXACT).shared_copies) == 2
    assert float(stage_sharing(8.0, whole, EXACT).shared_copies) == 8
    assert float(stage_sharing(9.0, whole, EXACT).shared_users) == pytest.approx(16 / 9)


@pytest.mark.parametrize(
    ("tp", "heads", "kv_heads"),
    [(4, True, True), (7, True, False), (8, False, True), (14, True, False), (28, True, True)],
)
@pytest.mark.parametrize("attention", [ll.SplitSequence(), ll.CopiedHeads()])
def test_degrees_have_to_suit_28_heads_of_which_4_are_cached(tp, heads, kv_heads, attention):
    division = head_division(QWEN, ll.Mapping(tp=tp, attention=attention), EXACT)
    assert (float(division.head_demand) == 1) is heads
    assert (float(division.kv_demand) == 1) is kv_heads


@pytest.mark.parametrize(
    ("tp", "padding", "copies"),
    [
        (4, 1, 1),
        (8, 32 / 28, 2),  # four heads a rank, and two ranks a KV head
        (7, 1, 7 / 4 * 2),  # the four heads of a rank lie under two KV heads
    ],
)
def test_padded_heads_suit_any_degree_and_are_charged(tp, padding, copies):
    division = head_division(QWEN, ll.Mapping(tp=tp, attention=ll.PaddedHeads()), EXACT)
    assert (float(division.head_demand), float(division.kv_demand)) == (1, 1)
    assert float(division.head_padding) == pytest.approx(padding, rel=1e-12)
    assert float(division.cache_copies) == pytest.approx(copies, rel=1e-12)


def test_a_group_of_one_rank_is_data_parallel():
    """The degree between the mappings ends where data-parallel attention is."""
    model, request = ll.load_model("deepseek-v3"), ll.Request(context=4096)
    system = ll.load_system("h200")

    def times(attention):
        mapping = ll.Mapping(tp=32, ep=32, attention=attention)
        it = ll.predict(ll.Design(system, mapping, ll.Placement(), 96), model, request)
        return jnp.stack([it.compute_time, it.memory_time, it.exposed_time, it.memory_required])

    alone = times(ll.DataParallel())
    for groups_of_one in (ll.SplitSequence(1), ll.CopiedHeads(1)):
        assert jnp.allclose(times(groups_of_one), alone, rtol=1e-12)
    # DeepSeek's own decode shares attention among four: weights are read less often
    assert float(times(ll.CopiedHeads(4))[3]) < float(alone[3])


def test_a_weight_of_one_chooses_a_mapping():
    options = (ll.SplitSequence(), ll.CopiedHeads(), ll.DataParallel())
    for place, option in enumerate(options):
        chosen = WeightedAttention(jnp.eye(3)[place], options)
        for mixer in (GROUPED, LATENT):
            got = head_division(mixer, ll.Mapping(tp=8, attention=chosen), EXACT)
            want = head_division(mixer, ll.Mapping(tp=8, attention=option), EXACT)
            assert jax.tree.all(jax.tree.map(jnp.allclose, got, want))
        assert type(chosen.chosen()) is type(option)


NETWORK = Switched(
    domain=8,
    bandwidth=900e9,
    efficiency=0.65,
    latency=3e-6,
    scale_out=ScaleOut(bandwidth=50e9, latency=17e-6),
)
"""Eight B200."""


def _layer(mixer, block, users, attention, tp=8, ep=1):
    tokens = Tokens(batch=users, hidden=7168, request=ll.Request(context=32768))
    layers = Layers(count=1, attention=mixer, feedforward=block, norms=2, small=0)
    mapping = ll.Mapping(tp=tp, ep=ep, attention=attention)
    return LayerCollectives().layer(layers, tokens, mapping, NETWORK, EXACT)


def test_queries_of_all_heads_are_gathered():
    """32 us were measured for the gather alone, of which its volume explains 7; see vLLM's decode
    context parallelism on eight B200 with 32 users at 32K."""
    mla = Latent(heads=128, q_rank=1536, kv_rank=512, nope_dim=128, rope_dim=64, value_dim=128)
    split = _layer(mla, None, 32.0, ll.SplitSequence())
    copied = _layer(mla, None, 32.0, ll.CopiedHeads())
    reached = 0.65 * 900e9
    gather = 32 * 128 * (512 + 64) * 2 * 7 / 8 / reached
    merge = 32 * 128 * (512 + 2) * 2 * 7 / 8 / reached
    assert 6e-6 < gather < 8e-6
    assert gather + 3e-6 < 32e-6
    assert float(split.time - copied.time) == pytest.approx(gather + merge + 2 * 3e-6, rel=1e-9)


def test_data_parallel_attention_waits_for_experts_only():
    block = Mixture(
        experts=64,
        top_k=4,
        intermediate=8,
        shared_intermediate=8,
        matrices=3,
        biased=0,
        router_outputs=64,
    )
    apart = _layer(GROUPED, block, 16.0, ll.DataParallel(), ep=8)
    message = 16 / 8 * 4 * 7168 * 2 * 7 / 8 / (0.65 * 900e9)
    assert float(apart.time) == pytest.approx(2 * (3e-6 + message), rel=1e-9)
    together = _layer(GROUPED, block, 16.0, ll.SplitSequence(), ep=8)
    assert float(together.time) > float(apart.time)
    # An engine that splits heads sums twice and dispatches nothing.
    summed = _layer(GROUPED, None, 16.0, ll.CopiedHeads())
    both = _layer(GROUPED, block, 16.0, ll.CopiedHeads(), ep=8)
    assert float(both.time) == pytest.approx(2 * float(summed.time), rel=1e-9)
