"""Does a prediction worked out by hand come to the same, for designs of every class?

The claim: over designs of all classes (dense models, mixtures of experts, latents, windows, states;
every mapping of attention; the talk's and the paper's accounting; chips of SRAM, HBM and stacked
DRAM, finished and planned; switches, meshes, tori) each quantity of a prediction is what the
documented laws make of models' configs and chips' data sheets, to a part in ten thousand.

`experiments.hand` works each design out again, in plain arithmetic and without the package's code.
Both are given the same tables of the design. `--design NAME` prints every term of one of them.
"""

import math
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import tomli_w
from rich.console import RenderableType
from rich.text import Text

import liminal_jax as ll
from experiments import claims
from experiments import drawing as draw
from experiments import talk_setting as talk
from experiments.claims import Claim, Record
from experiments.hand.datasheets import number
from experiments.hand.designs import DESIGNS
from experiments.hand.prediction import ANSWER, work_out
from experiments.roots import or_none
from experiments.runner import Experiment, main
from experiments.tables import Column, Table
from liminal_jax._files import InputError, Problem, did_you_mean
from liminal_jax.study.degrees import degree_contradictions
from liminal_jax.study.file import design_of

TOLERANCE = 1e-4  # share by which a quantity may differ

Tables = Mapping[str, Any]


@contextmanager
def _design_file(tables: Tables) -> Iterator[dict[str, Any]]:
    """The tables of a design file, with a system that is given by its rows in a file of its own."""
    system = tables["design"].get("system")
    if not isinstance(system, Mapping):
        yield dict(tables)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{system['name']}.toml"
        path.write_text(tomli_w.dumps(system), encoding="utf-8")
        yield {**tables, "design": {**tables["design"], "system": str(path)}}


def _of_file(name: str, tables: Tables) -> ll.Prediction:
    """What the package makes of a design file.

    Raises:
        InputError: its degrees contradict each other.
    """
    with _design_file(tables) as written:
        file = design_of(written, name)
        problem = ll.problem_of(file)
    mistakes = degree_contradictions(problem)
    if mistakes:
        raise InputError(name, mistakes)
    return problem.first().fleet(ll.Exact()).instance


def _of_paper(tables: Tables) -> ll.Prediction:
    """What it makes of the paper's accounting: nominal parameters, stated collectives."""
    workload, design = tables["workload"], tables["design"]
    latency = jnp.asarray(number(design["latency"]))
    system = talk.at_latency(ll.load_system(design["system"]), latency)
    model = talk.with_nominal(workload["model"], workload["parameters"])
    laws = ll.Assumptions(collectives=ll.CountedCollectives(workload["collectives"]))
    whole = ll.Design(system, ll.Mapping(tp=design["tp"]), ll.Placement(), 1)
    return ll.predict(whole, model, ll.Request(workload["context"], attention_bits=8), laws)


def _parts(name: str, shares: Any, total: Any) -> dict[str, Any]:
    own = {f"{name}.{part}": getattr(shares, part) for part in type(shares).__dataclass_fields__}
    return {name: total, **own}


def package_numbers(name: str, tables: Tables) -> dict[str, float]:
    """Quantities of a prediction by the names that the sheet has for them."""
    paper = tables["workload"].get("accounting") == "paper"
    # One operation after the other: a program for each design would take longer to compile.
    found = _of_paper(tables) if paper else _of_file(name, tables)
    plain = (
        *("compute_time", "memory_time", "exposed_time", "step_time", "utps", "stps"),
        *("memory_required", "memory_capacity", "memory_fill", "fits"),
        *("energy_per_token", "usd_per_million_tokens"),
    )
    quantities = {
        **{it: getattr(found, it) for it in plain},
        **_parts("power", found.power, found.power.total()),
        **_parts("capital_cost", found.capital, found.capital.total()),
    }
    return {it: float(value) for it, value in quantities.items()}


