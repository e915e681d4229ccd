"""Optimisation from Python: the best design of a space, with its certificate."""

import html
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from typing import Any, overload

import jax
import numpy as np

from liminal_jax._arrays import as_leaf
from liminal_jax._files import InputError
from liminal_jax._files import Problem as Mistake
from liminal_jax.drawing.figures import figures
from liminal_jax.drawing.svg import side_by_side
from liminal_jax.optimization.answer import Answer, alternatives, explained, relaxation_of
from liminal_jax.optimization.coupled.optimum import BOTH, CoupledOptimum, optimize_coupled
from liminal_jax.optimization.gradient_record import descent_words
from liminal_jax.optimization.record import answer_record, drawn_record, solution_record, totals
from liminal_jax.optimization.search.annealing import Schedule
from liminal_jax.optimization.search.best_design import (
    Finding,
    Method,
    find,
    method_of,
    refuse_alone,
)
from liminal_jax.optimization.search.binding_limits import Binding
from liminal_jax.optimization.search.branch_and_bound import Budget
from liminal_jax.optimization.search.certificate import Certificate
from liminal_jax.optimization.search.continuum import Continuum
from liminal_jax.optimization.search.gradient_search import GradientSearch
from liminal_jax.optimization.search.progress import Progress
from liminal_jax.optimization.search.solution import case_at
from liminal_jax.optimization.search.structures import best_finding, merged_certificate
from liminal_jax.optimization.sensitivity.shadow_prices import Sensitivity
from liminal_jax.performance.design import Design
from liminal_jax.performance.prediction import Prediction
from liminal_jax.results.optimum import page
from liminal_jax.results.told import text
from liminal_jax.results.words import asked_words, constraint_word, design_word, quantity
from liminal_jax.study.absent import contradiction_of_lengths
from liminal_jax.study.asked import Bound, Function, criterion, limits
from liminal_jax.study.case import lacking_requests
from liminal_jax.study.coupled import AbstractCoupled
from liminal_jax.study.layers.space import PerLayer
from liminal_jax.study.pools.space import Pools
from liminal_jax.study.problem import (
    FEASIBLE,
    Criterion,
    Limit,
    Problem,
    exact_design,
    exact_fleet,
    limits_of,
)
from liminal_jax.study.quantities import Fleet
from liminal_jax.study.space import Space, value_words, with_precision


@dataclass(frozen=True)
class Best:
    """The best design of one alternative.

    Attributes:
        name: Name of the alternative.
        objective: Its objective; None where no feasible design is known.
        values: Values of its free variables, in SI; None where no feasible design is known.
        infeasibility: Why no feasible design is known; None where one is.
    """

    name: str
    objective: float | None
    values: dict[str, float | str] | None
    infeasibility: str | None


