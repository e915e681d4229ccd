"""What a user sees of models: lists, imports, comparisons; and what 37 spoilt configs get."""

import copy
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liminal_jax._files import InputError
from liminal_jax.cli.models import (
    models_compare,
    models_import,
    models_list,
    models_show,
    parameter_number,
)
from liminal_jax.data.models import load_model_spec, model_names
from liminal_jax.workload.counts import counts
from liminal_jax.workload.huggingface import ReadReport, Use, read_config
from liminal_jax.workload.spec import ModelSpec
from liminal_jax.workload.summary import Counts
from tests.cli.terminal import exit_code
from tests.workload.configs import LLAMA_2_7B, REFERENCE, written
from tests.workload.fuzz import VALUES

CONFIGS = sorted(path.stem for path in REFERENCE.glob("[!_]*.json"))
present = pytest.mark.skipif(not CONFIGS, reason="the reference configs are not here")
every_config = pytest.mark.parametrize("name", CONFIGS)
SCALES = (0, -1, 2, 3, 10**30)


def test_the_list_names_every_model_in_each_of_its_tables_within_100_columns(capsys):
    models_list()
    lines = capsys.readouterr().out.splitlines()
    first = [line.split()[0] for line in lines if line.strip()]
    assert [it for it in first if it in model_names()] == 2 * model_names()
    assert max(map(len, lines)) <= 100


def test_the_list_as_json(capsys):
    models_list(json=True)
    table = json.loads(capsys.readouterr().out)
    assert list(table) == ["kind", "schema", *model_names()]
    assert table["llama-3-8b"]["total"] == 8_030_261_248


def test_an_import_tells_what_it_did(capsys, tmp_path):
    models_import(written(tmp_path, {**LLAMA_2_7B, "bos_token_id": 1}))
    out = capsys.readouterr().out
    assert all(
        word in out for word in ("read as llama", "default", "bos_token_id", "6,738,415,616")
    )
    assert max(map(len, out.splitlines())) <= 100 + len(str(tmp_path))


@pytest.mark.parametrize("show", [models_import, models_show])
def test_one_model_as_json(capsys, tmp_path, show):
    show(written(tmp_path, LLAMA_2_7B, "Llama-2-7B.json"), json=True)
    table = json.loads(capsys.readouterr().out)
    assert list(table)[: len(Counts._fields) + 3] == ["kind", "schema", "name", *Counts._fields]
    assert table["name"] == "llama-2-7b"
    assert table["groups"] == [
        {
            "layers": 32,
            "attention": "full, 32/32 heads of 128",
            "feedforward": "dense, gated width 11,008",
        }
    ]
    fields = {it["field"]: it for it in table.get("config", {"fields": ()})["fields"]}
    assert (show is models_show) == (not fields)
    assert show is models_show or fields["head_dim"]["use"] == "default"


def test_showing_a_bundled_model(capsys):
    models_show("llama-4-maverick")
    out = capsys.readouterr().out
    assert "chunked 8192" in out
    assert "MoE 1/128" in out


def test_a_refusal_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="is not modelled"):
        models_import(written(tmp_path, {"model_type": "rwkv7"}))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("671e9", 671e9),
        ("671B", 671e9),
        ("1.03T", 1.03e12),
        ("8_030_261_248", 8_030_261_248),
        (" 27 m ", 27e6),
        ("1e+9", 1e9),
    ],
)
def test_a_number_of_parameters(text, number):
    assert parameter_number(text) == pytest.approx(number, rel=1e-15)


