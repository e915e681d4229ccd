"""What commands print with `--json` has a page, whose rows and numbers a terminal shows too."""

import json
import math
from pathlib import Path

import pytest
from rich.console import Console

from liminal_jax.results.kinds import kind_of
from liminal_jax.results.report import KINDS, report
from liminal_jax.results.terminal import terminal
from tests.cli.terminal import exit_code
from tests.fit.test_calibrate import SOURCES, rows
from tests.fit.test_calibrate import written as table
from tests.results.rows import html_lines, terminal_lines
from tests.results.test_report import Shown, at
from tests.workload.configs import LLAMA_2_7B, written

COMMANDS = {
    "models": ["models"],
    "model": ["models", "show", "deepseek-v4-pro"],
    "model_import": ["models", "import", "config.json", "--expect-parameters", "6.74B"],
    "model_comparison": ["models", "compare", "llama-3-8b", "nemotron-3-super-120b-a12b"],
    "systems": ["systems"],
    "system": ["systems", "show", "groq-lp30"],
    "studies": ["studies"],
    "experiments": ["experiments"],
    "calibration": ["calibrate", "rows.csv", "-o", "mine.toml"],
    "validation": ["validate", "rows.csv"],
    "sweep_estimate": [
        "sweep",
        "-m",
        "llama-3-8b",
        "--system",
        "h200",
        "--axis",
        "batch=1,2",
        "--dry-run",
    ],
}
"""A command for each kind of result that is printed and has no folder, and for its variants."""

WORDS = ("studies", "experiments")
"""Records that hold no number."""

SLOW = ("calibration", "validation")
CASES = [pytest.param(it, marks=[pytest.mark.slow] * (it in SLOW)) for it in COMMANDS]


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """The file that a command's `--json` was written to, made once for each."""
    folder, made = tmp_path_factory.mktemp("printed"), {}
    written(folder, LLAMA_2_7B)
    _measurements(folder / "rows.csv")

    def record_of(name, capsys, monkeypatch):
        if name not in made:
            monkeypatch.chdir(folder)
            assert exit_code([*COMMANDS[name], "--json"]) == 0
            made[name] = folder / f"{name}.json"
            made[name].write_text(capsys.readouterr().out)
        return made[name]

    return record_of


def _measurements(path: Path) -> None:
    """Rows of three sources, two that cannot be used, and one with prompts in its time."""
    few = [it for it in rows() if it["source_id"] in SOURCES]
    mixed = {"decode_purity": "mixed", "metric": "tpot_ms", "value": "20"}
    others = [{"gpu": "Nonesuch 1"}, {"value": "fast"}, {**mixed, "batch_or_concurrency": "4"}]
    table(path, [*few, *({**few[3], **it} for it in others)])


@pytest.fixture(params=CASES)
def file(request, printed, capsys, monkeypatch):
    return printed(request.param, capsys, monkeypatch)


def read(file: Path):
    """The record of a file, and its page."""
    record = json.loads(file.read_text())
    return record, KINDS[kind_of(record)].page(record)


def test_a_record_tells_its_kind(file):
    record, _ = read(file)
    assert list(record)[:2] == ["kind", "schema"]
    assert file.stem.startswith(record["kind"])


def test_a_terminal_shows_the_rows_of_the_page(file):
    _, page = read(file)
    assert terminal_lines(page) == html_lines(page)
    assert len(terminal_lines(page)) > 5


def test_a_terminal_of_80_columns_shows_every_word(file):
    _, page = read(file)
    console = Console(width=80, highlight=False)
    with console.capture() as captured:
        console.print(terminal(page))
    narrow = captured.get()
    assert max(map(len, narrow.splitlines())) <= 80
    assert "\u2026" not in narrow
    for line in terminal_lines(page):
        assert all(word in narrow for word in line.split() if len(word) < 20), line


def test_numbers_on_the_page_are_those_of_the_record(file):
    pytest.importorskip("plotly")
    record, shown = json.loads(file.read_text()), Shown()
    shown.feed(report(str(file)))
    assert shown.numbers or file.stem in WORDS
    for path, value in shown.numbers:
        assert math.isclose(at(record, path), value, rel_tol=1e-12), path
