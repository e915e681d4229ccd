"""Every study that ships is proven, and gradients alone come to a design as good as the best."""

import pytest

from liminal_jax.optimization.search.best_design import Method, find
from liminal_jax.study.bundled import study_class, study_names
from liminal_jax.study.file import StudyFile
from liminal_jax.study.questions import load_question
from liminal_jax.study.read import problem_of

CLOSE = 0.02
INFEASIBLE = {"ten-thousand-utps"}

SINGLE = [name for name in study_names() if type(load_question(name)) is StudyFile]


@pytest.mark.slow
@pytest.mark.parametrize("name", SINGLE)
def test_gradients_alone_come_close_to_the_proven_design(name):
    problem = problem_of(load_question(name))
    proven = find(problem, method=Method.BOUND)
    assert proven.certificate.complete == (study_class(name) == "proven")
    assert proven.certificate.lattice == problem.lattice
    assert proven.feasible == (name not in INFEASIBLE)
    found = find(problem, method=Method.GRADIENTS)
    assert found.feasible == proven.feasible
    if proven.feasible:
        assert found.objective == pytest.approx(proven.objective, rel=CLOSE)
        gained = (found.objective - proven.objective) * (1 if problem.maximises else -1)
        assert gained <= 1e-9 * abs(proven.objective)
