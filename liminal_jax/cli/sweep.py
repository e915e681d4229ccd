"""`liminal sweep`: all points of a grid or sample, on all devices, reduced or kept."""

import contextlib
import json as json_format
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from liminal_jax._files import InputError, Problem
from liminal_jax.cli.optimize import BUILT_IN
from liminal_jax.cli.options import Maybe
from liminal_jax.cli.printed import printed, printed_run
from liminal_jax.cli.runtime import prepare_jax, usable_cores

if TYPE_CHECKING:
    from liminal_jax.study.file import DesignFile
    from liminal_jax.sweeps.plan import Plan
    from liminal_jax.sweeps.processes import Group

COMMAND = "liminal sweep"

ON_GPU = 1 << 20
"""Points of a block that fill a GPU."""


def sweep(
    study: Annotated[str, tyro.conf.Positional] = BUILT_IN,
    axis: Annotated[tuple[str, ...], tyro.conf.arg(metavar="PATH=VALUES")] = (),
    model: Annotated[Maybe[str], tyro.conf.arg(aliases=["-m"])] = None,
    system: Maybe[str] = None,
    sample: Literal["none", "sobol", "latin"] = "none",
    points: int = 0,
    seed: int = 0,
    maximise: Annotated[tuple[str, ...], tyro.conf.arg(metavar="OUTPUT")] = (),
    minimise: Annotated[tuple[str, ...], tyro.conf.arg(metavar="OUTPUT")] = (),
    top: int = 10,
    by: Annotated[str, tyro.conf.arg(metavar="AXIS")] = "",
    histogram: Annotated[tuple[str, ...], tyro.conf.arg(metavar="OUTPUT")] = (),
    keep: Annotated[tuple[str, ...], tyro.conf.arg(metavar="OUTPUT")] = (),
    parquet: bool = False,
    float32: bool = False,
    output: Annotated[Maybe[str], tyro.conf.arg(aliases=["-o"], metavar="DIR")] = None,
    overwrite: bool = False,
    resume: bool = False,
    dry_run: bool = False,
    distributed: bool = False,
    coordinator: Annotated[Maybe[str], tyro.conf.arg(metavar="HOST:PORT")] = None,
    processes: Maybe[int] = None,
    process: Maybe[int] = None,
    json: bool = False,
) -> int:
    """Evaluate every point of a grid or sample: keep the best, the Pareto front, or all.

    Axes are the free variables of the study, and those of --axis: any number of the design,
    the workload (context, weight_bits), the hardware (system....) or the model (model....).

      tp=1,2,4,8                                      a list
      context=8192:131072:5:log                       five values between two ends
      system.chip.memory.bandwidth=1e12:30e12:64:log  the same; "1 TB/s" is read too
      batch=1:512:log                                 two ends, for --sample
      model=deepseek-v3,llama-3-70b                   names (model, accounting, system, memory,
                                                      process): compiled one after the other

    Points that exceed a limit are left out, unless every point is kept.

    A sweep that was stopped or killed continues with the same command and --resume.

    Args:
        study: A study or design (see `liminal studies`), or a path to one.
        axis: An axis; may be repeated.
        model: With --system instead of a study: a model.
        system: With --model instead of a study: finished hardware.
        sample: Sample points between the ends of the axes, instead of a full grid.
        points: Number of samples.
        seed: Seed of the samples.
        maximise: An output to maximise; with several the Pareto front is found too.
        minimise: An output to minimise; counts as one of the several.
        top: How many of the best points are listed, by the first output named.
        by: Axis for each of whose values the best point is listed.
        histogram: An output with a histogram over all feasible points; may be repeated.
        keep: Keep this output of every point, in data.nc; may be repeated; `all` keeps all.
        parquet: With --keep: write data.parquet too.
        float32: Compute in single precision.
        output: Folder to write (default: the first free runs/NAME-K).
        overwrite: Whether a folder that is not empty may be replaced.
        resume: Continue what the folder of --output holds; begin where it holds nothing.
        dry_run: Only estimate points, bytes and time.
        distributed: Share the work with other processes; under SLURM they find each other.
        coordinator: Address of the first process, for --distributed without a scheduler.
        processes: Number of processes, for --distributed without a scheduler.
        process: Rank of this process, from 0, for --distributed without a scheduler.
        json: Print one JSON object in SI units.
    """
    problems = _contradictions(locals())
    if problems:
        raise InputError(COMMAND, problems)
    file = _file(study, model, system)
    group = _group(distributed, coordinator, processes, process)
    plan = _plan(
        file,
        study if model is None else COMMAND,
        {
            "axes": axis,
            "kind": "grid" if sample == "none" else sample,
            "points": points,
            "seed": seed,
            "top": top,
            "by": by,
            "histograms": histogram,
            "keep": keep,
            "precision": 32 if float32 else 64,
        },
        {"maximise": maximise, "minimise": minimise},
    )
    if dry_run:
        return _estimate(plan, json)
    return _swept(
        plan,
        group,
        {"output": output, "overwrite": overwrite, "resume": resume},
        {
            "json": json,
            "parquet": parquet,
        },
    )


