import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import tomli_w

from liminal_jax._files import InputError
from liminal_jax.calibration.fitted import TERMS
from liminal_jax.cli.main import main
from liminal_jax.data.calibrations import load_calibration, load_priors
from liminal_jax.data.measurements import MEASURED
from liminal_jax.fit.batch import batch_of
from liminal_jax.fit.calibrate import load_measured
from liminal_jax.fit.formats.reading import read_rows
from liminal_jax.fit.rows import cases_of
from liminal_jax.fit.scores import by_group, covering, macro_scores
from liminal_jax.fit.solve import Fit, Fitter, row_weights

SOURCES = ("gpt-fast", "rocm-vllm-latency", "trtllm-0.9-static")
LICENCES = {"Apache-2.0", "BSD-3-Clause", "MIT"}


def rows():
    with MEASURED.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def written(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def few():
    return [row for row in rows() if row["source_id"] in SOURCES]


@pytest.fixture(scope="module")
def batch():
    return batch_of(cases_of([it for it in read_rows(MEASURED)[0] if it.source_id in SOURCES])[0])


@pytest.fixture(scope="module")
def fitted(batch):
    fitter = Fitter(batch, load_priors())
    return fitter, fitter.fit(np.ones(len(batch.cases), bool))


def test_shipped_rows_name_source_and_licence():
    for row in rows():
        assert row["licence"] in LICENCES
        assert row["source_repo_or_url"]
        assert row["source_path"]


@pytest.mark.slow
def test_a_fit_is_nearer_than_the_bound(batch, fitted):
    _, fit = fitted
    assert macro_scores(batch, fit.predicted)["macro_mape"] < 0.12
    assert macro_scores(batch, batch.ideal)["macro_mape"] > 0.4


@pytest.mark.slow
def test_covariance_is_never_wider_than_the_prior(batch, fitted):
    fitter, fit = fitted
    covariance = fitter.covariance(fit, np.ones(len(batch.cases), bool))
    assert np.all(np.linalg.eigvalsh(covariance) > 0)
    assert np.all(np.diag(covariance) <= 1 + 1e-9)


@pytest.mark.slow
def test_what_a_group_holds_does_not_reach_its_own_prediction(batch, fitted):
    fitter, fit = fitted
    cells = batch.cells()
    held = fitter.held_out(cells, fit)
    assert np.all(np.isfinite(held))
    error = macro_scores(batch, held)["macro_mape"]
    assert error > macro_scores(batch, fit.predicted)["macro_mape"]


def test_sources_count_alike(batch):
    weights = row_weights(batch, np.ones(len(batch.cases), bool))
    sources = batch.labels("source")
    sums = [weights[sources == source].sum() for source in SOURCES]
    np.testing.assert_allclose(sums, sums[0])


def test_cells_of_a_source_count_alike(batch):
    kept = np.arange(len(batch.cases)) % 3 > 0
    weights, cells = row_weights(batch, kept), batch.cells()
    assert np.all((weights > 0) == kept)
    for source in SOURCES:
        inside = kept & (batch.labels("source") == source)
        sums = [weights[cells == cell].sum() for cell in set(cells[inside])]
        np.testing.assert_allclose(sums, sums[0])


@pytest.mark.slow
def test_the_solver_ends_where_nothing_near_is_better(batch, fitted):
    fitter, fit = fitted
    again = fitter.fit(np.ones(len(batch.cases), bool), fit)
    np.testing.assert_allclose(again.predicted, fit.predicted, rtol=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_the_solver_ends_where_no_other_start_ends_lower(batch, fitted, seed):
    fitter, fit = fitted
    kept = np.ones(len(batch.cases), bool)
    place = 0.6 * np.random.default_rng(100 + seed).normal(size=len(fit.values))
    far = fitter.fit(kept, Fit(fit.layout, place, fit.predicted))
    assert fitter.cost(far, kept) >= fitter.cost(fit, kept) * (1 - 1e-4)


def test_perfect_predictions_score_perfectly(batch):
    record = macro_scores(batch, batch.measured)
    assert record["macro_mape"] == 0
    assert record["within_10"] == 1
    assert record["rank_correlation"] == pytest.approx(1)
    assert set(by_group(batch, batch.measured, "source")) == set(SOURCES)


def test_the_covering_factor_covers(batch):
    wrong = batch.measured * np.linspace(0.8, 1.25, len(batch.measured))
    factor = covering(batch, [(wrong, np.ones(len(wrong)))], 0.9)
    assert np.mean(np.abs(np.log(wrong / batch.measured)) <= factor) == pytest.approx(0.9, abs=0.1)


def test_the_covering_factor_covers_in_the_mean_of_ways_to_leave_out(batch):
    """One way is exact and the other off by 1 to 2 spreads: the wrong half decides alone."""
    spread = np.full(len(batch.measured), 0.1)
    off = batch.measured * np.exp(np.linspace(0.1, 0.2, len(spread)))
    factor = covering(batch, [(batch.measured, spread), (off, spread)], 0.9)
    assert factor == pytest.approx(covering(batch, [(off, spread)], 0.8), rel=0.05)
    assert covering(batch, [(batch.measured, spread), (off, spread)], 0.4) == 0


def test_bad_rows_are_named_and_the_good_ones_used(few, tmp_path):
    good = [{**row, "note": f"{row['note']} {at}"} for at, row in enumerate(few[:6])]
    bad = [
        {**few[0], "model": "Nonesuch-9B"},
        {**few[0], "gpu": "Nonesuch 1"},
        {**few[0], "metric": "tpot_ms", "value": "0.001", "note": "too fast"},
        {**few[0], "value": "fast"},
        good[0],
        {**good[1], "source_path": "elsewhere"},
    ]
    measured = load_measured(written(tmp_path / "rows.csv", [*good, *bad]))
    assert len(measured.batch.cases) == 6
    reasons = " | ".join(reason for _, reason in measured.skipped)
    assert len(measured.skipped) == len(bad)
    for words in (
        "unknown model 'Nonesuch-9B'",
        "unknown chip 'Nonesuch 1'",
        "faster than the weights can stream",
        "is not a number",
        "is the same as line",
        "is the same measurement as line",
    ):
        assert words in reasons


def test_missing_columns_are_all_named(few, tmp_path):
    short = [{k: v for k, v in row.items() if k not in ("gpu", "value")} for row in few]
    with pytest.raises(InputError) as caught:
        load_measured(written(tmp_path / "rows.csv", short))
    assert {problem.path for problem in caught.value.problems} == {"gpu", "value"}


def test_no_usable_row_says_why(few, tmp_path, capsys):
    path = written(tmp_path / "rows.csv", [{**few[0], "gpu": "Nonesuch 1"}])
    assert main(["validate", str(path)]) == 2
    assert "unknown chip" in capsys.readouterr().err


def test_fewer_rows_than_losses_are_refused(few, tmp_path, capsys):
    path = written(tmp_path / "rows.csv", few[:5])
    assert main(["calibrate", str(path), "-o", str(tmp_path / "my.toml")]) == 2
    assert "5 usable rows, fewer than" in capsys.readouterr().err
    assert not (tmp_path / "my.toml").exists()


@pytest.mark.slow
def test_calibrate_validate_and_predict_with_it(few, tmp_path, capsys):
    path = written(tmp_path / "rows.csv", few)
    mine = tmp_path / "my.toml"
    assert main(["calibrate", str(path), "-o", str(mine), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["kind"], record["schema"]) == ("calibration", 1)
    assert record["rows"] == len(few)
    losses = {it["loss"]: it for it in record["losses"]}
    assert list(losses) == list(TERMS)
    assert losses["layer_time"]["unit"] == "s"
    assert set(record["unlearned"]) < set(TERMS)
    assert load_calibration(str(mine)).rows == len(few)
    assert main(["validate", str(path), "--calibration", str(mine), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    for key in ("macro_mape", "mape_by_source", "bias", "within_10", "within_25",
                "rank_correlation", "interval_coverage", "rows", "skipped"):  # fmt: skip
        assert record[key] is not None
    assert set(record["schemes"]) == {
        "ideal", "one_number", "as_is", "by_cell", "by_chip", "by_model"}  # fmt: skip
    flags = ["predict", "-m", "llama-3-8b", "--system", "h100", "--calibration", str(mine)]
    assert main([*flags, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    step = record["calibrated"]
    assert step["low"] < step["step_time"] < step["high"]
    assert record["step_time"] < step["step_time"]
    assert main(flags) == 0
    assert "90 % interval" in capsys.readouterr().out


@pytest.mark.slow
def test_rows_of_cells_that_were_not_fitted_are_judged_as_they_are(few, tmp_path, capsys):
    other = [{**row, "engine": "another"} for row in few]
    path = written(tmp_path / "rows.csv", other)
    assert main(["validate", str(path), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["macro_mape"] == record["schemes"]["as_is"]["macro_mape"]
    assert main(["validate", str(path)]) == 0
    assert "as it is" in capsys.readouterr().out


def test_a_file_without_makers_and_releases_reads_and_predicts_as_before(tmp_path):
    known = load_calibration("measured").model_copy(update={"prompts": None})
    tables = known.model_dump(exclude={"newest", "prompts"})
    for prior in tables["priors"].values():
        del prior["vendor"], prior["release"]
    former = ("all", "engine", "family")
    tables["addends"] = [it for it in tables["addends"] if it["level"] in former]
    path = tmp_path / "old.toml"
    path.write_text(tomli_w.dumps(tables), encoding="utf-8")
    old = load_calibration(str(path))
    assert old.fitted("vLLM", "hopper", 2020.0) == old.fitted("vLLM", "hopper")
    value = {(it.term, it.level, it.group): it.value for it in known.addends}
    prior, levels = known.priors["layer_time"], [("all", ""), ("engine", "vLLM"), ("family", "ada")]
    moved = sum(getattr(prior, each) * value["layer_time", each, of] for each, of in levels)
    expected = prior.typical * np.exp(moved)
    assert float(old.fitted("vLLM", "ada").layer_time) == pytest.approx(expected, rel=1e-5)


def test_an_older_release_is_slower_and_a_newer_one_the_newest():
    known = load_calibration("measured")
    newest = known.newest["SGLang"]
    then = known.fitted("SGLang", "cdna4", newest - 1)
    now = known.fitted("SGLang", "cdna4", newest)
    assert float(then.layer_time) > float(now.layer_time)
    assert float(then.weight_share) < float(now.weight_share)
    assert float(known.fitted("SGLang", "cdna4", newest + 1).layer_time) == float(now.layer_time)
    assert float(known.fitted("SGLang", "cdna4").layer_time) == float(now.layer_time)
    slopes = {"layer_time": 0.5}
    assert known.spread(slopes, "SGLang", "cdna4", newest - 1) > (
        known.spread(slopes, "SGLang", "cdna4")
    )


def test_the_trend_of_releases_is_learned(batch):
    """Rows of one engine, of which older ones are made slower by what each year adds to a layer."""
    fitter = Fitter(batch, load_priors())
    assert np.all(fitter.layout.times == [1, 1, 1, 1, 0])
    aged = [replace(it, release=2024.0 + at % 3) for at, it in enumerate(batch.cases)]
    told = replace(batch, cases=tuple(aged))
    ages = Fitter(told, load_priors()).layout.times[:, -1]
    for engine in {it.engine for it in aged}:
        years = [it.release for it in aged if it.engine == engine]
        mine = ages[[it.engine == engine for it in aged]]
        np.testing.assert_allclose(mine, max(years) - np.array(years))
    slower = replace(told, measured=batch.measured * 1.15**ages)
    fitter = Fitter(slower, load_priors())
    fit = fitter.fit(
        np.ones(len(aged), bool), Fit(fitter.layout, np.zeros(len(fitter.layout.keys)), batch.ideal)
    )
    value = dict(zip(fitter.layout.keys, fit.values, strict=True))
    assert value["weight_share", "release", ""] < 0 < value["layer_time", "release", ""]


def test_an_unmeasured_family_is_like_others_of_its_maker():
    known = load_calibration("measured")
    assert "cdna5" not in known.groups("family")
    assert float(known.fitted("SGLang", "tpu").layer_time) == (
        float(known.fitted("SGLang").layer_time)
    )
    nvidia = {it.term: it.value for it in known.addends if it.group == "nvidia"}
    prior = known.priors["weight_share"]
    shares = [known.fitted("SGLang", it).weight_share for it in ("tpu", "hopper")]
    family = next(
        it.value for it in known.addends if (it.term, it.group) == ("weight_share", "hopper")
    )
    moved = prior.vendor * nvidia["weight_share"] + prior.family * family
    assert float(shares[1] / shares[0]) == pytest.approx(np.exp(moved), rel=1e-5)


def test_an_unmeasured_chip_has_a_wider_interval():
    calibration = load_calibration("measured")
    slopes = {"weight_share": -0.8, "layer_time": 0.2}
    known = calibration.spread(slopes, "SGLang", "hopper")
    assert known < calibration.spread(slopes, "SGLang", None) < calibration.spread(slopes)
