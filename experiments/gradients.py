"""What do gradients of the built-in study cost?

Four figures, printed as one JSON object:

* `ratio_100`: time of value and gradient along 100 numbers (the 10 variables and 90 numbers of
  hardware, model and request) over that of the value, in NumPy; 3 is the aim.
* `per_second`: gradients of the augmented Lagrangian a second, objective and all limits included:
  the list of `search/soft_model.py` compiled by JAX in single precision, blocks that stay in the
  cache, one device for each core; 1e7 on two cores is the aim. The list has 2,500 operations, of
  which XLA makes 94 powers and 65 logarithms and exponentials: they take most of the time.
* `first_step`: seconds from the start of a fresh process to the end of the first step of all
  starts, with nothing kept between processes; 4 is the aim.
* `step`: milliseconds of a step of all starts in NumPy, and how many starts there are.

What else the machine does slows them all, so the load and the seconds of the processor stand beside
them. `ratio_100` is of medians of calls in turn, so that load falls on both sides.

    python -m experiments.gradients
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

STUDY = "deepseek-v3-128k"
NUMBERS = 100
ROWS = 256
CALLS = 15
BLOCK = 512
BLOCKS = 256
TEMPERATURE, WEIGHT = 0.1, 30.0

FIRST_STEP = """
import time
begin = time.perf_counter()
from liminal_jax.cli.runtime import prepare_jax
prepare_jax()
from liminal_jax.optimization.search.gradient_search import STARTS, descended, starts_of
from liminal_jax.study.questions import load_study
from liminal_jax.study.read import problem_of
problem = problem_of(load_study({study!r}))
ends = descended(problem, starts_of(problem, STARTS, 0), STARTS._replace(rounds=1, steps=1))
print(time.perf_counter() - begin, time.process_time())
"""


def _timed(function: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def first_step() -> dict[str, float]:
    """Wall and processor seconds until the first step of a fresh process is done."""
    with tempfile.TemporaryDirectory() as empty:
        environment = {**os.environ, "XDG_CACHE_HOME": empty}
        environment.pop("JAX_COMPILATION_CACHE_DIR", None)
        environment.pop("XLA_FLAGS", None)
        script = FIRST_STEP.format(study=STUDY)
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    wall, processor = map(float, done.stdout.split())
    return {"wall": wall, "processor": processor}


def ratio_of_many() -> dict[str, float]:
    """Time of value and gradient along many numbers over that of the value."""
    import jax

    from liminal_jax.bounds.program import constant
    from liminal_jax.optimization.search.soft_model import outcome_at
    from liminal_jax.study.questions import load_study
    from liminal_jax.study.read import problem_of
    from liminal_jax.sweeps.adjoint import with_gradient
    from liminal_jax.sweeps.in_numpy import InNumpy
    from liminal_jax.sweeps.program import program_over, varying

    problem = problem_of(load_study(STUDY))
    ranges = [(it.grid.values[0], it.grid.values[-1]) for it in problem.variables]
    point = constant(np.zeros(len(ranges)))
    for number, ends in enumerate(ranges):
        point[number] = varying(number, *ends).item()

    def entry(leaf: Any) -> np.ndarray:
        value = float(np.ravel(leaf)[0])
        if len(ranges) == NUMBERS or not 0 < value < 1e30:
            return constant(value)
        ranges.append((0.9 * value, 1.1 * value))
        return varying(len(ranges) - 1, *ranges[-1])

    case = jax.tree.map(entry, problem.region.case)
    arguments = (problem.without_numbers(), case, point, constant(TEMPERATURE))
    values = program_over(outcome_at, arguments, ranges)
    both = with_gradient(values, range(NUMBERS), NUMBERS)
    outputs = 1 + len(problem.limits)
    generator = np.random.default_rng(0)
    low, high = np.asarray(ranges).T
    columns = dict(enumerate((low + (high - low) * generator.random((ROWS, NUMBERS))).T.copy()))
    columns |= {NUMBERS + it: generator.random(ROWS) for it in range(outputs)}
    known = frozenset(range(NUMBERS))
    stages = InNumpy(both, [known, known | frozenset(range(NUMBERS, NUMBERS + outputs))])
    times: list[list[float]] = [[], []]
    for _ in range(CALLS):
        for stage in range(2):
            times[stage].append(_timed(lambda stage=stage: stages.given(columns, stage)))
    value, gradient = map(median, times)
    operations = [sum(it.operations.values()) for it in (values, both)]
    return {
        "numbers": NUMBERS,
        "ratio": (value + gradient) / value,
        "operations_ratio": operations[1] / operations[0],
    }


def throughput() -> dict[str, float]:
    """Gradients a second over all devices, compiled in single precision."""
    import jax
    import jax.numpy as jnp
    from jax.sharding import Mesh

    from liminal_jax.optimization.search.soft_model import soft_model
    from liminal_jax.optimization.search.unit_hypercube import unit_hypercube_of
    from liminal_jax.study.questions import load_study
    from liminal_jax.study.read import problem_of
    from liminal_jax.sweeps.kernel import on_all, spread

    with jax.enable_x64(True):
        problem = problem_of(load_study(STUDY))
        model, box = soft_model(problem), unit_hypercube_of(problem)
    outputs, first = 1 + model.limits, model.variables + 1
    everything = frozenset(range(model.known + outputs))
    low, high = (np.where(box.logarithmic, it, 1.0) for it in (box.low, box.high))
    scale, logarithms = low.astype(np.float32), np.log(high / low).astype(np.float32)
    width = (box.high - box.low).astype(np.float32)

    worked = model.program.worked

    def gradients(units: Any) -> Any:
        """Sums of the gradients of blocks of points, each of shape (variables, BLOCK)."""

        def of_block(total: Any, unit: Any) -> tuple[Any, None]:
            point = [
                scale[axis] * jnp.exp(unit[axis] * logarithms[axis])
                if box.logarithmic[axis]
                else np.float32(box.low[axis]) + unit[axis] * width[axis]
                for axis in range(model.variables)
            ]
            rows = {first + number: np.float32(row[0]) for number, row in enumerate(model.rows)}
            inputs: dict[int, Any] = {
                **dict(enumerate(point)),
                **rows,
                model.variables: np.float32(TEMPERATURE),
            }
            values = worked(inputs, frozenset(range(model.known)), {})
            found = [values[it] for it in model.program.outputs[1:outputs] if isinstance(it, int)]
            numbers = [it for it in range(1, outputs) if isinstance(model.program.outputs[it], int)]
            weights: dict[int, Any] = dict.fromkeys(
                range(model.known, model.known + outputs), np.float32(0.0)
            )
            weights[model.known] = np.float32(-1.0)
            for number, violation in zip(numbers, found, strict=True):
                weights[model.known + number] = jnp.maximum(np.float32(WEIGHT) * violation, 0.0)
            all_ = worked({**inputs, **weights}, everything, values)
            slopes = model.program.results(all_)[outputs:]
            return total + sum(jnp.broadcast_to(it, BLOCK) for it in slopes), None

        total, _ = jax.lax.scan(of_block, jnp.zeros(BLOCK, jnp.float32), units)
        return total

    devices = jax.devices()
    mesh = Mesh(np.asarray(devices), ("devices",))
    compiled = on_all(gradients, mesh, 0)
    shape = (len(devices), BLOCKS, model.variables, BLOCK)
    units = spread(np.random.default_rng(0).random(shape, np.float32), mesh)
    compiling = _timed(lambda: jax.block_until_ready(compiled(units)))
    before = time.process_time()
    times = [_timed(lambda: jax.block_until_ready(compiled(units))) for _ in range(CALLS)]
    processor = (time.process_time() - before) / CALLS
    points = len(devices) * BLOCKS * BLOCK
    return {
        "devices": len(devices),
        "compile": compiling,
        "per_second": points / min(times),
        "per_processor_second": points / processor,
    }


def step() -> dict[str, float]:
    """Milliseconds of a step of all starts of the study."""
    from liminal_jax.optimization.search.gradient_search import STARTS, starts_of
    from liminal_jax.optimization.search.soft_model import listed_lagrangian
    from liminal_jax.study.questions import load_study
    from liminal_jax.study.read import problem_of

    problem = problem_of(load_study(STUDY))
    starts = starts_of(problem, STARTS, 0)
    lagrangian = listed_lagrangian(problem, starts.category)
    multipliers = np.zeros((len(starts.unit), len(problem.limits)))
    times = [
        _timed(lambda: lagrangian(starts.unit, multipliers, WEIGHT, TEMPERATURE))
        for _ in range(3 * CALLS)
    ]
    return {"starts": len(starts.unit), "least": 1e3 * min(times), "median": 1e3 * median(times)}


def main() -> None:
    """Print the figures."""
    load = os.getloadavg()[0]
    cores = len(os.sched_getaffinity(0))
    os.environ.setdefault("XLA_FLAGS", f"--xla_force_host_platform_device_count={cores}")
    found: dict[str, Any] = {"first_step": first_step()}
    from liminal_jax.cli.runtime import prepare_jax

    prepare_jax()
    found |= {"ratio_100": ratio_of_many(), "step": step(), "throughput": throughput()}
    print(json.dumps({**found, "load": load, "cores": cores}))


if __name__ == "__main__":
    main()
