"""The public door: what it names, and what opening it costs."""

import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import liminal_jax as ll

STUB = Path(ll.__file__).with_name("__init__.pyi")
NAMES = re.findall(r"^from \S+ import \w+ as (\w+)$", STUB.read_text(), re.MULTILINE)


def loaded_after(program):
    """What a fresh interpreter prints after a program; it has no test hooks."""
    root = Path(ll.__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_the_stub_is_the_list():
    *names, empty, version = STUB.read_text().splitlines()
    assert len(NAMES) == len(set(NAMES)) == len(names)
    assert (empty, version) == ("", "__version__: str")
    assert sorted(ll.__all__) == sorted(NAMES)
    assert set(NAMES) <= set(dir(ll))


@pytest.mark.parametrize("name", NAMES)
def test_every_name_resolves_and_says_what_it_is(name):
    thing = getattr(ll, name)
    if callable(thing):
        assert inspect.getdoc(thing)
    else:
        assert name.isupper()


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="predictt"):
        _ = ll.predictt


def test_opening_the_door_loads_no_jax():
    program = "import sys, liminal_jax as ll; dir(ll); print(ll.__version__, 'jax' in sys.modules)"
    assert loaded_after(program) == ["0.2.0", "False"]


def test_the_version_stands_once():
    """The build reads it where Python does."""
    project = tomllib.loads((STUB.parents[1] / "pyproject.toml").read_text())
    assert "version" not in project["project"]
    assert project["project"]["dynamic"] == ["version"]
    assert STUB.parents[1] / project["tool"]["hatch"]["version"]["path"] == Path(ll.__file__)


@pytest.mark.slow
def test_no_module_computes_as_it_is_imported():
    """A process whose backend runs already can neither join others nor be forked."""
    program = (
        "import importlib, os, pkgutil, liminal_jax\n"
        "os.environ['JAX_PLATFORMS'] = 'nowhere'\n"
        "for it in pkgutil.walk_packages(liminal_jax.__path__, 'liminal_jax.'):\n"
        "    if it.name != 'liminal_jax.view.app.notebook': importlib.import_module(it.name)\n"
        "print('all')"
    )
    assert loaded_after(program) == ["all"]


@pytest.mark.slow
def test_predict_is_the_function_whatever_was_imported_before():
    program = (
        "import liminal_jax.performance.predictor\n"
        "import liminal_jax.cli.predict, liminal_jax.study.predicted\n"
        "from liminal_jax import predict\n"
        "print(type(predict).__name__, predict.__module__)"
    )
    assert loaded_after(program) == ["function", "liminal_jax.performance.predictor"]
