"""What the check of a release finds in a wheel."""

import importlib.util
import re
from pathlib import Path

import liminal_jax

ROOT = Path(__file__).parent.parent
SPEC = importlib.util.spec_from_file_location("wheel", ROOT / ".ci" / "wheel.py")
wheel = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(wheel)

PACKAGE = {"liminal_jax/__init__.py", "liminal_jax/data/systems/h200.toml"}
FILES = PACKAGE | {
    "liminal_jax-1.dist-info/METADATA",
    "liminal_jax-1.dist-info/licenses/LICENSE",
}


def test_the_citation_is_of_this_version():
    cited = re.findall(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert cited == [liminal_jax.__version__]


def test_a_whole_wheel():
    assert wheel.problems(FILES, PACKAGE, 1000) == []


def test_what_is_wrong_is_named():
    row = "liminal_jax/data/systems/h200.toml"
    assert wheel.problems(FILES - {row}, PACKAGE, 1) == [f"{row} is missing"]
    extra = "tests/test_release.py"
    assert wheel.problems(FILES | {extra}, PACKAGE, 1) == [f"{extra} does not belong into it"]
    licence = {it for it in FILES if "LICENSE" in it}
    assert wheel.problems(FILES - licence, PACKAGE, 1) == ["the licence is missing"]
    (large,) = wheel.problems(FILES, PACKAGE, wheel.LARGEST + 1)
    assert "bytes" in large
