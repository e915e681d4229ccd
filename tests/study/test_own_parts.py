"""A memory, a process or a tier of one's own stands by its path where a name does."""

import pytest

import liminal_jax as ll
from liminal_jax._files import InputError
from liminal_jax.data.catalogue import DATA

PLAN = {
    "process": "n4p",
    "stacks": 4,
    "dies": 2,
    "compute_area": "400 mm2",
    "sram": "64 MB",
    "link_bandwidth": "900 GB/s",
    "domain": 8,
}
TIER = {"tier_units": 2, "memory": "hbm4"}


def copied(folder, name, target, **changes):
    """A file of the package in a folder of one's own, with other numbers."""
    text = (DATA / folder / f"{name}.toml").read_text()
    lines = [it for it in text.splitlines() if it.split(" =")[0] not in changes]
    stated = [f'{field} = "{value}"' for field, value in changes.items()]
    target.write_text("\n".join([*lines, *stated]))
    return str(target)


def test_a_memory(tmp_path):
    own = copied("technologies", "hbm4", tmp_path / "mine.toml", bandwidth_per_area="30 GB/s/mm2")
    mine, hbm4 = (ll.planned_system(memory=it, **PLAN) for it in (own, "hbm4"))
    ratio = mine.chip.material.memory.bandwidth_per_area
    assert float(ratio) == pytest.approx(30e15)
    assert float(mine.chip.plan.stacks) == float(hbm4.chip.plan.stacks) == 4.0


def test_a_process_and_a_tier(tmp_path):
    process = copied("processes", "n4p", tmp_path / "process.toml", wafer_price="9000 USD")
    tier = copied("technologies/capacity", "lpddr5x", tmp_path / "tier.toml", standby_power="7 W")
    system = ll.planned_system(**{**PLAN, **TIER, "process": process, "tier": tier})
    assert float(system.chip.material.process.wafer_price) == 9000.0
    assert float(system.chip.material.tier.technology.standby_power) == 7.0


def test_an_assumption_changes_it_too(tmp_path):
    own = copied("technologies", "hbm4", tmp_path / "mine.toml")
    changed = {"memory": {own: {"layers": 16}}}
    system = ll.planned_system(changed, memory=own, **PLAN)
    assert float(system.chip.material.memory.layers) == 16.0


@pytest.mark.parametrize("kind", ["memory", "process", "tier"])
def test_a_path_that_leads_nowhere(kind):
    plan = {**PLAN, **TIER, "tier": "lpddr5x", kind: "nowhere.toml"}
    with pytest.raises(InputError, match=rf"design\.{kind}: .*there is no file 'nowhere.toml'"):
        ll.planned_system(**plan)


def test_a_mistake_in_the_file_is_named(tmp_path):
    own = copied("technologies", "hbm4", tmp_path / "mine.toml", footprint="3 W")
    with pytest.raises(InputError, match=r"design\.memory: .*mine\.toml: footprint: "):
        ll.planned_system(memory=own, **PLAN)
