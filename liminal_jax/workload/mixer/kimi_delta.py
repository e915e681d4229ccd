"""Kimi Delta Attention (KDA): linear attention by the delta rule, with a decay a channel.

Kimi Team (2025), Kimi Linear, arXiv:2510.26692. Kimi-Linear has it in three layers of four; its
other layers have latent attention without positions.
"""

import equinox as eqx
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax.laws.linear import (
    convolution_state,
    delta_rule_state,
    delta_rule_work,
    gated_delta_channels,
    kimi_delta_weights,
)
from liminal_jax.workload.counted import spec_of
from liminal_jax.workload.feedforward.mixture import (
    chosen,
    listed_or_by_frequency,
    mixture,
    shared_experts,
)
from liminal_jax.workload.mixer.latent import latent
from liminal_jax.workload.mixer.recurrent import AbstractRecurrent, RecurrentSpec
from liminal_jax.workload.reading.family import Family, Wrapper
from liminal_jax.workload.reading.fields import Fields
from liminal_jax.workload.reading.parts import GATED, Table, hidden, layer_count, model, stack


class KimiDelta(AbstractRecurrent):
    """Kimi Delta Attention: linear attention whose state decays channel by channel.

    Attributes:
        heads: Heads of queries, keys and values, each with a state.
        head_dim: Width of each; also the rank of the decay's and the gate's projections.
        kernel: Tokens that the convolutions before the states span.
        full_gate: Whether the gate has full rank instead, as in Kimi K3.
    """

    heads: Leaf = eqx.field(converter=as_leaf)
    head_dim: Leaf = eqx.field(converter=as_leaf)
    kernel: Leaf = eqx.field(converter=as_leaf)
    full_gate: bool = eqx.field(static=True, default=False)

    @override
    def weights(self, hidden: Scalar) -> Scalar:
        return kimi_delta_weights(
            hidden=hidden,
            heads=self.heads,
            head_dim=self.head_dim,
            kernel=self.kernel,
            full_gate=self.full_gate,
        )

    @override
    def update_work(self) -> Scalar:
        return delta_rule_work(heads=self.heads, key_dim=self.head_dim, value_dim=self.head_dim)

    @override
    def state(self) -> Scalar:
        return _state(self.heads, self.head_dim, self.kernel)


class KimiDeltaAttention(spec_of(RecurrentSpec, KimiDelta, kind="kimi-delta")):
    """Linear attention whose state is corrected by the delta rule and decays channel by channel.

    Attributes:
        full_gate: Whether the gate on the output has full rank, as in Kimi K3.
    """

    full_gate: bool = False

    def small_parameters(self, hidden: int, norm_vectors: int) -> int:
        """A rate of decay a head, its offset a channel, and the norm before the gate."""
        del hidden, norm_vectors
        return self.heads + self.heads * self.head_dim + self.head_dim

    @override
    def label(self) -> str:
        return "KDA"

    @override
    def words(self) -> str:
        return f"{self.label()}, {self.heads} heads of {self.head_dim}x{self.head_dim}"


def _state(heads: Scalar, head_dim: Scalar, kernel: Scalar) -> Scalar:
    """Elements of the states, and of the tokens that the three convolutions remember."""
    channels = gated_delta_channels(
        key_heads=heads, key_dim=head_dim, value_heads=heads, value_dim=head_dim
    )
    states = delta_rule_state(heads=heads, key_dim=head_dim, value_dim=head_dim)
    return states + convolution_state(channels=channels, kernel=kernel)


