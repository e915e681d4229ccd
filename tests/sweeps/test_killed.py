"""A sweep that is killed at random moments and resumed is the sweep that never was, bit for bit."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
GRID = (
    *("sweep", "-m", "llama-3-70b", "--system", "h200", "--axis", "tp=1,2,4,8"),
    *("--axis", "batch=1:512:32:log", "--axis", "context=8192:131072:128:log"),
    *("--axis", "system.chip.memory.bandwidth=1e12:30e12:256:log"),
)
REDUCED = ("--maximise", "utps", "--minimise", "power", "--by", "tp", "--histogram", "utps")
KEPT = ("--keep", "utps", "--keep", "feasible")
DRAWN = (
    *("sweep", "-m", "llama-3-70b", "--system", "h200", "--axis", "tp=1,2,4,8"),
    *("--axis", "batch=1:512:log", "--axis", "context=8192:131072", "--sample", "sobol"),
    *("--points", "1000000", "--keep", "utps"),
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def lived(arguments, output, delays, cache):
    """What `lives.py` says on standard error."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.sweeps.lives", ",".join(map(str, delays)), "--"),
            *(*arguments, "-o", str(output), "--resume"),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(cache)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_ten_kills_leave_no_trace_in_a_sweep_that_reduces(tmp_path, cache):
    lived((*GRID, *REDUCED), tmp_path / "whole", (), cache)
    rng = random.Random(4)
    delays = [
        -round(rng.uniform(0.0, 1.0), 3),
        *(round(rng.uniform(0.0, 0.08), 3) for _ in range(9)),
    ]
    printed = lived((*GRID, *REDUCED), tmp_path / "killed", delays, cache)
    assert printed.count("resumed: ") >= 3
    names = {it.name for it in (tmp_path / "whole").iterdir()}
    assert names == {it.name for it in (tmp_path / "killed").iterdir()}
    one, other = (tmp_path / it / "result.json" for it in ("whole", "killed"))
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("arguments", [(*GRID, *KEPT), DRAWN], ids=["grid", "sobol"])
def test_kills_leave_no_trace_in_what_is_kept(arguments, tmp_path, cache):
    import numpy as np
    import xarray

    lived(arguments, tmp_path / "whole", (), cache)
    printed = lived(arguments, tmp_path / "killed", (0.05, 0.1), cache)
    assert "resumed: " in printed
    data = [
        xarray.load_dataset(tmp_path / it / "data.nc", engine="h5netcdf")
        for it in ("whole", "killed")
    ]
    assert set(data[0].variables) == set(data[1].variables)
    for name in data[0].variables:
        one, other = (np.ascontiguousarray(it[name].values) for it in data)
        assert one.tobytes() == other.tobytes()
        assert not np.any(one == 0) or name == "feasible"
