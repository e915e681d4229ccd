"""Routed experts of which each token uses a few, and shared ones that every token uses.

Shazeer et al. (2017), arXiv:1701.06538; shared experts: Dai et al. (2024), arXiv:2401.06066.
"""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from pydantic import model_validator
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._once import once
from liminal_jax.laws.feedforward import expected_distinct_experts
from liminal_jax.laws.parameters import feed_forward_weights, router_weights
from liminal_jax.workload.counted import spec_of
from liminal_jax.workload.feedforward.base import AbstractMixture, FeedForwardSpec
from liminal_jax.workload.feedforward.dense import bias_count, dense, matrix_count
from liminal_jax.workload.reading.fields import Fields
from liminal_jax.workload.reading.parts import Table
from liminal_jax.workload.record import MaybeNone


class Mixture(AbstractMixture):
    """Routed experts, and shared ones that every token passes.

    Attributes:
        experts: Routed experts.
        top_k: Experts that one token is sent to.
        intermediate: Width of one routed expert.
        shared_intermediate: Width of the shared experts together; 0 for none.
        matrices: 3 where gated (SwiGLU, GeGLU: Shazeer, 2020), 2 where not.
        biased: 1 where each matrix of a routed expert has a bias for each of its outputs, else 0.
        router_outputs: Columns of the router: the experts, as where it is left out, or 0 where
            routing is not counted.
    """

    experts: Leaf
    top_k: Leaf
    intermediate: Leaf
    shared_intermediate: Leaf
    matrices: Leaf
    biased: Leaf
    router_outputs: Leaf

    def __init__(
        self,
        experts: Scalar,
        top_k: Scalar,
        intermediate: Scalar,
        shared_intermediate: Scalar = 0,
        matrices: Scalar = 3,
        biased: Scalar = 0,
        router_outputs: Scalar | None = None,
    ):
        self.experts = as_leaf(experts)
        self.top_k = as_leaf(top_k)
        self.intermediate = as_leaf(intermediate)
        self.shared_intermediate = as_leaf(shared_intermediate)
        self.matrices = as_leaf(matrices)
        self.biased = as_leaf(biased)
        self.router_outputs = as_leaf(experts if router_outputs is None else router_outputs)

    def _matrices(self, hidden: Scalar) -> Scalar:
        return feed_forward_weights(
            hidden=hidden, intermediate=self.intermediate, matrices=self.matrices
        )

    @once
    def _expert(self, hidden: Scalar) -> Scalar:
        biases = (self.matrices - 1) * self.intermediate + hidden
        return self._matrices(hidden) + self.biased * biases

    def weights(self, hidden: Scalar) -> Scalar:
        """Router and shared experts."""
        shared = feed_forward_weights(
            hidden=hidden, intermediate=self.shared_intermediate, matrices=self.matrices
        )
        return shared + router_weights(hidden=hidden, experts=self.router_outputs)

    @override
    def expert_weights(self, hidden: Scalar) -> Scalar:
        return self.experts * self._expert(hidden)

    @override
    def expert_weights_used(self, hidden: Scalar) -> Scalar:
        return self.top_k * self._expert(hidden)

    @override
    def expert_products(self, hidden: Scalar) -> Scalar:
        return self.top_k * self._matrices(hidden)

    @override
    def expert_weights_read(self, hidden: Scalar, tokens: Scalar) -> Scalar:
        distinct = expected_distinct_experts(experts=self.experts, top_k=self.top_k, tokens=tokens)
        return distinct * self._expert(hidden)

    @override
    def activations(self) -> Scalar:
        return self.top_k * self.intermediate + self.shared_intermediate

    def routed_width(self, hidden: Scalar) -> Scalar:
        """The whole of a token."""
        return hidden

    @override
    def shared_blocks(self) -> Scalar:
        return jnp.sign(self.shared_intermediate)

    @override
    def without_router(self) -> "Mixture":
        none = self.experts * 0
        return eqx.tree_at(lambda it: (it.router_outputs, it.biased), self, (none, none))


class MixtureOfExperts(
    spec_of(
        FeedForwardSpec,
        Mixture,
        kind="mixture",
        without=("matrices", "biased", "router_outputs"),
        none=("shared_intermediate",),
    )
):
    """Routed experts of which each token uses `top_k`, and a shared expert that every token uses.

    Attributes:
        shared_gate: One vector that weighs the shared expert, as in Qwen2-MoE.
        router_bias: One bias (or correction, or scale) an expert.
        bias: Biases in the experts' matrices.
        idle: Experts without weights, among which the router chooses too; `top_k` leaves them out.
    """

    gated: bool = True
    shared_gate: bool = False
    router_bias: bool = False
    bias: bool = False
    idle: MaybeNone = 0

    @model_validator(mode="after")
    def _experts_suffice(self) -> "MixtureOfExperts":
        if self.top_k > self.experts:
            raise ValueError(f"top_k ({self.top_k}) must not exceed experts ({self.experts})")
        if self.shared_gate and not self.shared_intermediate:
            raise ValueError("shared_gate needs a shared expert: give shared_intermediate")
        return self

    def _expert_biases(self, hidden: int, intermediate: int) -> int:
        if not self.bias:
            return 0
        return bias_count(hidden, intermediate, matrix_count(gated=self.gated))

    @override
    def small_parameters(self, hidden: int) -> int:
        return (
            self._expert_biases(hidden, self.shared_intermediate)
            + (self.experts + self.idle if self.router_bias else 0)
            + (hidden if self.shared_gate else 0)
        )

    @override
    def expert_small_parameters(self, hidden: int) -> int:
        return self.experts * self._expert_biases(hidden, self.intermediate)

    def derived(self) -> dict[str, Any]:
        """A gate is a matrix more; the router has an output for each expert."""
        return {
            "matrices": matrix_count(gated=self.gated),
            "biased": 1 if self.bias else 0,
            "router_outputs": self.experts + self.idle,
        }

    @override
    def label(self) -> str:
        shared = "+shared" if self.shared_intermediate else ""
        return f"MoE {self.top_k}/{self.experts}{shared}"

    @override
    def words(self) -> str:
        gate = "gated" if self.gated else "ungated"
        shared = f" of {self.shared_intermediate:,}" if self.shared_intermediate else ""
        return f"{self.label()}{shared}, {gate} width {self.intermediate:,}"


EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts")
"""Names under which the number of routed experts may stand in any family."""


def mixture(
    fields: Fields,
    *,
    experts: Sequence[str],
    intermediate: str,
    top_k: Sequence[str] = ("num_experts_per_tok",),
    **extras: Any,
) -> Table:
    """The table of routed experts with gated blocks; `extras` add shared experts and biases.

    Args:
        fields: The config.
        experts: Names under which the number of experts may stand, those of the family first.
        intermediate: Name of the width of one expert.
        top_k: Names under which the number of experts a token uses may stand.
        extras: Further entries of the table.

    Returns:
        The table.
    """
    experts = tuple(dict.fromkeys((*experts, *EXPERTS)))
    total = fields.count(*experts, note="routed experts")
    used = fields.count(*top_k, note="experts a token uses")
    if fields.sound(*experts, *top_k) and used > total:
        fields.refuse(top_k[0], f"{used} must not exceed {experts[0]} ({total})")
    return {
        "kind": "mixture",
        "experts": total,
        "top_k": used,
        "intermediate": fields.count(intermediate, note="width of one expert"),
        **extras,
    }


def shared_experts(fields: Fields, name: str = "n_shared_experts") -> Table:
    """Entries for shared experts as wide as routed ones, side by side; null means none."""
    if name in fields.values and fields.values[name] is None:
        fields.ignore(name, "no shared expert")
        return {}
    number = fields.count(name, note="shared experts", least=0)
    width = fields.values.get("moe_intermediate_size")
    return {"shared_intermediate": number * width if isinstance(width, int) else 0}


def dense_first(fields: Fields, layers: int) -> list[bool]:
    """Which layers are mixtures: all but the first few, or every n-th of those."""
    first = fields.count("first_k_dense_replace", note="dense layers before the mixtures", least=0)
    if fields.sound("first_k_dense_replace", "num_hidden_layers") and first > layers:
        fields.refuse("first_k_dense_replace", f"{first} exceeds num_hidden_layers ({layers})")
    return [layer >= first for layer in range(layers)]


def listed_or_dense_first(fields: Fields, layers: int) -> list[bool]:
    """Which layers are mixtures: those of `mlp_layer_types`, else all but the first few."""
    sparse = fields.per_layer(
        "mlp_layer_types",
        {"dense": False, "sparse": True},
        note="dense layers and mixtures",
        layers=layers,
    )
    if sparse is None:
        sparse = dense_first(fields, layers)
    else:
        fields.demand(
            "first_k_dense_replace",
            [sparse.index(True)] if True in sparse else [layers],
            "as mlp_layer_types has it",
        )
    fields.demand("moe_layer_freq", [1], "all layers after the dense ones are mixtures")
    return sparse


def listed_or_by_frequency(fields: Fields, layers: int) -> list[bool]:
    """Which layers are mixtures: those of `mlp_layer_types`, else every n-th but the first."""
    if fields.values.get("mlp_layer_types") is None:
        return by_frequency(fields, dense_first(fields, layers))
    return listed_or_dense_first(fields, layers)


def by_frequency(fields: Fields, sparse: list[bool]) -> list[bool]:
    """`sparse` thinned by `moe_layer_freq`: a period, or one 0 or 1 for each layer."""
    if isinstance(fields.values.get("moe_layer_freq"), list):
        meanings = {0: False, 1: True}
        given = fields.per_layer(
            "moe_layer_freq", meanings, note="which layers are mixtures", layers=len(sparse)
        )
        return sparse if given is None else [a and b for a, b in zip(sparse, given, strict=True)]
    period = fields.count("moe_layer_freq", note="every n-th layer is a mixture", default=1)
    return [is_sparse and layer % period == 0 for layer, is_sparse in enumerate(sparse)]


def chosen(fields: Fields, sparse: Sequence[bool], experts: Table, name: str) -> list[Table]:
    """The feed-forward of each layer; the dense width `name` is read only where it is used."""
    if all(sparse):
        fields.ignore(name, "every layer is a mixture")
        return [experts] * len(sparse)
    block = dense(fields, name)
    return [experts if is_sparse else block for is_sparse in sparse]
