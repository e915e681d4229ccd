"""Gated DeltaNet: linear attention by the delta rule, with one decay a head.

Yang, Kautz, Hatamizadeh (2024), Gated Delta Networks, arXiv:2412.06464. Qwen3-Next and Qwen3.5
have it in three layers of four; their other layers have grouped queries with a gate.
"""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
from pydantic import model_validator
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax.laws.linear import (
    convolution_state,
    delta_rule_state,
    delta_rule_work,
    gated_delta_channels,
    gated_delta_weights,
)
from liminal_jax.workload.counted import spec_of
from liminal_jax.workload.feedforward.dense import dense
from liminal_jax.workload.feedforward.mixture import chosen, mixture
from liminal_jax.workload.mixer.grouped_query import grouped_query, null_means_own_heads
from liminal_jax.workload.mixer.recurrent import AbstractRecurrent, RecurrentSpec
from liminal_jax.workload.reading.family import Family, Wrapper
from liminal_jax.workload.reading.fields import Fields
from liminal_jax.workload.reading.parts import (
    Table,
    activation,
    layer_count,
    layer_scopes,
    model,
    stack,
)
from liminal_jax.workload.record import Count


class GatedDelta(AbstractRecurrent):
    """Gated DeltaNet: linear attention whose state decays by a gate.

    Attributes:
        heads: Heads of values, each with a state.
        key_heads: Heads of queries and keys, each shared by as many value heads.
        key_dim: Width of one of them.
        value_dim: Width of a value head.
        kernel: Tokens that the convolution before the states spans.
    """

    heads: Leaf = eqx.field(converter=as_leaf)
    key_heads: Leaf = eqx.field(converter=as_leaf)
    key_dim: Leaf = eqx.field(converter=as_leaf)
    value_dim: Leaf = eqx.field(converter=as_leaf)
    kernel: Leaf = eqx.field(converter=as_leaf)

    @override
    def weights(self, hidden: Scalar) -> Scalar:
        return gated_delta_weights(
            hidden=hidden,
            key_heads=self.key_heads,
            key_dim=self.key_dim,
            value_heads=self.heads,
            value_dim=self.value_dim,
            kernel=self.kernel,
        )

    @override
    def update_work(self) -> Scalar:
        return delta_rule_work(heads=self.heads, key_dim=self.key_dim, value_dim=self.value_dim)

    @override
    def state(self) -> Scalar:
        channels = gated_delta_channels(
            key_heads=self.key_heads,
            key_dim=self.key_dim,
            value_heads=self.heads,
            value_dim=self.value_dim,
        )
        states = delta_rule_state(heads=self.heads, key_dim=self.key_dim, value_dim=self.value_dim)
        return states + convolution_state(channels=channels, kernel=self.kernel)


class GatedDeltaNet(spec_of(RecurrentSpec, GatedDelta, kind="gated-delta", without=("heads",))):
    """Linear attention whose state is corrected by the delta rule and decays by a gate.

    Attributes:
        value_heads: Heads of values, each with a state.
    """

    value_heads: Count

    @model_validator(mode="after")
    def _heads_agree(self) -> "GatedDeltaNet":
        if self.value_heads % self.key_heads:
            raise ValueError(
                f"key_heads ({self.key_heads}) must divide value_heads ({self.value_heads})"
            )
        return self

    def small_parameters(self, hidden: int, norm_vectors: int) -> int:
        """A rate of decay and its offset a head, and the weight of the norm before the gate."""
        del hidden, norm_vectors
        return 2 * self.value_heads + self.value_dim

    def derived(self) -> dict[str, Any]:
        """Each value head has a state."""
        return {"heads": self.value_heads}

    @override
    def label(self) -> str:
        return "Gated DeltaNet"

    @override
    def words(self) -> str:
        widths = f"{self.key_dim}x{self.value_dim}"
        return f"{self.label()}, {self.value_heads}/{self.key_heads} heads of {widths}"


def gated_delta(fields: Fields) -> Table:
    """The table of a Gated DeltaNet; widths left out are those of the three config classes."""
    keys = fields.count("linear_num_key_heads", note="heads of keys in linear layers", default=16)
    values = fields.count(
        "linear_num_value_heads", note="heads of values in linear layers", default=32
    )
    if fields.sound("linear_num_key_heads", "linear_num_value_heads") and values % keys:
        message = f"{keys} must divide linear_num_value_heads ({values})"
        fields.refuse("linear_num_key_heads", message)
    return {
        "kind": "gated-delta",
        "key_heads": keys,
        "key_dim": fields.count("linear_key_head_dim", note="width of such a key", default=128),
        "value_heads": values,
        "value_dim": fields.count(
            "linear_value_head_dim", note="width of such a value", default=128
        ),
        "kernel": fields.count(
            "linear_conv_kernel_dim", note="tokens that its convolution spans", default=4
        ),
    }


