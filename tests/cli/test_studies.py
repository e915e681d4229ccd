"""Mistakes in files: all of a file at once, each with its place, its value and its remedy."""

import json
import tomllib
from pathlib import Path

import pytest
import tomli_w

from liminal_jax.cli.systems import systems_new
from liminal_jax.study.bundled import study_names
from liminal_jax.study.file import load_design
from liminal_jax.study.questions import load_study
from tests.cli.terminal import command, exit_code
from tests.workload.configs import LLAMA_2_7B

PLAN = """
name = "mine"
[workload]
model = "llama-3-8b"
context = 8192
[objective]
maximise = "stps"
[[constraints]]
quantity = "power"
at_most = "9 kW"
[design]
memory = { choices = ["hbm3e", "hbm4"] }
process = "n4p"
stacks = 4
dies = 2
compute_area = "400 mm2"
sram = "0 MB"
link_bandwidth = "900 GB/s"
domain = 8
tp = { choices = [1, 2] }
"""
SYSTEMS = """
name = "mine"
[workload]
model = "llama-3-8b"
context = 8192
[objective]
maximise = "stps"
[design]
system = { choices = ["h100", "h200"] }
tp = { choices = [1, 2] }
"""
MODEL = """
name = "toy"
source = "made up"
hidden = 512
vocabulary = 1000
[[layers]]
count = 4
attention = { kind = "grouped-query", heads = 8, kv_heads = 4, head_dim = 64 }
feedforward = { kind = "mixture", experts = 8, top_k = 2, intermediate = 256 }
"""


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def planted(text, *mistakes):
    """The text with each `old` that stands in it replaced by its `new`."""
    for old, new in mistakes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def told(capsys, arguments, files):
    """Lines of the refusal; nothing else may have happened."""
    assert exit_code(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    assert sorted(path.name for path in Path().iterdir()) == sorted(files)
    return err.splitlines()


def assert_all_told(lines, source, expected):
    assert len(lines) == len(expected), lines
    for fragments in expected:
        assert any(
            line.startswith(f"{source}: ") and all(it in line for it in fragments) for line in lines
        ), (fragments, lines)


ASSUMED = """
[assumptions]
facility = { selling_multipl = 3 }
network = { latency = "3 GB" }
memory = { hbm9 = { price = 3 } }
"""
STUDY_MISTAKES = [
    (
        SYSTEMS,
        [
            ('name = "mine"', 'name = "My study"'),
            ("context = 8192", "contxt = 8192"),
            ('"stps"', '"stpss"'),
            ('["h100", "h200"]', '["h100", "h20"]'),
            ("tp = { choices = [1, 2] }", "tp = [1, 2]\nbatch = 0\npp = 1.5\nep = true"),
        ],
        [
            ("name: ", "'My study'", "did you mean 'my-study'?"),
            ("workload.context: ", "is required"),
            ("workload.contxt: ", "did you mean 'context'?"),
            ("objective.maximise: ", "'stpss'", "did you mean 'stps'?"),
            ("design.system: ", "'h20'", "did you mean 'h200'?"),
            ("design.tp: ", "bare list", "write { choices = [...] }"),
            ("design.batch: ", "must be at least 1, got 0"),
            ("design.pp: ", "must be a whole number, got 1.5"),
            ("design.ep: ", "must be", "got True"),
        ],
    ),
    (
        PLAN,
        [
            ('"llama-3-8b"', '"lama-3-8b"'),
            ("context = 8192", "context = inf\nkv_bits = -4\nweight_bits = true"),
            ('"9 kW"', '"9 kB"'),
            ('"hbm4"', '"hbm5"'),
            ("sram =", 'sramm = "1 MB"\nsram ='),
            ('"400 mm2"', '{ min = "600 mm2", max = "300 mm2", step = "50 mm2" }'),
        ],
        [
            ("workload.model: lama-3-8b", "did you mean 'llama-3-8b'?"),
            ("workload.context: must be a finite number, got Infinity",),
            ("workload.kv_bits: must be greater than 0, got -4",),
            ("workload.weight_bits: must be a number, got true",),
            ("constraints.0.at_most: ", "'9 kB'", "a quantity in W"),
            ("design.memory: ", "'hbm5'", "did you mean 'hbm4'?"),
            ("design.sramm: ", "did you mean 'sram'?"),
            ("design.compute_area: ", "'600 mm2' is above max '300 mm2'", "exchange"),
        ],
    ),
    (
        PLAN,
        [
            ('maximise = "stps"', 'maximise = "stps"\nminimise = "tpot"'),
            ('at_most = "9 kW"', 'at_most = "9 kW"\nat_least = 1'),
            ("[design]", '[design]\nsystem = "h100"\nchips = { min = 4, max = 8, stp = 1 }'),
            ("[workload]", '[assumptions]\nnetwork = { latency = "3 us" }\n[workload]'),
        ],
        [
            ("objective: give either maximise or minimise, not both",),
            ("constraints.0: give either at_least or at_most, not both",),
            ("design: 'system' names finished hardware; remove it or memory, process",),
            ("design.chips: ", "stp: unknown field; did you mean 'step'?"),
            ("assumptions.network: has no effect", "liminal systems new"),
        ],
    ),
    (
        PLAN,
        [
            (
                "[workload]",
                ASSUMED + "[workload]",
            ),
            ('process = "n4p"\n', ""),
            ("[objective]\n", "[goal]\n"),
            ('quantity = "power"\nat_most = "9 kW"', 'quantity = "pwr"\nat_most = "9 kW"'),
            (
                "tp = { choices = [1, 2] }",
                "tp = { min = 1, max = 8, num = 3, scale = 'lgo' }\nbatch = nan",
            ),
        ],
        [
            ("assumptions.facility.selling_multipl: ", "did you mean 'selling_multiple'?"),
            ("assumptions.network.latency: ", "'GB' where a quantity in s is wanted"),
            ("assumptions.memory.hbm9: ", "no such memory technology", "did you mean 'hbm"),
            ("design: ", "process missing"),
            ("objective: is required",),
            ("goal: unknown field",),
            ("constraints.0.quantity: ", "'pwr'"),
            ("design.tp: ", "'lgo'; did you mean 'log'?"),
            ("design.batch: must be a finite number, got nan",),
        ],
    ),
]


def test_prices_that_contradict_each_other_are_told(capsys):
    facility = "selling_multiple = 3, memory_margin = 2, logic_margin = 9, volume = 5, hosts = 1"
    stated = f"[assumptions]\nfacility = {{ {facility} }}\n[workload]"
    Path("study.toml").write_text(planted(PLAN, ("[workload]", stated)))
    lines = told(capsys, ["optimize", "study.toml"], ["study.toml"])
    expected = [
        ("facility.hosts: ", "unknown field"),
        ("facility.selling_multiple: ", "contradicts logic_margin and memory_margin"),
        ("facility.volume: ", "says nothing without design_cost"),
    ]
    assert_all_told(lines, "study.toml", expected)


@pytest.mark.parametrize(("text", "mistakes", "expected"), STUDY_MISTAKES)
def test_every_mistake_of_a_study_is_told_at_once(capsys, text, mistakes, expected):
    Path("study.toml").write_text(planted(text, *mistakes))
    lines = told(capsys, ["optimize", "study.toml"], ["study.toml"])
    assert_all_told(lines, "study.toml", expected)


SYSTEM_MISTAKES = [
    (
        [("chip.memory.bandwith", "1 TB/s"), ("chip.tdp", "-700 W"), ("chip.process", "n3")],
        [
            ("chip.memory.bandwith: ", "did you mean 'bandwidth'?"),
            ("chip.tdp: ", "must be above zero, not -700 W"),
            ("chip.process: ", "no process 'n3'"),
        ],
    ),
    (
        [("chip.memory.capacity", "80 GB/s"), ("network.efficiency", 1.5), ("chip.dies", 1.5)],
        [
            ("chip.memory.capacity: ", "'GB/s' where a quantity in B is wanted"),
            ("network.efficiency: ", "between 0 and 1, not at 1.5"),
            ("chip.dies: ", "must be a whole number, got 1.5"),
        ],
    ),
    (
        [("chip.memory.technology", "hbm33"), ("network.topology", "ring"), ("chip.tdp", True)],
        [
            ("chip.memory.technology: ", "'hbm33'", "did you mean 'hbm3"),
            ("network.topology: ", '"ring"'),
            ("chip.tdp", "true"),
        ],
    ),
    (
        [("chip.memory.bandwidth", None), ("network.bandwidth", "fast"), ("status", "shiping")],
        [
            ("chip.memory.bandwidth: is required",),
            ("network.bandwidth: ", "'fast' is not a number with a unit"),
            ("status: ", "did you mean 'shipping'?"),
        ],
    ),
]


def changed_system(name, changes):
    systems_new("mine", "h100", output=name)
    tables = tomllib.loads(Path(name).read_text())
    for path, value in changes:
        *folders, field = path.split(".")
        table = tables
        for folder in folders:
            table = table[folder]
        table[field] = value
        if value is None:
            del table[field]
    Path(name).write_text(tomli_w.dumps(tables))


@pytest.mark.parametrize(("changes", "expected"), SYSTEM_MISTAKES)
def test_every_mistake_of_a_system_is_told_at_once(capsys, changes, expected):
    changed_system("mine.toml", changes)
    Path("study.toml").write_text(
        planted(SYSTEMS, ('["h100", "h200"]', '["h100", "mine.toml"]'), ('"stps"', '"stpss"'))
    )
    capsys.readouterr()
    lines = told(capsys, ["optimize", "study.toml"], ["mine.toml", "study.toml"])
    where = [("design.system: ", "mine.toml: ", *it) for it in expected]
    assert_all_told(lines, "study.toml", [*where, ("objective.maximise: ", "'stpss'")])
    flags = ["predict", "-m", "llama-3-8b", "--system", "mine.toml"]
    lines = told(capsys, flags, ["mine.toml", "study.toml"])
    where = [("--system: ", "mine.toml: ", *it) for it in expected]
    assert_all_told(lines, "liminal predict", where)


MODEL_MISTAKES = [
    (
        [("hidden = 512", "hiden = 512"), ("kv_heads = 4", "kv_heads = 3")],
        [
            ("hidden: is required",),
            ("hiden: ", "did you mean 'hidden'?"),
            ("kv_heads (3) must divide heads (8)",),
        ],
    ),
    (
        [("vocabulary = 1000", 'vocabulary = "many"'), ("top_k = 2", "top_k = 9")],
        [
            ('vocabulary: must be a whole number, got "many"',),
            ("top_k (9) must not exceed experts (8)",),
        ],
    ),
    (
        [("count = 4", "count = 0"), ('"grouped-query"', '"grouped"')],
        [
            ("layers.0.count: must be greater than 0, got 0",),
            ("layers.0.attention.kind: ", "did you mean 'grouped-query'?"),
        ],
    ),
    (
        [
            ("head_dim = 64", 'head_dim = -64, scope = "sliding"'),
            ('"mixture"', '"mixture", window = 3'),
        ],
        [
            ("layers.0.attention.head_dim: must be greater than 0, got -64",),
            ("layers.0.feedforward.window: unknown field",),
        ],
    ),
]


@pytest.mark.parametrize(("mistakes", "expected"), MODEL_MISTAKES)
def test_every_mistake_of_a_model_is_told_at_once(capsys, mistakes, expected):
    Path("toy.toml").write_text(planted(MODEL, *mistakes))
    Path("study.toml").write_text(
        planted(SYSTEMS, ('"llama-3-8b"', '"toy.toml"'), ('"stps"', '"stpss"'))
    )
    lines = told(capsys, ["optimize", "study.toml"], ["study.toml", "toy.toml"])
    where = [("workload.model: ", "toy.toml: ", *it) for it in expected]
    assert_all_told(lines, "study.toml", [*where, ("objective.maximise: ", "'stpss'")])


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("hidden_size", float("inf"), "must be a finite number"),
        ("num_hidden_layers", -3, "-3"),
        ("num_key_value_heads", 5, "must divide"),
    ],
)
def test_numbers_of_a_config_that_cannot_be(capsys, field, value, message):
    Path("config.json").write_text(json.dumps({**LLAMA_2_7B, field: value}))
    lines = told(capsys, ["predict", "-m", "config.json", "--system", "h100"], ["config.json"])
    assert all(line.startswith("liminal predict: --model: config.json: ") for line in lines)
    assert message in lines[0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"name = ", "is not valid TOML: "),
        (b"name = '\xff'", "is not UTF-8 text"),
        (b"", "workload: is required"),
    ],
)
def test_files_that_are_no_studies(capsys, content, message):
    Path("study.toml").write_bytes(content)
    lines = told(capsys, ["optimize", "study.toml"], ["study.toml"])
    assert lines[0].startswith(f"study.toml: {message}")


