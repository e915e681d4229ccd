"""Pictures of a step and of limits: to scale, and never more than what was predicted."""

import itertools
import json

import pytest

from liminal_jax.drawing.gauges import FULLEST, Gauge, gauges_sheet
from liminal_jax.drawing.roofline import roofline_sheet
from liminal_jax.drawing.svg import WIDTH
from liminal_jax.drawing.time import parts, time_sheet
from tests.cli.terminal import exit_code
from tests.drawing.test_figures import SVG, area_of, assert_words_stand_apart, elements

FLOOR = {"memory": 2.0, "compute": 1.0}
STEP = {"step_time": 5.0, "memory_time": 2.5, "compute_time": 1.0, "exposed_time": 2.0}


def test_a_step_comes_down_to_its_floor_without_a_gap():
    whole, *taken, floor = parts(STEP, FLOOR)
    assert whole.length == 5.0
    assert [it.length for it in taken] == [2.0, 0.5, 0.5]
    end = whole.length
    for it in taken:
        assert it.begin + it.length == pytest.approx(end)
        end = it.begin
    assert (floor.begin, floor.length) == (0.0, pytest.approx(end))
    assert floor.length == FLOOR["memory"]
    sheet = time_sheet(STEP, FLOOR)
    assert_words_stand_apart(sheet)
    drawn = [area_of(sheet, it.name) for it in (*taken, floor)]
    assert drawn[0] / drawn[-1] == pytest.approx(1.0, rel=1e-3)
    assert "to move each byte once at full bandwidth" in sheet.svg()


def test_a_limit_that_is_exceeded_is_first_and_longer_than_its_outline():
    gauges = [Gauge("power", "1 W of at most 2 W", 0.5), Gauge("memory", "3 B of 2 B", 1.5)]
    sheet = gauges_sheet(gauges)
    assert sheet.said == ["memory: 3 B of 2 B, 150.0 %", "power: 1 W of at most 2 W, 50.0 %"]
    assert_words_stand_apart(sheet)
    long, short = (area_of(sheet, it.value) for it in reversed(gauges))
    assert long / short == pytest.approx(FULLEST / 0.5, rel=1e-3)
    assert long / 16.0 == pytest.approx(WIDTH - 16, rel=1e-3)


FLAGS = {
    "dense": ["-m", "llama-3-70b", "--system", "h200", "--tp", "8", "--batch-size", "64"],
    "experts": ["-m", "deepseek-v3", "--system", "b200", "--tp", "8", "--ep", "8"],
}


@pytest.mark.parametrize(
    "name", [pytest.param("dense"), pytest.param("experts", marks=pytest.mark.slow)]
)
def test_operators_of_a_step_sum_to_its_times_and_lie_under_the_roof(name, capsys):
    assert exit_code(["predict", *FLAGS[name], "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    step, package = record["hardware"]["step"], record["hardware"]["package"]
    for part in ("memory", "compute"):
        total = sum(it[part] for it in step["operators"])
        assert total == pytest.approx(record[f"{part}_time"], rel=1e-9)
        assert 0 < step["floor"][part] <= total * (1 + 1e-9)
    peak, bandwidth = package["tensor_8bit"], package["memory"]["bandwidth"]
    for it in step["operators"]:
        rate = it["work"] / 8 / max(it["memory"], it["compute"])
        assert rate <= min(peak, bandwidth * it["work"] / it["traffic"]) * (1 + 1e-9)
    assert ("experts" in {it["name"] for it in step["operators"]}) == (name == "experts")
    sheet = roofline_sheet(step["operators"], 8.0, peak, bandwidth)
    assert_words_stand_apart(sheet)
    assert "ridge at" in sheet.title


def operator(name: str, intensity: float, work: float = 1e12) -> dict:
    """A kind of operators that waits for memory of 1 TB/s."""
    traffic = work / intensity
    return {
        "name": name,
        "work": work,
        "traffic": traffic,
        "memory": traffic / 1e12,
        "compute": work / 1e15,
    }


@pytest.mark.parametrize("intensity", [2.0, 90.0, 999.0])
def test_operators_at_one_place_share_a_mark_and_each_is_named(intensity):
    names = ["projections", "feed-forward", "embedding and head", "experts", "attention"]
    values = [intensity, intensity * 1.01, intensity, intensity * 1.02, intensity / 30]
    sheet = roofline_sheet(list(map(operator, names, values)), 1.0, 1e15, 1e12)
    assert_words_stand_apart(sheet)
    marks = {it.findtext(f"{SVG}title"): it for it in elements(sheet, "rect")}
    ends = sorted(float(marks[it].get("x", "nan")) for it in names[:-1])
    assert all(after - before >= 7 for before, after in itertools.pairwise(ends))
    words = [it.text for it in elements(sheet, "text")]
    assert all(words.count(it) == 2 for it in names)  # In the drawing, and in a row below it.
