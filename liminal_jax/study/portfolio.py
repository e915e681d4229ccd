"""A portfolio: several workloads, each a problem of its own, on hardware that they share."""

import math
from dataclasses import dataclass

from liminal_jax._files import InputError
from liminal_jax._files import Problem as Mistake
from liminal_jax.study.file import MemberTable, PortfolioFile, StudyFile, carrying, resolved_of
from liminal_jax.study.numbers import of_hardware
from liminal_jax.study.problem import Problem
from liminal_jax.study.read import problem_of
from liminal_jax.study.region import Variable
from liminal_jax.study.resolved import Resolved


@dataclass(frozen=True)
class Member:
    """One of the workloads.

    Attributes:
        name: How results call it.
        weight: How much it counts in the mean; the weights of all are 1 together.
        problem: The best design for it alone.
    """

    name: str
    weight: float
    problem: Problem


@dataclass(frozen=True)
class Portfolio:
    """Workloads whose problems have the same lattice, hardware first.

    Attributes:
        file: The question.
        members: The workloads.
    """

    file: PortfolioFile
    members: tuple[Member, ...]

    @property
    def _any(self) -> Problem:
        return self.members[0].problem

    @property
    def categories(self) -> tuple[str, ...]:
        """Names of the categories."""
        return self._any.categories

    @property
    def hardware(self) -> tuple[Variable, ...]:
        """Free numeric variables of the hardware, which the workloads share."""
        return tuple(it for it in self._any.variables if of_hardware(it.path))

    @property
    def own(self) -> tuple[Variable, ...]:
        """Free numeric variables that each workload chooses for itself."""
        return tuple(it for it in self._any.variables if not of_hardware(it.path))

    @property
    def lattice(self) -> int:
        """Pieces of hardware in the space."""
        return len(self.categories) * math.prod(len(it.grid.values) for it in self.hardware)

    @property
    def mappings(self) -> int:
        """Mappings, with batches, that each workload may choose from on each."""
        return self._any.lattice // self.lattice


def _study_of(file: PortfolioFile, found: Resolved, member: MemberTable) -> StudyFile:
    """The question for one workload alone."""
    study = StudyFile(
        name=f"{file.name}-{member.name}",
        about=file.about,
        workload=member.workload(),
        design=file.design,
        assumptions=file.assumptions,
        objective=file.objective,
        constraints=[*file.constraints, *member.constraints],
    )
    return carrying(study, found)


def portfolio_of(file: PortfolioFile) -> Portfolio:
    """A portfolio, ready to be searched.

    Raises:
        InputError: mistakes that show only here; all of them.
    """
    total = sum(it.weight for it in file.workloads)
    members, mistakes, found = [], [], resolved_of(file)
    for number, table in enumerate(file.workloads):
        try:
            problem = problem_of(_study_of(file, found, table))
        except InputError as error:
            mistakes += [_placed(it, f"workloads.{number}") for it in error.problems]
            continue
        members.append(Member(table.name, table.weight / total, problem))
    if mistakes:
        raise InputError(file.name, dict.fromkeys(mistakes))
    return Portfolio(file, tuple(members))


def _placed(mistake: Mistake, path: str) -> Mistake:
    """A mistake of a study of one workload, at its place among several."""
    first, dot, rest = mistake.path.partition(".")
    return mistake._replace(path=f"{path}{dot}{rest}") if first == "workload" else mistake
