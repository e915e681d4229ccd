"""Shared chips against every chip of the lattice with every mapping, judged one by one."""

import itertools
import math

import jax
import numpy as np
import pytest

from liminal_jax.optimization.portfolio.portfolio_search import optimize_portfolio
from liminal_jax.optimization.portfolio.record import portfolio_record
from liminal_jax.optimization.search.best_design import find
from liminal_jax.optimization.search.branch_and_bound import Budget
from liminal_jax.optimization.search.certificate import bounded_problem_of, proven
from liminal_jax.study.domain import Names, Numbers
from liminal_jax.study.file import MemberTable, PortfolioFile
from liminal_jax.study.portfolio import portfolio_of
from liminal_jax.study.quantities import QUANTITIES
from liminal_jax.study.questions import load_question, load_study
from liminal_jax.study.read import problem_of
from tests.optimization.brute import ASKED, every_outcome, study, swept
from tests.optimization.search.test_certificate import random_constraints, random_design
from tests.optimization.test_answer import MINIMISED

WORKLOADS = [
    {"model": "qwen3-30b-a3b", "context": 16384},
    {"model": "llama-3-8b", "context": 8192},
    {"model": "qwen3-235b-a22b", "context": 32768},
]
LARGEST = 50_000


def portfolio_file(file, members):
    """A portfolio on the hardware of a study."""
    return PortfolioFile(
        name="portfolio",
        design=file.design,
        assumptions=file.assumptions,
        objective=file.objective,
        constraints=file.constraints,
        workloads=[MemberTable(**it) for it in members],
    )


class Every:
    """The best mapping of each workload on every piece of hardware."""

    def __init__(self, portfolio, outcomes):
        weights = np.asarray([it.weight for it in portfolio.members])
        files = [it.problem.file for it in portfolio.members]
        self.scores = np.stack([self._best(*it) for it in zip(files, outcomes, strict=True)])
        self.scores = self.scores.reshape(len(weights), portfolio.lattice, portfolio.mappings)
        self.scores = self.scores.max(axis=2)
        self.together = weights @ self.scores

    def _best(self, file, outcomes):
        every = swept(file, outcomes)
        return np.where(every.feasible, every.scores, -np.inf)


def random_portfolio(seed, folder):
    rng = np.random.default_rng(seed)
    base = ("planned", "finished")[seed % 2]
    names = [it for it in ASKED if base == "planned" or it != "die_area"]
    asked = names[seed % len(names)]
    path = study(
        folder,
        base,
        design=random_design(rng, base, LARGEST),
        objective={"minimise" if asked in MINIMISED else "maximise": asked},
    )
    file = load_study(str(path))
    members, every = [], []
    for number in rng.permutation(3)[: rng.integers(2, 4)]:
        workload = {**WORKLOADS[number], "weight": float(rng.uniform(0.2, 3))}
        alone = portfolio_of(portfolio_file(file, [workload])).members[0].problem.file
        every.append(every_outcome(base, alone))
        members.append({**workload, "constraints": random_constraints(rng, every[-1][0])[:1]})
    common = random_constraints(rng, every[0][0])[:1]
    path = study(folder, base, design={}, constraints=common)
    constraints = load_study(str(path)).constraints
    return portfolio_file(file.model_copy(update={"constraints": constraints}), members), every


SEEDS = range(14)


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """Random portfolios with their answers, and the whole of their lattices."""
    jax.config.update("jax_disable_most_optimizations", True)
    folder = tmp_path_factory.mktemp("portfolios")
    found = []
    for seed in SEEDS:
        file, outcomes = random_portfolio(seed, folder)
        portfolio = portfolio_of(file)
        found.append((optimize_portfolio(portfolio, seed=seed), Every(portfolio, outcomes)))
    jax.config.update("jax_disable_most_optimizations", False)
    return found


@pytest.mark.slow
def test_the_shared_chip_is_the_best_of_all(answers):
    for answer, every in answers:
        best = every.together.max()
        assert answer.certificate.complete
        assert answer.certificate.method == "bound"
        assert answer.certificate.lattice == len(every.together)
        assert answer.feasible == (best > -np.inf)
        if answer.feasible:
            problem = answer.portfolio.members[0].problem
            assert answer.objective == pytest.approx(problem.objective(best), rel=1e-8)
            assert answer.certificate.relative_gap == 0
    feasible = sum(answer.feasible for answer, _ in answers)
    assert 3 <= feasible <= len(answers) - 3


