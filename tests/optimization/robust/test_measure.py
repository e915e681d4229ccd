"""What counts over many futures, against plain sums and sorted lists."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from liminal_jax.optimization.robust.measure import (
    Mean,
    Quantile,
    Worst,
    harrell_davis,
    measure_of,
)

MEASURES = [Mean(), Worst(), Quantile(0.1), Quantile(0.5)]
OBJECTIVES = np.random.default_rng(0).lognormal(size=(64, 5))


@pytest.mark.parametrize("maximise", [True, False])
def test_measures_are_those_of_the_objective(maximise):
    sign = 1 if maximise else -1
    scores = sign * np.log(OBJECTIVES)
    ordered = np.sort(OBJECTIVES, axis=0)[:: 1 if maximise else -1]

    def found(measure):
        return np.exp(sign * measure.of(scores, maximise))

    np.testing.assert_allclose(found(Mean()), OBJECTIVES.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found(Worst()), ordered[0], rtol=1e-12)
    np.testing.assert_allclose(found(Quantile(0.1)), ordered[6], rtol=1e-12)
    np.testing.assert_allclose(found(Quantile(0.5)), ordered[31], rtol=1e-12)


@pytest.mark.parametrize("measure", MEASURES, ids=lambda it: it.name)
@pytest.mark.parametrize("maximise", [True, False])
def test_no_measure_is_below_the_worst_and_one_sample_is_its_own(measure, maximise):
    scores = np.log(OBJECTIVES)
    assert np.all(measure.of(scores, maximise) >= Worst().of(scores, maximise))
    np.testing.assert_allclose(measure.of(scores[:1], maximise), scores[0], atol=1e-12)
    one = measure.smooth(jnp.asarray(scores[:1, 0]), maximise, 0.5)
    assert float(one) == pytest.approx(scores[0, 0], rel=1e-6)


def test_the_middle_of_a_symmetric_spread_is_its_centre():
    scores = 3.0 + np.linspace(-1, 1, 65) ** 3
    assert Quantile(0.5).of(scores[:, None], True).tolist() == [3.0]
    smooth = Quantile(0.5).smooth(jnp.asarray(scores), True, 0.1)
    assert float(smooth) == pytest.approx(3.0, abs=1e-5)


@pytest.mark.parametrize("measure", MEASURES, ids=lambda it: it.name)
def test_a_smooth_measure_tends_to_the_exact_one_and_all_gradients_rise(measure):
    with jax.enable_x64(True):
        scores = jnp.asarray(np.log(OBJECTIVES[:, 0]))
        exact = float(measure.of(np.asarray(scores)[:, None], True)[0])
        value, slopes = jax.value_and_grad(lambda it: measure.smooth(it, True, 1e-4))(scores)
    assert float(value) == pytest.approx(exact, abs=0.15 if isinstance(measure, Quantile) else 1e-3)
    assert np.all(np.asarray(slopes) >= 0)
    assert float(jnp.sum(slopes)) == pytest.approx(1.0, abs=1e-9)


def test_weights_of_a_quantile_are_those_of_its_paper():
    """For three values and the median the weights are 7/27, 13/27 and 7/27: a beta(2, 2)."""
    with jax.enable_x64(True):
        slopes = jax.grad(lambda it: harrell_davis(it, 0.5))(jnp.array([1.0, 2.0, 4.0]))
    np.testing.assert_allclose(slopes, np.array([7, 13, 7]) / 27, rtol=1e-9)


def test_nothing_that_cannot_be_evaluated_is_better_than_what_can():
    scores = np.array([[0.0, -np.inf], [1.0, 1.0]])
    for measure in MEASURES:
        for maximise in (True, False):
            known, unknown = measure.of(scores, maximise)
            assert unknown < known


@pytest.mark.parametrize("words", ["", "median", "quantile", "quantile:0", "quantile:1", "mean:1"])
def test_words_that_name_no_measure(words):
    with pytest.raises(ValueError, match="mean, worst or quantile:SHARE"):
        measure_of(words)


@pytest.mark.parametrize("measure", MEASURES, ids=lambda it: it.name)
def test_words_name_a_measure(measure):
    assert measure_of(measure.name) == measure
