"""The most speed, and what more needs: roots and the shortest way, against straight lines."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import liminal_jax as ll
from experiments import plateau
from experiments.plateau import EXPERIMENT, HELPS, MEANS, Start, changed_speed
from experiments.runner import main
from experiments.talk_setting import step, talk_chips, talk_models


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("smoke")


@pytest.fixture(scope="module")
def results(folder):
    assert main(EXPERIMENT, ["--smoke", "-o", str(folder), "--overwrite"]) == 0
    return json.loads((folder / "results.json").read_text())


@pytest.fixture(scope="module")
def start(results):
    (model,) = talk_models(["Llama3-70B"]).values()
    ranks = results["rows"]["128K"]["Llama3-70B"]["most"]["HBM4"]["chips"]
    with jax.enable_x64(True):
        return Start(
            talk_chips(["HBM4"])["HBM4"], model, jnp.asarray(float(ranks)), jnp.asarray(131072.0)
        )


@pytest.mark.slow
def test_the_most_is_the_best_of_what_was_tried(results):
    most = results["rows"]["128K"]["Llama3-70B"]["most"]["HBM3"]
    (model,) = talk_models(["Llama3-70B"]).values()
    with jax.enable_x64(True):
        chip = talk_chips(["HBM3"])["HBM3"]
        speeds = {it: float(step(chip, model, ranks=it).utps) for it in EXPERIMENT.smoke["ranks"]}
    assert most["utps"] == pytest.approx(max(speeds.values()))
    assert speeds[most["chips"]] == max(speeds.values())


@pytest.mark.slow
def test_a_model_without_memory_for_it_has_no_speed(results):
    """64 GiB of weights and 20 of cache do not fit into 128 chips of half a GiB."""
    assert results["rows"]["128K"]["Llama3-70B"]["most"]["SRAM"] is None


@pytest.mark.slow
def test_latency_alone_follows_a_straight_line(results, start):
    with jax.enable_x64(True):
        whole = step(start.system, start.model, ranks=start.ranks)
        left = 1 / plateau.WANTED - float(whole.step_time - whole.exposed_time)
        expected = float(whole.exposed_time) / left if left > 0 else None
    found = results["rows"]["128K"]["Llama3-70B"]["alone"]["latency"]
    assert found == (None if expected is None else pytest.approx(expected, rel=1e-9))


@pytest.mark.slow
def test_layers_alone_shorten_all_in_proportion(results):
    row = results["rows"]["128K"]["Llama3-70B"]
    assert row["alone"]["layers"] == pytest.approx(
        plateau.WANTED / row["most"]["HBM4"]["utps"], rel=1e-9
    )


@pytest.mark.slow
def test_all_together_reach_the_speed_and_ask_less_of_each(results, start):
    row = results["rows"]["128K"]["Llama3-70B"]
    for target, way in row["together"].items():
        with jax.enable_x64(True):
            change = jnp.log(jnp.asarray([way[it] for it in MEANS])) * HELPS
            reached = float(jnp.exp(changed_speed(start, change, ll.Exact())))
        assert reached == pytest.approx(float(target), rel=1e-6)
    for name, factor in row["alone"].items():
        if factor is not None:
            assert row["together"]["10000"][name] < factor


@pytest.mark.slow
def test_no_way_near_the_shortest_is_shorter(results, start):
    """Small turns of the way, lengthened until they reach the speed, are no shorter."""
    way = results["rows"]["128K"]["Llama3-70B"]["together"]["10000"]
    best = np.log([way[it] for it in MEANS]) * np.asarray(HELPS)
    chance = np.random.default_rng(0)
    with jax.enable_x64(True):
        speed = jax.jit(lambda it: changed_speed(start, it, ll.Exact()))
        for _ in range(20):
            turned = best + 0.1 * np.linalg.norm(best) * chance.standard_normal(4) / 2
            reach = plateau.crossing(
                lambda it, turned=turned: jnp.log(plateau.WANTED) - speed(it * turned), 0.5, 4.0
            )
            assert float(reach) * np.linalg.norm(turned) >= 0.995 * np.linalg.norm(best)


def _row(speed, bandwidth):
    most = {"HBM3": {"utps": speed, "chips": 8}, "HBM4": None}
    way = dict.fromkeys(MEANS, 2.0)
    needs = {"alone": dict.fromkeys(MEANS, bandwidth), "together": {"100000": way}}
    return {"4K": {"one": {"most": most, **(needs if speed < plateau.WANTED else {})}}}


@pytest.mark.parametrize(
    ("speed", "bandwidth", "expected"),
    [
        (5000.0, None, ["holds", "holds", "holds"]),
        (4999.0, 3.0, ["does not hold", "holds", "does not hold"]),
        (10000.0, None, ["holds", "does not hold", "does not hold"]),
    ],
)
def test_verdicts_follow_from_the_numbers(speed, bandwidth, expected):
    assert [it["verdict"] for it in plateau.verdicts(_row(speed, bandwidth))] == expected


@pytest.mark.slow
def test_the_figure_is_there(folder, results):
    assert results["verdicts"]
    assert (folder / "plateau.png").stat().st_size > 0
