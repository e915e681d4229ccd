"""`liminal app`: what it refuses before anything is served, and how it is served."""

import importlib.util
import socket
import subprocess
from types import SimpleNamespace

import pytest

from liminal_jax.cli import app as cli
from tests.cli.terminal import exit_code

SERVED = ["app", "-m", "llama-3-8b", "--system", "h200", "--no-browser"]


@pytest.fixture
def served(monkeypatch):
    """What would have been started, and the token that it would have been given."""
    seen = []

    class Server:
        returncode = 0

        def __init__(self, command, **how):
            seen.append((command, how))

        def communicate(self, token):
            seen.append(token)

        def terminate(self):
            pass

        def wait(self):
            pass

    # The module of the command alone: others start processes of their own.
    known = {name: getattr(subprocess, name) for name in dir(subprocess)}
    monkeypatch.setattr(cli, "subprocess", SimpleNamespace(**{**known, "Popen": Server}))
    monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
    monkeypatch.setattr(cli.importlib.util, "find_spec", lambda _: True)
    return seen


def free():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def test_it_is_served_to_this_machine_with_a_token(served, capsys):
    port = free()
    assert exit_code([*SERVED, "--port", port]) == 0
    (command, how), token = served
    out, err = capsys.readouterr()
    assert out == f"http://127.0.0.1:{port}?access_token={token}\n"
    assert len(token) >= 32
    assert token not in " ".join(command)
    assert how["stdin"] == subprocess.PIPE
    joined = " ".join(command)
    assert f"--host 127.0.0.1 --port {port} --token --token-password-file - --headless" in joined
    assert joined.endswith("notebook.py -- --model llama-3-8b --system h200")
    assert how["env"]["JAX_ENABLE_X64"] == "true"
    assert "only this machine reaches it" in err
    exit_code([*SERVED, "--port", port])
    assert served[-1] != token


@pytest.mark.usefixtures("served")
def test_what_it_means_to_listen_elsewhere_is_said(capsys):
    assert exit_code([*SERVED, "--port", free(), "--host", "0.0.0.0"]) == 0
    err = capsys.readouterr().err
    assert "whoever reaches it and has this token can use it" in err
    assert "nothing is encrypted" in err
    assert exit_code(["app", "--help"]) == 0
    told = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert (
        "With another --host anyone who reaches that address and has the token can use it" in told
    )


def test_a_port_that_is_taken_is_told(served, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert exit_code([*SERVED, "--port", port]) == 2
    err = capsys.readouterr().err
    assert f"cannot listen on 127.0.0.1, port {port}: Address already in use; choose" in err
    assert served == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-m", "llama-3-8c"], "did you mean 'llama-3-8b'?"),
        (["--system", "h20"], "--system: there is no system 'h20'; did you mean 'h200'?"),
        (["runs/none"], "runs/none: is not there; give the folder of a run, a design or a study"),
        (["runs/none", "-m", "llama-3-8b"], "give a run, or --model and --system, not both"),
        (["--port", "0"], "--port: must be from 1 to 65535, got 0"),
        (["--host", "nowhere.invalid"], "cannot listen on nowhere.invalid"),
    ],
)
def test_what_cannot_be_shown_is_refused(arguments, message, served, capsys):
    assert exit_code(["app", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert served == []


def test_without_marimo_the_remedy_is_told(monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert exit_code(["app"]) == 2
    assert "pip install -e '.[app]'" in capsys.readouterr().err
