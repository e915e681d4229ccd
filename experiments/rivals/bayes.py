"""Bayesian optimisation with Gaussian processes, of BoTorch."""

import importlib
import warnings
from typing import Any

import numpy as np

from experiments.rivals.judge import Judge
from experiments.rivals.lattice import AnyProblem
from experiments.rivals.method import Method, Searcher
from experiments.rivals.race import Race

FARTHEST = 3.0
"""Logarithms beyond this from the best score or from a limit are cut: a design that is 5e21 times
too bad would leave a process nothing to tell of the others."""

DRAWN = 2  # designs for each variable that are drawn before the first process
FITTING = 100  # steps of a fit; to its end it takes five times as many, and most of a race
STARTS, RAW = 4, 64  # of the acquisition: local searches, and points from which they are chosen


def _processes(problem: AnyProblem) -> Searcher:
    # Of an extra that tests do without.
    torch: Any = importlib.import_module("torch")
    judge = Judge(problem, 1)
    highest = np.asarray(judge.shape) - 1

    def search(seed: int, race: Race) -> None:
        torch.manual_seed(seed)
        ends = torch.as_tensor(np.stack([0 * highest, highest]), dtype=torch.double)
        drawing: Any = importlib.import_module("botorch.utils.sampling")
        drawn = drawing.draw_sobol_samples(ends, n=DRAWN * len(highest), q=1, seed=seed)
        rows, told = torch.empty((0, len(highest))).double(), []
        pending = [*drawn.squeeze(1).round()]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            while race.open:
                row = pending.pop(0) if pending else _best(rows, np.asarray(told), ends)
                judged = judge(race, row.numpy()[None].astype(int))
                told.append([judged.score[0], judged.violation[0].max()])
                rows = torch.cat([rows, row[None]])

    return search


def _best(rows: Any, told: np.ndarray, ends: Any) -> Any:
    """The design that promises most: a process of the score, and one of the largest violation."""
    torch: Any = importlib.import_module("torch")
    models: Any = importlib.import_module("botorch.models")
    acquisition: Any = importlib.import_module("botorch.acquisition")
    objective: Any = importlib.import_module("botorch.acquisition.objective")
    likelihoods: Any = importlib.import_module("gpytorch.mlls")
    mixed: Any = importlib.import_module("botorch.optim.optimize_mixed")

    score = told[:, 0].clip(told[:, 0].max() - FARTHEST)
    results = np.stack([score, told[:, 1].clip(-FARTHEST, FARTHEST)])
    numbers = list(range(1, rows.shape[1]))
    scaled = models.transforms.Normalize(rows.shape[1], indices=numbers, bounds=ends)
    each = [
        models.MixedSingleTaskGP(rows, torch.as_tensor(it)[:, None], [0], input_transform=scaled)
        for it in results
    ]
    model = models.ModelListGP(*each)
    fit: Any = importlib.import_module("botorch.fit")
    likelihood = likelihoods.SumMarginalLogLikelihood(model.likelihood, model)
    fit.fit_gpytorch_mll(likelihood, optimizer_kwargs={"options": {"maxiter": FITTING}})
    gain = acquisition.qLogNoisyExpectedImprovement(
        model,
        X_baseline=rows,
        objective=objective.GenericMCObjective(lambda samples, X=None: samples[..., 0]),  # noqa: ARG005, N803
        constraints=[lambda samples: samples[..., 1]],
        prune_baseline=True,
    )
    values = {axis: list(range(int(ends[1, axis]) + 1)) for axis in numbers}
    categories = {0: list(range(int(ends[1, 0]) + 1))}
    found, _ = mixed.optimize_acqf_mixed_alternating(
        gain, ends, discrete_dims=values, cat_dims=categories, num_restarts=STARTS, raw_samples=RAW
    )
    return found[0].round().detach()


PROCESSES = Method(
    name="BoTorch",
    about="Gaussian processes of the score and of the largest violation, and the logarithm of the"
    " noisy expected improvement",
    ours=False,
    prepare=_processes,
)
