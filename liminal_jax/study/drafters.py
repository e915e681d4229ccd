"""What proposes the drafts of a study: as it says, or as is published for its model."""

import equinox as eqx

from liminal_jax._arrays import as_leaf
from liminal_jax._files import InputError, Problem
from liminal_jax.algorithm.drafter import DRAFTERS, SmallModel
from liminal_jax.study.absent import ALGORITHM, DRAFTER, DRAFTS, absent_paths, drafting_with
from liminal_jax.study.case import Case
from liminal_jax.study.domain import Numbers
from liminal_jax.study.paths import found_path
from liminal_jax.study.resolved import Resolved
from liminal_jax.workload.model import model_of


def with_drafter(
    case: Case,
    model: str,
    drafter: str | None,
    levers: Numbers,
    known: Resolved,
    source: str,
) -> Case:
    """A case whose drafts come from what is stated, or from what is published for its model.

    Acceptance and decay are the published ones, unless the case states its own.

    Args:
        case: The case.
        model: The name of its model.
        drafter: What is to propose drafts, if it is stated.
        levers: The levers that are stated.
        known: Models that are named, and published drafters.
        source: The file, for messages.

    Raises:
        InputError: drafts are asked for, and nothing proposes them.
    """
    row = known.drafters.get(model)
    if drafter is not None:
        kind = DRAFTERS.get(drafter)
        proposing = SmallModel(model_of(known.models[drafter])) if kind is None else kind()
    elif not _speculates(levers, case):
        return case
    elif row is None:
        message = (
            f"{model} has no published drafter; give one: {ALGORITHM}.{DRAFTER} ="
            f" {', '.join(map(repr, DRAFTERS))} or a model, with its acceptance and decay"
        )
        raise InputError(source, [Problem(f"{ALGORITHM}.drafts", message)])
    else:
        proposing = DRAFTERS[row.kind]()
    drafting = drafting_with(case, proposing)
    if row is None or drafter is not None:
        return drafting
    published = (as_leaf(row.acceptance), as_leaf(row.decay))
    return eqx.tree_at(
        lambda it: (it.algorithm.speculation.acceptance, it.algorithm.speculation.decay),
        drafting,
        published,
    )


def _speculates(levers: Numbers, case: Case) -> bool:
    """Whether drafts, or what becomes of them, are among some levers."""
    known = absent_paths(case)
    speculation = DRAFTS.rpartition(".")[0]
    for written in levers.stated:
        try:
            if found_path(written, known).startswith(speculation):
                return True
        except ValueError:
            continue  # It is told with the other numbers.
    return False
