"""Layers that lack a mixer or a feed-forward block, and layers with a state."""

import pytest

from liminal_jax._files import InputError
from liminal_jax.data.models import load_model_spec, spec_to_toml
from liminal_jax.workload import feedforward, mixer
from liminal_jax.workload.counts import counts, layer_parameters
from liminal_jax.workload.feedforward.dense import DenseFeedForward
from liminal_jax.workload.found import modules
from liminal_jax.workload.huggingface.families import FAMILIES, WRAPPERS
from liminal_jax.workload.mixer.gated_delta import GatedDeltaNet
from liminal_jax.workload.mixer.grouped_query import GroupedQueryAttention
from liminal_jax.workload.model import model_of
from liminal_jax.workload.reading.parts import stack
from liminal_jax.workload.spec import LayerGroup, ModelSpec
from liminal_jax.workload.summarised import summarised
from liminal_jax.workload.summary import pattern
from liminal_jax.workload.talk import talk_model

ATTENTION = GroupedQueryAttention(heads=4, kv_heads=2, head_dim=3)
LINEAR = GatedDeltaNet(key_heads=1, key_dim=2, value_heads=2, value_dim=3, kernel=4)
BLOCK = DenseFeedForward(intermediate=5)
HYBRID = ModelSpec(
    name="hybrid",
    source="by hand",
    hidden=10,
    vocabulary=7,
    layers=(
        LayerGroup(count=3, attention=LINEAR),
        LayerGroup(count=1, attention=ATTENTION),
        LayerGroup(count=2, feedforward=BLOCK),
    ),
)


def test_each_part_has_one_norm():
    linear, attention, block = HYBRID.layers
    assert layer_parameters(HYBRID, linear) == 100 + 60 + 40 + 60 + 40 + 7 + 10
    assert layer_parameters(HYBRID, attention) == 360 + 10
    assert layer_parameters(HYBRID, block) == 150 + 10
    both = LayerGroup(count=1, attention=ATTENTION, feedforward=BLOCK)
    assert layer_parameters(HYBRID, both) == 360 + 150 + 20
    stated = LayerGroup(count=1, attention=ATTENTION, norms=0)
    assert layer_parameters(HYBRID, stated) == 360


def test_cache_and_state_come_from_the_layers_that_have_them():
    tally = counts(HYBRID)
    assert tally.kv_elements_per_token_growing == tally.kv_elements_per_token_all_layers == 12
    assert tally.state_elements_per_sequence == 3 * (12 + 30)
    assert tally.total == 3 * 317 + 370 + 2 * 160 + 10 + 2 * 70


def test_the_pytree_has_the_same_parts():
    for model in (model_of(HYBRID), talk_model(model_of(HYBRID))):
        parts = [(it.attention is None, it.feedforward is None) for it in model.layers]
        assert parts == [(False, True), (False, True), (True, False)]
        assert [it.parts() for it in model.layers] == [1, 1, 1]


def test_a_model_file_holds_them(tmp_path):
    path = tmp_path / "hybrid.toml"
    path.write_text(spec_to_toml(HYBRID))
    assert load_model_spec(str(path)) == HYBRID


def test_a_layer_of_nothing_is_refused(tmp_path):
    path = tmp_path / "empty.toml"
    head = 'name = "empty"\nsource = "hand"\nhidden = 4\nvocabulary = 5\n'
    path.write_text(head + "[[layers]]\ncount = 1\n")
    with pytest.raises(InputError, match="needs attention, feedforward or both"):
        load_model_spec(str(path))


def test_a_mistake_in_a_state_has_its_path(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(spec_to_toml(HYBRID).replace("key_dim", "key_width"))
    with pytest.raises(InputError) as caught:
        load_model_spec(str(path))
    assert caught.value.lines() == [
        f"{path}: layers.0.attention.key_dim: is required",
        f"{path}: layers.0.attention.key_width: unknown field; did you mean 'key_dim'?",
    ]


def test_the_words():
    assert pattern(summarised(HYBRID)) == "3 Gated DeltaNet + 1 full; dense"
    only_mixers = HYBRID.model_copy(update={"layers": HYBRID.layers[:1]})
    assert pattern(summarised(only_mixers)) == "Gated DeltaNet"
    assert LINEAR.words() == "Gated DeltaNet, 2/1 heads of 2x3"


def test_layers_without_a_part_are_stacked():
    mixers = [{"kind": "a"}, None, {"kind": "a"}]
    blocks = [None, {"kind": "b"}, None]
    groups = stack(mixers, blocks)
    assert [(it["count"], it["attention"], it["feedforward"]) for it in groups] == [
        (2, {"kind": "a"}, None),
        (1, None, {"kind": "b"}),
    ]


def test_every_file_of_a_mixer_or_block_is_found():
    for package, base in ((mixer, "MixerSpec"), (feedforward, "FeedForwardSpec")):
        names = [module.__name__ for module in modules(package)]
        assert f"{package.__name__}.base" in names
        assert hasattr(modules(package)[names.index(f"{package.__name__}.base")], base)


def test_every_text_of_a_wrapper_is_a_family():
    assert {text for wrapper in WRAPPERS.values() for text in wrapper.texts} <= FAMILIES.keys()
