"""Whole requests as what a study is about: quantities, limits, proofs, files and sweeps."""

import itertools
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import liminal_jax as ll
from experiments.listed import in_numpy
from liminal_jax._files import InputError
from liminal_jax._smooth import Exact
from liminal_jax.cli.main import main
from liminal_jax.optimization.optimum import problems_of
from liminal_jax.study.file import design_of, study_of
from liminal_jax.study.quantities import QUANTITIES, REQUESTS
from liminal_jax.study.read import problem_of

ISL, OSL = 8192.0, 1024.0
H200 = ll.load_system("h200")
FREE = {
    "tp": [1, 2, 4],
    "batch": [1, 8, 64, 256],
    "request.isl": [1024, 8192],
    "request.prefix_hit_rate": [0.0, 0.9],
}


def space(free=None, **request):
    given = {"context": 1.0, "isl": ISL, "osl": OSL, **request}
    free = {"batch": 32} if free is None else free
    design = ll.Design(H200, ll.Mapping(tp=2))
    return ll.Space(design, free, model="llama-3-8b", request=ll.Request(**given))


def fleet_of(asked):
    (problem,), _ = problems_of(asked, [("stps", True)], ())
    return in_numpy(lambda it: it.fleet(Exact()))(problem.first())


@pytest.mark.slow
def test_a_system_serves_as_its_instances_by_continuous_batching():
    fleet = fleet_of(space({"batch": 32, "replicas": 3}, prefix_hit_rate=0.25))
    lengths = ll.Lengths(ISL, OSL, prefix_hit_rate=0.25)
    design = ll.Design(H200, ll.Mapping(tp=2), batch=32)
    request = ll.Request(context=lengths.mean_context())
    it = in_numpy(ll.serve)(design, ll.load_model("llama-3-8b"), request, lengths).continuous
    for name in ("ttft", "tpot", "e2e", "usd_per_million_tokens", "energy_per_token"):
        assert float(getattr(fleet, name)) == pytest.approx(float(getattr(it, name)), rel=1e-12)
    rate = float(it.tokens_per_second_per_chip)
    assert float(fleet.stps_per_chip) == pytest.approx(rate, rel=1e-12)
    assert float(fleet.stps) == pytest.approx(6 * rate, rel=1e-12)
    assert float(fleet.utps) == pytest.approx(1 / float(it.tpot), rel=1e-12)
    # 96 requests at once; each has its prompt, then 1,023 later tokens.
    assert float(fleet.stps) == pytest.approx(96 * OSL / (1023 * float(it.tpot)), rel=1e-12)
    spent = float(fleet.power * H200.facility.pue) / float(fleet.stps)
    assert float(fleet.energy_per_token) == pytest.approx(spent, rel=1e-12)
    assert float(fleet.stps_per_watt * fleet.power) == pytest.approx(float(fleet.stps))
    decode = float(fleet.instance.stps) * 3
    assert float(fleet.stps) < decode
    share = 1 - float(fleet.stps) * 1023 / OSL / decode
    assert float(fleet.prefill_share) == pytest.approx(share, rel=1e-9)


@pytest.mark.slow
def test_long_answers_to_cached_prompts_are_decode_alone():
    served = fleet_of(space(osl=1e7, prefix_hit_rate=1.0))
    context = ISL + 1e7 / 2
    alone = fleet_of(space(context=context, isl=None, osl=None))
    for name in ("stps", "utps", "power", "usd_per_million_tokens", "energy_per_token"):
        here, there = float(getattr(served, name)), float(getattr(alone, name))
        assert here == pytest.approx(there, rel=1e-4), name


@pytest.mark.slow
def test_decode_alone_knows_no_request():
    fleet = fleet_of(space(isl=None, osl=None))
    assert fleet.served is None
    for name in REQUESTS:
        assert np.isnan(float(QUANTITIES[name].of(fleet)))
    with pytest.raises(InputError, match="ttft is of whole requests: state isl and osl"):
        ll.optimize(space({"batch": [1, 2]}, isl=None, osl=None), minimise="ttft")
    limits = [ll.at_most("e2e", "2 s")]
    with pytest.raises(InputError, match="e2e is of whole requests"):
        ll.optimize(space({"batch": [1, 2]}, isl=None, osl=None), maximise="stps", limits=limits)


