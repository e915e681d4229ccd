"""From the file of pools to the problem that it states."""

import dataclasses
import math
from typing import Any, cast

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from liminal_jax._arrays import as_leaf
from liminal_jax._files import InputError
from liminal_jax._files import Problem as Mistake
from liminal_jax.hardware.network import AbstractNetwork, AbstractPhysical
from liminal_jax.study.contradictions import OF_A_PLAN
from liminal_jax.study.domain import Grid
from liminal_jax.study.file import DesignFile, WorkloadTable, design_of
from liminal_jax.study.pools.duty import AbstractDuty, Attention, Decode, Experts, Prefill
from liminal_jax.study.pools.file import PoolsConstraintTable, PoolsFile
from liminal_jax.study.pools.pool import Pool
from liminal_jax.study.pools.problem import PoolsProblem, known_of, pace_limits
from liminal_jax.study.pools.quantities import DUTIES, MONEY, QUANTITIES, TIMES
from liminal_jax.study.pools.requests import SHARED, Pace, Requests
from liminal_jax.study.problem import Limit
from liminal_jax.study.read import problem_of
from liminal_jax.study.region import Region, Variable
from liminal_jax.workload.model import Model
from liminal_jax.workload.parts import attention_part, experts_part, joints

_NOT_OF = {
    "attention": {
        "pp": "its layers are not divided into stages",
        "ep": "it holds no experts",
    },
    "experts": {"pp": "its layers are not divided into stages"},
}
"""Fields of a design that a pool with a part of the model has no use for, and why."""


def pools_of(file: PoolsFile) -> PoolsProblem:
    """The problem of a file.

    Raises:
        InputError: mistakes in the design of a pool, a pool that no network joins to the others,
            or limits on what is not known; all of them.
    """
    mistakes = _unknown_mistakes(file)
    regions: dict[str, Region] = {}
    for name in _duties(file):
        try:
            regions[name] = _region(file, name)
        except InputError as error:
            mistakes += [_placed(it, name) for it in error.problems]
    if len(regions) > 1:
        for name, it in regions.items():
            mistakes += unjoined(name, it)
    model = next((it.case.model for it in regions.values()), None)
    if model is not None and "experts" in file.pools and not _has_both(model):
        message = f"{file.workload.get('model')} has no layer with both parts, to keep apart"
        mistakes.append(Mistake("workload.model", message))
    if mistakes:
        raise InputError(file.name, list(dict.fromkeys(mistakes)))
    return problem_of_regions(
        file.name,
        regions,
        requests_of(file),
        _shared(file),
        (file.objective.quantity, file.objective.maximise is not None),
        tuple(_limit(it) for it in file.constraints),
    )


def problem_of_regions(
    name: str,
    regions: dict[str, Region],
    requests: Requests,
    shared: tuple[Variable, ...],
    goal: tuple[str, bool],
    limits: tuple[Limit, ...],
) -> PoolsProblem:
    """The problem of pools whose designs are given.

    Args:
        name: How results call it.
        regions: Designs of each pool for the whole model, by what it does.
        requests: What they serve.
        shared: What they share and is free.
        goal: The objective, and whether more of it is better.
        limits: Limits of all together.
    """
    duties = tuple(it for it in DUTIES if it in regions)
    totals = tuple(dict.fromkeys([*MONEY, *(time for it in duties for time in TIMES[it])]))
    prompt = requests.isl if "prefill" in duties else None
    if prompt is None:
        totals = tuple(it for it in totals if it != "cache_in_time")
    asked = QUANTITIES[goal[0]]
    return PoolsProblem(
        name=name,
        goal=goal[0],
        unit=asked.unit,
        maximise=goal[1],
        groups=tuple(
            _pool(it, regions[it], requests, prompt, totals, len(duties)) for it in duties
        ),
        categories=("pools",),
        variables=shared,
        totals=totals,
        limits=(*limits, *pace_limits(duties)),
        requests=requests,
    )


def _pool(
    name: str,
    region: Region,
    requests: Requests,
    prompt: Any,
    totals: tuple[str, ...],
    pools: int,
) -> Pool:
    """A pool of some designs."""
    case, model = region.case, region.case.model
    duties: dict[str, AbstractDuty] = {
        "prefill": Prefill(),
        "decode": Decode(prompt),
        "attention": Attention(prompt, joints(model)),
        "experts": Experts(joints(model)),
    }
    parts = {"attention": attention_part, "experts": experts_part}
    case = dataclasses.replace(case, model=parts.get(name, lambda it: it)(model))
    if pools > 1:
        network = cast(AbstractPhysical, case.system.network).joined()
        system = eqx.tree_at(lambda it: it.network, case.system, network)
        case = dataclasses.replace(case, system=system)
    return Pool(
        members=(name,),
        categories=region.categories or (name,),
        variables=region.variables,
        case=jax.tree.map(as_leaf, case),
        kind=region.kind,
        duty=duties[name],
        requests=requests,
        totals=totals,
    )


