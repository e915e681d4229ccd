"""What each tool writes becomes rows; what is no measurement is called by its name."""

import json
from pathlib import Path

import pytest

from liminal_jax._files import InputError
from liminal_jax.cli.main import main
from liminal_jax.data.calibrations import load_calibration
from liminal_jax.fit.calibrate import load_measured, validate
from liminal_jax.fit.checks import duplicated
from liminal_jax.fit.formats.given import Given
from liminal_jax.fit.formats.reading import read_rows
from liminal_jax.fit.rows import cases_of

SAMPLES = Path(__file__).parent / "samples"
SERVER = Given(system="h100", tp=4, weight_bits=8.0)
WHOLE = Given(model="llama-3.3-70b", system="h100", tp=4, weight_bits=8.0, engine="vllm")


def cases(name, given=None):
    rows, refused = read_rows(SAMPLES / name, given)
    found, skipped = cases_of(rows)
    assert skipped == []
    return found, rows, refused


def written(folder, name, record):
    path = folder / name
    path.write_text(record if isinstance(record, str) else json.dumps(record), encoding="utf-8")
    return path


def sample(name):
    return json.loads((SAMPLES / name).read_text(encoding="utf-8"))


def said(path, given=None):
    with pytest.raises(InputError) as caught:
        read_rows(path, given)
    return "\n".join(caught.value.lines())


def test_vllm():
    (case,), (row,), _ = cases("vllm.json", SERVER)
    assert (case.model_name, case.engine, case.chip) == ("llama-3.3-70b", "vLLM", "h100")
    assert (case.tp, case.batch, case.context) == (4, 8, 1024 + 512)
    # The median gap between tokens leaves out steps that pass prompts: 8 of 1,024.
    assert (row.metric, row.decode_purity) == ("itl_ms", "near")
    assert case.tpot == pytest.approx(0.97 * 13.2e-3)
    assert (row.ttft_ms(), row.num_gpus) == (95.0, 4)


def test_appended_results_are_read_one_after_another():
    found, rows, _ = cases("vllm_appended.json", WHOLE)
    assert [it.batch for it in found] == [1, 4, 16]
    assert [it.line for it in rows] == [1, 2, 3]
    assert [it.decode_purity for it in rows] == ["pure", "near", "near"]


def test_sglang_serving():
    found, rows, _ = cases("sglang_serving.jsonl", Given(system="h200"))
    assert [(it.model_name, it.engine, it.tp, it.weight_bits) for it in found] == [
        ("deepseek-r1", "SGLang", 8, 8),
        ("deepseek-r1", "SGLang", 8, 8),
    ]
    assert [it.isl for it in rows] == [920, 920]


def test_sglang_one_batch():
    given = Given(model="llama-3-8b", system="h100", tp=1, weight_bits=16.0)
    found, rows, _ = cases("sglang_one_batch.jsonl", given)
    assert [it.tpot for it in found] == pytest.approx([0.0072, 0.0081])
    assert [it.decode_purity for it in rows] == ["pure", "pure"]
    assert [it.ttft_ms() for it in rows] == pytest.approx([31, 260])


@pytest.mark.parametrize("name", ["llama_bench.csv", "llama_bench.json", "llama_bench.jsonl"])
def test_llama_bench(name):
    found, rows, refused = cases(name)
    assert [it.tpot for it in found] == pytest.approx([1 / 141.5, 1 / 128.2])
    assert [it.context for it in found] == [64, 4096 + 64]
    assert {(it.model_name, it.chip, it.engine) for it in found} == {
        ("llama-3-8b", "rtx-4090", "llama.cpp")
    }
    # 4,912,898,304 bytes over 8,030,261,312 weights
    assert found[0].weight_bits == pytest.approx(4.894, abs=1e-3)
    assert rows[0].metric == ""
    assert rows[0].ttft_ms() == pytest.approx(512 / 11600 * 1e3)
    assert [it.reason[:33] for it in refused] == ["prompts and answers in one time: "]


def test_the_table_of_llama_bench():
    given = Given(model="llama-3-8b", system="rtx-4090", tp=1)
    found, _, _ = cases("llama_bench.md", given)
    assert [it.tpot for it in found] == pytest.approx([1 / 141.5, 1 / 128.2])