def kimi_linear(fields: Fields) -> Table:
    """Kimi-Linear and Kimi K3: `kda_layers` and `full_attn_layers` share the layers, from 1 on.

    Full layers keep a key of rotary width that is never rotated (`mla_use_nope`), which changes no
    count. Kimi K3 (Kimi Team, 2026, arXiv:2607.24653) gates the output of both kinds with full
    rank, has its experts in a latent space, and weighs the sums of earlier blocks of layers before
    each part of a layer and before the head: a norm and a vector each, counted as two norms.
    """
    fields.choice("hidden_act", (*GATED, "situ"), note="gated activation", default="silu")
    for name in ("activation_situ_beta", "activation_situ_linear_beta"):
        fields.ignore(name, "scaling, has no weights")
    fields.flag("mla_use_nope", note="latent attention without positions", default=False)
    layers = layer_count(fields)
    linear, is_linear = _of_flat_fields(fields, layers) or _of_table(fields, layers)
    attention = latent(fields)
    if attention["bias"]:
        fields.refuse("attention_bias", "true is not modelled here; modelled: false")
    attention["output_gate"] = fields.flag(
        "mla_use_output_gate", note="gates on latent attention", default=False
    )
    experts = mixture(
        fields,
        experts=("num_experts", "n_routed_experts"),
        intermediate="moe_intermediate_size",
        router_bias=True,
        **shared_experts(fields),
    )
    experts = _in_latent_space(fields, experts)
    sparse = listed_or_by_frequency(fields, layers)
    blocks = chosen(fields, sparse, experts, "intermediate_size")
    mixers = [linear if yes else attention for yes in is_linear]
    note = "layers of a block whose sum is weighed"
    weighed = fields.values.get("attn_res_block_size") is not None
    if weighed:
        fields.count("attn_res_block_size", note=note)
    table = model(fields, stack(mixers, blocks, norms=6 if weighed else None))
    return {**table, "small": 2 * hidden(fields) if weighed else 0}


def _of_table(fields: Fields, layers: int) -> tuple[Table, list[bool]]:
    """The linear layers and which they are, by `linear_attn_config`."""
    inner = fields.table("linear_attn_config", note="shape and place of the linear layers")
    linear: Table = {
        "kind": "kimi-delta",
        "heads": inner.count("num_heads", note="heads of the linear layers"),
        "head_dim": inner.count("head_dim", note="width of such a head"),
        "kernel": inner.count("short_conv_kernel_size", note="tokens that convolutions span"),
        "full_gate": inner.flag("use_full_rank_gate", note="a gate of full rank", default=False),
    }
    inner.ignore("gate_lower_bound", "scaling, has no weights")
    return linear, _linear_layers(inner, layers)


def _of_flat_fields(fields: Fields, layers: int) -> tuple[Table, list[bool]] | None:
    """The same as transformers writes it; none where the config has no such fields."""
    if "linear_num_heads" not in fields.values or "linear_attn_config" in fields.values:
        return None
    linear: Table = {
        "kind": "kimi-delta",
        "heads": fields.count("linear_num_heads", note="heads of the linear layers"),
        "head_dim": fields.count("linear_head_dim", note="width of such a head"),
        "kernel": fields.count("linear_conv_kernel_dim", note="tokens that convolutions span"),
        "full_gate": False,
    }
    meanings = {"linear_attention": True, "full_attention": False}
    given = fields.per_layer("layer_types", meanings, note="kind of each layer", layers=layers)
    if given is None and fields.sound("layer_types"):
        fields.refuse("layer_types", "is required")
    return linear, given or [False] * layers


def _in_latent_space(fields: Fields, experts: Table) -> Table:
    """The same experts, working in a space of their own where the config gives its width."""
    if fields.values.get("routed_expert_hidden_size") is None:
        fields.ignore("latent_moe_use_norm", "experts work in the residual stream")
        return experts
    return {
        **experts,
        "kind": "latent-mixture",
        "latent": fields.count("routed_expert_hidden_size", note="width of the experts' space"),
        "normed": fields.flag("latent_moe_use_norm", note="a norm on the way back", default=False),
    }


def _linear_layers(inner: Fields, layers: int) -> list[bool]:
    """Which layers are linear; each must stand in one of the two lists."""
    lists = {
        name: _numbers(inner, name, note, layers)
        for name, note in (
            ("kda_layers", "linear layers, from 1"),
            ("full_attn_layers", "layers of latent attention, from 1"),
        )
    }
    linear, full = lists["kda_layers"], lists["full_attn_layers"]
    if inner.sound(*lists):
        if both := sorted(linear & full):
            inner.refuse("full_attn_layers", f"names layer {both[0]}, as kda_layers does")
        if neither := sorted({*range(1, layers + 1)} - linear - full):
            inner.refuse("full_attn_layers", f"leaves out layer {neither[0]}, as kda_layers does")
    return [layer in linear for layer in range(1, layers + 1)]


def _numbers(inner: Fields, name: str, note: str, layers: int) -> frozenset[int]:
    found = inner.indices(name, note=note, below=layers + 1, first=1)
    if found is None and inner.sound(name):
        inner.refuse(name, "is required")
    return found or frozenset()


FAMILIES = {"kimi_linear": Family(kimi_linear, "KimiLinearForCausalLM")}

WRAPPERS = {"kimi_k3": Wrapper("KimiK3ForConditionalGeneration", ("kimi_linear",))}
