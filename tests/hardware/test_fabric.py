"""A domain has a size: tiers of switches, optics beyond copper, and scale-out beyond the domain."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from liminal_jax._arrays import Scalar
from liminal_jax._files import InputError
from liminal_jax._smooth import Exact, Soft
from liminal_jax.data.build import facility_of, network_of
from liminal_jax.data.files import data_tables
from liminal_jax.data.network import NetworkFile
from liminal_jax.data.parts import load_facility_file
from liminal_jax.hardware.fabric import AbstractFabric, AsPriced, Equipment, Tiered
from liminal_jax.hardware.network import AbstractPhysical, FullMesh, ScaleOut, Switched, Torus
from liminal_jax.hardware.power import Activity
from liminal_jax.mapping.degrees import Mapping
from liminal_jax.mapping.placement import Placement
from liminal_jax.performance.capital import capital_shares
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.power import power_shares
from liminal_jax.study.assumptions import changed
from tests.performance.toys import toy_system

EXACT = Exact()
TIERED = Tiered(radix=72, copper_reach=72, tier_latency=0.5)
IDLE = Activity(time=1.0, memory_energy=0.0, arithmetic=0.0, messages=0.0)
OUT = ScaleOut(bandwidth=4.0, latency=1.0)


def switched(domain: Scalar, fabric: AbstractFabric = TIERED) -> Switched:
    rows = {"bandwidth": 32, "efficiency": 0.5, "latency": 0.25, "scale_out": OUT}
    return Switched(domain=domain, fabric=fabric, **rows)


def bought(network: AbstractPhysical, chips: float = 1.0) -> list[float]:
    got = network.equipment(chips, EXACT)
    return [float(it) for it in (got.links, got.switches, got.optics, got.scale_out)]


@pytest.mark.parametrize(
    ("domain", "ports", "optical"),
    [(1, 1, 0), (8, 1, 0), (72, 1, 0), (73, 3, 1), (576, 3, 1), (2592, 3, 1), (2593, 5, 2)],
)
def test_tiers_and_optics_follow_from_the_domain(domain: int, ports: int, optical: int) -> None:
    # 32 B/s a port; both ends of each link between tiers are optical
    assert bought(switched(domain)) == [32 * ports, 32 * ports, 32 * 2 * optical, 0]


def test_links_to_the_first_switches_are_optical_where_copper_is_short() -> None:
    short = Tiered(radix=72, copper_reach=8, tier_latency=0.5)
    assert bought(switched(8, short)) == [32, 32, 0, 0]
    assert bought(switched(9, short)) == [32, 32, 64, 0]
    assert bought(switched(576, short)) == [96, 96, 128, 0]


def test_what_is_priced_as_it_is_has_no_size() -> None:
    for domain in (1, 72, 10_000):
        assert bought(switched(domain, AsPriced()), 20_000.0) == [32, 32, 0, 0]


def test_scale_out_is_bought_where_an_instance_leaves_its_domain() -> None:
    assert bought(switched(72), 72.0)[-1] == 0
    assert bought(switched(72), 73.0)[-1] == 4


def test_a_mesh_and_a_torus_buy_optics_for_links_out_of_the_rack() -> None:
    rows = {"bandwidth": 32, "efficiency": 0.5, "latency": 0.25, "scale_out": OUT}
    fabric = Tiered(radix=72, copper_reach=64, tier_latency=0.5)
    # Of a mesh of 129 each chip has 65 of 128 links beyond its 64.
    meshes = [FullMesh(domain=it, fabric=fabric, **rows) for it in (1, 64, 129)]
    assert [bought(it) for it in meshes] == [[32, 0, 0, 0], [32, 0, 0, 0], [32, 0, 16.25, 0]]
    # Blocks of 4 x 4 x 4 have a quarter of their links across a face.
    toruses = [Torus(domain=it, dimensions=3, fabric=fabric, **rows) for it in (64, 65, 4096)]
    optics = [bought(it)[2] for it in toruses]
    assert optics == pytest.approx([0, 8, 8])


@pytest.mark.parametrize(
    ("domain", "group", "further"),
    [(72, 72, 0), (576, 8, 0), (576, 36, 0), (576, 37, 1), (576, 576, 1), (5000, 2000, 2)],
)
def test_a_group_waits_for_the_tiers_it_passes(domain: int, group: int, further: int) -> None:
    got = switched(domain).all_to_all_time(0.0, float(group), EXACT)
    assert float(got) == 0.25 + 0.5 * further


@pytest.mark.parametrize("t", [None, 0.01, 0.1, 0.5])
def test_a_larger_domain_takes_no_less(t: float | None) -> None:
    relaxation = EXACT if t is None else Soft(t)

    @jax.jit
    @jax.vmap
    def taken(domain: jax.Array) -> tuple[Equipment, Scalar]:
        network = switched(domain)
        return network.equipment(1.0, relaxation), network.group_latency(100.0, relaxation)

    domains = jnp.concatenate([jnp.linspace(1, 80, 1581), jnp.geomspace(80, 1e5, 2000)])
    for leaf in jax.tree.leaves(taken(domains)):
        assert bool(jnp.all(jnp.diff(leaf) >= -1e-9))


@pytest.mark.parametrize("t", [0.005, 0.1, 0.5])
def test_the_soft_size_is_the_exact_one_on_whole_domains(t: float) -> None:
    for domain in (1, 8, 36, 71, 72, 73, 576, 2592, 2593):
        soft = jax.tree.leaves(switched(domain).equipment(72.0, Soft(t)))
        exact = jax.tree.leaves(switched(domain).equipment(72.0, EXACT))
        assert soft == exact


def test_gradients_are_finite_and_lead_over_the_edge() -> None:
    def price(domain: jax.Array) -> jax.Array:
        got = switched(domain).equipment(100.0, Soft(0.5))
        return got.links + got.switches + got.optics + got.scale_out

    slopes = [float(jax.grad(price)(domain)) for domain in (1.0, 8.0, 72.0, 72.5, 73.0, 576.0)]
    assert np.all(np.isfinite(slopes))
    assert slopes[3] > 10


def test_prices_and_powers_by_hand() -> None:
    system = toy_system(switched(576))
    design = Design(system=system, mapping=Mapping(tp=8, pp=100), placement=Placement(), batch=1)
    # 800 chips of 3 x 32 B/s in ports, 64 in optics, 4 beyond the domain
    capital = capital_shares(design, jnp.asarray(0.0), EXACT).network
    assert float(capital) == 800 * (0.5 * 96 + 0.25 * 64 + 3 * 4)
    power = power_shares(design, IDLE, Assumptions()).network
    assert float(power) == 800 * (0.125 * 96 + 0.5 * 64 + 2 * 4)


def test_a_planned_domain_of_576_is_bought() -> None:
    """Three ports of switches for one, and two transceivers for each."""
    file = changed(NetworkFile, data_tables("network.toml"), {}, "assumptions.network")
    room = facility_of(load_facility_file())
    network = network_of(file)
    assert isinstance(network, Switched)
    assert isinstance(network.fabric, Tiered)

    def of(domain: float) -> Equipment:
        there = Switched(
            domain=domain,
            bandwidth=network.bandwidth,
            efficiency=network.efficiency,
            latency=network.latency,
            scale_out=network.scale_out,
            fabric=network.fabric,
        )
        return there.equipment(domain, EXACT)

    def price(it: Equipment) -> float:
        return float(room.network_price * it.links + room.optics_price * it.optics)

    def power(it: Equipment) -> float:
        return float(room.switch_power * it.switches + room.optics_power * it.optics)

    assert price(of(8)) == price(of(72)) == pytest.approx(3137, abs=1)
    assert power(of(8)) == power(of(72)) == pytest.approx(50, abs=0.1)
    # 3 x 3,137 and 1,800 GB/s of transceivers: 12.5 USD and 0.15 W for each GB/s
    assert price(of(576)) == pytest.approx(3 * 3136.5 + 22_500, rel=1e-6)
    assert power(of(576)) == pytest.approx(3 * 50 + 270, rel=1e-4)


STATED = {"topology": "switched", "domain": 8, "bandwidth": "900 GB/s", "latency": "3 us"}
SIZE = {"switch_radix": 64, "copper_reach": 8, "tier_latency": "0.4 us"}


def test_a_network_of_a_file_has_a_size_where_it_says_so() -> None:
    plain, sized = (network_of(NetworkFile(**{**STATED, **more})) for more in ({}, SIZE))
    assert isinstance(plain, Switched)
    assert isinstance(sized, Switched)
    assert isinstance(plain.fabric, AsPriced)
    got = sized.fabric
    assert isinstance(got, Tiered)
    assert [float(it) for it in (got.radix, got.copper_reach)] == [64, 8]
    assert float(got.tier_latency) == pytest.approx(4e-7)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"switch_radix": 64}, "switch_radix needs copper_reach, tier_latency too"),
        ({**SIZE, "switch_radix": 8}, "switch_radix must be at least 32, not 8"),
        ({**SIZE, "copper_reach": 0.5}, "copper_reach must be at least 1, not 0.5"),
        ({**SIZE, "tier_latency": "-1 us"}, "must be above zero"),
        ({**SIZE, "topology": "talk"}, "topology 'talk' has no switch_radix"),
    ],
)
def test_a_network_of_half_a_size_is_refused(rows: dict, message: str) -> None:
    with pytest.raises((ValueError, InputError), match=message):
        NetworkFile(**{**STATED, **rows})
