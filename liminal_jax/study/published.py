"""How the widths of weights of a prediction stand to those that the checkpoint is published in."""

import math

from liminal_jax.data.published_bits import PublishedBits
from liminal_jax.workload.request import Request

SAME = 0.02
"""Relative difference up to which two widths are the same."""


def published_sentences(found: PublishedBits | str, request: Request) -> list[str]:
    """Whether weights have the widths of the checkpoint, where it says; nothing where it does not.

    Args:
        found: The widths, or what is said of widths that are not known or several.
        request: What the prediction takes.
    """
    if isinstance(found, str):
        return [f"The checkpoint is {found}."] if found else []
    linear = float(request.weight_bits)
    experts = linear if request.expert_bits is None else float(request.expert_bits)
    tables = linear if request.table_bits is None else float(request.table_bits)
    pairs = {found.weight_bits: linear, found.expert_bits: experts}
    if not all(math.isclose(*pair, rel_tol=SAME) for pair in pairs.items()):
        if not found.quantised():
            return []
        own = "" if experts == linear else f", {experts:.4g} for routed experts"
        return [
            f"The checkpoint is published in other widths: {_words(found)}. {linear:.4g} bits are"
            f" taken{own}; weight bits `published` stands for its own."
        ]
    if not math.isclose(found.table_bits, tables, rel_tol=SAME):
        return []
    return [f"Weights have the widths that the checkpoint is published in: {_words(found)}."]


def _words(found: PublishedBits) -> str:
    experts = f", routed experts {found.expert_bits:.4g}"
    tables = f", embedding and head {found.table_bits:.4g}"
    return (
        f"{found.weight_bits:.4g} bits"
        + (experts if found.expert_bits != found.weight_bits else "")
        + (tables if found.table_bits != found.weight_bits else "")
        + f" ({found.why})"
    )
