"""How long collectives may take: roots of the exact model against its straight lines."""

import json

import jax
import jax.numpy as jnp
import pytest

from experiments import synchronisation
from experiments.runner import main
from experiments.synchronisation import EXPERIMENT
from experiments.talk_setting import at_latency, stacked, step, talk_chips, talk_models

COLLECTIVES = 80 * 4
"""Of Llama3-70B on 128 chips: two a layer, and two more for a split sequence."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("smoke")


@pytest.fixture(scope="module")
def results(folder):
    assert main(EXPERIMENT, ["--smoke", "-o", str(folder), "--overwrite"]) == 0
    return json.loads((folder / "results.json").read_text())


@pytest.fixture(scope="module")
def busy():
    """Time of a step but for collectives, by chip [s]."""
    (model,) = talk_models(["Llama3-70B"]).values()
    with jax.enable_x64(True):
        steps = {
            name: step(at_latency(chip, jnp.asarray(1e-6)), model, ranks=128.0)
            for name, chip in talk_chips(synchronisation.CHIPS).items()
        }
        return {name: float(it.step_time - it.exposed_time) for name, it in steps.items()}


@pytest.mark.slow
def test_collectives_dominate_where_they_take_as_long_as_all_else(results, busy):
    for chip, cell in results["rows"]["Llama3-70B"]["128"].items():
        assert cell["dominates"] == pytest.approx(busy[chip] / COLLECTIVES, rel=1e-9)


@pytest.mark.slow
def test_the_gain_is_lost_where_a_straight_line_says(results, busy):
    """(base + n L)/(chip + n L) = factor."""
    factor = synchronisation.LOST
    for chip in ("HBM4", "3D-DRAM", "SRAM"):
        cell = results["rows"]["Llama3-70B"]["128"][chip]
        expected = (busy["HBM3"] - factor * busy[chip]) / (factor - 1) / COLLECTIVES
        assert cell["loses"] == pytest.approx(expected, rel=1e-9)


@pytest.mark.slow
def test_a_chip_gains_nothing_over_itself(results):
    cell = results["rows"]["Llama3-70B"]["128"]["HBM3"]
    assert cell["loses"] is None
    assert cell["gain"] == pytest.approx({"demanded": 1.0, "too_long": 1.0}, rel=1e-12)


@pytest.mark.slow
def test_the_edge_passes_through_the_roots(results):
    """Where memory is the limit, twice the bandwidth bears half the latency."""
    edge, bandwidths = results["edges"]["Llama3-70B"], results["bandwidths"]
    products = [it * bandwidth for it, bandwidth in zip(edge[:2], bandwidths[:2], strict=True)]
    assert products[0] == pytest.approx(products[1], rel=1e-9)
    half = synchronisation.exposed_share
    with jax.enable_x64(True):
        (model,) = talk_models(["Llama3-70B"]).values()
        chip = stacked([talk_chips(["HBM3"])["HBM3"]])
        found = float(synchronisation.dominating(chip, model, jnp.asarray(128.0))[0])
        share = half(talk_chips(["HBM3"])["HBM3"], model, jnp.asarray(128.0), jnp.asarray(found))
        assert float(share) == pytest.approx(0.5, rel=1e-9)


@pytest.mark.slow
def test_the_map_darkens_upwards_and_to_the_right(results):
    shares = jnp.asarray(results["map"])
    assert bool((jnp.diff(shares, axis=0) > 0).all())
    assert bool((jnp.diff(shares, axis=1) >= 0).all())


def _rows(dominates, gain):
    cell = {"dominates": dominates, "loses": 1e-6, "gain": {"too_long": gain}}
    return {"one": {"128": {"HBM4": cell, "3D-DRAM": cell}}}


@pytest.mark.parametrize(
    ("dominates", "gain", "expected"),
    [(1e-6, 1.25, ["holds", "holds"]), (1.1e-6, 1.3, ["does not hold", "does not hold"])],
)
def test_verdicts_follow_from_the_numbers(dominates, gain, expected):
    found = synchronisation.verdicts(_rows(dominates, gain))
    assert [it["verdict"] for it in found] == expected


@pytest.mark.slow
def test_the_figure_is_there(folder, results):
    assert (folder / "synchronisation.png").stat().st_size > 0
    assert len(synchronisation.plot(results).axes) == 2
