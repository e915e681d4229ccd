"""`liminal reach`: the least change that reaches a speed, or the proof that none does."""

import math
from typing import Annotated

import tyro

from liminal_jax._files import InputError, Problem
from liminal_jax.cli.options import Maybe, with_flags
from liminal_jax.cli.printed import printed_run
from liminal_jax.cli.runtime import prepare_jax

NAME = "liminal reach"

_FLAGS = {
    "utps": "--utps",
    "model": "--model",
    "workload.model": "--model",
    "system": "--system",
    "design.system": "--system",
    "study": "STUDY",
    "levers": "--levers",
    "context": "--context",
}
"""What the user wrote for what is wrong."""


def reach(
    study: Annotated[Maybe[str], tyro.conf.Positional] = None,
    utps: Maybe[float] = None,
    model: Annotated[Maybe[str], tyro.conf.arg(aliases=["-m"])] = None,
    system: Maybe[str] = None,
    levers: Annotated[Maybe[str], tyro.conf.arg(metavar="A,B")] = None,
    context: Maybe[int] = None,
    output: Annotated[Maybe[str], tyro.conf.arg(aliases=["-o"], metavar="DIR")] = None,
    overwrite: bool = False,
    json: bool = False,
) -> int:
    """Find the least change of hardware and algorithm that reaches a speed for one user.

    The least change moves levers the least in logarithms, each over its own published range.
    It holds the limits of a study: its own, or those of the built-in one.

    For each lever: how far it gets alone, why not further, and what it adds.

    Exits with 1 where nothing reaches the speed, with the fastest found and a bound.

    Writes a run folder with the result and a waterfall plot (figures/waterfall.png and .pdf).

    Args:
        study: A study, from whose fastest design for one user to start; by default the planned
            chips, context and limits of the built-in study.
        utps: Tokens a second of one user that are wanted.
        model: A bundled model, or a path; that of the study by default.
        system: Finished hardware to start from; the ranks of tensor parallelism are chosen.
        levers: Levers that may move, with commas between: names such as drafts or latency, paths,
            or lossless, hardware, algorithm; all by default.
        context: Tokens of context; those of the study, or 8192 on a system, by default.
        output: Folder to write (default: the first free runs/reach-K).
        overwrite: Whether a folder that is not empty may be replaced.
        json: Print one JSON object in SI units.
    """
    from liminal_jax.view.figure import check_matplotlib

    _check(utps, model, system, study, context)
    check_matplotlib(NAME)
    prepare_jax()

    from liminal_jax.cli.progress import ProgressBar
    from liminal_jax.optimization.reach.reach import reach as found_by
    from liminal_jax.results.reach import page
    from liminal_jax.results.reach_figure import waterfall_figure
    from liminal_jax.study.folder import new_folder, provenance, write_run
    from liminal_jax.view.figure import drawn

    asked = tuple(it.strip() for it in (levers or "").split(",") if it.strip())
    try:
        with ProgressBar() as progress:
            found = found_by(
                math.nan if utps is None else utps,
                model,
                system=system,
                study=study,
                levers=asked,
                context=context,
                progress=progress,
            )
    except InputError as error:
        raise InputError(NAME, with_flags(error.problems, _FLAGS)) from None
    record = found.to_dict()
    folder = new_folder("reach", output, overwrite)
    write_run(folder, {}, {"result.json": record, "provenance.json": provenance(None)})
    if any(it.moves for it in found.moves):
        drawn(lambda: waterfall_figure(record), folder, "waterfall")
    printed_run(record, page, json, folder)
    return 0 if found.reachable else 1


def _check(
    utps: float | None,
    model: str | None,
    system: str | None,
    study: str | None,
    context: int | None,
) -> None:
    """What is wrong before anything is computed, all at once.

    Raises:
        InputError: with every mistake.
    """
    wrong = [
        (utps is None, "--utps", "is required: tokens a second of one user, such as 10000"),
        (
            utps is not None and not (math.isfinite(utps) and utps > 0),
            "--utps",
            f"must be above 0, got {utps}",
        ),
        (model is None and study is None, "--model", "is required; see `liminal models`"),
        (
            system is not None and study is not None,
            "--system",
            "give hardware or a study, which has its own, not both",
        ),
        (context is not None and context < 1, "--context", f"must be at least 1, got {context}"),
    ]
    problems = [Problem(option, message) for bad, option, message in wrong if bad]
    if problems:
        raise InputError(NAME, problems)
