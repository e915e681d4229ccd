"""The studies that come with the package: each says why, and is large."""

import pytest

from liminal_jax.study.bundled import study_names
from liminal_jax.study.file import PortfolioFile
from liminal_jax.study.portfolio import portfolio_of
from liminal_jax.study.questions import BUILDERS, load_question, load_study
from liminal_jax.study.read import problem_of

pytestmark = pytest.mark.slow

LEAST_DESIGNS = 100_000_000


QUESTIONS = {name: load_question(name) for name in study_names()}
PORTFOLIOS = [name for name, it in QUESTIONS.items() if isinstance(it, PortfolioFile)]
OF_MEMBERS = [name for name, it in QUESTIONS.items() if type(it) in BUILDERS]


@pytest.mark.parametrize("name", sorted({*QUESTIONS} - {*PORTFOLIOS, *OF_MEMBERS}))
def test_a_shipped_study_is_large(name):
    file = load_study(name)
    assert file.name == name
    assert len(file.about.split()) > 30
    assert problem_of(file).lattice > LEAST_DESIGNS


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
