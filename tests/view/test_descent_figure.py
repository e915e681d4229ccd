"""The figure of a search shows every start, the best of them, the snap, and the proof."""

import matplotlib as mpl
import numpy as np
import pytest

from liminal_jax.optimization.search.best_design import Method, find
from liminal_jax.view.descent_figure import descent_figure
from tests.optimization.small import SCHEDULE, small

mpl.use("Agg")


@pytest.mark.parametrize("method", Method)
def test_what_was_searched_is_drawn(method):
    finding = find(small("finished"), SCHEDULE, method=method)
    figure = descent_figure(finding)
    objective, proof = figure.axes[0], next(it for it in figure.axes if "proof" in it.get_title())
    if finding.gradients is not None:
        history = finding.gradients.ends.history
        drawn = [
            it.get_ydata() for it in objective.lines if len(it.get_ydata()) == len(history.score)
        ]
        assert len(drawn) == history.score.shape[1] + 1
        values = np.exp(-history.score[:, finding.gradients.ends.best()])
        np.testing.assert_allclose(drawn[-1], values)
    if method is Method.GRADIENTS:
        assert [it.get_text() for it in proof.texts] == ["no proof"]
        assert "not proven" in figure._suptitle.get_text()
    else:
        np.testing.assert_array_equal(proof.lines[0].get_ydata(), finding.closing.bound)
        assert "proven to be the best" in figure._suptitle.get_text()
    mpl.pyplot.close(figure)
