"""The map for contributors names places that are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
PLACES = sorted(set(re.findall(r"`((?:liminal_jax|tests|laws|experiments|\.ci)[\w./-]*)`", PAGE)))


@pytest.mark.parametrize("place", PLACES)
def test_each_place_is_there(place):
    assert (ROOT / place).exists() or (ROOT / "liminal_jax" / place).exists()


def test_the_map_names_every_package():
    packages = {it.parent.name for it in (ROOT / "liminal_jax").glob("*/__init__.py")}
    assert packages - {it.split("/")[1] for it in PLACES if "/" in it} == {"view"}
