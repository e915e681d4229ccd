"""A short convolution between two gates, in the place of attention: LFM2.

Liquid AI (2025), LFM2 Technical Report, arXiv:2511.23404. Each channel of a token is gated,
convolved with those of a few tokens before it, and gated again; most layers of LFM2 have this, the
others grouped queries with norms on heads.
"""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax.laws.linear import (
    convolution_state,
    convolution_weights,
    gated_convolution_weights,
)
from liminal_jax.workload.counted import spec_of
from liminal_jax.workload.feedforward.mixture import chosen, mixture
from liminal_jax.workload.mixer.grouped_query import (
    derived_head_dim,
    grouped_query,
    null_means_own_heads,
)
from liminal_jax.workload.mixer.recurrent import AbstractRecurrent, RecurrentSpec
from liminal_jax.workload.reading.family import Family, Wrapper
from liminal_jax.workload.reading.fields import Fields
from liminal_jax.workload.reading.parts import Table, hidden, layer_count, model, stack
from liminal_jax.workload.record import Count


class ShortConvolution(AbstractRecurrent):
    """A convolution over a few tokens, each channel for itself, between two gates.

    Attributes:
        heads: Channels, which do not mix: each may lie on a rank of its own.
        kernel: Tokens that the convolution spans.
    """

    heads: Leaf = eqx.field(converter=as_leaf)
    kernel: Leaf = eqx.field(converter=as_leaf)

    @override
    def weights(self, hidden: Scalar) -> Scalar:
        return gated_convolution_weights(hidden=hidden, channels=self.heads) + convolution_weights(
            channels=self.heads, kernel=self.kernel
        )

    @override
    def update_work(self) -> Scalar:
        """None beside that of the filter's weights; both gates are left out."""
        return 0.0

    @override
    def state(self) -> Scalar:
        return convolution_state(channels=self.heads, kernel=self.kernel)


class ShortConvolutionLayer(
    spec_of(RecurrentSpec, ShortConvolution, kind="short-convolution", without=("heads",))
):
    """A convolution over a few tokens between two gates.

    Attributes:
        channels: Channels, each with a filter of its own.
        bias: Biases of the projections and of the convolution.
    """

    channels: Count
    bias: bool = False

    def derived(self) -> dict[str, Any]:
        """Each channel is a head."""
        return {"heads": self.channels}

    @override
    def small_parameters(self, hidden: int, norm_vectors: int) -> int:
        del norm_vectors
        return 4 * self.channels + hidden if self.bias else 0

    @override
    def label(self) -> str:
        return f"convolution {self.kernel}"

    @override
    def words(self) -> str:
        return f"{self.label()}, {self.channels:,} channels"


def _mixers(fields: Fields, layers: int) -> list[Table]:
    attention = grouped_query(
        fields,
        head_dim=derived_head_dim(fields),
        kv_heads=null_means_own_heads(fields),
        qk_norm="per-head",
    )
    width = hidden(fields)
    for name in ("conv_dim", "conv_dim_out", "block_dim"):
        fields.demand(name, [width], "as wide as the residual stream")
    convolution: Table = {
        "kind": "short-convolution",
        "channels": width,
        "kernel": fields.count("conv_L_cache", note="tokens that a convolution spans", default=3),
        "bias": fields.flag("conv_bias", note="biases of convolution layers", default=False),
    }
    meanings = {"full_attention": True, "conv": False}
    full = fields.per_layer("layer_types", meanings, note="kind of each layer", layers=layers)
    named = fields.indices("full_attn_idxs", note="layers of attention", below=layers)
    if named is not None:
        listed = [layer in named for layer in range(layers)]
        if full is not None and full != listed:
            fields.refuse("full_attn_idxs", "contradicts layer_types")
        full = listed
    if full is None:
        if fields.sound("layer_types", "full_attn_idxs"):
            fields.refuse("layer_types", "is required, or full_attn_idxs")
        full = [True] * layers
    return [attention if is_full else convolution for is_full in full]


def _width(fields: Fields) -> int:
    """Width of a dense block: as stated, or two thirds of that, scaled and rounded up."""
    name = "intermediate_size" if fields.values.get("block_ff_dim") is None else "block_ff_dim"
    stated = fields.count(name, note="stated width of a block")
    fields.ignore("intermediate_size", "block_ff_dim decides")
    if not fields.flag("block_auto_adjust_ff_dim", note="two thirds of it", default=True):
        for name in ("block_multiple_of", "block_ffn_dim_multiplier"):
            fields.ignore(name, "widths are as stated")
        return stated
    scale = fields.values.get("block_ffn_dim_multiplier", 1.0)
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not 0 < scale < 100:
        fields.refuse("block_ffn_dim_multiplier", "must be a number between 0 and 100")
        scale = 1.0
    fields.ignore("block_ffn_dim_multiplier", "read with the width of a block")
    multiple = fields.count("block_multiple_of", note="of which a width is a multiple", default=256)
    width = int(scale * int(2 * stated / 3))
    return -(-width // multiple) * multiple


def _ignore(fields: Fields) -> None:
    fields.demand("block_use_swiglu", [True], "blocks are gated")
    for name in ("use_pos_enc", "theta"):
        fields.ignore(name, "positions have no weights")


def lfm2(fields: Fields) -> Table:
    """LFM2: convolutions and attention, gated blocks."""
    _ignore(fields)
    layers = layer_count(fields)
    block: Table = {"kind": "dense", "intermediate": _width(fields)}
    return _stacked(fields, layers, [block] * layers)


def lfm2_moe(fields: Fields) -> Table:
    """LFM2 mixtures: the first layers are dense, as wide as stated."""
    _ignore(fields)
    layers = layer_count(fields)
    bias = fields.flag("use_expert_bias", note="a correction bias an expert", default=True)
    experts = mixture(
        fields,
        experts=("num_experts",),
        intermediate="moe_intermediate_size",
        router_bias=bias,
    )
    first = fields.count("num_dense_layers", note="dense layers before the mixtures", least=0)
    blocks = chosen(fields, [it >= first for it in range(layers)], experts, "intermediate_size")
    return _stacked(fields, layers, blocks)


def _stacked(fields: Fields, layers: int, blocks: Sequence[Table]) -> Table:
    return model(fields, stack(_mixers(fields, layers), blocks))


FAMILIES = {
    "lfm2": Family(lfm2, "Lfm2ForCausalLM", tied=True),
    "lfm2_moe": Family(lfm2_moe, "Lfm2MoeForCausalLM", tied=True),
}

WRAPPERS = {"lfm2_vl": Wrapper("Lfm2VlForConditionalGeneration", ("lfm2", "lfm2_moe"))}
