"""The best design of a study: what to build, why, how sure, and what would change it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from liminal_jax.results.binding import HEADING, binding_rows
from liminal_jax.results.calibrated import reached
from liminal_jax.results.continuum import continuum
from liminal_jax.results.descent import by_gradients, proof_rows
from liminal_jax.results.page import (
    PALETTE,
    Cell,
    Figure,
    Line,
    Number,
    Page,
    Section,
    Sentences,
    known,
    section,
    sentences,
    table,
)
from liminal_jax.results.pareto import drawn_front
from liminal_jax.results.pictures import chip_and_system, reasons, what_lies_where
from liminal_jax.results.prediction import basis, memory, other_numbers, time_of_a_step
from liminal_jax.results.question import about, asked, asked_word, how_sure
from liminal_jax.results.sensitivity import solved_again
from liminal_jax.results.uncertainty import in_samples
from liminal_jax.results.values import (
    LEVER_HEADING,
    amount,
    design_line,
    design_rows,
    found_rows,
    lever_rows,
    named,
    share,
    totals,
)
from liminal_jax.results.words import (
    asked_words,
    constraint_word,
    number_words,
    quantity,
    quantity_word,
    step,
    step_words,
)
from liminal_jax.study.quantities import QUANTITIES

_MOST_BARS = 15
"""Elasticities that are shown."""


def page(record: Mapping[str, Any]) -> Page:
    """The page of the best design.

    Args:
        record: The object of `liminal optimize --json`.
    """
    name, predicted = asked_word(record), record["prediction"]
    sections = (
        section(
            "why no design was found", sentences([] if record["feasible"] else record["reasons"])
        ),
        section(
            "the design", sentences([f"{_chosen(record['design'])}."]), chip_and_system(record)
        ),
        *_why(record),
        _worth(record),
        *([solved_again(record["sensitivity"], "sensitivity.")] if "sensitivity" in record else ()),
        reached(record, record["prediction"]["utps"]),
        _overlap(record),
        how_sure(record, *_proof(record), *proof_rows(record)),
        in_samples(record.get("uncertainty"), "uncertainty."),
        *(drawn_front(record["front"], "front.") if "front" in record else ()),
        by_gradients(record),
        section("the best of each kind", table(_alternatives(record), ("", name, "with"))),
        section(
            "the best that existing chips can do under the same limits",
            table(_existing(record), ("", name, "with")),
        ),
        section("what it does", table(totals(record["totals"], "totals"))),
        section("what to build", table(found_rows(record))),
        section("levers of software", table(lever_rows(record), LEVER_HEADING)),
        what_lies_where(record),
        time_of_a_step(predicted, "prediction."),
        memory(predicted, "prediction."),
        other_numbers(predicted, "prediction."),
        _sizes(record),
        continuum(record),
        basis(predicted),
    )
    return Page(record["name"], about(record), _answer(record), sections)


def _chosen(design: Mapping[str, Any] | None) -> str:
    """A design in one line: what it is made of, then its values."""
    known = design or {}
    kind = known.get("memory") or known.get("system") or ""
    return ", ".join(it for it in (kind, design_line(known)) if it)


def _why(record: Mapping[str, Any]) -> tuple[Section, Section]:
    """Where the time goes, down to the physical floor, and how far the limits are used."""
    drawn = reasons(
        {**record["prediction"], "workload": record.get("workload") or {}},
        record.get("hardware"),
        record.get("constraints") or (),
        record["totals"],
        record["binding"],
    )
    bound = "what binds it" if record["feasible"] else "what is exceeded"
    return drawn, section(bound, table(binding_rows(record), HEADING))


def _answer(record: Mapping[str, Any]) -> Line:
    name, design = asked(record), record["design"]
    found: Line = (
        f"{asked_words([record['objective']])}: ",
        named(name, "objective.value", record["objective"]["value"]),
        " with ",
        amount("totals.chips", record["totals"]["chips"]),
        f" chips, {design.get('memory') or design.get('system')}",
        *_proven(record["certificate"]),
    )
    return found if record["feasible"] else (f"{_verdict(record)}; the nearest: ", *found)


def _proven(certificate: Mapping[str, Any]) -> Line:
    """How much better another design may be, as the end of a sentence; nothing where unknown."""
    gap = certificate["relative_gap"]
    if gap is None or not certificate["lattice"]:
        return ()
    better = share("certificate.relative_gap", gap) if gap else ""
    more: Line = ("more than ", better, " ") if gap else ()
    return "; none of ", _count(certificate, "lattice"), " designs is ", *more, "better"


def _verdict(record: Mapping[str, Any]) -> str:
    """What is known where no design is feasible."""
    if record["objective"]["value"] is None or not record["binding"]:
        return "no design can be judged"
    if not record["certificate"]["complete"]:
        return "no design was found that meets every limit"
    return "no design meets every limit"


def _proof(record: Mapping[str, Any]) -> Iterator[Line]:
    it = record["certificate"]
    yield "designs of the lattice", _count(it, "lattice")
    yield "gap that is left", _gap(it["relative_gap"])
    yield "designs evaluated one by one", _count(it, "evaluated")
    yield "boxes bounded", _count(it, "boxes")


def _count(certificate: Mapping[str, Any], key: str) -> Cell:
    return known(f"{certificate[key]:,}", f"certificate.{key}", certificate[key])


def _gap(value: Number | None) -> Cell:
    if value is None:
        return "none is known"
    if value:
        return share("certificate.relative_gap", value)
    return known("0: no design of the lattice is better", "certificate.relative_gap", value)


def _overlap(record: Mapping[str, Any]) -> Section:
    """What the answer is under less overlap; nothing where the study assumes none."""
    name = asked(record)
    rows = []
    for row, it in enumerate(record["pessimistic"]):
        over = (
            f"breaks the limit on {', '.join(map(constraint_word, it['exceeded']))}"
            if it["exceeded"]
            else "meets every limit"
        )
        best: Cell = "none meets the limits"
        if it["value"] is not None:
            best = named(name, f"pessimistic.{row}.value", it["value"])
        proven = "" if it["complete"] else "; not proven"
        of_design = named(name, f"pessimistic.{row}.of_design", it["of_design"])
        rows.append((it["overlap"], of_design, over, best, _chosen(it["design"]) + proven))
    heading = ("overlap", "this design", "", "the best design then", "")
    return section(
        "if arithmetic and memory overlap less",
        sentences([] if record["kink"] is None else [f"{record['kink'].capitalize()}."]),
        table(rows, heading),
    )


def _worth(record: Mapping[str, Any]) -> Section:
    rows = record["sensitivities"][:_MOST_BARS]
    told = f"Per cent of {asked_word(record)} for one per cent more, the sizes free to follow."
    return section(
        "what would change the answer",
        sentences(_prices(record)),
        # The tornado below shows the same, and more.
        _bars(rows if "sensitivity" not in record else ()),
        sentences([told] if rows else []),
        table(
            (number_words(it["parameter"]), _elasticity(f"sensitivities.{at}", it["elasticity"]))
            for at, it in enumerate(rows)
        ),
    )


def _prices(record: Mapping[str, Any]) -> Iterator[str]:
    """Shadow prices of limits: what a step more of each brings where the sizes are free."""
    name, value = asked(record), record["relaxed"]["value"]
    unit = QUANTITIES[name].unit if name in QUANTITIES else ""
    for it in record["sensitivities"]:
        kind, _, limited = it["parameter"].partition(".")
        if kind == "limit" and value and limited in QUANTITIES:
            price = it["elasticity"] * value / it["value"]
            more = step_words(limited, it["value"], it["unit"])
            gain = quantity(name, abs(price * step(it["value"], it["unit"])), unit)
            does = "raises" if price >= 0 else "lowers"
            limit = number_words(it["parameter"])
            yield f"{more} more of the {limit} {does} {quantity_word(name)} by {gain}."


def _elasticity(path: str, value: Number) -> Cell:
    return known(f"{value:+.3f} %", f"{path}.elasticity", value)


def _bars(rows: Sequence[Mapping[str, Any]]) -> Figure:
    values = [it["elasticity"] for it in rows]
    trace = {
        "type": "bar",
        "y": [number_words(it["parameter"]) for it in rows],
        "x": values,
        "orientation": "h",
        "marker": {"color": [PALETTE[0] if it > 0 else PALETTE[5] for it in values]},
        "hovertemplate": "%{y}: %{x:+.3f} %<extra></extra>",
    }
    layout = {
        "yaxis": {"autorange": "reversed", "automargin": True},
        "xaxis": {"title": {"text": "per cent for one per cent"}},
    }
    label = "worth of one per cent more of each number"
    return Figure((trace,) if rows else (), layout, label, 120 + 26 * len(rows))


def _sizes(record: Mapping[str, Any]) -> Section:
    it, title = record["relaxed"], "with its sizes free, whole numbers held"
    if it["value"] is None or it["design"] is None:
        return section(title, sentences([it["reason"]] if it["reason"] else []))
    value = named(asked(record), "relaxed.value", it["value"])
    away: Line = ()
    if it["relative_gap"] is not None:
        gap = share("relaxed.relative_gap", it["relative_gap"])
        away = ("; the best design is ", gap, " from it")
    told: Line = (
        value,
        ": an estimate of what lies between the steps of the lattice, no bound",
        *away,
        f". {it['reason'].capitalize()}." if it["reason"] else ".",
    )
    return section(
        title,
        Sentences((told,)),
        table(design_rows(it["design"], "relaxed.design")),
    )


def _alternatives(record: Mapping[str, Any]) -> Iterator[Line]:
    if len(record["alternatives"]) < 2:
        return
    for row, it in enumerate(record["alternatives"]):
        yield it["name"], *_reached(record, it, f"alternatives.{row}")


def _existing(record: Mapping[str, Any]) -> Iterator[Line]:
    for row, it in enumerate(record["existing"]):
        if it["missing"]:
            yield it["system"], "not judged", f"{', '.join(it['missing'])} not published"
        else:
            yield it["system"], *_reached(record, it, f"existing.{row}")


def _reached(record: Mapping[str, Any], it: Mapping[str, Any], path: str) -> Line:
    """What a kind of hardware reaches, and with which design, or why it reaches nothing."""
    if it["value"] is None:
        # Records written before 0.2 do not say why.
        return "none", it.get("lacking") or "meets no limits"
    return named(asked(record), f"{path}.value", it["value"]), design_line(it["design"])
