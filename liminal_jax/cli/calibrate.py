"""`liminal calibrate`: fit the losses of real engines, compared with the bound, to measurements."""

from pathlib import Path
from typing import Annotated

import tyro

from liminal_jax._files import InputError, Problem
from liminal_jax.cli.options import Maybe
from liminal_jax.cli.printed import printed
from liminal_jax.cli.runtime import prepare_jax
from liminal_jax.fit.formats.given import Given


def calibrate(
    data: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="FILE")],
    output: Annotated[str, tyro.conf.arg(aliases=["-o"], metavar="FILE")],
    given: Given = Given(),  # noqa: B008
    base: Maybe[str] = None,
    about: Annotated[str, tyro.conf.arg(metavar="TEXT")] = "",
    json: bool = False,
) -> None:
    """Fit a calibration to measured decode steps, for `liminal predict --calibration FILE`.

    Columns that a table needs:

    - model, gpu, num_gpus, tp, batch_or_concurrency, weight_bits, isl, osl
    - metric, value, engine, source_id

    Columns that are read where they are present:

    - pp, ep, kv_bits, engine_version, request_rate, note
    - decode_purity: pure, near, mixed, max-load or queue; the first two are used
    - queueing: yes, no or unknown
    - ttft_ms_median, ttft_ms_mean: then metric and value may be left out, or be tpot_ms_median

    What a metric may be:

    - tpot_ms, itl_ms: time of one token of a user
    - utps: tokens/s of one user
    - output_tps_total, output_tps_per_gpu: tokens/s of all users
    - e2e_latency_s: a whole static batch

    What is read of a note:

    - attention data-parallel: each rank has users of its own
    - incl. requests queued: of more users than memory holds the others wait
    - 0.8-1.0x: lengths are drawn up to the nominal ones

    Each source_id counts alike, and each cell of it, however many rows they have.

    Args:
        data: Results of vllm bench serve, SGLang bench_serving or bench_one_batch, llama-bench,
            genai-perf, aiperf or InferenceX, as the tool writes them, or a folder of them; or a
            table in CSV, whose columns `liminal calibrate --help-all` lists.
        output: The file to write.
        given: What the file does not say.
        base: A calibration whose decode is kept: only losses up to the first token are fitted.
        about: What the file should say of itself.
        json: Print one JSON object, of a fit to decode.
    """
    if not Path(output).parent.is_dir():
        raise InputError(
            output, [Problem("", "its folder does not exist; make it, or choose another place")]
        )
    prepare_jax()
    from liminal_jax.cli.progress import ProgressBar
    from liminal_jax.fit.calibrate import calibrate as fitted
    from liminal_jax.results.calibration import calibration_record, page

    if base is not None:
        _first_tokens(data, output, given, base)
        return
    with ProgressBar() as progress:
        told = about or f"Fitted to {Path(data).name}."
        found = fitted(data, Path(output).stem, told, given, progress)
    found.calibration.save(Path(output))
    printed(calibration_record(found, output), page, json)


def _first_tokens(data: str, output: str, given: Given, base: str) -> None:
    """Fit what is lost up to the first token alone."""
    from liminal_jax.data.calibrations import load_calibration
    from liminal_jax.fit.calibrate import with_prompts
    from liminal_jax.view.console import results

    whole = with_prompts(data, load_calibration(base), given)
    whole.save(Path(output))
    rows = 0 if whole.prompts is None else whole.prompts.rows
    results().print(f"{output}: {rows} times to the first token; decode as in {base}")
