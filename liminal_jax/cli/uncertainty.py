"""`liminal uncertainty`: how sure an answer is when the numbers behind it are not."""

import json as json_format
from typing import Annotated

import tyro

from liminal_jax._files import InputError, Problem
from liminal_jax.cli.runtime import prepare_jax

FEWEST = 4
"""Samples below which there are no quantiles to speak of."""


def uncertainty(
    study: tyro.conf.Positional[str],
    output: Annotated[str | None, tyro.conf.arg(aliases=["-o"], metavar="DIR")] = None,
    overwrite: bool = False,
    samples: int = 64,
    seed: int = 0,
    reliability: float = 0.95,
    seconds: float = 60.0,
    json: bool = False,
) -> int:
    """Draw the numbers behind a study from their ranges, and search again for every draw.

    Says how often each memory technology or system wins, how the best design's objective spreads,
    what the design that is best as the numbers are thought to be gives away or breaks when they are
    others, which design does well in most samples, and which numbers decide.

    A number is drawn if its row in the data files has `low` or `high`, the study depends on it, and
    the study does not state it. To leave one out, state it in [assumptions]; to add one, or to
    change its range, give its whole row there.

    Writes a run folder: result.json; samples.csv, every sample with its numbers; designs/ with
    files for `liminal predict -c`; figures/uncertainty.png and .pdf.

    Keys of the JSON object, shares between 0 and 1 and SI units throughout: feasible (whether a
    design meets every limit as the numbers are thought to be), solvable (share of the samples with
    a design that does), optimum (best objective: low, median, high are 5, 50 and 95 %), categories
    (wins, feasible, objective, thought: the best as the numbers are thought to be); for the designs
    nominal (best as the numbers are thought to be), robust (least expected regret) and cautious
    (least worst regret): design, objective, meets and meets_fresh (share of samples, and of fresh
    ones, in which every limit holds), breaches (limit, share, typical excess), regret (share of
    the best given away where every limit holds: mean, median, high, worst); influences (rank
    correlations with the optimum and with each category's wins; below chance they may be chance);
    numbers (what was drawn); certificate (samples proven, lattice, boxes, designs tried).

    Args:
        study: A study that comes with the package (see `liminal studies`), or a path to one.
        output: Folder to write (default: the first free runs/NAME-K).
        overwrite: Whether a folder that is not empty may be replaced.
        samples: How often the numbers are drawn; a power of two.
        seed: Of the draws.
        reliability: Share of the samples in which a robust design has to meet every limit.
        seconds: Wall time after which the proof of one sample stops.
        json: Print one JSON object in SI units.
    """
    from liminal_jax.study.file import load_study
    from liminal_jax.view.figure import check_matplotlib

    _check(samples, reliability, seconds)
    check_matplotlib("liminal uncertainty")
    file = load_study(study)
    prepare_jax()

    import numpy as np

    from liminal_jax.cli.optimize import problem_at
    from liminal_jax.cli.progress import ProgressBar
    from liminal_jax.design.branch import Budget
    from liminal_jax.design.uncertainty import FRESH
    from liminal_jax.design.uncertainty import uncertainty as search
    from liminal_jax.design.uncertainty_record import (
        designs_of,
        samples_text,
        uncertainty_record,
    )
    from liminal_jax.study.folder import new_folder, provenance, write_run
    from liminal_jax.study.uncertain import drawn, uncertain_numbers
    from liminal_jax.study.write import design_text
    from liminal_jax.view.console import messages, results
    from liminal_jax.view.figure import drawn as drawn_figure
    from liminal_jax.view.uncertainty import uncertainty_view
    from liminal_jax.view.uncertainty_figure import uncertainty_figure

    problem = problem_at(file, study)
    numbers = uncertain_numbers(problem)
    if not numbers:
        raise InputError(study, [Problem("", _NOTHING_TO_DRAW)])
    folder = new_folder(file.name, output, overwrite)
    chance, fresh_chance = np.random.default_rng(seed).spawn(2)
    draws = drawn(numbers, samples, chance)
    fresh = drawn(numbers, FRESH * samples, fresh_chance)
    with ProgressBar() as progress:
        budget = Budget(seconds=seconds)
        answer = search(problem, draws, fresh, reliability, budget, progress)
    record = uncertainty_record(answer, seed)
    designs = {
        f"designs/{name}.toml": design_text(file, it.values, it.category)
        for name, it in designs_of(answer).items()
    }
    write_run(
        folder,
        {**designs, "samples.csv": samples_text(answer)},
        {"result.json": record, "provenance.json": provenance(seed)},
    )
    drawn_figure(lambda: uncertainty_figure(answer), folder, "uncertainty")
    if json:
        print(json_format.dumps(record, indent=2))
        messages().print(f"written to {folder}")
    else:
        results().print(uncertainty_view(answer, str(folder)))
    return 0 if answer.nominal is not None else 1


_NOTHING_TO_DRAW = (
    "no number that this study depends on has a range; give one in [assumptions], as"
    ' price = { value = 12, unit = "USD/GiB", low = 10, high = 18, source = "...",'
    ' kind = "paper" }'
)


def _check(samples: int, reliability: float, seconds: float) -> None:
    """Numbers that make no sense, all at once."""
    wanted = max(FEWEST, 1 << (max(samples, 1) - 1).bit_length())
    wrong = [
        (
            samples != wanted,
            "--samples",
            f"must be a power of two, at least {FEWEST}, got {samples}; try {wanted}",
        ),
        (
            not 0 < reliability <= 1,
            "--reliability",
            f"must be a share above 0 and at most 1, got {reliability:g}",
        ),
        (not seconds > 0, "--seconds", f"must be greater than 0, got {seconds:g}"),
    ]
    problems = [Problem(option, message) for bad, option, message in wrong if bad]
    if problems:
        raise InputError("liminal uncertainty", problems)
