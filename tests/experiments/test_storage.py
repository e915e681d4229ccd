"""A short run of the comparison of stores."""

import json

import pytest

from experiments.runner import main
from experiments.storage import EXPERIMENT, STORES

pytestmark = pytest.mark.slow
pytest.importorskip("zarr", reason="pip install 'liminal-jax[storage]'")
pytest.importorskip("tensorstore", reason="pip install 'liminal-jax[storage]'")


def test_a_short_run_measures_every_store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(EXPERIMENT, ["--smoke", "-o", "out"]) == 0
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert all(set(it) == set(STORES) for it in results["seconds"].values())
    assert all(
        seconds > 0 for it in results["seconds"].values() for its in it.values() for seconds in its
    )
    # No number is lost where every chunk is locked.
    assert results["lost"]["tensorstore"] == 0
    assert 0 <= results["lost"]["zarr"] < 1
    assert (tmp_path / "out" / "storage.png").stat().st_size > 0
