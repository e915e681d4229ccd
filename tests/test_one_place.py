"""A number is declared once: in a copy of the package, a field and its row, or a field and its law.

Each is two files of the package, and shows wherever numbers do.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import liminal_jax

PLANNED = Path(__file__).parent / "studies" / "planned.toml"

pytestmark = pytest.mark.slow

FIELD = """
    mask_price: Leaf | None = eqx.field(
        converter=optional_leaf,
        default=None,
        metadata=quantity("USD", "price of a set of masks", least=0.0),
    )


class Packaging(eqx.Module):"""
ROW = """
[mask_price]
value = 12
unit = "MUSD"
source = "this-project"
kind = "assumed"
low = 6
high = 24
note = "For a test."
"""
"""A hardware number: what it is, and what it is in one process."""

OUTPUT = """
    waiting_share: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "share of a step that waits")
    )

    def to_dict("""
LAW = "waiting_share=step.exposed / step.time,\n        exposed_time=step.exposed,"
"""An output: what it is, and its law."""


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A copy of the package with both."""
    folder = tmp_path_factory.mktemp("copy")
    package = folder / "liminal_jax"
    shutil.copytree(
        Path(liminal_jax.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__")
    )
    with (package / "data/processes/n4p.toml").open("a") as file:
        file.write(ROW)
    for name, old, new in (
        ("hardware/technology.py", "\n\nclass Packaging(eqx.Module):", FIELD),
        ("performance/prediction.py", "\n    def to_dict(", OUTPUT),
        ("performance/counted.py", "exposed_time=step.exposed,", LAW),
    ):
        text = (package / name).read_text()
        assert text.count(old) == 1
        (package / name).write_text(text.replace(old, new))
    return folder


@pytest.fixture(scope="module")
def said(package):
    """What a program or a command that runs with the copy prints."""

    def run(*arguments, code=0):
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=package,
            env={"PYTHONPATH": str(package), "XDG_CACHE_HOME": str(package / "cache")},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    return run


CLI = ("-c", "from liminal_jax.cli.main import run; run()")


def test_a_hardware_number_shows_with_its_system(said):
    shown = said(*CLI, "systems", "show", "b200")
    (line,) = (it for it in shown.splitlines() if it.strip().startswith("mask_price  "))
    assert line.split() == ["mask_price", "12", "MUSD", "6", "to", "24", "assumed", "this-project"]
    record = json.loads(said(*CLI, "systems", "show", "b200", "--json"))
    assert record["process"]["mask_price"]["value"] == 12e6


def test_a_hardware_number_can_be_stated_and_its_mistakes_are_told(said, package):
    (package / "study.toml").write_text(
        PLANNED.read_text() + '\n[assumptions.process]\nmask_price = "-1 USD"\nmask_prize = 1\n'
    )
    told = said(*CLI, "optimize", "study.toml", code=2)
    assert "assumptions.process.mask_price: must not be below zero, not -1 USD" in told
    assert "mask_prize: unknown field; did you mean 'mask_price'?" in told


NUMBERS = """
import sys
from liminal_jax.data.ranges import uncertain_in
from liminal_jax.study.file import resolved_of
from liminal_jax.study.questions import load_study
from liminal_jax.study.parameters import parameters_of, quantity_of
from liminal_jax.study.read import problem_of
from liminal_jax.sweeps.leaves import leaves_of

problem = problem_of(load_study(sys.argv[1]))
path = "material.process.mask_price"
leaf = leaves_of(problem)[path]
print(leaf.unit, leaf.value, leaf.positive)
print(quantity_of(path).label)
print(path in parameters_of(problem).paths)
print([it.low for it in uncertain_in(resolved_of(problem.file).hardware) if "mask" in it.path])
"""


def test_a_hardware_number_can_be_varied_ranked_and_drawn(said):
    assert said("-c", NUMBERS, str(PLANNED)).splitlines() == [
        "USD 12000000.0 False",
        "price of a set of masks",
        "True",
        "[6000000.0]",
    ]


DESIGN = ("-m", "llama-3-8b", "--system", "h200", "--tp", "2")


def test_an_output_shows_in_records_and_can_be_asked_for(said):
    found = json.loads(said(*CLI, "predict", *DESIGN, "--json"))
    assert found["waiting_share"] == pytest.approx(found["exposed_time"] / found["step_time"])
    assert 0 < found["waiting_share"] < 1
    program = """
import liminal_jax as ll
system, model = ll.load_system("h200"), ll.load_model("llama-3-8b")
design = ll.Design(system, ll.Mapping(tp=2), batch=1)
print(ll.predict(design, model, ll.Request(context=8192)))
space = ll.Space(design, {"mapping.tp": [2, 4, 8]}, model=model, request=ll.Request(context=8192))
print(ll.optimize(space, minimise="waiting_share").design.mapping.tp)
"""
    shown = said("-c", program)
    assert "waiting_share" in shown
    assert shown.splitlines()[-1].startswith("2")
