"""The numbers behind the sliders: those that `predict` gives, drawn within a blink."""

import json
import re
import time

import equinox as eqx
import jax
import numpy as np
import pytest

import liminal_jax as ll
from liminal_jax._arrays import as_leaf
from liminal_jax._files import InputError
from liminal_jax.data.catalogue import DATA
from liminal_jax.study.file import load_design
from liminal_jax.study.predicted import predicted
from liminal_jax.view.app import drawings, svg
from liminal_jax.view.app.opened import chosen, open_pair, open_run
from liminal_jax.view.app.scene import BATCHES, best_of, dragged_mapping, pictured
from liminal_jax.view.app.sliders import numbers_of, sliders_of
from liminal_jax.view.app.words import heading, notes

PAIRS = (("llama-3-8b", "h200"), ("gpt-oss-20b", "xpu-hbm4"), ("qwen3-30b-a3b", "tpu-v5p"))
PLAN = {
    "memory": "3d-dram",
    "process": "n4p",
    "stacks": 7,
    "dies": 4,
    "compute_area": "525 mm2",
    "sram": "64 MB",
    "link_bandwidth": "900 GB/s",
    "domain": 72,
    "chips": 40,
    "tp": 2,
    "pp": 4,
    "batch": 16,
}


def same(one, other):
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9)


def design(system, chips, batch):
    return ll.Design(ll.load_system(system), ll.Mapping(tp=chips), ll.Placement(), batch=batch)


def moved(opened, **values):
    """The numbers of a design with some of them changed."""
    names = tuple(values)
    return eqx.tree_at(
        lambda it: [getattr(it, name) for name in names],
        opened.start,
        [as_leaf(it) for it in values.values()],
    )


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """The folder of a run with a planned chip."""
    import tomli_w

    folder = tmp_path_factory.mktemp("run")
    tables = {
        "workload": {"model": "llama-3-8b", "context": 8192},
        "design": PLAN,
        "assumptions": {"facility": {"selling_multiple": 6.3}, "network": {"latency": "3 us"}},
    }
    (folder / "design.toml").write_text(tomli_w.dumps(tables))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(("model", "system"), PAIRS)
def test_it_begins_at_what_predict_says(model, system):
    opened = open_pair(model, system)
    picture = pictured(opened.scene, opened.start)
    chips = float(opened.start.chips)
    talk = opened.scene.assumptions
    request = ll.Request(context=8192)
    same(
        picture.now,
        ll.predict(design(system, chips, 16), ll.load_model(model), request, talk),
    )
    assert picture.now.fits
    for row in (0, 5, len(BATCHES) - 1):
        it = ll.predict(design(system, chips, BATCHES[row]), ll.load_model(model), request, talk)
        same(jax.tree.map(lambda leaf, row=row: leaf[row], picture.front), it)


def test_each_slider_changes_what_it_says():
    opened = open_pair("llama-3-8b", "h200")
    numbers = moved(
        opened, bandwidth=8e12, capacity=80e9, latency=1e-6, chips=4, batch=32, context=32768
    )
    start = design("h200", 4, 32)
    changed = eqx.tree_at(
        lambda it: (
            it.system.chip.memory.bandwidth,
            it.system.chip.memory.capacity,
            it.system.network.latency,
            it.system.network.scale_out.latency,
        ),
        start,
        (8e12, 80e9, 1e-6, start.system.network.scale_out.latency / 2.3),
    )
    wanted = ll.predict(changed, ll.load_model("llama-3-8b"), ll.Request(context=32768))
    same(pictured(opened.scene, numbers).now, wanted)


def test_sram_takes_the_room_of_cores():
    opened = open_pair("llama-3-8b", "h200")
    system = opened.scene.base.system(moved(opened, sram_share=0.5))
    start = opened.scene.base.system(opened.start)
    # The H200 has 814 mm2 in N4, whose SRAM holds 1.5 MB for each mm2, and 300 TB/s for each GB.
    assert float(system.chip.sram.capacity) == pytest.approx(0.5 * 814 * 1.5e6)
    assert float(system.chip.sram.bandwidth) == pytest.approx(0.5 * 814 * 1.5e6 * 3e5)
    assert float(system.chip.tensor.bits_8) == pytest.approx(0.5 * 1979e12)
    assert float(system.chip.vector) == pytest.approx(0.5 * float(start.chip.vector))
    assert float(start.chip.sram.capacity) == 0
    quicker = pictured(opened.scene, moved(opened, sram_share=0.5, batch=1)).now
    assert quicker.memory_time < pictured(opened.scene, moved(opened, batch=1)).now.memory_time


