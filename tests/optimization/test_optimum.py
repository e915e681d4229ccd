"""The answer of a space: proven like a study's, for names and functions, over any structures."""

import itertools
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import liminal_jax as ll
from tests.cli.terminal import exit_code
from tests.optimization.brute import study


@pytest.fixture(scope="module")
def space():
    design = ll.Design(ll.load_system("h200"), ll.Mapping(tp=8))
    free = {
        "system": ["h200", "b200", "mi355x", "tpu7x"],
        "tp": [4, 8],
        "ep": [4, 8],
        "kv_bits": [8, 16],
        "batch": [1, 16, 256],
    }
    return ll.Space(design, free, model="deepseek-v3", replicas=4)


@pytest.fixture(scope="module")
def alone(space):
    """The same of one system: what does not ask for several is answered sooner."""
    return space.only("h200")


@pytest.fixture(scope="module")
def worthiest(space):
    return ll.optimize(space, maximise=worth, limits=[fast])


@pytest.fixture(scope="module")
def fastest(alone):
    return ll.optimize(alone, maximise="stps")


def every(space, objective, limits):
    """The best of all designs by evaluating each of them, by name of the alternative."""
    found = {}
    outputs = [objective, *limits]
    swept = ll.sweep(space, outputs)
    for region, values, built in zip(swept.regions, swept.values, swept.feasible, strict=True):
        holds = built & np.all(values[..., 1:] <= 0, axis=-1)
        for row, name in enumerate(region.categories):
            mine = np.where(holds[row], values[row, ..., 0], -np.inf)
            found[name] = float(np.max(mine))
    return found


def worth(it):
    return jnp.sqrt(it.utps * it.stps / it.capital)


def fast(it):
    return 30 - it.utps


def difference(it):
    """Of either sign, and 0 somewhere."""
    return it.utps - it.stps / 100


@pytest.mark.slow
@pytest.mark.parametrize("objective", [worth, difference])
def test_a_function_is_proven_over_systems_of_any_structure(space, worthiest, objective):
    best = worthiest
    if objective is not worth:
        best = ll.optimize(space, maximise=objective, limits=[fast])
    with jax.enable_x64(True):
        expected = every(space, objective, [fast])
    known = {name: it for name, it in expected.items() if np.isfinite(it)}
    assert best.objective == pytest.approx(max(known.values()), rel=1e-5)
    assert best.name == max(known, key=known.__getitem__)
    assert best.feasible
    assert best.certificate.complete
    assert best.certificate.relative_gap == pytest.approx(0, abs=1e-9)
    assert best.certificate.lattice == space.size
    for it in best.alternatives:
        if it.objective is not None:
            assert it.objective == pytest.approx(expected[it.name], rel=1e-5)


@pytest.mark.slow
def test_what_lacks_a_number_is_named_and_the_rest_is_proven(worthiest):
    infeasibility = {it.name: it.infeasibility for it in worthiest.alternatives}
    assert infeasibility == {
        "h200": None,
        "b200": None,
        "mi355x": None,
        "tpu7x": "cannot be evaluated",
    }
    assert any("tpu7x cannot be evaluated" in it for it in worthiest.reasons)
    assert worthiest.certificate.complete


@pytest.mark.slow
def test_a_design_comes_back_at_the_precision_of_outside_and_predicts_the_same(alone):
    with jax.enable_x64(False):
        limits = [ll.at_least("utps", 20)]
        best = ll.optimize(alone, minimise="usd_per_million_tokens", limits=limits)
        assert best.design.batch.dtype == best.prediction.utps.dtype == jnp.float32
        request = ll.Request(context=8192, kv_bits=best.values["kv_bits"])
        again = ll.predict(best.design, ll.load_model("deepseek-v3"), request)
        assert float(again.utps) == pytest.approx(float(best.prediction.utps), rel=1e-4)
    assert best.totals["utps"] >= 20


@pytest.mark.slow
def test_names_and_functions_that_say_the_same_find_the_same(alone):
    named = ll.optimize(alone, maximise="stps", limits=[ll.at_most("power", "60 kW")])
    own = ll.optimize(alone, maximise=lambda it: it.stps, limits=[lambda it: it.power - 60e3])
    assert named.values == own.values
    assert named.objective == pytest.approx(own.objective, rel=1e-9)
    assert named.totals == own.totals


