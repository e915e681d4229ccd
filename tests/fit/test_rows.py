import csv
from pathlib import Path

import pytest

from liminal_jax._files import InputError
from liminal_jax.data.calibrations import load_calibration
from liminal_jax.data.names import model_named, system_named
from liminal_jax.fit.formats.columns import REQUIRED
from liminal_jax.fit.formats.reading import read_rows
from liminal_jax.fit.rows import cases_of, cell_of, prompts_passed
from liminal_jax.mapping.attention import DataParallel

CORE = Path(__file__).parents[3] / "shared" / "reference" / "measurements" / "core.csv"
ROW = {
    "model": "meta-llama/Llama-2-70b-chat-hf",
    "gpu": "H100-SXM5-80GB",
    "num_gpus": "8",
    "tp": "4",
    "batch_or_concurrency": "32",
    "weight_bits": "8",
    "kv_bits": "",
    "isl": "1000",
    "osl": "200",
    "metric": "tpot_ms",
    "value": "20",
    "engine": "vLLM",
    "source_id": "bench",
    "note": "",
}


@pytest.fixture
def table(tmp_path):
    """Writes rows that differ from a good one as said."""

    def written(*changes, columns=tuple(ROW)):
        path = tmp_path / "rows.csv"
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, columns, extrasaction="ignore")
            writer.writeheader()
            writer.writerows({**ROW, **change} for change in changes)
        return path

    return written


def only(path):
    rows, refused = read_rows(path)
    cases, skipped = cases_of(rows)
    assert (refused, skipped, len(cases)) == ([], [], 1)
    return cases[0]


def test_a_row_becomes_a_case(table):
    case = only(table({}))
    assert (case.model_name, case.chip, case.family) == ("llama-2-70b", "h100", "hopper")
    assert (case.tp, case.pp, case.ep, case.batch, case.context) == (4, 1, 1, 16, 1100)
    assert case.tpot == pytest.approx(0.02)
    assert case.kv_bits == 16
    assert len(case.remarks) == 2


@pytest.mark.parametrize(
    ("metric", "value", "tpot"),
    [
        ("itl_ms", "20", 0.02),
        ("utps", "50", 0.02),
        ("output_tps_total", "1600", 0.02),
        ("output_tps_per_gpu", "200", 0.02),
        ("e2e_latency_s", "4", 0.02),
    ],
)
def test_every_metric_is_the_time_of_a_token(table, metric, value, tpot):
    assert only(table({"metric": metric, "value": value})).tpot == pytest.approx(tpot)


@pytest.mark.parametrize(
    ("change", "passed"),
    [
        ({"metric": "output_tps_total", "decode_purity": "near"}, 5),
        ({"metric": "e2e_latency_s", "decode_purity": "near"}, 5),
        ({"metric": "output_tps_total", "decode_purity": "pure"}, 0),
        ({"metric": "tpot_ms", "decode_purity": "near"}, 0),
    ],
)
def test_a_whole_run_holds_its_prompts(table, change, passed):
    columns = (*ROW, "decode_purity")
    assert prompts_passed(only(table(change, columns=columns)).row) == passed


@pytest.mark.parametrize(
    ("change", "release"),
    [
        ({"note": "run 7 dated 2026-01-01; no drafts"}, 2026.0),
        ({"engine_version": "0.7.3", "note": "run dated 2025-01-01"}, 2025.0),
        ({"engine_version": "0.7.3"}, 2025.123),
        ({"engine_version": "0.7.3", "engine": "SGLang"}, None),
        ({}, None),
    ],
)
def test_a_row_tells_when_its_engine_was_released(table, change, release):
    assert only(table(change, columns=(*ROW, "engine_version"))).release == release


def test_traps(table):
    drawn = only(table({"note": "isl/osl nominal, drawn 0.8-1.0x"}))
    assert drawn.context == pytest.approx(990)
    cores = {"gpu": "Inferentia2", "tp": "24", "num_gpus": "12", "source_id": "aws-neuron"}
    case = only(table(cores))
    assert (case.tp, float(case.design.mapping.attention.ranks_per_chip)) == (12, 2)
    assert case.context == 1100
    padded = only(table({"engine": "Transformers NeuronX"}))
    assert padded.context == 2048
    apart = only(table({"note": "attention data-parallel across the decode tp ranks"}))
    assert isinstance(apart.design.mapping.attention, DataParallel)


@pytest.mark.parametrize(
    ("engine", "weight_bits", "kv_bits", "taken"),
    [
        ("Dynamo+TensorRT-LLM", "4", "", 8),
        ("Optimum-Habana / Gaudi software", "8", "", 8),
        ("Optimum-Habana / Gaudi software", "16", "", 16),
        ("Dynamo+TensorRT-LLM", "4", "16", 16),
        ("vLLM", "8", "", 16),
    ],
)
def test_bits_of_a_cache_that_are_not_stated_are_the_habit_of_the_engine(
    table, engine, weight_bits, kv_bits, taken
):
    change = {"engine": engine, "weight_bits": weight_bits, "kv_bits": kv_bits}
    assert only(table(change)).kv_bits == taken


def test_a_router_before_an_engine_is_not_an_engine(table):
    routed = only(table({"engine": "Dynamo+SGLang"}))
    assert routed.engine == "SGLang"
    assert cell_of(routed.row, 8.0).endswith("|Dynamo+SGLang")
    known = load_calibration("measured")
    assert known.fitted("Dynamo+SGLang", "hopper").layer_time == (
        known.fitted("SGLang", "hopper").layer_time
    )
    assert known.fitted("SGLang").layer_time != known.fitted(None).layer_time


