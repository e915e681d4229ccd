"""`liminal report`: one HTML page for a run, which needs no network."""

import importlib.util
from pathlib import Path
from typing import Annotated

import tyro

from liminal_jax._files import InputError, Problem, unwritable
from liminal_jax.cli.options import Maybe
from liminal_jax.cli.runtime import prepare_jax
from liminal_jax.cli.waiting import waiting

COMMAND = "liminal report"


def report(
    run: tyro.conf.Positional[str],
    output: Annotated[Maybe[str], tyro.conf.arg(aliases=["-o"], metavar="FILE")] = None,
    overwrite: bool = False,
) -> int:
    """Write one HTML page for a run: the answer, why, how sure, and what would change it.

    The page stands alone: it can be mailed, and opened without a network. That of an optimum tells
    as well what `liminal pareto`, `sensitivity` and `uncertainty` of the same study wrote to front,
    sensitivity and uncertainty in its folder.

    Args:
        run: Folder of a run or of an experiment, or a file that `--json` was written to.
        output: File to write (default: report.html in the folder, or NAME.html beside the file).
        overwrite: Whether a file that is there may be replaced.
    """
    if importlib.util.find_spec("plotly") is None:
        remedy = "draws with plotly, which is not installed; pip install 'liminal-jax[report]'"
        raise InputError(COMMAND, [Problem("", remedy)])

    prepare_jax()

    from liminal_jax.results.report import report as report_of
    from liminal_jax.view.console import messages

    with waiting("drawing the page"):
        text = report_of(run)
    path = Path(output) if output is not None else _beside(Path(run))
    if path.exists() and not overwrite:
        problem = Problem("", "exists; choose another, or give --overwrite")
        raise InputError(str(path), [problem])
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(str(path), [Problem("", unwritable(error))]) from None
    messages().print(f"written to {path}", soft_wrap=True)
    return 0


def _beside(run: Path) -> Path:
    return run / "report.html" if run.is_dir() else run.with_suffix(".html")
