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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import equinox as eqx
import tomli_w

import liminal_jax as ll
from experiments.claims import judged, listed, verdict
from experiments.hand.datasheets import number
from experiments.hand.designs import DESIGNS
from experiments.hand.prediction import ANSWER, work_out
from experiments.hand.sheet import Sheet
from experiments.hand_check_view import plot, report, summary
from experiments.runner import Experiment, main
from liminal_jax._files import InputError, Problem, did_you_mean
from liminal_jax.study.degrees import degree_contradictions
from liminal_jax.study.file import design_of

TOLERANCE = 1e-4
"""Share by which a quantity may differ."""

Tables = Mapping[str, Any]


@dataclass(frozen=True)
class Config:
    """Which designs are worked out.

    Attributes:
        designs: Their names; all of them where there are none.
        design: The one whose every term is printed, alone.
    """

    designs: tuple[str, ...] = ()
    design: str | None = None


# ------------------------------------------------------------------------------- the package


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
    latency = number(design["latency"])
    network = ll.FittedLatency(latency_at_8=latency, latency_at_128=latency, floor=latency)
    system = eqx.tree_at(lambda it: it.network, ll.load_system(design["system"]), network)
    counted = ll.talk_model(ll.load_model(workload["model"]))
    request = ll.Request(workload["context"], attention_bits=8)
    one = ll.Design(system, ll.Mapping(), ll.Placement(), 1)
    parameters = ll.predict(one, counted, request).parameters_total
    model = ll.with_parameters(counted, workload["parameters"], parameters)
    assumptions = ll.Assumptions(collectives=ll.CountedCollectives(workload["collectives"]))
    whole = ll.Design(system, ll.Mapping(tp=design["tp"]), ll.Placement(), 1)
    return ll.predict(whole, model, request, assumptions)


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


# ----------------------------------------------------------------------------------- compared


def deviation(hand: float, package: float) -> float:
    """Share by which the hand's number differs; none where neither is known.

    Examples:
        >>> deviation(1.5, 2.0), deviation(math.nan, math.nan), deviation(math.nan, 1.0)
        (0.25, 0.0, inf)
    """
    if math.isnan(hand) or math.isnan(package):
        return 0.0 if math.isnan(hand) and math.isnan(package) else math.inf
    return abs(hand - package) / (abs(package) or 1.0)


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _terms(sheet: Sheet) -> list[dict[str, Any]]:
    return [{**it._asdict(), "value": _or_none(it.value)} for it in sheet.terms]


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
                "hand": _or_none(sheet.value(ANSWER, it)),
                "package": _or_none(value),
                "deviation": _or_none(off[it]),
            }
            for it, value in package.items()
        },
        "worst": worst,
        "deviation": _or_none(off[worst]),
        "agrees": off[worst] <= TOLERANCE,
        "terms": _terms(sheet),
    }


def _shown(design: Tables) -> dict[str, Any]:
    """A design with the name of its system in the place of its rows."""
    system = design.get("system")
    return {**design, **({"system": system["name"]} if isinstance(system, Mapping) else {})}


def _names(config: Config) -> tuple[str, ...]:
    """The designs that are asked for.

    Raises:
        InputError: there is none of that name.
    """
    if config.design is None:
        return config.designs or tuple(DESIGNS)
    if config.design not in DESIGNS:
        hint = did_you_mean(config.design, DESIGNS) or f"; there are {', '.join(DESIGNS)}"
        message = f"there is no design {config.design!r}{hint}"
        raise InputError("experiments", [Problem("--design", message)])
    return (config.design,)


def _run(config: Config) -> dict[str, Any]:
    cases = {name: compared(name) for name in _names(config)}
    agreeing = {name: it["agrees"] for name, it in cases.items()}
    outside = [name for name, agrees in agreeing.items() if not agrees]
    known = [it["deviation"] for it in cases.values() if it["deviation"] is not None]
    return {
        "tolerance": TOLERANCE,
        "design": config.design,
        "cases": cases,
        "verdicts": [
            verdict(
                f"every quantity is what is worked out by hand, within {TOLERANCE:g}",
                judged(agreeing),
                {name: it["deviation"] for name, it in cases.items()},
                f"{sum(agreeing.values())} of {len(cases)} designs agree, the others:"
                f" {listed(outside)}; {max(known, default=0.0):.1e} is the largest deviation",
            )
        ],
    }


EXPERIMENT = Experiment(
    name="hand_check",
    question=__doc__,
    full=Config(),
    smoke=Config(designs=("dense-tp", "latent-data-parallel", "talk-latent", "planned-3d-dram")),
    run=_run,
    plot=plot,
    report=report,
    summary=summary,
)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
