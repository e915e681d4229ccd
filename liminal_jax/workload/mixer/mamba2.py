"""Mamba-2: a state-space layer with one decay a head.

Dao and Gu (2024), Transformers are SSMs, arXiv:2405.21060.
"""

import equinox as eqx
from pydantic import model_validator
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax.laws.linear import convolution_state
from liminal_jax.laws.state_space import (
    state_space_channels,
    state_space_state,
    state_space_weights,
    state_space_work,
)
from liminal_jax.workload.counted import spec_of
from liminal_jax.workload.mixer.recurrent import AbstractRecurrent, RecurrentSpec


class Mamba2(AbstractRecurrent):
    """A state-space layer.

    Attributes:
        heads: Heads, each with a state.
        head_dim: Channels of one head.
        state_dim: Width of the state space.
        groups: Groups of heads that share what writes to the states and what reads them.
        kernel: Tokens that the convolution before the states spans.
    """

    heads: Leaf = eqx.field(converter=as_leaf)
    head_dim: Leaf = eqx.field(converter=as_leaf)
    state_dim: Leaf = eqx.field(converter=as_leaf)
    groups: Leaf = eqx.field(converter=as_leaf)
    kernel: Leaf = eqx.field(converter=as_leaf)

    @override
    def weights(self, hidden: Scalar) -> Scalar:
        return state_space_weights(
            hidden=hidden,
            heads=self.heads,
            head_dim=self.head_dim,
            groups=self.groups,
            state_dim=self.state_dim,
            kernel=self.kernel,
        )

    def channels(self) -> Scalar:
        """Channels that the convolution runs over."""
        return state_space_channels(
            heads=self.heads,
            head_dim=self.head_dim,
            groups=self.groups,
            state_dim=self.state_dim,
        )

    @override
    def update_work(self) -> Scalar:
        return state_space_work(heads=self.heads, head_dim=self.head_dim, state_dim=self.state_dim)

    @override
    def state(self) -> Scalar:
        states = state_space_state(
            heads=self.heads, head_dim=self.head_dim, state_dim=self.state_dim
        )
        return states + convolution_state(channels=self.channels(), kernel=self.kernel)


class Mamba2Layer(spec_of(RecurrentSpec, Mamba2, kind="mamba-2")):
    """A state-space layer.

    Attributes:
        convolution_bias: One bias a convolved channel.
        projection_bias: Biases of the projections to and from the layer.
        gate_norm: A norm behind the gate, over all channels; Falcon-H1 has none.
    """

    convolution_bias: bool = True
    projection_bias: bool = False
    gate_norm: bool = True

    @model_validator(mode="after")
    def _heads_agree(self) -> "Mamba2Layer":
        if self.heads % self.groups:
            raise ValueError(f"groups ({self.groups}) must divide heads ({self.heads})")
        return self

    def small_parameters(self, hidden: int, norm_vectors: int) -> int:
        """A decay, a time step's offset and a skip a head; the norm behind the gate; biases."""
        del norm_vectors
        width = self.heads * self.head_dim
        channels = int(self.counted().channels())
        projected = width + channels + self.heads
        return (
            3 * self.heads
            + (width if self.gate_norm else 0)
            + (channels if self.convolution_bias else 0)
            + (projected + hidden if self.projection_bias else 0)
        )

    @override
    def label(self) -> str:
        return "Mamba-2"

    @override
    def words(self) -> str:
        return (
            f"{self.label()}, {self.heads}/{self.groups} heads of {self.head_dim}x{self.state_dim}"
        )