@pytest.mark.parametrize("name", ["genai_perf.json", "genai_perf.csv"])
def test_genai_perf(name):
    given = Given(
        model="llama-3.3-70b", system="h100", tp=4, weight_bits=8.0, engine="trtllm",
        concurrency=5.0 if name.endswith("csv") else None,
    )  # fmt: skip
    (case,), (row,), _ = cases(name, given)
    assert case.engine == "TensorRT-LLM"
    assert case.tpot == pytest.approx(13.3e-3, rel=0.01)
    # Answers of four times the prompt: prompts have a part in the time of a token.
    assert (row.decode_purity, round(row.isl), row.osl) == ("mixed", 500, 2000)


@pytest.mark.parametrize("name", ["aiperf.json", "aiperf.csv"])
def test_aiperf(name):
    given = Given(
        model="qwen3-32b", system="h100", tp=1, engine="vllm",
        weight_bits=8.0, concurrency=4.0 if name.endswith("csv") else None,
    )  # fmt: skip
    (case,), (row,), _ = cases(name, given)
    assert (case.batch, row.source_id) == (4, "aiperf" if name.endswith("json") else "genai-perf")
    assert case.tpot == pytest.approx(8.85e-3, rel=0.01)


def test_inferencex():
    found, rows, refused = cases("inferencex.json")
    assert [(it.model_name, it.engine, it.chip, it.tp, it.ep) for it in found] == [
        ("deepseek-r1", "SGLang", "b200", 8, 8)
    ] * 2
    assert [it.num_gpus for it in rows] == [8, 8]
    assert found[0].tpot == pytest.approx(0.98 * 0.0081)
    assert found[0].context == pytest.approx(0.9 * 1536)
    assert "speculative decoding (mtp)" in refused[0].reason
    (case,), _, _ = cases("inferencex_agg.json")
    assert (case.model_name, case.engine, case.weight_bits) == ("gpt-oss-120b", "vLLM", 4)


def test_rows_that_others_wrap_or_tabulate_are_read_alike(tmp_path):
    """InferenceX's rows under a key of their own, and as a table; vLLM's as a table."""
    rows, _ = read_rows(written(tmp_path, "a.json", {"data": sample("inferencex.json")}))
    assert [it.batch_or_concurrency for it in rows] == [4, 16]
    table = (
        "hw,framework,model,precision,spec_decoding,isl,osl,conc,tp,ep,median_tpot,median_ttft\n"
    )
    table += "h200,vllm,openai/gpt-oss-120b,fp4,none,1024,1024,4,8,1,0.0041,0.045\n"
    (row,), _ = read_rows(written(tmp_path, "a.csv", table))
    assert (row.value, row.ttft_ms(), row.num_gpus) == pytest.approx((4.1, 45, 8))
    record = sample("vllm.json")
    table = ",".join(record) + "\n" + ",".join(map(str, record.values()))
    (row,), _ = read_rows(written(tmp_path, "b.csv", table), SERVER)
    (same,), _ = read_rows(SAMPLES / "vllm.json", SERVER)
    assert (row.value, row.isl, row.note) == (same.value, same.isl, row.note)


def test_a_folder_of_results_is_read_whole(tmp_path):
    for name in ("vllm.json", "vllm_appended.json"):
        written(tmp_path, name, (SAMPLES / name).read_text(encoding="utf-8"))
    written(tmp_path, "config.json", {"model_type": "llama"})
    rows, refused = read_rows(tmp_path, WHOLE)
    assert len(rows) == 4
    assert [it.reason[:31] for it in refused] == ["config.json: is a model's config"[:31]]


def test_all_that_is_missing_is_asked_for_at_once(tmp_path):
    table = "Metric,avg,min,max\nInter Token Latency (ms),13.4,13.2,13.9\n"
    table += "Input Sequence Length (tokens),500,500,500\n"
    message = said(written(tmp_path, "genai_perf.csv", table))
    assert message.count("\n") == 0
    for flag in ("--model", "--system", "--engine", "--tp", "--weight-bits", "--concurrency",
                 "--kv-bits"):  # fmt: skip
        assert flag in message
    assert "--isl" not in message


