"""The inputs of a prediction: design, placement in memories, and laws."""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import numpy as np

from liminal_jax.hardware.planned import PlannedSystem
from liminal_jax.mapping.attention import WeightedAttention
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.filled import filled_design
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request


def with_defaults(
    design: Design, model: Model, request: Request, assumptions: Assumptions | None
) -> tuple[Design, Assumptions]:
    """The design with its memories filled where its placement is left out, and the laws.

    Raises:
        ValueError: a number of design, model or request has several values.
    """
    for name, it in {"design": design, "model": model, "request": request}.items():
        _refuse_several(name, it)
    assumptions = Assumptions() if assumptions is None else assumptions
    if isinstance(design.system, PlannedSystem):
        system = design.system.system(assumptions.relaxation)
        design = dataclasses.replace(design, system=system)
    if design.placement is None:
        design = filled_design(
            design.system,
            design.mapping,
            design.batch,
            model,
            request,
            assumptions,
            design.algorithm,
        )
    return design, assumptions


def _refuse_several(name: str, module: eqx.Module) -> None:
    """Where a number has several values, the laws would mix them with each other's."""
    # Of all that a design holds, the weights of alternatives alone are several by themselves.
    for path, leaf in jax.tree_util.tree_leaves_with_path(module, is_leaf=_is_weighted):
        if not _is_weighted(leaf) and np.ndim(leaf):
            number = name + jax.tree_util.keystr(path)
            one = {name: f"eqx.tree_at(lambda {name}: {number}, {name}, it)"}
            given = ", ".join(one.get(it, it) for it in ("design", "model", "request"))
            raise ValueError(
                f"{number} has shape {np.shape(leaf)}, and a prediction is of one {name}; for"
                f" several use jax.vmap: jax.vmap(lambda it: ll.predict({given}))({number})"
            )


def _is_weighted(it: Any) -> bool:
    return isinstance(it, WeightedAttention)
