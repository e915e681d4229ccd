"""The soft prediction is near the exact one on whole designs, extremes included."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.listed import in_numpy
from liminal_jax._smooth import AbstractRelaxation, Exact, Soft
from liminal_jax.data.build import load_model, load_system
from liminal_jax.hardware.network import AbstractNetwork, FullMesh, ScaleOut, Switched, Torus
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.performance.filled import filled_design
from liminal_jax.performance.predictor import Assumptions, predict
from liminal_jax.workload.request import Request

B200 = load_system("b200")
DOMAINS = (1, 2, 8, 36, 72, 576)
EP = (1, 2, 4, 8, 16, 32, 64)
DESIGNS = 1200
Columns = dict[str, jax.Array]


def _networks(column: Columns) -> dict[str, AbstractNetwork]:
    rows = {
        "domain": column["domain"],
        "bandwidth": column["near"],
        "efficiency": 0.65,
        "latency": column["latency"],
        "scale_out": ScaleOut(bandwidth=column["far"], latency=column["far_latency"]),
    }
    mesh, switched, torus = FullMesh(**rows), Switched(**rows), Torus(dimensions=3, **rows)
    return {"switched": switched, "mesh": mesh, "torus": torus}


def _random_designs(count: int) -> Columns:
    """Whole designs: many of them fill their domain, or have a domain of one; one user to 1e6."""
    random = np.random.default_rng(1)
    domain = random.choice(DOMAINS, count)
    tp = np.where(random.random(count) < 0.4, domain, random.choice((*DOMAINS, 16, 128), count))
    cp = random.choice((1, 1, 2, 4), count)
    ep = [random.choice([ep for ep in EP if ranks % ep == 0]) for ranks in tp * cp]
    users = np.floor(10 ** random.uniform(0, 6, count))
    users[: count // 10], users[count // 10 : count // 5] = 1, 1e6
    ranges = {
        "near": (9, 17),
        "far": (9, 13),
        "latency": (-8, -5),
        "far_latency": (-7, -4),
        "context": (0, 6),
        "sram_bandwidth": (13, 15),
    }
    columns = {name: 10 ** random.uniform(*ends, count) for name, ends in ranges.items()}
    columns |= {"domain": domain, "tp": tp, "cp": cp, "ep": np.asarray(ep), "users": users}
    columns |= {"pp": random.choice((1, 1, 2, 4, 8), count)}
    columns |= {"context": np.ceil(columns["context"])}
    columns |= {"sram": 10 ** random.uniform(6, 11, count)}
    return {name: jnp.asarray(column, float) for name, column in columns.items()}


def _times(
    model: str, network: str, sram: float, relaxation: AbstractRelaxation, column: Columns
) -> tuple[jax.Array, ...]:
    """Step time, exposed time and time of memory, and the step's elasticity to link bandwidth."""
    spec, request = load_model(model), Request(context=column["context"])
    assumptions = Assumptions(relaxation=relaxation)
    mapping = Mapping(**{name: column[name] for name in ("tp", "cp", "pp", "ep")})

    def step(near: jax.Array) -> tuple[jax.Array, tuple[jax.Array, ...]]:
        system = eqx.tree_at(
            lambda it: (
                it.network,
                it.chip.sram.capacity,
                it.chip.sram.bandwidth,
                it.chip.sram.energy,
            ),
            B200,
            (
                _networks({**column, "near": near})[network],
                sram * column["sram"],
                column["sram_bandwidth"],
                jnp.asarray(1e-11),
            ),
        )
        design = filled_design(system, mapping, column["users"], spec, request, assumptions)
        got = predict(design, spec, request, assumptions)
        return got.step_time, (got.exposed_time, got.memory_time)

    (time, parts), slope = jax.value_and_grad(step, has_aux=True)(column["near"])
    return time, *parts, slope * column["near"] / time