def test_a_name_that_is_not_known_is_asked_for_with_the_name(tmp_path):
    path = written(tmp_path, "a.json", {**sample("vllm.json"), "model_id": "served"})
    assert "--model NAME or config.json (it says 'served'" in said(path, SERVER)
    rows, _ = read_rows(path, WHOLE)
    assert rows[0].model == "llama-3.3-70b"


def test_a_flag_that_the_file_contradicts_is_refused():
    message = said(SAMPLES / "sglang_serving.jsonl", Given(system="h200", tp=4))
    assert message.endswith("--tp: is 4, but the file says 8 itself; leave it out")


def test_times_below_zero_are_refused_and_others_used(tmp_path):
    wrong = {**sample("vllm.json"), "median_tpot_ms": -3.0}
    assert said(written(tmp_path, "a.json", wrong), SERVER).endswith(
        "record 1: median_tpot_ms: -3 is impossible"
    )
    both = written(tmp_path, "b.json", [wrong, {**sample("vllm.json"), "max_concurrency": 8}])
    rows, (refused,) = read_rows(both, SERVER)
    assert (len(rows), refused.reason) == (1, "median_tpot_ms: -3 is impossible")


def test_a_file_that_breaks_off_after_a_trace_is_not_a_trace(tmp_path):
    lines = [json.dumps(sample("vllm.json")), '{"traceEvents": []}', '{"date": "2026']
    path = written(tmp_path, "a.jsonl", "\n".join(lines))
    _, refused = read_rows(path, SERVER)
    assert [it.reason.partition(":")[0] for it in refused] == [
        "is a trace of the profiler (Chrome trace events)",
        "is truncated JSON",
    ]


def test_models_and_chips_of_ones_own_are_taken_by_path(tmp_path, monkeypatch):
    from liminal_jax.data.catalogue import DATA
    from liminal_jax.data.models import load_model_spec, spec_to_toml

    monkeypatch.chdir(tmp_path)
    written(tmp_path, "mine.toml", spec_to_toml(load_model_spec("llama-3-70b")))
    chip = (DATA / "systems" / "h100.toml").read_text(encoding="utf-8")
    written(tmp_path, "chip.toml", chip)
    given = Given(model="mine.toml", system="chip.toml", tp=4, weight_bits=8.0)
    (case,), _, _ = cases("vllm.json", given)
    (same,), _, _ = cases("vllm.json", SERVER)
    assert (case.model_name, case.chip) == ("mine.toml", "chip.toml")
    assert float(case.design.system.chip.memory.bandwidth) == float(
        same.design.system.chip.memory.bandwidth
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"failed": 3, "completed": 77}, "3 of 80 requests failed"),
        ({"completed": 70, "failed": None}, "10 of 80 requests failed"),
        ({"spec_decode_acceptance_length": 2.3}, "speculative decoding, 2.30 tokens a step"),
        ({"total_input_sequences": 80}, "a benchmark of embeddings"),
    ],
)
def test_runs_that_are_not_scored_are_said(tmp_path, change, words):
    path = tmp_path / "a.json"
    records = [sample("vllm.json"), {**sample("vllm.json"), **change}]
    path.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    rows, refused = read_rows(path, SERVER)
    assert len(rows) == 1
    assert words in refused[0].reason
    assert refused[0].line == 2


@pytest.mark.parametrize(
    "change",
    [
        {"median_ttft_ms": 15000.0},
        {"request_rate": 10.0, "max_concurrency": None, "completed": 80, "num_prompts": 80},
    ],
)
def test_requests_that_queued_are_said(tmp_path, change):
    path = written(tmp_path, "a.json", {**sample("vllm.json"), **change})
    (row,), _ = read_rows(path, SERVER)
    assert (row.decode_purity, row.queueing) == ("queue", "yes")
    cases, skipped = cases_of([row])
    assert cases == []
    assert "requests queued" in skipped[0].reason


