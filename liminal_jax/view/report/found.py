"""The best design of a study: what to build, why, how sure, and what would change it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from liminal_jax.study.limits import PHYSICAL
from liminal_jax.study.quantities import QUANTITIES
from liminal_jax.view.answer import quantity
from liminal_jax.view.report.parts import (
    PALETTE,
    drawing,
    listing,
    number,
    paragraph,
    section,
    table,
    text,
)
from liminal_jax.view.report.prediction import sections as prediction_sections
from liminal_jax.view.report.values import amount, asked_words, design_rows, named, share

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_BARS = 15
"""Numbers whose worth is drawn."""


def asked(record: Mapping[str, Any]) -> str:
    """The quantity that decides."""
    return next(value for key, value in record["objective"].items() if key != "value")


def answer(record: Mapping[str, Any]) -> str:
    """The answer in one line."""
    value = named(asked(record), "objective.value", record["objective"]["value"])
    design = record["design"]
    kind = text(design.get("memory") or design.get("system"))
    chips = amount("totals.chips", record["totals"]["chips"])
    found = f"{asked_words([record['objective']])}: {value} with {chips} chips, {kind}"
    return found if record["feasible"] else f"No design meets every limit. The nearest: {found}"


def sections(record: Mapping[str, Any]) -> list[str]:
    """What there is to say of it."""
    return [
        section("what to build", table(design_rows(record["design"]))),
        section("what it does", table(_totals(record))),
        *prediction_sections(record["prediction"], "prediction."),
        section("what binds it", table(limits(record["binding"]), ("", "value", "limit"))),
        _overlap(record),
        _worth(record),
        _sizes(record),
        section(
            "the best of each kind",
            table(_kinds(record["alternatives"], asked(record), "alternatives")),
        ),
        section(
            "the best that existing chips can do under the same limits",
            table(_existing(record)),
        ),
        section("how sure that is", listing(record["reasons"]), table(_proof(record))),
    ]


def _proof(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    it = record["certificate"]
    gap = it["relative_gap"]
    return [
        (
            "designs of the lattice",
            number(f"{it['lattice']:,}", "certificate.lattice", float(it["lattice"])),
        ),
        ("gap that is left", "none is known" if gap is None else _gap(gap)),
        ("boxes bounded", amount("certificate.boxes", float(it["boxes"]))),
        ("seconds", amount("seconds", record["seconds"])),
    ]


def _gap(value: float) -> str:
    return (
        share("certificate.relative_gap", value)
        if value
        else number("0: no design of the lattice is better", "certificate.relative_gap", value)
    )


def _totals(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (text(it.about), named(name, f"totals.{name}", record["totals"][name]))
        for name, it in QUANTITIES.items()
    ]


def limits(binding: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """Limits that hold a design back: what, its value, and how far it may go."""
    rows = []
    for row, it in enumerate(binding):
        name, unit = it["constraint"], it["unit"]
        value, limit = (
            number(
                "" if it[key] is None else quantity(name, it[key], unit),
                f"binding.{row}.{key}",
                it[key],
            )
            for key in ("value", "limit")
        )
        rows.append((text(PHYSICAL.get(name, name)), value, limit))
    return rows


def _overlap(record: Mapping[str, Any]) -> str:
    rows = [
        (
            text(it["overlap"]),
            named(asked(record), f"pessimistic.{row}.of_design", it["of_design"])
            + text(f" (exceeds {', '.join(it['exceeded'])})" if it["exceeded"] else ""),
            "none"
            if it["value"] is None
            else named(asked(record), f"pessimistic.{row}.value", it["value"]),
        )
        for row, it in enumerate(record["pessimistic"])
    ]
    if not rows:
        return ""
    sentence = "" if record["kink"] is None else paragraph(f"{record['kink'].capitalize()}.")
    return section(
        "if arithmetic and memory overlap less",
        sentence,
        table(rows, ("overlap", "this design", "the best design then")),
    )


def _sizes(record: Mapping[str, Any]) -> str:
    it = record["relaxed"]
    if it["value"] is None:
        return ""
    value = named(asked(record), "relaxed.value", it["value"])
    return section(
        "with its sizes free, whole numbers held",
        f"<p>{value}: an estimate of what lies between the steps of the lattice, no bound."
        f" {text(it['reason'].capitalize())}.</p>",
        table(design_rows(it["design"], "relaxed.design")),
    )


def _worth(record: Mapping[str, Any]) -> str:
    rows = record["sensitivities"][:MOST_BARS]
    if not rows:
        return ""
    return section(
        "what would change the answer",
        paragraph(f"Per cent of {asked(record)} for one per cent more, the sizes free to follow."),
        drawing(_bars(rows), "worth of one per cent more of each number", 120 + 26 * len(rows)),
    )


def _bars(rows: Sequence[Mapping[str, Any]]) -> "Figure":
    from plotly import graph_objects

    values = [it["elasticity"] for it in rows]
    figure = graph_objects.Figure(
        graph_objects.Bar(
            y=[it["parameter"] for it in rows],
            x=values,
            orientation="h",
            marker_color=[PALETTE[0] if it > 0 else PALETTE[5] for it in values],
            hovertemplate="%{y}: %{x:+.3f} %<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed", automargin=True)
    figure.update_xaxes(title="per cent for one per cent")
    return figure


def _kinds(
    rows: Sequence[Mapping[str, Any]], quantity_name: str, path: str
) -> list[tuple[str, str, str]]:
    return [
        (
            text(it["name"]),
            "none"
            if it["value"] is None
            else named(quantity_name, f"{path}.{row}.value", it["value"]),
            text(_short(it["design"] or {})),
        )
        for row, it in enumerate(rows)
    ]


def _short(design: Mapping[str, Any]) -> str:
    """The free numbers of a design in one line."""
    return ", ".join(
        f"{name} {value:g}" if isinstance(value, int | float) else f"{name} {value}"
        for name, value in design.items()
        if name not in ("memory", "system")
    )


def _existing(record: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    rows = []
    for row, it in enumerate(record["existing"]):
        if it["missing"]:
            shown = f"not judged: {', '.join(it['missing'])} not published"
            rows.append((text(it["system"]), "", text(shown)))
        elif it["value"] is None:
            rows.append((text(it["system"]), "none", "meets no limits"))
        else:
            value = named(asked(record), f"existing.{row}.value", it["value"])
            rows.append((text(it["system"]), value, text(_short(it["design"]))))
    return rows
