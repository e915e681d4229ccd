"""`liminal optimize`: the best design for a study, and how good it is."""

import math
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Annotated, Any, Literal

import tyro

from liminal_jax._files import InputError, Problem
from liminal_jax.cli.beside import Beside
from liminal_jax.cli.calibration import calibration_asked
from liminal_jax.cli.options import Maybe
from liminal_jax.cli.printed import printed_run
from liminal_jax.cli.runtime import prepare_jax

BUILT_IN = "deepseek-v3-128k"
"""The study that runs where none is named."""


def optimize(
    study: Annotated[str, tyro.conf.Positional] = BUILT_IN,
    output: Annotated[Maybe[str], tyro.conf.arg(aliases=["-o"], metavar="DIR")] = None,
    overwrite: bool = False,
    method: Literal["auto", "gradients", "bound"] = "auto",
    starts: int = 32,
    seed: int = 0,
    gap: float = 0.0,
    seconds: float = 300.0,
    robust: Annotated[Maybe[str], tyro.conf.arg(metavar="MEASURE")] = None,
    samples: int = 256,
    reliability: float = 0.95,
    calibration: Maybe[str] = None,
    engine: Maybe[str] = None,
    figures: bool = False,
    json: bool = False,
) -> int:
    """Find the best design of a study by gradients, prove it, and report its sensitivities.

    Prints the design, the limits that bind, the certificate, and the best with existing chips.

    Writes a run folder with the design as a file for `liminal predict -c`.

    For several workloads: one common chip, a design for each, and the loss of each by sharing.

    For layers, pools or classes of requests: what all share, what each chose, and a bound.

    Its page (`liminal report`) also shows a front in the folder's `front`, see `liminal pareto -o`.

    With --robust: the design that does best in many futures, beside the best nominal one.

    - In a future every number with a range is drawn from its distribution.
    - It is found by gradients under all samples at once, and not proven.
    - Systems of any structure share the samples; the best of their robust designs is the answer.

    Keys of the JSON object with --robust, beside those of every study:

    - robust, nominal: of each design thought, measure, mean, low, high, worst, meets, breaches
    - of these thought is the objective with nominal numbers, low and high are 5 and 95 %
    - of these meets is the share of samples in which all limits hold, also of fresh ones
    - price: share of the nominal objective that the robust design gives up
    - gain: share of its measure that the nominal design lacks; null where that breaks limits

    Args:
        study: A study that comes with the package (see `liminal studies`), or a path to one.
        output: Folder to write (default: the first free runs/NAME-K).
        overwrite: Whether a folder that is not empty may be replaced.
        method: Descents by gradients, a proof by branch and bound, or (auto) both at once.
        starts: Descents for each memory technology or system.
        seed: Seed of their starts.
        gap: Optimality gap allowed, as a share such as 0.01; a larger one is proven sooner.
        seconds: Wall time after which the proof stops, with the gap that is left.
        robust: Do best in the mean, the worst, or a quantile of many futures: mean, worst or
            quantile:0.1, which all but a tenth of them reach or better.
        samples: With --robust, the number of futures; a power of two.
        reliability: With --robust, the share of them in which every limit has to hold.
        calibration: Also say what engines reach of the best design, with a 90 % interval, as
            `liminal predict` does.
        engine: The engine that the calibration should speak of, as `liminal predict` takes it.
        figures: Draw descents and proof into the folder, as PNG and PDF.
        json: Print one JSON object in SI units.
    """
    _check(starts, gap, seconds, samples, reliability)
    beside = Beside()

    from liminal_jax.study.file import PortfolioFile, StudyFile
    from liminal_jax.study.questions import load_question

    file = load_question(study)
    if robust is not None or type(file) is not StudyFile:
        beside.close()
    asked = calibration_asked("liminal optimize", calibration, engine)
    if asked is not None:
        _check_calibration(file, robust)
    prepare_jax()

    from liminal_jax.cli.progress import ProgressBar
    from liminal_jax.optimization.search.best_design import Method
    from liminal_jax.optimization.search.branch_and_bound import Budget
    from liminal_jax.study.coupled import AbstractCoupled
    from liminal_jax.study.folder import new_folder, provenance, write_run
    from liminal_jax.view.figure import check_matplotlib, drawn

    if figures:
        check_matplotlib("liminal optimize --figures")
    problem = structures_at(file, study)
    if robust is not None:
        from liminal_jax.cli.robust import found_robust, measure_asked

        measure = measure_asked(robust, file, study)
        search = partial(found_robust, problem, measure, samples, reliability)
    elif isinstance(problem, AbstractCoupled):
        from liminal_jax.cli.coupled import found_for_members
        from liminal_jax.optimization.coupled.optimum import BOTH
        from liminal_jax.optimization.search.best_design import refuse_alone

        refuse_alone(method, "liminal optimize", "--method", BOTH)
        search = partial(found_for_members, file, problem)
    elif isinstance(file, PortfolioFile):
        from liminal_jax.cli.portfolio import found_for_all

        _check_portfolio(method)

        search = partial(found_for_all, problem)
    else:
        from liminal_jax.cli.study import found_for_study

        search = partial(found_for_study, problem, Method(method), starts, asked, beside)
    folder = new_folder(file.name, output, overwrite)
    with closing(beside), ProgressBar() as progress:
        budget = Budget(gap=math.log1p(gap), seconds=seconds)
        found = search(progress, budget, seed)
    write_run(
        folder,
        found.designs,
        {"result.json": found.record, "provenance.json": provenance(seed)},
    )
    if figures and found.figure is not None:
        drawn(found.figure, folder, "descent")
    steps = []
    if found.best:
        steps.append(f"liminal predict -c {folder}/{found.best}")
    elif not found.feasible:
        steps.append(f"relax a limit that is exceeded, or widen [design], in {study}")
    printed_run(found.record, lambda _: found.page, json, folder, *steps)
    return 0 if found.feasible else 1


