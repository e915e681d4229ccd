"""The most of each technology: against single predictions, and the floor of energy by hand."""

import math

import jax
import pytest

import liminal_jax as ll
from liminal_jax._files import InputError
from liminal_jax.hardware.power import ActivityPower
from liminal_jax.optimization.reach.ceiling import LOSSLESS, RANKS, Ceiling, alike
from liminal_jax.optimization.reach.energy_floor import energy_floor
from liminal_jax.results import ceiling as result
from liminal_jax.results.words import quantity
from tests.results.rows import html_lines, terminal_lines

NAMES = ("h200", "rubin")


@pytest.fixture(scope="module")
def found():
    with jax.enable_x64(True):
        return {it.name: it for it in alike(NAMES, "llama-3-8b", 8192.0)}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_without_levers_it_is_the_best_of_all_ranks(found, name):
    with jax.enable_x64(True):
        system, request = ll.load_system(name), ll.Request(8192)
        speeds = {}
        for tp in RANKS[:6]:
            design = ll.Design(system, ll.Mapping(tp=tp))
            one = ll.predict(design, ll.load_model("llama-3-8b"), request)
            speeds[tp] = float(one.utps) if bool(one.fits) else 0.0
    best = found[name].plain
    assert best.values["tp"] in speeds
    assert best.utps == pytest.approx(max(speeds.values()), rel=1e-9)
    assert all(best.values[path] == 0 for path in LOSSLESS)


@pytest.mark.parametrize("name", NAMES)
def test_levers_only_help_and_each_that_is_on_does(found, name):
    it = found[name]
    assert it.levers.utps >= it.plain.utps
    assert (
        it.levers.values["algorithm.speculation.drafts"] in LOSSLESS["algorithm.speculation.drafts"]
    )
    assert all(speed <= it.levers.utps for speed in it.levers.without.values())
    assert set(it.levers.without) == {path for path in LOSSLESS if it.levers.values[path]}


def test_a_number_that_is_unknown_is_none(found):
    """Rubin's energies are not published."""
    assert found["rubin"].floor is None
    assert found["rubin"].levers.above_floor is None
    assert found["h200"].levers.above_floor > 1


def test_the_floor_reads_all_once_and_multiplies_once():
    with jax.enable_x64(True):
        system, model = ll.load_system("h200"), ll.load_model("llama-3-8b")
        found = energy_floor(system, model, ll.Request(8192))
        chip, power = system.chip, system.chip.power
        assert isinstance(power, ActivityPower)
        # Weights but for the embedding table, of which one row is read, and 2 x 8 x 128 bytes of
        # cache in each of 32 layers for each token.
        weights = 32 * (4096 * (32 + 16) * 128 + 32 * 128 * 4096 + 3 * 4096 * 14336) + 128256 * 4096
        cache = 32 * 2 * 8 * 128 * 8192
        moved = (weights + cache) * float(chip.memory.energy)
        core = 32 * 4 * 32 * 128 * 8192
        scale = float(chip.tensor.bits_8 / chip.tensor.known_at(16.0))
        arithmetic = (2 * weights + core * scale) * float(power.flop_energy)
    assert found == pytest.approx(moved + arithmetic, rel=1e-3)


def test_the_page_tells_every_technology(found):
    whole = Ceiling("llama-3-8b", 8192.0, tuple(found.values()), 1.0).to_dict()
    page = result.page(whole)
    lines = terminal_lines(page)
    assert lines == html_lines(page)
    for it in found.values():
        for peak in (it.plain, it.levers):
            words = quantity("utps", peak.utps or 0.0, "1/s")
            assert any(line.startswith(f"{it.title} ") and words in line for line in lines)


@pytest.mark.parametrize("context", [0, -1, math.nan])
def test_a_context_that_is_none(context):
    with pytest.raises(InputError, match="context: must be at least 1"):
        ll.ceiling("llama-3-8b", context=context)
