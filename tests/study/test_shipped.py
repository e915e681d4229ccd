"""The studies that come with the package: each says why, and is proven in seconds."""

import pytest

from liminal_jax.optimization.search.certificate import bounded_problem_of, proven
from liminal_jax.study.bundled import study_class, study_names
from liminal_jax.study.file import StudyFile
from liminal_jax.study.portfolio import portfolio_of
from liminal_jax.study.questions import load_question, load_study
from liminal_jax.study.read import problem_of

pytestmark = pytest.mark.slow

INFEASIBLE = {"ten-thousand-utps"}
LEAST_DESIGNS = 100_000_000


PORTFOLIOS = [name for name in study_names() if not isinstance(load_question(name), StudyFile)]


@pytest.mark.parametrize("name", sorted(set(study_names()) - set(PORTFOLIOS)))
def test_a_shipped_study_is_large_and_settled(name):
    file = load_study(name)
    assert file.name == name
    assert len(file.about.split()) > 30
    problem = problem_of(file)
    assert problem.lattice > LEAST_DESIGNS
    proof = proven(bounded_problem_of(problem), [])
    assert proof.statistics.complete == (study_class(name) == "proven")
    assert proof.statistics.designs == problem.lattice
    assert proof.feasible == (name not in INFEASIBLE)


@pytest.mark.parametrize("name", PORTFOLIOS)
def test_a_shipped_portfolio_is_large(name):
    file = load_question(name)
    assert file.name == name
    assert len(file.about.split()) > 30
    portfolio = portfolio_of(file)
    assert portfolio.lattice * portfolio.mappings > LEAST_DESIGNS
