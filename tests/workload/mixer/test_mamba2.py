"""Mamba-2: hand counts of its parameters, its state and a token."""

import pytest
from pydantic import ValidationError

from liminal_jax._smooth import Exact
from liminal_jax.workload.mixer.mamba2 import Mamba2Layer

EXACT = Exact()
SHAPE = {"heads": 4, "head_dim": 3, "state_dim": 5, "groups": 2, "kernel": 4}
TOY = Mamba2Layer(**SHAPE)


def test_parameters_by_hand():
    # gate 8 x 12; inputs and both vectors of two groups 8 x (12 + 10 + 10); time steps 8 x 4;
    # output 12 x 8; convolution 32 x 4
    assert TOY.matrices(8) == 96 + 256 + 32 + 96 + 128
    # decay, offset and skip of four heads; the norm; a bias for each convolved channel
    assert TOY.small_parameters(8, 1) == 3 * 4 + 12 + 32
    assert float(TOY.arrays().weights(8.0)) == TOY.matrices(8)


@pytest.mark.parametrize(
    ("change", "extra"),
    [({"convolution_bias": False}, -32), ({"projection_bias": True}, 12 + 32 + 4 + 8)],
)
def test_biases(change, extra):
    spec = Mamba2Layer(**SHAPE, **change)
    assert spec.small_parameters(8, 1) == TOY.small_parameters(8, 1) + extra
    assert spec.matrices(8) == TOY.matrices(8)


def test_a_token_by_hand():
    arrays = TOY.arrays()
    # four states of 3 x 5: decay 1, input 2, answer 2 operations an element
    assert float(arrays.work(1e6, EXACT)) == 4 * 15 * (1 + 2 + 2)
    # the states, and three earlier tokens of 32 channels
    assert TOY.state_elements() == float(arrays.state()) == 4 * 15 + 32 * 3
    assert arrays.cache(1e6, EXACT) == arrays.traffic(1e6, EXACT) == 0
    assert arrays.scores(1e6, EXACT) == arrays.index_cache(1e6, EXACT) == 0
    assert arrays.cache_heads() is None
    assert TOY.cache_elements() == TOY.growing_cache_elements() == TOY.index_elements() == 0


def test_heads_fill_groups_evenly():
    with pytest.raises(ValidationError, match=r"groups \(3\) must divide heads \(4\)"):
        Mamba2Layer(**{**SHAPE, "groups": 3})


def test_the_words():
    assert TOY.words() == "Mamba-2, 4/2 heads of 3x5"
