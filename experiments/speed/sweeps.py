"""Whole sweeps in processes of their own: how long they take, and how much memory."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.speed.functions import RANGES

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

LIMINAL = "from liminal_jax.cli.main import run; run()"


KEPT = ("utps", "stps", "power", "capital_cost", "usd_per_million_tokens", "feasible")


def _command(arguments: Sequence[str], folder: Path, devices: int) -> subprocess.Popen[bytes]:
    flags = f"--xla_force_host_platform_device_count={devices}"
    return subprocess.Popen(
        [sys.executable, "-c", LIMINAL, "sweep", *arguments, "-o", str(folder)],
        env={**os.environ, "XLA_FLAGS": flags, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def drawn_axes() -> list[str]:
    """The twelve inputs as axes to draw from."""
    paths = {
        "memory_bandwidth": "system.chip.memory.bandwidth",
        "throughput": "system.chip.tensor.bits_8",
        "latency": "system.network.latency",
        "vector": "system.chip.vector",
        "network_bandwidth": "system.network.bandwidth",
        "memory_energy": "system.chip.memory.energy",
        "flop_energy": "system.chip.power.flop_energy",
        "selling_multiple": "system.facility.selling_multiple",
        "energy_price": "system.facility.energy_price",
    }
    words = ["-m", "deepseek-v3", "--system", "h200"]
    for name, (low, high) in RANGES.items():
        words += ["--axis", f"{paths.get(name, name)}={low:g}:{high:g}"]
    return words


def grid_axes(points: int) -> list[str]:
    """A grid of about so many points over seven numbers."""
    each = max(2, round((points / 36) ** (1 / 4)))
    return [
        *("-m", "deepseek-v3", "--system", "h200", "--axis", "tp=8,16,32,64"),
        *("--axis", "ep=8,16,32", "--axis", "weight_bits=4,8,16"),
        *("--axis", f"context=8192:1048576:{each}:log"),
        *("--axis", f"network.latency=1e-7:1e-5:{each}:log"),
        *("--axis", f"chip.memory.bandwidth=1e12:3e13:{each}:log"),
        *("--axis", f"batch=1:100000:{each}:log"),
    ]


def swept_apart(
    arguments: Sequence[str], devices: int = CORES, processes: int = 1
) -> dict[str, Any]:
    """A sweep in processes of its own: points, seconds, and the most memory of the first."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as scratch:
        folder, started = Path(scratch) / "run", []
        for rank in range(processes):
            shared = [
                *("--distributed", "--coordinator", "localhost:47391"),
                *("--processes", str(processes), "--process", str(rank)),
            ]
            words = [*arguments, *(shared if processes > 1 else [])]
            started.append(_command(words, folder, devices))
        for process in started:
            process.wait()
        if any(it.returncode != 0 for it in started):
            raise RuntimeError(f"liminal sweep {' '.join(arguments)} failed")
        timing = json.loads((folder / "timing.json").read_text())
        points = json.loads((folder / "result.json").read_text())["points"]
    return {"points": points, "seconds": timing["seconds"], "memory": timing["peak_memory"]}


def kept_outputs() -> list[str]:
    """To keep some outputs of every point."""
    return [word for name in KEPT for word in ("--keep", name)]
