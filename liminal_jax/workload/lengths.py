"""Tokens of a request: prompt, answer, and what of the prompt passes at once."""

import jax.numpy as jnp

from liminal_jax._arrays import Leaf, Scalar, as_leaf, optional_leaf
from liminal_jax._show import Shown
from liminal_jax.workload.request import mean_context, prefill_tokens


class Lengths(Shown):
    """Tokens of a request.

    Attributes:
        isl: Tokens of the prompt.
        osl: Tokens of the answer, at least 1.
        chunk: Tokens of a prompt that pass in one step; all that pass by default.
        budget: Tokens of prompts that pass in one step of continuous batching; no limit by default.
        prefix_hit_rate: Share of the prompt whose cache there is already; its last token passes
            always.
    """

    isl: Leaf
    osl: Leaf
    chunk: Leaf
    budget: Leaf | None
    prefix_hit_rate: Leaf

    def __init__(
        self,
        isl: Scalar,
        osl: Scalar,
        chunk: Scalar | None = None,
        budget: Scalar | None = None,
        prefix_hit_rate: Scalar = 0.0,
    ):
        self.isl = as_leaf(isl)
        self.osl = as_leaf(osl)
        self.prefix_hit_rate = as_leaf(prefix_hit_rate)
        self.chunk = as_leaf(self.prefill() if chunk is None else chunk)
        self.budget = optional_leaf(budget)

    def prefill(self) -> Scalar:
        """Tokens of a prompt that pass the model: those that no prefix holds.

        Examples:
            >>> float(Lengths(1001, 100, prefix_hit_rate=0.5).prefill())
            501.0
        """
        return prefill_tokens(self.isl, self.prefix_hit_rate)

    def cached(self) -> Scalar:
        """Tokens of a prompt whose cache there is already."""
        return self.prefix_hit_rate * (self.isl - 1)

    def chunks(self) -> Scalar:
        """Chunks of a prompt; one that is not full counts by its part."""
        return self.prefill() / self.chunk

    def later(self) -> Scalar:
        """Tokens of an answer after the first; one at least."""
        return jnp.maximum(self.osl - 1, 1.0)

    def mean_context(self) -> Scalar:
        """Mean context of a user's decode steps, as `Request` has it."""
        return mean_context(self.isl, self.osl)
