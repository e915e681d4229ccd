"""The algorithm with which a model's tokens are computed: the levers of software."""

import equinox as eqx

from liminal_jax._arrays import Scalar
from liminal_jax._show import Shown, absent
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.algorithm.attention import ReducedAttention
from liminal_jax.algorithm.caching import ExpertCache
from liminal_jax.algorithm.decoding import AbstractDecoding, ParallelDecoding, Speculation
from liminal_jax.algorithm.hiding import Overlap, Prefetch, Reductions
from liminal_jax.algorithm.shape import ModelShape
from liminal_jax.workload.block import Block
from liminal_jax.workload.model import Model


class Algorithm(Shown):
    """The levers of software, each off where it is left out.

    Attributes:
        speculation: Drafts that the model verifies.
        parallel: A canvas of tokens that are decided together, in place of speculation.
        prefetch: Weights that are read while chips wait.
        expert_cache: Popular experts in SRAM.
        overlap: Communication that passes while chips work.
        reductions: Sums over ranks that are left out or late.
        attention: Attention that sees or keeps less.
        shape: Depth of the model.

    Examples:
        >>> from liminal_jax._smooth import Exact
        >>> algorithm = Algorithm(speculation=Speculation(drafts=2, acceptance=0.5, decay=1))
        >>> float(algorithm.accepted(Exact()))  # 1 + 1/2 + 1/4
        1.75
    """

    speculation: Speculation | None = eqx.field(default=None, metadata=absent("none"))
    parallel: ParallelDecoding | None = eqx.field(default=None, metadata=absent("none"))
    prefetch: Prefetch | None = eqx.field(default=None, metadata=absent("none"))
    expert_cache: ExpertCache | None = eqx.field(
        default=None, metadata=absent("experts equally popular")
    )
    overlap: Overlap | None = eqx.field(default=None, metadata=absent("none"))
    reductions: Reductions | None = eqx.field(default=None, metadata=absent("the model's own"))
    attention: ReducedAttention | None = eqx.field(default=None, metadata=absent("the model's own"))
    shape: ModelShape | None = eqx.field(default=None, metadata=absent("the model's own"))

    def __check_init__(self) -> None:
        """Refuse two ways in which tokens come about."""
        if self.speculation is not None and self.parallel is not None:
            raise ValueError(
                "algorithm.parallel: decides tokens without drafts; leave out either it or"
                " algorithm.speculation"
            )

    def seen(self, model: Model) -> Model:
        """The model with attention that sees or keeps less."""
        return model if self.attention is None else self.attention.of(model)

    def decoding(self) -> AbstractDecoding | None:
        """How a user's tokens come about; one in each step where that is left out."""
        return self.parallel if self.speculation is None else self.speculation

    def block(self) -> Block | None:
        """The tokens of a user that pass the model in one step; a single one where left out."""
        decoding = self.decoding()
        return None if decoding is None else decoding.block()

    def accepted(self, relaxation: AbstractRelaxation) -> Scalar:
        """Tokens that a user gains by a step, on average."""
        decoding = self.decoding()
        return 1.0 if decoding is None else decoding.accepted(relaxation)
