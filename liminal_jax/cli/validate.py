"""`liminal validate`: how far predictions are from measurements."""

from pathlib import Path
from typing import Annotated

import tyro

from liminal_jax._files import InputError, Problem, unwritable
from liminal_jax.cli.options import Maybe
from liminal_jax.cli.printed import printed
from liminal_jax.cli.runtime import prepare_jax
from liminal_jax.fit.formats.given import Given


def validate(
    data: Annotated[Maybe[str], tyro.conf.Positional, tyro.conf.arg(metavar="FILE")] = None,
    given: Given = Given(),  # noqa: B008
    calibration: str = "measured",
    figures: Annotated[Maybe[str], tyro.conf.arg(metavar="DIR")] = None,
    json: bool = False,
) -> None:
    """Compare predictions with measurements: error by source, engine, chip, model and users.

    Each row is predicted by a fit without its own cell; rows beyond the bound are listed.

    Args:
        data: Results of vllm bench serve, SGLang bench_serving or bench_one_batch, llama-bench,
            genai-perf, aiperf or InferenceX, as the tool writes them, or a folder of them; or a
            table with the columns that `liminal calibrate --help-all` lists. The measurements that
            come with the package where left out. A cell is a source, model, chip, count, bits and
            engine.
        given: What the file does not say.
        calibration: A calibration that comes with the package, or a path to a file.
        figures: Also draw predicted against measured, and residuals, into this folder.
        json: Print one JSON object.
    """
    if data is None and given != Given():
        said = [f"--{name.replace('_', '-')}" for name, it in vars(given).items() if it is not None]
        message = f"is required beside {', '.join(said)}: they say what a file leaves out"
        raise InputError("liminal validate", [Problem("FILE", message)])
    prepare_jax()
    from liminal_jax.cli.progress import ProgressBar
    from liminal_jax.data.calibrations import load_calibration
    from liminal_jax.data.measurements import MEASURED
    from liminal_jax.fit.calibrate import validate as validated
    from liminal_jax.results.validation import page

    with ProgressBar() as progress:
        source = MEASURED if data is None else data
        found = validated(source, load_calibration(calibration), given, progress)
    if figures is not None:
        from liminal_jax.view.figure import check_matplotlib, drawn
        from liminal_jax.view.validation_figure import validation_figure

        check_matplotlib("liminal validate --figures")
        folder = Path(figures)
        if not found.batch.cases:
            message = "has no nearly pure decode to draw; leave --figures out"
            raise InputError(str(data), [Problem("", message)])
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(figures, [Problem("", unwritable(error))]) from None
        drawn(lambda: validation_figure(found), folder, "validation")
    printed(found.record, page, json)