def _check(starts: int, gap: float, seconds: float, samples: int, reliability: float) -> None:
    """Numbers that make no sense, all at once."""
    from liminal_jax.cli.uncertainty import sampling_mistakes

    wrong = [
        *sampling_mistakes(samples, reliability),
        (starts < 1, "--starts", f"must be at least 1, got {starts}"),
        (not 0 <= gap < math.inf, "--gap", f"must be a share of at least 0, got {gap:g}"),
        (not seconds > 0, "--seconds", f"must be greater than 0, got {seconds:g}"),
    ]
    problems = [Problem(option, message) for bad, option, message in wrong if bad]
    if problems:
        raise InputError("liminal optimize", problems)


def _check_calibration(file: Any, robust: str | None) -> None:
    """Refuse what engines reach where there is not one design of one workload."""
    from liminal_jax.study.file import StudyFile

    if robust is not None or type(file) is not StudyFile:
        message = (
            "speaks of the best design of a study of one workload; leave it out, and give it to"
            " liminal predict -c with a design of the run"
        )
        raise InputError("liminal optimize", [Problem("--calibration", message)])


def _check_portfolio(method: str) -> None:
    """Refuse gradients alone for several workloads."""
    if method == "gradients":
        message = "several workloads on one chip are proven by branch and bound; leave it out"
        raise InputError("liminal optimize", [Problem("--method", message)])


def problem_at(file: Any, source: str) -> Any:
    """The problem of a study, of several workloads, or of many members.

    Mistakes that only show there name the file that the user named.
    """
    from liminal_jax.study.file import PortfolioFile
    from liminal_jax.study.portfolio import portfolio_of
    from liminal_jax.study.questions import BUILDERS
    from liminal_jax.study.read import problem_of

    builders = {**BUILDERS, PortfolioFile: portfolio_of}
    return _built(builders.get(type(file), problem_of), file, source)


def structures_at(file: Any, source: str) -> Any:
    """The same, of a study of one workload a problem for each structure of its hardware."""
    from liminal_jax.study.file import StudyFile
    from liminal_jax.study.read import problems_of

    if type(file) is StudyFile:
        return _built(problems_of, file, source)
    return problem_at(file, source)


def _built(build: Callable[[Any], Any], file: Any, source: str) -> Any:
    try:
        return build(file)
    except InputError as error:
        raise InputError(source, error.problems) from None
