"""One piece of hardware for several workloads."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from liminal_jax.view.report.found import asked, limits
from liminal_jax.view.report.parts import drawing, listing, section, table, text
from liminal_jax.view.report.values import asked_words, design_rows, named, seconds, share

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def answer(record: Mapping[str, Any]) -> str:
    """The answer in one line."""
    if not record["feasible"]:
        return "No hardware serves every workload within the limits."
    value = named(asked(record), "objective.value", record["objective"]["value"])
    kept = share("share_of_own", record["share_of_own"])
    return f"{asked_words([record['objective']])}: {value}, {kept} of what chips of their own give"


def sections(record: Mapping[str, Any]) -> list[str]:
    """What there is to say of it."""
    drawn = (
        drawing(_cross(record), "chips used for other workloads", 460) if record["cross"] else ""
    )
    return [
        section("what to build", table(design_rows(record["design"] or {}))),
        section("each workload on it", _workloads(record)),
        section("where the time of each workload goes", _times(record)),
        section("what binds it", table(_binding(record), ("", "value", "limit"))),
        section("the best chip of each workload used for the others", drawn),
        section("how sure that is", listing(record["reasons"])),
    ]


def _times(record: Mapping[str, Any]) -> str:
    """The parts of a step of each workload; nothing where none is served."""
    parts = ("step_time", "memory_time", "compute_time", "exposed_time")
    rows = [
        (
            text(it["name"]),
            *(
                seconds(f"workloads.{row}.prediction.{part}", it["prediction"][part])
                for part in parts
            ),
            text(it["prediction"]["bottleneck"].replace("_", " ")),
        )
        for row, it in enumerate(record["workloads"])
        if it["prediction"] is not None
    ]
    return table(rows, ("", "one step", "memory", "compute", "waiting", "what limits it"))


def _binding(record: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Limits that hold the shared chip back, with the workload that meets each."""
    told = zip(record["binding"], limits(record["binding"]), strict=True)
    return [
        (f"{name} ({text(it['workload'])})" if it["workload"] else name, value, limit)
        for it, (name, value, limit) in told
    ]


def _workloads(record: Mapping[str, Any]) -> str:
    name, rows = asked(record), []
    for row, it in enumerate(record["workloads"]):
        path = f"workloads.{row}"
        rows.append(
            (
                text(it["name"]),
                named(name, f"{path}.value", it["value"]),
                share(f"{path}.share_of_own", it["share_of_own"]),
            )
        )
    return table(rows, ("", text(name), "of its own chip's"))


def _cross(record: Mapping[str, Any]) -> "Figure":
    from plotly import graph_objects

    names = list(record["cross"])
    shares = [[_per_cent(record["cross"][chip].get(it)) for it in names] for chip in names]
    figure = graph_objects.Figure(
        graph_objects.Heatmap(
            x=names,
            y=names,
            z=shares,
            colorscale="Cividis",
            texttemplate="%{z:.0f}",
            colorbar={"title": "% of its best"},
            hovertemplate="chip of %{y} for %{x}: %{z:.1f} %<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed", automargin=True)
    return figure


def _per_cent(share_: float | None) -> float | None:
    return None if share_ is None else 100 * share_
