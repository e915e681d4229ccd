"""Mamba-2, compared with a step of it that is carried out, and a published layer."""

import numpy as np
import pytest

from liminal_jax.laws.state_space import (
    state_space_channels,
    state_space_state,
    state_space_weights,
    state_space_work,
)
from tests.laws.differences import assert_slopes


def test_work_is_that_of_decay_input_and_answer() -> None:
    state, work = np.ones((3, 5)), 0
    state, work = 0.9 * state, work + state.size
    state, work = state + np.outer(np.ones(3), np.ones(5)), work + 2 * state.size
    answer, work = state @ np.ones(5), work + 2 * state.size
    assert answer.shape == (3,)
    assert state_space_state(heads=2, head_dim=3, state_dim=5) == 2 * state.size
    assert state_space_work(heads=2, head_dim=3, state_dim=5) == 2 * work


def test_a_published_layer() -> None:
    # Nemotron 3 Nano: hidden 2688, 64 heads of 64, 8 groups, states of 128, a kernel of 4
    shape = {"heads": 64, "head_dim": 64, "groups": 8, "state_dim": 128}
    assert state_space_channels(**shape) == 4096 + 2 * 8 * 128
    inputs, output = 2688 * (4096 + 6144 + 64), 4096 * 2688
    weights = state_space_weights(hidden=2688, kernel=4, **shape)
    assert weights == inputs + output + 6144 * 4


def test_states_do_not_depend_on_groups_and_weights_grow_with_them() -> None:
    rest = {"hidden": 10, "heads": 4, "head_dim": 3, "state_dim": 5, "kernel": 4}
    # One more group is one more key and query: 2 x 5 channels of 10 inputs and 4 tokens
    more = state_space_weights(groups=3, **rest) - state_space_weights(groups=2, **rest)
    assert more == 2 * 5 * (10 + 4)


@pytest.mark.parametrize(
    ("law", "at"),
    [
        (state_space_state, {"heads": 2.0, "head_dim": 3.0, "state_dim": 5.0}),
        (state_space_work, {"heads": 2.0, "head_dim": 3.0, "state_dim": 5.0}),
        (
            state_space_weights,
            {
                "hidden": 10.0,
                "heads": 4.0,
                "head_dim": 3.0,
                "groups": 2.0,
                "state_dim": 5.0,
                "kernel": 4.0,
            },
        ),
    ],
)
def test_more_of_anything_costs_more(law, at) -> None:
    assert min(assert_slopes(law, **at).values()) > 0
