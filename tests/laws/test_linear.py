"""The delta rule, compared with a step of it that is carried out."""

import numpy as np
import pytest

from liminal_jax.laws.linear import (
    convolution_state,
    convolution_weights,
    delta_rule_state,
    delta_rule_work,
    gated_delta_channels,
    gated_delta_weights,
    kimi_delta_weights,
)
from tests.laws.differences import assert_slopes


class Counted:
    """Arrays whose multiplications and additions on whole states are counted."""

    def __init__(self, rows: int, columns: int):
        self.state, self.work = np.ones((rows, columns)), 0

    def decay(self, factor: float) -> None:
        self.state, self.work = self.state * factor, self.work + self.state.size

    def answer(self, vector: np.ndarray) -> np.ndarray:
        self.work += 2 * self.state.size
        return self.state @ vector

    def add(self, left: np.ndarray, right: np.ndarray) -> None:
        self.work += 2 * self.state.size
        self.state = self.state + np.outer(left, right)


def test_work_is_that_of_the_steps_of_the_rule() -> None:
    key, value, head = np.full(4, 0.5), np.ones(6), Counted(rows=6, columns=4)
    before = head.state
    head.decay(0.9)
    held = head.answer(key)
    head.add(0.5 * (value - held), key)
    head.answer(key)
    rule = 0.9 * before @ (np.eye(4) - 0.5 * np.outer(key, key)) + 0.5 * np.outer(value, key)
    assert head.state == pytest.approx(rule)
    assert delta_rule_work(heads=3, key_dim=4, value_dim=6) == 3 * head.work
    assert delta_rule_state(heads=3, key_dim=4, value_dim=6) == 3 * head.state.size


def test_a_convolution_remembers_the_tokens_before_the_new_one() -> None:
    assert convolution_weights(channels=8192, kernel=4) == 32_768
    assert convolution_state(channels=8192, kernel=4) == 24_576
    assert convolution_state(channels=8192, kernel=1) == 0


def test_a_layer_of_qwen3_next() -> None:
    # hidden 2048, 16 key heads and 32 value heads of 128, a kernel of 4
    heads = {"key_heads": 16, "key_dim": 128, "value_heads": 32, "value_dim": 128}
    assert gated_delta_channels(**heads) == 8192
    projections = 2048 * (8192 + 4096) + 2048 * 2 * 32 + 4096 * 2048
    assert gated_delta_weights(hidden=2048, kernel=4, **heads) == projections + 4 * 8192


def test_a_layer_of_kimi_linear() -> None:
    # hidden 2304, 32 heads of 128: 4096 wide
    ranks = 2 * (2304 * 128 + 128 * 4096)
    weights = 4 * 2304 * 4096 + ranks + 2304 * 32 + 3 * 4096 * 4
    assert kimi_delta_weights(hidden=2304, heads=32, head_dim=128, kernel=4) == weights


@pytest.mark.parametrize(
    ("law", "at"),
    [
        (delta_rule_state, {"heads": 2.0, "key_dim": 3.0, "value_dim": 5.0}),
        (delta_rule_work, {"heads": 2.0, "key_dim": 3.0, "value_dim": 5.0}),
        (convolution_weights, {"channels": 10.0, "kernel": 4.0}),
        (convolution_state, {"channels": 10.0, "kernel": 4.0}),
        (
            gated_delta_weights,
            {
                "hidden": 10.0,
                "key_heads": 2.0,
                "key_dim": 3.0,
                "value_heads": 4.0,
                "value_dim": 5.0,
                "kernel": 4.0,
            },
        ),
        (kimi_delta_weights, {"hidden": 10.0, "heads": 2.0, "head_dim": 3.0, "kernel": 4.0}),
    ],
)
def test_more_of_anything_costs_more(law, at) -> None:
    assert min(assert_slopes(law, **at).values()) > 0