def _mixers(fields: Fields, layers: int) -> list[Table]:
    """The mixer of each layer: every n-th has grouped queries with a gate, the others a state."""
    fields.demand("attn_output_gate", [True], "outputs of attention are always gated")
    fields.demand("use_qk_norm", [True], "queries and keys always have norms")
    fields.ignore("output_gate_type", "activation of the gate, has no weights")
    fields.ignore("mamba_ssm_dtype", "number format of states, which a request decides")
    bias = fields.flag("attention_bias", note="biases of the projections", default=False)
    attention = grouped_query(
        fields,
        head_dim=256,
        kv_heads=null_means_own_heads(fields),
        qkv_bias=bias,
        output_bias=bias,
        qk_norm="per-head",
        output_gate=True,
    )
    linear = gated_delta(fields)
    return [attention if scope == "full" else linear for scope in _scopes(fields, layers)]


def _scopes(fields: Fields, layers: int) -> list[str]:
    """`full` or `linear` for each layer, by the interval or by `layer_types`, which must agree."""
    if fields.values.get("full_attention_interval") is None and fields.values.get("layer_types"):
        return layer_scopes(fields, ["full"] * layers, modelled=("linear",))
    interval = fields.count(
        "full_attention_interval", note="every n-th layer attends to all tokens", default=4
    )
    by_interval = ["linear" if (layer + 1) % interval else "full" for layer in range(layers)]
    scopes = layer_scopes(fields, by_interval, modelled=("linear",))
    sound = fields.sound("layer_types", "full_attention_interval", "num_hidden_layers")
    if sound and scopes != by_interval:
        message = f"contradicts full_attention_interval, which is {interval}"
        fields.refuse("layer_types", message)
    return scopes


def _experts(fields: Fields) -> Table:
    return mixture(
        fields,
        experts=("num_experts", "num_local_experts"),
        intermediate="moe_intermediate_size",
        shared_intermediate=fields.count(
            "shared_expert_intermediate_size", note="width of the shared expert"
        ),
        shared_gate=True,
    )


def _stacked(fields: Fields, layers: int, feedforwards: Sequence[Table]) -> Table:
    activation(fields)
    return model(fields, stack(_mixers(fields, layers), feedforwards))


def qwen3_next(fields: Fields) -> Table:
    """Qwen3-Next: mixtures every `decoder_sparse_step`, but for `mlp_only_layers`."""
    layers = layer_count(fields)
    step = fields.count("decoder_sparse_step", note="every n-th is a mixture", default=1)
    named = fields.indices("mlp_only_layers", note="dense layers", below=layers) or frozenset()
    sparse = [(layer + 1) % step == 0 and layer not in named for layer in range(layers)]
    blocks = chosen(fields, sparse, _experts(fields), "intermediate_size")
    return _stacked(fields, layers, blocks)


def qwen3_5(fields: Fields) -> Table:
    """Qwen3.5, dense."""
    fields.demand("mlp_only_layers", [[]], "every layer is dense")
    layers = layer_count(fields)
    return _stacked(fields, layers, [dense(fields)] * layers)


def qwen3_5_moe(fields: Fields) -> Table:
    """Qwen3.5 mixtures: every layer is one."""
    fields.demand("mlp_only_layers", [[]], "every layer is a mixture")
    fields.demand("decoder_sparse_step", [1], "every layer is a mixture")
    fields.ignore("intermediate_size", "every layer is a mixture")
    layers = layer_count(fields)
    return _stacked(fields, layers, [_experts(fields)] * layers)


FAMILIES = {
    "qwen3_next": Family(qwen3_next, "Qwen3NextForCausalLM"),
    "qwen3_5_text": Family(qwen3_5, "Qwen3_5ForCausalLM"),
    "qwen3_5_moe_text": Family(qwen3_5_moe, "Qwen3_5MoeForCausalLM"),
}

WRAPPERS = {
    "qwen3_5": Wrapper("Qwen3_5ForConditionalGeneration", ("qwen3_5_text",)),
    "qwen3_5_moe": Wrapper("Qwen3_5MoeForConditionalGeneration", ("qwen3_5_moe_text",)),
}
