"""Classes of requests: weights, means, order, and counts by hand."""

import numpy as np
import pytest

from liminal_jax.data.traces import Trace, shipped_trace
from liminal_jax.study.requests.classes import classes_of


def _trace(prompts: list[float], answers: list[float], counts: list[float] | None = None) -> Trace:
    counts = [1.0] * len(prompts) if counts is None else counts
    return Trace(*(np.asarray(it, float) for it in (prompts, answers, counts)))


def test_one_class_is_the_mean_request() -> None:
    found = classes_of(_trace([100, 300], [10, 30]), 1)
    assert found.weights.tolist() == [1]
    assert found.prompts.tolist() == [200]
    assert found.answers.tolist() == [20]
    # 10 steps at 105 tokens and 30 at 315.
    assert found.contexts.tolist() == [(10 * 105 + 30 * 315) / 40]


def test_four_classes_are_quadrants() -> None:
    found = classes_of(_trace([1, 2, 100, 200], [5, 50, 50, 5]), 4)
    assert found.weights.tolist() == [0.25] * 4
    assert found.prompts.tolist() == [1, 2, 200, 100]
    assert found.answers.tolist() == [5, 50, 5, 50]


def test_a_row_that_counts_often_is_in_several_classes() -> None:
    found = classes_of(_trace([10, 20], [7, 9], [3, 1]), 2)
    assert found.weights.tolist() == [0.5, 0.5]
    assert found.prompts.tolist() == [10, 15]
    assert found.answers.tolist() == [7, 8]
    assert found.requests.counts.sum() == 4


def test_there_are_no_more_classes_than_different_requests() -> None:
    found = classes_of(_trace([10, 10, 30], [5, 5, 5]), 32)
    assert len(found.weights) == 2
    assert len(classes_of(_trace([1, 2, 3, 4, 5], [5, 4, 3, 2, 1]), 99).weights) == 5


@pytest.mark.parametrize("name", ["azure-code", "azure-conversation", "mooncake-conversation"])
@pytest.mark.parametrize("count", [1, 2, 7, 32, 256])
def test_classes_weigh_the_same_and_keep_all_tokens(name: str, count: int) -> None:
    trace = shipped_trace(name)
    found = classes_of(trace, count)
    np.testing.assert_allclose(found.weights, 1 / count, rtol=1e-9)
    shares = trace.counts / trace.counts.sum()
    assert found.weights @ found.prompts == pytest.approx(shares @ trace.prompts, rel=1e-9)
    assert found.mean_answer() == pytest.approx(shares @ trace.answers, rel=1e-9)
    steps = found.weights * found.answers
    assert steps @ found.contexts / steps.sum() == pytest.approx(trace.mean_context(), rel=1e-9)


def test_the_order_of_requests_does_not_matter() -> None:
    trace = shipped_trace("azure-code")
    order = np.random.default_rng(0).permutation(len(trace.counts))
    shuffled = Trace(*(it[order] for it in trace))
    for one, other in zip(classes_of(trace, 32)[:4], classes_of(shuffled, 32)[:4], strict=True):
        np.testing.assert_array_equal(one, other)


def test_more_classes_come_nearer_to_the_squares_of_prompts() -> None:
    trace = shipped_trace("mooncake-conversation")
    squares = [classes_of(trace, count).squares() for count in (1, 4, 32, 256)]
    assert squares == sorted(squares)
    assert squares[-1] > 0.9
