"""An answer on one screen: the design first, then why, how sure, and what else there is."""

import math

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from liminal_jax._display import dollars, gibibytes, in_units, per_cent, plain, with_prefix
from liminal_jax.hardware.system import System
from liminal_jax.mapping.attention import attention_name
from liminal_jax.optimization.answer import Answer, Relaxed
from liminal_jax.optimization.record import gap
from liminal_jax.optimization.search.binding_limits import Binding
from liminal_jax.optimization.search.existing_chips import Existing
from liminal_jax.study.file import ConstraintTable, StudyFile
from liminal_jax.study.limits import PHYSICAL
from liminal_jax.study.problem import Criterion, Problem
from liminal_jax.study.quantities import QUANTITIES
from liminal_jax.study.variables import VARIABLES
from liminal_jax.view.chip import chip_words

_MOST_SENSITIVITIES = 8
_MOST_EXISTING = 6


def quantity(name: str, value: float, unit: str) -> str:
    """The value of a quantity in the unit that people use for it.

    Examples:
        >>> quantity("die_area", 8e-4, "m2")
        '800 mm2'
    """
    if name == "attention":
        return attention_name(value)
    if unit == "B":
        return f"{plain(value * 1e-6)} MB"
    if unit == "1/s":
        return f"{plain(value, 4)} tokens/s"
    return in_units(value, unit)


VALUE_UNITS = {name: it.unit for name, it in VARIABLES.items() if it.unit}
"""Units of the variables that have one."""


def words(values: dict[str, float]) -> str:
    """The free values of a design in one line."""
    parts = [
        f"{VARIABLES[name].label} {quantity(name, value, VALUE_UNITS.get(name, ''))}"
        for name, value in values.items()
    ]
    return ", ".join(parts)


def limits_words(constraints: list[ConstraintTable]) -> str:
    """Limits in one line."""
    limits = [
        f"{it.quantity} {'>=' if it.at_least is not None else '<='}"
        f" {quantity(it.quantity, it.limit, QUANTITIES[it.quantity].unit)}"
        for it in constraints
    ]
    return "; ".join(limits)


def asked(problem: Problem, *objectives: Criterion) -> Text:
    """What a study asks, in two lines; with other objectives than its own if some are given."""
    file = problem.file
    if not isinstance(file, StudyFile):
        return Text(file.name)
    *others, last = (
        f"{'most' if it.maximise else 'least'} {it.name}" for it in objectives or [problem.goal]
    )
    goals = f"{', '.join(others)} and {last}" if others else last
    work = file.workload
    return Text.assemble(
        (file.name, "bold"),
        f": {goals} for {work.model}, context {work.context:,.0f},"
        f" {work.weight_bits:g}-bit weights, {work.kv_bits:g}-bit KV\nsubject to "
        + (limits_words(file.constraints) or "what can be built"),
    )


def _objective(answer: Answer) -> str:
    file = answer.problem.file
    name = file.objective.quantity if isinstance(file, StudyFile) else ""
    return f"{name} {quantity(name, answer.best.objective, QUANTITIES[name].unit)}"


def _design(answer: Answer, system: System) -> Table:
    it, fleet = answer.best.fleet.instance, answer.best.fleet
    values = {name: grid for name, grid in answer.best.solution.values.items()}
    design = answer.problem.file.design
    degrees = " ".join(
        f"{VARIABLES[name].label}{values.get(name, getattr(design, name).values[0]):g}"
        for name in ("tp", "cp", "pp", "ep")
    )
    attention = attention_name(values.get("attention", design.attention.values[0]))
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    area = float(fleet.die_area)
    cost = float(system.chip.cost.total())
    price = float(system.facility.chip_price(system.chip.cost))
    table.add_row("chip", chip_words(design, answer.best.solution, area, system))
    table.add_row(
        "a chip",
        f"{with_prefix(float(it.chip_power), 'W')} at work,"
        f" {with_prefix(float(it.chip_tdp), 'W')} at full use,"
        f" costs {dollars(cost)} to make, sells at {price / cost:.3g} times that",
    )
    table.add_row(
        "system",
        f"{float(fleet.chips):g} chips: {float(fleet.replicas):g} instances of"
        f" {float(it.chips):g}; {degrees}; {attention} attention; {float(it.users):g} users each",
    )
    table.add_row(
        "speed",
        f"UTPS {plain(float(it.utps), 4)}, STPS {plain(float(fleet.stps), 5)};"
        f" step {with_prefix(float(it.step_time), 's')} = memory"
        f" {with_prefix(float(it.memory_time), 's')} | compute"
        f" {with_prefix(float(it.compute_time), 's')}, + waiting"
        f" {with_prefix(float(it.exposed_time), 's')}",
    )
    table.add_row(
        "memory",
        f"{gibibytes(float(it.memory_required))} of {gibibytes(float(it.memory_capacity))} an"
        f" instance, {per_cent(float(it.memory_fill))} of the fullest chip",
    )
    table.add_row(
        "power, cost",
        f"{with_prefix(float(fleet.power), 'W')} IT,"
        f" {dollars(float(fleet.capital))} of capital,"
        f" {plain(float(QUANTITIES['usd_per_million_tokens'].of(fleet)))} USD for a million tokens,"
        f" {with_prefix(float(QUANTITIES['energy_per_token'].of(fleet)), 'J')} a token",
    )
    return table


def _limits(binding: list[Binding]) -> Table:
    table = Table.grid(padding=(0, 2))
    for it in binding:
        name = PHYSICAL.get(it.constraint, it.constraint)
        table.add_row(
            name,
            quantity(it.constraint, it.value, it.unit),
            f"limit {quantity(it.constraint, it.limit, it.unit)}",
            "exceeded" if it.slack < 0 else f"slack {quantity(it.constraint, it.slack, it.unit)}",
        )
    return table