@pytest.mark.slow
def test_a_planned_chip_is_paid_for_as_it_is_dragged(planned):
    opened = open_run(str(planned))
    picture = pictured(opened.scene, opened.start)
    same(picture.now, predicted(load_design(str(planned / "design.toml"))).prediction)
    more = pictured(opened.scene, moved(opened, capacity=2 * opened.start.capacity)).now
    assert more.capital.chips > picture.now.capital.chips
    share = float(opened.start.sram_share)
    less_sram = opened.scene.base.system(moved(opened, sram_share=share / 2)).chip
    chip = opened.scene.base.system(opened.start).chip
    assert float(less_sram.sram.capacity) == pytest.approx(float(chip.sram.capacity) / 2)
    assert less_sram.tensor.bits_8 > chip.tensor.bits_8
    assert opened.notes[0] == "Shown is one of 5 instances on 40 chips."
    assert "follow from what is dragged" in opened.notes[1]


def test_a_drag_compiles_nothing_and_takes_a_blink(caplog):
    opened = open_pair("llama-3-8b", "h200")
    sliders = sliders_of(opened)
    start = pictured(opened.scene, opened.start)
    begun = {it.name: it.shown[it.start] for it in sliders}

    def drag(name, stop):
        numbers = numbers_of(opened.start, sliders, {**begun, name: stop})
        picture = pictured(opened.scene, numbers)
        drawings.page(picture, start, "a chip", heading(opened, numbers), opened.notes)

    drag("batch", begun["batch"])
    took = []
    with jax.log_compiles():
        for it in sliders:
            for stop in (it.shown[0], it.shown[-1]):
                before = time.perf_counter()
                drag(it.name, stop)
                took.append(time.perf_counter() - before)
        assert "ompil" not in caplog.text
        jax.jit(lambda x: x + len(took))(1.0)
        assert "ompil" in caplog.text
    # Some milliseconds on an idle machine; the bound is what a page may take in all.
    assert np.median(took) < 0.3


@pytest.mark.slow
def test_sliders_begin_exactly_where_the_design_is(planned):
    for opened in (open_pair("deepseek-v3", "h200"), open_run(str(planned))):
        sliders = sliders_of(opened)
        assert [it.name for it in sliders] == [
            "bandwidth",
            "latency",
            "capacity",
            "chips",
            "batch",
            "context",
            "sram_share",
        ]
        for it in sliders:
            assert sorted(set(it.shown)) == list(it.shown)
            assert it.values[it.start] == float(getattr(opened.start, it.name))
        shown = {it.name: it.shown[it.start] for it in sliders}
        same(numbers_of(opened.start, sliders, shown), opened.start)


def test_what_the_hardware_lacks_has_no_slider():
    names = [it.name for it in sliders_of(open_pair("llama-3-8b", "tpu7x"))]
    assert "sram_share" not in names
    torus = {it.name: it.label for it in sliders_of(open_pair("llama-3-8b", "tpu-v5p"))}
    assert torus["latency"] == "latency of a hop [us]"


def test_more_chips_are_more_tensor_parallelism():
    start = ll.Mapping(tp=8, cp=1, pp=2, ep=8)
    for chips, tp, ep in ((16, 8, 8), (32, 16, 8), (8, 4, 4), (2, 1, 1)):
        it = dragged_mapping(start, as_leaf(chips))
        assert (float(it.tp), float(it.pp), float(it.ep)) == (tp, 2, ep)


def test_the_front_is_what_nothing_else_beats():
    across, up = np.array([4.0, 3.0, 2.0, 2.0, 1.0]), np.array([1.0, 3.0, 2.0, 3.0, np.nan])
    assert best_of(across, up, np.ones(5, bool)).tolist() == [True, True, False, False, False]
    assert not best_of(across, up, np.zeros(5, bool)).any()


def drawn(opened, numbers, efficiency="a chip"):
    start = pictured(opened.scene, opened.start)
    picture = pictured(opened.scene, numbers)
    return picture, drawings.page(picture, start, efficiency, "what", notes(opened, numbers))


