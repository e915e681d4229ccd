"""Designs side by side: what differs, by what factor, and the reason that pulls most."""

import json
import re

import pytest

import liminal_jax as ll
from liminal_jax.results.html import fragment
from liminal_jax.results.page import Value, text_of
from liminal_jax.results.quickest import quickest
from liminal_jax.results.reasons import Factor, _speed, differences, reason
from tests.cli.terminal import exit_code
from tests.results.rows import html_lines, terminal_lines

DESIGN = """
name = "mine"
[workload]
model = "llama-3-8b"
context = 4096.0
[design]
system = "h200"
tp = 2
batch = 4
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "design.toml").write_text(DESIGN)
    (tmp_path / "mine.toml").write_text(DESIGN.replace("tp = 2", "tp = 4"))
    return tmp_path


def sentences(record: dict) -> dict[str, str]:
    (other,) = record["differences"]
    return {it["quantity"]: it["sentence"] for it in other["differences"]}


@pytest.mark.usefixtures("mine")
def test_python_and_the_command_line_give_the_same_record(capsys):
    assert exit_code(["compare", "run", "mine.toml", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    found = ll.compare("run", "mine.toml")
    assert found.to_dict() == printed
    assert printed["kind"] == "comparison"
    assert [it["name"] for it in printed["sides"]] == ["run", "mine.toml"]
    first, second = (it["prediction"] for it in printed["sides"])
    assert exit_code(["predict", "-c", "run/design.toml", "--json"]) == 0
    alone = json.loads(capsys.readouterr().out)
    assert alone.pop("provenance")["liminal_jax"] == ll.__version__
    assert alone == first
    ratio = printed["differences"][0]["differences"][0]["ratio"]
    assert ratio == second["utps"] / first["utps"]
    assert terminal_lines(found.page())[0] == "what differs, and why"
    drawn = {"pictures", "where the time goes"}
    told = [it for it in html_lines(found.page()) if it not in drawn]
    assert [it for it in terminal_lines(found.page()) if it not in drawn] == told
    assert fragment(found.page()).count("<svg") == 6


@pytest.mark.usefixtures("mine")
def test_the_memory_that_streams_more_is_the_reason():
    record = ll.compare("h100", "h200", model="llama-3-8b", tp=1).to_dict()
    told = sentences(record)
    first, second = (it["prediction"] for it in record["sides"])
    assert second["utps"] / first["utps"] == pytest.approx(4.8 / 3.35, rel=1e-6)
    assert re.fullmatch(
        r"h200 is 43\.3 % quicker than h100 \(.*\): its memory streams 1\.43 times the bytes"
        r" a second; both wait for memory\.",
        told["utps"],
    )
    assert "all its chips have 1.76 times the memory" in told["memory_fill"]


@pytest.mark.slow
@pytest.mark.usefixtures("mine")
def test_a_system_takes_the_workload_of_a_run_and_a_model_its_hardware():
    record = ll.compare("run", "b200", "llama-3-70b").to_dict()
    run, system, model = (it["prediction"] for it in record["sides"])
    assert system["workload"] == run["workload"]
    for name in ("tp", "batch"):
        assert system["design"][name] == model["design"][name] == run["design"][name]
    assert system["design"]["system"] == "b200"
    assert model["workload"]["model"] == "llama-3-70b"
    assert model["design"]["system"] == "h200"
    assert "takes workload, degrees of parallelism and batch of" in record["sides"][1]["about"]


@pytest.mark.slow
@pytest.mark.usefixtures("mine")
def test_a_system_alone_takes_the_fewest_ranks_that_hold_the_model():
    record = ll.compare("h100", "h200", model="llama-3-405b").to_dict()
    ranks = [it["prediction"]["design"]["tp"] for it in record["sides"]]
    assert ranks == [8, 4]  # 381 GiB of weights on 80 and on 141 GiB a chip.
    fewer = ll.compare("h100", "h200", model="llama-3-405b", tp=2).to_dict()
    assert [it["prediction"]["fits"] for it in fewer["sides"]] == [False, False]
    assert "DOES NOT FIT" in sentences(fewer)["memory_fill"]
    assert sentences(fewer)["utps"].startswith("h100 and h200 do not fit, so that speed")
    assert len(sentences(fewer)) == 2


@pytest.mark.slow
def test_a_system_beside_a_run_takes_as_many_ranks_as_hold_its_users(mine):
    large = DESIGN.replace("llama-3-8b", "llama-3-405b").replace("tp = 2", "tp = 4")
    (mine / "run" / "design.toml").write_text(large)
    record = ll.compare("run", "h100").to_dict()
    run, system = (it["prediction"] for it in record["sides"])
    assert (run["fits"], system["fits"]) == (True, True)
    assert (run["design"]["tp"], system["design"]["tp"]) == (4, 8)
    assert "and 8 tensor-parallel ranks, the fewest that hold them" in record["sides"][1]["about"]
    held = ll.compare("run", "h100", tp=4).to_dict()
    assert not held["sides"][1]["prediction"]["fits"]


def test_what_decides_each_side_is_told_of_both():
    side = {
        "utps": 100.0,
        "fits": True,
        "step_time": 1e-2,
        "memory_time": 9e-3,
        "compute_time": 1e-3,
        "exposed_time": 1e-3,
        "bottleneck": "memory_bandwidth",
    }
    other = {**side, "utps": 300.0, "memory_time": 1e-6, "compute_time": 5e-6}
    waits = {**other, "exposed_time": 3e-3, "step_time": 3e-3, "bottleneck": "synchronisation"}
    told = _speed(side, waits, ("one", "other")).sentence
    assert "of a step it spends 3 ms waiting for other chips, one 9 ms on memory" in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["h200"], "compares two or more, got 1"),
        (["h200", "b200"], "--model: is required, for h200, b200 to run"),
        (["llama-3-8b", "llama-3-70b"], "--system: is required, for llama-3-8b, llama-3-70b"),
        (
            ["h200", "b20", "-m", "llama-3-8b"],
            "b20: is neither a run folder, .*did you mean 'b200'",
        ),
        (["h200", "empty"], "empty: holds no design.toml of a run"),
        (
            ["h200", "front"],
            "holds no design.toml of a run; name one of its designs, such as front/",
        ),
        (["h200", "b200", "-m", "llama-3-8b", "--tp", "0"], "--tp: must be at least 1, got 0"),
        (["run", "nothing.toml"], "nothing.toml: is neither a run folder"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_a_sentence(mine, capsys, arguments, message):
    (mine / "empty").mkdir()
    (mine / "front").mkdir()
    (mine / "front" / "point-1.toml").write_text(DESIGN)
    assert exit_code(["compare", *arguments]) == 2
    assert re.search(message, capsys.readouterr().err)


@pytest.mark.slow
def test_a_folder_holds_the_record_and_its_page(mine, capsys):
    assert exit_code(["compare", "run", "h100", "-o", "both"]) == 0
    page = (mine / "both" / "report.html").read_text()
    assert page.count('data-figure="package"') == 2
    assert json.loads((mine / "both" / "result.json").read_text())["kind"] == "comparison"
    capsys.readouterr()
    assert exit_code(["compare", "run", "h100", "-o", "both"]) == 2
    assert "both: exists and is not empty" in capsys.readouterr().err
    assert exit_code(["report", "both", "-o", "again.html"]) == 0


def test_the_factor_that_pulls_most_is_the_reason():
    tokens, power = Factor("{} the tokens", 4.0, -1), Factor("{} the power", 2.0)
    assert reason(0.5, [tokens, power]) == "4 times the tokens"
    assert reason(2.0, [tokens, power]) == "2 times the power"
    assert reason(2.0, [Factor("{} of what is unknown", None)]) == ""


@pytest.mark.usefixtures("mine")
def test_designs_that_are_equal_have_no_reason():
    record = ll.compare("run", "run").to_dict()
    told = sentences(record)
    assert "as quick as" in told["utps"]
    assert ": its" not in told["utps"]
    assert all(it["ratio"] == 1 for it in record["differences"][0]["differences"])


@pytest.mark.usefixtures("mine")
def test_a_step_that_waits_for_other_chips_says_so():
    record = ll.compare("run", "mine.toml").to_dict()
    first, second = (it["prediction"] for it in record["sides"])
    slow = {**second, "exposed_time": 1.0, "step_time": 1.0 + second["step_time"], "utps": 0.9}
    told = differences(first, {**slow, "bottleneck": "synchronisation"}, ("a", "b"))[0].sentence
    assert "its chips wait 1 s against" in told
    assert told.endswith("; it waits for other chips, a for memory.")


def side(name, utps, fits=True):
    return {"name": name, "prediction": {"utps": utps, "fits": fits}}


@pytest.mark.parametrize(
    ("sides", "told"),
    [
        (
            [side("a", 50.0), side("b", 200.0), side("c", 150.0), side("d", 199.9)],
            "b is the quickest of 4, with 200 tokens/s for a user:"
            " d as quick, c 25.0 % slower, a 4 times slower.",
        ),
        (
            [side("a", 50.0), side("b", 100.0, False), side("c", None), side("d", 9.0, False)],
            "a is the quickest of 4, with 50 tokens/s for a user:"
            " b and d do not fit; the speed of c is unknown.",
        ),
        ([side(it, 9.0, False) for it in "abc"], "a, b and c do not fit."),
    ],
)
def test_the_headline_of_several_speaks_of_all(sides, told):
    assert text_of(quickest(sides)) == told
    for it in quickest(sides):
        if isinstance(it, Value):
            assert sides[int(it.path.split(".")[1])]["prediction"]["utps"] == it.number


@pytest.mark.usefixtures("mine")
def test_a_page_of_several_explains_each_pair_below_its_headline():
    found = ll.compare("h100", "h200", "b200", model="llama-3-8b", tp=1)
    assert text_of(found.page().answer).startswith("b200 is the quickest of 3, with ")
    shown = "\n".join(html_lines(found.page()))
    for other in found.to_dict()["differences"]:
        assert other["differences"][0]["sentence"] in shown
