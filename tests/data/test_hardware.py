import csv
import math
import tomllib
from pathlib import Path

import jax
import pytest

from liminal_jax._files import InputError
from liminal_jax.data import numbers
from liminal_jax.data.build import load_system, process_of
from liminal_jax.data.catalogue import (
    capacity_technology_names,
    execution_names,
    measured_system_names,
    process_names,
    system_names,
    technology_names,
)
from liminal_jax.data.files import load_sources
from liminal_jax.data.parts import (
    load_capacity_technology_file,
    load_execution_file,
    load_facility_file,
    load_packaging_file,
    load_process_file,
    load_technology_file,
)
from liminal_jax.data.systems import (
    checked_system_file,
    load_system_file,
    load_system_tables,
    system_paths,
)
from liminal_jax.hardware.kinds import KINDS
from liminal_jax.results.system import numbers_in

REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "hardware"
TIB, GIB, MIB = 2**40, 2**30, 2**20
DATA = Path(numbers.__file__).parent


def si(number):
    """The value of a number that must be known."""
    assert number.value is not None
    return number.value


def every_record():
    yield load_facility_file()
    yield load_packaging_file()
    yield from map(load_execution_file, execution_names())
    yield from map(load_system_file, (*system_names(), *measured_system_names()))
    yield from map(load_technology_file, technology_names())
    yield from map(load_capacity_technology_file, capacity_technology_names())
    yield from map(load_process_file, process_names())


def problems_of(path):
    with pytest.raises(InputError) as caught:
        load_system_file(str(path))
    return {problem.path: problem.message for problem in caught.value.problems}


@pytest.fixture
def own_file(tmp_path, monkeypatch):
    """Writes the H100 with changes to its text as a user's file."""
    monkeypatch.chdir(tmp_path)
    text = (DATA / "systems/h100.toml").read_text()

    def written(*changes):
        changed = text
        for old, new in changes:
            assert old in changed
            changed = changed.replace(old, new)
        Path("mine.toml").write_text(changed)
        return "mine.toml"

    return written


@pytest.mark.parametrize("name", system_names())
def test_every_system_loads_under_its_name_with_its_technology_and_process(name):
    system = load_system_file(name)
    assert system.name == name
    assert system.chip.memory.technology is not None
    load_technology_file(system.chip.memory.technology)
    if system.chip.process is not None:
        load_process_file(system.chip.process)


@pytest.mark.parametrize("name", measured_system_names())
def test_every_chip_of_measurements_loads_and_stays_out_of_the_market(name):
    assert load_system_file(name).name == name
    assert name not in system_names()


@pytest.mark.parametrize("name", technology_names())
def test_every_technology_loads_under_its_name(name):
    assert load_technology_file(name).name == name


@pytest.mark.parametrize("name", capacity_technology_names())
def test_every_technology_of_capacity_tiers_loads_under_its_name(name):
    assert load_capacity_technology_file(name).name == name


TIER = """
[chip.capacity_tier]
technology = "lpddr5x"
capacity = "240 GB"
bandwidth = "225 GB/s"

[network]"""


def tier_of(path):
    """The capacity tier of a system that has one."""
    tier = load_system(path).chip.capacity_tier
    assert tier is not None
    return tier


def test_a_tier_takes_energy_and_price_from_its_technology(own_file):
    tier = tier_of(own_file(("\n[network]", TIER)))
    assert (float(tier.capacity), float(tier.bandwidth)) == (240e9, 225e9)
    assert float(tier.energy) == pytest.approx(8.1e-12 * 8)
    assert float(tier.price) == pytest.approx(240 * 5.83)


def test_a_tier_takes_its_share_of_standby_power_and_holds_what_it_may(own_file):
    tier = tier_of(own_file(("\n[network]", TIER)))
    assert float(tier.standby_power) == pytest.approx(4 * 240 / 192)
    assert tier.kinds == KINDS
    stated = TIER.replace('"225 GB/s"', '"225 GB/s"\nstandby_power = 2\nholds = ["experts"]')
    tier = tier_of(own_file(("\n[network]", stated)))
    assert float(tier.standby_power) == 2
    assert tier.kinds == ("experts",)


def test_a_tier_without_a_technology_has_the_energy_and_price_that_it_states(own_file):
    bare = ('technology = "lpddr5x"', "")
    tier = tier_of(own_file(("\n[network]", TIER.replace(*bare))))
    assert math.isnan(float(tier.energy))
    assert math.isnan(float(tier.price))
    stated = TIER.replace(bare[0], 'energy = "5 pJ/bit"\nprice = "2 USD/GB"')
    tier = tier_of(own_file(("\n[network]", stated)))
    assert float(tier.energy) == pytest.approx(4e-11)
    assert float(tier.price) == pytest.approx(480)


