"""The page on accuracy says what its record holds, and its tables are counted right."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from experiments.accuracy import main, rows_of
from experiments.accuracy_view import TARGETS, page, percent, plot
from experiments.record import load_record

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def record():
    return load_record(DOCS / "accuracy.json")


def test_the_page_is_what_the_command_writes(record):
    assert page(record) == (DOCS / "accuracy.md").read_text(encoding="utf-8")


def test_the_kept_record_is_drawn_without_a_fit(tmp_path, capsys):
    shutil.copy(DOCS / "accuracy.json", tmp_path)
    assert main(["--smoke", "-o", str(tmp_path)]) == 0
    assert (tmp_path / "accuracy.md").read_bytes() == (DOCS / "accuracy.md").read_bytes()
    assert (tmp_path / "accuracy.png").stat().st_size > 10_000
    assert "accuracy.png" in capsys.readouterr().out


def test_a_record_that_is_not_there_is_said(tmp_path, capsys):
    assert main(["--smoke", "-o", str(tmp_path)]) == 2
    assert "leave --smoke out" in capsys.readouterr().err


def test_errors_of_a_group_are_those_of_its_rows():
    measured = np.array([1.0, 2.0, 4.0])
    cell, own = np.array([1.1, 1.8, 4.0]), np.array([1.2, 1.6, 6.0])
    first, second = rows_of(["one", "one", "other"], measured, cell, own)
    assert (first["name"], first["rows"], second["name"]) == ("one", 2, "other")
    assert first["error"] == pytest.approx(0.1)
    assert first["own_error"] == pytest.approx(0.2)
    assert first["middle"] == pytest.approx(1.0)
    assert (second["low"], second["high"], second["own_error"]) == (1.0, 1.0, 0.5)


def test_all_rows_are_in_each_table(record):
    for rows in record["decode"]["groups"].values():
        assert sum(it["rows"] for it in rows) == record["decode"]["rows"]


def test_the_readme_of_the_fit_says_the_same(record):
    text = (ROOT / "liminal_jax" / "fit" / "README.md").read_text(encoding="utf-8")
    errors, first = record["decode"]["errors"], record["first_token"]["errors"]
    for words, error in (
        ("bare bound", errors["ideal"]),
        ("bound times one number fitted to these rows", errors["one_number"]),
        ("calibrated, its cell (source, model, chip, count, bits, engine) left out",
         errors["by_cell"]),
        ("calibrated, its chip left out", errors["by_chip"]),
        ("calibrated, its model left out", errors["by_model"]),
        ("calibrated, its cell left out", first["by_cell"]),
    ):  # fmt: skip
        (stated,) = re.findall(re.escape(f"| {words} | ") + r"([\d.]+) %", text)[:1]
        assert float(stated) == pytest.approx(100 * error, abs=0.15)


def test_what_is_missed_is_said(record):
    text = page(record)
    for name in ("by_cell", "by_chip", "by_model"):
        error = record["decode"]["errors"][name]
        assert (f"{percent(error)} where {percent(TARGETS[name])} is asked" in text) == (
            error > TARGETS[name]
        )
    for it in record["cases"]:
        assert (f"Answered wrongly still: {it['asked']}." in text) != it["holds"]


def test_the_picture_has_a_panel_for_each_table(record):
    figure = plot(record)
    assert [len(it.get_yticks()) for it in figure.axes] == [
        len(rows) for rows in record["decode"]["groups"].values()
    ]
