"""A table of latencies by the chips that wait: hand numbers, growth, slopes, what is refused."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import liminal_jax.data
from liminal_jax._arrays import Scalar
from liminal_jax._files import InputError
from liminal_jax._smooth import Exact, Soft
from liminal_jax.bounds.boxes import whole
from liminal_jax.bounds.lattice import LatticeBounds
from liminal_jax.bounds.program import along, constant
from liminal_jax.data.build import load_system, network_of
from liminal_jax.data.network import NetworkFile
from liminal_jax.data.systems import load_system_file
from liminal_jax.data.validation import validated
from liminal_jax.hardware.fabric import AsPriced, Reaches
from liminal_jax.hardware.network import ScaleOut, Switched

EXACT = Exact()
GROQ = {16: 0.35, 128: 0.75, 256: 1.15, 768: 1.6, 1280: 2.05, 1792: 2.5, 2304: 2.95}
"""Printed microseconds by gigabytes of SRAM reached, two chips of 500 MB to one."""
DOMAIN = 256
FAR = 16.8


@pytest.fixture
def groq() -> Switched:
    network = load_system("groq-lp30").network
    assert isinstance(network, Switched)
    return network


def one_way(network: Switched, chips: Scalar, relaxation: Exact | Soft) -> Scalar:
    """Time of a small all-to-all, in microseconds."""
    return 1e6 * network.all_to_all_time(0.0, chips, relaxation)


def test_the_table_of_the_groq_3_is_exact_at_its_entries_and_up_to_the_next(groq: Switched) -> None:
    below = 2
    for chips, time in GROQ.items():
        # beyond the rack a group first waits for its own
        rack = 0.0 if chips <= DOMAIN else GROQ[DOMAIN]
        for group in (below, chips):
            assert float(one_way(groq, group, EXACT)) == pytest.approx(rack + time, rel=1e-6)
            assert float(one_way(groq, group, Soft(0.3))) == pytest.approx(rack + time, rel=1e-6)
        below = chips + 1
    assert float(one_way(groq, 2305.0, EXACT)) == pytest.approx(1.15 + FAR, rel=1e-6)


def test_sends_and_all_reduces_by_hand(groq: Switched) -> None:
    # one step to the next chip; over racks as far as 512 chips reach
    assert float(groq.send_time(0.0, 256.0, EXACT)) == pytest.approx(0.35e-6)
    assert float(groq.send_time(0.0, 512.0, EXACT)) == pytest.approx(1.6e-6)
    # one shot in the rack, two shots over three of them
    assert float(groq.all_reduce_time(0.0, 200.0, EXACT)) == pytest.approx(1.15e-6)
    assert float(groq.all_reduce_time(0.0, 768.0, EXACT)) == pytest.approx(1.15e-6 + 2 * 1.6e-6)


@pytest.mark.slow
@given(st.floats(1, 4000), st.floats(1, 4000), st.sampled_from([0.0, 0.01, 0.1, 0.5]))
def test_more_chips_wait_no_less(one: float, other: float, temperature: float) -> None:
    network = Switched(
        domain=300,
        bandwidth=1.0,
        efficiency=1.0,
        latency=0.5,
        scale_out=ScaleOut(bandwidth=1.0, latency=4.0),
        fabric=Reaches(chips=(2, 20, 3000), steps=(0.5, 1.0)),
    )
    relaxation = Soft(temperature) if temperature else EXACT
    less, more = sorted((one, other))
    times = [float(one_way(network, it, relaxation)) for it in (less, more)]
    assert times[0] <= times[1] * (1 + 1e-6)


@pytest.mark.slow
def test_the_soft_reading_rises_without_a_jump_and_its_slope_is_the_step() -> None:
    reaches = Reaches(chips=(16, 128), steps=(0.4,))
    latency = jax.jit(jax.vmap(lambda chips: reaches.latency(chips, 1.0, Soft(0.1))))
    chips = jnp.linspace(15.5, 17.5, 20_001)
    times = np.asarray(latency(chips))
    assert (times[0], times[-1]) == pytest.approx((0.0, 0.4))
    assert np.max(np.abs(np.diff(times))) < 0.01 * 0.4
    slopes = jax.vmap(jax.grad(lambda it: reaches.latency(it, 1.0, Soft(0.1))))(chips)
    assert np.all(np.isfinite(slopes))
    assert np.all(np.asarray(slopes) >= 0)
    rise = np.sum(0.5 * (np.asarray(slopes)[1:] + np.asarray(slopes)[:-1]) * np.diff(chips))
    assert float(rise) == pytest.approx(0.4, rel=1e-3)


def test_every_entry_has_a_slope_of_its_own(groq: Switched) -> None:
    steps = jax.grad(lambda it: it.all_to_all_time(0.0, 200.0, EXACT))(groq).fabric.steps
    assert [float(it) for it in steps] == [1, 1, 0, 0, 0, 0]
    nearest = jax.grad(lambda it: it.all_to_all_time(0.0, 200.0, EXACT))(groq).latency
    assert float(nearest) == 1


def test_bounds_hold_for_all_groups(groq: Switched, monkeypatch: pytest.MonkeyPatch) -> None:
    """However little fits into tables."""
    monkeypatch.setattr("liminal_jax.bounds.lattice.LARGEST_TABLE", 1)
    ranks, stages = np.asarray([4.0, 16.0, 64.0, 256.0]), np.asarray([1.0, 2.0, 5.0, 10.0])
    row = constant(np.zeros(2))
    row[0], row[1] = along(0, ranks), along(1, stages)
    bounds = LatticeBounds(
        lambda it: jnp.stack([one_way(groq, it[0] * it[1], EXACT)]),
        (row,),
        (len(ranks), len(stages)),
    )
    low, high = (float(it[0, 0]) for it in bounds.over(whole(bounds.trees)))
    exact = [float(one_way(groq, one * other, EXACT)) for one in ranks for other in stages]
    assert 0.35 * (1 - 1e-6) <= low <= min(exact)
    assert max(exact) <= high
    assert high < 2 * max(exact)


def stated(**rows: object) -> NetworkFile:
    tables = {"topology": "switched", "domain": 8, "bandwidth": "1 TB/s", **rows}
    return validated(NetworkFile, tables, "mine.toml")


def test_a_file_may_state_a_table() -> None:
    network = network_of(stated(reach={"8": "1 us", "64": "1.5 us"}))
    assert isinstance(network, Switched)
    assert isinstance(network.fabric, Reaches)
    assert float(network.latency) == pytest.approx(1e-6)
    assert [float(it) for it in network.fabric.chips] == [8, 64]
    assert [float(it) for it in network.fabric.steps] == pytest.approx([0.5e-6])


def test_a_table_of_one_entry_is_a_latency() -> None:
    table, plain = (
        network_of(stated(**it)) for it in ({"reach": {"8": "1 us"}}, {"latency": "1 us"})
    )
    assert isinstance(plain, Switched)
    assert isinstance(plain.fabric, AsPriced)
    for chips in (1.0, 2.0, 8.0, 9.0):
        times = [float(it.all_reduce_time(1e6, chips, EXACT)) for it in (table, plain)]
        assert times[0] == times[1]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"reach": {}}, "mine.toml: reach: must have 1 to 16 entries, not 0"),
        (
            {"reach": {str(it): "1 us" for it in range(8, 25)}},
            "mine.toml: reach: must have 1 to 16 entries, not 17",
        ),
        (
            {"reach": {"64": "1 us", "8": "2 us"}},
            "mine.toml: reach: must ascend: 8 chips stand after 64",
        ),
        (
            {"reach": {"8": "2 us", "64": "1 us"}},
            "mine.toml: reach: 64 chips wait 1 us, less than 8 chips, 2 us",
        ),
        ({"reach": {"8": "-1 us"}}, "mine.toml: reach.8: must be above zero"),
        ({"reach": {"8": "1 GB"}}, "mine.toml: reach.8: 'GB' where a quantity in s is wanted"),
        ({"reach": {"8": {"unknown": "not told"}}}, "mine.toml: reach.8: "),
        ({"reach": {"1": "1 us", "8": "1 us"}}, "mine.toml: reach.1: must be at least 2"),
        ({"reach": {"near": "1 us"}}, "mine.toml: reach.near: "),
        ({"reach": {"4": "1 us"}}, "mine.toml: reach ends at 4 chips, before the domain of 8"),
        (
            {"reach": {"8": "1 us"}, "latency": "1 us"},
            "mine.toml: reach says how long any group waits: drop latency",
        ),
        (
            {"reach": {"8": "1 us"}, "topology": "full-mesh"},
            "mine.toml: topology 'full-mesh' has no reach",
        ),
        (
            {"reach": {"8": "1 us"}, "scale_out_latency": "0.5 us"},
            "mine.toml: scale_out_latency, 0.5 us, is less than that of the farthest reach, 1 us",
        ),
    ],
)
def test_a_bad_table_is_refused_with_its_path(rows: dict, message: str) -> None:
    with pytest.raises(InputError) as caught:
        stated(**rows)
    assert message in str(caught.value)


def test_the_file_of_a_system_names_the_place(tmp_path: Path) -> None:
    text = (Path(liminal_jax.data.__file__).parent / "systems" / "groq-lp30.toml").read_text()
    path = tmp_path / "mine.toml"
    path.write_text(text.replace("128 = { value = 0.75", "128 = { value = -0.75"))
    with pytest.raises(InputError, match=r"mine.toml: network.reach.128: "):
        load_system_file(str(path))
