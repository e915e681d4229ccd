"""What the users ask for."""

import equinox as eqx

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._quantity import quantity
from liminal_jax._show import Shown

BITS_PER_BYTE = 8

ATTENTION_BITS = 16
"""Bits of attention's operands in engines, whatever the cache's: see `Request.attention_bits`."""


class Request(Shown):
    """One decode step: its context and the precision of what is kept.

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

    def weight_bytes(self, elements: Scalar) -> Scalar:
        """Bytes of some weights [B]."""
        return elements * self.weight_bits / BITS_PER_BYTE

    def cache_bytes(self, elements: Scalar) -> Scalar:
        """Bytes of some cache elements [B]."""
        return elements * self.kv_bits / BITS_PER_BYTE

    def state_bytes(self, elements: Scalar) -> Scalar:
        """Bytes of some elements of a state [B]."""
        return elements * self.state_bits / BITS_PER_BYTE

    def message_bytes(self, elements: Scalar) -> Scalar:
        """Bytes of some exchanged elements [B]."""
        return elements * self.activation_bits / BITS_PER_BYTE
