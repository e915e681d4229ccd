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
from liminal_jax._smooth import Exact
from liminal_jax.data.catalogue import DATA
from liminal_jax.optimization.search.best_design import find
from liminal_jax.study.file import load_design
from liminal_jax.study.predicted import predicted
from liminal_jax.view.app import drawings, svg
from liminal_jax.view.app.judged import judge_of
from liminal_jax.view.app.opened import chosen, open_pair, open_run
from liminal_jax.view.app.optimised import optimised
from liminal_jax.view.app.scene import (
    BATCHES,
    as_arrays,
    best_of,
    dragged_mapping,
    pictured,
)
from liminal_jax.view.app.scene import (
    drawn as drawn_hardware,
)
from liminal_jax.view.app.sliders import number_slider, numbers_of
from liminal_jax.view.app.words import heading, link, notes

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
    return {**opened.start, **values}


def hardware(opened, numbers):
    """The hardware of a design at some numbers."""
    return opened.scene.begun(as_arrays(numbers)).built(Exact())


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
    chips = opened.start["chips"]
    talk = opened.case.assumptions
    request = ll.Request(context=8192)
    same(
        picture.now,
        ll.predict(design(system, chips, 16), ll.load_model(model), request, talk),
    )
    assert picture.now.fits
    for row in (0, 5, len(BATCHES) - 1):
        it = ll.predict(design(system, chips, BATCHES[row]), ll.load_model(model), request, talk)
        same(jax.tree.map(lambda leaf, row=row: leaf[row], picture.front), it)


@pytest.mark.slow
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
    system = hardware(opened, moved(opened, sram_share=0.5))
    start = hardware(opened, opened.start)
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
    more = pictured(opened.scene, moved(opened, capacity=2 * opened.start["capacity"])).now
    assert more.capital.chips > picture.now.capital.chips
    share = opened.start["sram_share"]
    less_sram = hardware(opened, moved(opened, sram_share=share / 2)).chip
    chip = hardware(opened, opened.start).chip
    assert float(less_sram.sram.capacity) == pytest.approx(float(chip.sram.capacity) / 2)
    assert less_sram.tensor.bits_8 > chip.tensor.bits_8
    assert opened.notes[0] == "Shown is one of 5 instances on 40 chips."
    assert "follow from what is dragged" in opened.notes[1]


def test_a_drag_compiles_nothing_and_takes_a_blink(caplog):
    opened = open_pair("llama-3-8b", "h200")
    sliders = opened.sliders
    start = pictured(opened.scene, opened.start)
    begun = {it.name: it.shown[it.start] for it in sliders}

    def drag(name, stop):
        numbers = numbers_of(opened.start, sliders, {**begun, name: stop})
        picture = pictured(opened.scene, numbers)
        hardware = drawn_hardware(opened.scene, numbers, opened.category(numbers))
        drawings.page(picture, start, "a chip", told(opened, numbers, picture), hardware)
        assert 'data-figure="package"' in hardware

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
    # 34 ms on two busy cores, half of it for package and instance; the bound is what a page may
    # take in all.
    assert np.median(took) < 0.3


@pytest.mark.slow
def test_sliders_begin_exactly_where_the_design_is(planned):
    for opened, experts in (
        (open_pair("deepseek-v3", "h200"), ["ep"]),
        (open_run(str(planned)), []),
    ):
        sliders = opened.sliders
        assert [it.name for it in sliders] == [
            "bandwidth",
            "latency",
            "capacity",
            "chips",
            *experts,
            "batch",
            "context",
            "sram_share",
        ]
        for it in sliders:
            assert sorted(set(it.shown)) == list(it.shown)
            assert it.values[it.start] == opened.start[it.name]
        shown = {it.name: it.shown[it.start] for it in sliders}
        assert numbers_of(opened.start, sliders, shown) == opened.start


@pytest.mark.slow
def test_what_the_hardware_lacks_has_no_slider():
    names = [it.name for it in open_pair("llama-3-8b", "tpu7x").sliders]
    assert "sram_share" not in names
    torus = {it.name: it.label for it in open_pair("llama-3-8b", "tpu-v5p").sliders}
    assert torus["latency"] == "latency of a hop [us]"