def requests_of(file: PoolsFile) -> Requests:
    """What the pools of a file serve."""
    grids = _pace(file)
    first = {name: as_leaf(grids[name].values[0] if name in grids else 1.0) for name in SHARED}
    free = tuple(name for name, it in grids.items() if it.free)
    return Requests(file.requests.isl, file.requests.osl, Pace(**first), free)


def _pace(file: PoolsFile) -> dict[str, Grid]:
    grids = {name: getattr(file.requests, name) for name in SHARED}
    return {name: it for name, it in grids.items() if it is not None}


def _shared(file: PoolsFile) -> tuple[Variable, ...]:
    return tuple(
        Variable(name, f"requests.{name}", it) for name, it in _pace(file).items() if it.free
    )


def _limit(table: PoolsConstraintTable) -> Limit:
    asked = QUANTITIES[table.quantity]
    return Limit(table.quantity, table.at_least is not None, table.limit, asked.unit, asked.of)


def _duties(file: PoolsFile) -> tuple[str, ...]:
    return tuple(it for it in DUTIES if it in file.pools)


def _region(file: PoolsFile, name: str) -> Region:
    """The designs of one pool, for the whole model.

    Raises:
        InputError: its mistakes.
    """
    design, requests = file.pools[name], file.requests
    useless = [
        Mistake(f"design.{field}", f"a pool of {name} has no {field}: {why}; leave it out")
        for field, why in _NOT_OF.get(name, {}).items()
        if field in design
    ]
    if useless:
        raise InputError(file.name, useless)
    context = requests.isl if name == "prefill" else requests.mean_context()
    tables = {
        "name": file.name,
        "workload": {**file.workload, "context": context},
        "design": design,
        "assumptions": _assumptions(file, design),
    }
    return problem_of(_of_hardware(design_of(tables, file.name))).region


def _of_hardware(file: DesignFile) -> DesignFile:
    """The design of a pool, whose numbers by path are those of its hardware alone.

    Raises:
        InputError: some are those of the workload, which all pools share.
    """
    mistakes = [
        Mistake(f"design.numbers.{path}", "all pools share the workload; state it in [workload]")
        for path in file.design.numbers.stated
        if path.startswith(("request.", "workload.", "model."))
        or path in WorkloadTable.model_fields
    ]
    # The widths of a checkpoint, where it is asked for them, are numbers of the request too.
    if mistakes and file.workload is not None and not _published(file):
        raise InputError(file.name, mistakes)
    return file


def _published(file: DesignFile) -> bool:
    return set(file.design.numbers.stated) <= {"request.table_bits", "request.expert_bits"}


def _assumptions(file: PoolsFile, design: dict[str, Any]) -> dict[str, Any]:
    """What a pool's design changes in the data files: what plans a chip only where it plans one."""
    stated = {name: it for name, it in file.assumptions.model_dump().items() if it}
    planned = any("system" not in it for it in file.pools.values())
    if "system" not in design or not planned:
        return stated
    return {name: it for name, it in stated.items() if name not in OF_A_PLAN}


def _placed(mistake: Mistake, pool: str) -> Mistake:
    """A mistake of the design of one pool, at its place among several."""
    first, dot, rest = mistake.path.partition(".")
    return mistake._replace(path=f"pools.{pool}{dot}{rest}") if first == "design" else mistake


def unjoined(name: str, region: Region) -> list[Mistake]:
    """Alternatives of a pool that no network joins to the other pools."""
    network = region.case.system.network
    path = f"pools.{name}.{region.kind}"
    if not isinstance(network, AbstractPhysical):
        return [Mistake(path, _without_network(name, region.categories, network))]
    reached = np.broadcast_to(np.asarray(network.scale_out.bandwidth), len(region.categories))
    missing = [
        it
        for it, bandwidth in zip(region.categories, reached, strict=True)
        if not (math.isfinite(bandwidth) and bandwidth > 0)
    ]
    return [Mistake(path, _without_network(name, missing, network))] if missing else []


def _without_network(name: str, categories: Any, network: AbstractNetwork) -> str:
    what = "the caches of prompts" if name in ("prefill", "decode") else "tokens and caches"
    return (
        f"{', '.join(categories)} has no scale-out network with a known bandwidth"
        f" ({type(network).__name__}), so {what} have no way to the other pools; state"
        " network.scale_out_bandwidth in a system file of your own, or take another system"
    )


def _has_both(model: Model) -> bool:
    return bool(jnp.asarray(joints(model)) > 0)


def _unknown_mistakes(file: PoolsFile) -> list[Mistake]:
    """Objective and limits on quantities that pools without a pool of prompts do not have."""
    totals = tuple(time for it in _duties(file) for time in TIMES[it])
    known = known_of(totals)
    asked = [("objective", file.objective.quantity)]
    asked += [(f"constraints.{row}", it.quantity) for row, it in enumerate(file.constraints)]
    return [
        Mistake(path, f"{name} is known where a pool passes prompts: give [pools.prefill] too")
        for path, name in asked
        if name not in known
    ]
