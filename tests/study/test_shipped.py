"""The studies that come with the package: each says why, and is proven in seconds."""

import pytest

from liminal_jax.design.certify import ground_of, proven
from liminal_jax.study.file import load_study, study_names
from liminal_jax.study.problem import problem_of

INFEASIBLE = {"ten-thousand-utps"}
LEAST_DESIGNS = 100_000_000


@pytest.mark.parametrize("name", study_names())
def test_a_shipped_study_is_large_and_settled(name):
    file = load_study(name)
    assert file.name == name
    assert len(file.about.split()) > 30
    problem = problem_of(file)
    assert problem.lattice > LEAST_DESIGNS
    proof = proven(ground_of(problem), [])
    assert proof.tally.complete
    assert proof.tally.designs == problem.lattice
    assert proof.feasible == (name not in INFEASIBLE)
