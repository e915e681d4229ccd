"""Ranges without steps: the relaxed optimum, what it snaps to, and all whole numbers beside it."""

import numpy as np
import pytest

import liminal_jax as ll

LIMITS = (ll.at_least("utps", 100), ll.at_most("power", "8 kW"))
BANDWIDTH = "system.chip.memory.bandwidth"


def answer(**free):
    design = ll.Design(ll.load_system("h200"), ll.Mapping(tp=8))
    free = {BANDWIDTH if name == "bandwidth" else name: it for name, it in free.items()}
    space = ll.Space(design, {"tp": [1, 2, 4, 8], **free}, model="llama-3-8b")
    return ll.optimize(space, maximise="stps", limits=LIMITS)


@pytest.fixture(scope="module")
def found():
    return answer(batch=ll.between(1, 2000), bandwidth=ll.between("1 TB/s", "20 TB/s"))


@pytest.mark.slow
def test_it_is_the_best_of_all_whole_numbers_and_better_than_any_step(found):
    every = answer(batch=list(range(1, 2001)), bandwidth=["20 TB/s"])
    assert every.certificate.relative_gap == 0
    assert found.objective == pytest.approx(every.objective, rel=1e-9)
    assert found.values["batch"] == every.values["batch"]
    it = found.continuum
    assert found.objective > it.first
    assert it.first == pytest.approx(found.problem.objective(found.finding.proof.scores.max()))
    assert found.values["batch"] not in found.problem.variables[1].grid.values


def test_the_relaxed_optimum_satisfies_the_kkt_conditions(found):
    it = found.continuum
    assert it.kkt_residual < 1e-4
    assert {(at.name, at.end) for at in it.multipliers} == {(BANDWIDTH, "high"), ("utps", "limit")}
    assert all(at.value > 0 for at in it.multipliers)
    assert it.relaxed.values["batch"] != round(it.relaxed.values["batch"])
    assert it.relaxed_objective > found.objective


@pytest.mark.slow
def test_a_multiplier_is_what_its_limit_is_worth(found):
    """A limit on utps that is 2 % looser, against the multiplier times the logarithm of that."""
    (worth,) = (at.value for at in found.continuum.multipliers if at.name == "utps")
    space = ll.Space(
        ll.Design(ll.load_system("h200"), ll.Mapping(tp=8)),
        {"tp": [1, 2, 4, 8], "batch": ll.between(1, 2000), BANDWIDTH: ll.between(1e12, 20e12)},
        model="llama-3-8b",
    )
    looser = ll.optimize(
        space, maximise="stps", limits=[ll.at_least("utps", 98), ll.at_most("power", "8 kW")]
    )
    assert looser.continuum is not None
    gained = np.log(looser.continuum.relaxed_objective / found.continuum.relaxed_objective)
    assert gained == pytest.approx(worth * np.log(100 / 98), rel=0.05)


def test_it_says_what_was_relaxed_and_what_the_bound_speaks_of(found):
    assert found.certificate.method == "steps"
    assert found.continuum.whole == ("batch",)
    said = " ".join(found.reasons)
    assert "only whole numbers make sense of batch" in said
    assert "the bound speaks of these steps" in said
    record = found.to_dict()["continuum"]
    assert record["kkt_residual"] == found.continuum.kkt_residual
    assert record["multipliers"][0]["name"] == BANDWIDTH
    assert "between the steps of ranges" in found.report()


@pytest.mark.slow
def test_steps_that_are_stated_are_the_grid():
    stepped = answer(batch=ll.between(500, 1500, step=250), bandwidth=["20 TB/s"])
    listed = answer(batch=[500, 750, 1000, 1250, 1500], bandwidth=["20 TB/s"])
    assert stepped.values == listed.values
    assert stepped.certificate == listed.certificate
    assert stepped.continuum is None
    assert stepped.certificate.method == "bound"


@pytest.mark.slow
def test_a_file_states_a_range(tmp_path):
    study = """
    name = "ranges"
    about = "A range."
    [workload]
    model = "llama-3-8b"
    context = 8192
    weight_bits = 8
    kv_bits = 8
    [objective]
    maximise = "stps"
    [[constraints]]
    quantity = "utps"
    at_least = 100
    [design]
    system = "h200"
    chips = 8
    tp = { choices = [1, 2, 4, 8] }
    batch = { min = 1, max = 2000 }
    """
    path = tmp_path / "ranges.toml"
    path.write_text("\n".join(line.strip() for line in study.splitlines()))
    space, objective, limits = ll.load_study(str(path))
    found = ll.optimize(space, objective, limits=limits)
    assert found.continuum is not None
    assert found.continuum.ranges == ("batch",)
    assert found.objective >= found.continuum.first
    assert found.values["batch"] == round(found.values["batch"])
