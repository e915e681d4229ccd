"""The answer to a problem of many members: its record and its page."""

import json

import jax
import pytest

import liminal_jax as ll
from liminal_jax._files import InputError
from liminal_jax.optimization.coupled.descent import STARTS
from liminal_jax.optimization.coupled.optimum import CoupledOptimum, optimize_coupled
from liminal_jax.results.page import Figure, Table, text_of
from tests.optimization.coupled.instances import best_by_enumeration, house

FEW_STEPS = STARTS._replace(starts=2, rounds=3)


def _optimum(**numbers) -> CoupledOptimum:
    with jax.enable_x64(True):
        return optimize_coupled(house(**numbers), schedule=FEW_STEPS)


@pytest.mark.slow
def test_the_record_holds_the_design_and_how_it_was_found():
    optimum = _optimum(seed=2, members=2, tight=0.4)
    record = json.loads(json.dumps(optimum.to_dict()))
    with jax.enable_x64(True):
        least = jax.numpy.exp(-best_by_enumeration(optimum.problem))
    assert record["objective"]["value"] == pytest.approx(float(least))
    assert record["certificate"]["relative_gap"] == pytest.approx(0.0, abs=1e-8)
    assert record["certificate"]["lattice"] == optimum.problem.size == 8 * 9**2 * 18
    assert [it["name"] for it in record["members"]] == ["layer-0", "layer-1", "head-0"]
    assert set(record["members"][2]) == {"name", "choice", "bits", "share"}
    assert record["design"].keys() == {"choice", "speed"}
    assert record["relaxed"]["starts"] == sum(record["relaxed"]["terminations"].values()) == 4
    assert record["relaxed"]["steps"] == 3 * STARTS.steps
    assert record["seconds"] == pytest.approx(sum(record["stages"].values()))


@pytest.mark.slow
def test_the_page_tells_what_each_member_chose():
    optimum = _optimum(seed=1, members=9, tight=0.4)
    told = optimum.report()
    assert "what each chose" in told
    assert "snapped to the grid" in told
    (chose,) = (it for it in optimum.page().sections if it.title == "what each chose")
    figure, rows = chose.parts
    assert isinstance(figure, Figure)
    assert isinstance(rows, Table)
    assert len(figure.traces) == len({"bits", "share"})
    # Runs of members that chose alike share a row; together the rows name all members.
    assert 1 < len(rows.rows) <= 10
    assert text_of(rows.rows[0][:1]).startswith("layer-0")


@pytest.mark.slow
def test_an_answer_that_nothing_meets_says_why():
    optimum = _optimum(seed=0, members=3, tight=-0.1)
    assert not optimum.feasible
    assert optimum.certificate.method == "bound"
    assert "no design meets every limit" in optimum.report()
    assert any(it.startswith("loss: at most 1 is asked") for it in optimum.reasons)


@pytest.mark.slow
def test_python_asks_for_the_best_of_a_problem_that_states_its_limits():
    with jax.enable_x64(True):
        problem = house(seed=1, members=2)
    assert ll.optimize(problem, seconds=60.0).feasible
    with pytest.raises(InputError, match="states what is best"):
        ll.optimize(problem, maximise="stps")


@pytest.mark.parametrize("method", ["gradients", "bound"])
def test_a_method_by_itself_is_refused_where_members_need_both(method):
    with jax.enable_x64(True):
        problem = house(seed=1, members=2)
    with pytest.raises(InputError, match=f"method: .*neither stands alone; .* got '{method}'"):
        ll.optimize(problem, method=method)
