"""Spaces from Python: paths, values, choices of objects, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import liminal_jax as ll
from liminal_jax._quantity import Quantity
from liminal_jax.study.paths import found_path
from liminal_jax.study.values import grid_of_values

PLAN = {
    "memory": "hbm4",
    "process": "n3p",
    "stacks": 8,
    "dies": 2,
    "compute_area": "400 mm2",
    "sram": "64 MB",
    "link_bandwidth": "900 GB/s",
    "domain": 72,
}


@pytest.fixture(scope="module")
def design():
    return ll.Design(ll.load_system("h200"), ll.Mapping(tp=8))


def space(design, free, **around):
    return ll.Space(design, free, **{"model": "llama-3-8b", **around})


def wrong(design, free, **around):
    with pytest.raises(ll.InputError) as caught:
        space(design, free, **around)
    return {it.path: it.message for it in caught.value.problems}


def values(found, name):
    return {it.name: it.grid.values for at in found.regions for it in at.variables}[name]


@pytest.mark.parametrize("written", ["mapping.tp", "tp", "design.tp", "design.mapping.tp"])
def test_a_path_may_be_written_in_full_or_in_short(design, written):
    (region,) = space(design, {written: [1, 2, 4]}).regions
    (variable,) = region.variables
    assert variable.path == "mapping.tp"
    assert variable.name == "tp"


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("system.chip.memory.bandwidth", "system.chip.memory.bandwidth"),
        ("chip.memory.bandwidth", "system.chip.memory.bandwidth"),
        ("memory.capacity", "system.chip.memory.capacity"),
        ("context", "request.context"),
        ("request.kv_bits", "request.kv_bits"),
        ("model.layers.0.count", "model.layers.0.count"),
        ("pue", "system.facility.pue"),
        ("clock", "clock"),
        ("chips", "chips"),
    ],
)
def test_any_number_can_be_free_and_no_other_moves_with_it(design, written, path):
    (region,) = space(design, {written: [1.0, 2.0]}).regions
    (variable,) = region.variables
    assert variable.path == path
    one, two = (region.at([it], jnp.asarray(0)) for it in variable.grid.values)
    numbers = [dict(zip(region.paths, jax.tree.leaves(it), strict=True)) for it in (one, two)]
    assert [float(it[path]) for it in numbers] == [1.0, 2.0]
    assert all(
        np.array_equal(numbers[0][it], numbers[1][it], equal_nan=True)
        for it in region.paths
        if it != path
    )


def test_a_name_that_is_there_several_times_lists_them():
    with pytest.raises(ValueError, match=r"'bandwidth' may be any of a\.bandwidth, b\.bandwidth"):
        found_path("bandwidth", ["a.bandwidth", "b.bandwidth"])


def test_a_path_that_is_not_there_names_the_nearest(design):
    found = wrong(design, {"batcch": [1, 2], "mapping.tpp": [1], "memory.bandwith": ["1 TB/s"]})
    assert "did you mean batch" in found["batcch"]
    assert "mapping.tp" in found["mapping.tpp"]
    assert "system.chip.memory.bandwidth" in found["memory.bandwith"]


def test_every_mistake_is_told_at_once(design):
    found = wrong(
        design,
        {
            "batch": ll.grid(64, 1, 8),
            "tp": [0, 1],
            "context": ["1 TB/s"],
            "system": ["h2000"],
            "memory.bandwidth": ll.grid(0, 1e12, 4, log=True),
        },
    )
    assert found["batch"] == "has its ends reversed: 64 is not below 1"
    assert found["tp"] == "must be at least 1, got 0"
    assert "context" in found
    assert found["system"] == "there is no system 'h2000'; did you mean 'h200'?"
    assert "equal ratios" in found["memory.bandwidth"]


def test_values_are_sequences_grids_and_ranges(design):
    found = space(
        design,
        {
            "memory.bandwidth": ["2 TB/s", 1e12],
            "batch": ll.grid(1, 64, 4, log=True),
            "context": ll.grid(1000, 3000, 3),
            "pue": ll.between(1.0, 1.5),
            "memory.capacity": ll.between("10 GB", "1 TB"),
            "tp": range(1, 4),
        },
    )
    assert values(found, "memory.bandwidth") == (1e12, 2e12)
    assert values(found, "batch") == (1, 4, 16, 64)
    assert values(found, "context") == (1000, 2000, 3000)
    assert values(found, "tp") == (1, 2, 3)
    evenly, ratios = values(found, "pue"), values(found, "memory.capacity")
    assert np.diff(evenly) == pytest.approx(0.5 / 64)
    assert np.diff(np.log(ratios)) == pytest.approx(np.log(100) / 64)
    assert (evenly[0], evenly[-1], ratios[0], ratios[-1]) == (1.0, 1.5, 1e10, 1e12)
    assert found.size == 2 * 4 * 3 * 65 * 65 * 3


def test_one_value_fixes_a_number(design):
    (region,) = space(design, {"context": 1000, "tp": [4]}).regions
    assert region.variables == ()
    assert float(region.case.request.context) == 1000
    assert float(region.case.mapping.tp) == 4


def test_alternatives_of_one_structure_share_a_region_and_others_do_not(design):
    found = space(design, {"system": ["h200", "b200", "mi355x", "tpu7x"], "tp": [1, 8]})
    assert [it.categories for it in found.regions] == [("h200", "b200"), ("mi355x",), ("tpu7x",)]
    assert found.size == 8
    one = found.only("b200")
    (region,) = one.regions
    capacity = ll.load_system("b200").chip.memory.capacity
    case = region.at([8], jnp.asarray(0))
    assert float(case.system.chip.memory.capacity) == float(capacity)
    with pytest.raises(ll.InputError, match="there is no alternative 'b300'"):
        found.only("b300")


def test_a_number_that_some_alternatives_have_is_free_in_these(design):
    planned = ll.planned_system(**PLAN)
    found = space(design, {"system": ll.choice("h200", mine=planned), "stacks": [4, 8]})
    assert [[it.name for it in at.variables] for at in found.regions] == [[], ["stacks"]]
    assert found.names == ("h200", "mine")
    assert found.size == 3
    assert "there is no number 'stacks'" in wrong(design, {"stacks": [1]})["stacks"]


def test_attention_mappings_are_chosen_by_name_or_as_objects(design):
    names = space(design, {"attention": ["data-parallel", "split-sequence"]}, model="deepseek-v3")
    objects = space(
        design,
        {"mapping.attention": ll.choice(ll.SplitSequence(), ll.DataParallel())},
        model="deepseek-v3",
    )
    for found in (names, objects):
        assert values(found, "attention") == (0.0, 2.0)
        assert "split-sequence, data-parallel" in repr(found)


def test_ranks_that_share_attention_are_free_where_it_is_chosen(design):
    free = {"attention": ["split-sequence", "copied-heads"], "attention_ranks": [4, 8]}
    (region,) = space(design, free, model="deepseek-v3").regions
    assert [it.name for it in region.variables] == ["attention", "attention_ranks"]
    assert float(region.at([0, 4], jnp.asarray(0)).mapped().attention_ranks()) == 4
    found = wrong(design, {"attention": ["split-sequences"]})
    assert found["attention"].endswith("did you mean 'split-sequence'?")


def test_memories_of_a_plan_are_chosen_by_name():
    planned = ll.Design(ll.planned_system(**PLAN), ll.Mapping(tp=8))
    found = space(planned, {"memory": ["hbm3e", "hbm4"], "process": ["n5", "n3p"], "dies": [1, 2]})
    (region,) = found.regions
    assert region.categories == ("hbm3e, n5", "hbm3e, n3p", "hbm4, n5", "hbm4, n3p")
    assert found.size == 8


def test_a_plan_lists_what_is_missing():
    with pytest.raises(ll.InputError, match="missing"):
        ll.planned_system(memory="hbm4", process="n3p")


def test_choices_need_names_of_their_own():
    with pytest.raises(ValueError, match="name them"):
        ll.choice(ll.SplitSequence(), ll.SplitSequence())
    with pytest.raises(ValueError, match="choose from"):
        ll.choice()
    with pytest.raises(ValueError, match="at least 2 values"):
        ll.grid(1, 2, 1)


def test_whole_numbers_are_rounded_and_ends_are_kept():
    found = grid_of_values(ll.grid(1, 10, 4, log=True), Quantity("", "chips", whole=True))
    assert found.values == (1.0, 2.0, 5.0, 10.0)


def test_a_space_prints_itself_and_is_plain_data(design):
    found = space(design, {"batch": range(1, 20), "memory.bandwidth": ["1 TB/s", "2 TB/s"]})
    assert repr(found).splitlines() == [
        "Space of 38 designs",
        "  batch: 1, 2, ..., 19 (19 values)",
        "  memory.bandwidth: 1 TB/s, 2 TB/s",
    ]
    assert found.to_dict()["size"] == 38


def test_listed_values_of_a_whole_number_are_whole(design):
    assert "must be whole numbers, got 1.5" in wrong(design, {"tp": [1.5, 2]})["tp"]
    assert values(space(design, {"tp": ll.grid(1, 4, 7)}), "tp") == (1.0, 2.0, 3.0, 4.0)
