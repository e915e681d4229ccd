"""`liminal uncertainty`: how the optimum varies with uncertain numbers, and robust designs."""

import dataclasses
from typing import Annotated

import tyro

from liminal_jax._files import InputError, Problem
from liminal_jax.cli.options import Maybe
from liminal_jax.cli.printed import printed_run
from liminal_jax.cli.runtime import prepare_jax

FEWEST = 4
"""Least number of samples: fewer have no meaningful quantiles."""

NOTHING_TO_DRAW = (
    "no number that this study depends on has a range; give one in [assumptions], as"
    ' silicon_price = { value = 0.3, unit = "USD/mm2", low = 0.2, high = 0.5, source = "...",'
    ' kind = "paper" }'
)
"""What is wrong with a study in which nothing can be sampled, and what to do about it."""


def uncertainty(
    study: tyro.conf.Positional[str],
    output: Annotated[Maybe[str], tyro.conf.arg(aliases=["-o"], metavar="DIR")] = None,
    overwrite: bool = False,
    samples: int = 64,
    seed: int = 0,
    reliability: float = 0.95,
    seconds: float = 60.0,
    json: bool = False,
) -> int:
    """Sample the uncertain numbers of a study, and solve it again for every sample.

    Reports how often each category wins, the regret of the nominal design, and robust designs.

    - Sampled is every number with low or high in its data file that the study depends on.
    - To leave a number out, state it in [assumptions]; to add one or change a range, give its row.
    - Systems of any structure share the samples; the best of each is best over all.
    - The nominal design is the best one with nominal numbers.
    - Regret is the share of a sample's best objective that a feasible design falls short of.

    Writes a run folder, with designs as files for `liminal predict -c`, every sample, and a figure.

    Keys of the JSON object; shares lie between 0 and 1, quantities are in SI units:

    - feasible: whether a design meets every limit with nominal numbers
    - solvable: share of the samples with a design that meets every limit
    - optimum: best objective; low, median and high are 5, 50 and 95 % of the samples
    - categories: for each memory or system wins, feasible (shares), objective, thought (nominal)
    - nominal, robust, cautious: the nominal design; those of least expected and least worst regret
    - of these meets, meets_fresh: shares of samples, and of fresh ones, in which all limits hold
    - of these breaches, regret: limits exceeded, share and median excess; mean, ..., worst regret
    - influences: rank correlation of each number with optimum and wins; below chance it says little
    - numbers: the sampled numbers, with range and distribution
    - certificate: samples proven, designs of the lattice, boxes bounded, candidates for robust

    Args:
        study: A study that comes with the package (see `liminal studies`), or a path to one.
        output: Folder to write (default: the first free runs/NAME-K); as `uncertainty` in the
            folder of an optimum of the same study, its page shows what decides too.
        overwrite: Whether a folder that is not empty may be replaced.
        samples: Number of samples; a power of two.
        seed: Seed of the samples.
        reliability: Share of the samples in which a robust design has to meet every limit.
        seconds: Wall time after which the proof of one sample stops, that of each structure.
        json: Print one JSON object in SI units.
    """
    from liminal_jax.study.questions import load_study
    from liminal_jax.view.figure import check_matplotlib

    _check(samples, reliability, seconds)
    check_matplotlib("liminal uncertainty")
    file = load_study(study)
    prepare_jax()

    from liminal_jax.cli.optimize import structures_at
    from liminal_jax.cli.progress import ProgressBar
    from liminal_jax.optimization.search.branch_and_bound import Budget
    from liminal_jax.optimization.uncertainty.analysis import draws_of
    from liminal_jax.optimization.uncertainty.analysis import uncertainty as search
    from liminal_jax.optimization.uncertainty.result import (
        designs_of,
        samples_text,
    )
    from liminal_jax.results.uncertainty import page
    from liminal_jax.study.folder import new_folder, provenance, write_run
    from liminal_jax.study.write import design_text
    from liminal_jax.view.figure import drawn as drawn_figure
    from liminal_jax.view.uncertainty_figure import uncertainty_figure

    problems = structures_at(file, study)
    draws, fresh = draws_of(problems, samples, seed)
    if not draws.numbers:
        raise InputError(study, [Problem("", NOTHING_TO_DRAW)])
    folder = new_folder(file.name, output, overwrite)
    with ProgressBar() as progress:
        budget = Budget(seconds=seconds)
        found = search(problems, draws, fresh, reliability, budget, progress)
    answer = dataclasses.replace(found, seed=seed)
    record = answer.to_dict()
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
    robust = f"liminal predict -c {folder}/designs/robust.toml"
    steps = [] if answer.robust is None else [robust]
    printed_run(record, page, json, folder, *steps)
    return 0 if answer.nominal is not None else 1


def sampling_mistakes(samples: int, reliability: float) -> list[tuple[bool, str, str]]:
    """For each option of the samples whether it is wrong, its name, and what is wrong."""
    wanted = max(FEWEST, 1 << (max(samples, 1) - 1).bit_length())
    return [
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
    ]


def _check(samples: int, reliability: float, seconds: float) -> None:
    """Refuse numbers out of range, all at once."""
    wrong = [
        *sampling_mistakes(samples, reliability),
        (not seconds > 0, "--seconds", f"must be greater than 0, got {seconds:g}"),
    ]
    problems = [Problem(option, message) for bad, option, message in wrong if bad]
    if problems:
        raise InputError("liminal uncertainty", problems)
