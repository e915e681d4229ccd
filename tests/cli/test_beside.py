"""The second process of `liminal optimize`: the same answer with it, without it, and if it dies."""

import json
import sys

import pytest

from liminal_jax.cli import beside
from tests.cli.terminal import command, exit_code
from tests.optimization.brute import study
from tests.study.test_execution import SMALL


def test_where_jax_is_there_no_process_starts_and_nothing_is_answered():
    none = beside.Beside()
    none.give(None)
    assert none.take() is None
    none.close()


def test_a_process_that_dies_answers_nothing(monkeypatch):
    monkeypatch.setattr(beside, "worthwhile", lambda: True)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    dead = beside.Beside()
    dead.give(bytes(2 * beside.ROOM))
    assert dead.take() is None
    dead.close()
    dead.close()


def test_a_process_is_ended_whatever_it_does(monkeypatch):
    monkeypatch.setattr(beside, "worthwhile", lambda: True)
    started = []
    popen = beside.subprocess.Popen

    def kept(*arguments, **named):
        started.append(popen(*arguments, **named))
        return started[-1]

    monkeypatch.setattr(beside.subprocess, "Popen", kept)
    alive = beside.Beside()
    assert started[0].poll() is None
    alive.close()
    assert started[0].returncode != 0


@pytest.mark.slow
def test_both_processes_answer_what_one_does(tmp_path, capsys):
    path = str(study(tmp_path, "planned", design=SMALL))
    asked = ["optimize", path, "--starts", "4", "--json"]
    assert exit_code([*asked, "-o", str(tmp_path / "alone")]) == 0
    alone = json.loads(capsys.readouterr().out)
    both = json.loads(command([*asked, "-o", "both"], tmp_path).stdout)
    for key in ("objective", "existing", "pessimistic", "alternatives", "relaxed"):
        assert both[key] == alone[key], key
    assert len(both["pessimistic"]) == 2
    assert len(both["existing"]) > 10
    assert (tmp_path / "both" / "design.toml").is_file()
