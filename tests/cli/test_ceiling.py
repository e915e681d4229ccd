"""`liminal ceiling`: what it prints, and what bad input gets."""

import json

import pytest

from liminal_jax.optimization.reach import ceiling as module
from tests.cli.terminal import exit_code


@pytest.fixture
def _two_systems(monkeypatch):
    monkeypatch.setattr(module, "system_names", lambda: ("h200", "b200"))
    monkeypatch.setattr(module, "_planned", lambda *_: [])


@pytest.mark.slow
@pytest.mark.usefixtures("_two_systems")
def test_json_is_sorted_by_speed(capsys):
    assert exit_code(["ceiling", "-m", "llama-3-8b", "--context", "8192", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["kind"], record["schema"]) == ("ceiling", 1)
    assert (record["model"], record["context"]) == ("llama-3-8b", 8192.0)
    speeds = [it["levers"]["utps"] for it in record["technologies"]]
    assert len(speeds) == 2
    assert speeds == sorted(speeds, reverse=True)
    assert all(it["plain"]["binds"] for it in record["technologies"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--model: is required"),
        (["-m", "llama-3-8b", "--context", "0"], "--context: must be at least 1"),
        (["-m", "llama-3-8bb"], "--model: llama-3-8bb"),
    ],
)
def test_what_is_wrong_is_told_with_its_flag(arguments, message, capsys):
    assert exit_code(["ceiling", *arguments]) == 2
    assert message in capsys.readouterr().err
