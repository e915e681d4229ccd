"""One block that every token passes.

Shazeer (2020), GLU Variants Improve Transformer, arXiv:2002.05202.
"""

from typing import Any

import equinox as eqx
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax.laws.parameters import feed_forward_weights
from liminal_jax.workload.counted import spec_of
from liminal_jax.workload.feedforward.base import AbstractFeedForward, FeedForwardSpec
from liminal_jax.workload.reading.fields import Fields
from liminal_jax.workload.reading.parts import Table
from liminal_jax.workload.record import MaybeNone


def matrix_count(*, gated: bool) -> int:
    """Matrices of a block: 3 with a gate (SwiGLU, GeGLU), 2 without."""
    return 3 if gated else 2


def bias_count(hidden: int, intermediate: int, matrices: int) -> int:
    """One bias for each output of each matrix: all but the last have `intermediate` outputs."""
    return (matrices - 1) * intermediate + hidden if intermediate else 0


class Dense(AbstractFeedForward):
    """One block that every token passes.

    Attributes:
        intermediate: Width of the block.
        matrices: 3 where gated (SwiGLU, GeGLU: Shazeer, 2020), 2 where not.
    """

    intermediate: Leaf = eqx.field(converter=as_leaf)
    matrices: Leaf = eqx.field(converter=as_leaf, default=3)

    @override
    def weights(self, hidden: Scalar) -> Scalar:
        return feed_forward_weights(
            hidden=hidden, intermediate=self.intermediate, matrices=self.matrices
        )

    @override
    def expert_weights(self, hidden: Scalar) -> Scalar:
        del hidden
        return 0.0

    @override
    def expert_weights_used(self, hidden: Scalar) -> Scalar:
        del hidden
        return 0.0

    @override
    def activations(self) -> Scalar:
        return self.intermediate


class DenseFeedForward(spec_of(FeedForwardSpec, Dense, kind="dense", without=("matrices",))):
    """A feed-forward block: three matrices where gated (SwiGLU, GeGLU), two where not.

    Attributes:
        slopes: Numbers that its activation has learned, as those of xIELU in Apertus.
    """

    gated: bool = True
    bias: bool = False
    slopes: MaybeNone = 0

    @override
    def small_parameters(self, hidden: int) -> int:
        if not self.bias:
            return self.slopes
        biases = bias_count(hidden, self.intermediate, matrix_count(gated=self.gated))
        return biases + self.slopes

    def derived(self) -> dict[str, Any]:
        """A gate is a matrix more."""
        return {"matrices": matrix_count(gated=self.gated)}

    @override
    def label(self) -> str:
        return "dense"

    @override
    def words(self) -> str:
        gate = "gated" if self.gated else "ungated"
        return f"{self.label()}, {gate} width {self.intermediate:,}"


def dense(fields: Fields, name: str = "intermediate_size", **extras: Any) -> Table:
    """The table of a gated feed-forward block."""
    width = fields.count(name, note="width of a dense block")
    return {"kind": "dense", "intermediate": width, **extras}
