"""`liminal sensitivity`: elasticities, shadow prices and a tornado of a study."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from liminal_jax._files import InputError
from liminal_jax._files import Problem as Mistake
from liminal_jax.cli.options import Maybe
from liminal_jax.cli.printed import printed_run
from liminal_jax.cli.runtime import prepare_jax

if TYPE_CHECKING:
    from liminal_jax.optimization.search.progress import Progress
    from liminal_jax.optimization.sensitivity.result import SensitivityAnalysis
    from liminal_jax.study.problem import Problem

NAME = "liminal sensitivity"


def sensitivity(
    study: tyro.conf.Positional[str],
    output: Annotated[Maybe[str], tyro.conf.arg(aliases=["-o"], metavar="DIR")] = None,
    overwrite: bool = False,
    top: int = 15,
    change: float = 0.1,
    seed: int = 0,
    json: bool = False,
) -> int:
    """Report elasticities and shadow prices of a study, and how the best design responds.

    The best design is found and proven; its integers are then fixed, its other variables relaxed.

    Each number is also decreased and increased, and the study solved again.

    Of systems of different structure: within the structure of the best, which `reasons` name.

    Writes a run folder with the results, the best design as a file for `liminal predict -c`, and a
    tornado plot (figures/tornado.png and .pdf).

    Args:
        study: A study that comes with the package (see `liminal studies`), or a path to one.
        output: Folder to write (default: the first free runs/NAME-K).
        overwrite: Whether a folder that is not empty may be replaced.
        top: How many numbers to show, those of the largest effect.
        change: Share by which each number is decreased and increased.
        seed: Seed of the gradient search, should the proof need it.
        json: Print one JSON object in SI units.
    """
    from liminal_jax.study.questions import load_study
    from liminal_jax.view.figure import check_matplotlib

    _check(top, change)
    file = load_study(study)
    check_matplotlib(NAME)
    prepare_jax()

    from liminal_jax.cli.optimize import structures_at
    from liminal_jax.cli.progress import ProgressBar
    from liminal_jax.optimization.sensitivity.analysis import check_freedom
    from liminal_jax.optimization.sensitivity.result import sensitivity_record
    from liminal_jax.results.sensitivity import page
    from liminal_jax.results.sensitivity_figure import tornado_figure
    from liminal_jax.study.folder import new_folder, provenance, write_run
    from liminal_jax.study.write import design_text
    from liminal_jax.view.figure import drawn

    with _mistakes_of(study):
        problems = structures_at(file, study)
        check_freedom(problems[0])
    folder = new_folder(file.name, output, overwrite)
    with _mistakes_of(study), _unless_refused(folder), ProgressBar() as progress:
        found = _analysis(problems, change, seed, progress)
    record = sensitivity_record(found, top)
    designs = {}
    if found.best.feasible:
        solution = found.best.solution
        designs["design.toml"] = design_text(file, solution.values, solution.category)
    write_run(folder, designs, {"result.json": record, "provenance.json": provenance(seed)})
    if record["tornado"]:
        drawn(lambda: tornado_figure(record), folder, "tornado")
    printed_run(record, page, json, folder)
    return 0 if found.best.feasible else 1


def _analysis(
    problems: "Sequence[Problem]", change: float, seed: int, progress: "Progress"
) -> "SensitivityAnalysis":
    """The analysis of a study; where its systems differ in structure, within that of the best."""
    from liminal_jax.optimization.analyses import sensitivity as within_structure
    from liminal_jax.optimization.optimum import best_of
    from liminal_jax.optimization.search.best_design import Method
    from liminal_jax.optimization.search.branch_and_bound import Budget
    from liminal_jax.optimization.sensitivity.analysis import sensitivity_analysis

    if len(problems) == 1:
        return sensitivity_analysis(problems[0], change, seed, progress)
    best = best_of(problems, method=Method.AUTO, budget=Budget(), seed=seed, progress=progress)
    return within_structure(best, change, seed=seed, progress=progress)


@contextmanager
def _mistakes_of(study: str) -> Iterator[None]:
    """Mistakes found here name the study as the user named it."""
    try:
        yield
    except InputError as error:
        raise InputError(study, error.problems) from None


@contextmanager
def _unless_refused(folder: Path) -> Iterator[None]:
    """Remove the folder of a run again if the study is refused."""
    try:
        yield
    except InputError:
        folder.rmdir()
        raise


def _check(top: int, change: float) -> None:
    """Refuse numbers out of range, all at once.

    Raises:
        InputError: with every one of them.
    """
    wrong = [
        (top < 1, "--top", f"must be at least 1, got {top}"),
        (not 0 < change < 1, "--change", f"must lie between 0 and 1, such as 0.1, got {change:g}"),
    ]
    problems = [Mistake(option, message) for bad, option, message in wrong if bad]
    if problems:
        raise InputError(NAME, problems)
