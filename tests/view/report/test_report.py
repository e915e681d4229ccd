"""Pages of runs: what they show is what the file holds, and they ask no network for anything."""

import json
import math
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from liminal_jax._files import InputError
from liminal_jax.view.report.run import report
from tests.cli.terminal import exit_code
from tests.cli.test_predict import no_token
from tests.design.brute import study
from tests.design.small import FINISHED

MOST_BYTES = 6_000_000
DESIGN = {**FINISHED["design"], "system": "h200"}
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run of each command, made once."""
    folder = tmp_path_factory.mktemp("runs")
    path = str(study(folder, "finished", **{**FINISHED, "design": DESIGN}))
    commands = {
        "optimize": ["optimize", path],
        "pareto": ["pareto", path],
        "sensitivity": ["sensitivity", path, "--top", "3"],
    }
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
    for key in path.split("."):
        record = record[int(key)] if isinstance(record, list) else record[key]
    return record


@pytest.mark.parametrize("name", ["optimize", "pareto", "sensitivity"])
def test_numbers_on_the_page_are_those_of_the_file(runs, name):
    text = report(str(runs / name))
    record = json.loads((runs / name / "result.json").read_text())
    shown = Shown()
    shown.feed(text)
    assert len(shown.numbers) >= 3
    for path, value in shown.numbers:
        assert math.isclose(at(record, path), value, rel_tol=1e-12), path
    assert all(it.startswith("data:") for it in shown.loaded)
    assert len(text.encode()) < MOST_BYTES
    (data,) = re.findall(r'<script type="application/json" id="record">(.*?)</script>', text, re.S)
    assert json.loads(data.replace("<\\/", "</"), parse_constant=no_token) == record
    assert "The same again: <code>" in text
    assert "Within: utps at least 150 tokens/s." in text


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


@pytest.mark.skipif(not CHROMIUM, reason="needs Chromium")
@pytest.mark.parametrize("name", ["optimize", "pareto", "sensitivity"])
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


@pytest.mark.skipif(not CHROMIUM, reason="needs Chromium")
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
    assert exit_code(["predict", "-m", "llama-3-8b", "--system", "h100", "--json"]) == 0
    Path("mine.json").write_text(capsys.readouterr().out)
    assert exit_code(["report", "mine.json"]) == 0
    record, shown = json.loads(Path("mine.json").read_text()), Shown()
    shown.feed(Path("mine.html").read_text())
    assert dict(shown.numbers)["utps"] == record["utps"]
    assert exit_code(["report", "mine.json"]) == 2
    assert "mine.html: exists; choose another, or give --overwrite" in capsys.readouterr().err


def test_an_experiment_shows_its_verdicts_and_its_figures(tmp_path):
    claim = {"claim": "all is well", "holds": True, "sentence": "it is", "population": "all"}
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
        ("broken.json", "cannot be read"),
        ("other.json", "holds no run that has a page"),
    ):
        with pytest.raises(InputError) as refused:
            report(str(tmp_path / name))
        assert message in "\n".join(refused.value.lines())