@pytest.mark.parametrize("efficiency", list(drawings.EFFICIENCIES))
def test_the_page_holds_the_numbers_and_no_holes(efficiency):
    opened = open_pair("llama-3-8b", "h200")
    picture, html = drawn(opened, moved(opened, latency=1e-5, chips=2), efficiency)
    numbers = dict(re.findall(r'<data value="([^"]+)" data-path="([^"]+)">', html))
    numbers = {path: float(value) for value, path in numbers.items()}
    assert numbers["utps"] == float(picture.now.utps)
    assert numbers["usd_per_million_tokens"] == float(picture.now.usd_per_million_tokens)
    assert numbers["power"] == pytest.approx(sum(jax.tree.leaves(picture.now.power)))
    assert html.count("<svg") == 4
    assert not re.search(r'="[^"]*\b(nan|inf)', html)
    assert not re.search(r"https?://", html)


def test_what_does_not_fit_or_is_not_known_is_said():
    opened = open_pair("deepseek-v3", "h200")
    _, html = drawn(opened, moved(opened, chips=1))
    assert "does not fit" in html
    assert "no batch fits in memory" in html
    assert "One chip has no collectives" in html
    opened = open_pair("gpt-oss-20b", "xpu-hbm4")
    _, html = drawn(opened, opened.start, "a dollar")
    assert "price and provisioned power stay as they are" in html
    assert "its power or price is not known" in html
    assert ("no collectives" in html) == (float(opened.start.chips) == 1)
    assert not re.search(r'="[^"]*\b(nan|inf)', html)


def test_axes_rest_while_numbers_move_a_little():
    ends = [(it.low, it.high) for it in (svg.across([3.0, 40.0]), svg.across([3.1, 41.0]))]
    assert ends == [(2.0, 50.0)] * 2
    axis = svg.Logarithmic(1.0, 100.0, 0.0, 10.0)
    assert axis.at(10.0) == pytest.approx(5.0)
    assert axis.marks() == pytest.approx([1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0])
    assert svg.Linear(0.0, 12.0, 0.0, 1.0).marks() == [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0]


def test_files_and_runs_are_opened_before_names(tmp_path, planned):
    config = tmp_path / "config.json"
    shape = {
        "model_type": "llama",
        "hidden_size": 2048,
        "intermediate_size": 8192,
        "num_hidden_layers": 16,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 32000,
    }
    config.write_text(json.dumps(shape))
    fields = {"model": "deepseek-v3", "model_file": "", "system": "h200", "system_file": None}
    assert chosen({**fields, "run": ""}).file.workload.model == "deepseek-v3"
    own = chosen({**fields, "model_file": f" {config} ", "run": ""})
    assert own.file.workload.model == str(config)
    assert chosen({**fields, "run": str(planned)}).file.workload.model == "llama-3-8b"


def test_what_cannot_be_opened_is_told(tmp_path, planned):
    fields = {"model": None, "model_file": "", "system": None, "system_file": "", "run": ""}
    (tmp_path / "empty").mkdir()
    apart = tmp_path / "apart.toml"
    known = (DATA / "systems" / "groq-lpu-v1.toml").read_text()
    unknown = re.sub(r"(?m)^bandwidth = .*GB/s.*", 'bandwidth = { unknown = "none" }', known)
    apart.write_text(unknown.replace('"groq-lpu-v1"', '"apart"'))
    cases = (
        (lambda: chosen(fields), "choose a model"),
        (lambda: open_pair("llama-3-8c", "h200"), "--model: llama-3-8c: is neither"),
        (lambda: open_pair("llama-3-8c", "h200"), "did you mean 'llama-3-8b'?"),
        (lambda: open_pair("llama-3-8b", "h20"), "--system: there is no system 'h20'; did you"),
        (lambda: open_pair("llama-3-8b", str(apart)), "has no known bandwidth of its network"),
        (lambda: open_run(str(planned) + "x"), f"did you mean '{planned.name}'?"),
        (lambda: open_run(str(tmp_path / "empty")), "holds no design.toml; give a run of"),
        (lambda: open_run(str(tmp_path)), "holds no design.toml"),
    )
    for call, message in cases:
        with pytest.raises(InputError) as refused:
            call()
        assert message in "\n".join(refused.value.lines())
