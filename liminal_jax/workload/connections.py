"""How the parts of a layer are joined to several residual streams."""

import equinox as eqx

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._show import Shown
from liminal_jax.laws.connections import hyper_connection_weights, hyper_connection_work


class HyperConnections(Shown):
    """Hyper-connections around each part of a layer.

    Attributes:
        streams: Residual streams.
    """

    streams: Leaf = eqx.field(converter=as_leaf)

    def weights(self, hidden: Scalar) -> Scalar:
        """Elements of the matrix around one part."""
        return hyper_connection_weights(hidden=hidden, streams=self.streams)

    def work(self, hidden: Scalar) -> Scalar:
        """Work on the vector units around one part, for one token [FLOP]."""
        return hyper_connection_work(hidden=hidden, streams=self.streams)