@pytest.mark.parametrize(
    "text", ["", "B", "-1B", "0", "inf", "nan", "1e999", "1,03T", "7 BB", "٣B"]
)
def test_what_is_no_number_of_parameters(text, capsys, tmp_path):
    path = written(tmp_path, LLAMA_2_7B)
    assert exit_code(["models", "import", path, f"--expect-parameters={text}"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("--expect-parameters: must be a number of parameters such as 671B")


@pytest.mark.parametrize(
    ("expected", "code", "words"),
    [
        ("6.738B", 0, "6.738 B expected: fits all parameters, +0.01 %"),
        ("6.61e9", 0, "6.61 B expected: fits active without input embedding, -0.04 %"),
        ("6476M", 0, "6.476 B expected: fits all without embedding and head, +0.00 %"),
        ("7.5B", 1, "fits no convention within 1 %; nearest all parameters, -10.15 %"),
    ],
)
def test_parameters_are_compared_with_each_convention(capsys, tmp_path, expected, code, words):
    path = written(tmp_path, LLAMA_2_7B)
    assert exit_code(["models", "import", path, "--expect-parameters", expected]) == code
    out, err = capsys.readouterr()
    assert words in err
    assert "against expected" in out
    assert max(map(len, out.splitlines())) <= 100 + len(str(tmp_path))


@pytest.mark.parametrize(
    ("expected", "code", "words"),
    [
        ("27.43B", 0, "fits all parameters and towers that are not read (0.41 B by their config)"),
        ("27.01B", 0, "fits all parameters, "),
        ("27.8B", 0, "fits all parameters and towers that are not read"),
        ("28.5B", 1, "fits no convention within 1 %; nearest all parameters and towers"),
    ],
)
def test_a_page_that_counts_a_tower_is_understood(capsys, tmp_path, expected, code, words):
    # google/gemma-3-27b-it: text model 27.01 B, tower and projector 0.42 B
    tower = {"num_hidden_layers": 27, "hidden_size": 1152, "intermediate_size": 4304}
    text = {
        "hidden_size": 5376,
        "intermediate_size": 21504,
        "num_attention_heads": 32,
        "num_hidden_layers": 62,
        "num_key_value_heads": 16,
        "head_dim": 128,
        "sliding_window": 1024,
    }
    config = {"model_type": "gemma3", "text_config": text, "vision_config": tower}
    path = written(tmp_path, config)
    assert exit_code(["models", "import", path, "--expect-parameters", expected]) == code
    assert words in capsys.readouterr().err
    without = written(tmp_path, {"model_type": "gemma3", "text_config": text})
    assert exit_code(["models", "import", without, "--expect-parameters", "27.43B"]) == 1


def test_what_a_file_leaves_open_is_said_aloud(capsys, tmp_path):
    models_import(written(tmp_path, LLAMA_2_7B))
    err = capsys.readouterr().err
    assert err.startswith("defaulted: ")
    assert "num_key_value_heads = 32, head_dim = 128, " in err
    glm = {
        "model_type": "glm_moe_dsa",
        "hidden_size": 64,
        "intermediate_size": 128,
        "moe_intermediate_size": 32,
        "num_attention_heads": 4,
        "num_hidden_layers": 4,
        "n_routed_experts": 8,
        "n_shared_experts": 1,
        "num_experts_per_tok": 2,
        "first_k_dense_replace": 1,
        "q_lora_rank": 16,
        "kv_lora_rank": 16,
        "qk_nope_head_dim": 8,
        "qk_rope_head_dim": 4,
        "v_head_dim": 8,
        "index_n_heads": 2,
        "index_head_dim": 8,
        "index_topk": 16,
        "vocab_size": 100,
    }
    models_import(written(tmp_path, glm))
    assert "index_topk_freq = 1" in capsys.readouterr().err


def test_an_expected_and_saved_import_is_one_json_object(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path, LLAMA_2_7B)
    words = ["models", "import", path, "--json", "--save", "my-llama", "--expect-parameters"]
    assert exit_code([*words, "8B"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["expected"]["fits"] is None
    assert json.loads(out)["saved"] is None
    assert err.endswith("my-llama.toml is not written\n")
    assert not Path("my-llama.toml").exists()
    assert exit_code([*words, "6.74B"]) == 0
    out, err = capsys.readouterr()
    table = json.loads(out)
    assert list(table)[:3] == ["kind", "schema", "name"]
    assert list(table)[-3:] == ["config", "expected", "saved"]
    assert set(Counts._fields) < set(table)
    assert table["expected"]["parameters"] == 6.74e9
    assert table["expected"]["fits"] == "total"
    assert table["expected"]["differences"]["total"] == pytest.approx(-0.000235, abs=1e-6)
    assert (table["name"], table["saved"]) == ("my-llama", "my-llama.toml")
    assert "my-llama.toml written" in err


@pytest.mark.slow
def test_a_saved_model_is_taken_as_one_and_never_overwritten(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path, LLAMA_2_7B)
    assert models_import(path, save="mine-2.5") == 0
    saved = load_model_spec("mine-2.5.toml")
    assert saved == read_config(path)[0].model_copy(update={"name": "mine-2.5"})
    capsys.readouterr()
    assert exit_code(["models", "import", path, "--save", "mine-2.5"]) == 2
    assert capsys.readouterr() == (
        "",
        "mine-2.5.toml: exists already; save under another name\n",
    )
    file = Path("mine-2.5.toml")
    file.write_text(file.read_text().replace("count = 32", "count = 64"))
    assert counts(load_model_spec("mine-2.5.toml")).kv_elements_per_token_growing == 2 * 32 * 8192
    arguments = ["predict", "-m", "mine-2.5.toml", "--system", "h200", "--json"]
    assert exit_code(arguments) == 0


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("My Model", "; did you mean 'my-model'?"),
        ("mine.toml", "; did you mean 'mine'?"),
        ("../mine", "; did you mean 'mine'?"),
        ("a--b", ""),
        ("-", ""),
        ("", ""),
    ],
)
def test_a_name_is_lower_case_with_hyphens(capsys, tmp_path, monkeypatch, name, hint):
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path, LLAMA_2_7B)
    assert exit_code(["models", "import", path, f"--save={name}"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert f"must be lower case with hyphens{hint}" in err
    assert [entry.name for entry in tmp_path.iterdir()] == ["config.json"]


@pytest.mark.skipif(not Path("/proc").exists(), reason="no folder that refuses files")
def test_a_model_that_cannot_be_written_is_told(tmp_path, monkeypatch, capsys):
    path = written(tmp_path, LLAMA_2_7B)
    monkeypatch.chdir("/proc")
    assert exit_code(["models", "import", path, "--save", "mine"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("mine.toml: cannot be written")


def compared(capsys, *names: str) -> list[dict[str, Any]]:
    models_compare(*names, json=True)
    return json.loads(capsys.readouterr().out)["models"]


def test_two_models_by_hand(capsys):
    dense, windows = compared(capsys, "llama-3-8b", "gpt-oss-20b")
    assert dense["parameters_total"] == 8_030_261_248
    assert dense["weight_bytes_read"] == 8_030_261_248 - 128_256 * 4096
    assert dense["kv_bytes_per_token"] == 65_536
    assert dense["kv_bytes_held"]["131072"] == dense["kv_bytes_read"]["131072"] == 2**33
    assert dense["state_bytes"] == dense["index_bytes_per_token"] == 0
    held = {str(tokens): 12 * 1024 * (tokens + 128) for tokens in (4096, 131_072, 1_048_576)}
    assert windows["kv_bytes_held"] == held
    assert windows["pattern"] == "12 sliding 128 + 12 full; MoE 4/32"


@present
def test_states_and_indices_by_hand(capsys):
    paths = [
        str(REFERENCE / f"{name}.json")
        for name in ("Qwen__Qwen3.5-397B-A17B", "deepseek-ai__DeepSeek-V3.2")
    ]
    linear, sparse = compared(capsys, *paths)
    assert linear["kv_bytes_held"]["1048576"] == 15_360 * 2**20
    assert (
        linear["state_bytes"] == 4 * counts(load_model_spec(paths[0])).state_elements_per_sequence
    )
    assert sparse["kv_bytes_held"]["1048576"] == 35_136 * 2**20
    assert sparse["kv_bytes_read"]["131072"] == sparse["kv_bytes_read"]["1048576"]
    assert sparse["index_bytes_per_token"] == 7808
    assert sparse["index_bytes_read"]["1048576"] == 7808 * 2**20


@present
def test_a_comparison_fits_100_columns(capsys):
    models_compare("deepseek-v3", str(REFERENCE / "deepseek-ai__DeepSeek-V4-Pro.json"))
    out = capsys.readouterr().out
    assert all(word in out for word in ("ratio", "KV held at 128K", "671.0 B", "weights read"))
    assert max(map(len, out.splitlines())) <= 100


def test_a_comparison_names_what_it_does_not_know(capsys):
    assert exit_code(["models", "compare", "llama-3-8b", "llama-3-9b"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("llama-3-9b: is neither a bundled model")


@present
@every_config
def test_every_config_can_be_saved(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = str(REFERENCE / f"{name}.json")
    assert models_import(path, save="own", json=True) == 0
    assert json.loads(capsys.readouterr().out)["saved"] == "own.toml"
    assert counts(load_model_spec("own.toml")) == counts(read_config(path)[0])


def loaded(name: str) -> dict[str, Any]:
    return json.loads((REFERENCE / f"{name}.json").read_text(encoding="utf-8"))


INNER = ("sparse_attention_config", "linear_attn_config")


def places(config: dict[str, Any]) -> list[dict[str, Any]]:
    """The objects of a config that describe the text model."""
    text = config.get("text_config", config)
    outer = [] if text is config else [config]
    return [*outer, text, *(text[name] for name in INNER if name in text)]


def attempt(folder: Path, config: object) -> tuple[ModelSpec, ReadReport] | InputError:
    try:
        return read_config(written(folder, config))
    except InputError as error:
        return error


def kind_of_value(value: Any) -> str:
    return "null" if value is None else type(value).__name__


def decided(report: ReadReport) -> dict[str, str]:
    """What the report says that the model follows from."""
    return {
        row.field: json.dumps(row.value)
        for row in report.rows
        if row.use is not Use.IGNORED and not isinstance(row.value, dict)
    }


def types_read(report: ReadReport) -> dict[str, str]:
    """Types of the values read, but for second names, which only confirm a first."""
    rows = [row for row in report.having(Use.READ) if not row.note.startswith("as ")]
    return {row.field: kind_of_value(row.value) for row in rows}


def names_read(report: ReadReport) -> set[str]:
    return {row.field.rpartition(".")[2] for row in report.having(Use.READ)}


def assert_never_silent(
    before: tuple[ModelSpec, ReadReport], after: tuple[ModelSpec, ReadReport] | InputError
) -> None:
    """A spoilt config is refused, or its model follows from what the report says was read.

    No field is read as another type than the sound file has, and where the models differ, a field
    that the report shows as read or defaulted does.
    """
    if isinstance(after, InputError):
        assert after.problems
        assert all(problem.message for problem in after.problems)
        return
    (sound, report), (spoilt, other) = before, after
    assert counts(spoilt).total > 0
    types = types_read(report)
    assert all(types.get(field, kind) == kind for field, kind in types_read(other).items())
    if spoilt.model_copy(update={"name": sound.name, "source": sound.source}) != sound:
        assert decided(other) != decided(report)


def replacements(value: Any) -> Iterator[Any]:
    """Other values for a field: of other types, and scaled."""
    yield from (None, "full_attention", [], {}, 0.5)
    if isinstance(value, bool):
        yield from (not value, int(value), str(value).lower())
    elif isinstance(value, int):
        yield from (value * scale for scale in SCALES)
        yield from (float(value), str(value), [value], True)
    elif isinstance(value, list):
        yield from (value[:-1], [*value, *value[-1:]], value[::-1], [None, *value[1:]])


@pytest.mark.slow
@present
@every_config
def test_one_spoilt_field_is_never_silent(name, tmp_path):
    config = loaded(name)
    before = read_config(written(tmp_path, config))
    read = names_read(before[1])
    for table in places(config):
        for field, value in list(table.items()):
            del table[field]
            assert_never_silent(before, attempt(tmp_path, config))
            for other in list(replacements(value))[: None if field in read else 2]:
                table[field] = other
                assert_never_silent(before, attempt(tmp_path, config))
            table[field] = value


@pytest.mark.slow
@present
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_many_spoilt_fields_are_never_silent(data):
    config = loaded(data.draw(st.sampled_from(CONFIGS)))
    spoilt = copy.deepcopy(config)
    for table in places(spoilt):
        for field in data.draw(st.lists(st.sampled_from(sorted(table)), max_size=3, unique=True)):
            value = table.pop(field)
            if data.draw(st.booleans()):
                others = [*replacements(value)]
                solution = data.draw(st.integers(0, len(others) - 1))
                table[field] = data.draw(st.one_of(VALUES, st.just(others[solution])))
    with tempfile.TemporaryDirectory() as folder:
        before = read_config(written(Path(folder), config))
        assert_never_silent(before, attempt(Path(folder), spoilt))


def field_of(config: dict[str, Any], *names: str) -> tuple[dict[str, Any], str] | None:
    """The object and the name of the first of some fields that the text model has."""
    text = config.get("text_config", config)
    return next(((text, name) for name in names if isinstance(text.get(name), int)), None)


WIDTHS = ("intermediate_size", "moe_intermediate_size", "vocab_size")
EXPERTS = ("n_routed_experts", "num_local_experts", "num_experts")


@present
@every_config
@pytest.mark.parametrize("field", [*WIDTHS, *EXPERTS])
def test_a_scaled_width_scales_the_counts_evenly(name, field, tmp_path):
    config = loaded(name)
    found = field_of(config, field)
    if found is None:
        return
    text, _ = found
    unit, tallies = text[field], []
    for scale in (1, 2, 3):
        text[field] = scale * unit
        answer = attempt(tmp_path, config)
        if isinstance(answer, InputError):
            assert field in str(answer)
            return
        tallies.append(counts(answer[0]))
        used = any(row.field.endswith(field) for row in answer[1].having(Use.READ))
    for key in ("total", "active", "kv_elements_per_token_all_layers"):
        one, two, three = (getattr(statistics, key) for statistics in tallies)
        assert three - two == two - one
    grown = tallies[1].total > tallies[0].total
    assert used or not grown
    # Mixtures may read the width of dense blocks and have none.
    assert grown or not used or field == "intermediate_size"
    if field == "vocab_size":
        tables = [statistics.embedding + statistics.lm_head for statistics in tallies]
        assert [tables[0] * scale for scale in (1, 2, 3)] == tables


CONTRADICTIONS = {
    "no layers": (("num_hidden_layers",), 0),
    "more layers than any model": (("num_hidden_layers",), 10**9),
    "layers in words": (("num_hidden_layers",), "61"),
    "a pattern of another length": (
        ("layer_types", "layers_block_type", "moe_layer_freq", "compress_ratios"),
        [],
    ),
    "no width": (("hidden_size",), 0),
    "half a row": (("vocab_size",), 0.5),
    "heads that do not divide": (("num_key_value_heads",), 7),
    "more experts a token than there are": (("num_experts_per_tok", "moe_topk"), 10**6),
}


@pytest.mark.slow
@present
@every_config
@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_a_contradiction_names_its_field(name, case, tmp_path, capsys):
    names, value = CONTRADICTIONS[case]
    config = loaded(name)
    text = config.get("text_config", config)
    field = next((it for it in names if text.get(it) is not None), None)
    if field not in names_read(read_config(written(tmp_path, config))[1]):
        return
    text[field] = value
    assert exit_code(["models", "import", written(tmp_path, config), "--json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert field in err


@present
@every_config
def test_a_broken_file_is_told(name, tmp_path, capsys):
    text = (REFERENCE / f"{name}.json").read_text(encoding="utf-8")
    first = json.dumps(loaded(name))[1:]
    for broken, words in (
        (text[: len(text) // 2], "is not valid JSON"),
        (text[:-2].rstrip("}\n "), "is not valid JSON"),
        (f'{{"odd": Infinity, {first}', "odd: must be a finite number"),
        (f"[{text}]", "must be a JSON object"),
    ):
        assert exit_code(["models", "import", written(tmp_path, broken)]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert words in err
