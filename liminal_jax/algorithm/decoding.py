"""How many tokens of a user pass in a step, and how many of them stay."""

from abc import abstractmethod

import equinox as eqx
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._quantity import quantity
from liminal_jax._show import Shown
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.algorithm.drafter import AbstractDrafter, RecurrentHead
from liminal_jax.laws.parallel_decoding import canvas_token_time
from liminal_jax.laws.speculation import MOST_DRAFTS, accepted_tokens
from liminal_jax.workload.block import Block


class AbstractDecoding(Shown):
    """How a user's tokens come about, if not one in each step."""

    @abstractmethod
    def block(self) -> Block:
        """The tokens of a user that pass the model in one step."""

    @abstractmethod
    def accepted(self, relaxation: AbstractRelaxation) -> Scalar:
        """Tokens that a user gains by a step, on average."""


class Speculation(AbstractDecoding):
    """Drafts that the model verifies, all in one step; what it accepts is what it would have said.

    Attributes:
        drafts: Tokens that are proposed in each step; none leaves speculation out.
        acceptance: Chance that the first draft is accepted. 0.82 is the middle of nine published
            curves (InferenceX, SPEED-Bench, coding), which lie between 0.64 and 0.95.
        decay: Ratio of the chance of each further draft, those before it being accepted, to that
            of the one before: 0.72 to 1 in the same curves, 0.96 in the middle.
        fresh: Share of the new experts of independent tokens that drafts touch: 0.59, as 27
            experts were seen for 4 tokens that are sent to 10 of 512 each, where 38.8 would be.
        drafter: What proposes them.
    """

    drafts: Leaf = eqx.field(
        converter=as_leaf,
        default=0,
        metadata=quantity("", "drafts a step", least=0.0, most=float(MOST_DRAFTS), whole=True),
    )
    acceptance: Leaf = eqx.field(
        converter=as_leaf, default=0.82, metadata=quantity("", "acceptance of a draft", most=1.0)
    )
    decay: Leaf = eqx.field(
        converter=as_leaf, default=0.96, metadata=quantity("", "decay of acceptance", most=1.0)
    )
    fresh: Leaf = eqx.field(
        converter=as_leaf,
        default=0.59,
        metadata=quantity("", "new experts that drafts touch", least=0.0, most=1.0),
    )
    drafter: AbstractDrafter = eqx.field(default_factory=RecurrentHead)

    @override
    def block(self) -> Block:
        return Block(1 + self.drafts, self.fresh)

    @override
    def accepted(self, relaxation: AbstractRelaxation) -> Scalar:
        del relaxation
        return accepted_tokens(drafts=self.drafts, acceptance=self.acceptance, decay=self.decay)


class ParallelDecoding(AbstractDecoding):
    """A canvas of tokens that passes the model until all of it is decided, as in diffusion.

    No law says how quality depends on the tokens decided in a pass, so they are the user's to say.

    Attributes:
        canvas: Tokens that pass together; 1 leaves it out.
        tokens_per_pass: Tokens decided in a pass. One pass more commits the canvas to the cache.
    """

    canvas: Leaf = eqx.field(
        converter=as_leaf, default=1, metadata=quantity("", "tokens of a canvas", least=1.0)
    )
    tokens_per_pass: Leaf = eqx.field(
        converter=as_leaf, default=1, metadata=quantity("", "tokens decided in a pass", least=1.0)
    )

    @override
    def block(self) -> Block:
        return Block(self.canvas)

    @override
    def accepted(self, relaxation: AbstractRelaxation) -> Scalar:
        each = canvas_token_time(
            canvas=self.canvas,
            settled=self.tokens_per_pass,
            time=1.0,
            commit=relaxation.exceeds(self.canvas, 1.0),
        )
        return 1 / each
