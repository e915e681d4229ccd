"""The record of a sweep: the object that is printed as JSON and written to result.json."""

import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from liminal_jax.study.kind import kind_record
from liminal_jax.sweeps.checkpoint import State
from liminal_jax.sweeps.goal import Best, ParetoFront, Rows
from liminal_jax.sweeps.histogram import edges, quantiles
from liminal_jax.sweeps.outputs import OUTPUTS
from liminal_jax.sweeps.plan import Plan

SHARES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
"""Shares of the points at which quantiles are given."""


def sweep_record(plan: Plan, state: State) -> dict[str, Any]:
    """The specification and the results, in SI units and USD.

    They depend on the points alone, not on devices, processes or interruptions.
    """
    record: dict[str, Any] = {
        **kind_record("sweep"),
        "study": plan.file.name,
        "sample": plan.spec.kind,
        "points": plan.size,
        "precision": plan.spec.precision,
        "axes": [_axis(plan, number) for number in range(len(plan.axes))],
        "names": {it.path: list(it.choices) for it in plan.names},
    }
    if plan.spec.keep:
        return {**record, "outputs": list(plan.spec.keep)}
    record["feasible"] = state.feasible
    record["goals"] = [
        {"maximise" if goal.maximise else "minimise": goal.output} for goal in plan.spec.goals
    ]
    best = [it for it in state.reductions if isinstance(it, Best)]
    record["top"] = points_record(plan, best[0].rows)
    for reduction in state.reductions:
        if isinstance(reduction, ParetoFront):
            record["front"] = points_record(plan, reduction.rows)
    if plan.by:
        record["best_by"] = {"axis": plan.by, "rows": points_record(plan, best[1].rows)}
    record["histograms"] = {
        name: _histogram(counts)
        for name, counts in zip(plan.spec.histograms, state.counts, strict=True)
    }
    return record


def _axis(plan: Plan, number: int) -> dict[str, Any]:
    axis = plan.axes[number]
    low, high = axis.ends
    count = None if axis.drawn else len(axis.values)
    return {"path": axis.path, "unit": axis.unit, "low": low, "high": high, "count": count}


def _histogram(counts: np.ndarray) -> dict[str, Any]:
    """Nonempty bins, and quantiles."""
    places = np.flatnonzero(counts)
    ends = edges()
    return {
        "low": ends[places].tolist(),
        "high": ends[places + 1].tolist(),
        "counts": counts[places].tolist(),
        "quantiles": {
            f"{share:g}": _number(value)
            for share, value in zip(SHARES, quantiles(counts, np.asarray(SHARES)), strict=True)
        },
    }


def points_record(plan: Plan, rows: Rows) -> list[dict[str, Any]]:
    """Points with their axes and all outputs, in the order of the rows."""
    cases, numbers = np.divmod(rows.numbers, plan.points.size)
    found: dict[int, dict[str, Any]] = {}
    for case in np.unique(cases):
        places = np.flatnonzero(cases == case)
        values = plan.points.values(numbers[places])
        outputs = _outputs(plan, int(case), values)
        for row, place in enumerate(places):
            paths = (axis.path for axis in plan.axes)
            found[int(place)] = {
                "number": int(rows.numbers[place]),
                **plan.choices[int(case)],
                **dict(zip(paths, values[row].tolist(), strict=True)),
                "outputs": {name: _number(it[row]) for name, it in outputs.items()},
            }
    return [found[place] for place in range(len(rows.numbers))]


def _outputs(plan: Plan, case: int, values: np.ndarray) -> dict[str, np.ndarray]:
    """All outputs of some points of a case, in double precision."""
    names = tuple(OUTPUTS)
    program = plan.cases[case].program(names, frozenset())
    inputs = {axis: jnp.asarray(values[:, axis]) for axis in range(len(plan.axes))}
    results = program.results(program.worked(inputs, frozenset(inputs), {}))
    shape = (len(values),)
    columns = [np.broadcast_to(np.asarray(it, float), shape) for it in results]
    return dict(zip(names, columns, strict=True))


def _number(value: float) -> float | None:
    """A number, or None where it is not finite."""
    return float(value) if math.isfinite(value) else None
