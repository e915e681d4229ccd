"""The numeric variables of a design, and what each is, from the field that it sets."""

from liminal_jax._quantity import Quantity, quantities_of, quantity_at
from liminal_jax.hardware.network import AbstractNetwork
from liminal_jax.hardware.plan import ChipPlan
from liminal_jax.mapping.attention import AbstractAttentionMapping
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.performance.design import Design


def _stated(kind: type, name: str) -> Quantity:
    found = quantity_at(kind, name)
    if found is None:
        raise KeyError(name)
    return found


_PLAN, _MAPPING = quantities_of(ChipPlan), quantities_of(Mapping)

VARIABLES = {
    **_PLAN,
    "domain": _stated(AbstractNetwork, "domain"),
    "chips": Quantity("", "chips"),
    "clock": Quantity("", "clock over nominal"),
    "tp": _MAPPING["tp"],
    "cp": _MAPPING["cp"],
    "pp": _MAPPING["pp"],
    "ep": _MAPPING["ep"],
    "attention": Quantity("", "attention mapping"),
    "attention_ranks": _stated(AbstractAttentionMapping, "ranks"),
    "shared_expert_ranks": _MAPPING["shared_expert_ranks"],
    "batch": _stated(Design, "batch"),
}
"""What each variable is, by name, in the order of a point. Chips of the whole system, the clock and
the place of an attention mapping among all are numbers of studies alone."""
