"""`liminal pareto`: the Pareto front of a study."""

import math
from typing import TYPE_CHECKING, Annotated

import tyro

from liminal_jax._files import InputError, Problem, did_you_mean
from liminal_jax.cli.optimize import BUILT_IN, structures_at
from liminal_jax.cli.options import Maybe
from liminal_jax.cli.printed import printed_run
from liminal_jax.cli.runtime import prepare_jax

if TYPE_CHECKING:
    from liminal_jax.study.file import StudyFile
    from liminal_jax.study.problem import Criterion

FEWEST, MOST = 2, 3
"""Least and greatest number of objectives."""


def pareto(
    study: Annotated[str, tyro.conf.Positional] = BUILT_IN,
    maximise: Annotated[tuple[str, ...], tyro.conf.arg(metavar="QUANTITY")] = (),
    minimise: Annotated[tuple[str, ...], tyro.conf.arg(metavar="QUANTITY")] = (),
    output: Annotated[Maybe[str], tyro.conf.arg(aliases=["-o"], metavar="DIR")] = None,
    overwrite: bool = False,
    epsilon: float = 0.0,
    seconds: float = 300.0,
    json: bool = False,
) -> int:
    """Find the Pareto front of a study, with the proof that no design is missing.

    A design dominates another if it is no worse in any objective and better in one.

    All limits of the study apply, also those on quantities that are objectives here.

    Name two or three objectives, or none: then they are the study's own and utps, or stps.

    Writes a run folder: every design as a file for `liminal predict -c`, result.json, a figure.

    Args:
        study: A study that comes with the package (see `liminal studies`), or a path to one.
        maximise: A quantity to maximise; may be repeated.
        minimise: A quantity to minimise; may be repeated.
        output: Folder to write (default: the first free runs/NAME-K); as `front` in the folder of
            an optimum of the same study, its page shows the front too.
        overwrite: Whether a folder that is not empty may be replaced.
        epsilon: Share by which a design may beat its nearest point, such as 0.01; 0 finds all.
        seconds: Wall time after which the proof stops, with the gap that is left; of systems of
            different structure the proof of each.
        json: Print one JSON object in SI units.
    """
    from liminal_jax.study.questions import load_study
    from liminal_jax.view.figure import check_matplotlib, drawn

    _check(maximise, minimise, epsilon, seconds)
    check_matplotlib("liminal pareto")
    file = load_study(study)
    prepare_jax()

    from liminal_jax.cli.progress import ProgressBar
    from liminal_jax.optimization.pareto.pareto_front import pareto_over
    from liminal_jax.optimization.pareto.record import design_files
    from liminal_jax.results import pareto as result
    from liminal_jax.study.folder import new_folder, provenance, write_run
    from liminal_jax.view.pareto_figure import front_figure

    problems = structures_at(file, study)
    objectives = _objectives(file, maximise, minimise)
    folder = new_folder(file.name, output, overwrite)
    with ProgressBar() as progress:
        front = pareto_over(problems, objectives, epsilon, seconds, progress)
        progress.stage("Pareto fronts of each category, and of existing chips")
        record = front.to_dict()
    designs = design_files(front.problem.file, front.points)
    write_run(folder, designs, {"result.json": record, "provenance.json": provenance(None)})
    if front.points:
        drawn(lambda: front_figure(front, *front.compared), folder, "front")
    best = [record["points"][result.middle(record)]["file"]] if front.points else []
    steps = (f"liminal predict -c {folder}/{it}" for it in best)
    printed_run(record, result.page, json, folder, *steps)
    return 0 if front.points else 1


def _objectives(
    file: "StudyFile", maximise: tuple[str, ...], minimise: tuple[str, ...]
) -> list["Criterion"]:
    """The objectives that were named, or the study's own and the one that it trades with."""
    from liminal_jax.study.file import ObjectiveTable
    from liminal_jax.study.read import criterion_of

    most = [ObjectiveTable(maximise=name) for name in maximise]
    named = most + [ObjectiveTable(minimise=name) for name in minimise]
    other = "stps" if file.objective.quantity in ("utps", "tpot") else "utps"
    return list(map(criterion_of, named or [file.objective, ObjectiveTable(maximise=other)]))


def _check(
    maximise: tuple[str, ...], minimise: tuple[str, ...], epsilon: float, seconds: float
) -> None:
    """Refuse wrong options, all at once."""
    names = maximise + minimise
    wrong = [
        (not 0 <= epsilon < math.inf, "--epsilon", f"must be a share of at least 0, got {epsilon}"),
        (not seconds > 0, "--seconds", f"must be greater than 0, got {seconds:g}"),
        (
            names != () and not FEWEST <= len(names) <= MOST,
            "",
            f"a front has two or three objectives, got {len(names)}: {', '.join(names)};"
            " name as many with --maximise and --minimise",
        ),
    ]
    problems = [Problem(option, message) for bad, option, message in wrong if bad]
    problems += [it for it in map(_unknown, names) if it is not None]
    problems += _repeated(maximise, minimise)
    if problems:
        raise InputError("liminal pareto", problems)


def _unknown(name: str) -> Problem | None:
    from liminal_jax.study.quantities import NAMED

    if name in NAMED:
        return None
    hint = did_you_mean(name, NAMED) or f"; there are {', '.join(NAMED)}"
    return Problem("", f"there is no quantity {name!r}{hint}")


def _repeated(maximise: tuple[str, ...], minimise: tuple[str, ...]) -> list[Problem]:
    """Quantities that are named more than once."""
    problems = []
    for name in dict.fromkeys(maximise + minimise):
        if name in maximise and name in minimise:
            message = f"{name} cannot be both maximised and minimised; name it once"
            problems.append(Problem("", message))
        elif (maximise + minimise).count(name) > 1:
            problems.append(Problem("", f"{name} is named twice; leave one out"))
    return problems
