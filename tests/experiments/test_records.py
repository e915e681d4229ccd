"""Records of real systems: modelled as what they were, below their bounds, none left out."""

import csv
import doctest
import io
import json
from pathlib import Path

import pytest
from rich.console import Console

import liminal_jax as ll
from experiments import rated_systems, rates, records
from experiments.rated_systems import at_best, near_ideal
from experiments.rates import CEILING, FILE, Rate, load_rates
from experiments.records import EXPERIMENT, modelled, run, speed, summary
from experiments.runner import main

SHARED = Path(__file__).parents[3] / "shared" / "reference" / "beyond" / "records.csv"
ONE = Rate(
    name="own",
    model="MiniMax-M2.5",
    speculative="no",
    tokens_per_s_user=100.0,
    system="gb200",
    tp=4,
    pp=1,
    model_id="minimax-m2.5",
    weight_bits=4.5,
    kv_bits=8,
    context_tokens=2048,
)


def changed(**cells):
    return Rate.model_validate({**ONE.model_dump(), **cells})


def written(folder, *rows):
    """A file of records with the columns of the bundled one."""
    with FILE.open(newline="", encoding="utf-8") as file:
        columns = csv.DictReader(file).fieldnames
    path = folder / "mine.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def results():
    return run()


@pytest.mark.parametrize("module", [rates, rated_systems, records])
def test_the_examples_in_the_docstrings_hold(module):
    assert doctest.testmod(module).failed == 0


@pytest.mark.skipif(not SHARED.exists(), reason="the reference material is not here")
def test_the_records_are_those_of_the_reference():
    assert FILE.read_text(encoding="utf-8") == SHARED.read_text(encoding="utf-8")


def test_every_record_states_its_source():
    assert all(it.source and it.tokens_per_s_user for it in load_rates())


@pytest.mark.slow
def test_no_number_is_cut_in_the_table(results):
    console = Console(file=io.StringIO(), width=100)
    for part in EXPERIMENT.report(results):
        console.print(part)
    text = console.file.getvalue()
    known = [it for it in results["rows"] if "bound" in it]
    assert all(f"{it[key]:,.0f}" in text for it in known for key in ("measured", "near", "bound"))


@pytest.mark.slow
def test_every_row_is_modelled_or_says_what_is_missing(results):
    assert len(results["rows"]) == len(load_rates()) == 36
    assert all(("bound" in it) != bool(it.get("missing")) for it in results["rows"])
    stated = [it.system is not None for it in load_rates()]
    assert [it for it, known in zip(results["rows"], stated, strict=True) if not known] == [
        it for it in results["rows"] if "system" in it.get("missing", [])
    ]
    assert summary(results)["modelled"] == 17


@pytest.mark.slow
def test_no_record_is_above_its_bound_and_software_is_below_it(results):
    known = [it for it in results["rows"] if "bound" in it]
    assert all(it["measured"] < it["bound"] for it in known)
    assert all(it["near"] < it["bound"] for it in known)
    assert [it["verdict"] for it in results["verdicts"]] == ["holds", "holds"]


@pytest.mark.slow
def test_wafers_sram_and_gpus_are_all_there_and_near_what_the_best_of_each_reaches(results):
    known = [it for it in results["rows"] if "bound" in it]
    assert {it["kind"] for it in known} == {"wafer", "SRAM", "GPU"}
    ratios = {it["name"]: it["measured"] / it["near"] for it in known}
    for name in ("WaferLLM on WSE-2", "Hazy megakernel H100", "Hazy megakernel B200"):
        assert ratios[name] == pytest.approx(1, abs=0.12)
    assert max(ratios.values()) < 1.1
    assert summary(results)["rank_correlation"] > 0.6


@pytest.mark.slow
def test_a_layer_near_the_ideal_takes_what_its_parts_add_up_to(results):
    """GLM-5.1 on eight B200: 8 us of weights, 12 to 18 of operators, 6 to 10 of collectives."""
    (row,) = (it for it in results["rows"] if it["name"] == "TileRT B200")
    assert 30 < 1e6 / row["near"] / 78 < 36


def test_the_bound_of_one_chip_by_hand():
    rate = changed(system="h100", tp=1, model_id="llama-3.2-1b", weight_bits=16, kv_bits=16)
    weights, cache = 1_235_814_400 * 2, 2048 * 16 * 2 * 8 * 64 * 2
    assert speed(at_best("h100"), rate, 0.0) == pytest.approx(3.35e12 / (weights + cache), rel=1e-3)


def test_numbers_are_at_the_better_end_of_their_ranges():
    system, best = ll.load_system("b200"), at_best("b200")
    assert float(best.chip.memory.bandwidth) == 8e12 > float(system.chip.memory.bandwidth)
    assert float(at_best("mi300x").network.latency) == pytest.approx(3.8e-6)
    assert float(ll.load_system("mi300x").network.latency) == pytest.approx(7.3e-6)
    assert float(near_ideal("b200").network.latency) == pytest.approx(4e-6)
    assert float(near_ideal("b200").execution.bandwidth_share) == 0.8


@pytest.mark.slow
def test_drafts_of_a_bound_cost_their_arithmetic_alone():
    system = at_best("gb200")
    plain, four = (speed(system, it, 0.0) for it in (ONE, changed(tokens_per_step=4)))
    assert 0.98 * 4 * plain < four < 4 * plain
    assert speed(system, changed(tokens_per_step=4), 1.0) < 0.8 * four