def test_users_that_wait_do_not_decode(table):
    many = {"batch_or_concurrency": "4096", "note": "concurrency is incl. requests queued"}
    waiting = only(table(many))
    assert 1 < waiting.batch < 4096
    assert any(f"of 2048 users {waiting.batch:.0f} decode" in it for it in waiting.remarks)
    assert waiting.tpot == pytest.approx(0.02)
    total = only(table({**many, "metric": "output_tps_total", "value": "1000"}))
    assert total.tpot == pytest.approx(2 * waiting.batch / 1000)
    few = only(table({**many, "batch_or_concurrency": "32"}))
    assert few.batch == 16


def test_the_size_of_the_file_tells_the_bits_of_a_weight(table):
    note = {"params_note": "Q8_0 GGUF dense, 7.54 GiB, 7.62 B params"}
    case = only(table(note, columns=(*ROW, "params_note")))
    assert case.weight_bits == pytest.approx(8.5, abs=0.01)


def test_missing_columns_are_named_at_once(table):
    columns = tuple(name for name in ROW if name not in ("gpu", "value"))
    with pytest.raises(InputError) as caught:
        read_rows(table({}, columns=(*columns, "valu")))
    assert [it.path for it in caught.value.problems] == ["gpu", "value"]
    assert "did you mean 'valu'" in caught.value.problems[1].message
    assert set(REQUIRED) <= set(ROW)


def test_lines_that_are_no_rows_say_why(table):
    rows, refused = read_rows(
        table({}, {"tp": "four"}, {"value": "-1"}, {"metric": "utp"}, {}, {"value": ""})
    )
    assert [row.line for row in rows] == [2]
    assert [(it.line, it.reason) for it in refused] == [
        (3, "tp: 'four' is not a number"),
        (4, "value: -1 is impossible"),
        (5, "metric: 'utp' is unknown; did you mean 'utps'?"),
        (6, "is the same as line 2"),
        (7, "value: is blank"),
    ]


def test_what_is_no_case_says_why(table):
    rows, _ = read_rows(
        table(
            {"model": "Llama-9"},
            {"gpu": "H9000"},
            {"tp": ""},
            {"tp": "1", "num_gpus": "1", "weight_bits": "16"},
            {"tp": "16"},
            {"decode_purity": "queue"},
            columns=(*ROW, "decode_purity"),
        )
    )
    cases, skipped = cases_of(rows)
    assert cases == []
    assert [it.reason.split(":")[0] for it in skipped] == [
        "unknown model 'Llama-9'",
        "unknown chip 'H9000'",
        "tp is not stated",
        "does not fit in memory",
        "tp x pp exceeds num_gpus",
        "requests queued",
    ]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("deepseek-ai/DeepSeek-R1-0528", "deepseek-r1"),
        ("Llama-3.1-8B-Instruct", "llama-3-8b"),
        ("Meta-Llama-3-70B", "llama-3-70b"),
        ("Qwen/Qwen2.5-0.5B-Instruct", "qwen2.5-0.5b"),
        ("Mistral-7B-Instruct-v0.3", "mistral-7b-v0.3"),
        ("mistralai/Mixtral-8x7B-Instruct-v0.1", "mixtral-8x7b"),
        ("nvidia/Llama-3_3-Nemotron-Super-49B-v1", "llama-3.3-nemotron-super-49b"),
        ("mistralai/Mixtral-8x22B-Instruct-v0.1", "mixtral-8x22b"),
        ("Qwen/Qwen3-235B-A22B-Thinking-2507-FP8", "qwen3-235b-a22b"),
        ("PaLM-540B", "palm-540b"),
        ("RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic", "llama-3.3-70b"),
        ("RedHatAI/Meta-Llama-3.1-8B-Instruct-quantized.w4a16", "llama-3-8b"),
        ("amd/Llama-3.3-70B-Instruct-FP8-KV", "llama-3.3-70b"),
        ("nvidia/DeepSeek-R1-0528-NVFP4-v2", "deepseek-r1"),
        ("unsloth/Llama-3.3-70B-Instruct-bnb-4bit", "llama-3.3-70b"),
        ("/models/Llama-3.3-70B-Instruct/", "llama-3.3-70b"),
        ("/hub/models--meta-llama--Llama-3.1-8B-Instruct/snapshots/0e9e39f2", "llama-3-8b"),
        ("FP8", None),
        ("DeepSeek-R1-Distill-Qwen-1.5B", None),
        ("", None),
    ],
)
def test_names_of_models(text, name):
    assert model_named(text) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("NVIDIA H100 80GB HBM3", "h100"),
        ("A100 SXM4 80GB", "a100"),
        ("A100-SXM4-40GB", "a100-40gb"),
        ("NVIDIA A100-PCIE-80GB", "a100-pcie"),
        ("H200 SXM 141GB", "h200"),
        ("RTX 4090 D", "rtx-4090-d"),
        ("NVIDIA GeForce RTX 4090", "rtx-4090"),
        ("NVIDIA GH200 480GB", "gh200"),
        ("3090 24GB", "rtx-3090"),
        ("3090 48GB", None),
        ("AMD Instinct MI300X OAM", "mi300x"),
        ("M3 Max 40\u2011Core GPU 64GB", "m3-max"),
        ("Quadro", None),
        ("", None),
    ],
)
def test_names_of_chips(text, name):
    assert system_named(text) == name


@pytest.mark.slow
def test_the_measured_rows():
    if not CORE.is_file():
        pytest.skip("the measured rows are not here")
    rows, refused = read_rows(CORE)
    cases, skipped = cases_of(rows)
    assert (len(rows), refused) == (485, [])
    assert (len(cases), skipped) == (485, [])