def _compared(
    model: str, network: str, sram: float, columns: Columns, temperatures: tuple[float, ...]
) -> tuple[list[np.ndarray], dict[float, list[np.ndarray]]]:
    """Times of all designs: exact, and soft at each temperature."""

    def soft(column: Columns, t: jax.Array) -> tuple[jax.Array, ...]:
        return _times(model, network, sram, Soft(t), column)

    def exact(column: Columns) -> tuple[jax.Array, ...]:
        return _times(model, network, sram, Exact(), column)

    softly = in_numpy(jax.vmap(soft, in_axes=(0, None)))
    blurred = {t: [np.asarray(it) for it in softly(columns, jnp.asarray(t))] for t in temperatures}
    return [np.asarray(it) for it in in_numpy(jax.vmap(exact))(columns)], blurred


CASES = [("llama-3-8b", "torus"), ("deepseek-v3", "switched"), ("gpt-oss-20b", "mesh")]
TEMPERATURES = (0.005, 0.1, 0.5)


@pytest.mark.slow
@pytest.mark.parametrize(("model", "network"), CASES)
def test_the_soft_step_is_within_a_stated_factor(model: str, network: str) -> None:
    """Within 4^t either way: one 2^t for the collectives, one for what overlaps."""
    exact, blurred = _compared(model, network, 0.0, _random_designs(DESIGNS), TEMPERATURES)
    assert np.all(exact[1] >= 0)
    assert np.all(exact[3] <= 1e-12)
    for t, (step, exposed, _, slope) in blurred.items():
        assert np.all((exposed >= 0) & (step > 0))
        assert np.all(slope <= 1e-12)
        assert np.all(exposed >= 2**-t * (1 - t / 4) * exact[1] * (1 - 1e-9))
        assert np.all(exposed <= 2**t * exact[1] * (1 + 1e-9))
        assert np.all((4**-t * exact[0] <= step) & (step <= 4**t * exact[0]))


@pytest.mark.slow
def test_soft_shares_of_sram_cost_no_more_than_stated() -> None:
    """A share of t/4 of each of three kinds of data may lie in the other tier.

    That is slower by the ratio r of their bandwidths: memory takes at most 4^t (1 + 3 r t/4) of
    the exact time; and, where both tiers work at once, 1/(1 + 3 t) of it at least.
    """
    columns = _random_designs(DESIGNS)
    ratio = np.asarray(columns["sram_bandwidth"] / B200.chip.memory.bandwidth)
    exact, blurred = _compared("gpt-oss-20b", "switched", 1.0, columns, TEMPERATURES)
    for t, (step, exposed, memory, slope) in blurred.items():
        assert np.all((exposed >= 0) & (step > 0))
        assert np.all(slope <= 1e-12)
        assert np.all(memory <= 4**t * (1 + 3 * ratio * t / 4) * exact[2])
        assert np.all(memory >= exact[2] / (1 + 3 * t))


@pytest.mark.slow
@pytest.mark.parametrize("model", ["deepseek-v3", "llama-3-70b"])
@pytest.mark.parametrize("name", ["switched", "mesh", "torus"])
def test_a_group_that_fills_its_domain_is_not_charged_for_what_is_beyond(
    name: str, model: str
) -> None:
    """The step is within 1 + 4 t of the exact one below 0.1, and within 1.5 at 0.1."""
    users, domain = (it.ravel() for it in np.meshgrid((1.0, 64.0, 1e4), (8.0, 36.0, 72.0)))
    network = B200.network
    assert isinstance(network, Switched)
    rest = {
        "near": network.bandwidth,
        "latency": network.latency,
        "far": network.scale_out.bandwidth,
        "far_latency": network.scale_out.latency,
        **dict.fromkeys(("cp", "pp", "ep", "sram", "sram_bandwidth"), 1.0),
        "context": 8192.0,
    }
    columns = {it: jnp.full(len(domain), value, float) for it, value in rest.items()}
    columns |= {it: jnp.asarray(domain) for it in ("tp", "domain")}
    columns |= {"users": jnp.asarray(users)}
    exact, blurred = _compared(model, name, 0.0, columns, (0.005, 0.01, 0.05, 0.1))
    for t, (step, *_) in blurred.items():
        bound = 1 + 4 * t if t < 0.1 else 1.5
        assert np.all((exact[0] / bound <= step) & (step <= exact[0] * bound))