def _contradictions(given: dict[str, Any]) -> list[Problem]:
    """All contradictions of the flags."""
    named = [name for name in ("coordinator", "processes", "process") if given[name] is not None]
    reduces = [name for name in ("maximise", "minimise", "histogram", "by") if given[name]]
    checks = [
        ((given["model"] is None) != (given["system"] is None), "", "give --model and --system"),
        (given["top"] < 1, "--top", f"must be at least 1, got {given['top']}"),
        (
            bool(given["keep"]) and bool(reduces),
            "",
            f"give --keep or {', '.join(f'--{it}' for it in reduces)}, not both",
        ),
        (given["parquet"] and not given["keep"], "--parquet", "needs --keep"),
        (given["resume"] and given["output"] is None, "--resume", "needs --output: which sweep"),
        (given["resume"] and given["overwrite"], "", "give --resume or --overwrite, not both"),
        (
            bool(named) and not given["distributed"],
            f"--{(named or [''])[0]}",
            "needs --distributed",
        ),
        (
            given["distributed"] and given["output"] is None,
            "--distributed",
            "needs --output: a folder that all processes see",
        ),
        (
            given["points"] != 0 and given["sample"] == "none",
            "--points",
            "needs --sample, which is sobol or latin",
        ),
    ]
    return [Problem(path, message) for wrong, path, message in checks if wrong]


def _file(study: str, model: str | None, system: str | None) -> "DesignFile":
    from liminal_jax.study.file import design_of
    from liminal_jax.study.questions import load_space

    if model is None:
        return load_space(study)
    tables = {"workload": {"model": model, "context": 8192}, "design": {"system": system}}
    return design_of(tables, COMMAND)


def _group(
    distributed: bool, coordinator: str | None, processes: int | None, process: int | None
) -> "Group":
    """Set JAX up, each core a device where there is no other, and join the other processes."""
    prepare_jax()
    import jax

    if "xla_force_host_platform_device_count" not in os.environ.get("XLA_FLAGS", ""):
        # If JAX was initialised before, from Python, it keeps its devices.
        with contextlib.suppress(RuntimeError):
            jax.config.update("jax_num_cpu_devices", usable_cores())

    from liminal_jax.sweeps.processes import ALONE, joined

    if not distributed:
        return ALONE
    try:
        return joined(coordinator, processes, process)
    except (ValueError, RuntimeError) as error:
        raise InputError(COMMAND, [Problem("--distributed", str(error).splitlines()[0])]) from None


def _plan(
    file: "DesignFile", source: str, spec: dict[str, Any], goals: dict[str, tuple[str, ...]]
) -> "Plan":
    import jax

    from liminal_jax.sweeps.goal import Goal
    from liminal_jax.sweeps.outputs import OUTPUTS
    from liminal_jax.sweeps.plan import BLOCK, SweepSpec, sweep_plan

    if spec["keep"] == ("all",):
        spec["keep"] = tuple(OUTPUTS)
    wanted = [Goal(name, maximise=True) for name in goals["maximise"]]
    wanted += [Goal(name, maximise=False) for name in goals["minimise"]]
    block = BLOCK if jax.default_backend() == "cpu" else ON_GPU
    return sweep_plan(file, SweepSpec(goals=tuple(wanted), **spec), source, block)


def _estimate(plan: "Plan", json: bool) -> int:
    """Print the cost of the sweep."""
    from liminal_jax.results.sweep_estimate import estimate_record, page
    from liminal_jax.sweeps.estimate import estimated

    printed(estimate_record(plan, estimated(plan)), page, json)
    return 0


def _swept(plan: "Plan", group: "Group", where: dict[str, Any], how: dict[str, Any]) -> int:
    from liminal_jax.cli.sweep_progress import SweepBar
    from liminal_jax.results import sweep as result
    from liminal_jax.sweeps.run import SweepProgress
    from liminal_jax.sweeps.store import check_libraries, export_parquet
    from liminal_jax.sweeps.sweep import open_sweep, run_plan
    from liminal_jax.view.console import messages

    check_libraries(plan, how["parquet"])
    run_folder = open_sweep(plan, **where, group=group)
    if not group.first:
        run_plan(plan, run_folder, group, SweepProgress())
        return 0
    folder = _relative(run_folder.folder)
    if len(plan.choices) > 1:
        _announce(plan)
    try:
        with SweepBar() as bar:
            record = run_plan(plan, run_folder, group, bar)
    except KeyboardInterrupt:
        messages().print(f"stopped; continue with the same command, -o {folder} and --resume")
        raise
    _time(run_folder.folder, bar.done, bar.seconds)
    if how["parquet"]:
        export_parquet(run_folder.folder)
    _draw(record, run_folder.folder)
    printed_run(
        record,
        lambda it: result.page(result.beside(it, run_folder.folder)),
        how["json"],
        folder,
    )
    return 0 if plan.spec.keep or record["feasible"] else 1


def _time(folder: Path, points: int, seconds: float) -> None:
    """Write the timing of the last run to its own file, apart from the result."""
    import jax

    speed = {
        "points": points,
        "seconds": seconds,
        "devices": jax.local_device_count(),
        "peak_memory": _peak_memory(),
    }
    (folder / "timing.json").write_text(json_format.dumps(speed) + "\n", encoding="utf-8")


def _peak_memory() -> int | None:
    """Peak memory of this process [B]; None where the system does not report it.

    `getrusage` is no alternative: its peak includes that of the process which started this one.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    rows = dict(row.split(":", 1) for row in status.read_text().splitlines() if ":" in row)
    return int(rows["VmHWM"].split()[0]) * 1024


def _relative(folder: Path) -> Path:
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def _announce(plan: "Plan") -> None:
    """Print which names are compiled one after the other."""
    from liminal_jax.view.console import messages

    paths = ", ".join(it.path for it in plan.names)
    count = len(plan.choices)
    messages().print(
        f"{paths} changes the computation: {count} cases, compiled one after the other"
    )


def _draw(record: dict[str, Any], folder: Path) -> None:
    """Draw the Pareto front, if there is one and Matplotlib is installed."""
    import importlib.util

    if record.get("front") and importlib.util.find_spec("matplotlib") is not None:
        from liminal_jax.view.figure import drawn
        from liminal_jax.view.sweep_figure import sweep_figure

        drawn(lambda: sweep_figure(record), folder, "front")