def test_users_of_an_open_loop_follow_from_littles_law(tmp_path):
    record = sample("vllm.json")
    change = {"request_rate": 0.5, "max_concurrency": None, "request_throughput": 0.5,
              "completed": 80, "mean_e2el_ms": 12000.0, "output_throughput": 512.0}  # fmt: skip
    path = written(tmp_path, "a.json", {**record, **change})
    (row,), _ = read_rows(path, SERVER)
    assert row.batch_or_concurrency == pytest.approx(6)
    assert row.queueing == "no"


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.json", '{"traceEvents": [{"ph": "X"}]}', "a trace of the profiler"),
        ("a.json", '{"traceEvents": [{"ph": "X"', "a truncated trace of the profiler"),
        ("a.json", '{"duration": 1.0, "completed": 3', "truncated JSON"),
        ("a.json", '{"a": 1} nonsense', "JSON"),
        ("a.json", '{"hello": 1}', "JSON, but of no tool that is read"),
        ("a.json", '{"model_type": "llama"}', "a model's config"),
        ("a.json", '{"experiments": []}', "perf_analyzer's raw record"),
        ("a.json", '{"avg_latency": 1, "latencies": []}', "`vllm bench latency`"),
        ("a.json", '{"elapsed_time": 1, "requests_per_second": 2}', "`vllm bench throughput`"),
        ("a.csv", "model;gpu;tp;isl\na;b;c;d", "semicolons separate the columns"),
        ("a.csv", "model\tgpu\ttp\tisl\na\tb\tc\td", "tabs separate the columns"),
        ("a.csv", "Time (%),Total Time (ns),Instances\n1,2,3", "a report of nsys stats"),
        ("a.json", '[{"Time (%)": 50, "Total Time (ns)": 3}]', "a report of nsys stats"),
        ("a.json", "[" * 10**5, "JSON nested too deep"),
        ("a.txt", "==== Serving Benchmark Result ====\nMean TTFT (ms): 9", "--save-result writes"),
        ("a.sql", "INSERT INTO llama_bench (build_commit) VALUES (1);", "SQL of llama-bench"),
        ("a.csv", "<!DOCTYPE html>\n<html><body>404</body></html>", "is a web page"),
        ("a.csv", "version https://git-lfs.github.com/spec/v1\noid sha256:0", "of Git LFS"),
        ("a.csv", "hello\nworld", "is no table"),
        ("a.csv", "", "is empty"),
        ("a.sqlite", "SQLite format 3\0", "an SQLite database"),
    ],
)
def test_other_files_are_called_by_their_name(tmp_path, name, text, words):
    assert words in said(written(tmp_path, name, text))


def test_a_file_that_breaks_off_keeps_its_whole_records(tmp_path):
    whole = (SAMPLES / "sglang_serving.jsonl").read_text(encoding="utf-8")
    rows, refused = read_rows(written(tmp_path, "a.jsonl", whole[:-200]), Given(system="h200"))
    assert len(rows) == 1
    assert [(it.line, it.reason[:17]) for it in refused] == [(2, "is truncated JSON")]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"median_tpot_ms": 0.0132, "median_itl_ms": 0.0128, "median_ttft_ms": 0.1},
         "seconds where milliseconds are"),
        ({"median_tpot_ms": 13200.0, "median_itl_ms": 12800.0, "median_ttft_ms": 10.0},
         "microseconds where milliseconds are"),
    ],
)  # fmt: skip
def test_units_that_cannot_be_right_are_said(tmp_path, changes, words):
    path = tmp_path / "a.json"
    good, bad = sample("vllm.json"), {**sample("vllm.json"), **changes}
    path.write_text(f"{json.dumps(good)}\n{json.dumps(bad)}", encoding="utf-8")
    measured = load_measured(path, SERVER)
    assert len(measured.batch.cases) == 1
    ((line, reason),) = measured.skipped
    assert line == 2
    assert words in reason


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"median_ttft_ms": 80000.0, "mean_ttft_ms": 90000.0}, "requests queued"),
        (
            {"median_tpot_ms": 0.0132, "median_itl_ms": 0.0128, "median_ttft_ms": 0.1},
            "seconds where milliseconds are meant",
        ),
    ],
)
def test_a_file_of_which_nothing_can_be_judged_is_no_answer(tmp_path, changes, words):
    path = written(tmp_path, "a.json", {**sample("vllm.json"), **changes})
    with pytest.raises(InputError) as caught:
        validate(path, load_calibration("measured"), SERVER)
    decode, prompts = caught.value.lines()
    assert "line 1: " in decode
    assert "times to the first token: " in prompts
    assert words in f"{decode}{prompts}"


