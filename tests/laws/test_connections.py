"""Hyper-connections, compared with the arrays that they mix."""

import numpy as np
import pytest

from liminal_jax.laws.connections import (
    hyper_connection_coefficients,
    hyper_connection_weights,
    hyper_connection_work,
    stream_join_weights,
)
from tests.laws.differences import assert_slopes


@pytest.mark.parametrize("streams", [1, 4])
def test_coefficients_are_those_of_two_vectors_and_a_square_matrix(streams: int) -> None:
    join, split, mix = np.ones(streams), np.ones(streams), np.ones((streams, streams))
    coefficients = join.size + split.size + mix.size
    assert hyper_connection_coefficients(streams=streams) == coefficients
    # All are computed from all streams, each hidden wide.
    matrix = np.ones((coefficients, streams * 16))
    assert hyper_connection_weights(hidden=16, streams=streams) == matrix.size


def test_each_coefficient_multiplies_and_adds_a_stream() -> None:
    assert hyper_connection_work(hidden=7168, streams=4) == 2 * (4 + 4 + 16) * 7168


def test_a_join_computes_one_weight_for_each_stream() -> None:
    assert stream_join_weights(hidden=7168, streams=4) == np.ones((4, 4 * 7168)).size


def test_slopes() -> None:
    for law in (hyper_connection_weights, hyper_connection_work, stream_join_weights):
        assert min(assert_slopes(law, hidden=10.0, streams=3.0).values()) > 0
    assert assert_slopes(hyper_connection_coefficients, streams=3.0) == {"streams": 8}
