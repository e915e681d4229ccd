"""Routed experts in a latent space, and shared ones on the residual stream itself.

A token is projected once into a narrower space, its experts work there, and their sum is
projected back; router and shared experts see the whole token. NVIDIA (2025), Nemotron 3,
arXiv:2512.20856.
"""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from pydantic import model_validator
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax.laws.feedforward import expected_distinct_experts
from liminal_jax.laws.latent_experts import latent_projection_weights
from liminal_jax.laws.parameters import feed_forward_weights, router_weights
from liminal_jax.workload.counted import spec_of
from liminal_jax.workload.feedforward.base import AbstractMixture, FeedForwardSpec
from liminal_jax.workload.feedforward.dense import matrix_count


class LatentMixture(AbstractMixture):
    """Routed experts that work on a narrow, latent vector of each token, and shared ones.

    Attributes:
        experts: Routed experts.
        top_k: Experts that one token is sent to.
        latent: Width of the space in which they work.
        intermediate: Width of one routed expert.
        shared_intermediate: Width of the shared experts together; 0 for none.
        matrices: 3 where gated (SwiGLU, GeGLU: Shazeer, 2020), 2 where not.
        router_outputs: Columns of the router: the experts, as where it is left out, or 0 where
            routing is not counted.
    """

    experts: Leaf
    top_k: Leaf
    latent: Leaf
    intermediate: Leaf
    shared_intermediate: Leaf
    matrices: Leaf
    router_outputs: Leaf

    def __init__(
        self,
        experts: Scalar,
        top_k: Scalar,
        latent: Scalar,
        intermediate: Scalar,
        shared_intermediate: Scalar = 0,
        matrices: Scalar = 3,
        router_outputs: Scalar | None = None,
    ):
        self.experts = as_leaf(experts)
        self.top_k = as_leaf(top_k)
        self.latent = as_leaf(latent)
        self.intermediate = as_leaf(intermediate)
        self.shared_intermediate = as_leaf(shared_intermediate)
        self.matrices = as_leaf(matrices)
        self.router_outputs = as_leaf(experts if router_outputs is None else router_outputs)

    def _expert(self) -> Scalar:
        return feed_forward_weights(
            hidden=self.latent, intermediate=self.intermediate, matrices=self.matrices
        )

    def weights(self, hidden: Scalar) -> Scalar:
        """Router, projections into the latent space and back, and shared experts."""
        shared = feed_forward_weights(
            hidden=hidden, intermediate=self.shared_intermediate, matrices=self.matrices
        )
        return (
            shared
            + latent_projection_weights(hidden=hidden, latent=self.latent)
            + router_weights(hidden=hidden, experts=self.router_outputs)
        )

    @override
    def expert_weights(self, hidden: Scalar) -> Scalar:
        del hidden
        return self.experts * self._expert()

    @override
    def expert_weights_used(self, hidden: Scalar) -> Scalar:
        del hidden
        return self.top_k * self._expert()

    @override
    def expert_weights_read(self, hidden: Scalar, tokens: Scalar) -> Scalar:
        del hidden
        distinct = expected_distinct_experts(experts=self.experts, top_k=self.top_k, tokens=tokens)
        return distinct * self._expert()

    @override
    def activations(self) -> Scalar:
        return self.top_k * self.intermediate + self.shared_intermediate

    def routed_width(self, hidden: Scalar) -> Scalar:
        """Only the latent vector is sent."""
        del hidden
        return self.latent

    @override
    def shared_blocks(self) -> Scalar:
        return jnp.sign(self.shared_intermediate)

    @override
    def without_router(self) -> "LatentMixture":
        return eqx.tree_at(lambda it: it.router_outputs, self, self.experts * 0)


class LatentMixtureOfExperts(
    spec_of(
        FeedForwardSpec,
        LatentMixture,
        kind="latent-mixture",
        without=("matrices", "router_outputs"),
        none=("shared_intermediate",),
    )
):
    """Experts of which each token uses `top_k`, in a space of their own.

    Attributes:
        router_bias: One bias (or correction) an expert.
        normed: A norm on what the experts return, in their space.
    """

    gated: bool = True
    router_bias: bool = False
    normed: bool = False

    @model_validator(mode="after")
    def _experts_suffice(self) -> "LatentMixtureOfExperts":
        if self.top_k > self.experts:
            raise ValueError(f"top_k ({self.top_k}) must not exceed experts ({self.experts})")
        return self

    @override
    def small_parameters(self, hidden: int) -> int:
        del hidden
        return (self.experts if self.router_bias else 0) + (self.latent if self.normed else 0)

    def derived(self) -> dict[str, Any]:
        """A gate is a matrix more; the router has an output for each expert."""
        return {
            "matrices": matrix_count(gated=self.gated),
            "router_outputs": self.experts,
        }

    @override
    def label(self) -> str:
        shared = "+shared" if self.shared_intermediate else ""
        return f"MoE {self.top_k}/{self.experts}{shared} in {self.latent}"

    @override
    def words(self) -> str:
        gate = "gated" if self.gated else "ungated"
        shared = f", shared width {self.shared_intermediate:,}" if self.shared_intermediate else ""
        return f"{self.label()}, {gate} width {self.intermediate:,}{shared}"
