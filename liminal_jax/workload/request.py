"""What the users ask for."""

import dataclasses

import equinox as eqx

from liminal_jax._arrays import Leaf, Scalar, as_leaf, optional_leaf
from liminal_jax._quantity import quantity
from liminal_jax._show import Shown, absent

BITS_PER_BYTE = 8

ATTENTION_BITS = 16
"""Bits of attention's operands in engines, whatever the cache's: see `Request.attention_bits`."""


class Request(Shown):
    """One decode step: its context and the precision of what is kept; or requests of some lengths.

    Where lengths are stated, studies serve whole requests, prompts and answers, by continuous
    batching; steps decode at their mean context, whatever `context` says.

    Attributes:
        context: Tokens of one user that attention sees, the new one included.
        weight_bits: Bits of one weight; matrices multiply at the chip's rate for this precision.
        kv_bits: Bits of one element of the cache.
        attention_bits: Bits of the operands with which attention multiplies on the cache. 16 by
            default, as engines widen a narrower cache first: FlashMLA's kernels for an FP8 cache
            dequantise it and multiply in BF16, since Hopper accumulates FP8 products too coarsely
            (DeepSeek-AI, 2024, DeepSeek-V3, arXiv:2412.19437, section 3.3.2). A chip whose rate at
            16 bits is not known multiplies at 8.
        activation_bits: Bits of one element that chips exchange.
        state_bits: Bits of one element of a recurrent state. 32 by default: `mamba_ssm_dtype` of
            the configs of Qwen3.5 and Nemotron 3 is float32, as sums over a whole sequence need.
        expert_bits: Bits of a weight of a routed expert, with its share of scales: MXFP4 has 4.25,
            NVFP4 4.5; those of the other weights where left out.
        table_bits: Bits of a weight of embedding and head; those of the other weights where left
            out.
        index_bits: Bits of an element of a sparse attention's index; those of the cache where left
            out.
        isl: Tokens of a prompt; one step of decode is judged where left out.
        osl: Tokens of an answer; goes with `isl`.
        prefix_hit_rate: Share of a prompt whose cache there is already; none where left out.
    """

    context: Leaf = eqx.field(converter=as_leaf, metadata=quantity("tokens", "context"))
    weight_bits: Leaf = eqx.field(
        converter=as_leaf, default=8, metadata=quantity("bits", "bits of a weight")
    )
    kv_bits: Leaf = eqx.field(
        converter=as_leaf, default=8, metadata=quantity("bits", "bits of a cache element")
    )
    attention_bits: Leaf = eqx.field(
        converter=as_leaf,
        default=ATTENTION_BITS,
        metadata=quantity("bits", "bits of attention's operands"),
    )
    activation_bits: Leaf = eqx.field(
        converter=as_leaf, default=16, metadata=quantity("bits", "bits of an activation")
    )
    state_bits: Leaf = eqx.field(
        converter=as_leaf, default=32, metadata=quantity("bits", "bits of a state element")
    )

    expert_bits: Leaf | None = eqx.field(
        converter=optional_leaf,
        default=None,
        metadata=quantity("bits", "bits of an expert's weight") | absent("as other weights"),
    )
    table_bits: Leaf | None = eqx.field(
        converter=optional_leaf,
        default=None,
        metadata=quantity("bits", "bits of a weight of embedding and head")
        | absent("as other weights"),
    )
    index_bits: Leaf | None = eqx.field(
        converter=optional_leaf,
        default=None,
        metadata=quantity("bits", "bits of an index element") | absent("as the cache"),
    )
    isl: Leaf | None = eqx.field(
        converter=optional_leaf,
        default=None,
        metadata=quantity("tokens", "tokens of a prompt", least=1.0) | absent("decode alone"),
    )
    osl: Leaf | None = eqx.field(
        converter=optional_leaf,
        default=None,
        metadata=quantity("tokens", "tokens of an answer", least=1.0) | absent("decode alone"),
    )
    prefix_hit_rate: Leaf | None = eqx.field(
        converter=optional_leaf,
        default=None,
        metadata=quantity("", "share of a prompt that is cached", least=0.0, most=1.0)
        | absent("nothing is cached"),
    )

    def decoding(self) -> "Request":
        """The mean step that decodes: its context is that of the lengths where these are stated.

        Examples:
            >>> float(Request(context=1, isl=1000, osl=500).decoding().context)
            1250.0
        """
        if self.isl is None or self.osl is None:
            return self
        return dataclasses.replace(
            self, context=mean_context(self.isl, self.osl), isl=None, osl=None, prefix_hit_rate=None
        )

    def weight_bytes(self, elements: Scalar) -> Scalar:
        """Bytes of some weights [B]."""
        return elements * self.weight_bits / BITS_PER_BYTE

    def expert_bytes(self, elements: Scalar) -> Scalar:
        """Bytes of some weights of routed experts [B]."""
        return elements * _first(self.expert_bits, self.weight_bits) / BITS_PER_BYTE

    def table_bytes(self, elements: Scalar) -> Scalar:
        """Bytes of some weights of embedding and head [B]."""
        return elements * _first(self.table_bits, self.weight_bits) / BITS_PER_BYTE

    def index_bytes(self, elements: Scalar) -> Scalar:
        """Bytes of some elements of an index [B]."""
        return elements * _first(self.index_bits, self.kv_bits) / BITS_PER_BYTE

    def cache_bytes(self, elements: Scalar) -> Scalar:
        """Bytes of some cache elements [B]."""
        return elements * self.kv_bits / BITS_PER_BYTE

    def state_bytes(self, elements: Scalar) -> Scalar:
        """Bytes of some elements of a state [B]."""
        return elements * self.state_bits / BITS_PER_BYTE

    def message_bytes(self, elements: Scalar) -> Scalar:
        """Bytes of some exchanged elements [B]."""
        return elements * self.activation_bits / BITS_PER_BYTE


def mean_context(isl: Scalar, osl: Scalar) -> Scalar:
    """Mean context of the steps that decode an answer."""
    return isl + osl / 2


def prefill_tokens(isl: Scalar, hit_rate: Scalar) -> Scalar:
    """Tokens of a prompt that pass the model: those that no prefix holds, and the last always.

    Examples:
        >>> round(prefill_tokens(1000, 0.9), 6)
        100.9
    """
    return isl - hit_rate * (isl - 1)


def _first(own: Leaf | None, common: Leaf) -> Leaf:
    return common if own is None else own
