"""A design file, predicted: everything that one screen or one JSON object shows."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from liminal_jax._arrays import Leaf
from liminal_jax._files import InputError, Problem
from liminal_jax._smooth import Exact
from liminal_jax._traced import listed
from liminal_jax.algorithm.algorithm import Algorithm
from liminal_jax.hardware.system import System
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.performance.design import Assumptions
from liminal_jax.performance.filled import filled_design
from liminal_jax.performance.gains import Gains, predicted_with_gains
from liminal_jax.performance.memory_footprint import MemoryFootprint, memory_footprint
from liminal_jax.performance.prediction import Prediction
from liminal_jax.performance.serving import SERVING_WAYS, Serving, serve
from liminal_jax.study.anatomy import hardware_record
from liminal_jax.study.basis import basis, power_basis, serving_basis
from liminal_jax.study.case import Case
from liminal_jax.study.degrees import degree_contradictions
from liminal_jax.study.domain import Names, Numbers, Several
from liminal_jax.study.file import DesignFile, resolved_of
from liminal_jax.study.kind import kind_record
from liminal_jax.study.lengths import RequestLengths
from liminal_jax.study.lever_record import levers_of
from liminal_jax.study.problem import exact_system
from liminal_jax.study.read import problem_of
from liminal_jax.study.report import gains_record, numbers, prediction_record
from liminal_jax.study.write import written
from liminal_jax.workload.lengths import Lengths
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request


@dataclass(frozen=True)
class Predicted:
    """A prediction with what explains it.

    Attributes:
        file: The design.
        category: Its memory technology, or its system.
        case: The design, and what it serves, as the laws see it.
        prediction: One instance.
        gains: What more of each resource would buy.
        held: What the instance holds.
        basis: What it rests on.
        multiple: Price of a chip over its cost.
        levers: Levers of software that are on, and what each costs in quality.
        served: Prompts and answers served; none where their lengths are not given.
    """

    file: DesignFile
    category: str
    case: Case
    prediction: Prediction
    gains: Gains
    held: MemoryFootprint
    basis: list[str]
    multiple: float
    levers: list[dict[str, Any]]
    served: "RequestsServed | None" = None


@dataclass(frozen=True)
class RequestsServed:
    """Requests of some lengths, and what serving them is like."""

    lengths: RequestLengths
    serving: Serving


OF_WHOLE_REQUESTS = (
    "ttft",
    "tpot",
    "e2e",
    "tokens_per_second_per_chip",
    "energy_per_token",
    "usd_per_million_tokens",
    "prompt_energy_share",
    "prompt_cost_share",
)
"""Numbers of continuous batching that a prediction shows as its own."""


@listed
def _computed(
    system: System,
    mapping: Mapping,
    batch: Leaf,
    model: Model,
    request: Request,
    assumptions: Assumptions,
    algorithm: Algorithm | None,
) -> tuple[Prediction, Gains, MemoryFootprint]:
    """Traced once for each structure of model and system, whatever their numbers."""
    design = filled_design(system, mapping, batch, model, request, assumptions, algorithm)
    prediction, gains = predicted_with_gains(design, model, request, assumptions)
    return (
        prediction,
        gains,
        memory_footprint(model, request, mapping, batch, assumptions, algorithm),
    )


@listed
def _serving(
    system: System,
    mapping: Mapping,
    batch: Leaf,
    model: Model,
    request: Request,
    lengths: Lengths,
    assumptions: Assumptions,
    algorithm: Algorithm | None,
) -> Serving:
    """Traced once for each structure of model and system, whatever their numbers."""
    design = filled_design(system, mapping, batch, model, request, assumptions, algorithm)
    return serve(design, model, request, lengths, assumptions)


def _stated_lengths(file: DesignFile) -> RequestLengths | None:
    """The lengths that the workload of a design states, if it does."""
    it = file.workload
    if it.isl is None or it.osl is None:
        return None
    return RequestLengths(it.isl, it.osl, prefix_hit_rate=it.prefix_hit_rate or 0.0)


def predicted(file: DesignFile, lengths: RequestLengths | None = None) -> Predicted:
    """Predict the design of a file, and serving requests of some lengths where these are given.

    Args:
        file: The design.
        lengths: Lengths of requests; those that its workload states where left out, if any.

    Raises:
        InputError: degrees of parallelism contradict each other or the model, or numbers that the
            prediction cannot do without are unknown.
    """
    problem = problem_of(file)
    file = problem.file
    lengths = _stated_lengths(file) if lengths is None else lengths
    contradictions = degree_contradictions(problem)
    if contradictions:
        raise InputError(file.name, contradictions)
    case = problem.first()
    system, mapping, batch = exact_system(case), case.mapped(), case.batch
    model, request, assumptions = case.model, case.decoding, case.laws(Exact())
    prediction, gains, held = _computed(
        system, mapping, batch, model, request, assumptions, case.algorithm
    )
    if np.isnan(float(prediction.step_time)):
        raise InputError(
            file.name, [Problem("design.system", unknown_speed(file, system, request))]
        )
    category, tier_fill = problem.categories[0], float(prediction.capacity_tier_fill)
    sentences = basis(file, category, case, system, tier_fill)
    sentences += power_basis(file, category, float(prediction.chip_power))
    served = None
    if lengths is not None:
        given = (model, request, lengths.passing(), assumptions, case.algorithm)
        served = RequestsServed(lengths, _serving(system, mapping, batch, *given))
        sentences = serving_basis(sentences, lengths.prefix_hit_rate)
    return Predicted(
        file=file,
        category=category,
        case=case,
        prediction=prediction,
        gains=gains,
        held=held,
        basis=sentences,
        multiple=float(system.facility.chip_price(system.chip.cost) / system.chip.cost.total()),
        levers=levers_of(case, resolved_of(file).costs),
        served=served,
    )


def unknown_speed(file: DesignFile, system: System, request: Request) -> str:
    """Why no time follows, and what to do about it."""
    (name,) = file.design.system.names if file.design.system is not None else ("the chip",)
    rates = system.chip.tensor
    rate_of = {
        "weights": (request.weight_bits, rates.at(request.weight_bits)),
        "attention": (request.attention_bits, rates.known_at(request.attention_bits)),
    }
    unknown = [
        f"tensor rate at {float(bits):g} bits (for {what})"
        for what, (bits, rate) in rate_of.items()
        if np.isnan(float(rate))
    ]
    missing = " and ".join(unknown) or "bandwidth of its network"
    return (
        f"{name} has no known {missing}, so no time follows; state it in a file of your own:"
        f" liminal systems new mine --like {name}"
    )


def record_of(answer: Predicted) -> dict[str, Any]:
    """The object that `liminal predict --json` prints."""
    hardware = resolved_of(answer.file).hardware
    return {
        **kind_record("prediction"),
        "name": answer.file.name,
        "workload": answer.file.workload.model_dump(exclude_none=True),
        "design": _design(answer.file),
        **_algorithm(answer),
        "assumptions": {key: it for key, it in answer.file.assumptions.model_dump().items() if it},
        **prediction_record(answer.prediction, answer.basis),
        "memory_footprint": numbers(answer.held),
        "gains": gains_record(answer.gains),
        "hardware": hardware_record(answer.case, answer.prediction, hardware, answer.category),
        **({} if answer.served is None else _served_record(answer.served)),
    }


def _design(file: DesignFile) -> dict[str, Any]:
    """The values of a design in SI, by the names that its file has for them."""
    found: dict[str, Any] = {}
    for name in type(file.design).model_fields:
        domain = getattr(file.design, name)
        if isinstance(domain, Numbers):
            continue
        if isinstance(domain, Several):
            found[name] = list(domain.names)
        elif domain is not None:
            found[name] = domain.names[0] if isinstance(domain, Names) else domain.value
    numbers = dict(file.design.numbers.stated)
    return {**written(found), **({"numbers": numbers} if numbers else {})}


def _algorithm(answer: Predicted) -> dict[str, Any]:
    """The levers of software that a design states, and what each costs in quality."""
    stated = answer.file.algorithm.stated
    return {
        **({"algorithm": dict(stated)} if stated else {}),
        **({"levers": answer.levers} if answer.levers else {}),
    }


def _served_record(served: RequestsServed) -> dict[str, Any]:
    """Continuous batching, which is how engines serve, and beside it each way by name.

    Energy and cost of an output token are those of whole requests, prompts included.
    """
    lengths = served.lengths
    ways = {name: numbers(getattr(served.serving, name)) for name in SERVING_WAYS}
    continuous = ways["continuous"]
    return {
        **{name: continuous[name] for name in OF_WHOLE_REQUESTS},
        "serving": {
            "isl": lengths.isl,
            "osl": lengths.osl,
            "chunk": _chunk(lengths),
            "prefix_hit_rate": lengths.prefix_hit_rate,
            **ways,
        },
    }


def _chunk(lengths: RequestLengths) -> int | float:
    """Tokens of a prompt that pass in one step: all that are not cached where none are stated."""
    if lengths.chunk is not None:
        return lengths.chunk
    return lengths.prefill() if lengths.prefix_hit_rate else lengths.isl
