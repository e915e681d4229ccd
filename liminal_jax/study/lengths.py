"""Lengths of prompts and answers, as a user asks for them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RequestLengths:
    """Tokens of a request.

    Attributes:
        isl: Tokens of the prompt.
        osl: Tokens of the answer.
        chunk: Tokens of prompts that pass in one step; none for whole prompts.
    """

    isl: int
    osl: int
    chunk: int | None = None

    def mean_context(self) -> float:
        """Mean context of a user's decode steps."""
        return self.isl + self.osl / 2