def test_a_name_that_is_no_study(capsys):
    (line,) = told(capsys, ["optimize", "deepseek-v3-128"], [])
    assert line == "there is no study 'deepseek-v3-128'; did you mean 'deepseek-v3-128k'?"
    (line,) = told(capsys, ["optimize", "nowhere.toml"], [])
    assert "give the path of a file" in line


def test_a_study_is_no_design_and_a_design_has_no_choices(capsys):
    Path("study.toml").write_text(SYSTEMS)
    (line,) = told(capsys, ["predict", "-c", "study.toml"], ["study.toml"])
    assert line.endswith("find one with: liminal optimize study.toml")
    Path("study.toml").write_text(planted(SYSTEMS, ('[objective]\nmaximise = "stps"\n', "")))
    lines = told(capsys, ["predict", "-c", "study.toml"], ["study.toml"])
    places = [("design.system: must be one value",), ("design.tp: must be one value",)]
    assert_all_told(lines, "study.toml", places)


def test_paths_are_relative_to_the_file_that_names_them():
    folder = Path("elsewhere")
    folder.mkdir()
    (folder / "toy.toml").write_text(MODEL)
    systems_new("mine", "h100", output="elsewhere/mine.toml")
    study = planted(SYSTEMS, ('"llama-3-8b"', '"toy.toml"'), ('"h200"', '"mine.toml"'))
    (folder / "study.toml").write_text(study)
    file = load_study("elsewhere/study.toml")
    assert file.workload.model == str((folder / "toy.toml").resolve())
    assert file.design.system is not None
    assert file.design.system.names == ("h100", str((folder / "mine.toml").resolve()))


