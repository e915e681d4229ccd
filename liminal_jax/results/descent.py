"""What gradients found: relaxed, snapped, polished; and how the proof closed on it."""

from collections.abc import Iterator, Mapping
from typing import Any

from liminal_jax.results.page import (
    PALETTE,
    Cell,
    Figure,
    Line,
    Section,
    known,
    section,
    sentences,
    table,
)
from liminal_jax.results.question import asked, asked_word
from liminal_jax.results.ticks import log_ticks
from liminal_jax.results.values import design_line, named, share

STAGES = {
    "relaxed": "the relaxed optimum, on the soft model",
    "snapped": "the design it snaps to, on the exact model",
    "polished": "the best after climbing on the exact model",
}
"""What gradients reach, in the order in which they do."""

_ENDINGS = {
    "converged": "converged",
    "at_bounds": "converged at a bound of a range",
    "iteration_limit": "stopped by the limit on iterations",
    "infeasible": "outside a limit at the end",
    "unbounded": "without bound",
    "unknown": "cannot be evaluated",
}


def by_gradients(record: Mapping[str, Any]) -> Section:
    """What gradients found, and how far it is from the answer.

    Args:
        record: The object of `liminal optimize --json`; older ones tell nothing of gradients.
    """
    found = record.get("gradients")
    title = "what gradients found"
    if not found:
        return section(title)
    heading = ("", asked_word(record), "from the answer", "limits", "with")
    return section(
        title,
        sentences([_told(found)]),
        table(_stages(record, found), heading),
        _figure(record, found),
    )


def _told(found: Mapping[str, Any]) -> str:
    ends = ", ".join(f"{count} {_ENDINGS[name]}" for name, count in found["terminations"].items())
    seconds = sum(found["seconds"].values())
    return f"{found['starts']} starts of {found['steps']} steps in {seconds:.1f} s: {ends}."


def _stages(record: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Line]:
    for name, words in STAGES.items():
        it, path = found[name], f"gradients.{name}.objective"
        if it is None:
            yield words, "none meets the limits", "", "", ""
            continue
        away: Cell = ""
        if found["gap_to_answer"][name] is not None:
            away = share(f"gradients.gap_to_answer.{name}", found["gap_to_answer"][name])
        kept = "met" if it["feasible"] else "exceeded"
        values = it["values"]
        kind = str(next(iter(values.values()), ""))
        with_ = ", ".join(word for word in (kind, design_line(values)) if word)
        yield words, named(asked(record), path, it["objective"]), away, kept, with_


def proof_rows(record: Mapping[str, Any]) -> Iterator[Line]:
    """Wall time of gradients and proof."""
    for part in ("gradients", "proof"):
        for name, value in ((record.get(part) or {}).get("seconds") or {}).items():
            yield f"seconds to {name}", known(f"{value:.1f} s", f"{part}.seconds.{name}", value)


def _figure(record: Mapping[str, Any], found: Mapping[str, Any]) -> Figure:
    """The descent, step by step, and the proof, second by second, on two axes."""
    history, name = found["history"], asked_word(record)
    proof = (record.get("proof") or {}).get("history") or {"seconds": []}
    lines = [
        _line("median start", history["step"], history["median"]["objective"], PALETTE[6], ""),
        _line("best start", history["step"], history["best"]["objective"], PALETTE[0], ""),
        *(
            _line(label, proof["seconds"], proof[key], PALETTE[colour], "2")
            for key, label, colour in (("bound", "bound", 5), ("incumbent", "best known", 2))
            if proof["seconds"]
        ),
    ]
    up = {"type": "log", **log_ticks([value for it in lines for value in it["y"]])}
    layout = {
        "xaxis": {"title": {"text": "step of the descent"}, "domain": [0.0, 0.46]},
        "xaxis2": {"title": {"text": "seconds of the proof"}, "domain": [0.54, 1.0]},
        "yaxis": {"title": {"text": name}, **up},
        "yaxis2": {"anchor": "x2", "matches": "y", **up},
    }
    below = {
        "height": 560,
        "xaxis": {"domain": [0.0, 1.0]},
        "xaxis2": {"domain": [0.0, 1.0], "anchor": "y2"},
        "yaxis": {"domain": [0.6, 1.0]},
        "yaxis2": {"domain": [0.0, 0.4], "title": {"text": name}},
    }
    label = "the descent, and the proof closing on it"
    return Figure(tuple(lines), layout, label, narrow=below)


def _line(label: str, across: list, values: list, colour: str, axis: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": label,
        "x": across,
        "y": values,
        "line": {"color": colour},
        "xaxis": f"x{axis}",
        "yaxis": f"y{axis}",
    }