def deviation(hand: float, package: float) -> float:
    """Share by which the hand's number differs; none where neither is known.

    Examples:
        >>> deviation(1.5, 2.0), deviation(math.nan, math.nan), deviation(math.nan, 1.0)
        (0.25, 0.0, inf)
    """
    if math.isnan(hand) or math.isnan(package):
        return 0.0 if math.isnan(hand) and math.isnan(package) else math.inf
    return abs(hand - package) / (abs(package) or 1.0)


def compared(name: str) -> dict[str, Any]:
    """A design worked out by hand and predicted by the package, quantity by quantity."""
    tables = DESIGNS[name]
    sheet, package = work_out(tables), package_numbers(name, tables)
    off = {it: deviation(sheet.value(ANSWER, it), value) for it, value in package.items()}
    worst = max(off, key=lambda it: off[it])
    return {
        "workload": dict(tables["workload"]),
        "design": _shown(tables["design"]),
        "quantities": {
            it: {
                "hand": or_none(sheet.value(ANSWER, it)),
                "package": or_none(value),
                "deviation": or_none(off[it]),
            }
            for it, value in package.items()
        },
        "worst": worst,
        "deviation": or_none(off[worst]),
        "agrees": off[worst] <= TOLERANCE,
        "terms": [{**it._asdict(), "value": or_none(it.value)} for it in sheet.terms],
    }


def _shown(design: Tables) -> dict[str, Any]:
    """A design with the name of its system in the place of its rows."""
    system = design.get("system")
    return {**design, **({"system": system["name"]} if isinstance(system, Mapping) else {})}


def _names(designs: tuple[str, ...], design: str | None) -> tuple[str, ...]:
    """The designs that are asked for.

    Raises:
        InputError: there is none of that name.
    """
    if design is None:
        return designs
    if design not in DESIGNS:
        hint = did_you_mean(design, DESIGNS) or f"; there are {', '.join(DESIGNS)}"
        message = f"there is no design {design!r}{hint}"
        raise InputError("experiments", [Problem("--design", message)])
    return (design,)


AGREES = Claim(
    f"every quantity is what is worked out by hand, within {TOLERANCE:g}",
    lambda deviation: deviation is not None and deviation <= TOLERANCE,
    "{yes} of {count} designs agree, the others: {others:names}; {largest:.1e} is the largest"
    " deviation",
)


def run(designs: tuple[str, ...] = tuple(DESIGNS), design: str | None = None) -> dict[str, Any]:
    """Some designs, or the one that is asked for, worked out and predicted; and the verdict."""
    cases = {name: compared(name) for name in _names(designs, design)}
    off = {name: it["deviation"] for name, it in cases.items()}
    largest = max((it for it in off.values() if it is not None), default=0.0)
    return {
        "tolerance": TOLERANCE,
        "design": design,
        "cases": cases,
        "verdicts": [AGREES.of(off, largest=largest)],
    }


def summary(results: Record) -> dict[str, Any]:
    """How many designs agree, and the verdict."""
    cases = results["cases"].values()
    agreed = sum(it["agrees"] for it in cases)
    return {"designs": len(cases), "agreed": agreed, **claims.summary(results)}


DEGREES = ("tp", "cp", "pp", "ep")


def _counted(count: int, name: str) -> str:
    return f"{count} {name}{'' if count == 1 else 's'}"


def _hardware(design: Record) -> str:
    """The system, or the dies and stacks of a plan."""
    if "system" in design:
        return design["system"]
    stacks = _counted(design["stacks"], "stack")
    return f"{_counted(design['dies'], 'die')} with {stacks} of {design['memory']}"


def _mapping(design: Record) -> str:
    """Degrees, how attention is shared, and users.

    Examples:
        >>> _mapping({"tp": 8, "ep": 8, "batch": 64})
        'tp8 ep8, 64 users'
        >>> _mapping({"tp": 2, "attention": "copied-heads"})
        'tp2 copied-heads, 1 user'
    """
    degrees = [f"{it}{design[it]}" for it in DEGREES if it in design]
    words = [*degrees, *([design["attention"]] if "attention" in design else [])]
    return f"{' '.join(words) or 'one chip'}, {_counted(design.get('batch', 1), 'user')}"


