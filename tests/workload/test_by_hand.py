"""Models built in Python, from the names of the root, against counts by hand."""

import equinox as eqx
import jax
import pytest

import liminal_jax as ll
from liminal_jax.workload.model import model_of
from tests.performance.toys import LATENT_LAYER, TWO_LAYERS, toy_system

ATTENTION = ll.GroupedQuery(heads=4, kv_heads=2, head_dim=2)
SLIDING = ll.GroupedQuery(heads=4, kv_heads=2, head_dim=2, scope=ll.WindowScope(4))
EXPERTS = ll.Mixture(experts=4, top_k=2, intermediate=8, shared_intermediate=4)
# queries and outputs 8 x 8, keys and values 8 x 4
OF_ATTENTION = 2 * 64 + 2 * 32
REQUEST = ll.Request(context=10, attention_bits=8)


def dense(layers=3):
    return ll.Model(
        hidden=8,
        layers=(ll.Layers(layers, ATTENTION, ll.Dense(intermediate=16)),),
        tables=ll.Tables(vocabulary=100),
    )


def mixed(small=0, final=0):
    """A dense layer, and one with a window and experts."""
    return ll.Model(
        hidden=8,
        layers=(
            ll.Layers(1, ATTENTION, ll.Dense(intermediate=16), small=small),
            ll.Layers(1, SLIDING, EXPERTS, small=small),
        ),
        tables=ll.Tables(vocabulary=100, small=final),
    )


def predicted(model):
    design = ll.Design(toy_system(), ll.Mapping(tp=2), ll.Placement(), batch=2)
    return ll.predict(design, model, REQUEST)


def test_a_dense_model_by_hand():
    got = predicted(dense())
    layer = OF_ATTENTION + 3 * 8 * 16
    assert float(got.parameters_total) == 3 * layer + 2 * 800
    assert float(got.parameters_active) == 3 * layer + 800
    # a byte a weight; of two users 10 tokens of 2 x 2 heads of 2 in three layers
    assert float(got.memory_required) == 3 * layer + 1600 + 2 * 3 * 10 * 8


def test_a_mixture_by_hand():
    got = predicted(mixed())
    shared, expert = 8 * 4 + 3 * 8 * 4, 3 * 8 * 8
    layers = 2 * OF_ATTENTION + 3 * 8 * 16 + shared
    assert float(got.parameters_total) == layers + 4 * expert + 1600
    assert float(got.parameters_active) == layers + 2 * expert + 800
    # the window keeps 4 of 10 tokens
    assert float(got.memory_required) == layers + 4 * expert + 1600 + 2 * (10 + 4) * 8


def test_it_is_the_model_that_a_file_describes():
    """Two norms of 8 in a layer, and one before the head."""
    assert eqx.tree_equal(mixed(small=16, final=8), model_of(TWO_LAYERS))


def test_a_latent_layer_is_that_of_a_file():
    file = model_of(LATENT_LAYER)
    latent = ll.Latent(heads=2, q_rank=4, kv_rank=6, nope_dim=2, rope_dim=2, value_dim=4)
    block = ll.Dense(intermediate=4, matrices=2)
    model = ll.Model(
        hidden=8,
        layers=(ll.Layers(1, latent, block, small=file.layers[0].small),),
        tables=ll.Tables(vocabulary=10, embeddings=0, small=8),
    )
    assert eqx.tree_equal(model, file)


def test_experts_in_a_latent_space_have_a_router_too():
    given = {"experts": 4, "top_k": 2, "latent": 2, "intermediate": 8}
    # router 8 x 4, to the latent space and back 2 x 8 x 2
    assert float(ll.LatentMixture(**given).weights(8)) == 32 + 32
    assert float(ll.LatentMixture(**given, router_outputs=0).weights(8)) == 32
    assert float(ll.Mixture(4, 2, 8, router_outputs=0).weights(8)) == 0


@pytest.mark.slow
def test_its_numbers_are_leaves():
    def active(top_k):
        model = eqx.tree_at(lambda it: it.layers[1].feedforward.top_k, mixed(), top_k)
        return predicted(model).parameters_active

    # three matrices of an expert more
    assert float(jax.grad(active)(2.0)) == pytest.approx(3 * 8 * 8)
    assert "layers.1.feedforward      Mixture: experts 4, top_k 2" in str(mixed())