@dataclass(frozen=True)
class Optimum:
    """The best design of a space.

    Attributes:
        design: The design; where none is feasible, that of the least total violation.
        prediction: The prediction of one instance.
        totals: Every quantity of the whole system that a study can name, in SI.
        objective: The objective, in SI.
        feasible: Whether the design meets every limit.
        certificate: What is proven of all designs of the space.
        binding: Limits that bind; where no design is feasible, those that the design exceeds.
        name: Name of the design's alternative; empty where the space has only one.
        values: Values of the free variables, in SI.
        alternatives: The best design of each alternative.
        reasons: Messages: what is proven, and why.
        seconds: Wall time [s].
        gradients: What gradients found in the region of the design: the relaxed optimum, the design
            that it snaps to, and that design polished; None where they were not asked.
        finding: The result of the search in the region of the design.
    """

    design: Design
    prediction: Prediction
    totals: dict[str, float | None]
    objective: float
    feasible: bool
    certificate: Certificate
    binding: list[Binding]
    name: str
    values: dict[str, float]
    alternatives: list[Best]
    reasons: list[str]
    seconds: float
    gradients: GradientSearch | None
    finding: Finding

    @property
    def problem(self) -> Problem:
        """The problem, in the region of the design."""
        return self.finding.problem

    @property
    def continuum(self) -> Continuum | None:
        """The relaxed optimum of ranges with its multipliers; None where there are no ranges."""
        return self.finding.continuum

    @cached_property
    def answer(self) -> Answer:
        """The design explained: relaxed optimum, elasticities, less overlap, existing chips.

        Worked out when it is first asked for, which can take as long as the search.
        """
        with jax.enable_x64(True):
            return explained(self.finding, self.seconds)

    def sensitivities(self) -> list[Sensitivity]:
        """Elasticities of the objective, integers fixed and sizes free, the largest first.

        Empty where the design is not feasible. `sensitivity` also solves again with each number
        changed.
        """
        if not self.feasible:
            return []
        with jax.enable_x64(True):
            return relaxation_of(self.finding)[1]

    def rows(self) -> list[tuple[str, str]]:
        """The rows of the table: names and values."""
        goal, it = self.problem.goal, self.certificate
        side = "maximise" if goal.maximise else "minimise"
        gap = "" if it.relative_gap is None else f", gap {it.relative_gap:.2%}"
        found = [
            (asked_words([{side: goal.name}]), quantity(goal.name, self.objective, goal.unit)),
            ("feasible", "yes" if self.feasible else "no"),
            ("design", ", ".join(filter(None, [self.name, *self._words()]))),
            ("certificate", f"{it.method}{gap}, of {it.lattice:,} designs"),
        ]
        if self.gradients is not None:
            found.append(("gradients", descent_words(self.finding)))
        found += [
            (
                "binding",
                f"{constraint_word(at.constraint)}: {quantity(at.constraint, at.value, at.unit)}",
            )
            for at in self.binding
        ]
        for best in self.alternatives if len(self.alternatives) > 1 else []:
            words = best.infeasibility or ""
            if best.objective is not None:
                words = quantity(goal.name, best.objective, goal.unit)
            found.append((best.name, words))
        return found

    def _words(self) -> list[str]:
        variables = self.problem.variables
        return [
            f"{design_word(it.name)} {value_words(it.path, self.values[it.name])}"
            for it in variables
        ]

    def __repr__(self) -> str:
        """The rows as text."""
        rows = self.rows()
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>"
            for name, value in self.rows()
        )
        return f"<table>{cells}</table>{self._pictures()}"

    def _pictures(self) -> str:
        """The design as pictures: package, system, memory."""
        with jax.enable_x64(True):
            best = self.finding
            drawn = figures(drawn_record(best.problem, best.solution, best.fleet))
        return side_by_side(it.svg() for it in drawn.values())

    def report(self) -> str:
        """What `liminal optimize` tells: the answer, why, how sure, and what would change it."""
        return text(page(self.to_dict()))

    def to_dict(self) -> dict[str, Any]:
        """The object of `liminal optimize --json`, in SI units and USD.

        A space that was written in Python has no file, so `design` holds what was free in it.
        """
        with jax.enable_x64(True):
            record = answer_record(self.answer)
        bests = [
            {
                "name": it.name,
                "value": it.objective,
                "lacking": it.infeasibility,
                "design": it.values,
            }
            for it in self.alternatives
        ]
        return record | {
            "certificate": asdict(self.certificate),
            "alternatives": bests,
            "reasons": self.reasons,
        }


def problems_of(
    space: Space,
    criteria: Sequence[tuple[str | Function | Criterion, bool]],
    asked: Iterable[Bound | Function | Limit],
) -> tuple[list[Problem], list[Criterion]]:
    """A problem for each region of a space, and the criteria.

    Args:
        space: The designs, at the current precision of JAX.
        criteria: The objectives, and whether each is maximised.
        asked: Limits.

    Raises:
        InputError: what is wrong with objectives or limits.
    """
    examples = [Problem(region, None, (), space.source).first() for region in space.regions]

    @cache
    def example() -> Fleet:
        return exact_fleet(examples[0])

    wrong = [contradiction_of_lengths(it) for it in examples]
    mistakes = [Mistake(*it) for it in wrong if it is not None]
    if mistakes:
        raise InputError("optimize", list(dict.fromkeys(mistakes)))
    found = [criterion(it, example, maximise=more) for it, more in criteria]
    mine = limits(asked, example)
    for it in (*found, *mine):
        lacking = [lacking_requests(it.name, case) for case in examples]
        mistakes += [Mistake(it.name, message) for message in lacking if message is not None]
    if mistakes:
        raise InputError("optimize", list(dict.fromkeys(mistakes)))
    problems = [
        Problem(region, found[0], (*limits_of(example), *mine), space.source)
        for region, example in zip(space.regions, examples, strict=True)
    ]
    return problems, found


