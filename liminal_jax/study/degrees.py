"""Why the degrees of parallelism of a design cannot be, with the field that has to change."""

import numpy as np

from liminal_jax._files import Problem as Mistake
from liminal_jax.mapping.attention import attention_name
from liminal_jax.study.limits import Sizes, sizes_of
from liminal_jax.study.problem import FULL, Problem
from liminal_jax.study.variables import PATHS


def degree_contradictions(problem: Problem) -> list[Mistake]:
    """Why the degrees of a design cannot be, with the field that has to change."""
    values, table = _values(problem), problem.file.design
    sizes = sizes_of(problem.first())
    ranks, ep, pp = values["tp"] * values["cp"], values["ep"], values["pp"]
    instance, layers, experts = ranks * pp, sizes.layers, sizes.experts
    messages = {
        "design.ep": [
            (ranks % ep != 0, f"must divide tp x cp = {ranks:g}, got {ep:g}"),
            (ep > experts, f"must be at most {experts:g}, the experts of the model, got {ep:g}"),
        ],
        "design.pp": [
            (pp > layers, f"must be at most {layers:g}, the layers of the model, got {pp:g}")
        ],
        "design.chips": [
            (
                table.chips is not None and values["chips"] < instance,
                f"must be at least tp x cp x pp = {instance:g}, got {values['chips']:g}",
            )
        ],
    }
    found = [
        Mistake(path, message)
        for path, rows in messages.items()
        for wrong, message in rows
        if wrong
    ]
    return found + _attention_contradictions(problem, values, sizes)


def _values(problem: Problem) -> dict[str, float]:
    """The numbers of a design that have short names; 1 where it leaves one out."""
    numbers = problem.region.numbers
    return {
        name: float(np.ravel(numbers[path])[0]) if path in numbers else 1.0
        for name, path in PATHS.items()
    }


def _attention_contradictions(
    problem: Problem, values: dict[str, float], sizes: Sizes
) -> list[Mistake]:
    """Why the mapping of attention of a design cannot be."""
    group, ranks = sizes.attention_ranks, values["tp"] * values["cp"]
    shared, ep, used = sizes.shared_ranks, values["ep"], sizes.used
    name = attention_name(values["attention"])
    if sizes.experts == 1 and ranks > group:
        message = (
            f"{name} with groups of {group:g} of {ranks:g} ranks spreads routed experts, and"
            f" {problem.file.workload.model} has none; take split-sequence or copied-heads"
        )
        return [Mistake("design.attention", message)]
    rows = [
        (
            "design.tp",
            used["heads"] > FULL,
            "must divide the heads of every attention of the model, got"
            f" {values['tp']:g}; attention = 'padded-heads' computes heads that are not there",
        ),
        (
            "design.tp",
            used["kv_heads"] > FULL,
            "must divide the KV heads of every attention of the model, or be a multiple of them,"
            f" got {values['tp']:g}; attention = 'padded-heads' holds one KV head more",
        ),
        (
            "design.attention_ranks",
            used["attention_groups"] > FULL,
            f"must divide tp x cp = {ranks:g}, and be 1 for data-parallel attention, got"
            f" {values['attention_ranks']:g}",
        ),
        (
            "design.ep",
            ep <= ranks and used["attention_experts"] > FULL,
            f"must be tp x cp = {ranks:g} where groups of ranks attend to users of their own, got"
            f" {ep:g}",
        ),
        (
            "design.shared_expert_ranks",
            used["shared_experts"] > FULL,
            f"must divide the {group:g} ranks that share a user's attention, got {shared:g}",
        ),
    ]
    return [Mistake(path, message) for path, wrong, message in rows if wrong]
