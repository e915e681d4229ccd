"""One device, eight, or two processes of two: the same numbers to the last bit."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
PROGRAM = (
    "from liminal_jax.sweeps import processes, run as work\n"
    "processes.HEARTBEAT_TIMEOUT, work.BETWEEN_SAVES = 3, 0.1\n"
    "from liminal_jax.cli.main import run; run()"
)
"""Quicker to save, and to take a silent process for dead, than it would be."""

SWEEP = (
    *("sweep", "-m", "llama-3-70b", "--system", "h200", "--axis", "tp=1,2,4,8"),
    *("--axis", "batch=1:512:32:log", "--axis", "context=8192:131072:16:log"),
    *("--axis", "system.chip.memory.bandwidth=1e12:30e12:64:log"),
    *("--maximise", "utps", "--maximise", "stps", "--by", "batch", "--histogram", "power"),
)
ENDLESS = (*SWEEP[:-8], "--axis", "network.latency=1e-7:1e-5:100000", "--maximise", "utps")
"""More points than are done in an hour."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("devices")


def started(arguments, output, folder, devices, *more):
    flags = f"--xla_force_host_platform_device_count={devices}"
    cache = {"XDG_CACHE_HOME": str(folder / "cache"), "XLA_FLAGS": flags}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments, "-o", str(folder / output), *more],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **cache},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(*processes):
    printed = [it.communicate(timeout=300) for it in processes]
    assert [it.returncode for it in processes] == [0] * len(processes), printed
    return printed


def together(arguments, output, folder):
    """Two processes that share a sweep."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    shared = ("--distributed", "--coordinator", f"localhost:{port}", "--processes", "2")
    return [
        started(arguments, output, folder, 2, *shared, "--process", str(rank)) for rank in (0, 1)
    ]


@pytest.fixture(scope="module")
def alone(folder):
    finished(started(SWEEP, "one", folder, 1))
    return (folder / "one" / "result.json").read_bytes()


def test_eight_devices_give_the_same_numbers(folder, alone):
    finished(started(SWEEP, "eight", folder, 8))
    assert (folder / "eight" / "result.json").read_bytes() == alone


def test_two_processes_give_the_same_numbers(folder, alone):
    finished(*together(SWEEP, "two", folder))
    assert (folder / "two" / "result.json").read_bytes() == alone


@pytest.mark.parametrize("victim", [0, 1])
def test_a_process_that_dies_ends_the_others_with_a_sentence(folder, victim):
    output = f"died-{victim}"
    processes = together(ENDLESS, output, folder)
    patience = time.monotonic() + 120
    while not list((folder / output).glob(f"state-*-{victim}.npz")):
        assert time.monotonic() < patience, [it.communicate() for it in processes]
        assert [it.poll() for it in processes] == [None, None]
        time.sleep(0.1)
    processes[victim].kill()
    killed = time.monotonic()
    _, printed = processes[1 - victim].communicate(timeout=90)
    assert time.monotonic() - killed < 60
    assert processes[1 - victim].returncode != 0
    assert "run the same command with --resume" in " ".join(printed.split())
    processes[victim].communicate()