def _certificate(answer: Answer) -> str:
    it = answer.best.certificate
    seconds = f"{answer.seconds['search']:.1f} s, {it.evaluated:,} designs evaluated one by one"
    first, *others = answer.best.reasons
    return "; ".join([f"{first} ({seconds})", *others])


def _relaxed(answer: Answer, it: Relaxed) -> str:
    if not it.feasible:
        return it.reason
    file = answer.problem.file
    name = file.objective.quantity if isinstance(file, StudyFile) else ""
    text = quantity(name, it.objective, QUANTITIES[name].unit)
    away = gap(answer)
    distance = "" if away is None else f"; the design is {per_cent(away)} from it"
    return f"{text} with {words(it.solution.values)}{distance} (an estimate, no bound)"


def _alternatives(answer: Answer) -> Table:
    file = answer.problem.file
    name = file.objective.quantity if isinstance(file, StudyFile) else ""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    for it in answer.alternatives:
        value = (
            it.lacking
            if it.objective is None
            else quantity(name, it.objective, QUANTITIES[name].unit)
        )
        table.add_row(it.category, value, "" if it.solution is None else words(it.solution.values))
    return table


def _pessimistic(answer: Answer) -> list[RenderableType]:
    """What the answer is under less overlap; nothing where the study assumes none."""
    file = answer.problem.file
    name = file.objective.quantity if isinstance(file, StudyFile) else ""
    unit = QUANTITIES[name].unit
    table = Table.grid(padding=(0, 2))
    for it in answer.pessimistic:
        over = f" (exceeds {', '.join(it.exceeded)})" if it.exceeded else ""
        best = "none meets the limits"
        if it.objective is not None and it.solution is not None:
            proven = "" if it.complete else " at least"
            best = (
                f"the best{proven} {quantity(name, it.objective, unit)}: {it.solution.category},"
                f" {words(it.solution.values)}"
            )
        table.add_row(it.overlap, f"this design {quantity(name, it.of_design, unit)}{over}; {best}")
    if not answer.pessimistic:
        return []
    body = Group(*([] if answer.kink is None else [Text(answer.kink)]), table)
    return [section("if arithmetic and memory overlap less", body)]


def _existing(answer: Answer, existing: list[Existing]) -> Group:
    file = answer.problem.file
    name = file.objective.quantity if isinstance(file, StudyFile) else ""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    judged = [it for it in existing if not it.missing]
    for it in judged[:_MOST_EXISTING]:
        value = (
            it.lacking
            if it.objective is None
            else quantity(name, it.objective, QUANTITIES[name].unit)
        )
        degrees = words(it.values)
        table.add_row(it.system, value, degrees)
    rest = ", ".join(it.system for it in judged[_MOST_EXISTING:])
    unknown = ", ".join(it.system for it in existing if it.missing)
    lines: list[RenderableType] = [table]
    if rest:
        lines.append(Text(f"behind these: {rest}"))
    if unknown:
        lines.append(Text(f"not judged, for want of published numbers: {unknown}"))
    return Group(*lines)


def _sensitivities(answer: Answer) -> Table:
    table = Table.grid(padding=(0, 2))
    for it in answer.sensitivities[:_MOST_SENSITIVITIES]:
        table.add_row(it.parameter, per_cent(it.elasticity / 100, signed=True))
    return table


def section(title: str, body: RenderableType) -> Group:
    """Something under a title."""
    return Group("", Text(title, style="bold"), Padding(body, (0, 0, 0, 2)))


def _verdict(answer: Answer) -> str:
    """What is known where no design is feasible."""
    if math.isnan(answer.best.objective) or not answer.best.binding:
        return "no design can be judged"
    if not answer.best.certificate.complete:
        return "no design was found that meets every limit"
    return "no design meets every limit"


def answer_view(
    answer: Answer, existing: list[Existing], system: System, folder: str
) -> RenderableType:
    """The screen that `liminal optimize` prints."""
    parts: list[RenderableType] = [asked(answer.problem), ""]
    if answer.best.feasible:
        parts.append(Text.assemble(("best design: ", "bold"), _objective(answer)))
    else:
        parts.append(Text(_verdict(answer), style="bold"))
        parts += [Padding(sentence, (0, 0, 0, 2)) for sentence in answer.best.reasons]
        parts += ["", Text("the design that exceeds the limits least", style="bold")]
    parts.append(_design(answer, system))
    if answer.best.binding:
        title = "what binds" if answer.best.feasible else "what is exceeded"
        parts.append(section(title, _limits(answer.best.binding)))
    if answer.best.feasible:
        parts.append(section("certificate", Text(_certificate(answer))))
    parts += _pessimistic(answer)
    if answer.relaxed is not None:
        title = "with its sizes free, whole numbers held"
        parts.append(section(title, Text(_relaxed(answer, answer.relaxed))))
    if len(answer.alternatives) > 1:
        parts.append(section("best of each kind", _alternatives(answer)))
    if existing:
        title = "the best that existing chips can do under the same limits, at the same multiple"
        parts.append(section(title, _existing(answer, existing)))
    if answer.sensitivities:
        title = "worth of 1 % more, sizes free to follow"
        parts.append(section(title, _sensitivities(answer)))
    seconds = sum(answer.seconds.values())
    stages = ", ".join(f"{name} {value:.1f}" for name, value in answer.seconds.items())
    parts += ["", Text(f"{seconds:.1f} s ({stages}); written to {folder}")]
    if answer.best.feasible:
        parts.append(Text(f"next: liminal predict -c {folder}/design.toml"))
    return Group(*parts)
