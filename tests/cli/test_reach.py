"""`liminal reach`: what it prints and writes, and what bad input gets."""

import itertools
import json
import math
import re
from pathlib import Path

import pytest

from liminal_jax.results import reach as result
from liminal_jax.results.kinds import kind_of
from liminal_jax.results.report import report
from tests.cli.terminal import exit_code
from tests.results.rows import html_lines, terminal_lines
from tests.results.test_report import Shown, at

KEYS = {
    "kind",
    "schema",
    "name",
    "workload",
    "target",
    "reachable",
    "from",
    "design",
    "prediction",
    "levers",
    "distance",
    "bound",
    "proofs",
    "method",
    "seconds",
    "settings",
}
ASKED = ["reach", "-m", "llama-3-8b", "--system", "h200", "--levers", "drafts,latency"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A speed that is reached, and one that is not, each once."""
    folder = tmp_path_factory.mktemp("reach")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
        codes = [
            exit_code([*ASKED, "--utps", speed, "-o", name])
            for name, speed in (("reached", "4000"), ("missed", "1000000"))
        ]
    assert codes == [0, 1]
    return folder


@pytest.fixture(params=["reached", "missed"])
def record(runs, request):
    return json.loads((runs / request.param / "result.json").read_text())


@pytest.mark.slow
def test_a_record_has_all_that_it_promises(record):
    assert set(record) == KEYS
    assert kind_of(record) == "reach"
    for it in record["levers"]:
        assert {"path", "label", "from", "to", "alone", "contribution"} <= set(it)
        assert set(it["alone"]) == {"utps", "at", "reachable", "proof"}
        assert bool(it["alone"]["proof"]) != it["alone"]["reachable"]
    gain = math.log(record["prediction"]["utps"] / record["from"]["utps"])
    assert sum(it["contribution"] for it in record["levers"]) == pytest.approx(gain)
    assert record["reachable"] == (record["prediction"]["utps"] >= record["target"] * (1 - 1e-9))
    assert record["prediction"]["utps"] <= record["bound"]["utps"]


@pytest.mark.slow
def test_a_run_folder_holds_result_and_waterfall(runs):
    for name in ("reached", "missed"):
        files = {str(it.relative_to(runs / name)) for it in (runs / name).rglob("*.*")}
        figures = {f"figures/waterfall.{kind}" for kind in ("png", "pdf")}
        assert files == {"result.json", "provenance.json", *figures}


@pytest.mark.slow
def test_steps_of_the_waterfall_join_the_two_speeds(record):
    steps = result.steps(record)
    assert steps[0][1] == record["from"]["utps"]
    assert steps[-1][2] == pytest.approx(record["prediction"]["utps"])
    assert all(one[2] == two[1] for one, two in itertools.pairwise(steps))


@pytest.mark.slow
def test_terminal_and_page_show_the_same(record):
    page = result.page(record)
    assert terminal_lines(page) == html_lines(page)


@pytest.mark.slow
def test_numbers_on_the_page_are_those_of_the_file(runs, record):
    text = report(str(runs / ("reached" if record["reachable"] else "missed")))
    shown = Shown()
    shown.feed(text)
    assert len(shown.numbers) > 10
    for path, value in shown.numbers:
        assert math.isclose(at(record, path), value, rel_tol=1e-12), path
    assert ("not reached" in text) != record["reachable"]
    (held,) = re.findall(r'<script type="application/json" id="record">(.*?)</script>', text, re.S)
    assert json.loads(held.replace("<\\/", "</")) == record


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-m", "llama-3-8b"], "--utps: is required"),
        (["-m", "llama-3-8b", "--utps", "0"], "--utps: must be above 0"),
        (["-m", "llama-3-8b", "--utps", "nan"], "--utps: must be above 0"),
        (["--utps", "100"], "--model: is required"),
        (["deepseek-v3-128k", "--system", "h200", "--utps", "9"], "--system: give hardware or a"),
        (["-m", "llama-3-8b", "--utps", "9", "--context", "0"], "--context: must be at least 1"),
        (["-m", "llama-3-8bb", "--system", "h200", "--utps", "9"], "--model: llama-3-8bb"),
        (["-m", "llama-3-8b", "--system", "h2000", "--utps", "9"], "--system: there is no"),
        (["no-such-study", "--utps", "9"], "no-such-study"),
        ([*ASKED[1:-1], "draftz", "--utps", "9"], "--levers: there is no lever 'draftz'; did you"),
    ],
)
def test_what_is_wrong_is_told_with_its_flag(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert exit_code(["reach", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not list(Path().iterdir())