@pytest.mark.slow
def test_each_workload_gets_what_the_model_says(answers):
    for answer, _ in answers:
        logs = 0.0
        for it in answer.served:
            quantity = QUANTITIES[it.member.problem.asked]
            assert it.value == pytest.approx(float(quantity.of(it.fleet)), rel=1e-9)
            logs += it.member.weight * math.log(it.value)
            for variable in answer.portfolio.hardware:
                first = answer.served[0].solution.values[variable.name]
                assert it.solution.values[variable.name] == first
            assert it.solution.category == answer.served[0].solution.category
        if answer.feasible:
            assert logs == pytest.approx(math.log(answer.objective))


@pytest.mark.slow
def test_each_alone_and_the_price_of_sharing(answers):
    for answer, every in answers:
        for it, best in zip(answer.alone, every.scores.max(axis=1), strict=True):
            if best == -np.inf:
                assert it.value is None
                assert any(reason.startswith(it.member.name) for reason in answer.reasons)
            else:
                assert it.value == pytest.approx(it.member.problem.objective(best), rel=1e-8)
                assert it.gap == 0
        for served, alone in zip(answer.served, answer.alone, strict=False):
            ratio = served.value / alone.value
            assert served.share <= 1
            assert served.share == pytest.approx(
                ratio if served.member.problem.maximises else 1 / ratio
            )
        if answer.feasible:
            shares = [it.member.weight * math.log(it.share) for it in answer.served]
            assert answer.share == pytest.approx(math.exp(sum(shares)))


@pytest.mark.slow
def test_chips_of_one_used_for_the_others(answers):
    """Ties among the best chips are many; whatever chip was taken, it is one of the lattice."""
    cannot = 0
    for answer, every in answers:
        names = [it.name for it in answer.portfolio.members]
        able = [it.member.name for it in answer.alone if it.value is not None]
        assert list(answer.cross) == able
        most = every.scores.max(axis=1)
        for name, row in answer.cross.items():
            assert list(row) == names
            assert row[name] == 1
            mine = names.index(name)
            best = np.flatnonzero(every.scores[mine] >= most[mine] - 1e-8)
            for other, share in row.items():
                number = names.index(other)
                known = every.scores[number, best]
                cannot += share is None
                if share is None:
                    assert (known == -np.inf).any()
                else:
                    shares = np.exp(known - most[number])
                    assert np.isclose(shares, share, rtol=1e-7).any()
    assert cannot > 0


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    limits = [{"quantity": "capital_cost", "at_most": 1e5}]
    design = {"chips": 4, "cp": 1, "pp": 1, "ep": 1, "stacks": {"choices": [1, 2, 3, 4, 6, 8]}}
    path = study(tmp_path_factory.mktemp("planned"), "planned", design=design, constraints=limits)
    return load_study(str(path))


LONG_AND_SHORT = [
    {"model": "llama-3-8b", "context": 32768, "name": "long"},
    {"model": "llama-3-8b", "context": 256, "name": "short"},
]
"""The one wants memory, the other cores."""


def searched(file, members, **options):
    return optimize_portfolio(portfolio_of(portfolio_file(file, members)), **options)


@pytest.mark.parametrize("workload", WORKLOADS[:2])
def test_a_portfolio_of_one_is_a_plain_study(planned, workload):
    answer = searched(planned, [workload])
    plain = planned.model_copy(update={"workload": MemberTable(**workload).workload()})
    proof = proven(bounded_problem_of(problem_of(plain)), [])
    assert answer.objective == pytest.approx(math.exp(proof.scores.max()), rel=1e-9)
    assert answer.share == 1
    assert answer.cross == {workload["model"]: {workload["model"]: 1}}


def test_weights_count_as_they_should(planned):
    def weighted(*weights):
        pairs = zip(LONG_AND_SHORT, weights, strict=True)
        return searched(planned, [{**it, "weight": weight} for it, weight in pairs])

    even, scaled = weighted(1.0, 1.0), weighted(5.0, 5.0)
    first, second = weighted(1.0, 1e-6), weighted(1e-6, 1.0)
    assert scaled.objective == pytest.approx(even.objective, rel=1e-12)
    assert first.served[0].share == pytest.approx(1, rel=1e-5)
    assert second.served[1].share == pytest.approx(1, rel=1e-5)
    # The two want different chips, so that the mean is a compromise.
    assert first.served[1].share < 0.999
    assert second.served[0].share < 0.999
    assert even.share >= math.sqrt(first.served[1].share * first.served[0].share) * (1 - 1e-9)
    assert even.share >= math.sqrt(second.served[1].share * second.served[0].share) * (1 - 1e-9)
    assert even.share < 1


