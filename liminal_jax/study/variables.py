"""The variables that studies have short names for, and what each is, from its field."""

from liminal_jax._quantity import Quantity, quantity_at
from liminal_jax.hardware.plan import ChipPlan
from liminal_jax.hardware.planned import PlannedSystem
from liminal_jax.study.absent import lever_paths
from liminal_jax.study.case import Case

PATHS = {
    **{name: f"system.chip.plan.{name}" for name in ChipPlan.__dataclass_fields__},
    "domain": "system.network.domain",
    "chips": "chips",
    "clock": "clock",
    "tp": "mapping.tp",
    "cp": "mapping.cp",
    "pp": "mapping.pp",
    "ep": "mapping.ep",
    "attention": "attention.place",
    "attention_ranks": "attention.ranks",
    "shared_expert_ranks": "mapping.shared_expert_ranks",
    "batch": "batch",
}
"""Where each stands in a case, in the order in which results tell them."""


def _stated(path: str) -> Quantity:
    found = quantity_at(Case, path)
    if found is None:
        raise KeyError(path)
    return found


VARIABLES = {name: _stated(path) for name, path in PATHS.items()}
"""What each is."""

FOLLOWING = "system.network.bandwidth"
"""Of planned hardware this is given by the plan: its link bandwidth."""


def names_of(case: Case) -> dict[str, str]:
    """The short names of the numbers of a case that have one, by path; domains are planned."""
    planned = isinstance(case.system, PlannedSystem)
    return {path: name for name, path in PATHS.items() if planned or name != "domain"}


def stated_at(path: str) -> Quantity:
    """What a number of a case is, by its path; of one of a model its path alone is known."""
    return quantity_at(Case, path) or Quantity("", path)


def stated_as(name: str) -> Quantity:
    """What a variable of a study is, by its name: a short one, or a path as far as it is written.

    Examples:
        >>> stated_as("tp").label, stated_as("chip.memory.bandwidth").unit
        ('TP', 'B/s')
        >>> stated_as("algorithm.drafts").label
        'drafts a step'
    """
    if name in VARIABLES:
        return VARIABLES[name]
    whole = name.removeprefix("design.")
    starts = ("", "system.", "system.chip.", "system.network.", "system.facility.", "request.")
    paths = [f"{start}{whole}" for start in starts]
    paths += [it for it in lever_paths() if it.endswith(f".{whole.removeprefix('algorithm.')}")]
    found = (quantity_at(Case, path) for path in paths)
    return next((it for it in found if it is not None), Quantity("", name))