def _known(form: str) -> Callable[[float | None], str]:
    """Shows a number, or that it is unknown."""
    return lambda value: "unknown" if value is None else form.format(value)


NUMBER, DEVIATION = _known("{:.6g}"), _known("{:.0e}")


def _told(case: Record) -> str:
    design = case["design"]
    return f"{case['workload']['model']} on {_hardware(design)}, {_mapping(design)}"


def _step(case: Record) -> float | None:
    step = case["quantities"]["step_time"]["hand"]
    return None if step is None else step * 1e3


OVERVIEW = Table(
    "design",
    [
        Column("model, hardware and mapping", _told, align="left"),
        Column("step [ms]", _step, _known("{:.4g}")),
        Column("worst", "worst", align="left"),
        Column("off", "deviation", DEVIATION),
    ],
)
"""One row a design, with the quantity that differs most."""

QUANTITIES = Table(
    "quantity",
    [
        Column("by hand", "hand", NUMBER),
        Column("package", "package", NUMBER),
        Column("off", "deviation", DEVIATION),
    ],
)
"""Every quantity of one design beside the package's."""

TERMS = Table(
    "",
    [
        Column("", "value", NUMBER),
        Column("", "unit", align="left"),
        Column("", "how", align="left"),
    ],
)
"""Every term of one section of a design."""


def _sections(terms: Sequence[Record]) -> list[RenderableType]:
    """Every term of one design, section by section."""
    parts: list[RenderableType] = []
    for section, its in groupby(terms, key=lambda it: it["section"]):
        rows = [(it["name"], it) for it in its]
        parts += [Text(section, style="bold"), TERMS.of(rows)]
    return parts


def report(results: Record) -> list[RenderableType]:
    """A row for each design; of a single one that is asked for, every term."""
    cases, asked = results["cases"], results["design"]
    if asked is None:
        return [OVERVIEW.of(cases)]
    return [*_sections(cases[asked]["terms"]), QUANTITIES.of(cases[asked]["quantities"])]


TIMES: dict[str, Record] = {
    "arithmetic": {"color": "C0"},
    "memory": {"color": "C1"},
    "exposed": {"color": "C2"},
    "step": {"color": "black", "marker": "|", "mec": "black", "mew": 1.5},
}
"""How each time is drawn."""


def plot(results: Record) -> draw.Figure:
    """Left the times of each design, right how far its worst quantity is off."""
    cases, least = results["cases"], 1e-17  # where a deviation of none is drawn
    size = (9.5, 1.4 + 0.21 * len(cases))
    figure, ((left, right),) = draw.sheet(1, 2, size, sharey=True, width_ratios=(3, 2))
    for place, case in enumerate(cases.values()):
        for name, style in TIMES.items():
            quantity = "compute_time" if name == "arithmetic" else f"{name}_time"
            time = case["quantities"][quantity]["hand"]
            if time:
                draw.dot(left, (time * 1e3, place), {"marker": "o", **style})
        off = max(case["deviation"] or 0.0, least)
        draw.dot(right, (off, place), {"marker": "o", "color": "C3"}, 4)
    left.set(xscale="log", xlabel="Time of a step, by hand [ms]")
    draw.name_rows(left, list(cases))
    marks = {"waiting" if it == "exposed" else it: {"linestyle": "", "marker": "o", **style}
             for it, style in TIMES.items()}  # fmt: skip
    draw.legend(left, marks, loc="lower right", fontsize=7)
    draw.mark_x(right, results["tolerance"], f"{results['tolerance']:g}")
    right.set(xscale="log", xlabel="Largest deviation of any quantity [-]", xlim=(least / 2, 1))
    figure.suptitle("Worked out by hand, and predicted; dashed: as much as may differ")
    return figure


SMOKE = {"designs": ("dense-tp", "latent-data-parallel", "talk-latent", "planned-3d-dram")}
EXPERIMENT = Experiment("hand_check", __doc__, run, SMOKE, plot, report, summary)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