@pytest.mark.parametrize("missing", ["isl", "osl"])
def test_both_lengths_are_stated(missing):
    with pytest.raises(InputError, match=f"request.{missing}: is required"):
        ll.optimize(space({"batch": [1, 2]}, **{missing: None}), maximise="stps")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "limits"),
    [
        ({"maximise": "stps_per_chip"}, [("ttft", "500 ms"), ("tpot", "10 ms")]),
        ({"minimise": "usd_per_million_tokens"}, [("e2e", "15 s")]),
        ({"minimise": "ttft"}, [("power", "5 kW")]),
    ],
)
def test_a_proof_is_what_enumeration_finds(asked, limits):
    bounds = [ll.at_most(*it) for it in limits] + [ll.at_least("stps", 500)]
    there = space(FREE, prefix_hit_rate=0.0)
    best = ll.optimize(there, limits=bounds, method="bound", **asked)
    assert best.certificate.complete
    assert best.certificate.relative_gap == pytest.approx(0.0, abs=1e-9)
    problem = best.problem
    points = itertools.product(*(it.grid.values for it in problem.variables))
    at = jnp.asarray(list(points), float)
    outcomes = in_numpy(jax.vmap(lambda it: problem.outcome(it, jnp.asarray(0), Exact())))(at)
    feasible = np.all(np.asarray(outcomes.violation) <= 1e-9, axis=1)
    assert 0 < feasible.sum() < len(feasible)
    scores = np.where(feasible, np.asarray(outcomes.score), -np.inf)
    assert problem.objective(float(scores.max())) == pytest.approx(best.objective, rel=1e-9)


WORKLOAD = {"model": "llama-3-8b", "isl": ISL, "osl": OSL}
DESIGN = {"system": "h200", "tp": 2, "batch": {"choices": [1, 8, 64]}}


def study(workload=WORKLOAD, asked="ttft", **design):
    tables = {
        "name": "toy",
        "workload": workload,
        "design": {**DESIGN, **design},
        "objective": {"maximise": "stps"},
        "constraints": [{"quantity": asked, "at_most": "2 s"}],
    }
    return study_of(tables, "toy.toml")


def test_a_file_states_lengths():
    file = study({**WORKLOAD, "prefix_hit_rate": 0.5})
    assert file.workload.context == ISL + OSL / 2
    lengths = problem_of(file).first().lengths
    assert lengths is not None
    assert (float(lengths.isl), float(lengths.osl)) == (ISL, OSL)
    assert float(lengths.prefill()) == ISL - 0.5 * (ISL - 1)
    free = study(numbers={"request.isl": [1024, 2048]})
    assert [it.path for it in problem_of(free).variables] == ["batch", "request.isl"]


@pytest.mark.parametrize(
    ("workload", "message"),
    [
        ({"model": "llama-3-8b", "isl": 1.0}, "isl and osl go together"),
        ({**WORKLOAD, "context": 7.0}, "context follows from isl and osl, 8704; leave it out"),
        ({**WORKLOAD, "prefix_hit_rate": 1.5}, "prefix_hit_rate: must be at most 1, got 1.5"),
        ({**WORKLOAD, "osl": 0.5}, "osl: must be at least 1, got 0.5"),
        ({**WORKLOAD, "isl": {"choices": [1024, 8192]}}, r'"request\.isl" in \[design\.numbers\]'),
        ({"model": "llama-3-8b", "context": [1024.0]}, "context must be a number here"),
    ],
)
def test_lengths_that_cannot_be_are_told(workload, message):
    with pytest.raises(InputError, match=message):
        study(workload)


def test_what_is_asked_of_no_request_is_told():
    decode = {"model": "llama-3-8b", "context": 8192.0}
    with pytest.raises(InputError, match=r"constraints.0: ttft is of whole requests"):
        problem_of(study(decode))
    with pytest.raises(InputError, match=r"request.osl: is required"):
        problem_of(study(decode, asked="tpot", numbers={"request.isl": [1024, 2048]}))
    with pytest.raises(InputError, match=r"request.context: contexts follow from isl and osl"):
        problem_of(study(numbers={"request.context": [1024, 2048]}))


@pytest.mark.slow
def test_what_a_study_finds_a_prediction_and_a_sweep_say_too(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    toml = """
name = "toy"
[workload]
model = "llama-3-8b"
isl = 8192
osl = 1024
[objective]
maximise = "stps"
[[constraints]]
quantity = "ttft"
at_most = "300 ms"
[design]
system = "h200"
tp = 2
batch = { choices = [1, 8, 64] }
[design.numbers]
"request.isl" = [4096, 8192]
"""
    (tmp_path / "toy.toml").write_text(toml)
    assert main(["optimize", "toy.toml", "-o", "out", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert any("prompts and answers" in it for it in found["prediction"]["basis"])
    assert main(["predict", "-c", "out/design.toml", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["serving"]["isl"] == 4096
    for name in ("ttft", "tpot", "e2e", "usd_per_million_tokens", "energy_per_token"):
        assert found["totals"][name] == pytest.approx(said[name], rel=1e-9), name
    rate = said["tokens_per_second_per_chip"]
    assert found["totals"]["stps_per_chip"] == pytest.approx(rate, rel=1e-9)
    swept = ["sweep", "toy.toml", "--axis", "request.osl=512,1024", "--maximise", "stps_per_chip"]
    assert main([*swept, "--minimise", "ttft", "-o", "swept", "--json"]) == 0
    best = json.loads(capsys.readouterr().out)
    assert best["feasible"] > 0


def test_a_design_without_lengths_is_as_ever():
    file = design_of({"workload": {"model": "llama-3-8b", "context": 8.0}, "design": DESIGN}, "")
    case = problem_of(file).first()
    assert case.lengths is None
    assert case.decoding is case.request
