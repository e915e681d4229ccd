"""A model whose latents are cached in blocked FP8, as a function from a model to another model."""

import dataclasses

from liminal_jax.workload.mixer.base import AbstractMixer
from liminal_jax.workload.mixer.latent import Latent
from liminal_jax.workload.mixer.latent_format import BlockedLatents
from liminal_jax.workload.mixer.sparse_latent import SparseLatent
from liminal_jax.workload.model import Model


def _blocked(mixer: AbstractMixer | None) -> AbstractMixer | None:
    if isinstance(mixer, Latent | SparseLatent):
        return dataclasses.replace(mixer, stored=BlockedLatents())
    return mixer


def blocked_fp8(model: Model) -> Model:
    """The model with its latents cached as FlashMLA's FP8 format has them.

    A latent of 8-bit elements with a 32-bit scale for each 128 of them, and a rotary key of 16
    bits: 656 bytes a token and layer for the shapes of DeepSeek-V3. Give it a request whose cache
    has 8 bits, of which an index and other mixers make use as before.

    Raises:
        ValueError: no mixer of the model caches latents.

    References:
        DeepSeek-AI (2025), FlashMLA, README, FP8 KV cache.
    """
    mixers = [_blocked(layers.attention) for layers in model.layers]
    if all(it is layers.attention for it, layers in zip(mixers, model.layers, strict=True)):
        raise ValueError("no mixer of the model caches latents")
    layers = tuple(
        dataclasses.replace(layers, attention=mixer)
        for layers, mixer in zip(model.layers, mixers, strict=True)
    )
    return dataclasses.replace(model, layers=layers)


def is_blocked(model: Model) -> bool:
    """Whether any latents of a model are cached so."""
    stored = (getattr(layers.attention, "stored", None) for layers in model.layers)
    return any(isinstance(it, BlockedLatents) for it in stored)
