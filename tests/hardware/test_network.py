"""Networks: nothing among one chip, hand counts, growth, and no jump at the domain's edge."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.listed import in_numpy
from liminal_jax._smooth import Exact, Soft
from liminal_jax.hardware.fabric import Reaches
from liminal_jax.hardware.network import (
    AbstractNetwork,
    FittedLatency,
    FullMesh,
    ScaleOut,
    Switched,
    Torus,
)

OUT = ScaleOut(bandwidth=4.0, latency=1.0)
ROWS = {"domain": 8, "bandwidth": 32, "efficiency": 0.5, "latency": 0.25, "scale_out": OUT}
NETWORKS: dict[str, AbstractNetwork] = {
    "switched": Switched(**ROWS),
    "reaches": Switched(**ROWS, fabric=Reaches(chips=(2, 8, 32), steps=(0.125, 0.25))),
    "full mesh": FullMesh(**ROWS),
    "torus": Torus(dimensions=2, **{**ROWS, "domain": 64}),
    "talk": FittedLatency(latency_at_8=0.44, latency_at_128=1.0, floor=0.16),
}
OPERATIONS = ("all_reduce_time", "all_to_all_time")
EXACT = Exact()
each_network = pytest.mark.parametrize("name", sorted(NETWORKS))
TIMES = {
    (name, operation): in_numpy(
        lambda message, chips, network=network, operation=operation: getattr(network, operation)(
            message, chips, EXACT
        )
    )
    for name, network in NETWORKS.items()
    for operation in OPERATIONS
}


@each_network
@pytest.mark.parametrize("operation", OPERATIONS)
def test_one_chip_exchanges_nothing(name: str, operation: str) -> None:
    assert float(TIMES[name, operation](1e6, 1.0)) == 0


@each_network
@pytest.mark.parametrize("operation", OPERATIONS)
def test_two_chips_wait(name: str, operation: str) -> None:
    assert float(TIMES[name, operation](0.0, 2.0)) > 0


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(TIMES)),
    st.floats(0, 1e9),
    st.floats(0, 1e9),
    st.integers(1, 256),
)
def test_longer_messages_take_no_less(
    which: tuple[str, str], message: float, more: float, chips: int
) -> None:
    time = TIMES[which]
    assert time(message + more, float(chips)) >= time(message, float(chips)) * (1 - 1e-12)


def test_all_reduce_by_hand() -> None:
    network = NETWORKS["switched"]
    # four at 16 B/s: 32 B in two shots, 0.5 + 2 x 3/4 x 2; 1 B in one, 0.25 + 3/16
    assert float(network.all_reduce_time(32.0, 4.0, EXACT)) == pytest.approx(3.5)
    assert float(network.all_reduce_time(1.0, 4.0, EXACT)) == pytest.approx(0.4375)
    # four domains of eight: 0.5 + 2 x 7/8 x 2 within; 4 B each across: 2 + 2 x 3/4 x 1
    assert float(network.all_reduce_time(32.0, 32.0, EXACT)) == pytest.approx(4.0 + 3.5)


def test_all_to_all_by_hand() -> None:
    network = NETWORKS["switched"]
    assert float(network.all_to_all_time(32.0, 4.0, EXACT)) == 0.25 + 0.75 * 2
    # 32 chips: 1 B for each; 7 B by switch, 24 B across
    assert float(network.all_to_all_time(32.0, 32.0, EXACT)) == 0.25 + 7 / 16 + 1 + 24 / 4


def test_a_mesh_uses_the_links_of_the_group() -> None:
    network = NETWORKS["full mesh"]
    # 3 of 7 links of 32/7 each, half of it reached
    assert float(network.all_to_all_time(32.0, 4.0, EXACT)) == pytest.approx(
        0.25 + 0.75 * 32 / (16 * 3 / 7)
    )
    whole = float(network.all_to_all_time(32.0, 8.0, EXACT))
    assert whole == float(NETWORKS["switched"].all_to_all_time(32.0, 8.0, EXACT))


def test_a_torus_pays_by_the_hop() -> None:
    network = NETWORKS["torus"]
    # 4 x 4 chips: 4 hops across, 2 links on average
    assert float(network.all_to_all_time(32.0, 16.0, EXACT)) == pytest.approx(
        4 * 0.25 + 15 / 16 * 64 / 16
    )
    # two latencies of 4 hops and 2 x 15/16 x 2 s of bytes
    assert float(network.all_reduce_time(32.0, 16.0, EXACT)) == pytest.approx(2 + 3.75)


def test_the_talk_counts_latencies_only() -> None:
    network = NETWORKS["talk"]
    for operation in (*OPERATIONS, "send_time"):
        law = getattr(network, operation)
        assert float(law(1e9, 128.0, EXACT)) == pytest.approx(1.0)
        assert float(law(0.0, 2.0, EXACT)) == pytest.approx(0.16)
    assert float(network.equipment(128.0, EXACT).links) == 0


def test_sends_cross_domains_where_the_instance_does() -> None:
    network = NETWORKS["switched"]
    assert float(network.send_time(16.0, 8.0, EXACT)) == 0.25 + 1
    assert float(network.send_time(16.0, 9.0, EXACT)) == 1 + 4


@pytest.mark.parametrize(("name", "links"), [("switched", 1), ("full mesh", 7), ("torus", 4)])
def test_a_neighbour_is_reached_over_one_link(name: str, links: int) -> None:
    # half of 32 B/s is reached, divided over the links of a chip
    assert float(NETWORKS[name].send_time(16.0, 2.0, EXACT)) == pytest.approx(0.25 + links)


def test_switches_are_powered_where_there_are_any() -> None:
    assert float(NETWORKS["switched"].equipment(8.0, EXACT).switches) == 32
    for name in ("full mesh", "torus", "talk"):
        assert float(NETWORKS[name].equipment(8.0, EXACT).switches) == 0


@pytest.mark.parametrize("name", ["switched", "full mesh", "torus"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_more_domains_take_longer_than_one(name: str, operation: str) -> None:
    domain = 64.0 if name == "torus" else 8.0
    within, beyond = (float(TIMES[name, operation](64.0, chips)) for chips in (domain, domain + 1))
    assert beyond >= within + 1.0


@pytest.mark.parametrize("name", ["switched", "full mesh", "torus"])
@pytest.mark.parametrize("operation", [*OPERATIONS, "send_time"])
def test_the_soft_reading_has_no_jump_at_the_domain(name: str, operation: str) -> None:
    domain = 64.0 if name == "torus" else 8.0
    soft = Soft(0.05)
    law = in_numpy(jax.vmap(lambda chips: getattr(NETWORKS[name], operation)(64.0, chips, soft)))
    steps = np.asarray(law(jnp.linspace(domain - 0.5, domain + 1.5, 20_001)))
    assert np.max(np.abs(np.diff(steps))) < 0.01 * np.abs(steps[-1] - steps[0])
    # It leads to where the exact reading jumps: a single link of the mesh is slower than the
    # scale-out network here.
    exact = getattr(NETWORKS[name], operation)
    jump = float(exact(64.0, domain + 1, EXACT) - exact(64.0, domain, EXACT))
    assert (steps[-1] - steps[0]) * jump > 0


@pytest.mark.parametrize("name", ["switched", "full mesh", "torus"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_within_the_domain_the_scale_out_is_idle(name: str, operation: str) -> None:
    law = getattr(NETWORKS[name], operation)
    for chips in (2.0, 5.0, 8.0):
        gradient = jax.grad(lambda message, chips=chips: law(message, chips, EXACT))(64.0)
        reached = 16.0 * (chips - 1) / 7 if name == "full mesh" else 16.0
        assert 0 < float(gradient) <= 2.0 * (chips - 1) / reached


KINDS = {"switched": Switched, "full mesh": FullMesh, "torus": Torus}
DOMAINS = (1, 2, 3, 8, 36, 72, 576)


def _random_networks(count: int) -> tuple[jax.Array, ...]:
    """Messages, chips, domain, bandwidths, latencies: half of the groups fill their domain."""
    random = np.random.default_rng(0)
    domain = random.choice(DOMAINS, count)
    chips = np.where(random.random(count) < 0.5, domain, random.choice((*DOMAINS, 9, 1152), count))
    logarithms = ((-1, 10), (9, 17), (9, 13), (-8, -5), (-7, -4))
    sizes = [10 ** random.uniform(*ends, count) for ends in logarithms]
    return tuple(jnp.asarray(it, float) for it in (chips, domain, *sizes))


@pytest.mark.slow
@pytest.mark.parametrize("t", [0.005, 0.05, 0.1, 0.5])
@pytest.mark.parametrize("name", sorted(KINDS))
@pytest.mark.parametrize("operation", [*OPERATIONS, "send_time"])
def test_the_soft_time_of_whole_groups_is_within_stated_factors(
    operation: str, name: str, t: float
) -> None:
    """Within 2^-t (1 - t/4) and 2^t of the exact one; never negative; slopes of the right sign."""
    more = {"dimensions": 3} if name == "torus" else {}

    def time(relaxation: Exact | Soft, sizes: tuple[jax.Array, ...]) -> jax.Array:
        chips, domain, message, near, far, latency, far_latency = sizes
        network = KINDS[name](
            domain=domain,
            bandwidth=near,
            efficiency=0.65,
            latency=latency,
            scale_out=ScaleOut(bandwidth=far, latency=far_latency),
            **more,
        )
        return getattr(network, operation)(message, chips, relaxation)

    sizes = _random_networks(10_000)
    exact = np.asarray(in_numpy(jax.vmap(lambda *it: time(EXACT, it)))(*sizes))
    both = jax.vmap(lambda *it: jax.value_and_grad(lambda at: time(Soft(t), at))(it))
    soft, slopes = in_numpy(both)(*sizes)
    soft = np.asarray(soft)
    assert np.all(exact >= 0)
    assert np.all(soft >= 2**-t * (1 - t / 4) * exact * (1 - 1e-9))
    assert np.all(soft <= 2**t * exact * (1 + 1e-9))
    assert all(bool(jnp.all(jnp.isfinite(slope))) for slope in slopes)
    signs = dict(zip((2, 3, 4, 5, 6), (1, -1, -1, 1, 1), strict=True))
    for number, sign in signs.items():
        # An elasticity below rounding has no sign.
        elasticity = np.asarray(slopes[number] * sizes[number]) / np.where(soft > 0, soft, 1.0)
        assert np.all(sign * elasticity >= -1e-12)


@pytest.mark.parametrize("domain", [8.0, 36.0, 72.0])
@pytest.mark.parametrize("t", [0.001, 0.01, 0.1, 0.5])
def test_a_group_that_fills_its_domain_does_not_leave_it(domain: float, t: float) -> None:
    """However slow what is beyond it."""
    far = {"scale_out": ScaleOut(bandwidth=1e-9, latency=1e9)}
    network = Switched(**{**ROWS, "domain": domain, **far})
    for operation in (*OPERATIONS, "send_time"):
        soft, exact = (
            float(getattr(network, operation)(64.0, domain, it)) for it in (Soft(t), EXACT)
        )
        assert 2**-t * (1 - t / 4) * exact <= soft <= exact


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_domain_of_one_has_finite_slopes(name: str) -> None:
    more = {"dimensions": 3} if name == "torus" else {}
    for chips, relaxation in ((1.0, EXACT), (4.0, EXACT), (1.0, Soft(0.1)), (4.0, Soft(0.1))):
        for operation in (*OPERATIONS, "send_time"):

            def time(near: float, chips: float = chips, operation: str = operation) -> jax.Array:
                network = KINDS[name](**{**ROWS, "domain": 1, "bandwidth": near}, **more)
                return getattr(network, operation)(64.0, chips, relaxation)  # noqa: B023

            value, slope = jax.value_and_grad(time)(32.0)
            assert float(value) >= 0
            assert -np.inf < float(slope) <= 0
