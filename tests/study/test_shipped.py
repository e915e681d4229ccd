"""The studies that come with the package: each says why, and is proven in seconds."""

import pytest

from liminal_jax.optimization.search.certificate import bounded_problem_of, proven
from liminal_jax.study.bundled import study_class, study_names
from liminal_jax.study.file import PortfolioFile
from liminal_jax.study.portfolio import portfolio_of
from liminal_jax.study.questions import BUILDERS, load_question, load_study
from liminal_jax.study.read import problem_of

pytestmark = pytest.mark.slow

INFEASIBLE = {"ten-thousand-utps"}
LEAST_DESIGNS = 100_000_000


QUESTIONS = {name: load_question(name) for name in study_names()}
PORTFOLIOS = [name for name, it in QUESTIONS.items() if isinstance(it, PortfolioFile)]
OF_MEMBERS = [name for name, it in QUESTIONS.items() if type(it) in BUILDERS]


@pytest.mark.parametrize("name", sorted({*QUESTIONS} - {*PORTFOLIOS, *OF_MEMBERS}))
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


@pytest.mark.parametrize("name", OF_MEMBERS)
def test_a_shipped_study_of_many_members_is_large(name):
    file = QUESTIONS[name]
    assert file.name == name
    assert len(file.about.split()) > 30
    assert BUILDERS[type(file)](file).size > LEAST_DESIGNS
