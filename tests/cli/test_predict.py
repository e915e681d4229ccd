"""`liminal predict`: every flag, every form of a model and a system, and what is not known."""

import json
import re
from pathlib import Path

import pytest

from liminal_jax.cli.systems import systems_new
from liminal_jax.data.models import load_model_spec, spec_to_toml
from tests.cli.terminal import command, exit_code
from tests.workload.configs import LLAMA_2_7B

KEYS = [
    "kind",
    "schema",
    "utps",
    "stps",
    "step_time",
    "compute_time",
    "memory_time",
    "exposed_time",
    "memory_required",
    "memory_capacity",
    "fits",
    "parameters_total",
    "parameters_active",
    "chip_power",
    "chip_tdp",
    "power",
    "power_provisioned",
    "energy_per_token",
    "capital_cost",
    "usd_per_million_tokens",
    "bottleneck",
    "basis",
]
TOY = ["predict", "-m", "llama-3-8b", "--system", "h100"]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


def no_token(name):
    raise AssertionError(f"{name} is not JSON")


def answered(capsys, arguments):
    """The object that a prediction prints, without what changes from run to run."""
    assert exit_code([*arguments, "--json"]) == 0
    record = json.loads(capsys.readouterr().out, parse_constant=no_token)
    assert record.pop("provenance")["utc"]
    return record


def test_the_object_has_the_keys_that_are_promised(capsys):
    answer = answered(capsys, TOY)
    assert set(KEYS) <= set(answer)
    assert all(answer[key] is not None for key in KEYS)
    assert isinstance(answer["fits"], bool)
    assert answer["bottleneck"] == "memory_bandwidth"
    assert all(isinstance(sentence, str) for sentence in answer["basis"])
    assert answer["utps"] * answer["step_time"] == pytest.approx(1)


@pytest.mark.slow
def test_every_flag_is_heard(capsys):
    one = answered(capsys, TOY)
    model = ["predict", "--model", "qwen3-30b-a3b", "--system", "h200"]
    degrees = ["--tp", "4", "--cp", "2", "--pp", "3", "--ep", "8", "--batch-size", "16"]
    rest = ["--context", "1000", "--weight-bits", "4", "--kv-bits", "16", "--accounting", "talk"]
    all_of_them = answered(capsys, [*model, *degrees, *rest])
    assert (one["chips"], one["users"]) == (1, 1)
    assert (all_of_them["chips"], all_of_them["users"]) == (24, 48)
    assert all_of_them["workload"] == {
        "model": "qwen3-30b-a3b",
        "context": 1000,
        "weight_bits": 4,
        "kv_bits": 16,
        "kv_format": "plain",
        "routing": "random",
        "accounting": "talk",
    }
    defaults = {"context": 8192, "weight_bits": 8, "kv_bits": 8, "accounting": "model"}
    words = {"kv_format": "plain", "routing": "random"}
    assert one["workload"] == {"model": "llama-3-8b", **words, **defaults}
    assert any("talk's accounting" in it for it in all_of_them["basis"])
    assert not any("talk's accounting" in it for it in one["basis"])


@pytest.mark.slow
def test_a_cache_in_blocked_fp8_is_named(capsys):
    arguments = ["predict", "-m", "deepseek-v2-lite", "--system", "h200"]
    plain, blocked = (
        answered(capsys, [*arguments, *it]) for it in ([], ["--kv-format", "blocked-fp8"])
    )
    # 27 layers
    more = 27 * 8192 * (656 - 576)
    assert blocked["memory_required"] - plain["memory_required"] == more
    assert any("656 bytes a token and layer" in it for it in blocked["basis"])
    assert not any("blocked FP8" in it for it in plain["basis"])