@pytest.mark.slow
def test_a_negative_objective_has_its_least(alone, fastest):
    best = ll.optimize(alone, minimise=lambda it: -it.stps)
    assert best.objective == pytest.approx(-fastest.objective, rel=1e-9)
    assert best.values == fastest.values


@pytest.mark.slow
def test_limits_that_always_or_never_hold_are_told(alone):
    best = ll.optimize(alone, maximise="stps", limits=[lambda it: -it.chips])
    assert best.reasons[0] == "the limit on limit holds for every design of the space"
    none = ll.optimize(alone, maximise="stps", limits=[lambda it: it.chips])
    assert not none.feasible
    assert none.certificate.complete
    assert none.reasons[0] == "the limit on limit holds for no design of the space"


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        (lambda it: it.utsp, "did you mean 'utps'"),
        (lambda it: it.utps if it.utps > 3 else it.stps, "jnp.where"),
        (lambda it: jnp.stack([it.utps, it.stps]), r"must return one number, got \(2,\)"),
        (lambda it: float(it.utps), "jnp functions"),
        ("utsp", "there is no quantity 'utsp'; did you mean 'utps'"),
    ],
)
def test_what_is_no_objective_is_refused_with_its_line(space, objective, message):
    with pytest.raises(ll.InputError, match=message) as caught:
        ll.optimize(space, maximise=objective)
    if callable(objective) and "number" not in message:
        assert "test_optimum.py" in str(caught.value)


@pytest.mark.slow
def test_a_function_without_bounds_is_refused():
    """Where it joins too many variables to be tabulated."""
    wide = {"batch": ll.grid(1, 512, 150), "context": ll.grid(1, 1e6, 100), "clock": [0.5, 1.0]}
    wide |= {"memory.bandwidth": ll.grid(1e12, 1e13, 100)}
    space = ll.Space(ll.Design(ll.load_system("h200")), wide, model="llama-3-8b")
    with pytest.raises(ll.InputError, match="no bounds are known for 'sin'"):
        ll.optimize(space, maximise=lambda it: jnp.sin(it.stps * it.power))


@pytest.mark.slow
def test_what_is_0_for_some_designs_can_be_least_or_most():
    """A single chip waits for no other."""
    space = ll.Space(
        ll.Design(ll.load_system("h200")), {"tp": [1, 2, 4], "batch": [1, 8]}, model="llama-3-8b"
    )
    best = ll.optimize(space, minimise="exposed_time")
    assert (best.objective, best.values["tp"], best.feasible) == (0.0, 1.0, True)
    assert (best.certificate.bound, best.certificate.relative_gap) == (0.0, 0.0)
    assert best.certificate.complete
    assert float(best.prediction.exposed_time) == 0.0
    most = ll.optimize(space, maximise="exposed_time")
    assert most.values["tp"] == 4.0
    assert most.objective == pytest.approx(float(most.prediction.exposed_time), rel=1e-6)


@pytest.mark.slow
def test_an_objective_of_0_is_explained():
    space = ll.Space(ll.Design(ll.load_system("h200")), {"tp": [1, 2]}, model="llama-3-8b")
    record = ll.optimize(space, minimise="exposed_time").to_dict()
    assert json.loads(json.dumps(record, allow_nan=False))["objective"]["value"] == 0.0


def test_one_side_is_wanted(space):
    for given in ({}, {"maximise": "stps", "minimise": "power"}):
        with pytest.raises(ll.InputError, match="give one of maximise and minimise"):
            ll.optimize(space, **given)


@pytest.mark.parametrize("value", ["1 TB/s", -1.0, "much"])
def test_a_limit_in_no_unit_of_its_quantity_is_refused(space, value):
    with pytest.raises(ll.InputError, match="power"):
        ll.optimize(space, maximise="stps", limits=[ll.at_most("power", value)])


