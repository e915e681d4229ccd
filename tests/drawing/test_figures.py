"""Pictures of designs: to scale, of any size, without words that touch, and honest of gaps."""

import re
from xml.etree import ElementTree

import jax
import pytest

import liminal_jax as ll
from liminal_jax._smooth import Exact
from liminal_jax.data.catalogue import system_names
from liminal_jax.data.library import library_of
from liminal_jax.data.parts import load_facility_file
from liminal_jax.data.systems import load_system_file
from liminal_jax.drawing.figures import compared, figures
from liminal_jax.drawing.package import extent, scale_of
from liminal_jax.drawing.svg import BOLD, LETTER, SIZE, WIDTH, Row, Sheet
from liminal_jax.hardware.anatomy import package_record
from liminal_jax.hardware.planned import PlannedChip, PlannedSystem
from liminal_jax.performance.pictured import machine_record
from liminal_jax.study.anatomy import system_record
from tests.hardware.test_plan import MATERIAL, PLAN
from tests.performance.toys import toy_system

SVG = "{http://www.w3.org/2000/svg}"


def elements(sheet: Sheet, kind: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(sheet.svg()).iter(f"{SVG}{kind}"))


def boxes(sheet: Sheet) -> list[tuple[float, float, float, float, str]]:
    """Where words stand, measured as they were laid out: left, top, right, bottom."""
    found = []
    for it in elements(sheet, "text"):
        text = it.text or ""
        width = len(text) * LETTER * (BOLD if it.get("font-weight") else 1.0)
        x, y = float(it.get("x", "nan")), float(it.get("y", "nan"))
        left = {"end": x - width, "middle": x - width / 2}.get(it.get("text-anchor", ""), x)
        found.append((left, y - 0.75 * SIZE, left + width, y + 0.2 * SIZE, text))
    return found


def assert_words_stand_apart(sheet: Sheet) -> None:
    found = [it for it in boxes(sheet) if it[4]]
    for at, (left, top, right, bottom, text) in enumerate(found):
        assert left >= 0, text
        assert right <= sheet.width + 1e-6, text
        for other in found[:at]:
            apart = right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top
            assert apart, (text, other[4])


def area_of(sheet: Sheet, told: str) -> float:
    """Area of the rectangles that say something, in points."""
    return sum(
        float(it.get("width", "nan")) * float(it.get("height", "nan"))
        for it in elements(sheet, "rect")
        if it.findtext(f"{SVG}title", "").startswith(told)
    )


def planned(**changes: float) -> dict:
    plan = ll.ChipPlan(**{**{name: getattr(PLAN, name) for name in _FREE}, **changes})
    return package_record(
        PlannedSystem(
            PlannedChip(plan, MATERIAL), ll.load_system("h200").network, toy_system().facility
        )
    )


_FREE = ("stacks", "dies", "compute_area", "sram", "link_bandwidth")


def test_the_parts_of_a_planned_die_sum_to_its_area_and_are_drawn_to_scale():
    package = planned()
    assert sum(package["parts"].values()) == pytest.approx(package["die_area"], rel=1e-6)
    scale = scale_of([package])
    sheet = figures({"package": package, "system": _machine(8, 1, 8)}, scale=scale)["package"]
    words = {"compute": "cores: ", "memory_interface": "memory interface: ", "sram": "SRAM: "}
    for part, told in words.items():
        drawn = area_of(sheet, told) / scale**2
        expected = package["dies"] * package["parts"][part]
        assert drawn == pytest.approx(expected, rel=2e-3), part
    stacks = area_of(sheet, "a stack of") / scale**2
    shrunk = 0.94  # A gap of 3 % of its edge stands on each side of a stack.
    footprints = package["memory"]["stacks"] * package["memory"]["footprint"]
    assert stacks == pytest.approx(shrunk * footprints, rel=2e-3)
    wider, higher = extent(package)
    assert max(wider * scale / WIDTH, higher * scale / 400) <= 1 + 1e-9


def _machine(tp: float, pp: float, chips: float, domain: float = 72.0) -> dict:
    system = ll.load_system("gb200")
    network = ll.Switched(
        domain=domain,
        bandwidth=9e11,
        efficiency=1.0,
        latency=1e-6,
        scale_out=ll.ScaleOut(bandwidth=5e10, latency=1e-5),
    )
    built = ll.System(system.chip, network, system.facility)
    record = machine_record(built, ll.Mapping(tp=tp, pp=pp), chips)
    return {**record, "sent": 1e10, "passed_on": 1e7}


