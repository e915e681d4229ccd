"""The gradient of a program: that of JAX, whatever the operation, in NumPy and compiled."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.scipy.special import erfinv

from liminal_jax._smooth import Free
from liminal_jax.laws.caching import popular_hit_rate
from liminal_jax.sweeps.adjoint import with_gradient
from liminal_jax.sweeps.in_numpy import InNumpy
from liminal_jax.sweeps.program import program_of

RANGES = [(0.5, 3.0), (1.0, 4.0), (2.0, 9.0)]
ROWS = 50


def kinks(x, y, z):
    free = Free(0.2)
    return free.maximum(x, y) + free.share(x / z) * free.exceeds(z, y) + free.fewest(z, 3.0 * y)


FUNCTIONS = {
    "sums of monomials": lambda x, y, z: (x * y / z + 3.0 * x**2 - y / (x + z), x * z),
    "kinks": kinks,
    "choices": lambda x, y, z: (
        jnp.where(x > y, x * z, y**2) + jnp.maximum(x, y) - jnp.minimum(z, 4.0),
        jnp.ceil(x) * y + jnp.floor(z) + jnp.sign(x - y) * z,
    ),
    "transcendental": lambda x, y, z: (
        jnp.log(x + y) * jnp.exp(-z) + jnp.sqrt(x * z) + jnp.log1p(y) - jnp.expm1(x / z),
        x**y + erfinv(x / 5.0) + z**1.5,
    ),
    "what does not vary": lambda x, y, z: (2.0, x + 0.0 * y, z * 1.0),
    "a law that is one operation": lambda x, y, z: (
        popular_hit_rate(items=256.0, exponent=x / 4.0, cached=20.0 * z, choices=jnp.asarray(8.0))
        * y
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_are_those_of_jax(name):
    function = FUNCTIONS[name]
    program = program_of(function, RANGES)
    both = with_gradient(program, [0, 1, 2], 3)
    generator, count = np.random.default_rng(5), len(program.outputs)
    low, high = np.asarray(RANGES).T
    points = low + (high - low) * generator.random((ROWS, 3))
    weights = generator.standard_normal((ROWS, count))

    def weighted(point, weights):
        values = jnp.stack([jnp.asarray(it, float) for it in jax.tree.leaves(function(*point))])
        return weights @ values, values

    expected, values = jax.vmap(jax.grad(weighted, has_aux=True))(
        jnp.asarray(points), jnp.asarray(weights)
    )
    columns = dict(enumerate([*points.T, *weights.T]))
    stages = InNumpy(both, [frozenset(range(3)), frozenset(range(3 + count))])
    for stage in range(2):
        stages.given(columns, stage)
    found = [np.broadcast_to(it, ROWS) for it in stages.outputs()]
    np.testing.assert_allclose(np.stack(found[:count], 1), values, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(np.stack(found[count:], 1), expected, rtol=1e-9, atol=1e-9)
    if name != "a law that is one operation":
        compiled = both.worked({key: jnp.asarray(it) for key, it in columns.items()}, *ALL)
        again = [np.broadcast_to(it, ROWS) for it in both.results(compiled)]
        np.testing.assert_allclose(again, found, rtol=1e-9, atol=1e-9)


ALL = frozenset(range(20)), {}


def test_the_gradient_along_many_inputs_takes_few_operations_more():
    """Griewank and Walther (2008): at most a small multiple, whatever the number of inputs."""
    count = 100
    program = program_of(
        lambda *x: sum(a * b for a, b in itertools.pairwise(x)), [(1.0, 2.0)] * count
    )
    both = with_gradient(program, range(count), count)
    assert sum(both.operations.values()) <= 4 * sum(program.operations.values())


def test_what_no_output_needs_is_left_out():
    program = program_of(lambda x, y: (x * y, y), [(1.0, 2.0)] * 2)
    along_one = with_gradient(program, [0], 2)
    assert along_one.operations == {"mul": 2}
    assert len(along_one.outputs) == 3