NOTHING = "holds or delivers nothing; leave its table out, or state a number above zero"


@pytest.mark.parametrize(
    ("old", "new", "path", "message"),
    [
        ('"240 GB"', '"0 GB"', "capacity", f"a tier of 0 GB {NOTHING}"),
        ('"240 GB"', "-1", "capacity", f"a tier of -1 B {NOTHING}"),
        ('"225 GB/s"', "0", "bandwidth", f"a tier of 0 B/s {NOTHING}"),
        ('"225 GB/s"', '"225 GB"', "bandwidth", "GB"),
        ('"240 GB"', '{ unknown = "not told" }', "capacity", "may not be unknown (not told)"),
        ('"lpddr5x"', '"lpddr5"', "technology", "did you mean 'lpddr5x'?"),
        ("bandwidth", "bandwith", "bandwith", "unknown field; did you mean 'bandwidth'?"),
        ('"225 GB/s"', '"225 GB/s"\nholds = []', "holds", "names no kind of data"),
        (
            '"225 GB/s"',
            '"225 GB/s"\nholds = ["expert"]',
            "holds",
            "there is no kind of data 'expert'; did you mean 'experts'?",
        ),
    ],
)
def test_what_is_wrong_with_a_tier(own_file, old, new, path, message):
    assert old in TIER
    problems = problems_of(own_file(("\n[network]", TIER.replace(old, new))))
    assert message in problems[f"chip.capacity_tier.{path}"]


@pytest.mark.parametrize("name", process_names())
def test_every_process_loads_under_its_name(name):
    assert load_process_file(name).name == name


def test_every_source_is_used_and_every_number_has_one():
    records = [record.model_dump() for record in every_record()]
    numbers = [number for record in records for _, number in numbers_in(record)]
    assert {number["source"] for number in numbers} - {""} == set(load_sources())
    assert all(number["unknown"] for number in numbers if not number["source"])


def test_every_latency_says_what_it_is_per():
    for name in system_names():
        network = load_system_file(name).network
        word = "each hop" if network.topology == "torus" else "each collective"
        for number in (network.latency, network.latency_at_8, network.latency_at_128):
            assert number is None or word in number.note


@pytest.mark.parametrize(
    ("name", "bandwidth", "rate", "capacity"),
    [
        ("xpu-hbm3", 4 * TIB, 2.25e15, 96 * GIB),
        ("xpu-hbm4", 18 * TIB, 2.25e15, 192 * GIB),
        ("xpu-3d-dram", 30 * TIB, 2.25e15, 36 * GIB),
        ("xpu-sram", 117 * TIB, 1.13e15, 512 * MIB),
        ("xpu-cows", 2250 * TIB, 28.13e15, 11 * GIB),
    ],
)
def test_the_chips_of_the_talk_are_binary_and_exact(name, bandwidth, rate, capacity):
    chip = load_system_file(name).chip
    assert chip.memory.bandwidth.value == bandwidth
    assert chip.tensor_8bit.value == rate
    assert chip.memory.capacity.value == capacity
    assert chip.power is not None
    assert chip.power.density.value == pytest.approx(1e6)
    assert chip.power.server_power.value == 37.5


@pytest.mark.parametrize(
    ("system", "memory", "process"),
    [
        ("a100", "hbm2e", "n7"),
        ("h100", "hbm3", "n4"),
        ("b200", "hbm3e", "n4p"),
        ("mi300x", "hbm3", "n5"),
        ("mi355x", "hbm3e", "n3p"),
    ],
)
def test_a_process_has_the_energy_of_products_at_the_power_limit(system, memory, process):
    chip = load_system_file(system).chip
    assert (chip.memory.technology, chip.process) == (memory, process)
    reading = si(load_technology_file(memory).access_energy) * si(chip.memory.bandwidth)
    assert chip.sustained_8bit is not None
    drawn = (
        si(chip.idle_fraction) * si(chip.tdp)
        + si(load_facility_file().product_traffic) * reading
        + si(load_process_file(process).energy_per_flop) * si(chip.sustained_8bit)
    )
    assert drawn == pytest.approx(si(chip.tdp), rel=0.01)


