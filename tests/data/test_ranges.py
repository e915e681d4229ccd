"""Numbers with ranges: how they are spread, and where they are found and put."""

import math
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liminal_jax.data import numbers as data_numbers
from liminal_jax.data.library import library_of
from liminal_jax.data.parts import load_facility_file, load_technology_file
from liminal_jax.data.ranges import UncertainNumber, uncertain_in, with_values

DATA = Path(data_numbers.__file__).parent
HARDWARE = (
    *sorted((DATA / "systems").rglob("*.toml")),
    *sorted((DATA / "processes").glob("*.toml")),
    *sorted((DATA / "technologies").rglob("*.toml")),
    *(DATA / f"{name}.toml" for name in ("facility", "network", "packaging")),
)
UNSURE = {"assumed", "derived", "fitted", "paper"}
KINDS = ("datasheet", "paper", "measured", "derived", "assumed", "fitted")


def median(number):
    """Of the distribution as it is stated, worked out by hand."""
    forth, back = (math.log, math.exp) if number.low > 0 else (float, float)
    low, mode, high = map(forth, (number.low, number.value, number.high))
    if number.kind == "assumed":
        return back((low + high) / 2)
    if mode - low >= high - mode:
        return back(low + math.sqrt((high - low) * (mode - low) / 2))
    return back(high - math.sqrt((high - low) * (high - mode) / 2))


numbers = st.builds(
    lambda ends, kind: UncertainNumber("number", ends[1], ends[0], ends[2], kind),
    st.lists(
        st.one_of(st.just(0.0), st.floats(1e-15, 1e15)), min_size=3, max_size=3, unique=True
    ).map(sorted),
    st.sampled_from(KINDS),
)


@given(number=numbers, shares=st.lists(st.floats(0, 1), min_size=2, max_size=20).map(sorted))
def test_quantiles_stay_in_the_range_in_order_and_halve_it_as_stated(number, shares):
    values = number.quantile(np.asarray(shares))
    assert np.all((number.low <= values) & (values <= number.high))
    rounding = 1e-15 * (number.high - number.low)
    assert np.all(np.diff(values) >= -rounding)
    ends = number.quantile(np.array([0.0, 0.5, 1.0]))
    assert ends == pytest.approx([number.low, median(number), number.high], rel=1e-9)


def test_a_number_that_a_source_prints_is_likeliest_there():
    number = UncertainNumber("number", 3.0, 1.0, 4.0, "paper")
    assert number.distribution == "log-triangular"
    values = np.log(number.quantile(np.linspace(0, 1, 100_001)))
    counts, edges = np.histogram(values, bins=50)
    at = int(np.argmax(counts))
    assert edges[at] - 0.03 <= math.log(3.0) <= edges[at + 1] + 0.03


def test_an_assumed_number_is_spread_evenly():
    number = UncertainNumber("number", 3.0, 1.0, 4.0, "assumed")
    assert number.distribution == "log-uniform"
    counts, _ = np.histogram(np.log(number.quantile(np.linspace(0, 1, 50_001))), bins=50)
    assert counts.min() >= 999
    assert counts.max() <= 1002


def test_a_range_without_width_is_its_value():
    number = UncertainNumber("number", 0.1, 0.1, 0.1, "paper")
    assert number.quantile(np.linspace(0, 1, 5)).tolist() == [0.1] * 5


def test_one_end_may_be_missing():
    found = {it.path: it for it in uncertain_in(library_of(["gb200"], load_facility_file()))}
    bandwidth = found["system.gb200.chip.memory.bandwidth"]
    assert (bandwidth.low, bandwidth.value, bandwidth.high) == (7.7e12, 8e12, 8e12)


def test_numbers_are_found_and_put_at_the_same_paths():
    library = library_of(["h100", "b200"], load_facility_file())
    found = {it.path: it for it in uncertain_in(library)}
    assert {"memory.hbm3e.silicon_price", "process.n4p.wafer_price", "facility.pue"} <= set(found)
    middle = {path: (it.low + it.high) / 2 for path, it in found.items()}
    changed = with_values(library, middle)
    assert {it.path: it.value for it in uncertain_in(changed)} == middle
    assert changed.memory["hbm3e"].silicon_price.value == middle["memory.hbm3e.silicon_price"]
    printed = [it.system["h100"].chip.tensor_8bit for it in (changed, library)]
    assert printed[0] == printed[1]
    assert with_values(library, {}) == library


def test_what_a_system_leaves_to_the_facility_is_one_number_for_all():
    library = library_of(["h100", "b200"], load_facility_file())
    changed = with_values(library, {"facility.network_efficiency": 0.7})
    efficiencies = {it.network.efficiency.value for it in changed.system.values()}
    assert efficiencies == {0.7} == {changed.facility.network_efficiency.value}


def test_numbers_that_are_only_told_are_not_sure_either():
    paths = [it.path for it in uncertain_in(load_technology_file("hbm4"))]
    assert "device_energy" in paths
    assert "controller_transistors" in paths
    assert "power_density_limit" not in paths
    # What a design does without it lacks for sure.
    sram = [it.path for it in uncertain_in(load_technology_file("sram"))]
    assert "controller_transistors" not in sram


def rows_in(tables, path=""):
    """Path and row of every number that the tables of a file state."""
    for key, part in tables.items():
        if isinstance(part, dict):
            where = f"{path}.{key}".lstrip(".")
            if "kind" in part and "value" in part:
                yield where, part
            else:
                yield from rows_in(part, where)


@pytest.mark.parametrize("file", HARDWARE, ids=lambda it: str(it.relative_to(DATA)))
def test_every_number_that_is_not_printed_by_its_maker_has_a_range(file):
    rows = dict(rows_in(tomllib.loads(file.read_text())))
    assert rows
    unsure = {path: row for path, row in rows.items() if row["kind"] in UNSURE}
    assert [path for path, row in unsure.items() if not {"low", "high"} & set(row)] == []
    for row in rows.values():
        assert row.get("low", row["value"]) <= row["value"] <= row.get("high", row["value"])
    # A range without width would not be one, but for what a design lacks and the layers it has.
    narrow = {
        path: row
        for path, row in unsure.items()
        if row.get("low", row["value"]) == row.get("high", row["value"])
    }
    assert [path for path, row in narrow.items() if row["value"] and path != "layers"] == []
