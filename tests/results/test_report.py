"""Pages of runs: what they show is what the file holds, and they ask no network for anything."""

import json
import math
import re
import shlex
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import liminal_jax as ll
from liminal_jax._files import InputError
from liminal_jax.results import sweep_data as data
from liminal_jax.results import sweep_kept
from liminal_jax.results.kinds import kind_of
from liminal_jax.results.page import Drawings, Figure, text_of
from liminal_jax.results.report import KINDS, report
from liminal_jax.study.limits import PHYSICAL
from tests.cli.terminal import exit_code
from tests.cli.test_portfolio import TWO
from tests.cli.test_predict import no_token
from tests.optimization.brute import study
from tests.optimization.small import FINISHED
from tests.results.rows import html_lines, terminal_lines
from tests.view.browser import CHROMIUM, DRIVER, MISSING, browser, waited

pytestmark = pytest.mark.slow

MOST_BYTES = 6_000_000
DESIGN = {**FINISHED["design"], "system": "h200"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run of each command, made once."""
    folder = tmp_path_factory.mktemp("runs")
    path = str(study(folder, "finished", **{**FINISHED, "design": DESIGN}))
    (folder / "two.toml").write_text(TWO)
    commands = {
        "optimize": ["optimize", path, "--calibration", "measured"],
        "pareto": ["pareto", path],
        "sensitivity": ["sensitivity", path, "--top", "3"],
        "uncertainty": ["uncertainty", path, "--samples", "4"],
        "portfolio": ["optimize", str(folder / "two.toml")],
    }
    axes = [
        "-m",
        "llama-3-8b",
        "--system",
        "h200",
        "--axis",
        "tp=1,2,4",
        "--axis",
        "batch=1:256:40",
    ]
    axes += ["--axis", "system.chip.memory.bandwidth=1e12:9e12:110:log"]
    commands["sweep"] = ["sweep", *axes, "--maximise", "stps", "--maximise", "utps"]
    commands["sweep"] += ["--by", "tp", "--histogram", "power", "--histogram", "utps"]
    commands["kept"] = ["sweep", *axes, "--keep", "all"]
    for name, command in commands.items():
        assert exit_code([*command, "-o", str(folder / name)]) == 0
    return folder


class Shown(HTMLParser):
    """The numbers of a page with their places, and addresses that it would load."""

    def __init__(self):
        super().__init__()
        self.numbers, self.loaded = [], []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag == "data":
            self.numbers.append((found["data-path"], float(found["value"] or "nan")))
        self.loaded += [found[it] for it in ("src", "href") if it in found]


def at(record, path):
    """What stands at a path; keys may have points in them, and the longest one that fits is."""
    if not path:
        return record
    words = path.split(".")
    if isinstance(record, list):
        return at(record[int(words[0])], ".".join(words[1:]))
    for length in range(len(words), 0, -1):
        key = ".".join(words[:length])
        if key in record:
            return at(record[key], ".".join(words[length:]))
    raise KeyError(path)


RUNS = ("optimize", "pareto", "sensitivity", "uncertainty", "portfolio", "sweep", "kept")


@pytest.mark.parametrize("name", RUNS)
def test_numbers_on_the_page_are_those_of_the_file(runs, name):
    text = report(str(runs / name))
    record = json.loads((runs / name / "result.json").read_text())
    shown = Shown()
    shown.feed(text)
    assert len(shown.numbers) >= 3
    (found,) = re.findall(r'<script type="application/json" id="record">(.*?)</script>', text, re.S)
    held = json.loads(found.replace("<\\/", "</"), parse_constant=no_token)
    assert {key: it for key, it in held.items() if key in record} == record
    for path, value in shown.numbers:
        assert math.isclose(at(held, path), value, rel_tol=1e-12), path
    assert all(it.startswith("data:") for it in shown.loaded)
    assert len(text.encode()) < MOST_BYTES
    assert "The same again: <code>" in text
    assert ("Within: " in text) == bool(record.get("constraints"))
    assert text.index('class="answer"') < text.index("<section>")
    assert "where the time " in text


@pytest.mark.parametrize("name", RUNS)
def test_a_terminal_shows_the_rows_of_the_page(runs, name, monkeypatch):
    monkeypatch.setattr("liminal_jax.results.terminal.MOST_ROWS", 1_000_000)
    record = json.loads((runs / name / "result.json").read_text())
    kind = KINDS[record["kind"]]
    if name == "kept":
        page = sweep_kept.page(sweep_kept.whole(record, runs / name), runs / name)
    else:
        page = kind.page(kind.whole(record, runs / name))
    kinds = (Drawings, Figure)
    drawn_alone = {it.title for it in page.sections if all(isinstance(x, kinds) for x in it.parts)}
    assert terminal_lines(page) == [it for it in html_lines(page) if it not in drawn_alone]
    assert len(terminal_lines(page)) > 20


@pytest.mark.parametrize("name", ["optimize", "pareto", "sensitivity", "uncertainty", "portfolio"])
def test_records_written_before_they_told_their_kind_have_the_same_rows(runs, name):
    record = json.loads((runs / name / "result.json").read_text())
    old = {key: it for key, it in record.items() if key not in ("kind", "schema", "workload")}
    kind = {"optimize": "optimum"}.get(name, name)
    assert kind_of(old) == kind_of(record) == kind
    page = KINDS[kind].page
    assert terminal_lines(page(old)) == terminal_lines(page(record))


@pytest.mark.parametrize("name", ["optimize", "sensitivity", "uncertainty"])
def test_no_name_of_a_field_stands_on_a_page(runs, name):
    record = json.loads((runs / name / "result.json").read_text())
    kind = KINDS[record["kind"]]
    page = kind.page(kind.whole(record, runs / name))
    told = "\n".join([*page.about, text_of(page.answer), *terminal_lines(page)])
    assert "UTPS" in told
    assert re.findall(r"\b(?:utps|stps|[a-z]+_[a-z_]+)\b", told) == []


def test_a_limit_has_one_price(runs):
    """The page of an optimum and that of its sensitivities tell the same of each limit."""
    prices = []
    for name, pattern in (
        ("optimize", r"(.*) more of the limit on (\w[\w ]*) (?:raises|lowers) .* by (.*)\."),
        (
            "sensitivity",
            r"(\w[\w ]*) at (?:least|most) .*: (.*) more (?:costs|saves|is worth) (.*)",
        ),
    ):
        record = json.loads((runs / name / "result.json").read_text())
        lines = terminal_lines(KINDS[record["kind"]].page(record))
        found = [it.groups() for line in lines if (it := re.fullmatch(pattern, line))]
        prices.append({frozenset(it) for it in found})
    assert prices[0] == prices[1] != set()


ORDER = (
    "the design",
    "why: time, roofline and limits",
    "what would change the answer",
    "what numbers are worth, solved again with 10 % less and more",
    "what engines reach",
    "how sure that is",
    "when numbers are drawn from their ranges",
    "the front: drag a box to keep its designs in the table below",
    "what gradients found",
    "what it does",
    "what to build",
    "where this comes from",
)
"""What the page of an optimum tells, from top to bottom."""


def test_the_page_of_an_optimum_answers_first_and_lists_its_tables_last(runs, tmp_path):
    mine = tmp_path / "mine"
    shutil.copytree(runs / "optimize", mine)
    for name, run in (
        ("front", "pareto"),
        ("sensitivity", "sensitivity"),
        ("uncertainty", "uncertainty"),
    ):
        shutil.copytree(runs / run, mine / name)
    text, shown = report(str(mine)), Shown()
    titles = re.findall("<h2>(.*?)</h2>", text)
    assert [it for it in titles if it in ORDER] == list(ORDER)
    body = text[text.index("<section>") :]
    assert re.findall('data-figure="(.*?)"', body)[0] == "package"
    assert body.index('data-figure="package"') < body.index("<h2>why")
    shown.feed(text)
    numbers, record = dict(shown.numbers), json.loads((mine / "result.json").read_text())
    front = json.loads((mine / "front" / "result.json").read_text())
    name = next(iter(front["points"][0]["objectives"]))
    assert numbers[f"front.points.0.objectives.{name}"] == front["points"][0]["objectives"][name]
    again = json.loads((mine / "sensitivity" / "result.json").read_text())
    assert numbers["sensitivity.tornado.0.low"] == again["tornado"][0]["low"]
    held = [PHYSICAL[it["constraint"]] for it in record["binding"] if it["constraint"] in PHYSICAL]
    (gauges,) = re.findall('<svg[^>]*data-figure="limits".*?</svg>', body)
    assert all(it in gauges for it in held)
    reached = record["calibrated"]
    assert reached["utps_low"] < reached["utps"] < reached["utps_high"]
    assert reached["utps"] < record["prediction"]["utps"]
    assert numbers["calibrated.utps_low"] == reached["utps_low"]


def test_runs_of_another_study_do_not_go_onto_the_page_of_an_optimum(runs, tmp_path):
    mine = tmp_path / "mine"
    shutil.copytree(runs / "optimize", mine)
    (mine / "front").mkdir()
    other = json.loads((runs / "pareto" / "result.json").read_text()) | {"name": "other"}
    (mine / "front" / "result.json").write_text(json.dumps(other))
    assert "the front" not in report(str(mine))


def browse(page, folder):
    """Open a page in a headless browser, and return what it has become."""
    return subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--virtual-time-budget=5000",
            "--enable-logging=stderr",
            f"--user-data-dir={folder / 'profile'}",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )


@pytest.mark.skipif(not CHROMIUM, reason=MISSING)
@pytest.mark.parametrize("name", RUNS)
def test_a_browser_draws_it_without_a_network_or_an_error(runs, name, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(report(str(runs / name)))
    done = browse(page, tmp_path)
    drawings = report(str(runs / name)).count("<figure")
    assert drawings >= 1
    assert done.stdout.count("main-svg") >= drawings
    # What the page's policy forbids, and it forbids every request, is an error on the console.
    errors = [
        it for it in done.stderr.splitlines() if "CONSOLE" in it and re.search("rror|violates", it)
    ]
    assert errors == []


@pytest.mark.skipif(not CHROMIUM, reason=MISSING)
def test_the_policy_of_the_page_forbids_every_request(runs, tmp_path):
    """So the test above would see one."""
    text = report(str(runs / "optimize"))
    page = tmp_path / "page.html"
    page.write_text(text.replace("<h1>", '<img src="http://127.0.0.1:9/x.png"><h1>', 1))
    done = browse(page, tmp_path)
    assert any(
        "CONSOLE" in it and re.search("rror|violates", it) for it in done.stderr.splitlines()
    ), done.stderr


def test_a_prediction_that_was_printed_has_a_page_too(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = ["predict", "-m", "llama-3-8b", "--system", "h100", "--json"]
    monkeypatch.setattr(sys, "argv", ["/usr/bin/liminal", *command])
    assert exit_code(command) == 0
    Path("mine.json").write_text(capsys.readouterr().out)
    assert exit_code(["report", "mine.json"]) == 0
    record, shown = json.loads(Path("mine.json").read_text()), Shown()
    shown.feed(Path("mine.html").read_text())
    assert dict(shown.numbers)["utps"] == record["utps"]
    assert dict(shown.numbers)["gains.memory_bandwidth"] == record["gains"]["memory_bandwidth"]
    again = re.findall("The same again: <code>liminal (.*?)</code>", Path("mine.html").read_text())
    assert shlex.split(again[0]) == command
    origin = record["provenance"]
    assert origin["liminal_jax"] == ll.__version__
    for name in ("liminal_jax", "utc", "jax", "device"):
        assert f"<tr><th>{name}</th><td>{origin[name]}</td></tr>" in Path("mine.html").read_text()
    assert exit_code(["report", "mine.json"]) == 2
    assert "mine.html: exists; choose another, or give --overwrite" in capsys.readouterr().err


def test_a_prediction_that_does_not_tell_its_command_has_one_that_says_the_same(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert exit_code(["predict", "-m", "llama-3-8b", "--system", "h100", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    del record["provenance"]
    Path("mine.json").write_text(json.dumps(record))
    assert exit_code(["report", "mine.json"]) == 0
    capsys.readouterr()
    again = re.findall("The same again: <code>liminal (.*?)</code>", Path("mine.html").read_text())
    assert exit_code([*shlex.split(again[0]), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {key: it for key, it in found.items() if key != "provenance"} == record


def test_an_experiment_shows_its_verdicts_and_its_figures(tmp_path):
    claim = {"claim": "all is well", "verdict": "holds", "numbers": {}, "sentence": "it is"}
    (tmp_path / "config.json").write_text('{"models": ["a"]}')
    (tmp_path / "results.json").write_text(json.dumps({"verdicts": [claim]}))
    (tmp_path / "well.png").write_bytes(b"picture")
    text = report(str(tmp_path))
    assert "1 of 1 claims hold" in text
    assert "data:image/png;base64,cGljdHVyZQ==" in text


def test_what_is_no_run_is_refused(tmp_path):
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "other.json").write_text('{"a": 1}')
    for name, message in (
        ("nothing", "is not there; give the folder of a run"),
        ("list.json", "holds no record"),
        ("broken.json", "is not valid JSON: "),
        ("other.json", "holds no run that has a page"),
    ):
        with pytest.raises(InputError) as refused:
            report(str(tmp_path / name))
        assert message in "\n".join(refused.value.lines())


def test_a_sweep_tells_what_its_folder_holds(runs):
    text, shown = report(str(runs / "sweep")), Shown()
    shown.feed(text)
    numbers, record = dict(shown.numbers), json.loads((runs / "sweep" / "result.json").read_text())
    timing = json.loads((runs / "sweep" / "timing.json").read_text())
    assert numbers["timing.seconds"] == timing["seconds"]
    assert numbers["timing.points"] == timing["points"] == record["points"]
    assert numbers["feasible"] == record["feasible"]
    assert len(
        [path for path in numbers if re.fullmatch(r"front\.\d+\.outputs\.utps", path)]
    ) == len(record["front"])
    assert (
        numbers["histograms.power.quantiles.0.5"]
        == record["histograms"]["power"]["quantiles"]["0.5"]
    )
    for words in ("the best for each TP", "h200", "llama-3-8b"):
        assert words in text


def test_points_that_were_kept_are_judged_as_they_lie_in_the_file(runs):
    import xarray

    text, shown = report(str(runs / "kept")), Shown()
    shown.feed(text)
    numbers = dict(shown.numbers)
    with xarray.open_dataset(runs / "kept" / "data.nc", engine="h5netcdf") as data:
        points = data.where(data.feasible > 0).stack(point=list(data.dims))
        utps, stps = points.utps.values, points.stps.values
        assert numbers["kept.best.0.outputs.utps"] == np.nanmax(utps)
        assert numbers["points"] == len(utps)
        assert numbers["kept.usable"] == np.isfinite(utps).sum()
        best = points.isel(point=int(np.nanargmax(utps)))
        assert numbers["kept.best.0.tp"] == float(best.tp)
        front = {
            (u, s)
            for u, s in zip(utps, stps, strict=True)
            if np.isfinite(u) and not ((utps >= u) & (stps >= s) & ((utps > u) | (stps > s))).any()
        }
        by = points.stps.groupby("tp").max()
    assert numbers["kept.front_points"] == len(front)
    listed = {
        (numbers[f"kept.front.{at}.outputs.utps"], numbers[f"kept.front.{at}.outputs.stps"])
        for at in range(len(front))
    }
    assert listed == front
    assert by.size == 3
    drawn = "10,000 of" if numbers["kept.usable"] > 10_000 else "Behind it all"
    assert drawn in text


def test_few_of_many_points_are_drawn_by_lot(runs, monkeypatch):
    record = json.loads((runs / "kept" / "result.json").read_text())
    kept = data.opened(record, runs / "kept")
    monkeypatch.setattr(data, "MOST_DRAWN", 500)
    whole = data.summary(kept)
    monkeypatch.setattr(data, "BLOCK", 1000)
    assert data.summary(kept) == whole
    points = data.drawn_points(kept)
    assert len(set(points.tolist())) == 500
    assert np.isin(points, np.flatnonzero(kept.usable(slice(0, kept.size)))).all()
    assert points.min() < 1000 < kept.size - 1000 < points.max() + 4000
    assert (points == data.drawn_points(kept)).all()


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (["--maximise", "utps"], "none of 2 points keeps every limit"),
        (["--keep", "utps", "--keep", "fits"], "none of 2 points counts"),
    ],
)
def test_a_sweep_in_which_nothing_fits_says_so(tmp_path, asked, answer):
    hardware = ["-m", "llama-3-405b", "--system", "h200", "--axis", "batch=1,2"]
    exit_code(["sweep", *hardware, *asked, "-o", str(tmp_path / "run")])
    shown = re.sub("<[^>]*>", "", report(str(tmp_path / "run")).split('class="answer">')[1])
    assert shown.startswith(answer)


def test_a_sweep_without_its_data_is_refused(runs, tmp_path):
    for name in ("result.json", "manifest.json"):
        (tmp_path / name).write_bytes((runs / "kept" / name).read_bytes())
    with pytest.raises(InputError, match="the points of the sweep are gone"):
        report(str(tmp_path))


@pytest.mark.skipif(not (CHROMIUM and DRIVER), reason=MISSING)
@pytest.mark.parametrize("name", ["pareto", "sweep", "kept"])
def test_a_box_over_the_front_keeps_the_rows_of_its_points(runs, name, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(report(str(runs / name)))
    rows = "return [...document.querySelectorAll('#designs tbody tr, #points tbody tr')]"
    with browser(tmp_path) as window:
        window.open(page.as_uri())
        waited(
            lambda: window.run("return document.querySelector('figure[data-brushes] .nsewdrag')")
        )
        all_of_them = window.run(f"{rows}.length")
        left, top, width, height = window.run(
            "const area = document.querySelector('figure[data-brushes] .nsewdrag');"
            "area.scrollIntoView({block: 'center'});"
            "const it = area.getBoundingClientRect();"
            "return [it.left, it.top, it.width, it.height]"
        )
        window.drag((left + 2, top + 2), (left + width - 2, top + height / 5))
        shown = f"{rows}.filter(it => !it.hidden).length"
        waited(lambda: window.run(shown) < all_of_them, 20)
        assert window.run(shown) > 0
