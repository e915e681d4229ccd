"""One runner for all experiments: compute, save, draw from what was saved, print.

    python -m experiments.NAME [--smoke] [--measured FILE] [--records FILE] [--design NAME]
        [-o DIR] [--overwrite] [--resume]

The last line on standard output is one JSON object.
"""

import importlib.util
import inspect
import json
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import jax
import tyro
from rich.console import Console, RenderableType

import liminal_jax
from experiments.claims import Record, summary, told
from experiments.record import check_unused, load_record, next_folder, provenance, save
from liminal_jax._files import InputError, Problem
from liminal_jax.cli.waiting import waiting

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STYLE = Path(liminal_jax.__file__).parent / "view" / "style.mplstyle"  # how every figure looks
PIPED_WIDTH = 100  # columns of the tables where there is no terminal to ask
_LACKS = {
    "measured": "compares with no measurements",
    "records": "models no records",
    "design": "has no designs to choose from",
    "folder": "is computed in one go: there is nothing to resume",
}
"""Flags that not every experiment takes, and what is said to those that do not."""


@dataclass(frozen=True)
class Experiment:
    """One question, and how it is answered.

    Attributes:
        name: Name of its module.
        question: The question and the claim, in prose.
        run: Results of some settings, which JSON can hold; numpy arrays are welcome. Its defaults
            are the settings that answer the question.
        smoke: Settings in their place that exercise the code in a second or two.
        plot: A figure of saved results, in which nothing is computed.
        report: Saved results as text and tables; the verdicts follow by themselves.
        summary: Saved results as the JSON object of the last line; the verdicts by default.
    """

    name: str
    question: str | None
    run: Callable[..., dict[str, Any]]
    smoke: Mapping[str, Any]
    plot: Callable[[Record], "Figure"]
    report: Callable[[Record], Sequence[RenderableType]]
    summary: Callable[[Record], dict[str, Any]] = summary

    @property
    def full(self) -> dict[str, Any]:
        """The settings that answer the question."""
        return {name: it.default for name, it in inspect.signature(self.run).parameters.items()}


@dataclass(frozen=True)
class Flags:
    """Command line of an experiment.

    Attributes:
        smoke: Run the small setting, to see that all works.
        measured: Measurements to compare with, in the columns that `liminal calibrate --help-all`
            tells; those that come with the package where left out.
        records: Records to model, in the columns of experiments/records.csv; those where left out.
        design: One design of the experiment, of which every term is printed; all where left out.
        output: Folder of the run; runs/NAME-K by default.
        overwrite: Write into a folder that holds a run already.
        resume: Go on with the run in a folder that was stopped; what it has is not computed again.
    """

    smoke: tyro.conf.FlagCreatePairsOff[bool] = False
    measured: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    records: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    design: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    output: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    overwrite: tyro.conf.FlagCreatePairsOff[bool] = False
    resume: tyro.conf.FlagCreatePairsOff[bool] = False


def _asked(experiment: Experiment, flags: Flags, folder: Path) -> dict[str, Any]:
    """The settings that the command line asks for, where they are not those of the full run.

    Experiments that keep parts of a run have the folder among their settings.

    Raises:
        InputError: Measurements are given to an experiment that compares with none, a design to one
            that has none, or a run to one that keeps no parts.
    """
    asked = {"measured": flags.measured, "records": flags.records, "design": flags.design}
    given = {name: str(value) for name, value in asked.items() if value is not None}
    known = experiment.full
    problems = [
        Problem(f"--{name}", f"{experiment.name} {_LACKS[name]}")
        for name in given
        if name not in known
    ]
    if flags.resume and "folder" not in known:
        problems.append(Problem("--resume", f"{experiment.name} {_LACKS['folder']}"))
    if problems:
        raise InputError("experiments", problems)
    kept = {"folder": str(folder)} if "folder" in known else {}
    return {**(experiment.smoke if flags.smoke else {}), **given, **kept}


def recorded(experiment: Experiment, settings: Record, folder: Path) -> dict[str, Any]:
    """Run an experiment in double precision and save settings, results and provenance.

    Args:
        experiment: What is run.
        settings: Those that are not as in the full run.
        folder: Where the files go.

    Returns:
        The results, as read back from the file.
    """
    with jax.enable_x64(True):
        start = time.perf_counter()
        results = experiment.run(**settings)
        origin = provenance(time.perf_counter() - start)
    save(folder / "config.json", {**experiment.full, **settings})
    save(folder / "provenance.json", origin)
    save(folder / "results.json", results)
    return load_record(folder / "results.json")


def drawn(experiment: Experiment, folder: Path) -> tuple[Path, ...]:
    """Draw the results saved in a folder, as PNG and PDF.

    Returns:
        The files written.

    Raises:
        ModuleNotFoundError: Matplotlib is not installed.
    """
    from matplotlib import style

    files = tuple(folder / f"{experiment.name}.{kind}" for kind in ("png", "pdf"))
    with style.context(STYLE):
        figure = experiment.plot(load_record(folder / "results.json"))
        for file in files:
            figure.savefig(file)
    return files


def main(experiment: Experiment, arguments: Sequence[str] | None = None) -> int:
    """Answer the command line of an experiment.

    Args:
        experiment: What is run.
        arguments: The command line; that of the process by default.

    Returns:
        Exit code: 0, or 2 for a folder that must not be written to, or measurements that cannot
        be read.
    """
    flags = tyro.cli(
        Flags,
        args=arguments,
        prog=f"python -m experiments.{experiment.name}",
        description=experiment.question,
    )
    folder = flags.output or next_folder(experiment.name)
    try:
        settings = _asked(experiment, flags, folder)
        if not (flags.overwrite or flags.resume):
            check_unused(folder)
        folder.mkdir(parents=True, exist_ok=True)
        with waiting(f"running {experiment.name}"):
            results = recorded(experiment, settings, folder)
    except (FileExistsError, InputError) as error:
        print(error, file=sys.stderr)
        return 2
    width = shutil.get_terminal_size((PIPED_WIDTH, 24)).columns
    console = Console(width=width, highlight=False, markup=False)
    for part in (*experiment.report(results), *told(results)):
        console.print(part)
    if importlib.util.find_spec("matplotlib") is None:
        print("no figure: matplotlib is missing; pip install -e '.[plot]'", file=sys.stderr)
    else:
        drawn(experiment, folder)
    console.print(f"Saved in {folder}", soft_wrap=True)
    print(json.dumps(experiment.summary(results)))
    return 0