def test_more_chips_are_more_tensor_parallelism():
    start = ll.Mapping(tp=8, cp=1, pp=2, ep=8)
    for chips, tp, ep in ((16, 8, 8), (32, 16, 8), (8, 4, 4), (2, 1, 1)):
        it = dragged_mapping(start, as_leaf(chips), as_leaf(8))
        assert (float(it.tp), float(it.pp), float(it.ep)) == (tp, 2, ep)


def test_the_front_is_what_nothing_else_beats():
    across, up = np.array([4.0, 3.0, 2.0, 2.0, 1.0]), np.array([1.0, 3.0, 2.0, 3.0, np.nan])
    assert best_of(across, up, np.ones(5, bool)).tolist() == [True, True, False, False, False]
    assert not best_of(across, up, np.zeros(5, bool)).any()


def drawn(opened, numbers, efficiency="a chip"):
    start = pictured(opened.scene, opened.start)
    picture = pictured(opened.scene, numbers)
    return picture, drawings.page(picture, start, efficiency, told(opened, numbers, picture))


def told(opened, numbers, picture):
    return drawings.Told(heading(opened, numbers, picture), notes(opened, picture), "", "?")


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


def test_the_package_of_a_finished_chip_has_its_stacks():
    opened = open_pair("llama-3-8b", "h200")
    html = drawn_hardware(opened.scene, opened.start, opened.category(opened.start))
    assert "6 x HBM3E" in html
    assert html.count("<title>a stack of HBM3E</title>") == 6


@pytest.mark.slow
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
    assert ("no collectives" in html) == (opened.start["chips"] == 1)
    assert not re.search(r'="[^"]*\b(nan|inf)', html)


def test_axes_rest_while_numbers_move_a_little():
    ends = [(it.low, it.high) for it in (svg.across([3.0, 40.0]), svg.across([3.1, 41.0]))]
    assert ends == [(2.0, 50.0)] * 2
    axis = svg.Logarithmic(1.0, 100.0, 0.0, 10.0)
    assert axis.at(10.0) == pytest.approx(5.0)
    assert axis.marks() == pytest.approx([1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0])
    assert svg.Linear(0.0, 12.0, 0.0, 1.0).marks() == [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0]


@pytest.mark.slow
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
    fields = {
        "model": "deepseek-v3",
        "model_file": "",
        "system": "h200",
        "system_file": None,
        "study": None,
    }
    assert chosen({**fields, "run": ""}).file.workload.model == "deepseek-v3"
    own = chosen({**fields, "model_file": f" {config} ", "run": ""})
    assert own.file.workload.model == str(config)
    assert chosen({**fields, "run": str(planned)}).file.workload.model == "llama-3-8b"


@pytest.mark.slow
def test_what_cannot_be_opened_is_told(tmp_path, planned):
    fields = {
        "model": None,
        "model_file": "",
        "system": None,
        "system_file": "",
        "study": "",
        "run": "",
    }
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


STUDY = """
name = "few"
[workload]
model = "qwen3-30b-a3b"
context = 8192
[design]
system = { choices = ["h200", "b200"] }
tp = { choices = [1, 2, 4] }
ep = { choices = [1, 2, 4] }
batch = { choices = [1, 8, 64, 256] }
[objective]
minimise = "usd_per_million_tokens"
[[constraints]]
quantity = "utps"
at_least = 300
"""


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """A small study, opened."""
    path = tmp_path_factory.mktemp("study") / "few.toml"
    path.write_text(STUDY)
    return open_run(str(path))


@pytest.mark.slow
def test_a_study_is_dragged_over_its_grids_and_judged(few):
    names = {it.name: it for it in few.sliders}
    assert list(names) == ["category", "mapping.tp", "mapping.ep", "batch", "request.context"]
    assert names["category"].words == ("h200", "b200")
    assert names["mapping.tp"].values == (1, 2, 4)
    judge = judge_of(few.problem)
    at = {**few.start, "category": 1.0, "mapping.tp": 4.0, "mapping.ep": 2.0, "batch": 8.0}
    judged, picture = judge(few.scene, at), pictured(few.scene, at)
    mapping = ll.Mapping(tp=4, ep=2)
    wanted = ll.predict(
        ll.Design(ll.load_system("b200"), mapping, batch=8),
        ll.load_model("qwen3-30b-a3b"),
        ll.Request(context=8192),
    )
    same(picture.now, wanted)
    assert judged.value == pytest.approx(float(wanted.usd_per_million_tokens))
    (limit,) = (it for it in judged.limits if not it.physical)
    assert limit.value == pytest.approx(float(wanted.utps))
    assert limit.holds == (wanted.utps >= 300)
    html = drawings.page(picture, picture, "a chip", told(few, at, picture), "", (judged, judged))
    assert "how far each limit is used" in html
    assert "few: qwen3-30b-a3b on 4 x b200 TP4 EP2" in html