def test_workloads_that_cannot_share_are_told_apart(planned):
    """Each asks for nearly the most that it can have; the third is content with little."""
    alone = searched(planned, LONG_AND_SHORT).alone
    floors = [{"quantity": "stps", "at_least": 0.999 * it.value} for it in alone]
    members = [
        {**it, "constraints": [floor]} for it, floor in zip(LONG_AND_SHORT, floors, strict=True)
    ]
    easy = {**LONG_AND_SHORT[1], "name": "easy"}
    answer = searched(planned, [*members, easy])
    assert not answer.feasible
    assert answer.certificate.complete
    assert answer.certificate.bound is None
    assert all(it.value is not None for it in answer.alone)
    assert answer.cross["long"] == {"long": 1, "short": None, "easy": answer.cross["long"]["easy"]}
    assert answer.cross["short"]["long"] is None
    assert answer.reasons[0].startswith("each workload can be served by itself, but none of the")
    assert answer.reasons[1:] == [
        f"without {name} there is a chip that serves all others" for name in ("long", "short")
    ]


def test_a_limit_that_binds_is_worth_something_when_it_gives(planned):
    (limit,) = planned.constraints
    tight = limit.model_copy(update={"at_most": 0.8 * limit.limit})
    answer = searched(planned.model_copy(update={"constraints": [tight]}), LONG_AND_SHORT)
    assert {it.workload for it in answer.binding} <= {"long", "short"}
    assert "capital_cost" in {it.binding.constraint for it in answer.binding}
    assert all(it.binding.slack >= 0 for it in answer.binding)
    looser = limit.model_copy(update={"at_most": 1.5 * limit.limit})
    more = searched(planned.model_copy(update={"constraints": [looser]}), LONG_AND_SHORT)
    assert more.objective > answer.objective


def test_a_limit_of_one_workload_leaves_the_others_alone(planned):
    free = searched(planned, LONG_AND_SHORT)
    fast = {"quantity": "utps", "at_least": 2 * float(free.served[0].fleet.instance.utps)}
    bound = searched(planned, [{**LONG_AND_SHORT[0], "constraints": [fast]}, LONG_AND_SHORT[1]])
    assert float(bound.served[0].fleet.instance.utps) >= fast["at_least"] * (1 - 1e-9)
    assert bound.alone[0].value < free.alone[0].value
    assert bound.alone[1].value == free.alone[1].value
    assert bound.objective < free.objective


def test_a_gap_that_will_do_and_time_that_runs_out(planned):
    exact = searched(planned, LONG_AND_SHORT)
    rough = searched(planned, LONG_AND_SHORT, budget=Budget(gap=math.log1p(0.05)))
    assert rough.certificate.complete
    assert rough.certificate.relative_gap == pytest.approx(0.05)
    assert rough.objective <= exact.objective * (1 + 1e-9)
    assert exact.objective <= rough.certificate.bound * (1 + 1e-9)
    assert all(it.share <= 1 for it in rough.served)
    hurried = searched(planned, LONG_AND_SHORT, budget=Budget(seconds=1e-3))
    assert not hurried.certificate.complete
    assert not hurried.feasible or exact.objective <= hurried.certificate.bound
    assert "stopped early" in " ".join(hurried.reasons)


BY_PATH = """
name = "by-path"
[design]
system = { choices = ["h200", "b200"] }
tp = { choices = [4, 8] }
batch = { choices = [4, 16, 64] }
[design.numbers]
"chip.memory.bandwidth" = { choices = [4e12, 6e12, 8e12] }
kv_bits = [4, 8, 16]
[objective]
maximise = "stps_per_usd"
[[constraints]]
quantity = "utps"
at_least = 40
[[workloads]]
model = "llama-3-70b"
context = 8192
[[workloads]]
model = "qwen3-32b"
context = 32768
weight = 2
"""


def test_numbers_by_path_are_shared_where_they_are_hardware(tmp_path):
    """Against the best mapping and bits of each workload on every piece of hardware, one by one."""
    path = tmp_path / "study.toml"
    path.write_text(BY_PATH)
    answer = optimize_portfolio(portfolio_of(load_question(str(path))))
    numbers = answer.portfolio.file.design.numbers
    best = -math.inf
    for system, bandwidth in itertools.product(("h200", "b200"), (4e12, 6e12, 8e12)):
        stated = Numbers({**numbers.stated, "chip.memory.bandwidth": bandwidth})
        changed = {"system": Names((system,)), "numbers": stated}
        design = answer.portfolio.file.design.model_copy(update=changed)
        scores = []
        for member in answer.portfolio.members:
            alone = member.problem.file.model_copy(update={"design": design})
            found = find(problem_of(alone))
            score = math.log(found.objective) if found.feasible else -math.inf
            scores.append(member.weight * score)
        best = max(best, sum(scores))
    assert answer.certificate.complete
    assert math.log(answer.objective) == pytest.approx(best, abs=1e-9)
    record = portfolio_record(answer)
    assert record["design"]["numbers"].keys() == {"chip.memory.bandwidth"}
    assert {"chip.memory.bandwidth", "kv_bits"} == record["workloads"][0]["design"][
        "numbers"
    ].keys()
