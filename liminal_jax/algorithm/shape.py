"""Fewer layers: passed by a token, or in a model of equal parameters."""

import equinox as eqx

from liminal_jax._arrays import Leaf, as_leaf
from liminal_jax._quantity import quantity
from liminal_jax._show import Shown


class ModelShape(Shown):
    """The depth of the model, and how much of it a token passes.

    Quality is the user's to say: no law of it holds above some 7 billion parameters.

    Attributes:
        depth: Layers over those of the model, parameters and cache of a token being equal: weights
            and arithmetic stay, waits become fewer, and the residual stream wider by the root.
        skipped: Share of the layers that a token leaves out, on average (early exit). They are
            stored all the same.
    """

    depth: Leaf = eqx.field(
        converter=as_leaf, default=1, metadata=quantity("", "depth at equal parameters")
    )
    skipped: Leaf = eqx.field(
        converter=as_leaf,
        default=0,
        metadata=quantity("", "share of the layers skipped", least=0.0, most=0.99),
    )
