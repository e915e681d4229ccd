"""How the optimum moves, against the relaxed study solved again with a number changed."""

import math

import jax.numpy as jnp
import numpy as np
import pytest

from liminal_jax.optimization.sensitivity.implicit_function import (
    _least_norm_solution,
    parametric_sensitivity,
)
from liminal_jax.optimization.sensitivity.tornado import solved_again
from tests.optimization.small import solved

CHANGE = 0.002
MOVED = ["context", "weight_bits", "facility.selling_multiple", "limit.utps"]
CASES = {
    "planned": [*MOVED[:1], "limit.capital_cost", "material.memory.silicon_price", "limit.utps"],
    "finished": [*MOVED[:1], "chip.memory.bandwidth", "network.latency", "limit.utps"],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_variables_move_as_solving_again_moves_them(name):
    _, gradients, optima = solved(name)
    best = optima[0]
    notes = parametric_sensitivity(gradients, best)
    assert notes.undetermined == ()
    for parameter in CASES[name]:
        row = gradients.parameters.paths.index(parameter)
        ends = [
            solved_again(gradients, [best], row, change)
            for change in (math.log1p(-CHANGE), math.log1p(CHANGE))
        ]
        low, high = (np.log(np.asarray(gradients.box.values(jnp.asarray(it.unit)))) for it in ends)
        moved = (high - low) / (math.log1p(CHANGE) - math.log1p(-CHANGE))
        assert notes.elasticities[:, row] == pytest.approx(moved, rel=0.05, abs=0.01), parameter
        assert np.abs(moved).max() > 0.01
    for at_bounds in best.at_bounds:
        axis = [it.name for it in gradients.problem.variables].index(at_bounds)
        assert not notes.elasticities[axis].any()


def test_a_flat_valley_leaves_its_variables_open():
    """x + y is determined, x - y is not, z is; the third effect cannot be balanced."""
    system = np.asarray([[-2.0, -2.0, 0.0], [-2.0, -2.0, 0.0], [0.0, 0.0, -4.0]])
    effect = np.asarray([[4.0, 0.0, 1.0], [4.0, 0.0, 0.0], [0.0, 8.0, 0.0]])
    solution, valley = _least_norm_solution(system, effect)
    assert solution[:, :2] == pytest.approx(np.asarray([[-1.0, 0.0], [-1.0, 0.0], [0.0, -2.0]]))
    assert np.isnan(solution[:, 2]).all()
    assert np.abs(valley[:, 0]) == pytest.approx([math.sqrt(0.5), math.sqrt(0.5), 0.0])


def test_nothing_free_moves_nothing():
    solution, valley = _least_norm_solution(np.zeros((0, 0)), np.zeros((0, 3)))
    assert solution.shape == (0, 3)
    assert valley.shape == (0, 0)
