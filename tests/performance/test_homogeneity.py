"""Units hang together: in other units of measure every output changes as its own unit says.

Each number of hardware, request and design is multiplied as the unit at its field says, with
metres, seconds, bytes, FLOP, joules and dollars scaled one at a time. A law that adds a time to an
energy, or that hides a number with a unit, does not pass. Bits and tokens are counted.
"""

import contextlib
import dataclasses
import tempfile
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.listed import in_numpy
from liminal_jax._quantity import quantities_of, quantity_at
from liminal_jax._smooth import Exact
from liminal_jax._units import parse_unit
from liminal_jax.calibration.fitted import TERMS, Fitted
from liminal_jax.data.build import load_model, load_system
from liminal_jax.hardware.kernels import LIBRARY, Kernels
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.placement import Placement
from liminal_jax.performance import passed, predictor, step_terms
from liminal_jax.performance import spending as spending_module
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.operators import Operator
from liminal_jax.performance.prediction import CapitalShares, PowerShares, Prediction
from liminal_jax.performance.served import Served
from liminal_jax.performance.serving import SERVING_WAYS, serve
from liminal_jax.study.quantities import QUANTITIES, REQUESTS
from liminal_jax.study.questions import load_study
from liminal_jax.study.read import problem_of
from liminal_jax.workload import request as requests
from liminal_jax.workload.lengths import Lengths
from liminal_jax.workload.request import Request
from tests.optimization.brute import study
from tests.study.cases import seen

BASES = ("metre", "second", "byte", "flop", "joule", "usd")
SCALE = 8.0
SCALES = 1 + (SCALE - 1) * np.eye(1 + len(BASES), len(BASES), -1)
"""Rows of scales of the bases: none, then each."""

CONSTANTS = [
    (requests, "BITS_PER_BYTE", "1/B"),
    (spending_module, "YEAR", "s"),  # years of use and discount rate a year are counted
]
"""Every constant of the laws that has a unit, but for what counts FLOP and times of kernels."""

COUNTS = ("layer_operators", "table_operators")
"""Where the FLOP come from, that many laws count: one a multiplication or addition."""

EVERYTHING = {
    "execution": {"base": "planned-chip", "overlap_between_operators": 0.5, "compute_share": 0.8},
    "facility": {"building_cost": "10 USD/W"},
}
PLAN = {
    "memory": "hbm4",
    "stacks": 4,
    "dies": 2,
    "compute_area": "400 mm2",
    "sram": "128 MB",
    "link_bandwidth": "900 GB/s",
    "tier_units": 4,
    "pp": 2,
    "batch": {"choices": [32, 64]},
}
FINISHED = {"clock": 0.8, "chips": 20, "tp": 4, "cp": 2, "pp": 2, "ep": 4, "batch": 32}
PLANS = {
    "tiers of switches": (
        "deepseek-v3.2",
        {"domain": 576, "chips": 300, "tp": 128, "ep": 128, "clock": 0.9},
    ),
    "beyond the domain": (
        "qwen3-235b-a22b",
        {"domain": 8, "chips": 34, "tp": 16, "ep": 4},
    ),
    "a capacity tier in use": (
        "qwen3-235b-a22b",
        {"stacks": 2, "tier_units": 8, "chips": 4, "tp": 2},
    ),
    "memory on the logic, and states": (
        "qwen3.5-397b-a17b",
        {"memory": "3d-dram", "tier": None, "tier_units": None, "tp": 16, "ep": 16, "chips": 64},
    ),
}
SYSTEMS = ("b200", "mi355x", "trainium-2", "groq-lp30", "xpu-hbm4")
"""Switches, a full mesh, a torus, a table of reaches, and the paper's latencies and power."""


def power_of(unit, base):
    """The exponent of a base in a unit."""
    powers = dict(parse_unit(unit).dimension)
    assert set(powers) <= set(BASES), unit
    return powers.get(base, 0)


def factor(unit, scales):
    """How a number of a unit grows where the bases do."""
    factors = [scale ** power_of(unit, base) for base, scale in zip(BASES, scales, strict=True)]
    return jnp.prod(jnp.stack(factors))


def scaled(tree, scales):
    """A pytree in other units."""

    def of_leaf(keys, leaf):
        stated = quantity_at(tree, jax.tree_util.keystr(keys, simple=True, separator="."))
        assert stated is not None, keys
        return leaf * factor(stated.dimension, scales)

    return jax.tree_util.tree_map_with_path(of_leaf, tree)


@contextlib.contextmanager
def other_units(scales):
    """The laws with their constants, and their FLOP, in other units."""
    work = [name for name, it in quantities_of(Operator).items() if it.unit == "FLOP"]
    flop = factor("FLOP", scales)

    def counted(count):
        def operators(*args):
            return [
                dataclasses.replace(it, **{name: getattr(it, name) * flop for name in work})
                for it in count(*args)
            ]

        return operators

    with pytest.MonkeyPatch.context() as patch:
        for module, name, unit in CONSTANTS:
            patch.setattr(module, name, getattr(module, name) * factor(unit, scales))
        for module in (passed, step_terms):
            for name in COUNTS:
                patch.setattr(module, name, counted(getattr(module, name)))
        yield


def assert_homogeneous(outputs, units):
    """Outputs as a function of the scales change as their units say."""
    return assert_scaled(in_numpy(jax.vmap(outputs))(jnp.asarray(SCALES)), units)


