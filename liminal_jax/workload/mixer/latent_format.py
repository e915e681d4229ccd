"""How a token's latent and rotary key are stored."""

from abc import abstractmethod

from typing_extensions import override

from liminal_jax._arrays import Scalar
from liminal_jax._show import Shown
from liminal_jax.laws.attention import blocked_latent_cache, latent_cache

BLOCK = 128
"""Elements of a latent that share a scale (DeepSeek-AI, FlashMLA, README, FP8 KV cache)."""

SCALE_BYTES = 4
"""Bytes of a scale, a float32 (same source)."""

ROPE_BYTES = 2
"""Bytes of an element of the rotary key, which stays in bfloat16 for accuracy (same source)."""


class AbstractLatentFormat(Shown):
    """A format of the cache of latents."""

    @abstractmethod
    def elements(self, kv_rank: Scalar, rope_dim: Scalar) -> Scalar:
        """Elements that one token leaves in the cache, at the precision of the cache."""

    @abstractmethod
    def basis(self, kv_rank: Scalar, rope_dim: Scalar) -> tuple[str, ...]:
        """What a prediction with this format rests on, in sentences."""


class PlainLatents(AbstractLatentFormat):
    """All elements at the precision of the cache, with one scale for all tokens or none."""

    @override
    def elements(self, kv_rank: Scalar, rope_dim: Scalar) -> Scalar:
        return latent_cache(kv_rank=kv_rank, rope_dim=rope_dim)

    def basis(self, kv_rank: Scalar, rope_dim: Scalar) -> tuple[str, ...]:
        """Nothing beyond the bits of the cache."""
        del kv_rank, rope_dim
        return ()


class BlockedLatents(AbstractLatentFormat):
    """FP8 latents with a scale for each block, and the rotary key in 16 bits.

    The cache that FlashMLA's sparse kernels read, 656 bytes a token and layer of DeepSeek-V3.2.
    Elements are counted in bytes, for a cache of 8 bits.
    """

    @override
    def elements(self, kv_rank: Scalar, rope_dim: Scalar) -> Scalar:
        return blocked_latent_cache(
            kv_rank=kv_rank,
            rope_dim=rope_dim,
            block=BLOCK,
            scale_bytes=SCALE_BYTES,
            rope_bytes=ROPE_BYTES,
        )

    def basis(self, kv_rank: Scalar, rope_dim: Scalar) -> tuple[str, ...]:
        """How many bytes a token takes."""
        return (
            "Latents are cached in blocked FP8, as FlashMLA's sparse kernels read them:"
            f" {float(self.elements(kv_rank, rope_dim)):g} bytes a token and layer, scales and a"
            " rotary key of 16 bits included.",
        )
