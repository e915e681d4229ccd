"""Experts in a space narrower than the residual stream."""

import pytest

from liminal_jax.laws.latent_experts import latent_projection_weights
from liminal_jax.laws.parameters import feed_forward_weights
from tests.laws.differences import assert_slopes


def test_two_matrices_between_the_stream_and_the_latent_space() -> None:
    assert latent_projection_weights(hidden=4096, latent=1024) == 8_388_608
    assert latent_projection_weights(hidden=4096, latent=0) == 0


def test_narrow_experts_save_more_than_the_projections_take() -> None:
    def experts(width: int) -> int:
        return 128 * feed_forward_weights(hidden=width, intermediate=512, matrices=2)

    assert latent_projection_weights(hidden=4096, latent=1024) + experts(1024) < experts(4096) / 3


def test_slopes() -> None:
    slopes = assert_slopes(latent_projection_weights, hidden=10.0, latent=4.0)
    assert slopes == pytest.approx({"hidden": 8, "latent": 20})
