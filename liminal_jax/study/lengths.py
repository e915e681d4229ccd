"""Lengths of prompts and answers, as a user asks for them."""

from dataclasses import dataclass

from liminal_jax.workload.lengths import Lengths
from liminal_jax.workload.request import mean_context, prefill_tokens


@dataclass(frozen=True)
class RequestLengths:
    """Tokens of a request.

    Attributes:
        isl: Tokens of the prompt.
        osl: Tokens of the answer.
        chunk: Tokens of prompts that pass in one step; none for whole prompts.
        prefix_hit_rate: Share of the prompt whose cache there is already.
    """

    isl: int | float
    osl: int | float
    chunk: int | None = None
    prefix_hit_rate: float = 0.0

    def mean_context(self) -> float:
        """Mean context of a user's decode steps."""
        return float(mean_context(self.isl, self.osl))

    def prefill(self) -> float:
        """Tokens of a prompt that pass the model."""
        return float(prefill_tokens(self.isl, self.prefix_hit_rate))

    def passing(self) -> Lengths:
        """The same as numbers of the model.

        A chunk is all that a step passes of prompts, as it is in engines with a budget of tokens.
        """
        chunk = {} if self.chunk is None else {"chunk": self.chunk, "budget": self.chunk}
        return Lengths(self.isl, self.osl, **chunk, prefix_hit_rate=self.prefix_hit_rate)