def test_stages_hold_the_cache_of_one_user():
    """On 68 nodes of eight chips 125 GB lie, of which one user's cache takes 1.3."""
    cells = {"model_id": "llama-2-70b", "weight_bits": 8, "kv_bits": 16, "context_tokens": 4096}
    stages = changed(system="groq-lpu-v1", tp=8, pp=68, **cells)
    assert speed(at_best("groq-lpu-v1"), stages, 0.0) > 300
    assert speed(at_best("groq-lpu-v1"), changed(**{**stages.model_dump(), "pp": 34}), 0.0) is None


@pytest.mark.slow
def test_speculation_that_is_not_stated_has_the_published_ceiling():
    assert ONE.tokens() == 1
    assert changed(speculative="not stated").tokens() == CEILING
    assert changed(speculative="yes", tokens_per_step=3.2).tokens() == 3.2
    found = modelled(changed(speculative=""))
    assert found["tokens"] == CEILING
    assert not found["stated"]


@pytest.mark.slow
def test_the_fastest_record_of_all_had_drafts():
    (groq,) = (it for it in load_rates() if it.model_id == "gemma-4-31b")
    alone = Rate.model_validate({**groq.model_dump(), "tokens_per_step": 1})
    assert speed(at_best("groq-lp30"), alone, 0.0) < groq.tokens_per_s_user


@pytest.mark.parametrize(
    ("cells", "missing"),
    [
        ({"system": "tpu-v9"}, "numbers of the system tpu-v9, which is not bundled"),
        ({"model_id": "gpt-9"}, "the shape of gpt-9, which is not bundled"),
        ({"kv_bits": " not stated "}, "kv_bits"),
        ({"tp": "?"}, "tp"),
        ({"tokens_per_s_user": ""}, "tokens_per_s_user"),
        ({"speculative": "diffusion"}, "tokens_per_step of diffusion"),
        ({"tp": 1}, "where the model lay: it does not fit 1 h100"),
    ],
)
def test_what_is_missing_is_named(cells, missing):
    row = modelled(changed(system=cells.pop("system", "h100"), **cells))
    assert row["missing"] == [missing]


@pytest.mark.slow
def test_a_rate_that_nobody_publishes_is_named():
    """The Groq 3 has no published 16-bit rate, and nothing wider stands in for it."""
    row = modelled(changed(system="groq-lp30", tp=256, model_id="llama-3-8b", weight_bits=16))
    assert row["missing"] == ["a rate or a bandwidth of groq-lp30 that nobody publishes"]


@pytest.mark.slow
def test_records_of_ones_own(tmp_path, capsys):
    fast = changed(name="too fast", tokens_per_s_user=1e5).model_dump()
    odd = {"name": "odd", "system": "NVIDIA H100 80GB", "tokens_per_s_user": "12"}
    path = written(tmp_path, fast, ONE.model_dump(), odd)
    assert main(EXPERIMENT, ["--records", str(path), "-o", str(tmp_path / "run")]) == 0
    told = capsys.readouterr().out
    found = json.loads(told.splitlines()[-1])
    assert {key: found[key] for key in ("rows", "modelled", "above_bound")} == {
        "rows": 3,
        "modelled": 2,
        "above_bound": 1,
    }
    assert set(found) == {"rows", "modelled", "above_bound", "median_ratio", "rank_correlation"}
    in_one_line = " ".join(told.split())
    assert "no record is above its bound: holds with these limits" in in_one_line
    assert "above: too fast, MiniMax-M2.5" in in_one_line
    assert "odd" in told
    assert (tmp_path / "run" / "records.png").stat().st_size > 0


def test_a_file_of_which_nothing_can_be_modelled(tmp_path, capsys):
    path = written(tmp_path, {"name": "bare"})
    assert main(EXPERIMENT, ["--records", str(path), "-o", str(tmp_path / "run")]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {
        "rows": 1,
        "modelled": 0,
        "above_bound": 0,
        "median_ratio": None,
        "rank_correlation": None,
    }


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"tokens_per_s_user": "fast"}, "mine.csv: line 2: tokens_per_s_user: must be a number"),
        ({"tp": "-8"}, "mine.csv: line 2: tp: must be at least 1"),
        ({"tokens_per_step": "0.5"}, "mine.csv: line 2: tokens_per_step: must be at least 1"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(cells, message, tmp_path, capsys):
    path = written(tmp_path, {**ONE.model_dump(), **cells})
    assert main(EXPERIMENT, ["--records", str(path), "-o", str(tmp_path / "run")]) == 2
    assert message in capsys.readouterr().err


def test_files_that_are_no_records_are_refused(tmp_path, capsys):
    path = tmp_path / "mine.csv"
    for text, message in (("name,system\na,b200\n", "mine.csv: tp: is a missing column"),):
        path.write_text(text)
        assert main(EXPERIMENT, ["--records", str(path), "-o", str(tmp_path / "run")]) == 2
        assert message in capsys.readouterr().err
    assert main(EXPERIMENT, ["--records", str(tmp_path / "no.csv"), "-o", "no"]) == 2
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.slow
def test_the_first_records_alone():
    assert len(run(first=2)["rows"]) == 2
