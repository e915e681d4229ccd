"""The figures of `python -m experiments.gradients` that do not depend on the machine."""

import pytest

from experiments import gradients

pytestmark = pytest.mark.slow


def test_value_and_gradient_of_a_hundred_numbers_take_at_most_three_times_the_value():
    found = gradients.ratio_of_many()
    assert found["numbers"] == 100
    assert found["ratio"] <= 3


def test_the_first_step_is_soon_done():
    """In seconds of the processor: a crowded machine takes longer."""
    assert gradients.first_step()["processor"] <= 4