# Of an 8-bit operation in [pJ]: from products at the peak rate to products at the measured one.
RANGES = {"n4p": (0.15, 0.22), "n3p": (0.2, 0.36), "n5": (0.2, 0.44)}


@pytest.mark.parametrize("name", process_names())
def test_the_energy_of_arithmetic_has_a_range(name):
    energy = load_process_file(name).energy_per_flop
    assert energy.low is not None
    assert energy.high is not None
    assert energy.low < si(energy) < energy.high
    if name in RANGES:
        assert (energy.low * 1e12, energy.high * 1e12) == pytest.approx(RANGES[name])


# What a hyperscaler's cost per hour implies for each chip, all in [USD], and how far the laws are.
ALL_IN = {"h100": (32e3, 0.12), "h200": (35e3, 0.03), "b200": (49e3, 0.01), "mi300x": (27e3, 0.18)}


@pytest.mark.parametrize("name", ALL_IN)
def test_a_chip_with_its_surroundings_costs_about_what_buyers_pay(name):
    facility, system = load_facility_file(), load_system_file(name)
    around = si(facility.host_price) + si(facility.board_price) + si(facility.rack_price)
    around += si(facility.network_price) * si(system.network.bandwidth)
    anchor, distance = ALL_IN[name]
    assert around + si(system.chip.market_price) == pytest.approx(anchor, rel=distance)


def test_what_surrounds_a_chip_is_split_as_a_rack_is():
    facility = load_facility_file()
    network = si(facility.network_price) * 900e9
    around = [si(facility.host_price), si(facility.board_price), network, si(facility.rack_price)]
    assert sum(around) == pytest.approx(49e3 - 40e3, rel=1e-3)
    shares = [part / sum(around) for part in around]
    assert shares == pytest.approx([it / 52.8 for it in (7.2, 10.8, 18.4, 16.4)], rel=1e-3)


def test_a_server_with_its_chips_draws_what_is_drawn_all_in():
    facility = load_facility_file()
    for name, all_in in (("h100", 1730.0), ("b200", 2170.0), ("mi300x", 1790.0)):
        chip, network = (system := load_system_file(name)).chip, system.network
        switches = 0.0
        if network.topology == "switched":
            switches = si(facility.switch_power) * si(network.bandwidth)
        drawn = si(facility.pue) * (si(chip.tdp) + si(chip.host_power) + switches)
        assert drawn == pytest.approx(all_in, rel=2e-3)


# Where the table rounds: 7,680 bits at 8 Gb/s, printed as 8 TB/s, and seven links of 76.8 GB/s.
CORRECTED = {("b200", "memory"): 7.67e12, ("mi355x", "network"): 537.6e9}


def test_provisioned_power_of_the_memories_of_the_talk():
    hbm4, dram = (load_system_file(name).chip.power for name in ("xpu-hbm4", "xpu-3d-dram"))
    assert hbm4 is not None
    assert dram is not None
    assert hbm4.bandwidth_power.value == pytest.approx(30e-12)
    assert dram.bandwidth_power.value == pytest.approx(5.6e-12)


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("h100", "H100 SXM"),
        ("h200", "H200 SXM"),
        ("b200", "B200 SXM"),
        ("gb200", "GB200 NVL72 (per GPU)"),
        ("mi300x", "MI300X"),
        ("mi355x", "MI355X"),
        ("tpu7x", "TPU7x (Ironwood)"),
        ("trainium-2", "Trainium2"),
    ],
)
def test_the_chips_agree_with_the_collected_table(name, row):
    if not REFERENCE.exists():
        pytest.skip("the collected table of chips is not here")
    with (REFERENCE / "chips.csv").open() as file:
        expected = {line["chip"]: line for line in csv.DictReader(file)}[row]
    system = load_system_file(name)
    chip, network = system.chip, system.network
    assert network.bandwidth is not None
    assert si(chip.tensor_16bit) == pytest.approx(float(expected["bf16_dense_TF"]) * 1e12)
    assert si(chip.tensor_8bit) == pytest.approx(float(expected["fp8_dense_TF"]) * 1e12)
    printed = CORRECTED.get((name, "memory"), float(expected["mem_BW_TBps"]) * 1e12)
    assert si(chip.memory.bandwidth) == pytest.approx(printed)
    assert si(chip.memory.capacity) == float(expected["mem_GB"]) * GIB
    printed = CORRECTED.get((name, "network"), float(expected["scaleup_uni_GBps"]) * 1e9)
    assert si(network.bandwidth) == pytest.approx(printed)
    assert network.domain == int(expected["scaleup_domain"])