@pytest.mark.parametrize("dies", [1, 2, 3, 8, 16, 200])
@pytest.mark.parametrize("stacks", [1, 6, 8, 64])
def test_words_stand_apart_on_packages_of_any_size(dies, stacks):
    package = planned(dies=dies, stacks=dies * stacks)
    drawn = figures({"package": package, "system": _machine(8, 1, 8)})
    assert_words_stand_apart(drawn["package"])
    assert (f"One of {dies:,} equal dies" in drawn["package"].svg()) == (dies > 16)


@pytest.mark.parametrize(
    ("tp", "pp", "chips"),
    [(1, 1, 1), (8, 1, 8), (8, 2, 66), (7, 61, 427), (64, 4, 100_000), (4096, 24, 98_304)],
)
@pytest.mark.parametrize("domain", [1, 72, 100_000])
def test_words_stand_apart_on_systems_of_any_size(tp, pp, chips, domain):
    system = _machine(tp, pp, chips, domain)
    sheet = figures({"package": planned(), "system": system})["system"]
    assert_words_stand_apart(sheet)
    text = sheet.svg()
    assert f"{chips:,} chip" in text
    assert len(elements(sheet, "rect")) < 600
    squares = [
        it for it in elements(sheet, "title") if re.fullmatch(r"[\d,]+ chips?", it.text or "")
    ]
    drawn = sum(int((it.text or "").split()[0].replace(",", "")) for it in squares)
    stages = min(pp, 6 if pp <= 6 else 4)
    assert drawn >= tp * stages
    assert drawn <= 1.1 * tp * stages + 64


@pytest.mark.parametrize("name", system_names())
def test_every_finished_system_is_drawn_and_says_what_is_not_known(name):
    file, library = load_system_file(name), library_of([name], load_facility_file())
    record = system_record(ll.load_system(name), file, library)
    drawn = figures(record)
    for sheet in drawn.values():
        assert_words_stand_apart(sheet)
        text = sheet.svg(alone=True)
        assert text.startswith("<svg ")
        assert ElementTree.fromstring(text).findtext(f"{SVG}desc")
    words = " ".join(drawn["package"].said)
    assert file.title in drawn["package"].title
    assert ("What its dies hold is not published" in words) == (
        record["package"]["die_area"] is not None
    )
    assert ("is not published: they are drawn dashed" in words) == (
        record["package"]["die_area"] is None
    )


def test_memories_are_filled_to_scale_and_show_what_exceeds_them():
    def memory(cache: float) -> dict:
        part = {
            "role": "main",
            "name": "HBM4",
            "capacity": 100.0,
            "bandwidth": 1.0,
            "holds": {"weights": 30.0, "cache": cache, "experts": 1e-9},
        }
        return {"parts": [part], "fullest": (30.0 + cache) / 100}

    record = {"package": planned(), "system": _machine(8, 1, 8)}
    half = figures({**record, "memory": memory(20.0)})["memory"]
    assert area_of(half, "weights") / area_of(half, "KV cache") == pytest.approx(1.5, rel=1e-3)
    bar = area_of(half, "weights") / 0.3
    assert bar / 30.0 == pytest.approx(WIDTH - 16, rel=1e-3)
    assert "routed experts" not in half.svg()
    full = figures({**record, "memory": memory(90.0)})["memory"]
    over = area_of(full, "beyond its capacity")
    assert over / area_of(full, "weights") == pytest.approx(20 / 30, rel=1e-3)
    assert_words_stand_apart(full)


def test_what_differs_from_the_first_design_is_marked_and_nothing_else():
    first = {"package": planned(), "system": _machine(8, 1, 8)}
    second = {"package": planned(compute_area=5e-4), "system": _machine(8, 2, 16)}
    plain, same, marked = (it["package"].svg() for it in compared([first, first, second]))
    assert "\N{BLACK DIAMOND}" not in plain
    assert same == plain
    assert "\N{BLACK DIAMOND} cores" in marked
    assert f"the first: {first['package']['parts']['compute'] * 1e6:.3g} mm2" in marked
    assert "\N{BLACK DIAMOND} process" not in marked
    system = compared([first, second])[1]["system"]
    assert_words_stand_apart(system)
    assert "\N{BLACK DIAMOND} pipeline stages" in system.svg()