def test_a_config_a_model_file_and_a_system_of_ones_own(capsys):
    Path("config.json").write_text(json.dumps(LLAMA_2_7B))
    Path("toy.toml").write_text(spec_to_toml(load_model_spec("llama-3-8b")))
    systems_new("mine", "h100", set=("chip.memory.bandwidth=6.7 TB/s",))
    capsys.readouterr()
    read = answered(capsys, ["predict", "-m", "config.json", "--system", "h100"])
    assert read["parameters_total"] == 6_738_415_616
    assert answered(capsys, ["predict", "-m", "toy.toml", "--system", "h100"]) | {
        "workload": None
    } == answered(capsys, TOY) | {"workload": None}
    faster = answered(capsys, ["predict", "-m", "llama-3-8b", "--system", "mine.toml"])
    slower = answered(capsys, TOY)
    assert faster["memory_time"] == pytest.approx(slower["memory_time"] / 2)


def test_a_design_that_does_not_fit_is_an_answer(capsys):
    arguments = ["predict", "-m", "llama-3-70b", "--system", "a100", "--batch-size", "64"]
    answer = answered(capsys, arguments)
    assert answer["fits"] is False
    assert answer["bottleneck"] == "capacity"
    assert answer["memory_required"] > answer["memory_capacity"]
    assert exit_code(arguments) == 0
    assert "DOES NOT FIT" in capsys.readouterr().out


def test_a_lower_clock_saves_power_where_memory_is_what_limits(capsys):
    nominal, slow = answered(capsys, TOY), answered(capsys, [*TOY, "--clock", "0.5"])
    assert (nominal["design"]["clock"], slow["design"]["clock"]) == (1, 0.5)
    assert slow["step_time"] == nominal["step_time"]
    assert slow["compute_time"] == pytest.approx(2 * nominal["compute_time"])
    for name in ("chip_power", "chip_tdp", "power", "power_provisioned", "energy_per_token"):
        assert slow[name] < nominal[name]
    assert any("0.5 of their nominal clock" in it for it in slow["basis"])
    assert not any("nominal clock" in it for it in nominal["basis"])


@pytest.mark.slow
def test_unknown_numbers_are_null_and_told(capsys):
    arguments = ["predict", "-m", "llama-3-8b", "--system", "groq-lp30"]
    answer = answered(capsys, arguments)
    for name in ("power", "energy_per_token", "capital_cost", "usd_per_million_tokens"):
        assert answer[name] is None
    assert any(it.startswith("The TDP is unknown") for it in answer["basis"])
    assert any("manufacturing cost" in it for it in answer["basis"])
    assert exit_code(arguments) == 0
    assert "unknown" in capsys.readouterr().out


def test_a_chip_that_would_need_more_than_its_design_power_is_told(capsys):
    busy = ["predict", "-m", "llama-3-8b", "--system", "b200", "--batch-size", "512"]
    answer = answered(capsys, [*busy, "--context", "512"])
    assert answer["chip_power"] > 1000
    assert any(
        f"{answer['chip_power']:.0f} W, over its TDP of 1000 W" in it for it in answer["basis"]
    )
    calm = answered(capsys, ["predict", "-m", "llama-3-8b", "--system", "b200"])
    assert calm["chip_power"] < 1000
    assert not any("over its TDP" in it for it in calm["basis"])


def test_memory_that_would_draw_more_than_the_design_power_is_told(capsys):
    # 25 pJ/bit at 3.35 TB/s are 670 W; a chip of 700 W has 616 W left after idling
    systems_new("mine", "h100", set=("chip.memory.energy=25 pJ/bit",))
    capsys.readouterr()
    answer = answered(capsys, ["predict", "-m", "llama-3-8b", "--system", "mine.toml"])
    (told,) = (it for it in answer["basis"] if "streaming would draw" in it)
    assert told.startswith("At the 25 pJ/bit")
    assert "23 pJ/bit are charged" in told
    assert not any("streaming would draw" in it for it in answered(capsys, TOY)["basis"])