def test_rows_that_contradict_each_other_are_said_and_others_used(tmp_path):
    path = tmp_path / "a.json"
    record = sample("vllm.json")
    other = {**record, "median_tpot_ms": 30.0, "median_itl_ms": 30.0}
    fine = {**record, "max_concurrency": 4}
    path.write_text("\n".join(map(json.dumps, (record, other, fine))), encoding="utf-8")
    measured = load_measured(path, SERVER)
    assert [it.batch for it in measured.batch.cases] == [4]
    assert [at for at, _ in measured.skipped] == [1, 2]
    assert all("contradicts line" in reason for _, reason in measured.skipped)


def test_rows_contradict_each_other_under_other_spellings_of_one_name(tmp_path):
    head = "source_id,model,weight_bits,gpu,num_gpus,tp,batch_or_concurrency,isl,osl,metric,value"
    first = "mine,llama-3-70b,8,H100,8,8,4,128,2048,tpot_ms,14,VLLM"
    other = "mine,meta-llama/Llama-3.1-70B,8,NVIDIA H100 80GB HBM3,8,8,4,128,2048,tpot_ms,80,vLLM"
    rows, _ = read_rows(written(tmp_path, "a.csv", "\n".join([f"{head},engine", first, other])))
    left_out, reasons = duplicated(cases_of(rows)[0])
    assert left_out.all()
    assert [line for line, _ in reasons] == [2, 3]
    assert "contradicts line 3: 14 and 80 ms" in reasons[0][1]


def test_a_tp_that_no_engine_accepts_is_said():
    rows, _ = read_rows(SAMPLES / "vllm.json", Given(system="h100", tp=3, weight_bits=8.0))
    _, skipped = cases_of(rows)
    assert skipped[0].reason.startswith("tp 3 does not divide the 64 heads of meta-llama")


@pytest.mark.slow
def test_an_engine_is_the_same_in_any_case_and_an_unknown_one_is_named():
    calibration = load_calibration("measured")
    records = [
        validate(SAMPLES / "vllm.json", calibration, Given(system="h100", tp=4, weight_bits=8.0,
                                                           engine=engine)).record
        for engine in ("vLLM", "vllm", "Homemade")
    ]  # fmt: skip
    assert records[0]["macro_mape"] == records[1]["macro_mape"] != records[2]["macro_mape"]
    assert [it["unmeasured_engines"] for it in records] == [[], [], ["Homemade"]]


def test_one_number_has_no_bounds_of_its_own(tmp_path):
    record = sample("vllm.json")
    slow = {**record, "median_tpot_ms": 300.0, "median_itl_ms": 300.0}
    found = validate(written(tmp_path, "a.json", slow), load_calibration("measured"), SERVER)
    assert found.record["schemes"]["one_number"]["macro_mape"] == pytest.approx(0, abs=1e-9)


@pytest.mark.slow
def test_the_command_line_takes_what_a_file_does_not_say(capsys):
    path = str(SAMPLES / "vllm.json")
    assert main(["validate", path]) == 2
    assert "--system NAME or FILE.toml, --tp N, --weight-bits N" in capsys.readouterr().err
    flags = ["--system", "h100", "--tp", "4", "--weight-bits", "8"]
    assert main(["validate", path, *flags, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["rows"], record["skipped"]) == (1, 0)
    assert main(["validate", path, *flags]) == 0
    assert "1 rows against calibration measured" in capsys.readouterr().out
    aiperf = ["--model", "qwen3-32b", "--system", "h100", "--tp", "1", "--engine", "none such"]
    path = str(SAMPLES / "aiperf.json")
    assert main(["validate", path, *aiperf]) == 0
    assert "no measurement of none such" in capsys.readouterr().out
