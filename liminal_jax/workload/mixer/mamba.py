"""Mamba: a state-space layer with a decay for each element of its state.

Gu and Dao (2023), Mamba, arXiv:2312.00752. Jamba has it in seven layers of eight, with norms on
what it selects by (AI21 Labs, 2024, arXiv:2403.19887); Falcon-Mamba in all.
"""

import equinox as eqx
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax.laws.linear import convolution_state
from liminal_jax.laws.state_space import selective_weights, selective_work, state_space_state
from liminal_jax.workload.counted import spec_of
from liminal_jax.workload.feedforward.dense import dense
from liminal_jax.workload.feedforward.mixture import chosen, mixture
from liminal_jax.workload.mixer.grouped_query import (
    derived_head_dim,
    grouped_query,
    null_means_own_heads,
)
from liminal_jax.workload.mixer.recurrent import AbstractRecurrent, RecurrentSpec
from liminal_jax.workload.reading.family import Family
from liminal_jax.workload.reading.fields import Fields
from liminal_jax.workload.reading.parts import (
    Table,
    activation,
    hidden,
    layer_count,
    model,
    stack,
)


class Mamba(AbstractRecurrent):
    """A state-space layer whose channels each have a state of their own.

    Attributes:
        heads: Channels, which do not mix: each may lie on a rank of its own.
        state_dim: Width of the state space.
        step_rank: Rank of the time steps.
        kernel: Tokens that the convolution before the states spans.
    """

    heads: Leaf = eqx.field(converter=as_leaf)
    state_dim: Leaf = eqx.field(converter=as_leaf)
    step_rank: Leaf = eqx.field(converter=as_leaf)
    kernel: Leaf = eqx.field(converter=as_leaf)

    @override
    def weights(self, hidden: Scalar) -> Scalar:
        return selective_weights(
            hidden=hidden,
            channels=self.heads,
            state_dim=self.state_dim,
            step_rank=self.step_rank,
            kernel=self.kernel,
        )

    @override
    def update_work(self) -> Scalar:
        return selective_work(channels=self.heads, state_dim=self.state_dim)

    @override
    def state(self) -> Scalar:
        states = state_space_state(heads=self.heads, head_dim=1, state_dim=self.state_dim)
        return states + convolution_state(channels=self.heads, kernel=self.kernel)


class MambaLayer(spec_of(RecurrentSpec, Mamba, kind="mamba")):
    """A state-space layer; `heads` are its channels.

    Attributes:
        convolution_bias: One bias a channel.
        projection_bias: Biases of the projections to and from the layer.
        normed: Norms on time steps, keys and queries, as in Jamba.
    """

    convolution_bias: bool = True
    projection_bias: bool = False
    normed: bool = False

    def small_parameters(self, hidden: int, norm_vectors: int) -> int:
        """A rate for each element, an offset of the time step and a skip a channel; the rest."""
        selected = self.step_rank + 2 * self.state_dim
        return (
            self.heads * self.state_dim
            + 2 * self.heads
            + (self.heads if self.convolution_bias else 0)
            + (2 * self.heads + hidden if self.projection_bias else 0)
            + (selected * norm_vectors if self.normed else 0)
        )

    @override
    def label(self) -> str:
        return "Mamba"

    @override
    def words(self) -> str:
        return f"{self.label()}, {self.heads:,} channels x {self.state_dim}"


