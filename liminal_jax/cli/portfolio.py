"""`liminal optimize` for several workloads: the best common chip."""

from liminal_jax.cli.found import Found
from liminal_jax.cli.progress import ProgressBar
from liminal_jax.optimization.portfolio.portfolio_search import optimize_portfolio
from liminal_jax.optimization.portfolio.record import portfolio_record
from liminal_jax.optimization.search.branch_and_bound import Budget
from liminal_jax.results.portfolio import page
from liminal_jax.study.portfolio import Portfolio
from liminal_jax.study.write import design_text


def found_for_all(portfolio: Portfolio, progress: ProgressBar, budget: Budget, seed: int) -> Found:
    """The answer to a portfolio, with a design file for each workload.

    Args:
        portfolio: The portfolio.
        progress: Callbacks.
        budget: When to stop before the proof is complete.
        seed: Seed of the hardware samples that start the search.
    """
    answer = optimize_portfolio(portfolio, budget, seed, progress)
    designs = {}
    for it in answer.served:
        name = f"design-{it.member.name}.toml"
        file = it.member.problem.file
        designs[name] = design_text(file, it.solution.values, it.solution.category, name)
    record = portfolio_record(answer)
    return Found(answer.feasible, designs, record, page(record), next(iter(designs), ""))