def test_where_no_time_follows_the_remedy_is_told(capsys):
    arguments = ["predict", "-m", "llama-3-8b", "--system", "groq-lp30", "--weight-bits", "16"]
    assert exit_code(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("liminal predict: --system: groq-lp30 has no known tensor rate")
    assert err.endswith("liminal systems new mine --like groq-lp30\n")


def test_a_wafer_is_judged(capsys):
    answer = answered(capsys, ["predict", "-m", "llama-3-8b", "--system", "cerebras-wse-3"])
    # Reading 8 GB at 21 PB/s; with 16-bit units alone, 15.8 PFLOP/s serve 8-bit weights too.
    assert answer["fits"] is True
    assert answer["bottleneck"] == "compute"
    assert answer["power"] > 0
    assert answer["capital_cost"] > 2.5e6


DESIGN = """
[workload]
model = "llama-3-8b"
context = 8192
[design]
system = "h100"
tp = 2
batch = 8
"""


def test_a_design_file_is_the_same_as_its_flags(capsys):
    Path("folder").mkdir()
    Path("folder/design.toml").write_text(DESIGN)
    flags = answered(capsys, [*TOY, "--tp", "2", "--batch-size", "8"])
    assert answered(capsys, ["predict", "-c", "folder/design.toml"]) == flags
    absolute = str(Path("folder/design.toml").resolve())
    assert answered(capsys, ["predict", "--config", absolute]) == flags


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (
            ["-c", "design.toml", "--tp", "2"],
            ["liminal predict: give either --config or the flags of a design, not both"],
        ),
        (["-c", "nowhere.toml"], ["nowhere.toml: cannot be read: No such file or directory"]),
        ([], ["liminal predict: --model: is required", "liminal predict: --system: is required"]),
        (
            ["-m", "llama-3-8b", "--system", "h10", "--tp", "0", "--context", "0"],
            [
                "liminal predict: --context: must be at least 1, got 0",
                "liminal predict: --system: there is no system 'h10'; did you mean 'h100'?",
                "liminal predict: --tp: must be at least 1, got 0",
            ],
        ),
        (
            ["-m", "llama-3-8b", "--system", "h100", "--weight-bits", "-4", "--kv-bits", "inf"],
            [
                "liminal predict: --weight-bits: must be greater than 0, got -4",
                "liminal predict: --kv-bits: must be",
            ],
        ),
        (
            ["-m", "llama-3-8b", "--system", "h100", "--clock", "0.2"],
            [
                "liminal predict: --clock: must be 0.35 to 1.1 of the nominal clock, which takes"
                " 0.65 to 1.09 of the nominal voltage, got 0.2"
            ],
        ),
        (
            ["-m", "llama-3-8b", "--system", "h100", "--ep", "3", "--pp", "40"],
            [
                "liminal predict: --ep: must divide tp x cp = 1, got 3",
                "liminal predict: --ep: must be at most 1, the experts of the model, got 3",
                "liminal predict: --pp: must be at most 32, the layers of the model, got 40",
            ],
        ),
    ],
)
def test_what_cannot_be_predicted_is_told(capsys, arguments, lines):
    Path("design.toml").write_text(DESIGN)
    assert exit_code(["predict", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    told = err.splitlines()
    assert len(told) == len(lines)
    for line, begin in zip(told, lines, strict=True):
        assert line.startswith(begin)


@pytest.mark.slow
def test_the_screen_in_a_pipe_is_plain_and_narrow(tmp_path):
    done = command([*TOY, "--tp", "2"], tmp_path)
    assert done.returncode == 0
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100
    assert all(
        word in done.stdout for word in ("UTPS", "bottleneck", "fits", "basis", "capital of chips")
    )


def test_no_colour_where_none_is_wanted(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert exit_code(TOY) == 0
    assert re.search(r"\x1b\[", capsys.readouterr().out)
    monkeypatch.setenv("NO_COLOR", "1")
    assert exit_code(TOY) == 0
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]", capsys.readouterr().out)


LENGTHS = ["--isl", "1000", "--osl", "500"]


@pytest.mark.slow
def test_lengths_of_requests_add_how_they_are_served(capsys):
    plain = answered(capsys, [*TOY, "--context", "1250"])
    answer = answered(capsys, [*TOY, *LENGTHS])
    assert answer["workload"]["context"] == 1250
    assert set(plain) < set(answer)
    of_requests = ("energy_per_token", "usd_per_million_tokens")
    same = [key for key in plain if key not in ("basis", *of_requests)]
    assert {key: answer[key] for key in same} == {key: plain[key] for key in same}
    serving = answer["serving"]
    assert (serving["isl"], serving["osl"], serving["chunk"]) == (1000, 500, 1000)
    for key in ("ttft", "tpot", "e2e", "tokens_per_second_per_chip", *of_requests):
        assert answer[key] == serving["continuous"][key] > 0
    # Prompts take their share of the chips' time and of all that is paid for it.
    for key, share in zip(of_requests, ("prompt_energy_share", "prompt_cost_share"), strict=True):
        assert 0 < answer[share] < 1
        decode = plain[key] * 499 / 500  # The first token comes of the prompt.
        assert answer[key] * (1 - answer[share]) == pytest.approx(decode, rel=1e-9)
    assert serving["static"]["tpot"] == pytest.approx(answer["step_time"])
    assert not any("prefill" in it for it in answer["basis"])


@pytest.mark.slow
def test_chunks_a_context_and_a_design_file_are_heard(capsys):
    Path("design.toml").write_text(DESIGN)
    chunked = answered(capsys, [*TOY, *LENGTHS, "--chunk", "100"])
    whole = answered(capsys, [*TOY, *LENGTHS])
    assert chunked["serving"]["chunk"] == 100
    assert chunked["serving"]["static"]["ttft"] > whole["serving"]["static"]["ttft"]
    assert answered(capsys, [*TOY, *LENGTHS, "--context", "77"])["workload"]["context"] == 77
    flags = answered(capsys, [*TOY, "--tp", "2", "--batch-size", "8", *LENGTHS])
    assert answered(capsys, ["predict", "-c", "design.toml", *LENGTHS]) == flags


@pytest.mark.slow
def test_a_prefix_that_is_cached_does_not_pass(capsys):
    none = answered(capsys, [*TOY, *LENGTHS])
    most = answered(capsys, [*TOY, *LENGTHS, "--prefix-hit-rate", "0.9"])
    assert most["serving"]["chunk"] == pytest.approx(1000 - 0.9 * 999)
    for key in ("ttft", "usd_per_million_tokens", "energy_per_token"):
        assert most[key] < none[key]
    assert any(it.startswith("90% of each prompt") for it in most["basis"])
    stated = ["--set", "request.isl=1000", "--set", "osl=500", "--set", "prefix_hit_rate=0.9"]
    assert answered(capsys, [*TOY, *stated]) == most


@pytest.mark.parametrize(
    ("lengths", "lines"),
    [
        (
            ["--isl", "10", "--osl", "1", "--prefix-hit-rate", "2"],
            ["--prefix-hit-rate: must be from 0 to 1, got 2.0"],
        ),
        (["--isl", "10"], ["--osl: is required beside --isl"]),
        (["--chunk", "10"], ["--isl: is required beside", "--osl: is required beside --chunk"]),
        (
            ["--isl", "0", "--osl", "-1"],
            ["--isl: must be at least 1, got 0", "--osl: must be at least 1, got -1"],
        ),
        (
            ["--isl", "10", "--osl", "1", "--chunk", "11"],
            ["--chunk: must be at most 10, the prompt, got 11"],
        ),
    ],
)
def test_lengths_that_cannot_be_are_told(capsys, lengths, lines):
    assert exit_code([*TOY, *lengths]) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == len(lines)
    for line, begin in zip(told, lines, strict=True):
        assert line.startswith(f"liminal predict: {begin}")


@pytest.mark.slow
def test_the_screen_of_requests_is_narrow(tmp_path):
    done = command([*TOY, *LENGTHS, "--chunk", "250"], tmp_path)
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= 100
    for words in ("TTFT", "TPOT", "continuous batching", "disaggregated pools", "chunks of 250"):
        assert words in done.stdout