def test_a_folder_does_not_hide_a_bundled_model():
    Path("llama-3-8b").mkdir()
    Path("study.toml").write_text(SYSTEMS)
    assert load_study("study.toml").workload.model == "llama-3-8b"


def test_a_design_is_read():
    fixed = planted(
        SYSTEMS,
        ('[objective]\nmaximise = "stps"\n', ""),
        ('{ choices = ["h100", "h200"] }', '"h100"'),
        ("{ choices = [1, 2] }", "2"),
    )
    Path("design.toml").write_text(fixed)
    assert load_design("design.toml").design.tp.value == 2


def test_the_studies_that_come_with_the_package_are_listed(capsys):
    assert exit_code(["studies"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in study_names())
    assert max(map(len, out.splitlines())) <= 100
    assert exit_code(["studies", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    told = {name: it for name, it in record.items() if name not in ("kind", "schema")}
    assert list(told) == list(study_names())
    assert {it["class"] for it in told.values()} <= {"proven", "bounded"}
    assert all(len(it["about"].split()) > 30 for it in told.values())


def test_one_study_is_told_whole_and_an_unknown_one_refused(capsys):
    assert exit_code(["studies", "ten-thousand-utps"]) == 0
    out = capsys.readouterr().out
    assert "which limit would have to" in out
    assert "liminal optimize ten-thousand-utps" in out
    assert exit_code(["studies"]) == 0
    assert "which limit would have to" not in capsys.readouterr().out
    assert exit_code(["studies", "no-such"]) == 2
    assert "`liminal studies` lists those there are" in capsys.readouterr().err


@pytest.mark.slow
def test_a_refusal_in_a_shell(tmp_path):
    Path("study.toml").write_text(planted(SYSTEMS, ('"stps"', '"stpss"')))
    done = command(["optimize", "study.toml"], tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "study.toml: objective.maximise: there is no quantity 'stpss'; did you mean 'stps'?\n"
    )
    assert not (tmp_path / "runs").exists()
