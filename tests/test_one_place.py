"""A number is declared once: in a copy of the package, a field and its row, or a field and its law.

Each is two files of the package, and shows wherever numbers do.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import liminal_jax

PLANNED = Path(__file__).parent / "studies" / "planned.toml"

pytestmark = pytest.mark.slow


def field(name, default, stated, before):
    """A number as a field, ahead of what follows it in its file."""
    converter = "optional_leaf" if default is None else "as_leaf"
    declared = f"""
    {name}: Leaf{" | None" if default is None else ""} = eqx.field(
        converter={converter},
        default={default},
        metadata=quantity({stated}),
    )
"""
    return before, declared + before


def row(name, value):
    """A number of a data file."""
    return (
        f'{name} = {{ value = {value}, source = "this-project", kind = "assumed",'
        f' low = {value / 2:g}, high = {value * 2:g}, note = "For a test." }}\n'
    )


MASKS = field("mask_price", None, '"", "price of masks", least=0.0', "\n\nclass Packaging(")
COOLANT = field(
    "coolant",
    0,
    '"", "flow of coolant through a chip", least=0.0',
    "\n    capacity_tier: CapacityTier | None = None",
)
SAVED = field(
    "saved",
    0,
    '"", "share of a step saved", least=0.0, most=0.5',
    "\n\nclass Reductions(",
)
SPARE = field(
    "spare",
    0,
    '"", "share of links kept spare", least=0.0, most=0.5',
    "\n\nclass Material(",
)
WAITING = (
    "\n    def to_dict(",
    """
    waiting_share: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "share of a step that waits")
    )

    def to_dict(""",
)

ADDED = {
    "a number of a process": {
        "hardware/technology.py": MASKS,
        "data/processes/n4p.toml": ("name = ", row("mask_price", 12) + "name = "),
    },
    "a number of a chip": {
        "hardware/chip.py": COOLANT,
        "data/systems/b200.toml": ("[chip]\n", "[chip]\n" + row("coolant", 3)),
    },
    "a design variable": {
        "algorithm/hiding.py": SAVED,
        "performance/passed.py": (
            "time = time + taken * (halves - time)\n",
            "time = (time + taken * (halves - time)) * (1 - overlap.saved)\n",
        ),
    },
    "a variable of a planned chip": {
        "hardware/plan.py": SPARE,
        "hardware/planned.py": (
            "(self.network, plan.link_bandwidth)",
            "(self.network, plan.link_bandwidth * (1 - plan.spare))",
        ),
    },
    "an output": {
        "performance/prediction.py": WAITING,
        "performance/counted.py": (
            "exposed_time=step.exposed,",
            "waiting_share=step.exposed / step.time,\n        exposed_time=step.exposed,",
        ),
    },
}
"""What takes the place of what, in the files of each: two are enough."""


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A copy of the package with all of them."""
    folder = tmp_path_factory.mktemp("copy")
    package = folder / "liminal_jax"
    shutil.copytree(
        Path(liminal_jax.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__")
    )
    for files in ADDED.values():
        assert len(files) == 2
        for name, (old, new) in files.items():
            text = (package / name).read_text()
            assert text.count(old) == 1, name
            (package / name).write_text(text.replace(old, new))
    (folder / "plain.toml").write_text(STUDY)
    (folder / "study.toml").write_text(STUDY + VARIED)
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

VARIED = """
[design.numbers]
"system.chip.coolant" = { choices = [2, 4] }

[algorithm]
"overlap.saved" = { choices = [0, 0.25] }
"""

STUDY = """
name = "study"

[workload]
model = "llama-3-8b"
context = 8192

[objective]
minimise = "waiting_share"

[design]
system = "b200"
tp = { choices = [2, 4] }
"""

COMMANDS = (
    "systems show b200",
    "systems show b200 --json",
    "predict -m llama-3-8b --system b200 --tp 2 --set algorithm.overlap.saved=0.25 --json",
    "predict -m llama-3-8b --system b200 --tp 2 --set algorithm.overlap.saved=0.25",
    "optimize study.toml -o run",
    "report run -o page.html",
    "sweep study.toml --keep waiting_share --top 8 -o swept --json",
    "sweep study.toml --axis algorithm.overlap.saved=0.25 --top 8 --minimise waiting_share -o told",
    "predict -m llama-3-8b --system b200 --set algorithm.overlap.savd=1",
    "predict -m llama-3-8b --system b200 --set algorithm.overlap.saved=0.6",
    "sweep study.toml --axis system.chip.colant=1,2",
)

ALL = """
import contextlib, io, json, sys
from liminal_jax.cli.main import main

found = {}
for words in json.loads(sys.argv[1]):
    told, wrong = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(wrong):
        code = main(words.split())
    found[words] = [code, wrong.getvalue() if code else told.getvalue()]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def told(said):
    """What each of the commands tells, all of them in one interpreter."""
    found = json.loads(said("-c", ALL, json.dumps(COMMANDS)))
    assert [code for code, _ in found.values()] == [0] * 8 + [2] * 3
    return [text for _, text in found.values()]


def test_numbers_of_hardware_show_with_their_system(told):
    shown, record = told[0], json.loads(told[1])
    lines = [it.split() for it in shown.splitlines()]
    sources = [" ".join(it[:2]).rstrip(":") for it in lines]
    for name, value in (("mask_price", "12 6 to 24"), ("chip.coolant", "3 1.5 to 6")):
        assert [name, *value.split(), "assumed"] in lines
        assert f"{name} this-project" in sources
    assert record["process"]["mask_price"]["value"] == 12
    assert record["system"]["chip"]["coolant"]["value"] == 3


def test_a_prediction_takes_the_variable_and_tells_the_output(told):
    found, shown = json.loads(told[2]), told[3]
    assert found["waiting_share"] == pytest.approx(found["exposed_time"] / found["step_time"])
    assert found["algorithm"] == {"overlap.saved": 0.25}
    (lever,) = found["levers"]
    assert (lever["lever"], lever["quality"]) == ("overlap", "unknown")
    assert lever["settings"] == {"algorithm.overlap.saved": 0.25}
    assert "share of a step saved 0.25" in shown
    assert "share of a step that waits" in shown


LABELS = (
    "flow of coolant through a chip",
    "share of a step saved",
    "share of a step that waits",
)


def test_a_study_searches_them_and_every_page_shows_them(told, package):
    record = json.loads((package / "run/result.json").read_text())
    assert record["objective"]["minimise"] == "waiting_share"
    assert record["objective"]["value"] == record["prediction"]["waiting_share"]
    # The time of a step is divided by, so that saving none of it is best.
    assert record["algorithm"] == {"overlap.saved": 0.0}
    assert record["design"]["numbers"]["system.chip.coolant"] in (2, 4)
    html = (package / "page.html").read_text()
    for label in LABELS:
        assert label in told[4]
        assert label in html
    assert '"overlap.saved" = 0' in (package / "run/design.toml").read_text()


def test_a_sweep_varies_them_and_keeps_the_output(told):
    swept = json.loads(told[6])
    assert swept["points"] == 8
    assert [it["path"] for it in swept["axes"]] == ["chip.coolant", "tp", "algorithm.overlap.saved"]
    assert swept["outputs"] == ["waiting_share"]
    shown = " ".join(told[7].split())
    assert "least waiting share" in shown
    assert "flow of coolant through a chip 2, TP 2, share of a step saved 0.25" in shown


def test_a_study_of_a_planned_chip_searches_its_new_variable_by_name(said, package):
    """As `[design]` states the others; a value out of range is told."""
    study = PLANNED.read_text()
    for free in ("stacks", "dies", "chips", "tp", "cp", "pp", "ep"):
        study = re.sub(rf"(?m)^{free} = .*$", f"{free} = 1", study)
    text = re.sub(r"(?m)^batch = .*$", "batch = 8", study)
    (package / "spare.toml").write_text(f"{text}spare = {{ choices = [0.25, 0.5] }}\n")
    shown = said(*CLI, "optimize", "spare.toml", "-o", "spared")
    record = json.loads((package / "spared/result.json").read_text())
    assert record["design"]["spare"] == 0.25
    assert "share of links kept spare" in shown
    (package / "spare.toml").write_text(f"{text}spare = 0.75\n")
    told = said(*CLI, "optimize", "spare.toml", code=2)
    assert "design.spare: must be at most 0.5, got 0.75" in told


def test_what_is_written_wrongly_is_named(told):
    assert "did you mean" in told[8]
    assert "saved" in told[8]
    assert "must be at most 0.5, got 0.6" in told[9]
    assert "coolant" in told[10]


def test_a_hardware_number_can_be_stated_and_its_mistakes_are_told(said, package):
    (package / "wrong.toml").write_text(
        PLANNED.read_text() + "\n[assumptions.process]\nmask_price = -1\nmask_prize = 1\n"
    )
    told = said(*CLI, "optimize", "wrong.toml", code=2)
    assert "assumptions.process.mask_price: must not be below zero, not -1" in told
    assert "mask_prize: unknown field; did you mean 'mask_price'?" in told


NUMBERS = """
import sys
import liminal_jax as ll
from liminal_jax.data.ranges import uncertain_in
from liminal_jax.study.file import resolved_of
from liminal_jax.study.questions import load_study
from liminal_jax.study.parameters import parameters_of, quantity_of
from liminal_jax.study.read import problem_of
from liminal_jax.sweeps.leaves import leaves_of

for study, path in zip(sys.argv[1:], ("material.process.mask_price", "chip.coolant")):
    problem = problem_of(load_study(study))
    leaf = leaves_of(problem)[path]
    files = resolved_of(problem.file).hardware
    print(leaf.stated.unit, leaf.value, leaf.stated.least is None, quantity_of(path).label)
    print(path in parameters_of(problem).paths, end=" ")
    print([it.low for it in uncertain_in(files) if path.split(".")[-1] in it.path])
system, model = ll.load_system("h200"), ll.load_model("llama-3-8b")
design = ll.Design(system, ll.Mapping(tp=2), batch=1)
print(ll.predict(design, model, ll.Request(context=8192)))
space = ll.Space(design, {"mapping.tp": [2, 4, 8]}, model=model, request=ll.Request(context=8192))
print(ll.optimize(space, minimise="waiting_share").design.mapping.tp)
"""


def test_they_can_be_varied_ranked_and_drawn_and_asked_for_in_python(said):
    shown = said("-c", NUMBERS, str(PLANNED), "plain.toml")
    lines = shown.splitlines()
    assert lines[:4] == [
        " 12.0 False price of masks",
        "True [6.0]",
        " 3.0 False flow of coolant through a chip",
        "True [1.5]",
    ]
    assert "waiting_share" in shown
    assert lines[-1].startswith("2")