def test_what_a_system_leaves_out_is_the_facilitys():
    assert load_system_file("h100").chip.idle_fraction == load_facility_file().idle_fraction
    tables = load_system_tables("h100")
    assert tables["chip"]["idle_fraction"]["value"] == 0.12
    assert checked_system_file(tables, "h100") == load_system_file("h100")


def test_a_path_is_as_good_as_a_name(own_file):
    path = own_file(('name = "h100"', 'name = "mine"'))
    assert load_system_file(path).name == "mine"
    assert load_system_file(path).chip == load_system_file("h100").chip


def test_an_unknown_name_gets_a_suggestion():
    for load, wrong, right in (
        (load_system_file, "h10", "h100"),
        (load_technology_file, "hbm3f", "hbm3"),
        (load_process_file, "n4q", "n4"),
    ):
        with pytest.raises(InputError, match=f"no .* '{wrong}'; did you mean '{right}"):
            load(wrong)
    with pytest.raises(InputError, match=r"there are .*b200.*xpu-hbm3"):
        load_system_file("abacus")
    with pytest.raises(InputError, match=r"there is no file 'mine.toml'"):
        load_system_file("mine.toml")


def test_a_file_that_is_not_toml_is_refused(tmp_path):
    path = tmp_path / "broken.toml"
    path.write_text("name = ")
    with pytest.raises(InputError, match=r"broken.toml: is not valid TOML"):
        load_system_file(str(path))


def test_all_mistakes_of_a_file_come_at_once(own_file):
    path = own_file(
        ('technology = "hbm3"', 'technology = "hbm33"'),
        ('process = "n4"', 'process = "n44"'),
        ('value = 3.35, unit = "TB/s"', 'value = 3.35, unit = "TB"'),
        ("value = 700,", "value = -700,"),
        ("stacks = 5", "stack = 5"),
        ('vendor = "NVIDIA"\n', ""),
        ("domain = 8", "domain = 0"),
        ('topology = "switched"', 'topology = "switch"'),
    )
    problems = problems_of(path)
    assert problems["chip.memory.technology"].endswith("did you mean 'hbm3'?")
    assert "there is no process 'n44'" in problems["chip.process"]
    assert problems["chip.memory.bandwidth"] == "'TB' where a quantity in B/s is wanted"
    assert problems["chip.tdp"] == "must be above zero, not -700 W"
    assert problems["chip.memory.stack"] == "unknown field; did you mean 'stacks'?"
    assert problems["vendor"] == "is required"
    assert problems["network.domain"].startswith("must be at least 1")
    assert "did you mean 'switched'" in problems["network.topology"]


def test_a_network_states_what_its_topology_needs_and_no_more(own_file):
    torus = problems_of(own_file(('topology = "switched"', 'topology = "torus"')))
    assert torus == {"network": "topology 'torus' needs dimensions"}
    talk = problems_of(own_file(('topology = "switched"', 'topology = "talk"')))
    assert "needs latency_at_128, latency_at_8, latency_floor" in talk["network"]
    assert "has no bandwidth, latency" in talk["network"]


def test_every_field_of_a_file_has_a_path():
    paths = system_paths()
    assert {"name", "chip.memory.bandwidth", "chip.sram.energy", "network.domain"} <= set(paths)
    assert "chip.memory" not in paths


def test_no_bundled_file_is_left_out():
    for path in DATA.glob("systems/*.toml"):
        assert tomllib.loads(path.read_text())["name"] == path.stem


def test_parts_that_are_made_once_have_the_width_of_numbers_in_force():
    """A process is made once of one file, but never of another, nor for another width."""
    file = load_process_file(process_names()[0])
    with jax.enable_x64(True):
        wide, again = process_of(file), process_of(file)
    with jax.enable_x64(False):
        narrow = process_of(file)
    assert wide is again
    assert {str(it.dtype) for it in jax.tree.leaves(wide)} == {"float64"}
    assert {str(it.dtype) for it in jax.tree.leaves(narrow)} == {"float32"}
    assert process_of(file.model_copy()) is not process_of(file)


def test_a_file_of_the_users_is_read_again_when_it_has_changed(tmp_path):
    own = tmp_path / "own.toml"
    text = (DATA / "processes" / f"{process_names()[0]}.toml").read_text()
    own.write_text(text)
    before = load_process_file(str(own))
    own.write_text(text.replace(f'title = "{before.title}"', 'title = "another"'))
    assert load_process_file(str(own)).title == "another"