def assert_scaled(got, units):
    """Values in each row of the scales are those of the first, as their units say."""
    assert set(got) == set(units)
    for row, base in enumerate(BASES, start=1):
        for name, values in got.items():
            expected = float(values[0]) * SCALE ** power_of(units[name], base)
            assert float(values[row]) == pytest.approx(expected, rel=1e-9, nan_ok=True), (
                f"{name} [{units[name]}] does not scale with the {base}"
            )
    return {name: float(values[0]) for name, values in got.items()}


def problem_with(base, model, design):
    with tempfile.TemporaryDirectory() as folder:
        tables = {"workload": {"model": model}, "design": design, "assumptions": EVERYTHING}
        return problem_of(load_study(str(study(Path(folder), base, **tables))))


def assert_homogeneous_study(problem):
    """Everything that a study sees of its first point."""
    shares = {"power": PowerShares, "capital": CapitalShares}
    units = {name: it.unit for name, it in quantities_of(Prediction).items()}
    units |= {
        f"{whole}.{name}": it.unit
        for whole, kind in shares.items()
        for name, it in quantities_of(kind).items()
    }
    units |= {f"all.{name}": it.unit for name, it in QUANTITIES.items()}
    ratios: dict[str, str] = {}
    first = problem.first()

    def outputs(scales):
        there = dataclasses.replace(
            first,
            system=scaled(first.system, scales),
            request=scaled(first.request, scales),
        )
        with other_units(scales):
            fleet, used = seen(there, Exact())
        ratios.update({f"limit.{name}": "" for name in used})
        found = {name: getattr(fleet.instance, name) for name in quantities_of(Prediction)}
        for whole, kind in shares.items():
            of_whole = getattr(fleet.instance, whole)
            found |= {f"{whole}.{it}": getattr(of_whole, it) for it in quantities_of(kind)}
        found |= {f"all.{name}": it.of(fleet) for name, it in QUANTITIES.items()}
        return found | {f"limit.{name}": jnp.asarray(it, float) for name, it in used.items()}

    jax.eval_shape(outputs, jnp.asarray(SCALES[0]))
    return assert_homogeneous(outputs, units | ratios)


@pytest.mark.slow
@pytest.mark.parametrize("case", PLANS)
def test_of_a_planned_chip(case):
    model, design = PLANS[case]
    got = assert_homogeneous_study(problem_with("tiered", model, {**PLAN, **design}))
    # The study says nothing of quality or of requests.
    unknown = {f"all.{name}" for name in ("quality_loss", *REQUESTS)}
    assert {name for name, it in got.items() if not np.isfinite(it)} == unknown
    assert (got["capacity_tier_fill"] > 0) == (case == "a capacity tier in use")
    assert got["exposed_time"] > 0
    assert got["capital.building"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", SYSTEMS)
def test_of_finished_systems(name):
    design = {**FINISHED, "system": name}
    got = assert_homogeneous_study(problem_with("finished", "qwen3-30b-a3b", design))
    assert np.isfinite(got["step_time"])


@pytest.mark.slow
def test_of_serving_requests():
    system, model = load_system("h200"), load_model("llama-3-8b")

    def outputs(scales):
        design = Design(scaled(system, scales), Mapping(tp=2), Placement(), batch=16)
        request = scaled(Request(context=4096), scales)
        with other_units(scales):
            served = serve(design, model, request, Lengths(isl=4096, osl=256, chunk=1024))
        return {
            f"{way}.{name}": getattr(getattr(served, way), name)
            for way in SERVING_WAYS
            for name in quantities_of(Served)
        }

    stated = quantities_of(Served).items()
    units = {f"{way}.{name}": it.unit for way in SERVING_WAYS for name, it in stated}
    got = assert_homogeneous(outputs, units)
    assert np.isfinite(list(got.values())).all()


def test_of_kernels():
    network = load_system("b200").network

    def outputs(scales):
        kernels = Kernels(*(float(it * factor("s", scales)) for it in LIBRARY))
        there = dataclasses.replace(scaled(network, scales), kernels=kernels)
        message = 1e6 * factor("B", scales)
        times = (there.all_reduce_time, there.all_to_all_time, there.send_time)
        return {it.__name__: it(message, 16.0, Exact()) for it in times}

    units = dict.fromkeys(("all_reduce_time", "all_to_all_time", "send_time"), "s")
    # Kernels are constants of a program, which cannot be traced.
    rows = [outputs(row) for row in SCALES]
    got = assert_scaled({name: [row[name] for row in rows] for name in units}, units)
    assert min(got.values()) > min(LIBRARY)


@pytest.mark.slow
def test_of_a_calibrated_step(monkeypatch):
    system, model = load_system("h200"), load_model("qwen3-30b-a3b")
    losses = {name: 0.5 for name in TERMS} | {"layer_time": 1e-6, "mixture_time": 1e-6}
    fitted = Fitted(**losses | {"user_time": 1e-6, "step_time_fixed": 1e-3})

    def step_time(scales):
        # Kernels are constants of a program, which cannot be traced.
        kernels = Kernels(*(float(it * factor("s", scales)) for it in LIBRARY))
        monkeypatch.setattr(step_terms, "LIBRARY", kernels)
        design = Design(scaled(system, scales), Mapping(tp=4), Placement(), batch=16)
        request = scaled(Request(context=4096), scales)
        laws = Assumptions(calibration=scaled(fitted, scales))
        with other_units(scales):
            # Under a name of its own, since a trace is kept for as long as its function.
            predicted = in_numpy(lambda *given: predictor.predict(*given).step_time)
            return predicted(design, model, request, laws)

    rows = [step_time(row) for row in SCALES]
    got = assert_scaled({"step_time": rows}, {"step_time": "s"})
    assert got["step_time"] > 1e-3
