"""Attention beside Mamba-2: it costs, keeps and counts what the two do together."""

import pytest

from liminal_jax._smooth import Exact
from liminal_jax.data.models import load_model_spec, spec_to_toml
from liminal_jax.workload.chunk import Chunk
from liminal_jax.workload.feedforward.dense import DenseFeedForward
from liminal_jax.workload.mixer.beside import AttentionBesideMamba2
from liminal_jax.workload.mixer.grouped_query import GroupedQueryAttention
from liminal_jax.workload.mixer.mamba2 import Mamba2Layer
from liminal_jax.workload.spec import LayerGroup, ModelSpec
from tests.workload.configs import mistakes
from tests.workload.test_families import FAMILIES

EXACT = Exact()
ATTENTION = GroupedQueryAttention(heads=4, kv_heads=2, head_dim=3)
STATE_SPACE = Mamba2Layer(heads=4, head_dim=3, state_dim=5, groups=2, kernel=4, gate_norm=False)
BOTH = AttentionBesideMamba2(attention=ATTENTION, state_space=STATE_SPACE)


def test_parameters_by_hand():
    # attention 2 x 10 x 3 x 6; the state-space layer of laws/state_space.py
    assert BOTH.matrices(10) == 360 + 728
    # three numbers a head, a bias for each of 12 + 20 channels, no norm behind the gate
    assert BOTH.small_parameters(10, 1) == 12 + 32
    assert float(BOTH.arrays().weights(10.0)) == 1088


def test_a_token_and_a_chunk_by_hand():
    arrays = BOTH.arrays()
    # scores and sums 4 x 4 x 3 x 7; 60 elements of states: 1 + 2 + 2
    assert float(arrays.work(7.0, EXACT)) == 336 + 300
    # contexts of 3, 4 and 5 tokens
    assert float(arrays.chunk_work(Chunk(tokens=3, past=2), EXACT)) == 48 * 12 + 3 * 300
    assert float(arrays.cache(7.0, EXACT)) == float(arrays.traffic(7.0, EXACT)) == 12 * 7
    assert BOTH.state_elements() == float(arrays.state()) == 60 + 32 * 3
    assert BOTH.cache_elements() == BOTH.growing_cache_elements() == 12
    assert float(arrays.cache_heads()) == 2
    assert len(arrays.basis()) == 1


def test_a_model_file_holds_it(tmp_path):
    block = DenseFeedForward(intermediate=5)
    layers = (LayerGroup(count=2, attention=BOTH, feedforward=block),)
    spec = ModelSpec(name="toy", source="by hand", hidden=10, vocabulary=7, layers=layers)
    path = tmp_path / "toy.toml"
    path.write_text(spec_to_toml(spec))
    assert load_model_spec(str(path)) == spec


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mamba_n_heads": 30}, "mamba_n_heads: times mamba_d_head must be 4096 channels"),
        ({"mamba_n_groups": 3}, "mamba_n_groups: 3 must divide mamba_n_heads (32)"),
        ({"mamba_proj_bias": True}, "mamba_proj_bias: true is not modelled here"),
        ({"projectors_bias": True}, "projectors_bias: true is not modelled here"),
    ],
)
def test_one_mistake(tmp_path, change, message):
    config = FAMILIES["Falcon-H1-34B-Instruct"]["config"]
    assert message in mistakes(tmp_path, {**config, **change})
