"""Experts in a latent space: hand counts of what is held, used, read and sent."""

import pytest
from pydantic import ValidationError

from liminal_jax.workload.feedforward.latent_experts import LatentMixtureOfExperts

SHAPE = {"experts": 8, "top_k": 2, "latent": 4, "intermediate": 5, "shared_intermediate": 6}
TOY = LatentMixtureOfExperts(gated=False, router_bias=True, **SHAPE)


def test_parameters_by_hand():
    # router 10 x 8; into the space and out of it 2 x 10 x 4; experts of two matrices of 4 x 5;
    # a shared expert of two matrices of 10 x 6
    assert TOY.matrices(10) == 80 + 80 + 8 * 2 * 20 + 2 * 60
    assert TOY.small_parameters(10) == 8
    assert TOY.skipped_parameters(10) == 6 * 2 * 20


def test_a_token_by_hand():
    arrays = TOY.arrays()
    assert float(arrays.weights(10.0)) == 80 + 80 + 120
    assert float(arrays.expert_weights(10.0)) == 8 * 40
    assert float(arrays.expert_weights_used(10.0)) == 2 * 40
    assert float(arrays.expert_weights_read(10.0, 1.0)) == pytest.approx(2 * 40)
    # two tokens of 2 of 8 experts meet 8 (1 - (6/8)^2) = 3.5 of them
    assert float(arrays.expert_weights_read(10.0, 2.0)) == pytest.approx(3.5 * 40)
    assert float(arrays.activations()) == 2 * 5 + 6
    assert float(arrays.routed_width(10.0)) == 4
    assert float(arrays.without_router().weights(10.0)) == 80 + 120


def test_gates_and_no_shared_expert():
    spec = LatentMixtureOfExperts(experts=8, top_k=2, latent=4, intermediate=5)
    assert spec.matrices(10) == 80 + 80 + 8 * 3 * 20
    assert spec.small_parameters(10) == 0
    assert spec.words() == "MoE 2/8 in 4, gated width 5"


def test_the_words():
    assert TOY.words() == "MoE 2/8+shared in 4, ungated width 5, shared width 6"


def test_a_token_uses_experts_that_exist():
    with pytest.raises(ValidationError, match=r"top_k \(9\) must not exceed experts \(8\)"):
        LatentMixtureOfExperts(**{**SHAPE, "top_k": 9})