def outlined(sheet: Sheet) -> set[str]:
    """What the shapes with a bold outline say that they are, without their sizes."""
    shapes = (it for it in elements(sheet, "rect") if "stroke-width" in it.get("style", ""))
    return {it.findtext(f"{SVG}title", "").split(":")[0] for it in shapes} - {""}


def test_what_differs_is_outlined_in_the_drawing_and_nothing_else():
    machine = _machine(8, 1, 8)
    first = {"package": planned(), "system": machine}
    second = {"package": planned(stacks=PLAN.stacks + 2), "system": {**machine, "sent": 2e10}}
    same, other = (compared([first, it])[1] for it in (first, second))
    assert [outlined(it) for it in same.values()] == [set(), set()]
    package = outlined(other["package"])
    assert {"a stack of memory", "memory interface", "interposer"} <= package
    assert not {"cores", "SRAM", "links to other chips"} & package
    assert "bold outline" in other["package"].svg()
    assert "bold outline" not in same["package"].svg()


@pytest.mark.parametrize("stacks", [1, 8])
def test_dies_and_stacks_stand_on_the_interposer(stacks):
    package = planned(stacks=stacks)
    sheet = figures({"package": package, "system": _machine(8, 1, 8)})["package"]
    interposer, *others = (
        [float(it.get(name, "nan")) for name in ("x", "y", "width", "height")]
        for it in elements(sheet, "rect")
        if re.match("interposer|a stack|cores|links", it.findtext(f"{SVG}title", ""))
    )
    for x, y, width, height in others:
        assert interposer[0] - 0.01 <= x
        assert interposer[1] - 0.01 <= y
        assert x + width <= interposer[0] + interposer[2] + 0.02
        assert y + height <= interposer[1] + interposer[3] + 0.02
    scale = scale_of([package])
    assert interposer[2] * interposer[3] / scale**2 >= package["interposer"] * (1 - 1e-3)


@pytest.mark.parametrize(("ep", "groups"), [(1, 0), (4, 2), (8, 1)])
def test_chips_tell_the_group_over_which_experts_are_spread(ep, groups):
    system = machine_record(ll.load_system("gb200"), ll.Mapping(tp=8, ep=ep), 8)
    sheet = figures({"package": planned(), "system": system})["system"]
    strips = [it for it in elements(sheet, "rect") if it.findtext(f"{SVG}title") == "experts"]
    assert len(strips) == (8 if groups else 0)
    assert len({it.get("fill") for it in strips}) == groups
    assert_words_stand_apart(sheet)


def test_hosts_are_drawn_where_their_power_is_known():
    machine = _machine(8, 1, 8)
    drawn = [
        figures({"package": planned(), "system": {**machine, "host_power": it}})["system"].svg()
        for it in (None, 100.0)
    ]
    assert ["hosts, whose number is not modelled" in it for it in drawn] == [False, True]


def test_a_row_without_room_for_its_value_takes_two_lines():
    sheet = Sheet("package", "x")
    sheet.rows([Row("a", "n" * 50, "v" * 40)], [Row("a", "n" * 50, "w" * 40)])
    assert_words_stand_apart(sheet)
    assert {it[4] for it in boxes(sheet)} >= {"v" * 40, f"the first: {'w' * 40}"}


def test_a_notebook_shows_a_design_in_pictures_but_none_that_is_traced():
    design = ll.Design(ll.load_system("h200"), ll.Mapping(tp=8), batch=32)
    shown = design._repr_html_()
    assert shown.count("<svg") == 2
    assert 'data-figure="package"' in shown
    assert 'data-figure="system"' in shown

    system = ll.load_system("h200")

    def seen(ranks):
        assert "<svg" not in ll.Design(system, ll.Mapping(tp=ranks))._repr_html_()
        return ranks

    jax.vmap(seen)(jax.numpy.ones(2))
    assert "<svg" not in ll.Design(system, ll.Mapping(tp=jax.numpy.ones(2)))._repr_html_()


def test_a_plan_in_python_is_drawn_whole():
    planned_system = PlannedSystem(
        PlannedChip(PLAN, MATERIAL), ll.load_system("h200").network, toy_system().facility
    )
    shown = ll.Design(planned_system, ll.Mapping(tp=8))._repr_html_()
    assert "crossbar, control and the rest" in shown
    assert float(planned_system.system(Exact()).chip.die_area) > 0
