"""`liminal compare`: runs, designs, systems or models side by side."""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import tyro

from liminal_jax._files import InputError, Problem
from liminal_jax.cli.options import Maybe, with_flags
from liminal_jax.cli.printed import printed
from liminal_jax.cli.runtime import prepare_jax
from liminal_jax.cli.waiting import waiting

_FLAGS = {
    "workload.model": "--model",
    "workload.context": "--context",
    "design.system": "--system",
    "design.batch": "--batch-size",
    **{f"design.{it}": f"--{it}" for it in ("tp", "cp", "pp", "ep")},
}
"""Fields of designs, and the flags that state them for systems and models."""


@contextmanager
def _flagged() -> Iterator[None]:
    """Report mistakes in a design that flags state with the flags."""
    try:
        yield
    except InputError as error:
        if Path(error.source).exists():
            raise
        problems = dict.fromkeys(with_flags(error.problems, _FLAGS))
        flagged = set(_FLAGS.values()) & {it.path for it in problems}
        raise InputError("liminal compare" if flagged else error.source, problems) from None


def compare(
    items: Annotated[
        tyro.conf.Positional[tuple[str, ...]],
        tyro.conf.arg(metavar="A B ...", help_behavior_hint="(required)"),
    ],
    model: Annotated[Maybe[str], tyro.conf.arg(aliases=["-m"])] = None,
    system: Maybe[str] = None,
    context: Maybe[int] = None,
    batch_size: Maybe[int] = None,
    tp: Maybe[int] = None,
    cp: Maybe[int] = None,
    pp: Maybe[int] = None,
    ep: Maybe[int] = None,
    output: Annotated[Maybe[str], tyro.conf.arg(aliases=["-o"], metavar="DIR")] = None,
    overwrite: bool = False,
    json: bool = False,
) -> None:
    """Compare runs, designs, systems or models: pictures, time, limits, cost, and why they differ.

    A system beside a run or a design takes its workload, degrees of parallelism and batch, with as
    many tensor-parallel ranks as hold them.

    Where there is none it takes the fewest tensor-parallel ranks that hold the model.

    Args:
        items: Two or more of: folder of a run, design file, system, model.
        model: What systems run; the model of the first run or design by default.
        system: What models run on; the hardware of the first run or design by default.
        context: Tokens of each user's context.
        batch_size: Users in one micro-batch of systems and models.
        tp: Tensor-parallel ranks of systems and models.
        cp: Context-parallel ranks.
        pp: Pipeline stages.
        ep: Expert-parallel ranks.
        output: Folder for the comparison: result.json, and report.html where plotly is installed.
        overwrite: Whether a folder of a run that is there may be replaced.
        json: Print one JSON object in SI units.
    """
    given = {"batch": batch_size, "tp": tp, "cp": cp, "pp": pp, "ep": ep}
    wrong = [
        Problem(f"--{'batch-size' if name == 'batch' else name}", f"must be at least 1, got {it}")
        for name, it in {**given, "context": context}.items()
        if it is not None and it < 1
    ]
    if wrong:
        raise InputError("liminal compare", wrong)
    prepare_jax()

    from liminal_jax.results.compared import compare as compared
    from liminal_jax.view.console import messages

    with waiting(f"compiling and predicting {', '.join(items)}"), _flagged():
        found = compared(*items, model=model, system=system, context=context, **given)
        record = found.to_dict()
    if output is not None:
        from liminal_jax.study.folder import new_folder, provenance, write_run

        folder = new_folder("compare", output, overwrite)
        write_run(folder, {}, {"result.json": record, "provenance.json": provenance(None)})
        if importlib.util.find_spec("plotly") is not None:
            from liminal_jax.results.report import report

            with waiting("drawing the page"):
                (folder / "report.html").write_text(report(str(folder)), encoding="utf-8")
    printed(record, lambda _: found.page(), json)
    if output is not None:
        messages().print(f"written to {output}", soft_wrap=True)