@pytest.mark.slow
def test_an_optimum_prints_itself_as_text_and_as_a_table(fastest):
    assert repr(fastest).startswith("most STPS")
    assert "tokens/s" in repr(fastest).splitlines()[0]
    assert " TP 8, " in repr(fastest)
    assert "gap 0.00%" in repr(fastest)
    assert fastest._repr_html_().startswith("<table><tr><th>most STPS</th>")
    assert "where the time goes" in fastest.report()
    assert json.loads(json.dumps(fastest.to_dict()))["feasible"] is True


def printed(capsys, *arguments):
    """What the command line prints as JSON."""
    assert exit_code([*arguments, "--json"]) == 0
    return answered(json.loads(capsys.readouterr().out))


@pytest.mark.slow
@pytest.mark.parametrize("base", ["planned", "finished"])
def test_a_study_gives_what_the_command_line_does(tmp_path, capsys, base, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = str(study(tmp_path, base, design={"chips": {"choices": [4, 8]}}))
    space, objective, limits = ll.load_study(path)
    best = ll.optimize(space, objective, limits=limits)
    found = answered(best.to_dict())
    # What always holds, or never, is said in Python first.
    found["reasons"] = found["reasons"][-len(best.finding.reasons) :]
    assert found == printed(capsys, "optimize", path)
    assert best.report().splitlines()[0] == found["name"]


@pytest.mark.slow
def test_analyses_give_what_the_command_line_does(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = str(study(tmp_path, "finished", design={"chips": {"choices": [4, 8]}}))
    space, objective, limits = ll.load_study(path)
    prices = ll.sensitivity(ll.optimize(space, objective, limits=limits))
    assert answered(prices.to_dict()) == printed(capsys, "sensitivity", path, "--top", "99")
    sure = ll.uncertainty(space, objective, limits, samples=4, seed=3)
    few = ("--samples", "4", "--seed", "3")
    assert answered(sure.to_dict()) == printed(capsys, "uncertainty", path, *few)
    for it in (prices, sure):
        assert repr(it).splitlines()[0] == prices.to_dict()["name"]
        assert it._repr_html_().startswith(f"<h3>{prices.to_dict()['name']}</h3>")


@pytest.mark.slow
def test_a_front_gives_what_the_command_line_does(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = str(study(tmp_path, "planned", design={"chips": {"choices": [4, 8]}}))
    space, _, limits = ll.load_study(path)
    front = ll.pareto(space, maximise=["stps"], minimise=["power"], limits=limits)
    asked = ("--maximise", "stps", "--minimise", "power")
    assert answered(front.to_dict()) == printed(capsys, "pareto", path, *asked)


MIXED = """
name = "mixed"

[workload]
model = "llama-3-8b"
context = 8192

[objective]
minimise = "usd_per_million_tokens"

[design]
system = { choices = ["h200", "mi355x", "tpu-v5p", "mine.toml"] }
tp = { choices = [2, 4] }
batch = { choices = [1, 16] }
"""


@pytest.mark.slow
def test_a_file_compares_systems_of_any_structure(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mixed.toml").write_text(MIXED)
    assert exit_code(["systems", "new", "mine", "--like", "h200"]) == 0
    capsys.readouterr()
    space, objective, limits = ll.load_study("mixed.toml")
    assert len(space.regions) > 1
    best = ll.optimize(space, objective, limits=limits)
    record = answered(best.to_dict())
    assert record == printed(capsys, "optimize", "mixed.toml", "-o", "run")
    assert (record["certificate"]["complete"], record["certificate"]["lattice"]) == (True, 16)
    with jax.enable_x64(True):
        swept = ll.sweep(space, ["usd_per_million_tokens"])
    for region, values in zip(swept.regions, swept.values, strict=True):
        for name, found in zip(region.categories, values[..., 0], strict=True):
            (told,) = (it for it in record["alternatives"] if it["name"] == name)
            if name == "tpu-v5p":
                assert np.isnan(found).all()
                assert (told["value"], told["lacking"]) == (None, "cannot be evaluated")
            else:
                assert told["value"] == pytest.approx(np.min(found), rel=1e-9)
    assert any("tpu-v5p cannot be evaluated" in it for it in record["reasons"])
    assert exit_code(["predict", "-c", "run/design.toml", "--json"]) == 0
    capsys.readouterr()


def answered(record):
    """What was answered, without how long any of it took."""
    return timeless(json.loads(json.dumps(record)))


def timeless(plain):
    if isinstance(plain, list):
        return [timeless(it) for it in plain]
    if not isinstance(plain, dict):
        return plain
    return {name: timeless(it) for name, it in plain.items() if name not in ("seconds", "stages")}


@pytest.mark.slow
def test_a_front_over_structures_is_that_of_all_designs(space):
    front = ll.pareto(space, maximise=["utps", worth])
    assert front.complete
    with jax.enable_x64(True):
        swept = ll.sweep(space, ["utps", worth])
    points = np.concatenate(
        [it[holds] for it, holds in zip(swept.values, swept.feasible, strict=True)]
    )
    points = points[~np.isnan(points).any(axis=1)]
    kept = [
        one for one in points if not any(np.all(it >= one) and np.any(it > one) for it in points)
    ]
    expected = np.unique(np.asarray(kept).round(6), axis=0)
    assert front.values == pytest.approx(expected[np.argsort(expected[:, 0])], rel=1e-5)
    assert list(front.to_xarray().data_vars)[:2] == ["utps", "worth"]
    record = json.loads(json.dumps(front.to_dict()))
    assert (record["kind"], record["certificate"]["complete"]) == ("pareto", True)
    assert record["certificate"]["lattice"] == space.size
    told = [list(it["objectives"].values()) for it in record["points"]]
    assert told == pytest.approx(front.values)
    assert {it["design"]["system"] for it in record["points"]} == {
        str(it["system"]) for it in front.chosen
    }
    assert len(front.designs) == len(front.values) == len(front.chosen)


@pytest.mark.slow
def test_a_sweep_is_the_prediction_of_each_design(space):
    swept = ll.sweep(space.only("h200", "b200"), ["stps", "power"])
    data = swept.to_xarray()
    assert dict(data.sizes) == {"system": 2, "tp": 2, "ep": 2, "batch": 3, "kv_bits": 2}
    model = ll.load_model("deepseek-v3")
    for name, tp in itertools.product(["h200", "b200"], [4, 8]):
        design = ll.Design(ll.load_system(name), ll.Mapping(tp=tp, ep=4), batch=16)
        one = ll.predict(design, model, ll.Request(context=8192, kv_bits=16))
        at = data.sel(system=name, tp=tp, ep=4, batch=16, kv_bits=16)
        assert float(at.stps) == pytest.approx(4 * float(one.stps), rel=1e-5)
    (best,) = swept.best(1)
    assert best["stps"] == pytest.approx(float(data.stps.where(data.feasible).max()))


@pytest.mark.slow
def test_a_sweep_of_many_designs_is_compiled_and_says_the_same(alone, monkeypatch):
    few = ll.sweep(alone, ["stps", "power"])
    monkeypatch.setattr("liminal_jax.optimization.evaluated.FEW", 0)
    many = ll.sweep(alone, ["stps", "power"])
    np.testing.assert_allclose(many.values[0], few.values[0], rtol=1e-12)
    np.testing.assert_array_equal(many.feasible[0], few.feasible[0])


def test_a_larger_space_is_left_to_the_command_line():
    design = ll.Design(ll.load_system("h200"))
    huge = {"batch": ll.grid(1, 1e5, 5000), "context": ll.grid(1, 1e6, 5000)}
    with pytest.raises(ll.InputError, match="liminal sweep"):
        ll.sweep(ll.Space(design, huge, model="llama-3-8b"))


@pytest.mark.slow
def test_an_optimum_is_explained(alone):
    best = ll.optimize(alone, maximise="stps", limits=[ll.at_least("utps", 20), fast])
    found = ll.sensitivity(best)
    assert found.elasticities
    assert {it.constraint for it in found.shadow_prices} >= {"utps"}
    objects = ll.Space(
        ll.Design(ll.load_system("h200"), ll.Mapping(tp=8)), {"batch": [1, 8]}, model="llama-3-8b"
    )
    with pytest.raises(ll.InputError, match=r'written in Python.*by name, as in {"system"'):
        ll.uncertainty(objects, best.problem.goal)
