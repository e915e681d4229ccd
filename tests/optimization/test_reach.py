"""The least change that reaches a speed: against a whole grid, and proofs against samples."""

import itertools
import math

import jax
import numpy as np
import pytest

import liminal_jax as ll
from liminal_jax._files import InputError
from liminal_jax.optimization.reach.levers import distance
from liminal_jax.optimization.reach.polish import places_of
from liminal_jax.optimization.reach.reach import evaluator_of, reached
from liminal_jax.optimization.reach.search import Search, each_alone
from liminal_jax.optimization.reach.start import start_of

ASKED = ("drafts", "latency", "fused", "sparse_layers")
FASTER = 1.6
"""How much faster than the start one lever alone does not make it."""


@pytest.fixture(scope="module")
def start():
    with jax.enable_x64(True):
        return start_of("llama-3-8b", "h200", None)


@pytest.fixture(scope="module")
def evaluator(start):
    with jax.enable_x64(True):
        return evaluator_of(start, ASKED)


@pytest.fixture(scope="module")
def found(start, evaluator):
    with jax.enable_x64(True):
        speed = float(evaluator(evaluator.start[None]).utps[0])
        return reached(start, FASTER * speed, ASKED)


def grid(evaluator):
    """Every combination of the values at which levers are tried."""
    return np.asarray(list(itertools.product(*(it.values for it in evaluator.levers))))


def test_a_lever_measures_its_range_in_logarithms(evaluator):
    (latency,) = (it for it in evaluator.levers if it.path.endswith("latency"))
    (drafts,) = (it for it in evaluator.levers if it.path.endswith("drafts"))
    assert (latency.place(latency.least), latency.place(latency.most)) == (0, 1)
    middle = math.sqrt(latency.least * latency.most)
    assert latency.place(middle) == pytest.approx(0.5)
    # From 0 on a lever is counted from its usual value: log((8 + 3)/3) for three drafts of eight.
    assert drafts.place(3.0) == pytest.approx(math.log(2) / math.log(11 / 3))
    assert float(drafts.at(drafts.place(3.0))) == pytest.approx(3)
    whole = {it.path: it.most for it in (latency, drafts)}
    moves = (1 - latency.place(latency.start)) + 1
    assert distance(evaluator.levers, whole) == pytest.approx(moves)
    assert distance(evaluator.levers, {}) == 0


@pytest.mark.slow
def test_levers_that_are_off_change_nothing(start, evaluator):
    with jax.enable_x64(True):
        off = evaluator(evaluator.start[None])
        plain = start.case.fleet(ll.Exact()).instance
    assert off.utps[0] == pytest.approx(float(plain.utps), rel=1e-12)
    assert off.memory[0] == pytest.approx(float(plain.memory_time), rel=1e-12)


@pytest.mark.slow
def test_no_combination_of_a_grid_is_nearer(evaluator, found):
    with jax.enable_x64(True):
        rows = grid(evaluator)
        settings = evaluator(rows)
    good = settings.feasible & (settings.utps >= found.target)
    names = [it.path for it in evaluator.levers]
    nearest = min(
        distance(evaluator.levers, dict(zip(names, row, strict=True)))
        for row in rows[good].tolist()
    )
    assert found.reachable
    assert 0 < found.distance <= nearest + 1e-6
    assert float(found.prediction.utps) >= found.target * (1 - 1e-9)


def test_contributions_add_up(found):
    gain = math.log(float(found.prediction.utps) / float(found.before.utps))
    assert sum(it.contribution for it in found.moves) == pytest.approx(gain, rel=1e-9)
    assert all(it.contribution == 0 for it in found.moves if not it.moves)
    assert [abs(it.contribution) for it in found.moves] == sorted(
        (abs(it.contribution) for it in found.moves), reverse=True
    )


def test_what_is_reached_already_needs_no_change(start):
    with jax.enable_x64(True):
        it = reached(start, 10.0, ASKED)
    assert it.reachable
    assert it.distance == 0
    assert not any(move.moves for move in it.moves)
    assert float(it.prediction.utps) == float(it.before.utps)


@pytest.mark.slow
def test_what_cannot_be_reached_is_proven(start, evaluator):
    """No combination, on the grid or between, beats the bound."""
    with jax.enable_x64(True):
        it = reached(start, 1e6, ASKED)
        chance = np.random.default_rng(0)
        places = chance.random((4096, len(evaluator.levers)))
        between = [
            lever.at(column) for lever, column in zip(evaluator.levers, places.T, strict=True)
        ]
        rows = np.concatenate([grid(evaluator), np.stack(between, axis=1)])
        most = float(np.max(evaluator(rows).utps))
        best = float(np.max(np.where(evaluator(rows).feasible, evaluator(rows).utps, 0)))
    assert not it.reachable
    assert most <= it.floor.utps < 1e6
    assert float(it.prediction.utps) >= best * (1 - 1e-9)
    assert "cannot be reached" in it.proofs[0]


def test_alone_a_lever_gets_as_far_as_its_values_do(evaluator):
    with jax.enable_x64(True):
        alone = {
            it.path: at for it, at in zip(evaluator.levers, each_alone(evaluator), strict=True)
        }
        for axis, lever in enumerate(evaluator.levers):
            rows = np.tile(evaluator.start, (257, 1))
            rows[:, axis] = lever.at(np.linspace(0, 1, 257))
            speeds = evaluator(rows).utps
            at = alone[lever.path]
            assert np.max(speeds) <= at.floor.utps
            if not lever.whole:
                assert at.utps == pytest.approx(np.max(speeds), rel=1e-3)
            assert min(places_of(lever)) <= at.place <= max(places_of(lever))


def test_merit_prefers_the_nearest_that_reaches(evaluator):
    with jax.enable_x64(True):
        search = Search(evaluator, 10.0)
        start = np.asarray([it.place(it.start) for it in evaluator.levers])
        rows = np.stack([start, np.clip(start + 0.1, 0, 1)])
        settings = evaluator(np.tile(evaluator.start, (2, 1)))
    first, second = search.merit(rows, settings)
    assert first > second > 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"utps": 0}, "utps: must be above 0"),
        ({"utps": -5}, "must be above 0"),
        ({"utps": math.inf}, "must be above 0"),
        ({"system": "h200", "study": "deepseek-v3-128k"}, "not both"),
        ({"model": None}, "model: is required"),
        ({"context": 0}, "context: must be at least 1"),
        ({"system": "h2000"}, "did you mean"),
        ({"model": "llama-3-8bb", "system": "h200"}, "did you mean"),
    ],
)
def test_what_is_wrong_is_told(given, message):
    asked = {"utps": 1000.0, "model": "llama-3-8b", **given}
    with pytest.raises(InputError) as error:
        ll.reach(asked.pop("utps"), **asked)
    assert message in "\n".join(error.value.lines())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("draftz", "did you mean 'drafts'?"),
        ("window", "is no lever of this design"),
        ("planned_sram", "is no lever of this design"),
    ],
)
def test_an_unknown_lever_is_told(start, name, message):
    with pytest.raises(InputError) as error:
        evaluator_of(start, [name])
    assert message in "\n".join(error.value.lines())


def test_groups_of_levers(start):
    with jax.enable_x64(True):
        lossless, hardware = (
            {it.path for it in evaluator_of(start, [name]).levers}
            for name in ("lossless", "hardware")
        )
    assert "algorithm.speculation.drafts" in lossless - hardware
    assert "system.network.latency" in lossless & hardware
    assert "request.weight_bits" not in lossless | hardware
