"""Hyper-connections: several residual streams, in the counts and in the predictor's parts."""

import pytest

from liminal_jax._smooth import Exact
from liminal_jax.performance.memory_footprint import parameters_active, parameters_total
from liminal_jax.performance.operators import layer_operators
from liminal_jax.workload.counts import connection_matrices, counts, final_small_parameters
from liminal_jax.workload.feedforward.dense import DenseFeedForward
from liminal_jax.workload.mixer.grouped_query import GroupedQueryAttention
from liminal_jax.workload.model import model_of
from liminal_jax.workload.request import Request
from liminal_jax.workload.spec import LayerGroup, ModelSpec
from liminal_jax.workload.talk import talk_model

LAYER = LayerGroup(
    count=2,
    attention=GroupedQueryAttention(heads=4, kv_heads=2, head_dim=3),
    feedforward=DenseFeedForward(intermediate=5),
)


def toy(streams: int) -> ModelSpec:
    return ModelSpec(
        name="toy", source="hand", hidden=10, vocabulary=7, layers=(LAYER,), streams=streams
    )


def test_parameters_by_hand():
    one, two = toy(1), toy(2)
    # 2 + 2 + 4 coefficients from 20 numbers each, around mixer and block
    assert connection_matrices(two, LAYER) == 2 * 8 * 20
    assert connection_matrices(one, LAYER) == 0
    # norm; 2 coefficients from 20 numbers each, with an offset each and a scale
    assert final_small_parameters(two) == 10 + 40 + 2 + 1
    more = 2 * (320 + 2 * (8 + 3)) + 43
    assert counts(two).total == counts(one).total + more
    assert counts(two).active == counts(one).active + more


@pytest.mark.parametrize("streams", [1, 2, 4])
def test_arrays_and_counts_agree(streams):
    spec = toy(streams)
    assert float(parameters_total(model_of(spec))) == counts(spec).total
    active = counts(spec).active_without_input_embedding
    assert float(parameters_active(model_of(spec))) == active


def test_work_by_hand():
    matrix, scalar = [], []
    for streams in (1, 2):
        model = model_of(toy(streams))
        first, *_ = layer_operators(model, Request(context=8), 3.0, Exact())
        matrix.append(float(first.matrix))
        scalar.append(float(first.scalar))
    # two layers, three tokens: 2 operations a weight; joining, splitting, mixing 8 x 10 twice
    assert matrix[1] - matrix[0] == 2 * 3 * 2 * 320
    assert scalar[1] - scalar[0] == 2 * 3 * 2 * (2 * 8 * 10)


def test_streams_of_a_model():
    assert float(model_of(toy(1)).streams()) == 1
    assert float(model_of(toy(4)).streams()) == 4
    assert float(talk_model(model_of(toy(4))).streams()) == 1