def mamba_layer(fields: Fields, names: dict[str, str], *, normed: bool) -> Table:
    """The table of a Mamba layer.

    Args:
        fields: The config.
        names: What it calls `state`, `kernel`, `expand`, `rank`, `convolution` and `projection`.
        normed: Whether there are norms on what it selects by.
    """
    width = hidden(fields)
    rank = -(-width // 16)
    if fields.values.get(names["rank"]) == "auto":
        fields.accept(names["rank"], "a sixteenth of the width")
    else:
        rank = fields.count(names["rank"], note="rank of the time steps", default=rank)
    expand = fields.count(names["expand"], note="channels over width", default=2)
    channels = width * expand
    if names["expand"] == "expand":
        channels = fields.count("d_inner", "intermediate_size", note="channels", default=channels)
    return {
        "kind": "mamba",
        "heads": channels,
        "state_dim": fields.count(names["state"], note="width of the state space", default=16),
        "step_rank": rank,
        "kernel": fields.count(
            names["kernel"], note="tokens that the convolution spans", default=4
        ),
        "convolution_bias": fields.flag(
            names["convolution"], note="biases of the convolution", default=True
        ),
        "projection_bias": fields.flag(
            names["projection"], note="biases of state-space projections", default=False
        ),
        "normed": normed,
    }


def jamba(fields: Fields) -> Table:
    """Jamba: attention and mixtures each in one layer of a period, Mamba and blocks in the rest."""
    activation(fields)
    for name in ("use_mamba_kernels", "use_mambapy", "use_associative_scan"):
        fields.ignore(name, "running program")
    fields.demand("mamba_inner_layernorms", [True], "norms on what it selects by")
    fields.demand("sliding_window", [], "every layer of attention attends to all tokens")
    names = {
        "state": "mamba_d_state",
        "kernel": "mamba_d_conv",
        "expand": "mamba_expand",
        "rank": "mamba_dt_rank",
        "convolution": "mamba_conv_bias",
        "projection": "mamba_proj_bias",
    }
    state_space = mamba_layer(fields, names, normed=True)
    attention = grouped_query(
        fields, head_dim=derived_head_dim(fields), kv_heads=null_means_own_heads(fields)
    )
    layers = layer_count(fields)
    full = _by_period(fields, "attn_layer", layers, default=(8, 4))
    if fields.values.get("num_experts") == 1 and fields.values["num_experts"] is not True:
        for name in ("expert_layer_period", "expert_layer_offset", "num_experts_per_tok"):
            fields.ignore(name, "one expert: every layer is dense")
        fields.ignore("num_experts", "one expert: every layer is dense")
        blocks = [dense(fields)] * layers
    else:
        sparse = _by_period(fields, "expert_layer", layers, default=(2, 1))
        experts = mixture(fields, experts=("num_experts",), intermediate="intermediate_size")
        blocks = chosen(fields, sparse, experts, "intermediate_size")
    mixers = [attention if yes else state_space for yes in full]
    return model(fields, stack(mixers, blocks))


def _by_period(fields: Fields, what: str, layers: int, default: tuple[int, int]) -> list[bool]:
    period = fields.count(f"{what}_period", note="one layer of so many", default=default[0])
    offset = fields.count(
        f"{what}_offset", note="which of them", default=default[1], least=0, most=10_000
    )
    if fields.sound(f"{what}_period", f"{what}_offset") and offset >= period:
        fields.refuse(f"{what}_offset", f"{offset} must be less than {what}_period ({period})")
    return [layer % period == offset for layer in range(layers)]


def mamba(fields: Fields) -> Table:
    """Mamba and Falcon-Mamba: every layer is a state-space layer alone."""
    activation(fields)
    for name in ("residual_in_fp32", "time_step_init_scheme", "rescale_prenorm_residual"):
        fields.ignore(name, "number format and initialisation")
    for name in ("time_step_floor", "time_step_max", "time_step_min", "time_step_scale"):
        fields.ignore(name, "initialisation")
    for name in ("use_mambapy", "use_associative_scan", "mixer_rms_eps"):
        fields.ignore(name, "running program, scaling")
    for name in ("use_falcon_mambapy", "fused_add_norm", "pad_vocab_size_multiple"):
        fields.ignore(name, "running program; vocab_size decides")
    fields.demand("rms_norm", [True], "norms without biases")
    names = {
        "state": "state_size",
        "kernel": "conv_kernel",
        "expand": "expand",
        "rank": "time_step_rank",
        "convolution": "use_conv_bias",
        "projection": "use_bias",
    }
    layers = layer_count(fields)
    table = mamba_layer(fields, names, normed=False)
    return model(fields, stack([table] * layers, [None] * layers))


FAMILIES = {
    "jamba": Family(jamba, "JambaForCausalLM"),
    "mamba": Family(mamba, "MambaForCausalLM", tied=True),
    "falcon_mamba": Family(mamba, "FalconMambaForCausalLM", tied=True),
}
