"""Degrees of parallelism."""

import equinox as eqx

from liminal_jax._arrays import Leaf, Scalar, as_leaf


class Mapping(eqx.Module):
    """How one instance of a model is spread over chips.

    Attributes:
        tp: Tensor parallelism: ranks that share every matrix and the KV heads.
        cp: Context parallelism: further ranks, over which the sequence is split.
        pp: Pipeline stages, each with one micro-batch in flight.
        ep: Ranks over which whole experts are spread; divides tp x cp.
    """

    tp: Leaf = eqx.field(converter=as_leaf, default=1)
    cp: Leaf = eqx.field(converter=as_leaf, default=1)
    pp: Leaf = eqx.field(converter=as_leaf, default=1)
    ep: Leaf = eqx.field(converter=as_leaf, default=1)

    def stage_chips(self) -> Scalar:
        """Chips that work on one stage."""
        return self.tp * self.cp

    def chips(self) -> Scalar:
        """Chips of the instance."""
        return self.stage_chips() * self.pp
