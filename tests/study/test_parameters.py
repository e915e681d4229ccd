"""The numbers of a study: all named, and changed as if the study had said so."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.listed import in_numpy
from liminal_jax._quantity import quantity_at
from liminal_jax._smooth import Exact
from liminal_jax.data.build import load_system
from liminal_jax.data.catalogue import system_names
from liminal_jax.study.parameters import parameters_of, quantity_of
from liminal_jax.study.variables import PATHS
from tests.optimization.small import CAPITAL, UTPS, small


def outcome(problem, changes, point):
    parameters = parameters_of(problem)
    logs = np.zeros(parameters.count)
    for path, factor in changes.items():
        logs[parameters.paths.index(path)] = math.log(factor)
    evaluate = in_numpy(lambda *it: parameters.outcome(*it, jnp.asarray(1), Exact()))
    return evaluate(jnp.asarray(logs), jnp.asarray(point))


def as_is(problem, point):
    evaluate = in_numpy(lambda point: problem.outcome(point, jnp.asarray(1), Exact()))
    return evaluate(jnp.asarray(point))


def first(problem):
    return [it.grid.values[0] for it in problem.variables]


def assert_same(one, other):
    assert float(one.score) == pytest.approx(float(other.score), rel=1e-12)
    assert np.asarray(one.violation) == pytest.approx(np.asarray(other.violation), abs=1e-12)


@pytest.fixture(scope="module")
def planned():
    return small("planned")


@pytest.fixture(scope="module")
def finished():
    return small("finished")


@pytest.mark.parametrize("name", system_names())
def test_every_number_of_every_system_has_words(name):
    system = load_system(name)
    for keys, _ in jax.tree_util.tree_leaves_with_path(system):
        path = jax.tree_util.keystr(keys, simple=True, separator=".")
        stated = quantity_of(path)
        assert stated is not None
        assert stated.label
        assert stated == quantity_at(system, path)


@pytest.mark.slow
def test_no_change_changes_nothing(planned, finished):
    for problem in (planned, finished):
        point = first(problem)
        assert_same(outcome(problem, {}, point), as_is(problem, point))


def changed(**tables):
    return small("planned", **tables)


def limits(capital, utps):
    return [
        {"quantity": "capital_cost", "at_most": capital},
        {"quantity": "utps", "at_least": utps},
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "tables"),
    [
        ({"context": 1.5}, {"workload": {"model": "llama-3-8b", "context": 24576}}),
        (
            {"facility.selling_multiple": 2.0},
            {"assumptions": {"facility": {"selling_multiple": 12.6}}},
        ),
        ({"limit.capital_cost": 3.0}, {"constraints": limits(3 * CAPITAL, UTPS)}),
        ({"limit.utps": 3.0}, {"constraints": limits(CAPITAL, 3 * UTPS)}),
    ],
)
def test_a_change_is_what_the_study_would_say(planned, changes, tables):
    here = outcome(planned, changes, first(planned))
    assert_same(here, as_is(changed(**tables), first(planned)))
    assert not np.allclose(
        np.append(here.score, here.violation),
        np.append(*(lambda it: (it.score, it.violation))(as_is(planned, first(planned)))),
    )


@pytest.mark.slow
def test_fixed_numbers_of_the_design_change_and_degrees_do_not(planned):
    parameters = parameters_of(planned)
    design = {it for it in parameters.paths if it.startswith("design.")}
    assert design == {
        f"design.{it}" for it in ("dies", "sram", "link_bandwidth", "domain", "clock")
    }
    space = planned.region.with_numbers({PATHS["link_bandwidth"]: 1800e9})
    wider = dataclasses.replace(planned, region=space)
    assert_same(
        outcome(planned, {"design.link_bandwidth": 2.0}, first(planned)),
        as_is(wider, first(wider)),
    )


def test_values_are_those_of_the_category(planned, finished):
    parameters = parameters_of(planned)
    values = dict(zip(parameters.paths, parameters.values(1), strict=True))
    assert values["material.memory.footprint"] == pytest.approx(140.3e-6)
    assert values["limit.utps"] == UTPS
    assert values["design.link_bandwidth"] == 900e9
    assert parameters.own("material.memory.silicon_price")
    assert not parameters.own("facility.selling_multiple")
    assert parameters_of(finished).own("facility.selling_multiple")
    assert len(parameters.units) == len(parameters.most) == parameters.count == len(values)


def test_two_limits_on_one_quantity_are_told_apart():
    band = [{"quantity": "utps", "at_least": 10.0}, {"quantity": "utps", "at_most": 20.0}]
    paths = parameters_of(small("planned", constraints=band)).paths
    assert paths[-2:] == ("limit.utps.at_least", "limit.utps.at_most")
