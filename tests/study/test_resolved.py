"""Files that a study names: each is opened once, at the border, and none below it."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from liminal_jax._files import InputError
from liminal_jax.data.systems import load_system_tables
from liminal_jax.study.bundled import STUDIES
from liminal_jax.study.domain import Names
from liminal_jax.study.file import design_of, resolved_of
from liminal_jax.study.questions import load_space, load_study
from tests.cli.test_studies import MODEL, PLAN

SCRIPT = """
import json, sys
opened, phase = {}, "import"
def note(event, given):
    if event == "open" and str(given[0]).endswith((".toml", ".json")):
        opened.setdefault(phase, []).append(str(given[0]))
sys.addaudithook(note)
from liminal_jax.optimization.search.best_design import find
from liminal_jax.study.basis import basis
from liminal_jax.study.file import DesignFile, StudyFile
from liminal_jax.study.questions import load_space
from liminal_jax.study.predicted import predicted
from liminal_jax.study.problem import exact_system
from liminal_jax.study.read import problem_of
from liminal_jax.study.uncertain import uncertain_numbers
phase = "border"
file = load_space(sys.argv[1])
phase = "below"
problem = problem_of(file)
case = problem.first()
if isinstance(file, StudyFile):
    basis(problem.file, problem.categories[0], case, exact_system(case), 0.0)
    uncertain_numbers(problem)
else:
    predicted(file)
print(json.dumps(opened))
"""


def opened(path):
    """Files that are opened in a fresh process, by where it stands."""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, str(path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "JAX_PLATFORMS": "cpu"},
    )
    assert not run.returncode, run.stderr
    return json.loads(run.stdout)


@pytest.fixture
def own_files(tmp_path):
    """A design of a user's own model on a system of their own."""
    import tomli_w

    (tmp_path / "toy.toml").write_text(MODEL)
    tables = load_system_tables("h200")
    (tmp_path / "mine.toml").write_text(tomli_w.dumps(tables))
    path = tmp_path / "design.toml"
    text = '[workload]\nmodel = "toy.toml"\ncontext = 4096\n[design]\nsystem = "mine.toml"\n'
    path.write_text(text)
    return path


@pytest.mark.slow
def test_each_file_of_a_study_is_opened_once_and_none_below_the_border():
    found = opened(STUDIES / "deepseek-v3-128k.toml")
    assert "below" not in found
    names = Counter(Path(it).name for it in found["border"])
    assert {"deepseek-v3.toml", "n4p.toml", "hbm4.toml", "network.toml"} <= set(names)
    assert set(Counter(found["border"] + found.get("import", [])).values()) == {1}


@pytest.mark.slow
def test_each_file_of_a_users_own_is_opened_once(own_files):
    found = opened(own_files)
    assert "below" not in found
    names = Counter(Path(it).name for it in found["border"])
    assert names["design.toml"] == names["toy.toml"] == names["mine.toml"] == 1
    assert set(Counter(found["border"] + found.get("import", [])).values()) == {1}


def test_what_was_read_is_handed_on_for_some_of_the_names_and_read_again_for_others():
    file = load_study("deepseek-v3-128k")
    found = resolved_of(file)
    fewer = file.model_copy(
        update={"design": file.design.model_copy(update={"memory": Names(("hbm4",))})}
    )
    some = resolved_of(fewer).hardware
    assert list(some.memory) == ["hbm4"]
    assert some.memory["hbm4"] is found.hardware.memory["hbm4"]
    other = file.model_copy(
        update={"design": file.design.model_copy(update={"memory": Names(("hbm3",))})}
    )
    assert list(resolved_of(other).hardware.memory) == ["hbm3"]


def test_a_price_that_nobody_knows_is_told_with_the_other_mistakes_of_the_file(tmp_path):
    path = tmp_path / "mine.toml"
    text = PLAN.replace("stacks = 4", 'stacks = 0\ntier = "hbf"\ntier_units = 1')
    path.write_text(text + '[assumptions]\ntier = { price = { unknown = "not for sale" } }\n')
    with pytest.raises(InputError) as caught:
        load_study(str(path))
    assert {"design.stacks", "assumptions.tier.price"} == {it.path for it in caught.value.problems}


def test_a_file_made_in_python_reads_what_it_names():
    tables = {
        "workload": {"model": "llama-3-8b", "context": 8192},
        "design": {"system": {"choices": ["h200", "h100"]}},
    }
    library = resolved_of(design_of(tables, "mine")).hardware
    assert list(library.system) == ["h200", "h100"]
    with pytest.raises(InputError, match="there is no system 'h2000'"):
        design_of({**tables, "design": {"system": "h2000"}}, "mine")


def test_a_file_is_found_beside_the_study(own_files):
    (system,) = resolved_of(load_space(str(own_files))).hardware.system
    assert Path(system).name == "mine.toml"