def one_objective(
    objective: str | Function | Criterion | None,
    maximise: str | Function | None,
    minimise: str | Function | None,
) -> tuple[str | Function | Criterion, bool]:
    """The objective, and whether it is maximised, from the three ways to state it.

    Raises:
        InputError: none of them is given, or several are.
    """
    given = [(it, more) for it, more in ((objective, True), (maximise, True), (minimise, False))]
    given = [(it, more) for it, more in given if it is not None]
    if len(given) != 1:
        message = f"give one of maximise and minimise, got {len(given)}"
        raise InputError("optimize", [Mistake("maximise", message)])
    return given[0]


@overload
def optimize(
    space: Space,
    objective: Criterion | None = None,
    *,
    maximise: str | Function | None = None,
    minimise: str | Function | None = None,
    limits: Iterable[Bound | Function | Limit] = (),
    gap: float = 0.0,
    seconds: float = 300.0,
    seed: int = 0,
    method: str = "auto",
    progress: Progress | None = None,
) -> Optimum: ...


@overload
def optimize(
    space: PerLayer | Pools | AbstractCoupled,
    *,
    maximise: str | None = None,
    minimise: str | None = None,
    limits: Iterable[Bound] = (),
    gap: float = 0.0,
    seconds: float = 300.0,
    seed: int = 0,
    method: str = "auto",
    progress: Progress | None = None,
) -> CoupledOptimum: ...


def optimize(
    space: Space | PerLayer | Pools | AbstractCoupled,
    objective: Criterion | None = None,
    *,
    maximise: Any = None,
    minimise: Any = None,
    limits: Iterable[Any] = (),
    gap: float = 0.0,
    seconds: float = 300.0,
    seed: int = 0,
    method: str = "auto",
    progress: Progress | None = None,
) -> Optimum | CoupledOptimum:
    """The best design of a space: found by gradients, and proven by branch and bound.

    Objectives and limits are names, or functions of the prediction of the whole system that JAX can
    trace. A proof needs float64, which is enabled within this call alone; the result has the
    precision of JAX outside.

    Args:
        space: The designs; or with it what each layer of the model chooses, see `PerLayer`, or
            `Pools`, where objectives and limits are names alone; or a problem of many members, such
            as `Requests.on` makes, which states its objective and limits itself. Of these a bound
            takes the place of the proof.
        objective: The objective of a study, from `load_study`.
        maximise: An objective to maximise: a name such as "stps", or a function.
        minimise: An objective to minimise.
        limits: `ll.at_most`, `ll.at_least`, or functions g with g(prediction) <= 0.
        gap: Logarithm of the optimality gap allowed.
        seconds: Wall time after which the proof stops, for each structure of the space [s].
        seed: Seed of the starts of the descents.
        method: `gradients` finds a design by descents of the soft model, snapped to the space and
            polished; `bound` proves one by branch and bound; `auto` does both at once, and alone
            where there are many members.
        progress: Callbacks.

    Returns:
        The design with its certificate; `feasible` is false where no design meets every limit.

    Raises:
        InputError: what is wrong with objectives, limits or the method.

    Examples:
        >>> import liminal_jax as ll
        >>> design = ll.Design(ll.load_system("h200"), ll.Mapping(tp=8))
        >>> space = ll.Space(design, {"batch": [1, 8, 64]}, model="llama-3-8b")
        >>> ll.optimize(space, maximise="stps").values
        {'batch': 64.0}
    """
    way, budget = method_of(method, "optimize"), Budget(gap=gap, seconds=seconds)
    if isinstance(space, PerLayer | Pools | AbstractCoupled):
        refuse_alone(method, "optimize", "method", BOTH)
        if isinstance(space, PerLayer | Pools):
            problem = space.problem(maximise=maximise, minimise=minimise, limits=limits)
        else:
            problem = space
            if maximise or minimise or limits:
                message = "the problem states what is best and its limits; leave them out here"
                raise InputError("optimize", [Mistake("maximise", message)])
        return optimize_coupled(problem, seed=seed, progress=progress, budget=budget)
    with jax.enable_x64(True):
        asked = one_objective(objective, maximise, minimise)
        problems, _ = problems_of(with_precision(space), [asked], limits)
    return best_of(problems, seed=seed, progress=progress, budget=budget, method=way)


