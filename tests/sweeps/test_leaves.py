"""Numbers that a sweep can vary: which may be 0, and what is known there."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from liminal_jax._smooth import Exact
from liminal_jax.study.quantities import QUANTITIES
from liminal_jax.study.questions import load_study
from liminal_jax.study.read import problem_of
from liminal_jax.sweeps.leaves import changed, leaves_of
from liminal_jax.sweeps.plan import SweepSpec, sweep_plan
from tests.optimization.brute import study

DEGREES = {"chips": 16, "tp": 4, "cp": 2, "pp": 2, "ep": 4, "batch": 32}
DESIGNS = {
    "tiered": {
        **DEGREES,
        "memory": "hbm4",
        "stacks": 4,
        "dies": 2,
        "compute_area": "400 mm2",
        "sram": "128 MB",
        "link_bandwidth": "900 GB/s",
        "tier_units": 4,
    },
    "finished": {**DEGREES, "system": "b200"},
}
EXECUTION = {"execution": {"base": "planned-chip", "compute_share": 0.8}}


def problem_with(folder, base):
    path = study(folder, base, design=DESIGNS[base], assumptions=EXECUTION)
    return problem_of(load_study(str(path)))


@pytest.mark.slow
@pytest.mark.parametrize("base", DESIGNS)
def test_all_is_known_where_a_number_that_may_be_0_is_0(tmp_path, base):
    problem = problem_with(tmp_path, base)
    paths = {path: it.value for path, it in leaves_of(problem).items() if it.stated.least == 0}
    assert len(paths) > 30

    def quantities(zero):
        values = {
            path: jnp.where(zero == at, 0.0, value)
            for at, (path, value) in enumerate(paths.items())
        }
        fleet = changed(problem, values).fleet(Exact())
        return {name: it.of(fleet) for name, it in QUANTITIES.items()}

    got = jax.jit(jax.vmap(quantities))(jnp.arange(-1, len(paths)))
    for name, (as_is, *there) in got.items():
        if np.isfinite(as_is):
            unknown = [path for path, it in zip(paths, there, strict=True) if not np.isfinite(it)]
            assert not unknown, name


def test_numbers_that_divide_may_not_be_0_and_those_that_are_0_by_default_may(tmp_path):
    leaves = leaves_of(problem_with(tmp_path, "tiered"))
    for path in ("compute_share", "bandwidth_share"):
        assert leaves[f"execution.{path}"].stated.least is None
    for path in ("overlap_between_operators", "operation_time", "memory_reserve"):
        assert leaves[f"execution.{path}"].stated.least == 0


def test_attention_that_a_study_leaves_free_is_compiled_apart(tmp_path):
    choices = {"choices": ["data-parallel", "split-sequence"]}
    path = study(tmp_path, "finished", design={"attention": choices})
    plan = sweep_plan(load_study(str(path)), SweepSpec(), str(path))
    systems = {
        it["attention"]: type(at.problem.first().mapped().attention).__name__
        for it, at in zip(plan.choices, plan.cases, strict=True)
    }
    assert systems == {"split-sequence": "SplitSequence", "data-parallel": "DataParallel"}
    again = sweep_plan(
        load_study(str(path)), SweepSpec(axes=("attention=copied-heads",)), str(path)
    )
    assert {it["attention"] for it in again.choices} == {"copied-heads"}
