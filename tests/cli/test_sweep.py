"""`liminal sweep`: what it finds and keeps, its folders, and all that is wrong with a question."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import xarray

from liminal_jax.study.questions import load_study
from liminal_jax.sweeps import store
from tests.cli.terminal import PROGRAM, ROOT, exit_code
from tests.cli.test_predict import no_token
from tests.optimization.brute import every_design, study

DESIGN = {"system": {"choices": ["h100", "h200"]}, "chips": 16, "cp": 1, "pp": 1, "ep": 1}
SAVING = f"import liminal_jax.sweeps.run as it; it.BETWEEN_SAVES = 0.1; {PROGRAM}"
"""What is known is put on the disk at once."""

DENSE = ("sweep", "-m", "llama-3-70b", "--system", "h200")
AXES = ("--axis", "tp=1,2,4,8", "--axis", "batch=1,8,64,512")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


def answered(capsys, *arguments, code=0):
    assert exit_code([*arguments, "--json"]) == code, capsys.readouterr()
    return json.loads(capsys.readouterr().out, parse_constant=no_token)


def refused(capsys, *arguments):
    assert exit_code(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err


@pytest.mark.slow
def test_a_study_is_swept_as_by_brute_force(capsys):
    path = str(study(Path(), "finished", design={**DESIGN, "system": "h200"}))
    rows = [it for it in every_design("finished", load_study(path)) if it.feasible]
    answer = answered(
        capsys, "sweep", path, "--maximise", "stps", "--minimise", "power", "--by", "tp"
    )
    assert answer["feasible"] == len(rows)
    tps = {it.values["tp"] for it in rows}
    best = sorted((it.quantities["stps"] for it in rows), reverse=True)[:10]
    assert [it["outputs"]["stps"] for it in answer["top"]] == pytest.approx(best, rel=1e-9)
    pairs = {(it.quantities["stps"], it.quantities["power"]) for it in rows}
    front = sorted(
        one
        for one in pairs
        if not any(it != one and it[0] >= one[0] and it[1] <= one[1] for it in pairs)
    )
    found = sorted((it["outputs"]["stps"], it["outputs"]["power"]) for it in answer["front"])
    assert np.array(found) == pytest.approx(np.array(front), rel=1e-9)
    most = {tp: max(it.quantities["stps"] for it in rows if it.values["tp"] == tp) for tp in tps}
    by = {it["tp"]: it["outputs"]["stps"] for it in answer["best_by"]["rows"]}
    assert by == pytest.approx(most, rel=1e-9)
    assert (Path("runs/finished-1/figures/front.png")).exists()


def test_the_screen_tells_what_was_found(capsys):
    wanted = ("--maximise", "utps", "--minimise", "power", "--histogram", "utps", "--by", "tp")
    assert exit_code([*DENSE, *AXES, *wanted]) == 0
    out, err = capsys.readouterr()
    headings = ("the best by utps", "the front", "the best for each TP", "how outputs are spread")
    for words in ("most UTPS: ", "the best of 16 points", *headings):
        assert words in out
    assert "written to runs/design-1" in out
    assert max(map(len, (out + err).splitlines())) <= 100


@pytest.mark.slow
def test_names_are_an_outer_loop_that_is_announced(capsys):
    wanted = ("--axis", "model=llama-3-70b,qwen3-8b")
    assert exit_code([*DENSE, *AXES, *wanted, "--by", "model", "--json"]) == 0
    out, err = capsys.readouterr()
    assert "model changes the computation: 2 cases" in err
    answer = json.loads(out)
    assert answer["points"] == 32
    assert [it["model"] for it in answer["best_by"]["rows"]] == ["llama-3-70b", "qwen3-8b"]


@pytest.mark.slow
def test_everything_kept_is_a_dataset_with_units(capsys):
    arguments = (*DENSE, *AXES, "--axis", "memory.bandwidth=1:2:2")
    assert "did you mean 'chip.memory.bandwidth'" in refused(capsys, *arguments)
    bandwidth = ("--axis", "system.chip.memory.bandwidth=1 TB/s:2 TB/s:2")
    keep = ("--keep", "all", "--parquet", "-o", "out")
    assert exit_code([*DENSE, *AXES, *bandwidth, *keep]) == 0
    with xarray.open_dataset("out/data.nc", engine="h5netcdf") as data:
        assert dict(data.sizes) == {"tp": 4, "batch": 4, "chip.memory.bandwidth": 2}
        assert data["chip.memory.bandwidth"].attrs["units"] == "B/s"
        assert data.utps.attrs == {"units": "1/s", "long_name": "tokens a second of one user"}
        assert json.loads(data.attrs["manifest"])["points"] == 32
        assert "liminal_jax" in data.attrs
        point = data.sel({"tp": 8, "batch": 64, "chip.memory.bandwidth": 2e12})
        values = {name: float(point[name]) for name in ("utps", "power", "feasible")}
        flat = data.utps.values.ravel()
    capsys.readouterr()
    Path("h.toml").write_text("")
    import pyarrow.parquet

    table = pyarrow.parquet.read_table("out/data.parquet")
    assert table.column("utps").to_pylist() == flat.tolist()
    assert table.schema.metadata[b"unit.utps"] == b"1/s"
    alone = answered(
        capsys,
        *DENSE,
        "--axis",
        "tp=8",
        "--axis",
        "batch=64",
        "--axis",
        "chip.memory.bandwidth=2e12",
    )
    (row,) = alone["top"]
    for name, value in values.items():
        assert row["outputs"][name] == pytest.approx(value, rel=1e-12)


def test_samples_are_kept_with_what_was_drawn(capsys):
    drawn = ("--axis", "tp=1,2,4,8", "--axis", "batch=1:512:log", "--axis", "context=8192:131072")
    for kind in ("sobol", "latin"):
        more = ("--sample", kind, "--points", "1000", "--keep", "utps", "-o", kind)
        assert exit_code([*DENSE, *drawn, *more]) == 0
        with xarray.open_dataset(f"{kind}/data.nc", engine="h5netcdf") as data:
            assert dict(data.sizes) == {"point": 1000}
            assert set(data.tp.values) == {1.0, 2.0, 4.0, 8.0}
            assert np.array_equal(data.batch.values, np.round(data.batch.values))
            assert np.all((data.utps > 0).values)
    capsys.readouterr()


@pytest.mark.slow
def test_single_precision_is_near(capsys):
    both = [answered(capsys, *DENSE, *AXES, *more) for more in ((), ("--float32",))]
    assert both[1]["precision"] == 32
    assert [it["number"] for it in both[0]["top"]] == [it["number"] for it in both[1]["top"]]


def test_what_it_would_take_is_told_first(capsys):
    assert exit_code([*DENSE, *AXES, "--keep", "utps", "--dry-run"]) == 0
    out, _ = capsys.readouterr()
    assert re.search(r"\bpoints +16\b", out)
    assert "128 B" in out
    assert "about" in out
    assert not Path("runs").exists()


def test_nothing_feasible_is_an_answer(capsys):
    path = str(
        study(
            Path(),
            "finished",
            design={**DESIGN, "system": "h200"},
            constraints=[{"quantity": "utps", "at_least": 1e6}],
        )
    )
    answer = answered(capsys, "sweep", path, code=1)
    assert answer["feasible"] == 0
    assert answer["top"] == []


WRONG = {
    "batsh=1,2": "there is no number 'batsh' to vary; did you mean 'batch'?",
    "tp": "'tp' must be PATH=VALUES",
    "tp=": "'tp=' is empty",
    "tp=1,,2": "a value is missing",
    "tp=0,1": "tp: must be at least 1, got '0'",
    "tp=1.5": "must be a whole number",
    "batch=-4": "must be at least 1",
    "batch=nan": "got 'nan'",
    "context=0": "context: must be greater than 0",
    "chip.memory.bandwidth=0,1e12": "must be greater than 0, got 0",
    "chip.memory.bandwidth=1 GB": "a quantity in B/s is wanted",
    "network.efficiency=0.5,1.5": "must be at most 1, got 1.5",
    "batch=8:1:3": "min '8' is above max '1'",
    "batch=1:8:few": "a whole number, got 'few'",
    "batch=1:8:3:lgo": "did you mean 'log'",
    "batch=1:8": "needs --sample",
    "model=deepseek-v9": "there is no model 'deepseek-v9'",
    "memory=hbm4": "names finished hardware; vary system instead",
}


@pytest.mark.parametrize("axis", WRONG)
def test_axes_that_make_no_sense(axis, capsys):
    told = " ".join(refused(capsys, *DENSE, "--axis", axis).split())
    assert WRONG[axis] in told
    assert not Path("runs").exists()


def test_everything_that_is_wrong_is_told_at_once(capsys):
    more = ("--axis", "tq=1", "--axis", "batch=0", "--maximise", "utsp", "--by", "pp")
    told = refused(capsys, *DENSE, *more)
    for words in (
        "'tq'",
        "batch: must be at least 1",
        "'utsp'; did you mean 'utps'",
        "'pp' is no axis",
    ):
        assert words in told


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--keep", "utps", "--maximise", "utps"), "not both"),
        (("--parquet",), "--parquet: needs --keep"),
        (("--resume",), "--resume: needs --output"),
        (("--points", "5"), "--points: needs --sample"),
        (("--sample", "sobol"), "--points: must be at least 1"),
        (("--sample", "sobol", "--points", str(2**33)), "must be at most"),
        (("--sample", "latin", "--points", str(2**30)), "a Sobol sequence has room for more"),
        (("--processes", "2"), "needs --distributed"),
        (("--axis", "tp=1"), "tp is varied twice"),
        (("--top", "0"), "--top: must be at least 1"),
    ],
)
def test_flags_that_contradict_each_other(more, words, capsys):
    assert words in refused(capsys, *DENSE, *AXES, *more)


def test_more_points_than_numbers_tell_apart(capsys):
    paths = ("chip.memory.bandwidth", "chip.tensor.bits_8", "chip.vector", "context")
    axes = [word for it in paths for word in ("--axis", f"{it}=1e12:2e12:100000")]
    assert "more than 2^63" in refused(capsys, *DENSE, *axes)


@pytest.mark.slow
def test_a_folder_is_resumed_only_by_its_own_sweep(capsys):
    first = ("sweep", str(study(Path(), "finished", design=DESIGN)), "-o", "out")
    assert exit_code(first) == 0
    capsys.readouterr()
    before = Path("out/result.json").read_bytes()
    assert "is not empty" in refused(capsys, *first)
    assert exit_code([*first, "--resume"]) == 0
    capsys.readouterr()
    told = refused(capsys, *DENSE, *AXES, "-o", "out", "--resume")
    assert "out: study" in told
    assert "is another sweep, and is left as it is" in told
    study(Path(), "finished", design={**DESIGN, "chips": 8})
    assert "study.design.chips" in refused(capsys, *first, "--resume")
    assert Path("out/result.json").read_bytes() == before
    Path("other").mkdir()
    Path("other/precious.txt").write_text("mine")
    assert "holds no sweep" in refused(capsys, *DENSE, *AXES, "-o", "other", "--resume")
    assert Path("other/precious.txt").read_text() == "mine"


def test_another_version_does_not_go_on(capsys, monkeypatch):
    from liminal_jax.sweeps import plan

    assert exit_code([*DENSE, *AXES, "-o", "out"]) == 0
    capsys.readouterr()
    monkeypatch.setattr(plan, "__version__", "0.0.9")
    told = refused(capsys, *DENSE, *AXES, "-o", "out", "--resume")
    assert 'out: liminal_jax: was "' in told
    assert 'is "0.0.9"' in told


def test_a_disk_that_is_full_before_it_begins(capsys, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store.os, "posix_fallocate", full)
    told = refused(capsys, *DENSE, *AXES, "--keep", "utps", "-o", "out")
    assert "out: cannot be written: No space left on device" in told


def test_a_disk_that_fills_up_leaves_a_folder_to_resume(capsys, monkeypatch):
    with monkeypatch.context() as patch:

        def full(*_):
            raise OSError(errno.ENOSPC, "No space left on device")

        patch.setattr(store.os, "pwrite", full)
        told = refused(capsys, *DENSE, *AXES, "--keep", "utps", "-o", "out")
        assert "No space left on device" in told
        assert "--resume" in told
    assert exit_code([*DENSE, *AXES, "--keep", "utps", "-o", "out", "--resume"]) == 0
    assert Path("out/data.nc").exists()
    assert not Path("out/data.nc.partial").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(capsys):
    Path("shut").mkdir(mode=0o500)
    assert "cannot be written" in refused(capsys, *DENSE, *AXES, "-o", "shut/out")


def test_a_file_in_the_way(capsys):
    Path("file").write_text("")
    assert "cannot be written" in refused(capsys, *DENSE, *AXES, "-o", "file/out")


@pytest.mark.slow
def test_control_c_leaves_a_folder_to_resume(tmp_path):
    endless = (
        "--axis",
        "context=8192:131072:100000",
        "--axis",
        "chip.memory.bandwidth=1e12:9e12:100000",
    )
    process = subprocess.Popen(
        [sys.executable, "-c", SAVING, *DENSE, *AXES, *endless, "-o", "out"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    patience = time.monotonic() + 120
    while not list(Path("out").glob("state-*")):
        assert time.monotonic() < patience
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "continue with the same command, -o out and --resume" in told
    assert "Traceback" not in told
    assert Path("out/manifest.json").exists()


def test_help_needs_no_jax():
    program = (
        "import sys; from liminal_jax.cli.main import main\n"
        "try: main(['sweep', '--help'])\n"
        "except SystemExit: pass\n"
        "print('jax' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stderr.split() == ["False"]
    assert max(map(len, done.stdout.splitlines())) <= 100
