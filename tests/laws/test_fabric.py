"""Networks of switches, and links that leave a block, counted."""

import itertools

import pytest

from liminal_jax.laws.fabric import (
    joined_chips,
    leaf_chips,
    mesh_share_beyond,
    switch_ports,
    torus_share_beyond,
)
from tests.laws.differences import assert_slopes


def test_networks_of_switches_with_72_ports() -> None:
    assert [joined_chips(radix=72, tiers=tiers) for tiers in (1, 2, 3)] == [72, 2592, 93_312]
    assert leaf_chips(radix=72, tiers=2) == 1296


@pytest.mark.parametrize("tiers", [1, 2, 3])
def test_ports_of_a_full_network(tiers: int) -> None:
    # Below the top half of the ports lead down, so chips / (radix / 2) switches a tier.
    radix, chips = 8, joined_chips(radix=8, tiers=tiers)
    switches = (tiers - 1) * chips / (radix / 2) + chips / radix
    assert switch_ports(tiers=tiers) == switches * radix / chips


def test_links_of_a_mesh() -> None:
    assert mesh_share_beyond(beyond=0.0, links=7.0) == 0
    # 16 chips, 8 in a rack: each is linked to 7 in it and to 8 others
    assert mesh_share_beyond(beyond=8.0, links=15.0) == pytest.approx(8 / 15)


@pytest.mark.parametrize("side", [2, 4])
def test_links_out_of_a_cube_are_as_counted(side: int) -> None:
    inside = range(side)
    crossing = [
        chip[axis] + step not in inside
        for chip in itertools.product(inside, repeat=3)
        for axis, step in itertools.product(range(3), (-1, 1))
    ]
    share = torus_share_beyond(reach=float(side**3), dimensions=3.0)
    assert float(share) == pytest.approx(sum(crossing) / len(crossing))


def test_slopes() -> None:
    assert min(assert_slopes(joined_chips, radix=8.0, tiers=2.0).values()) > 0
    assert min(assert_slopes(leaf_chips, radix=8.0, tiers=2.0).values()) > 0
    assert assert_slopes(switch_ports, tiers=2.0) == {"tiers": 2}
    assert_slopes(mesh_share_beyond, beyond=4.0, links=8.0)
    slopes = assert_slopes(torus_share_beyond, reach=64.0, dimensions=3.0)
    assert slopes["reach"] < 0 < slopes["dimensions"]
