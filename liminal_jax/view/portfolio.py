"""A shared chip on one screen: the chip, each workload on it, and the price of its generality."""

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from liminal_jax._display import dollars, per_cent, plain, with_prefix
from liminal_jax.optimization.portfolio.portfolio_answer import PortfolioAnswer, Served
from liminal_jax.study.quantities import QUANTITIES
from liminal_jax.view.answer import VALUE_UNITS, limits_words, quantity, section
from liminal_jax.view.chip import chip_words, chosen


def _value(answer: PortfolioAnswer, value: float | None) -> str:
    """A value of the objective."""
    name = answer.portfolio.file.objective.quantity
    return "cannot" if value is None else quantity(name, value, QUANTITIES[name].unit)


def _asked(answer: PortfolioAnswer) -> Text:
    file = answer.portfolio.file
    verb = "most" if file.objective.maximise is not None else "least"
    return Text.assemble(
        (file.name, "bold"),
        f": {verb} {file.objective.quantity}, weighted geometric mean over"
        f" {len(file.workloads)} workloads on one chip\nsubject for each to "
        + (limits_words(file.constraints) or "what can be built"),
    )


def _chip(answer: PortfolioAnswer) -> Table:
    it = answer.served[0]
    design, area = answer.portfolio.file.design, float(it.fleet.die_area)
    chips = sorted({float(other.fleet.chips) for other in answer.served})
    power = max(float(other.fleet.instance.chip_power) for other in answer.served)
    capital = max(float(other.fleet.capital) for other in answer.served)
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_row("chip", chip_words(design, it.solution, area, it.system))
    table.add_row(
        "system",
        f"{' or '.join(f'{count:g}' for count in chips)} chips,"
        f" at most {with_prefix(power, 'W')} each, {dollars(capital)} of capital",
    )
    return table


def _instances(answer: PortfolioAnswer, it: Served) -> str:
    """How many instances of what degrees, those of 1 left out."""
    design = answer.portfolio.file.design
    values = {name: chosen(design, it.solution, name) for name in ("tp", "cp", "pp", "ep", "batch")}
    batch = values.pop("batch")
    degrees = [f"{name.upper()}{value:g}" for name, value in values.items() if value > 1]
    return " ".join([f"{float(it.fleet.replicas):g} x", *degrees, f"batch {batch:g}"])


def _binding(answer: PortfolioAnswer, name: str) -> str:
    return ", ".join(it.binding.constraint for it in answer.binding if it.workload == name)


def _workloads(answer: PortfolioAnswer) -> Table:
    quantity_name = answer.portfolio.file.objective.quantity
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    table.add_column("", justify="right")
    table.add_column("workload")
    table.add_column(quantity_name, justify="right", no_wrap=True)
    table.add_column("of own", justify="right", no_wrap=True)
    table.add_column("UTPS", justify="right")
    table.add_column("instances")
    table.add_column("binds")
    for number, it in enumerate(answer.served, start=1):
        table.add_row(
            str(number),
            it.member.name,
            _value(answer, it.value),
            per_cent(it.share),
            plain(float(it.fleet.instance.utps)),
            _instances(answer, it),
            _binding(answer, it.member.name),
        )
    return table


def _alone(answer: PortfolioAnswer) -> Table:
    names = [it.name for it in answer.portfolio.hardware]
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    table.add_column("", justify="right")
    table.add_column("workload", no_wrap=True)
    table.add_column(answer.portfolio.file.objective.quantity, justify="right", no_wrap=True)
    table.add_column("")
    for name in names:
        table.add_column(name.replace("_", " "), justify="right")
    for number, it in enumerate(answer.alone, start=1):
        hardware = [] if it.solution is None else [it.solution.category]
        if it.solution is not None:
            hardware += [_variable(name, it.solution.values[name]) for name in names]
        table.add_row(str(number), it.member.name, _value(answer, it.value), *hardware)
    return table


def _variable(name: str, value: float) -> str:
    return quantity(name, value, VALUE_UNITS.get(name, ""))


def _cross(answer: PortfolioAnswer) -> Table:
    """Rows are chips, columns workloads."""
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    table.add_column("chip of", no_wrap=True)
    for number in range(1, len(answer.alone) + 1):
        table.add_column(str(number), justify="right", no_wrap=True)
    for name, row in answer.cross.items():
        shares = ["cannot" if it is None else f"{it:.0%}" for it in row.values()]
        table.add_row(name, *shares)
    return table


def _headline(answer: PortfolioAnswer) -> list[RenderableType]:
    if answer.share is None:
        title = (
            "no chip serves every workload"
            if answer.certificate.complete
            else "no chip was found that serves every workload"
        )
        sentences = [Padding(sentence, (0, 0, 0, 2)) for sentence in answer.reasons]
        return [Text(title, style="bold"), *sentences]
    found = (
        f"{answer.portfolio.file.objective.quantity} {_value(answer, answer.objective)},"
        f" {per_cent(answer.share)} of what chips of their own would give"
    )
    return [Text.assemble(("best shared chip: ", "bold"), found), _chip(answer)]


def portfolio_view(answer: PortfolioAnswer, folder: str) -> RenderableType:
    """The screen that `liminal optimize` prints for several workloads."""
    parts: list[RenderableType] = [_asked(answer), "", *_headline(answer)]
    if answer.feasible:
        parts.append(section("each workload on it", _workloads(answer)))
        it = answer.certificate
        seconds = f"{answer.seconds['certify']:.1f} s, {it.evaluated:,} chips evaluated one by one"
        parts.append(section("certificate", Text(f"{answer.reasons[0]} ({seconds})")))
    parts.append(section("the best chip for each alone", _alone(answer)))
    if answer.cross:
        title = "these chips used for every workload, as a share of its best"
        parts.append(section(title, _cross(answer)))
    seconds = sum(answer.seconds.values())
    stages = ", ".join(f"{name} {value:.1f}" for name, value in answer.seconds.items())
    parts += ["", Text(f"{seconds:.1f} s ({stages}); written to {folder}")]
    if answer.feasible:
        name = answer.served[0].member.name
        parts.append(Text(f"next: liminal predict -c {folder}/design-{name}.toml"))
    return Group(*parts)
