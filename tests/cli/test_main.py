"""Which command is meant, what it costs to ask, and what its failure means to a shell."""

import re
import signal
import subprocess
import sys
import time

import pytest

from liminal_jax import __version__
from liminal_jax.cli import main as cli
from liminal_jax.cli.printed import printed_run
from liminal_jax.results.page import Page
from tests.cli.terminal import PROGRAM, ROOT, command, exit_code

LOADED = "import sys\nfrom liminal_jax.cli.main import main\n"
REPORT = "\nprint('jax loaded:', 'jax' in sys.modules, file=sys.stderr)"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["predict", "--help"],
        ["optimize", "--help"],
        ["systems"],
        ["models"],
        ["models", "--json"],
        ["models", "show", "deepseek-v3"],
        ["studies"],
        ["studies", "--json"],
    ],
)
def test_what_needs_no_computation_is_quick(arguments, tmp_path):
    program = f"{LOADED}\ntry:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass{REPORT}"
    begin = time.perf_counter()
    done = command(arguments, tmp_path, program)
    assert done.stderr == "jax loaded: False\n"
    assert done.returncode == 0
    assert done.stdout
    # Half a second on an idle machine; the bound leaves room for a busy one.
    assert time.perf_counter() - begin < 10


def test_help_names_every_command(capsys):
    assert exit_code(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in cli.COMMANDS)
    assert max(map(len, out.splitlines())) <= 80
    assert exit_code(["-h"]) == 0
    assert capsys.readouterr().out == out


def test_without_a_command_three_things_to_try_are_shown(capsys):
    assert exit_code([]) == 2
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    tried = re.findall(r"^  liminal (\w+)", out, re.MULTILINE)
    assert len(tried) == 3
    assert set(tried) <= set(cli.COMMANDS)


def helped(name, flag, capsys):
    assert exit_code([*name.split(), flag]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(("columns", "most"), [(80, 44), (100, 40)])
@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_the_help_of_every_command_fits_a_screen_and_shows_an_example(
    name, columns, most, capsys, monkeypatch
):
    monkeypatch.setenv("COLUMNS", str(columns))
    usage, *lines = helped(name, "--help", capsys).splitlines()
    assert usage.startswith(f"usage: liminal {name} ")
    assert max(len(line.rstrip()) for line in lines) <= columns
    assert len(lines) < most
    example = cli.COMMANDS[name].example
    assert f"example: liminal {example}" in lines
    assert example.startswith(name)


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_all_options_are_shown_where_they_are_asked_for(name, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    short, whole = (helped(name, it, capsys) for it in ("--help", "--help-all"))
    assert max(len(line.rstrip()) for line in whole.splitlines()[1:]) <= 100
    options = [set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", it)) for it in (short, whole)]
    hidden = {f"--{it.replace('_', '-')}" for it in cli.COMMANDS[name].rare}
    assert not hidden & options[0]
    assert hidden <= options[1]
    assert (f"liminal {name} --help-all" in short) == bool(hidden)
    asked = set(re.findall(r"(?<!\w)--?[a-z][\w-]*", cli.COMMANDS[name].example))
    assert asked <= options[1]


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_help_tells_no_default_that_says_nothing(name, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    whole = helped(name, "--help-all", capsys)
    assert "None" not in whole
    assert not re.search(r"\(default:\s*(?:''|False)?\s*\)|\bSTR\b", whole)


@pytest.mark.parametrize("words", [["--help", "--tp", "x"], ["--attention", "x", "-h"]])
def test_help_is_shown_whatever_else_is_written(words, capsys):
    assert exit_code(["predict", *words]) == 0
    assert capsys.readouterr().out == helped("predict", "--help", capsys)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["predict", "--context", "x"], "a whole number such as 8, got 'x'"),
        (["predict", "--tp", "2.5"], "a whole number such as 8, got '2.5'"),
        (["validate", "rows.csv", "--isl", "x"], "a number such as 0.5, got 'x'"),
    ],
)
def test_a_word_that_is_no_number_is_told_without_types_of_python(words, wanted, capsys):
    assert exit_code(words) == 2
    err = capsys.readouterr().err
    assert f"{words[-2]}: must be {wanted}" in err
    assert "None" not in err


def test_the_version(capsys):
    assert exit_code(["--version"]) == 0
    assert capsys.readouterr().out == f"liminal-jax {__version__}\n"


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("predct", "did you mean 'predict'?"),
        ("optimise", "did you mean 'optimize'?"),
        ("show", "did you mean 'models show' or 'systems show'?"),
        ("zzz", "there are predict, optimize"),
    ],
)
def test_an_unknown_command_gets_a_suggestion(word, hint, capsys):
    assert exit_code([word]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert f"there is no command {word!r}" in err
    assert hint in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict", "--modl", "x"],
        ["predict", "--tp", "two"],
        ["optimize", "--starts"],
        ["models", "extra"],
    ],
)
def test_wrong_usage_is_told_without_a_traceback(arguments, capsys):
    assert exit_code(arguments) == 2
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    assert arguments[1] in out + err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["predict", "--modl", "x"], "--modl: is no option here; did you mean '--model'?"),
        (["optimize", "-m", "x"], "-m: is no option here; `liminal optimize --help-all` lists"),
        (["validate", "--kvbits=8"], "--kvbits: is no option here; did you mean '--kv-bits'?"),
        (["predict", "--sett", "-3"], "--sett: is no option here; did you mean '--set'?"),
        (["predict", "llama-3-8b", "h200"], "does not take 'llama-3-8b', 'h200'; try `liminal"),
        (["models", "list"], "'list'; try `liminal models` or `liminal models show deepseek-v3`"),
    ],
)
def test_words_that_no_option_takes_come_with_what_may_be_meant(words, told, capsys):
    assert exit_code(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith(f"liminal {words[0]}: ")
    assert told in line


def test_help_of_a_command_is_given_either_way(capsys):
    assert exit_code(["help", "systems", "show"]) == 0
    assert capsys.readouterr().out == helped("systems show", "--help", capsys)


def test_an_interruption_is_told_and_has_its_own_code(capsys, monkeypatch):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_run", interrupted)
    assert cli.main(["optimize"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.slow
def test_a_signal_interrupts_a_search(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "optimize"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path / "cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline() == "bounding the exact model\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert (out, err) == ("", "interrupted\n")


@pytest.mark.slow
def test_a_reader_that_stops_reading_is_no_failure_worth_a_traceback(tmp_path):
    line = f"{sys.executable} -c '{PROGRAM}' systems --json | head -1"
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "{\n"
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [["models"], ["models", "show", "deepseek-v3"], ["systems"], ["studies"]]
)
def test_what_is_piped_is_plain_and_narrow(arguments, tmp_path):
    done = command(arguments, tmp_path)
    assert done.returncode == 0
    assert not re.search(r"\x1b", done.stdout)
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_brackets_and_long_paths_are_printed_as_they_are(capsys):
    path = f"runs/[design]/{'x' * 120}"
    printed_run({}, lambda _: Page("a page", (), (), ()), False, path, "widen [design]")
    told = capsys.readouterr().out.splitlines()
    assert told[-3:] == [
        f"written to {path}",
        "next: widen [design]",
        f"next: liminal report {path}",
    ]
