"""One class counts whole numbers exactly and differentiates arrays."""

import equinox as eqx
import jax
import pytest
from pydantic import ValidationError

from liminal_jax._arrays import Leaf, as_leaf, optional_leaf
from liminal_jax.data.models import load_model_spec, model_names
from liminal_jax.workload.counted import CountedSpec, exactly, spec_of
from liminal_jax.workload.mixer.grouped_query import GroupedQueryAttention


class Reel(eqx.Module):
    windings: Leaf = eqx.field(converter=as_leaf)
    spare: Leaf | None = eqx.field(converter=optional_leaf)
    holes: Leaf = eqx.field(converter=as_leaf)
    colour: str = eqx.field(static=True, default="black")

    def length(self):
        return 3 * self.windings + self.holes


class ReelSpec(spec_of(CountedSpec, Reel, kind="reel", none=("holes",))):
    double: bool = False


def test_a_record_has_a_whole_number_for_each_leaf():
    assert list(ReelSpec.model_fields) == ["kind", "windings", "spare", "holes", "double"]
    reel = ReelSpec(windings=2)
    assert (reel.kind, reel.spare, reel.holes) == ("reel", None, 0)
    for wrong in ({"windings": 0}, {"windings": 1.5}, {"windings": 1, "holes": -1}, {"spare": 1}):
        with pytest.raises(ValidationError):
            ReelSpec(**wrong)
    assert spec_of(CountedSpec, Reel, without=("spare", "holes"))(windings=1).derived() == {}


def test_whole_numbers_count_exactly_and_arrays_differentiate():
    many = 2**60 + 1
    reel = ReelSpec(windings=many, double=True)
    assert reel.counted().length() == 3 * many
    assert reel.counted().colour == "black"
    arrays = ReelSpec(windings=2, spare=3).arrays()
    assert all(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(arrays))
    assert jax.grad(lambda it: it.length())(arrays).windings == 3.0
    assert exactly(Reel, windings=1, spare=None, holes=2, unknown=3).length() == 5


def parts():
    for name in model_names():
        spec = load_model_spec(name)
        for group in spec.layers:
            yield from ((spec.hidden, it) for it in (group.attention, group.feedforward) if it)


def test_no_array_comes_between_a_model_and_its_counts():
    for hidden, part in parts():
        counted = part.counted()
        assert {type(leaf) for leaf in jax.tree.leaves(counted)} == {int}
        assert not isinstance(counted.weights(hidden), jax.Array)
        assert float(part.arrays().weights(float(hidden))) == pytest.approx(
            float(counted.weights(hidden)), rel=1e-6
        )


def test_large_counts_have_no_rounding():
    spec = GroupedQueryAttention(heads=2**31, kv_heads=1, head_dim=2**20 + 1)
    assert spec.matrices(3) == 3 * (2 * 2**31 + 2) * (2**20 + 1)
