"""What the command line answers is what Python answers for the same design."""

import dataclasses
import json
import math

import equinox as eqx
import jax
import numpy as np
import pytest

import liminal_jax as ll
from liminal_jax.cli.systems import systems_new
from liminal_jax.performance.gains import predicted_with_gains
from tests.cli.terminal import exit_code

CASES = {
    "a dense model on H200": ("llama-3-70b", "h200", {"tp": 8}, 32),
    "experts spread on H200": ("deepseek-v3", "h200", {"tp": 8, "ep": 8}, 32),
    "SRAM that holds a part": ("llama-3-8b", "sram.toml", {"tp": 2, "pp": 2}, 4),
    "SRAM that holds all": ("llama-3-8b", "large.toml", {"tp": 8}, 4),
}
FLOAT32 = 16 * float(np.finfo(np.float32).eps)


@pytest.fixture
def systems(tmp_path, monkeypatch, capsys):
    """Two systems with SRAM under control of software, beside those that are shipped."""
    monkeypatch.chdir(tmp_path)
    for name, capacity in (("sram", "1 GB"), ("large", "40 GB")):
        values = {"capacity": capacity, "bandwidth": "100 TB/s", "energy": "0.25 pJ/bit"}
        settings = tuple(f"chip.sram.{key}={it}" for key, it in values.items())
        systems_new(name, like="h200", set=settings)
    capsys.readouterr()


def printed(capsys, name, *more):
    """The object that the command prints."""
    model, system, degrees, batch = CASES[name]
    flags = [it for key, value in degrees.items() for it in (f"--{key}", str(value))]
    command = ["predict", "-m", model, "--system", system, *flags, "--batch-size", str(batch)]
    assert exit_code([*command, *more, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def in_python(name, context=8192):
    """What Python is given for the same."""
    model, system, degrees, batch = CASES[name]
    design = ll.Design(ll.load_system(system), ll.Mapping(**degrees), batch=batch)
    return design, ll.load_model(model), ll.Request(context=context)


def close(found, wanted, tolerance):
    """Whether two records have the same keys, and values that differ by rounding at most."""
    if isinstance(wanted, dict):
        return list(found) == list(wanted) and all(
            close(found[key], wanted[key], tolerance) for key in wanted
        )
    if isinstance(wanted, float):
        return math.isclose(found, wanted, rel_tol=tolerance)
    return found == wanted


@pytest.mark.parametrize(
    "name",
    [
        "a dense model on H200",
        "SRAM that holds a part",
        *(
            pytest.param(it, marks=pytest.mark.slow)
            for it in ("experts spread on H200", "SRAM that holds all")
        ),
    ],
)
@pytest.mark.usefixtures("systems")
def test_a_prediction(name, capsys):
    record = printed(capsys, name)
    wanted = {key: record[key] for key in ll.predict(*in_python(name)).to_dict()}
    told_besides = {"kind", "schema", "name", "workload", "design", "assumptions", "basis", "gains"}
    told_besides |= {"hardware", "memory_footprint", "provenance"}
    assert set(record) - set(wanted) == told_besides
    assert ll.predict(*in_python(name)).to_dict() == wanted
    # compiled as a whole it may round in another way
    assert close(eqx.filter_jit(ll.predict)(*in_python(name)).to_dict(), wanted, 1e-14)
    with jax.enable_x64(False):
        single = ll.predict(*in_python(name))
    assert single.utps.dtype == np.float32
    assert close(single.to_dict(), wanted, FLOAT32)
    assert not close(single.to_dict(), wanted, 1e-14)


@pytest.mark.parametrize("name", ["SRAM that holds a part", "SRAM that holds all"])
@pytest.mark.usefixtures("systems")
def test_sram_is_filled(name):
    """An empty one answers otherwise, so that the test above would tell."""
    design, *given = in_python(name)
    empty = dataclasses.replace(design, placement=ll.Placement())
    assert float(ll.predict(design, *given).utps) > 1.05 * float(ll.predict(empty, *given).utps)


@pytest.mark.slow
@pytest.mark.usefixtures("systems")
def test_what_more_would_buy_and_serving(capsys):
    name = "SRAM that holds a part"
    record = printed(capsys, name, "--isl", "1024", "--osl", "256", "--chunk", "512")
    lengths = ll.Lengths(isl=1024, osl=256, chunk=512, budget=512)
    given = in_python(name, context=lengths.mean_context())
    gains = predicted_with_gains(*given)[1].to_dict()
    assert close(gains, record["gains"], 1e-12)
    serving = ll.serve(*given, lengths).to_dict()
    assert close(serving, {way: record["serving"][way] for way in serving}, 1e-12)
