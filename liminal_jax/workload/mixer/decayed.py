"""Lightning attention: linear attention whose states decay at a fixed rate, one a head.

MiniMax (2025), MiniMax-01, arXiv:2501.08313. MiniMax-Text-01 and M1 have it in seven layers of
eight; the others have grouped queries, all of them mixtures.
"""

import equinox as eqx
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax.laws.linear import decayed_work, delta_rule_state
from liminal_jax.laws.parameters import grouped_query_weights, output_gate_weights
from liminal_jax.workload.counted import spec_of
from liminal_jax.workload.feedforward.mixture import mixture
from liminal_jax.workload.mixer.grouped_query import (
    derived_head_dim,
    grouped_query,
    null_means_own_heads,
)
from liminal_jax.workload.mixer.recurrent import AbstractRecurrent, RecurrentSpec
from liminal_jax.workload.reading.family import Family, Wrapper
from liminal_jax.workload.reading.fields import Fields
from liminal_jax.workload.reading.parts import Table, activation, layer_count, model, stack


class Decayed(AbstractRecurrent):
    """Linear attention whose states decay at a fixed rate, with a gate on its output.

    Attributes:
        heads: Heads, each with a query, a key, a value and a state.
        head_dim: Width of each of them.
    """

    heads: Leaf = eqx.field(converter=as_leaf)
    head_dim: Leaf = eqx.field(converter=as_leaf)

    @override
    def weights(self, hidden: Scalar) -> Scalar:
        projections = grouped_query_weights(
            hidden=hidden, heads=self.heads, kv_heads=self.heads, head_dim=self.head_dim
        )
        gates = output_gate_weights(hidden=hidden, heads=self.heads, gate_dim=self.head_dim)
        return projections + gates

    @override
    def update_work(self) -> Scalar:
        return decayed_work(heads=self.heads, key_dim=self.head_dim, value_dim=self.head_dim)

    @override
    def state(self) -> Scalar:
        return delta_rule_state(heads=self.heads, key_dim=self.head_dim, value_dim=self.head_dim)


class LightningAttention(spec_of(RecurrentSpec, Decayed, kind="lightning")):
    """Linear attention whose states decay at a fixed rate, with a gate on its output."""

    def small_parameters(self, hidden: int, norm_vectors: int) -> int:
        """The norm before the gate; rates of decay follow from the heads' numbers."""
        del hidden
        return self.heads * self.head_dim * norm_vectors

    @override
    def label(self) -> str:
        return "lightning"

    @override
    def words(self) -> str:
        return f"{self.label()}, {self.heads} heads of {self.head_dim}"


def minimax(fields: Fields) -> Table:
    """MiniMax-Text-01 and M1: `attn_type_list` or `layer_types` says which layers are lightning."""
    activation(fields)
    fields.demand("shared_intermediate_size", [0], "no shared expert")
    fields.demand("postnorm", [True], "norms in another order")
    fields.demand("sliding_window", [], "every layer of attention attends to all tokens")
    for name in ("block_size", "max_model_len"):
        fields.ignore(name, "how prompts are cut")
    for part in ("full_attn", "linear_attn", "mlp"):
        for factor in ("alpha", "beta"):
            fields.ignore(f"{part}_{factor}_factor", "scaling, has no weights")
    attention = grouped_query(
        fields, head_dim=derived_head_dim(fields), kv_heads=null_means_own_heads(fields)
    )
    linear: Table = {
        "kind": "lightning",
        "heads": attention["heads"],
        "head_dim": attention["head_dim"],
    }
    experts = mixture(fields, experts=("num_local_experts",), intermediate="intermediate_size")
    layers = layer_count(fields)
    full = _full_layers(fields, layers)
    mixers = [attention if yes else linear for yes in full]
    return model(fields, stack(mixers, [experts] * layers))


def _full_layers(fields: Fields, layers: int) -> list[bool]:
    """Which layers attend to all tokens; where the config says so twice, it must agree."""
    words = fields.per_layer(
        "layer_types",
        {"full_attention": True, "linear_attention": False},
        note="kind of each layer",
        layers=layers,
    )
    numbers = fields.per_layer(
        "attn_type_list", {1: True, 0: False}, note="1: full, 0: lightning", layers=layers
    )
    if words is not None and numbers is not None and words != numbers:
        fields.refuse("attn_type_list", "contradicts layer_types")
    given = numbers if words is None else words
    if given is None:
        if fields.sound("layer_types", "attn_type_list"):
            fields.refuse("attn_type_list", "is required, or layer_types")
        return [True] * layers
    return given


FAMILIES = {
    "minimax": Family(minimax, "MiniMaxForCausalLM", shares_its_name_with="minimax_m2"),
    "minimax_text_01": Family(minimax, "MiniMaxText01ForCausalLM"),
    "minimax_m1": Family(minimax, "MiniMaxM1ForCausalLM"),
}

WRAPPERS = {
    "minimax_vl_01": Wrapper("MiniMaxVL01ForConditionalGeneration", ("minimax_text_01", "minimax")),
}
