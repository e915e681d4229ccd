"""Layers that choose for themselves: bounds and best designs against lists of every design."""

import numpy as np
import pytest

import liminal_jax as ll
from liminal_jax.optimization.coupled.descent import STARTS
from liminal_jax.optimization.coupled.search import search
from liminal_jax.study.layers.space import PerLayer
from tests.optimization.coupled.instances import best_by_enumeration

GOALS = ({"maximise": "utps"}, {"minimise": "energy_per_token"})
FEW_STEPS = STARTS._replace(starts=2, rounds=3)
BITS, KV_BITS = (4, 8, 16), (4, 8)


def model(random):
    """Three layers of two kinds, with widths of their own."""
    hidden = float(random.choice([512, 1024, 2048]))
    attention = ll.GroupedQuery(heads=8, kv_heads=4, head_dim=hidden / 8)
    mixture = ll.Mixture(experts=8, top_k=2, intermediate=hidden)
    return ll.Model(
        hidden=hidden,
        layers=(ll.Layers(1, attention, ll.Dense(4 * hidden)), ll.Layers(2, attention, mixture)),
        tables=ll.Tables(vocabulary=1000),
    )


def losses(random):
    """Rows of a table of which 1 lies between the least and the most that layers can lose."""
    bits, kv_bits = (np.sort(random.uniform(size=(3, len(it))))[:, ::-1] for it in (BITS, KV_BITS))
    least, most = (bits[:, at].sum() + kv_bits[:, at].sum() for at in (-1, 0))
    scale = 1 / (least + random.choice([0.15, 0.4, 0.7]) * (most - least))
    parts = (("bits", BITS, bits), ("kv_bits", KV_BITS, kv_bits))
    return [
        {"layer": layer, name: value, "loss": float(scale * table[layer, place])}
        for name, values, table in parts
        for layer in range(3)
        for place, value in enumerate(values)
    ]


def instance(seed):
    """A random question of three layers, in eight settings of what they share."""
    random = np.random.default_rng(seed)
    design = ll.Design(ll.load_system("b200"), ll.Mapping())
    shared = {"memory.bandwidth": [1e12, 6e12], "sram.capacity": [3e6, 2e7], "batch": [2, 32]}
    space = ll.Space(design, shared, model=model(random), request=ll.Request(context=16384))
    free = {"weight_bits": BITS, "kv_bits": KV_BITS, "sram": [0, 1]}
    asked = [ll.at_most("quality_loss", 1.0), ll.at_most("memory_fill", 1.0)]
    return PerLayer(space, free, loss=losses(random)).problem(
        **GOALS[seed % len(GOALS)], limits=asked
    )


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 50))
def test_no_design_is_better_than_the_bound(seed):
    assert_sound(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_the_search_finds_the_best_of_all_designs(seed):
    assert_sound(seed)


def assert_sound(seed):
    problem = instance(seed)
    found, best = search(problem, FEW_STEPS, seed), best_by_enumeration(problem)
    assert np.isfinite(best)
    assert found.best.score == pytest.approx(best, abs=1e-9)
    assert best - 1e-9 <= found.open_score <= best + 1e-6
