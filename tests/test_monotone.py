"""Monotone laws: called as before, found by their name in a trace, bounded at the ends."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from liminal_jax._monotone import MONOTONE, monotone


@monotone(mass=True, volume=False)
def density(*, mass, volume):
    """Mass over volume."""
    return mass / volume


def test_a_law_is_called_as_before():
    assert float(density(mass=6, volume=2.0)) == 3.0
    assert density.__doc__ == "Mass over volume."
    slopes = jax.grad(lambda it: density(**it))({"mass": 6.0, "volume": 2.0})
    assert slopes == {"mass": 0.5, "volume": -1.5}


def test_arguments_are_known_by_name_whatever_their_order():
    assert float(density(volume=2.0, mass=6.0)) == 3.0


def test_a_trace_names_it():
    jaxpr = jax.make_jaxpr(lambda it: density(mass=it, volume=2.0))(1.0)
    assert "monotone_density" in {it.params.get("name") for it in jaxpr.eqns}


@pytest.mark.parametrize("count", [1, 2, 5, 8, 9])
def test_it_is_evaluated_at_every_entry(count):
    mass, volume = np.arange(1.0, count + 1), np.array([[2.0], [4.0]])
    found = MONOTONE["monotone_density"].at(mass, volume)
    np.testing.assert_allclose(found, mass / volume, rtol=1e-15)


def test_ranges_end_where_the_arguments_do():
    low, high = MONOTONE["monotone_density"].ends(
        [np.array([1.0, 2.0]), np.array([4.0, 2.0])], [np.array([3.0, 2.0]), np.array([5.0, 2.0])]
    )
    np.testing.assert_allclose(low, [0.2, 1.0])
    np.testing.assert_allclose(high, [0.75, 1.0])


def test_batches_of_it():
    masses = jnp.array([1.0, 2.0])
    assert jax.vmap(lambda it: density(mass=it, volume=2.0))(masses).tolist() == [0.5, 1.0]
