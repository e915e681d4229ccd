"""Small questions in which layers choose."""

import jax.numpy as jnp

import liminal_jax as ll
from liminal_jax.study.coupled import Point
from liminal_jax.study.layers.space import PerLayer

CHOICES = {
    "weight_bits": ["mxfp4", 8, 16],
    "kv_bits": [4, 8],
    "window": ["full", 4096],
    "sram": [0, 0.5, 1],
}


def space(model="llama-3-8b", system="b200", free=None, context=32768.0, **design):
    design = ll.Design(ll.load_system(system), ll.Mapping(tp=2), batch=4, **design)
    free = {"batch": [1, 4, 16]} if free is None else free
    return ll.Space(design, free, model=model, request=ll.Request(context))


def loss(weight_bits, kv_bits, window):
    return 2.0**-weight_bits + 0.5 * 2.0**-kv_bits + 0.01 * (32768 / window - 1)


def problem(
    of=None, free=CHOICES, loss=loss, maximise="utps", minimise=None, asked=(), over_layers=None
):
    of = space() if of is None else of
    per_layer = PerLayer(of, free, loss=loss, unit="points", over_layers=over_layers)
    goal = {"maximise": maximise} if minimise is None else {"minimise": minimise}
    return per_layer.problem(**goal, limits=asked)


def shared(problem, **values):
    values = [values.get(it.name, it.grid.values[0]) for it in problem.variables]
    return Point(jnp.asarray(0), jnp.asarray(values, float))


def own(problem, values):
    """Choices of all layers, from one row of values for each."""
    return tuple(
        Point(jnp.zeros(len(it.members), int), jnp.asarray(values[it.first :][: len(it.members)]))
        for it in problem.groups
    )