def best_of(
    problems: Sequence[Problem],
    *,
    method: Method,
    budget: Budget,
    seed: int = 0,
    schedule: Schedule | None = None,
    progress: Progress | None = None,
) -> Optimum:
    """The best design of problems that ask the same, each of designs of one structure.

    Args:
        problems: The problems, in float64.
        method: Gradients, branch and bound, or both at once.
        budget: When to stop the proof of each.
        seed: Seed of the starts of the descents.
        schedule: Schedule of the descents.
        progress: Callbacks.

    Raises:
        InputError: an objective or a limit that cannot be bounded.
    """
    begin = time.perf_counter()
    with jax.enable_x64(True):
        try:
            findings = [
                find(it, schedule, seed, progress, budget, method=method) for it in problems
            ]
        except NotImplementedError as error:
            message = f"{error}; write it with + - * / jnp.sqrt, log, exp, maximum, minimum, where"
            raise InputError("optimize", [Mistake("maximise", message)]) from None
        best = best_finding(findings)
        case = case_at(best.problem, best.solution)
        design = exact_design(case)
        bests = [at for it in findings for at in _bests(it)]
        every = totals(best.fleet)
    return Optimum(
        design=at_precision(design),
        prediction=at_precision(best.fleet.instance),
        totals=every,
        objective=best.objective,
        feasible=best.feasible,
        certificate=merged_certificate(findings),
        binding=best.binding,
        name=best.solution.category if len(bests) > 1 else "",
        values=best.solution.values,
        alternatives=bests,
        reasons=[*_about_limits(findings), *dict.fromkeys(_reasons(findings, best))],
        seconds=time.perf_counter() - begin,
        gradients=best.gradients,
        finding=best,
    )


def at_precision(tree: Any) -> Any:
    """A pytree with its floats at the current precision of JAX."""
    return jax.tree.map(
        lambda it: as_leaf(it) if np.issubdtype(it.dtype, np.floating) else it, tree
    )


def _bests(finding: Finding) -> list[Best]:
    problem = finding.problem
    return [
        Best(it.category, it.objective, solution_record(problem, it.solution), it.infeasibility)
        for it in alternatives(finding)
    ]


def _reasons(findings: Sequence[Finding], best: Finding) -> list[str]:
    if len(findings) == 1:
        return best.reasons
    return [
        f"{', '.join(it.problem.categories)}: {reason}" for it in findings for reason in it.reasons
    ]


def _about_limits(findings: Sequence[Finding]) -> list[str]:
    """Sentences on limits set by the user that every design meets, or none."""
    sentences = []
    # Physical limits come first and differ between structures; the user's are the last in each.
    own = [it.name for it in findings[0].problem.limits if not it.physical]
    ends = [_ends(finding) for finding in findings]
    for row, name in enumerate(own, start=-len(own)):
        if all(high[row] <= FEASIBLE for _, high in ends):
            sentences.append(f"the limit on {name} holds for every design of the space")
        if all(low[row] > FEASIBLE for low, _ in ends):
            sentences.append(f"the limit on {name} holds for no design of the space")
    return sentences


def _ends(finding: Finding) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper bounds of the violation of each limit over all designs of a region."""
    if not len(finding.bounded.start):
        none = np.full(len(finding.problem.limits), np.inf)
        return none, -none
    low, high = finding.bounded.bounds.over(finding.bounded.start)
    return low[1:].min(axis=1), high[1:].max(axis=1)
