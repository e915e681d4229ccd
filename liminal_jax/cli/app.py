"""`liminal app`: a page of sliders in the browser, served on this machine."""

import importlib.util
import os
import secrets
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import tyro

from liminal_jax._files import InputError, Problem
from liminal_jax.cli.options import Maybe

COMMAND = "liminal app"

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Addresses that no other machine can reach."""

MODEL, SYSTEM = "deepseek-v3", "h200"
"""Model and system of the page if none are given."""


def app(
    run: Annotated[Maybe[str], tyro.conf.Positional] = None,
    model: Annotated[Maybe[str], tyro.conf.arg(aliases=["-m"])] = None,
    system: Maybe[str] = None,
    host: Annotated[str, tyro.conf.arg(metavar="ADDRESS")] = "127.0.0.1",
    port: int = 2718,
    no_browser: bool = False,
) -> int:
    """Drag hardware, workload and levers of software, and see the effect; optimise from there.

    The page is served on this machine only, to users with the token in its address.

    With another --host anyone who reaches that address and has the token can use it, and have
    files of this machine read as models, systems and designs; nothing is encrypted.

    Args:
        run: Folder of a run, a design file, or a study by name or file, to begin from.
        model: Else a model: a bundled name, or a path to a config.json or model file;
            deepseek-v3 where left out.
        system: On a system: a bundled name, or a path to a system file; h200 where left out.
        host: Address to listen on.
        port: Port to listen on.
        no_browser: Only print the address.
    """
    _check(run, model, system, port)
    asked = _asked(run, model, system)
    _check_free(host, port)
    token = secrets.token_urlsafe(24)
    _announce(host, port, token)
    return _serve(_command(host, port, asked, no_browser), token)


def _check(run: str | None, model: str | None, system: str | None, port: int) -> None:
    problems = []
    if importlib.util.find_spec("marimo") is None:
        remedy = "is served by marimo, which is not installed; pip install -e '.[app]'"
        problems.append(Problem("", remedy))
    if run is not None and (model is not None or system is not None):
        problems.append(Problem("", "give a run, or --model and --system, not both"))
    if not 0 < port < 1 << 16:
        problems.append(Problem("--port", f"must be from 1 to 65535, got {port}"))
    if problems:
        raise InputError(COMMAND, problems)


def _asked(run: str | None, model: str | None, system: str | None) -> dict[str, str]:
    """The design that the page starts from, checked before anything is started."""
    from liminal_jax.cli.runtime import prepare_jax

    prepare_jax()
    from liminal_jax.view.app.opened import open_pair, open_run

    if run is not None:
        open_run(run)
        return {"run": run, "model": MODEL, "system": SYSTEM}
    pair = {"model": model or MODEL, "system": system or SYSTEM}
    open_pair(**pair)
    return pair


def _check_free(host: str, port: int) -> None:
    """Refuse an address that cannot be listened on, before anything is started.

    Raises:
        InputError: why it cannot.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        reason = error.strerror or str(error)
        remedy = f"cannot listen on {host}, port {port}: {reason}; choose another --port or --host"
        raise InputError(COMMAND, [Problem("", remedy)]) from None


def _announce(host: str, port: int, token: str) -> None:
    where = f"[{host}]" if ":" in host else host
    print(f"http://{where}:{port}?access_token={token}", flush=True)
    if host in LOOPBACK:
        told = "only this machine reaches it; stop it with Ctrl-C"
    else:
        told = (
            f"listening on {host}: whoever reaches it and has this token can use it, and have files"
            " of this machine read as models, systems and designs; nothing is encrypted;"
            " stop it with Ctrl-C"
        )
    print(told, file=sys.stderr, flush=True)


def _command(host: str, port: int, asked: dict[str, str], no_browser: object) -> list[str]:
    """The command that serves; the token comes by its input, which no list of processes shows."""
    from liminal_jax.view.app import scene

    notebook = Path(scene.__file__).with_name("notebook.py")
    command = [sys.executable, "-m", "marimo", "--quiet", "--yes", "run", "--no-sandbox"]
    command += ["--host", host, "--port", str(port), "--token", "--token-password-file", "-"]
    command += ["--headless"] if no_browser else []
    given = [word for name, value in asked.items() for word in (f"--{name}", value)]
    return [*command, str(notebook), "--", *given]


def _environment() -> dict[str, str]:
    """How the server sets JAX up: as this process did."""
    import jax

    return {
        **os.environ,
        "JAX_ENABLE_X64": "true",
        "JAX_COMPILATION_CACHE_DIR": str(jax.config.values["jax_compilation_cache_dir"]),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }


def _serve(command: list[str], token: str) -> int:
    """Serve until this process or the server ends, and end the other with it."""
    server = subprocess.Popen(command, stdin=subprocess.PIPE, env=_environment(), text=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        # Its input is closed at once: it has nothing more to ask.
        server.communicate(token)
        return server.returncode
    finally:
        server.terminate()
        server.wait()