@pytest.mark.slow
def test_the_best_from_here_is_the_optimum(few):
    found = optimised(few, few.start, "a chip")
    best = find(few.problem)
    judged = judge_of(few.problem)(few.scene, found.numbers)
    assert judged.feasible
    assert "proven" in found.told
    assert judged.value == pytest.approx(best.objective)


@pytest.mark.slow
def test_the_best_of_a_design_serves_no_user_more_slowly():
    opened = open_pair("llama-3-8b", "h200").with_levers(["algorithm.speculation.drafts"])
    found = optimised(opened, opened.start, "a chip")
    before, after = (pictured(opened.scene, it).now for it in (opened.start, found.numbers))
    assert after.utps >= before.utps * (1 - 1e-5)
    assert after.stps / after.chips > before.stps / before.chips
    # Nothing that can be dragged to is better: by every batch and draft on as many chips.
    for drafts in range(17):
        at = {**found.numbers, "algorithm.speculation.drafts": float(drafts)}
        front = pictured(opened.scene, at).front
        kept = front.fits & (front.utps >= before.utps)
        most = np.max(np.where(kept, front.stps / front.chips, 0.0))
        assert most <= after.stps / after.chips * (1 + 1e-9)


def test_the_package_follows_what_is_dragged(planned):
    opened = open_run(str(planned))
    before, after = (
        drawn_hardware(opened.scene, it, opened.category(it))
        for it in (opened.start, moved(opened, sram_share=0.5 * opened.start["sram_share"]))
    )
    assert before.count('data-figure="package"') == after.count('data-figure="package"') == 1
    assert before != after
    assert "for data that stay: 256 MB" in before
    assert "for data that stay: 128 MB" in after


@pytest.mark.slow
def test_levers_are_dragged():
    opened = open_pair("llama-3-8b", "h200")
    more = opened.with_levers(["algorithm.speculation.drafts", "request.kv_bits"])
    assert [it.label for it in more.sliders[-2:]] == ["drafts a step", "bits of a cache element"]
    off = pictured(more.scene, more.start).now
    same(off, pictured(opened.scene, opened.start).now)
    on = {**more.start, "algorithm.speculation.drafts": 3.0, "request.kv_bits": 4.0}
    speculation = ll.Speculation(drafts=3)
    design = ll.Design(
        ll.load_system("h200"), batch=16, algorithm=ll.Algorithm(speculation=speculation)
    )
    request = ll.Request(context=8192, kv_bits=4, attention_bits=opened.case.request.attention_bits)
    wanted = ll.predict(design, ll.load_model("llama-3-8b"), request)
    assert float(pictured(more.scene, on).now.utps) == pytest.approx(float(wanted.utps))
    assert "drafts a step" not in more.levers
    with pytest.raises(InputError, match="leave out either"):
        opened.with_levers(["algorithm.speculation.drafts", "algorithm.parallel.canvas"])


def test_stops_of_any_number():
    assert number_slider("request.kv_bits", 8.0).shown == (2.0, 3.0, 4.0, 6.0, 8.0, 16.0)
    shares = number_slider("algorithm.overlap.fused", 0.0)
    assert (shares.shown[0], shares.shown[-1]) == (0.0, 0.97)
    buffer = number_slider("algorithm.prefetch.buffer", 0.0)
    assert buffer.label == "SRAM for prefetch [MB]"
    assert buffer.values[:2] == (0.0, 1e6)


def test_a_link_restores_what_is_seen():
    address = link({"model": "a b", "run": None}, ["x", "y"], {"batch": 0.1 + 0.2})
    assert address == "?model=a+b&levers=x%2Cy&batch=0.30000000000000004"
